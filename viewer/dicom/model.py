"""Studies, series, images and decoded frames: immutable values, safe to send between processes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from viewer.dicom.meaning import Native


@dataclass(frozen=True, slots=True)
class Patient:
    """Identity as the file gives it; every field is empty for a plain image."""

    name: str = ""
    id: str = ""
    issuer: str = ""  # Issuer of Patient ID (0010,0021)
    birth_date: str = ""  # as in the file, YYYYMMDD
    sex: str = ""


@dataclass(frozen=True, slots=True)
class StudyHeader:
    uid: str  # Study Instance UID; "sha256:<file hash>" for a plain image, its own study
    patient: Patient
    date: str = ""  # YYYYMMDD
    time: str = ""
    description: str = ""  # the file name for a plain image
    accession_number: str = ""
    institution: str = ""


@dataclass(frozen=True, slots=True)
class SeriesHeader:
    uid: str
    number: int | None = None
    description: str = ""
    modality: str = ""  # (0008,0060); empty for a plain image
    body_part: str = ""  # (0018,0015), upper case


class SpacingSource(StrEnum):
    """Which attribute the spacing came from, since they do not mean the same (PS3.3 10.7.1.3)."""

    PIXEL_SPACING = "Pixel Spacing"
    IMAGER_PIXEL_SPACING = "Imager Pixel Spacing"
    NOMINAL_SCANNED = "Nominal Scanned Pixel Spacing"
    UNCALIBRATED = "uncalibrated"


_LONGEST_PIXEL = 50.0  # its longer side over its shorter one


@dataclass(frozen=True, slots=True)
class Spacing:
    """Millimetres between pixel centres, rows first; both 0 where uncalibrated."""

    row: float = 0.0
    column: float = 0.0
    source: SpacingSource = SpacingSource.UNCALIBRATED
    # Pixel Spacing Calibration Type (0028,0A02): FIDUCIAL, GEOMETRY, or empty where not said.
    calibration: str = ""
    # How much larger the shadow on the detector is than the thing itself; 0 where not known.
    magnification: float = 0.0
    # Pixel Aspect Ratio (0028,0034): height of a pixel over its width, where that is all there is.
    ratio: float = 1.0

    @property
    def aspect(self) -> float:
        """Height of a pixel over its width; 1 where unknown, or beyond what can be."""
        aspect = self.row / self.column if self.row > 0 and self.column > 0 else self.ratio
        return aspect if 1 / _LONGEST_PIXEL <= aspect <= _LONGEST_PIXEL else 1.0


@dataclass(frozen=True, slots=True)
class UltrasoundRegion:
    """A calibrated part of an ultrasound picture (PS3.3 C.8.5.5), in pixels from (0, 0).

    ``x_max`` and ``y_max`` are the last pixels that belong to it. The millimetres for each pixel
    are 0 where the axis is none of length, as in an M-mode or a spectrum.
    """

    x_min: int
    y_min: int
    x_max: int
    y_max: int
    x_mm: float
    y_mm: float


@dataclass(frozen=True, slots=True)
class PlaneGeometry:
    """Image Position and Orientation (Patient), PS3.3 C.7.6.2.1.1, in mm."""

    position: tuple[float, float, float]
    row_direction: tuple[float, float, float]
    column_direction: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Acquisition:
    """What tells an image from the others of its series, and what is to be said of its geometry.

    Attributes
    ----------
    image_type : Image Type (0008,0008), or Frame Type of an enhanced image.
    frame_of_reference : UID (0020,0052); positions compare within one of them alone.
    patient_orientation : (0020,0020), where the row and the column point to; empty or two.
    gantry_tilt : Gantry/Detector Tilt (0018,1120) in degrees.
    echo_time, trigger_time : milliseconds.
    temporal_position : Temporal Position Identifier or Index, else the number of the frame where
        all frames of a file lie at one place.
    b_value : s/mm².
    number : Acquisition Number (0020,0012).
    stack_id : Stack ID (0020,9056).
    frame_rate : frames a second that the file recommends for a cine; 0 where it does not say.
    """

    image_type: tuple[str, ...] = ()
    frame_of_reference: str = ""
    patient_orientation: tuple[str, ...] = ()
    gantry_tilt: float = 0.0
    echo_number: int | None = None
    echo_time: float | None = None
    temporal_position: int | None = None
    trigger_time: float | None = None
    b_value: float | None = None
    number: int | None = None
    stack_id: str = ""
    regions: tuple[UltrasoundRegion, ...] = ()
    frame_rate: float = 0.0


class Kind(StrEnum):
    """What an entry of a series is. Findings belong to images alone."""

    IMAGE = "image"
    PAGE = "document page"  # of an encapsulated PDF (PS3.3 A.45.1)
    SEGMENTATION = "segmentation"  # PS3.3 A.51; its frames are masks
    REPORT = "structured report"  # PS3.3 A.35: text, no picture
    PRESENTATION_STATE = "presentation state"  # PS3.3 A.33: how images are to be shown

    @property
    def has_picture(self) -> bool:
        return self not in (Kind.REPORT, Kind.PRESENTATION_STATE)


@dataclass(frozen=True, slots=True)
class Image:
    """One frame that can be shown: where it is and what its header says. No pixels.

    ``member`` names the file inside a zip archive at ``path`` and is empty for a plain file.
    What stands beside the images of a study is an entry of this type, too, of another ``kind``:
    ``title`` is then its own name, ``references`` the SOP Instance UIDs of what it refers to.
    Rows and columns are 0 where there is no picture.
    """

    path: Path
    member: str
    uid: str  # SOP Instance UID; "sha256:<file hash>" for a plain image
    frame_number: int  # from 1
    number_of_frames: int
    rows: int
    columns: int
    samples_per_pixel: int  # 1 or 3
    photometric_interpretation: str  # as in the file; MONOCHROME2 or RGB for a plain image
    study: StudyHeader
    series: SeriesHeader
    instance_number: int | None = None
    view: str = ""  # View Position (0018,5101), upper case
    spacing: Spacing = Spacing()
    geometry: PlaneGeometry | None = None
    acquisition: Acquisition = Acquisition()
    kind: Kind = Kind.IMAGE
    title: str = ""
    references: tuple[str, ...] = ()
    native: Native | None = field(default=None, compare=False)  # where its values lie, if known

    @property
    def is_plain(self) -> bool:
        """True for PNG, JPEG, TIFF, BMP; False for DICOM."""
        return self.uid.startswith("sha256:")

    @property
    def is_colour(self) -> bool:
        return self.samples_per_pixel == 3 or self.photometric_interpretation == "PALETTE COLOR"


@dataclass(frozen=True, slots=True)
class GeometryNote:
    """What the reader must know of a stack before trusting its order and its distances."""

    short: str  # for the corner of the picture
    sentence: str


@dataclass(frozen=True, slots=True)
class Series:
    """One stack: a whole series, or that part of it which can be scrolled through as one.

    Attributes
    ----------
    images : in reading order.
    stack : what tells it from the other stacks of the series; empty where it is the whole series.
    notes : tilt, irregular or missing positions and the like.
    """

    header: SeriesHeader
    images: tuple[Image, ...]
    stack: str = ""
    notes: tuple[GeometryNote, ...] = ()


@dataclass(frozen=True, slots=True)
class Study:
    header: StudyHeader
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was not opened, and why, in one sentence."""

    path: str  # as the reader gave it; "archive.zip > member" inside an archive
    reason: str


