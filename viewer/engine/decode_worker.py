"""Child process that reads untrusted bytes: it scans and decodes, and may die of it."""

from __future__ import annotations

import sys
from contextlib import suppress
from multiprocessing.connection import Connection

import cv2
import numpy as np

from viewer.dicom import pixels, scan, voi
from viewer.dicom.model import Frame, Picture
from viewer.engine.child import Link, serve
from viewer.engine.limits import DECODE_ADDRESS_SPACE
from viewer.engine.messages import (
    Answer,
    FrameAnswer,
    FrameRequest,
    Request,
    ScanAnswer,
    ScanRequest,
    ThumbnailAnswer,
    ThumbnailRequest,
)

if sys.platform != "win32":
    import resource


def main(connection: Connection) -> None:
    """Entry point of the process."""
    _limit_memory()
    serve(connection, _handle)


def _handle(request: Request, link: Link) -> Answer:
    match request:
        case ScanRequest(paths):
            files_done = 0
            for update in scan.scan(paths):
                link.report(update)
                files_done = update.files_done
            return ScanAnswer(files_done)
        case FrameRequest(image):
            return FrameAnswer(pixels.decode(image))
        case ThumbnailRequest(image, size):
            return ThumbnailAnswer(thumbnail(pixels.decode(image), size))
        case _:
            raise TypeError(f"the decode worker does not know {type(request).__name__}")


def thumbnail(frame: Frame, size: int) -> Picture:
    """The picture of a frame as it first appears, its longest side reduced to ``size`` pixels."""
    picture = voi.picture(frame, voi.default_voi(frame))
    rows, columns = picture.shape[:2]
    scale = size / max(rows, columns)
    if scale >= 1:
        return picture
    shape = max(1, round(columns * scale)), max(1, round(rows * scale))
    return cv2.resize(picture, shape, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _limit_memory() -> None:
    """Make a decompression bomb a MemoryError here instead of the end of the whole computer."""
    if sys.platform == "win32":
        return  # dicom/limits.py still bounds what is decoded
    with suppress(ValueError, OSError):  # macOS knows the limit but does not take it
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        limit = DECODE_ADDRESS_SPACE
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
