"""The vocabulary that the detector shares with everything around it. No torch here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

RESEARCH_USE_ONLY = "Research use only. Not a medical device."


class DetectorError(Exception):
    """A failure of the detector that one sentence explains to the reader."""


class ModelError(DetectorError):
    """A model that is absent, damaged or not what its card says."""


class DatasetError(DetectorError):
    """Training or test data that cannot be read as the form it claims to be."""


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned box in float pixels of the original frame.

    (0, 0) is the outer corner of the first pixel, so a box over the whole frame is
    (0, 0, columns, rows) and a width is ``x_max - x_min``.
    """

    x_min: float
    y_min: float
    x_max: float
    y_max: float

    def __post_init__(self) -> None:
        if not (self.x_min < self.x_max and self.y_min < self.y_max):  # also refuses NaN
            raise ValueError(f"a box needs a positive width and height, not {self!r}")

    @property
    def width(self) -> float:
        return self.x_max - self.x_min

    @property
    def height(self) -> float:
        return self.y_max - self.y_min

    @property
    def area(self) -> float:
        return self.width * self.height

    def xywh(self) -> tuple[float, float, float, float]:
        """The box as COCO writes it: left, top, width, height."""
        return self.x_min, self.y_min, self.width, self.height

    @staticmethod
    def from_xywh(x: float, y: float, width: float, height: float) -> Box:
        return Box(x, y, x + width, y + height)

    def clipped(self, columns: int, rows: int) -> Box:
        """The part inside a frame; ValueError where nothing is left."""
        return Box(
            max(0.0, self.x_min),
            max(0.0, self.y_min),
            min(float(columns), self.x_max),
            min(float(rows), self.y_max),
        )

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        width = min(self.x_max, other.x_max) - max(self.x_min, other.x_min)
        height = min(self.y_max, other.y_max) - max(self.y_min, other.y_min)
        if width <= 0 or height <= 0:
            return 0.0
        shared = width * height
        return shared / (self.area + other.area - shared)


@dataclass(frozen=True, slots=True)
class Detection:
    box: Box
    score: float
    category: str


@dataclass(frozen=True, slots=True)
class ToneCurve:
    """How values become brightness: piecewise linear, 0 black to 1 white, flat outside.

    It holds a VOI window, a VOI LUT or a MONOCHROME1 inversion alike, so that the detector sees
    what the reader sees without knowing DICOM.
    """

    values: tuple[float, ...]  # strictly rising
    outputs: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.values) != len(self.outputs) or len(self.values) < 2:
            raise ValueError("a tone curve needs at least two points and one output for each")
        if any(b <= a for a, b in zip(self.values, self.values[1:], strict=False)):
            raise ValueError("the values of a tone curve must rise")

    def to_json(self) -> dict[str, list[float]]:
        return {"values": list(self.values), "outputs": list(self.outputs)}

    @staticmethod
    def from_json(data: dict[str, Any]) -> ToneCurve:
        return ToneCurve(tuple(map(float, data["values"])), tuple(map(float, data["outputs"])))


@dataclass(frozen=True, eq=False)
class ImageInput:
    """One picture as it is given to the detector.

    Attributes
    ----------
    values : (rows, columns) modality values of any real dtype, or (rows, columns, 3) uint8 colour.
    tone_curve : values to brightness; None where the values are brightness already (0..maximum).
    """

    values: npt.NDArray[Any]
    tone_curve: ToneCurve | None = None


@dataclass(frozen=True)
class ModelCard:
    """What a model is, what it reads and how it was measured: the content of ``card.json``."""

    name: str
    version: str
    architecture: str  # a name known to detector.networks.architectures
    architecture_options: dict[str, Any]
    categories: tuple[str, ...]
    input_size: int  # pixels of the square that the network sees
    weights_sha256: str
    modalities: tuple[str, ...]  # DICOM Modality (0008,0060), for example CR, DX
    body_parts: tuple[str, ...]  # DICOM Body Part Examined (0018,0015), for example CHEST
    views: tuple[str, ...]  # DICOM View Position (0018,5101), for example PA, AP
    default_threshold: float
    description: str
    channels: int = 1  # 1 grey, 3 colour
    image_findings: tuple[str, ...] = ()  # image-level classes that are reported, never as boxes
    calibration: dict[str, tuple[float, float]] = field(default_factory=dict)  # Platt, by name
    exports: dict[str, str] = field(default_factory=dict)  # other files of it, with SHA-256
    training: dict[str, Any] = field(default_factory=dict)
    evaluation: dict[str, Any] = field(default_factory=dict)
    notice: str = RESEARCH_USE_ONLY

    def refusal(self, modality: str, body_part: str, view: str, colour: bool) -> str | None:
        """Why this model does not read such an image, as a sentence, or None where it does.

        An empty attribute is unknown, not wrong: plain image files have none of them.
        """
        reads = self.reads()
        if colour and self.channels == 1:
            return f"Not analysed: this model reads {reads}, not colour images."
        if modality and modality not in self.modalities:
            return f"Not analysed: this model reads {reads}, not modality {modality}."
        if body_part and body_part not in self.body_parts:
            return f"Not analysed: this model reads {reads}, not body part {body_part}."
        if view and view not in self.views:
            return f"Not analysed: this model reads {reads}, not view {view}."
        return None

    @property
    def has_proposals(self) -> bool:
        """True for a two-stage detector, which can tell the regions that it looked at."""
        return self.architecture == "faster_rcnn"

    def reads(self) -> str:
        """What it reads in the reader's words, for example 'frontal chest radiographs'."""
        view = "frontal " if set(self.views) == {"PA", "AP"} else ""
        # DICOM has both CHEST and THORAX; the reader says chest (PS3.16 annex L).
        words = ("chest" if part == "THORAX" else part.lower() for part in self.body_parts)
        body = "/".join(dict.fromkeys(words))
        return f"{view}{body} radiographs"


@dataclass(frozen=True, slots=True)
class ImageFinding:
    """How likely a finding is somewhere on the picture; it has no place and is never drawn."""

    name: str
    probability: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """A region that a two-stage detector looked at, whatever it found there."""

    box: Box
    objectness: float


@dataclass(frozen=True)
class Detections:
    """All candidates of one run over one picture, in original pixels, best score first."""

    detections: tuple[Detection, ...]
    model_name: str
    model_version: str
    weights_sha256: str
    device: str  # "cpu", "cuda" or "mps": where it really ran
    score_floor: float
    seconds: float
    image_findings: tuple[ImageFinding, ...] = ()
    proposals: tuple[Proposal, ...] = ()  # best first; only where they were asked for
    precision: str = "fp32"  # fp32, bf16 or int8: how the network was computed
