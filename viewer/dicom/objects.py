"""What stands beside the images of a study: reports, presentation states, segmentations.

Immutable values without pydicom, safe to send between processes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.dicom.model import OverlayPlane, PlaneGeometry, Spacing, Voi

Point = tuple[float, float]
Colour = tuple[int, int, int]  # sRGB, 0 to 255


@dataclass(frozen=True, slots=True)
class Reference:
    """An instance that an object refers to (PS3.3 10.8); no frames: all of them."""

    uid: str  # SOP Instance UID
    sop_class: str  # its name
    frames: tuple[int, ...] = ()

    def covers(self, uid: str, frame_number: int) -> bool:
        return self.uid == uid and (not self.frames or frame_number in self.frames)


# --- structured reports --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReportItem:
    """One content item of a structured report (PS3.3 C.17.3), in words.

    Attributes
    ----------
    name : the meaning of its concept name; may be empty.
    value : its value with the unit; empty for a container.
    relation : how it relates to the item above, for what is more than a part of it.
    references : the instances that it names.
    """

    name: str
    value: str = ""
    relation: str = ""
    references: tuple[Reference, ...] = ()
    children: tuple[ReportItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A structured report as text.

    Attributes
    ----------
    facts : completion, verification, observers and the like, each with its name.
    notes : what could not be read, in sentences.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    items: tuple[ReportItem, ...]
    notes: tuple[str, ...] = ()


# --- presentation states -------------------------------------------------------------------------


class Units(StrEnum):
    """What the points of a graphic count in (PS3.3 C.10.5)."""

    PIXEL = "PIXEL"  # of the image; (0, 0) is the outer corner of the first one
    DISPLAY = "DISPLAY"  # fractions of the displayed area


class GraphicType(StrEnum):
    """PS3.3 C.10.5.1.2."""

    POINT = "POINT"
    POLYLINE = "POLYLINE"
    INTERPOLATED = "INTERPOLATED"
    CIRCLE = "CIRCLE"  # centre and a point on it
    ELLIPSE = "ELLIPSE"  # both ends of the major axis, then of the minor one


@dataclass(frozen=True, slots=True)
class Graphic:
    type: GraphicType
    points: tuple[Point, ...]
    units: Units
    filled: bool = False
    colour: Colour | None = None  # None: that of its layer


@dataclass(frozen=True, slots=True)
class Text:
    """A text with a box to stand in, an anchor that it belongs to, or both."""

    words: str
    box: tuple[Point, Point] | None = None  # top left, bottom right
    box_units: Units = Units.PIXEL
    anchor: Point | None = None
    anchor_units: Units = Units.PIXEL
    anchor_visible: bool = False
    justification: str = "LEFT"
    colour: Colour | None = None


@dataclass(frozen=True, slots=True)
class GraphicLayer:
    """Graphics that are drawn together (PS3.3 C.10.7)."""

    name: str
    colour: Colour | None
    graphics: tuple[Graphic, ...] = ()
    texts: tuple[Text, ...] = ()
    overlays: tuple[OverlayPlane, ...] = ()  # planes of the presentation state itself
    overlay_groups: tuple[int, ...] = ()  # planes of the image that it activates, 0x6000 and on


@dataclass(frozen=True, slots=True)
class Shutter:
    """What of the picture is covered (PS3.3 C.7.6.11, C.7.6.15); all its shapes together.

    In pixels of the image, (0, 0) the outer corner of the first one.

    Attributes
    ----------
    rectangle : left, top, right, bottom.
    circle : x, y and radius.
    polygon : corners; empty for none.
    bitmap : covered where True, from the first pixel on.
    grey : of the cover, 0 to 255.
    """

    rectangle: tuple[float, float, float, float] | None = None
    circle: tuple[float, float, float] | None = None
    polygon: tuple[Point, ...] = ()
    bitmap: OverlayPlane | None = None
    grey: int = 0


class SizeMode(StrEnum):
    """Presentation Size Mode (PS3.3 C.10.4)."""

    SCALE_TO_FIT = "SCALE TO FIT"
    TRUE_SIZE = "TRUE SIZE"
    MAGNIFY = "MAGNIFY"


@dataclass(frozen=True, slots=True)
class DisplayedArea:
    """The part of the image to show: left, top, right, bottom, as the outer corners of pixels."""

    left: float
    top: float
    right: float
    bottom: float
    mode: SizeMode = SizeMode.SCALE_TO_FIT
    magnification: float = 1.0  # screen pixels for each image pixel, for MAGNIFY


@dataclass(frozen=True, slots=True)
class Softcopy:
    """How a presentation state wants one frame to be seen.

    Attributes
    ----------
    voi : window or table over the frame's own modality values; None for colour.
    inverse : the output of ``voi`` is inverted. The image's MONOCHROME1 does not count here.
    quarter_turns : clockwise, before ``mirrored``.
    mirrored : left and right exchanged.
    layers : the lowest first.
    notes : what of the state is not shown, in sentences.
    covers : False where the state is for other frames of the file; then the rest means nothing.
    """

    label: str
    description: str
    creator: str
    created: str  # YYYYMMDDHHMM as far as known
    voi: Voi | None
    inverse: bool
    shutter: Shutter | None
    area: DisplayedArea | None
    quarter_turns: int
    mirrored: bool
    layers: tuple[GraphicLayer, ...]
    notes: tuple[str, ...] = ()
    covers: bool = True


# --- segmentations -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Segment:
    """PS3.3 C.8.20.4."""

    number: int
    label: str
    colour: Colour | None  # Recommended Display CIELab Value
    algorithm: str = ""


@dataclass(frozen=True, eq=False)
class SegmentMask:
    """One segment on one frame of a segmentation, cut to what is not empty.

    Attributes
    ----------
    segment : its number.
    values : (rows, columns) uint8, 255 where it is surely there; below for a probability or an
        occupancy.
    row, column : of the first value in the segmentation's frame.
    sources : the images that the mask was drawn on.
    geometry, spacing : the plane of the frame in the patient.
    frame_number : of the segmentation, from 1.
    """

    segment: int
    values: npt.NDArray[Any]
    row: int
    column: int
    sources: tuple[Reference, ...]
    geometry: PlaneGeometry | None
    spacing: Spacing
    frame_number: int = 1


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Segments over the images of another series (PS3.3 A.51)."""

    rows: int
    columns: int
    frame_of_reference: str
    segments: tuple[Segment, ...]
    masks: tuple[SegmentMask, ...]

    @property
    def nbytes(self) -> int:
        return sum(mask.values.nbytes for mask in self.masks)


def rgb_of_cielab(value: tuple[float, ...]) -> Colour | None:
    """A CIELab value as DICOM codes it (PS3.3 C.10.7.1.1) as sRGB; None where it is none."""
    if len(value) != 3:
        return None
    # L* is 0 to 100 over the range of 16 bits; a* and b* are -128 to 127.
    lightness = value[0] / 65535 * 100
    a, b = (part / 65535 * 255 - 128 for part in value[1:])
    f_y = (lightness + 16) / 116
    linear_xyz = np.array([_unbend(f_y + a / 500), _unbend(f_y), _unbend(f_y - b / 200)])
    linear = np.clip(_XYZ_D50_TO_RGB @ (linear_xyz * _WHITE_D50), 0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    red, green, blue = np.rint(curved * 255).astype(int).tolist()
    return red, green, blue


# The profile connection space of DICOM colours is D50 (ICC); the matrix adapts to sRGB's D65.
_WHITE_D50 = np.array([0.9642, 1.0, 0.8249])
_XYZ_D50_TO_RGB = np.array(
    [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ]
)


def _unbend(value: float) -> float:
    return value**3 if value > 6 / 29 else 3 * (6 / 29) ** 2 * (value - 4 / 29)
