"""From a file to values: against pydicom and its plug-ins."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless

from benchmarks.reading_room.figures import Absent, Figure, Line, medians, ms
from benchmarks.reading_room.synthetic import ct_series, radiograph
from viewer.dicom import voi
from viewer.dicom.model import Frame, Image
from viewer.dicom.pixels import read_stored_values
from viewer.dicom.scan import scan
from viewer.engine import client
from viewer.engine.host import Worker

_TIMES = 25
_FRAMES = {
    "JPEG 2000": JPEG2000Lossless,
    "JPEG-LS": JPEGLSLossless,
    "JPEG lossless": JPEGLosslessSV1,
}


def measure() -> Iterator[Line]:
    with TemporaryDirectory() as folder:
        yield from _first_picture(radiograph(Path(folder) / "dx.dcm"))
    for name, syntax in _FRAMES.items():
        with TemporaryDirectory() as folder:
            yield _compressed(name, syntax, Path(folder) / "ct")


def _first_picture(path: Path) -> Iterator[Line]:
    """Scan, decode in the child, window, 8 bits; the child is up, as in an open window."""
    with closing(Worker("decode")) as worker:

        def ours() -> None:
            found: list[Image] = []
            client.scan(worker, [path], lambda update: found.extend(update.images))
            (frame,) = client.decode_frames(worker, found[:1])
            assert isinstance(frame, Frame)
            voi.picture(frame, voi.default_voi(frame))

        def theirs() -> npt.NDArray[Any]:
            return pydicom.dcmread(path).pixel_array  # type: ignore[no-any-return]

        ours()
        mine, peer = medians((_uncached(path, ours), _uncached(path, theirs)), _TIMES)
        yield Figure(
            "first picture, 8 megapixels, from the disk",
            mine / peer,
            "pydicom dcmread + pixel_array",
            1.5,
            f"{ms(mine)} to {ms(peer)}",
        )
        mine, peer = medians((ours, theirs), _TIMES)
        yield Figure(
            "the same, the file in memory already",
            mine / peer,
            "pydicom dcmread + pixel_array",
            1.5,
            f"{ms(mine)} to {ms(peer)}",
        )


def _uncached(path: Path, run: Callable[[], object]) -> Callable[[], object]:
    """``run`` with the file on the disk alone, where the system can be asked to forget it."""

    def forget_and_run() -> object:
        if hasattr(os, "posix_fadvise"):
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return run()

    return forget_and_run


def _compressed(name: str, syntax: UID, folder: Path) -> Line:
    """One CT frame, from its file to stored values."""
    path = ct_series(folder, 1)[0]
    dataset = pydicom.dcmread(path)
    if syntax == JPEGLosslessSV1:  # nothing that is installed writes it for pydicom
        frame = imagecodecs.ljpeg_encode(dataset.pixel_array, bitspersample=12)
        dataset.PixelData = encapsulate([frame])
        dataset["PixelData"].VR = "OB"
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset["PixelData"].is_undefined_length = True
    else:
        dataset.compress(syntax, generate_instance_uid=False)
    dataset.save_as(path)
    image = next(image for update in scan([path]) for image in update.images)
    plugins = get_decoder(syntax).available_plugins
    if not plugins:
        mine = medians((lambda: read_stored_values(image),), _TIMES)[0]
        return Absent(f"{name} frame", f"no installed plug-in reads it; ours {ms(mine)}")
    peers = [_plugin(path, plugin) for plugin in plugins]
    found = medians((lambda: read_stored_values(image), *peers), _TIMES)
    best = int(np.argmin(found[1:]))
    return Figure(
        f"{name} frame of 512 x 512",
        found[0] / found[1 + best],
        f"pydicom with {plugins[best]}",
        1.0,
        f"{ms(found[0])} to {ms(found[1 + best])}",
    )


def _plugin(path: Path, plugin: str) -> Callable[[], object]:
    def decode_with_it() -> object:
        dataset = pydicom.dcmread(path)
        decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
        return decoder.as_array(dataset, index=0, decoding_plugin=plugin)

    return decode_with_it
