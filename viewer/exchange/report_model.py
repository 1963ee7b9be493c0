"""What stands in a report, before it is set as PDF or HTML."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    value: str


class MarkKind(StrEnum):
    FINDING = "finding"
    UNCERTAIN = "uncertain"


COLOURS = {MarkKind.FINDING: "#3ecf9d", MarkKind.UNCERTAIN: "#f5b02e"}
"""Of the marks on the pictures, as on the screen."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A box on a picture: left, top, width and height as shares of it."""

    number: int
    kind: MarkKind
    box: tuple[float, float, float, float]

    @property
    def colour(self) -> str:
        return COLOURS[self.kind]


@dataclass(frozen=True, slots=True)
class Stroke:
    """A measurement on a picture; points as shares of it.

    Attributes
    ----------
    letter : by which the text names it.
    oval : the two points are corners of the box around an ellipse; else the points are a line.
    """

    letter: str
    points: tuple[tuple[float, float], ...]
    oval: bool = False


MEASURED = "#56b4e9"
"""The colour of measurements on the pictures."""


@dataclass(frozen=True, slots=True)
class ReportPicture:
    """A PNG without marks; the marks and measurements."""

    content: bytes
    width: int
    height: int
    marks: tuple[Mark, ...]
    strokes: tuple[Stroke, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportedFinding:
    number: str  # that of its mark; empty where it has none
    category: str
    status: str
    score: str
    size: str
    decided: str
    note: str


@dataclass(frozen=True, slots=True)
class ReportedImage:
    title: str
    review: str
    picture: ReportPicture
    findings: tuple[ReportedFinding, ...]
    rejected: tuple[ReportedFinding, ...]
    measurements: tuple[tuple[str, str], ...]  # letter, figures


@dataclass(frozen=True, slots=True)
class Report:
    """One study.

    Attributes
    ----------
    patient, reading, machine : who it is about, who read it and how, which model marked.
    summary : all of it in a sentence.
    """

    title: str
    notice: str
    patient: tuple[Fact, ...]
    reading: tuple[Fact, ...]
    machine: tuple[Fact, ...]
    images: tuple[ReportedImage, ...]
    program: str
    made: str
    signed: bool
    summary: str
