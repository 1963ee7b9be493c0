"""What the window and its child processes say to each other: frozen, picklable values.

Arrays in a message travel in shared memory (``viewer.engine.transport``); a message only holds
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from detector.importing.description import Description, Inspection
from detector.types import Detections, ImageInput, ModelCard
from viewer.dicom.model import Frame, Image, Picture, ScanUpdate

# --- decode worker -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScanRequest:
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class ScanAnswer:
    files_done: int


@dataclass(frozen=True, slots=True)
class FrameRequest:
    image: Image


@dataclass(frozen=True, slots=True, eq=False)
class FrameAnswer:
    frame: Frame


@dataclass(frozen=True, slots=True)
class ThumbnailRequest:
    image: Image
    size: int  # longest side in pixels


@dataclass(frozen=True, slots=True, eq=False)
class ThumbnailAnswer:
    picture: Picture


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
    thorough: bool = False  # mirrored, too, and with the networks of all folds
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
    | FrameRequest
    | ThumbnailRequest
    | DetectRequest
    | InspectModelRequest
    | AddModelRequest
)
Update = ScanUpdate | DetectUpdate
Answer = (
    ScanAnswer | FrameAnswer | ThumbnailAnswer | DetectAnswer | InspectModelAnswer | AddModelAnswer
)
