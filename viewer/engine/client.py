"""What the rest of the program asks of the child processes, as plain functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar, cast

from detector.importing.description import Description, Inspection
from detector.types import Detections, ImageInput, ModelCard
from viewer.dicom import voi
from viewer.dicom.model import Frame, Image, Picture, ScanUpdate
from viewer.engine.host import Worker
from viewer.engine.messages import (
    AddModelAnswer,
    AddModelRequest,
    DetectAnswer,
    DetectRequest,
    DetectUpdate,
    FrameAnswer,
    FrameRequest,
    InspectModelAnswer,
    InspectModelRequest,
    Request,
    ScanAnswer,
    ScanRequest,
    ThumbnailAnswer,
    ThumbnailRequest,
    Update,
)

_A = TypeVar(
    "_A",
    ScanAnswer,
    FrameAnswer,
    ThumbnailAnswer,
    DetectAnswer,
    InspectModelAnswer,
    AddModelAnswer,
)


def scan(worker: Worker, paths: Iterable[Path], on_update: Callable[[ScanUpdate], None]) -> int:
    """Find the images of files, folders and archives; returns how many files were looked at.

    Every function here raises as ``Worker.run`` does: InputError, EngineError, Cancelled.
    """
    request = ScanRequest(tuple(paths))
    return _ask(worker, request, ScanAnswer, cast("Callable[[Update], None]", on_update)).files_done


def decode_frame(worker: Worker, image: Image) -> Frame:
    """Decode one frame to modality values."""
    return _ask(worker, FrameRequest(image), FrameAnswer).frame


def make_thumbnail(worker: Worker, image: Image, size: int) -> Picture:
    """The first picture of an image, its longest side at most ``size`` pixels."""
    return _ask(worker, ThumbnailRequest(image, size), ThumbnailAnswer).picture


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
    """
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


def _ask(
    worker: Worker,
    request: Request,
    answer_type: type[_A],
    on_update: Callable[[Update], None] | None = None,
) -> _A:
    answer = worker.run(request, on_update)
    if not isinstance(answer, answer_type):
        raise TypeError(f"{type(request).__name__} was answered by {type(answer).__name__}")
    return answer
