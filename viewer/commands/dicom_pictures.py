"""DICOM files of public data sets, decoded for the detector, which knows no DICOM."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from detector.types import DatasetError, ImageInput
from viewer.commands.console import images_of_file
from viewer.dicom.model import Kind
from viewer.dicom.voi import tone_curve
from viewer.engine import client
from viewer.engine.host import Worker
from viewer.errors import EngineError, InputError


@contextmanager
def dicom_pictures() -> Iterator[Callable[[Path], ImageInput]]:
    """A function that decodes a DICOM file of one frame, as the window would show it.

    It decodes in a child process, which starts at the first file and ends with the context. A
    file that cannot be decoded, or holds several frames, raises DatasetError.
    """
    with closing(Worker("decode")) as decoder:

        def load(path: Path) -> ImageInput:
            try:
                images = images_of_file(decoder, path)
                if len(images) != 1:
                    raise InputError(f"{path} holds {len(images)} frames; one is needed.")
                if images[0].kind is not Kind.IMAGE:
                    raise InputError(f"{path} is a {images[0].kind.value}, not an image.")
                frame = client.decode_frame(decoder, images[0])
                if frame.incomplete:
                    raise InputError(f"{path}: {frame.notes[0]}")
            except (InputError, EngineError) as error:
                raise DatasetError(str(error)) from error
            return ImageInput(frame.values, tone_curve(frame))

        yield load
