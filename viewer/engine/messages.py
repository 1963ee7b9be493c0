"""What the window and its child processes say to each other: frozen, picklable values.

Arrays in a message travel in shared memory (``viewer.engine.transport``); a message only holds
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from detector.types import Detections, ImageInput
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


@dataclass(frozen=True, slots=True)
class DetectUpdate:
    """A stage of the work in words: LOADING, then ANALYSING."""

    stage: str


@dataclass(frozen=True, slots=True)
class DetectAnswer:
    detections: Detections


# --- either --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Failure:
    """The request failed; the worker lives on."""

    sentence: str
    detail: str = ""  # where in our code, for the log; nothing of the file or the patient


Request = ScanRequest | FrameRequest | ThumbnailRequest | DetectRequest
Update = ScanUpdate | DetectUpdate
Answer = ScanAnswer | FrameAnswer | ThumbnailAnswer | DetectAnswer
