"""Studies, series, images and decoded frames: immutable values, safe to send between processes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


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


@dataclass(frozen=True, slots=True)
class Spacing:
    """Millimetres between pixel centres, rows first; both 0 where uncalibrated."""

    row: float = 0.0
    column: float = 0.0
    source: SpacingSource = SpacingSource.UNCALIBRATED


@dataclass(frozen=True, slots=True)
class PlaneGeometry:
    """Image Position and Orientation (Patient), PS3.3 C.7.6.2.1.1, in mm."""

    position: tuple[float, float, float]
    row_direction: tuple[float, float, float]
    column_direction: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Image:
    """One frame that can be shown: where it is and what its header says. No pixels.

    ``member`` names the file inside a zip archive at ``path`` and is empty for a plain file.
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

    @property
    def is_plain(self) -> bool:
        """True for PNG, JPEG, TIFF, BMP; False for DICOM."""
        return self.uid.startswith("sha256:")

    @property
    def is_colour(self) -> bool:
        return self.samples_per_pixel == 3 or self.photometric_interpretation == "PALETTE COLOR"


@dataclass(frozen=True, slots=True)
class Series:
    header: SeriesHeader
    images: tuple[Image, ...]  # in reading order


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
class Frame:
    """One decoded frame.

    Attributes
    ----------
    values : modality values, (rows, columns) of an integer dtype or float32, in ``unit``;
        or (rows, columns, 3) uint8 RGB.
    pixel_sha256 : hash of the decoded stored pixels with their shape, so that equal pictures are
        known again in another file.
    unit : "HU" for CT, otherwise Rescale Type or empty.
    vois : the file's own windows and tables, its default first; empty where it has none.
    inverted : MONOCHROME1: the lowest value is white (PS3.3 C.7.6.3.1.2).
    padding : lowest and highest Pixel Padding Value in modality values, or None.
    """

    values: npt.NDArray[Any]
    pixel_sha256: str
    unit: str
    vois: tuple[Voi, ...]
    inverted: bool
    padding: tuple[float, float] | None = None

    @property
    def is_colour(self) -> bool:
        return self.values.ndim == 3


Picture = npt.NDArray[np.uint8]
"""What the screen shows: (rows, columns) grey or (rows, columns, 3) RGB."""