@dataclass(frozen=True, slots=True)
class ScanUpdate:
    """What was found since the last update; images of one series may come in several updates."""

    images: tuple[Image, ...]
    skipped: tuple[Skipped, ...]
    files_done: int
    files_total: int  # as far as known; grows while folders and archives are listed


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a scan over the same paths told before it was broken off; the next passes it over."""

    files: tuple[Image, ...] = ()  # the first image of each file that had one
    skipped: frozenset[str] = frozenset()  # the path of each Skipped


@dataclass(frozen=True, slots=True)
class ImageKey:
    """What a decision belongs to: the image and the very pixels that were judged."""

    uid: str
    frame_number: int
    pixel_sha256: str


class VoiFunction(StrEnum):
    """VOI LUT Function (0028,1056), PS3.3 C.11.2.1.3."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


@dataclass(frozen=True, slots=True)
class VoiWindow:
    """A window in modality values (PS3.3 C.11.2.1.2)."""

    center: float
    width: float
    function: VoiFunction = VoiFunction.LINEAR
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class VoiTable:
    """A VOI LUT (PS3.3 C.11.2.1.1): ``entries[i]`` is for the modality value ``first + i``."""

    first: int
    entries: tuple[int, ...]
    bits: int
    explanation: str = ""


Voi = VoiWindow | VoiTable


