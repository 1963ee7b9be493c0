"""`render`: one frame as the picture that the viewport shows at 1:1."""

from __future__ import annotations

import io
from contextlib import closing
from pathlib import Path

import PIL.Image

from viewer.commands.console import UsageError, images_of_file, require_paths, tell, write_whole
from viewer.dicom import voi
from viewer.dicom.model import Frame, Image, Picture, VoiWindow
from viewer.engine import client
from viewer.engine.host import Worker
from viewer.errors import InputError


def render(file: Path, out: Path, frame_number: int, window: VoiWindow | None) -> None:
    """Write the 8-bit picture of a frame (numbered from 1) as PNG, without marks.

    Raises
    ------
    InputError, EngineError, ExchangeError
        The file holds no such frame, or cannot be read; the picture cannot be written.
    """
    require_paths([file])
    if file.is_dir():
        raise UsageError(f"{file} is a folder; render takes one file.")
    with closing(Worker("decode")) as decoder:
        images = images_of_file(decoder, file)
        frame = client.decode_frame(decoder, _chosen(images, file, frame_number))
    write_whole(out, _png(_picture(frame, window)))
    for note in frame.notes:
        tell(note)
    tell(f"wrote {out}")


def _chosen(images: list[Image], file: Path, frame_number: int) -> Image:
    if len({image.uid for image in images}) > 1:
        raise InputError(f"{file} holds several images; render takes a file with one.")
    for image in images:
        if image.frame_number == frame_number:
            return image
    raise InputError(f"{file} has no frame {frame_number}, only 1 to {len(images)}.")


def _picture(frame: Frame, window: VoiWindow | None) -> Picture:
    if window is not None and frame.is_colour:
        raise InputError("--window does not apply to a colour image.")
    return voi.picture(frame, window or voi.default_voi(frame))


def _png(picture: Picture) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()
