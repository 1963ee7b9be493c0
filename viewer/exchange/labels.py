"""What a file of labels says, whatever its format: the one form that every reader produces."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from detector.types import Box
from viewer.review.finding import Mode, Reason, Role, Status


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
    drawn_on : width and height of the picture in whose pixels its boxes are; (1, 1) where they are
        shares of it; None: the image's own.
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
    drawn_on: tuple[float, float] | None = None
    content: Callable[[], bytes] | None = None


@dataclass(frozen=True, slots=True)
class LabelBox:
    """A candidate where ``score`` is given, else a finding.

    Attributes
    ----------
    reader : empty where the file does not say.
    where : file and line, or the like, for a sentence that something is wrong with it.
    """

    image_id: int
    box: Box
    category: str
    score: float | None = None
    status: Status = Status.ACCEPTED
    reader: str = ""
    decided_at: datetime | None = None
    threshold: float | None = None
    ai_visible: bool = False
    model: ModelName | None = None
    model_score: float | None = None
    uncertain: bool = False
    reason: Reason | None = None
    mode: Mode = Mode.CONCURRENT
    where: str = ""
    role: Role = Role.READER  # whose log it goes into


@dataclass(frozen=True, slots=True)
class LabelDocument:
    """All that a file or folder says.

    Attributes
    ----------
    folder : where the files of the images may lie.
    model : the one that made the candidates; None where the file does not say.
    notes : what of the file is not in here, or not as it was, in sentences.
    """

    folder: Path
    images: tuple[LabelImage, ...]
    boxes: tuple[LabelBox, ...]
    model: ModelName | None = None
    device: str = "imported"
    floor: float = 0.0
    notes: tuple[str, ...] = ()


def by_image(boxes: Iterable[LabelBox]) -> dict[int, list[LabelBox]]:
    """The boxes of each image by its id, in their order."""
    result: dict[int, list[LabelBox]] = {}
    for box in boxes:
        result.setdefault(box.image_id, []).append(box)
    return result


def fitted(box: Box, width: int, height: int) -> Box:
    """The part of a box inside its image; ValueError where there is none."""
    try:
        return box.clipped(width, height)
    except ValueError as error:
        raise ValueError("its box lies outside the image") from error


def in_pixels(box: Box, drawn_on: tuple[float, float] | None, size: tuple[int, int]) -> Box:
    """A box that was drawn on a picture of one size, on its image of ``size`` (width, height)."""
    if drawn_on is None:
        return box
    across, down = size[0] / drawn_on[0], size[1] / drawn_on[1]
    return Box(box.x_min * across, box.y_min * down, box.x_max * across, box.y_max * down)
