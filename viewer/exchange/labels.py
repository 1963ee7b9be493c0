"""What a file of labels says, whatever its format: the one form that every reader produces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from detector.types import Box
from viewer.review.finding import Mode, Reason, Status


@dataclass(frozen=True, slots=True)
class ModelName:
    name: str
    version: str
    weights_sha256: str


@dataclass(frozen=True, slots=True)
class LabelImage:
    """An image that a file speaks of.

    Attributes
    ----------
    id : by which the boxes refer to it; unique in the document.
    file_name : relative to the folder of the document, with forward slashes.
    width, height : 0 where the file does not say.
    uid, pixel_sha256, patient_key : empty where not given.
    content : gives the bytes of the picture file, where the labels have them inside.
    """

    id: int
    file_name: str
    width: int
    height: int
    frame_number: int = 1
    uid: str = ""
    pixel_sha256: str = ""
    patient_key: str = ""
    content: Callable[[], bytes] | None = None


@dataclass(frozen=True, slots=True)
class LabelBox:
    """A candidate where ``score`` is given, else a finding."""

    image_id: int
    box: Box
    category: str
    score: float | None = None
    status: Status = Status.ACCEPTED
    reader: str = ""  # empty: not said
    decided_at: datetime | None = None
    threshold: float | None = None
    ai_visible: bool = False
    model: ModelName | None = None
    model_score: float | None = None
    uncertain: bool = False
    reason: Reason | None = None
    mode: Mode = Mode.CONCURRENT


@dataclass(frozen=True, slots=True)
class LabelDocument:
    """All that a file or folder says.

    Attributes
    ----------
    folder : where the files of the images may lie.
    model : the one that made the candidates; None where the file does not say.
    """

    folder: Path
    images: tuple[LabelImage, ...]
    boxes: tuple[LabelBox, ...]
    model: ModelName | None = None
    device: str = "imported"
    floor: float = 0.0
