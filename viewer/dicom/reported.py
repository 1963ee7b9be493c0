"""What a measurement report says, without pydicom: for whoever takes its findings over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from viewer.dicom.objects import Point


@dataclass(frozen=True, slots=True)
class Concept:
    """A coded concept (PS3.3 8.8)."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True, slots=True)
class ReportedRegion:
    """A region on an image (PS3.3 C.18.6); points in pixels, (0, 0) the corner of the first.

    Attributes
    ----------
    shape : POINT, MULTIPOINT, POLYLINE, CIRCLE or ELLIPSE.
    uid, frames : the image; no frames: the only one, or all.
    """

    shape: str
    points: tuple[Point, ...]
    uid: str
    frames: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportedNumber:
    name: Concept
    value: float
    unit: str  # code value, UCUM in most cases


@dataclass(frozen=True, slots=True)
class ReportedAlgorithm:
    """TID 4019."""

    name: str
    version: str
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportedGroup:
    """A measurement group (TID 1410, 1411 and 1501).

    Attributes
    ----------
    place : of its content item in the tree, such as 1.4.2, for a sentence to the reader.
    tracking : what the maker calls it.
    finding : what it is said to be; None where it is not said.
    other_places : how many regions it has that are no SCOORD on an image, such as segments.
    texts : by the code of their concept names.
    observer : the person, where the group names its own; else empty.
    """

    place: str
    tracking: str
    finding: Concept | None
    regions: tuple[ReportedRegion, ...]
    other_places: int
    evaluations: tuple[tuple[Concept, Concept], ...]
    numbers: tuple[ReportedNumber, ...]
    texts: tuple[tuple[Concept, str], ...]
    algorithm: ReportedAlgorithm | None
    images: tuple[tuple[str, tuple[int, ...]], ...] = ()  # SOP Instance UID, frames
    observer: str = ""
    at: datetime | None = None

    def evaluation(self, name: Concept) -> Concept | None:
        """The first value of a qualitative evaluation."""
        return next((value for key, value in self.evaluations if _same(key, name)), None)

    def text(self, name: Concept) -> str:
        return next((value for key, value in self.texts if _same(key, name)), "")


def _same(one: Concept, other: Concept) -> bool:
    return (one.value, one.scheme) == (other.value, other.scheme)


@dataclass(frozen=True, slots=True)
class MeasurementReport:
    """An imaging measurement report (PS3.16 TID 1500).

    Attributes
    ----------
    persons : the person observers of the whole document.
    algorithm : the one of the whole document, where it names one.
    texts : of the document, by the code of their concept names.
    verified : Verification Flag.
    patient_id : (0010,0020).
    """

    patient_id: str
    verified: bool
    persons: tuple[str, ...]
    groups: tuple[ReportedGroup, ...]
    texts: tuple[tuple[Concept, str], ...] = ()
    at: datetime | None = None