@dataclass(frozen=True, eq=False)
class OverlayPlane:
    """One DICOM overlay plane of a frame (PS3.3 C.9.2): pixels that are marked or not.

    Attributes
    ----------
    plane : (rows, columns) bool; it need not have the size of the picture.
    row, column : where its first pixel lies on the picture, counted from 0; may be negative.
    kind : "G" for graphics, "R" for a region of interest.
    label, description : as in the file; may be empty.
    group : the repeating group that it was read from, by which presentation states name it.
    """

    plane: npt.NDArray[np.bool_]
    row: int = 0
    column: int = 0
    kind: str = "G"
    label: str = ""
    description: str = ""
    group: int = 0x6000  # (60xx,eeee)


@dataclass(frozen=True, eq=False)
class SupplementalPalette:
    """Colours for the higher values of a grey frame (PS3.3 C.7.6.19), such as a perfusion map's.

    ``entries[i]`` is for the modality value ``first + i * step``, (n, 3) uint8 RGB; higher values
    take the last entry, and values below ``first`` are grey.
    """

    first: float
    step: float
    entries: npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Frame:
    """One decoded frame.

    Attributes
    ----------
    values : modality values, (rows, columns) of an integer dtype or float32, in ``unit``;
        or (rows, columns, 3) uint8 RGB.
    pixel_sha256 : hash of the decoded stored pixels with their shape, so that equal pictures are
        known again in another file; empty where it is still to be computed.
    shift : what was added to the stored values to get ``values``, where the hash is to come.
    unit : "HU" for CT, otherwise Rescale Type or empty.
    vois : the file's own windows and tables, its default first; empty where it has none.
    inverted : MONOCHROME1: the lowest value is white (PS3.3 C.7.6.3.1.2).
    padding : lowest and highest Pixel Padding Value in modality values, or None.
    incomplete : the pixel data ended early; what is missing is filled with the lowest value, or
        with what the decoder made of it. Never to be judged as a whole picture.
    notes : sentences that the reader must see beside the picture.
    overlays : the DICOM overlay planes of this frame, in the order of their groups.
    palette : the colours of its higher values, where the file wants it in colour.
    """

    values: npt.NDArray[Any]
    pixel_sha256: str
    unit: str
    vois: tuple[Voi, ...]
    inverted: bool
    padding: tuple[float, float] | None = None
    incomplete: bool = False
    notes: tuple[str, ...] = ()
    overlays: tuple[OverlayPlane, ...] = ()
    palette: SupplementalPalette | None = None
    shift: int = 0

    @property
    def nbytes(self) -> int:
        """Bytes that its arrays hold."""
        return self.values.nbytes + sum(overlay.plane.nbytes for overlay in self.overlays)

    @property
    def is_colour(self) -> bool:
        return self.values.ndim == 3


Picture = npt.NDArray[np.uint8]
"""What the screen shows: (rows, columns) grey or (rows, columns, 3) RGB."""
