"""Child process that reads untrusted bytes: it scans and decodes, and may die of it."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection

import cv2
import numpy as np

from viewer.dicom import pixels, scan, voi
from viewer.dicom.deidentify import copy_of
from viewer.dicom.measurement_report import read_measurement_report
from viewer.dicom.model import Earlier, Frame, Image, Kind, Picture, ScanUpdate
from viewer.dicom.presentation_state import read_softcopy
from viewer.dicom.segmentation import read_segmentation
from viewer.dicom.state_summary import read_state_summary
from viewer.dicom.structured_report import read_report
from viewer.dicom.tags import read_tags
from viewer.engine.child import Link, attempt, serve
from viewer.engine.limits import DECODE_ADDRESS_SPACE
from viewer.engine.messages import (
    Answer,
    CopyAnswer,
    CopyRequest,
    Failure,
    FramesAnswer,
    FramesRequest,
    MeasurementsAnswer,
    MeasurementsRequest,
    ObjectAnswer,
    ReportRequest,
    Request,
    ScanAnswer,
    ScanRequest,
    SegmentationRequest,
    SoftcopyRequest,
    TagsAnswer,
    TagsRequest,
    ThumbnailAnswer,
    ThumbnailRequest,
)

if sys.platform != "win32":
    import resource

_AT_ONCE = 1000  # images in one message
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of malloc.h
_KEPT_BYTES = 64 << 20


def main(connection: Connection) -> None:
    """Entry point of the process."""
    _limit_memory()
    _keep_freed_memory()
    serve(connection, _handle)


def _handle(request: Request, link: Link) -> Answer:
    answer: Answer
    match request:
        case ScanRequest():
            answer = _scan(request, link)
        case FramesRequest(images):
            answer = _frames(images, link)
        case ThumbnailRequest(image, size):
            frame = pixels.decode(image, hashed=False)
            answer = ThumbnailAnswer(thumbnail(frame, size, image.spacing.aspect))
        case TagsRequest(image):
            answer = TagsAnswer(read_tags(image.path, image.member))
        case ReportRequest(image) if image.kind is Kind.PRESENTATION_STATE:
            answer = ObjectAnswer(read_state_summary(image))
        case ReportRequest(image):
            answer = ObjectAnswer(read_report(image))
        case SoftcopyRequest(state, image):
            answer = ObjectAnswer(read_softcopy(state, image))
        case SegmentationRequest(image):
            answer = ObjectAnswer(read_segmentation(image))
        case CopyRequest(image, pseudonym, with_pixels):
            content = copy_of(image, pseudonym, pixels=with_pixels)
            answer = CopyAnswer(np.frombuffer(content, np.uint8))
        case MeasurementsRequest(path):
            answer = MeasurementsAnswer(read_measurement_report(path))
        case _:
            raise TypeError(f"the decode worker does not know {type(request).__name__}")
    return answer


def _frames(images: tuple[Image, ...], link: Link) -> FramesAnswer:
    found: list[Frame | Failure] = []
    for number, image in enumerate(images):
        link.begin(str(number))
        found.append(attempt(partial(pixels.decode, image, hashed=False)))
    return FramesAnswer(tuple(found))


def _scan(request: ScanRequest, link: Link) -> ScanAnswer:
    files_done = 0
    for update in scan.scan(request.paths, request.earlier or Earlier(), link.begin):
        for part in _parts(update):
            link.report(part)
        files_done = update.files_done
    return ScanAnswer(files_done)


def _parts(update: ScanUpdate) -> Iterator[ScanUpdate]:
    """The window takes a message in at one go, and must not stop for the 40,000 frames of one."""
    for start in range(0, max(len(update.images), len(update.skipped), 1), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        yield replace(update, images=update.images[part], skipped=update.skipped[part])


def thumbnail(frame: Frame, size: int, aspect: float = 1.0) -> Picture:
    """The picture of a frame as it first appears, its longest side reduced to ``size`` pixels.

    ``aspect`` is the height of a pixel over its width; those of the result are square.
    """
    picture = voi.picture(frame, voi.default_voi(frame))
    rows, columns = picture.shape[:2]
    width, height = columns * max(1.0, 1 / aspect), rows * max(1.0, aspect)
    scale = min(1.0, size / max(width, height))
    shape = max(1, round(width * scale)), max(1, round(height * scale))
    if shape == (columns, rows):
        return picture
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


def _keep_freed_memory() -> None:
    """Have the memory of one frame at hand for the next; new pages cost more than decoding.

    For the C library of Linux, which otherwise gives back what is freed after each frame.
    """
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):  # another C library
            tune = ctypes.CDLL(None).mallopt
            tune(_M_MMAP_THRESHOLD, _KEPT_BYTES // 2)
            tune(_M_TRIM_THRESHOLD, _KEPT_BYTES)
