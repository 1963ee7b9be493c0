"""`export` and `import`: findings out of and into the label database."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from viewer.commands.console import find_images, images_of_file, require_paths, tell
from viewer.dicom.model import Frame, Image, Kind
from viewer.engine import client
from viewer.engine.host import Worker
from viewer.exchange import coco
from viewer.home import Home
from viewer.review.store import Store
from viewer.settings import default_reader


def export_labels(home: Home, out: Path, paths: Sequence[Path]) -> None:
    """Write decided findings with their images into a new folder: all, or those of these paths.

    Raises
    ------
    InputError, ExchangeError, StoreError
        There is nothing to export, or it cannot be read or written.
    """
    with closing(Worker("decode")) as decoder, Store.open(home.database) as store:
        chosen = find_images(decoder, paths)[0] if paths else None
        summary = coco.export(
            store,
            out,
            lambda image: client.decode_frame(decoder, image),
            images=None if chosen is None else {(one.uid, one.frame_number) for one in chosen},
            on_progress=lambda done, total: tell(f"image {done} of {total}"),
        )
    for item in summary.skipped:
        tell(f"skipped {item.path}: {item.reason}")
    tell(
        f"wrote {out}: {summary.images} images, {summary.findings} findings, "
        f"{summary.rejected} rejected boxes"
    )


def import_labels(home: Home, file: Path, reader: str | None) -> int:
    """Read a COCO file: with a score it is a candidate, without one an accepted finding.

    Returns the exit code: 1 where images were not found and nothing was read.

    Raises
    ------
    InputError, ExchangeError, StoreError
        The file cannot be read as what it should be, or the database cannot be written.
    """
    require_paths([file])
    with closing(Worker("decode")) as decoder, Store.open(home.database) as store:

        def load(path: Path) -> Sequence[tuple[Image, Frame]]:
            images = images_of_file(decoder, path)
            return [
                (image, client.decode_frame(decoder, image))
                for image in images
                if image.kind is Kind.IMAGE
            ]

        summary = coco.import_labels(store, file, reader or default_reader(), load=load)
    for name in summary.not_found:
        tell(f"not found: {name}")
    tell(f"read {file}: {summary.candidates} candidates, {summary.findings} findings")
    nothing_read = summary.candidates + summary.findings == 0
    return 1 if summary.not_found and nothing_read else 0
