"""What the window and its child processes say to each other: frozen, picklable values.

Arrays in a message travel in shared memory (``viewer.engine.transport``); a message only holds
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from detector.importing.description import Description, Inspection
from detector.types import Detections, ImageInput, ModelCard
from viewer.dicom.model import Earlier, Frame, Image, Picture, ScanUpdate
from viewer.dicom.objects import Report, Segmentation, Softcopy
from viewer.dicom.pseudonym import Pseudonym
from viewer.dicom.reported import MeasurementReport
from viewer.dicom.tag_row import TagRow

# --- decode worker -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScanRequest:
    paths: tuple[Path, ...]
    earlier: Earlier | None = None


@dataclass(frozen=True, slots=True)
class ScanAnswer:
    files_done: int


@dataclass(frozen=True, slots=True)
class FramesRequest:
    """Frames in one go: where each is small, asking takes as long as decoding."""

    images: tuple[Image, ...]


@dataclass(frozen=True, slots=True, eq=False)
class FramesAnswer:
    """One for each image; a hash that the values tell is left to the host."""

    frames: tuple[Frame | Failure, ...]


@dataclass(frozen=True, slots=True)
class ThumbnailRequest:
    image: Image
    size: int  # longest side in pixels


@dataclass(frozen=True, slots=True, eq=False)
class ThumbnailAnswer:
    picture: Picture


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """The text of a structured report."""

    image: Image


@dataclass(frozen=True, slots=True)
class SoftcopyRequest:
    """How a presentation state wants a frame to be seen."""

    state: Image
    image: Image


@dataclass(frozen=True, slots=True)
class SegmentationRequest:
    """All segments of a segmentation."""

    image: Image


@dataclass(frozen=True, slots=True, eq=False)
class ObjectAnswer:
    content: Report | Softcopy | Segmentation


@dataclass(frozen=True, slots=True)
class TagsRequest:
    """All elements of the file of an image."""

    image: Image


@dataclass(frozen=True, slots=True)
class TagsAnswer:
    rows: tuple[TagRow, ...]


@dataclass(frozen=True, slots=True)
class CopyRequest:
    """A frame as a DICOM file made anew from an allow-list of attributes."""

    image: Image
    pseudonym: Pseudonym | None  # None: with the identity that the file has
    pixels: bool


@dataclass(frozen=True, slots=True, eq=False)
class CopyAnswer:
    content: npt.NDArray[np.uint8]  # the bytes of the file


@dataclass(frozen=True, slots=True)
class MeasurementsRequest:
    """The groups of a measurement report that is to be imported."""

    path: Path


@dataclass(frozen=True, slots=True)
class MeasurementsAnswer:
    report: MeasurementReport


# --- model worker --------------------------------------------------------------------------------

LOADING = "loading the model"
ANALYSING = "analysing"


@dataclass(frozen=True, slots=True, eq=False)
class DetectRequest:
    image: ImageInput
    model_folder: Path
    floor: float
    device: str  # auto, cpu, cuda or mps
    proposals: int = 0  # how many regions of a two-stage model are wanted besides
    thorough: bool = False  # mirrored, too
    memory: Path | None = None  # where the fastest way to compute a model is remembered


@dataclass(frozen=True, slots=True)
class DetectUpdate:
    """A stage of the work in words: LOADING, then ANALYSING."""

    stage: str


@dataclass(frozen=True, slots=True)
class DetectAnswer:
    detections: Detections


@dataclass(frozen=True, slots=True)
class InspectModelRequest:
    """Look at a file that somebody brings along as a model."""

    file: Path
    description: Description


@dataclass(frozen=True, slots=True)
class InspectModelAnswer:
    inspection: Inspection


@dataclass(frozen=True, slots=True)
class AddModelRequest:
    """Copy it into the folder of the models."""

    file: Path
    models: Path
    description: Description


@dataclass(frozen=True, slots=True)
class AddModelAnswer:
    card: ModelCard


# --- either --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Failure:
    """The request failed; the worker lives on."""

    sentence: str
    detail: str = ""  # where in our code, for the log; nothing of the file or the patient


Request = (
    ScanRequest
    | FramesRequest
    | ThumbnailRequest
    | ReportRequest
    | SoftcopyRequest
    | SegmentationRequest
    | TagsRequest
    | CopyRequest
    | MeasurementsRequest
    | DetectRequest
    | InspectModelRequest
    | AddModelRequest
)
Update = ScanUpdate | DetectUpdate
Answer = (
    ScanAnswer
    | FramesAnswer
    | ThumbnailAnswer
    | ObjectAnswer
    | TagsAnswer
    | CopyAnswer
    | MeasurementsAnswer
    | DetectAnswer
    | InspectModelAnswer
    | AddModelAnswer
)
