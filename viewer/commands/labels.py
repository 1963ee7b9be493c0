"""`export` and `import`: findings out of and into the label database."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from viewer.commands.console import UsageError, find_images, images_of_file, require_paths, tell
from viewer.dicom.model import Frame, Image, Kind
from viewer.engine import client
from viewer.engine.host import Worker
from viewer.exchange.export import ExportSummary
from viewer.exchange.formats import Format
from viewer.exchange.label_import import ImportSummary
from viewer.exchange.options import Options
from viewer.home import Home
from viewer.installed import card_with
from viewer.review.store import Store
from viewer.settings import default_reader


def export_labels(
    home: Home, row: Format, out: Path, paths: Sequence[Path], options: Options
) -> None:
    """Write decided findings with their images into a new folder: all, or those of these paths.

    Raises
    ------
    UsageError
        The format does not have what is asked for.
    InputError, ExchangeError, StoreError
        There is nothing to export, or it cannot be read or written.
    """
    _require_possible(row, options)
    with closing(Worker("decode")) as decoder, Store.open(home.database) as store:
        chosen = find_images(decoder, paths)[0] if paths else None
        summary = row.export(
            store,
            out,
            lambda image: client.decode_frame(decoder, image),
            options,
            copy=partial(client.copy_image, decoder),
            card_of=partial(card_with, home),
            images=None if chosen is None else {(one.uid, one.frame_number) for one in chosen},
            on_progress=lambda done, total: tell(f"image {done} of {total}"),
        )
    for item in summary.skipped:
        tell(f"skipped {item.path}: {item.reason}")
    tell(f"wrote {out}: {_words(summary)}")


def _require_possible(row: Format, options: Options) -> None:
    if options.split is not None and not row.splits:
        raise UsageError(f"--split is not for --format {row.name}.")
    if options.identity and not row.identity:
        raise UsageError(f"--with-identity is not for --format {row.name}.")
    if options.pictures is not None and options.pictures not in row.pictures:
        has = ", ".join(row.pictures) or "none"
        raise UsageError(f"--pictures of --format {row.name} can be: {has}.")


def _words(summary: ExportSummary) -> str:
    written = summary.written
    words = (
        f"{written.images} images, {written.findings} findings, {written.rejected} rejected boxes"
    )
    if written.uncertain:
        words += f", {written.uncertain} uncertain"
    for part in written.parts:
        words += f"\n  {part.name}: {part.patients} patients, {part.images} images"
    return words


def import_labels(home: Home, row: Format, path: Path, reader: str | None) -> int:
    """Read a file or folder: with a score it is a candidate, without one a decided finding.

    Returns the exit code: 1 where images were not found and nothing was read.

    Raises
    ------
    InputError, ExchangeError, StoreError
        The file cannot be read as what it should be, or the database cannot be written.
    """
    require_paths([path])
    with closing(Worker("decode")) as decoder, Store.open(home.database) as store:

        def load(path: Path) -> Sequence[tuple[Image, Frame]]:
            images = images_of_file(decoder, path)
            return [
                (image, client.decode_frame(decoder, image))
                for image in images
                if image.kind is Kind.IMAGE
            ]

        summary = row.import_labels(
            store,
            path,
            reader or default_reader(),
            load=load,
            keep=home.imported,
            measurements=partial(client.read_measurements, decoder),
        )
    return _tell_imported(path, summary)


def _tell_imported(path: Path, summary: ImportSummary) -> int:
    for name in summary.not_found:
        tell(f"not found: {name}")
    for note in summary.notes:
        tell(note)
    whose = f", decided by {', '.join(summary.readers)}" if summary.readers else ""
    tell(f"read {path}: {summary.candidates} candidates, {summary.findings} findings{whose}")
    nothing_read = summary.candidates + summary.findings == 0
    return 1 if summary.not_found and nothing_read else 0
