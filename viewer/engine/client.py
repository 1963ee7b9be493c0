"""What the rest of the program asks of the child processes, as plain functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar, cast

from detector.importing.description import Description, Inspection
from detector.types import Detections, ImageInput, ModelCard
from viewer.dicom import voi
from viewer.dicom.model import Frame, Image, Picture, ScanUpdate
from viewer.dicom.objects import Report, Segmentation, Softcopy
from viewer.dicom.pixel_hash import with_hash
from viewer.dicom.pseudonym import Pseudonym
from viewer.dicom.reported import MeasurementReport
from viewer.dicom.tag_row import TagRow
from viewer.engine.host import Worker, WorkerError, failed
from viewer.engine.messages import (
    AddModelAnswer,
    AddModelRequest,
    CopyAnswer,
    CopyRequest,
    DetectAnswer,
    DetectRequest,
    DetectUpdate,
    Failure,
    FramesAnswer,
    FramesRequest,
    InspectModelAnswer,
    InspectModelRequest,
    MeasurementsAnswer,
    MeasurementsRequest,
    ObjectAnswer,
    ReportRequest,
    Request,
    SegmentationRequest,
    SoftcopyRequest,
    TagsAnswer,
    TagsRequest,
    ThumbnailAnswer,
    ThumbnailRequest,
    Update,
)
from viewer.engine.pool import Pool
from viewer.engine.scanning import Scanning
from viewer.errors import InputError, ViewerError

_A = TypeVar(
    "_A",
    FramesAnswer,
    ThumbnailAnswer,
    ObjectAnswer,
    TagsAnswer,
    CopyAnswer,
    MeasurementsAnswer,
    DetectAnswer,
    InspectModelAnswer,
    AddModelAnswer,
)
_O = TypeVar("_O", Report, Softcopy, Segmentation)


def scan(worker: Worker, paths: Iterable[Path], on_update: Callable[[ScanUpdate], None]) -> int:
    """Find the images of files, folders and archives; returns how many files were looked at.

    A file that the worker does not survive is told as skipped, and the rest is read on.

    Every function here raises as ``Worker.run`` does: InputError, EngineError, Cancelled.
    """
    return Scanning(worker, tuple(paths), on_update).run()


def decode_frame(worker: Worker | Pool, image: Image) -> Frame:
    """Decode one frame to modality values."""
    (frame,) = decode_frames(worker, (image,))
    if isinstance(frame, ViewerError):
        raise frame
    return with_hash(frame)


def decode_frames(
    worker: Worker | Pool, images: Sequence[Image]
) -> tuple[Frame | ViewerError, ...]:
    """Decode several frames; for each the frame, or why there is none.

    A hash that the values tell is left for later (``pixel_hash.with_hash``), so that the picture
    need not wait for it. Where the worker does not survive one of them, the others are decoded.

    Raises
    ------
    EngineError, Cancelled
        As ``Worker.run``, for all of them.
    """
    request = FramesRequest(tuple(images))
    try:
        answer = _ask(worker, request, FramesAnswer)
    except WorkerError as error:
        if len(images) == 1:
            return (error,)
        if not error.part:
            return tuple(decode_frames(worker, (image,))[0] for image in images)
        lost = int(error.part)  # not tried again: it has cost its seconds
        before, after = images[:lost], images[lost + 1 :]
        others = decode_frames(worker, (*before, *after))
        return (*others[:lost], error, *others[lost:])
    return tuple(
        failed(frame, request) if isinstance(frame, Failure) else frame for frame in answer.frames
    )


def make_thumbnail(worker: Worker, image: Image, size: int) -> Picture:
    """The first picture of an image, its longest side at most ``size`` pixels."""
    return _ask(worker, ThumbnailRequest(image, size), ThumbnailAnswer).picture


def read_tags(worker: Worker, image: Image) -> tuple[TagRow, ...]:
    """Every element of the file of an image, in its order."""
    return _ask(worker, TagsRequest(image), TagsAnswer).rows


def read_report(worker: Worker, image: Image) -> Report:
    """The text of a structured report."""
    return _content(worker, ReportRequest(image), Report)


def read_softcopy(worker: Worker, state: Image, image: Image) -> Softcopy:
    """How a presentation state wants a frame to be seen."""
    return _content(worker, SoftcopyRequest(state, image), Softcopy)


def read_segmentation(worker: Worker, image: Image) -> Segmentation:
    """All segments of a segmentation."""
    return _content(worker, SegmentationRequest(image), Segmentation)


def copy_image(
    worker: Worker | Pool, image: Image, pseudonym: Pseudonym | None, with_pixels: bool
) -> bytes:
    """A frame as a DICOM file made anew: under a pseudonym, or with the identity it has."""
    return _ask(worker, CopyRequest(image, pseudonym, with_pixels), CopyAnswer).content.tobytes()


def read_measurements(worker: Worker, path: Path) -> MeasurementReport:
    """What a measurement report says, to import its findings."""
    return _ask(worker, MeasurementsRequest(path), MeasurementsAnswer).report


INCOMPLETE = "The picture is incomplete: what is missing cannot be analysed."


def detect(  # noqa: PLR0917
    worker: Worker,
    frame: Frame,
    model_folder: Path,
    floor: float,
    device: str,
    on_update: Callable[[DetectUpdate], None] | None = None,
    proposals: int = 0,
    *,
    thorough: bool = False,
    memory: Path | None = None,
) -> Detections:
    """Run a model over a frame; every candidate of at least the score ``floor`` is returned.

    ``device`` is auto, cpu, cuda or mps; the answer says where it really ran. ``proposals`` is how
    many regions of a two-stage model are wanted besides; ``thorough`` takes several looks.
    ``memory`` is the file in which the fastest way to compute a model here is kept.

    Raises
    ------
    InputError
        The frame is incomplete, or the request failed.
    EngineError, Cancelled
    """
    if frame.incomplete:
        raise InputError(INCOMPLETE)
    image = ImageInput(frame.values, voi.tone_curve(frame))
    request = DetectRequest(image, model_folder, floor, device, proposals, thorough, memory)
    callback = cast("Callable[[Update], None] | None", on_update)
    return _ask(worker, request, DetectAnswer, callback).detections


def inspect_model(worker: Worker, file: Path, description: Description) -> Inspection:
    """What is still to be said of a model before it can be added."""
    request = InspectModelRequest(file, description)
    return _ask(worker, request, InspectModelAnswer).inspection


def add_model(worker: Worker, file: Path, models: Path, description: Description) -> ModelCard:
    """Copy a model into the folder ``models``; the card that it got there."""
    return _ask(worker, AddModelRequest(file, models, description), AddModelAnswer).card


def _content(worker: Worker, request: Request, content_type: type[_O]) -> _O:
    content = _ask(worker, request, ObjectAnswer).content
    assert isinstance(content, content_type)
    return content


def _ask(
    worker: Worker | Pool,
    request: Request,
    answer_type: type[_A],
    on_update: Callable[[Update], None] | None = None,
) -> _A:
    answer = worker.run(request, on_update)
    if not isinstance(answer, answer_type):
        raise TypeError(f"{type(request).__name__} was answered by {type(answer).__name__}")
    return answer
