"""The worklist as one reader sees it: rows, what they say, in which order, and which of them.

Pure functions over rows; ``study_list`` reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class StudyStatus(StrEnum):
    """How far this reader has come with a study."""

    NEW = "new"  # nothing was done with it
    ANALYSED = "analysed"  # by the detector; the reader has decided nothing
    IN_REVIEW = "in review"
    SIGNED = "signed"  # by this reader
    FAILED = "failed"  # it could not be opened or analysed when last tried


class WorklistRow(NamedTuple):
    """One patient's study.

    A named tuple, since a list has 20,000 of them: a dataclass takes three times as long to make.

    Attributes
    ----------
    failure, refusal : sentences, or None.
    done : the present model has gone over all of its images.
    blind : this reader has still to sign a first read without the detector: nothing of what it
        found is in this row.
    analysed : the detector has been run on an image of it.
    open_candidates, score, category : what is still open for this reader, and the best of it; None
        where there is nothing, it is not known, or it must not be seen.
    begun : the reader has decided something, or signed a first read.
    readers : the others who have decided something.
    """

    id: int
    patient_name: str
    patient_id: str
    study_date: str  # YYYYMMDD
    description: str
    modality: str
    images: int
    failure: str | None
    refusal: str | None
    done: bool
    blind: bool
    analysed: bool
    open_candidates: int | None
    score: float | None
    category: str | None
    begun: bool
    signed: bool
    readers: str = ""

    @property
    def status(self) -> StudyStatus:
        if self.failure is not None:
            return StudyStatus.FAILED
        if self.signed:
            return StudyStatus.SIGNED
        if self.begun:
            return StudyStatus.IN_REVIEW
        return StudyStatus.ANALYSED if self.analysed else StudyStatus.NEW

    @property
    def unread(self) -> bool:
        """Still to be signed by this reader, and there to be read."""
        return not self.signed and self.failure is None

    @property
    def why(self) -> str:
        """Why the study is where it is in the order of triage, in a few words."""
        if self.failure is not None or self.signed:
            return self.failure or "signed"
        if self.blind:
            hidden = "AI hidden until your first read" if self.analysed else "not analysed yet"
            return self.refusal or hidden
        if self.score is not None:
            count = self.open_candidates or 0
            noun = "candidate" if count == 1 else "candidates"
            return f"{self.category} {self.score:.2f}, {count} open {noun}"
        if self.refusal is not None or not self.analysed:
            return self.refusal or "not analysed yet"
        return "nothing left open" if self.begun else "nothing at the model's threshold"


class Order(StrEnum):
    """What the list is sorted by."""

    TRIAGE = "triage"  # the likeliest abnormal first
    ADDED = "added"
    STATUS = "status"
    PATIENT = "patient"
    ID = "ID"
    DATE = "date"
    MODALITY = "modality"
    DESCRIPTION = "description"
    IMAGES = "images"
    OPEN = "open"
    SCORE = "score"
    READERS = "readers"


_RANKS = {status: float(rank) for rank, status in enumerate(StudyStatus)}
_LAST = float("inf")


def _triage(row: WorklistRow) -> float:
    """Open candidates by their best score, then what nobody knows, then what has nothing open.

    A study that is read blind counts as not known, whatever the detector said of it.
    """
    if row.failure is not None:
        return 3.0
    if row.signed:
        return 4.0
    if row.score is not None:
        return -row.score
    return 1.0 if row.blind or not (row.analysed or row.refusal) else 2.0


_KEYS: dict[Order, Callable[[WorklistRow], float | str]] = {
    Order.TRIAGE: _triage,
    Order.ADDED: lambda row: -row.id,
    Order.STATUS: lambda row: _RANKS[row.status],
    Order.PATIENT: lambda row: row.patient_name.casefold(),
    Order.ID: lambda row: row.patient_id.casefold(),
    Order.DATE: lambda row: row.study_date,
    Order.MODALITY: lambda row: row.modality,
    Order.DESCRIPTION: lambda row: row.description.casefold(),
    Order.IMAGES: lambda row: row.images,
    Order.OPEN: lambda row: -_LAST if row.open_candidates is None else row.open_candidates,
    Order.SCORE: lambda row: -_LAST if row.score is None else row.score,
    Order.READERS: lambda row: row.readers.casefold(),
}

LARGEST_FIRST = frozenset((Order.DATE, Order.IMAGES, Order.OPEN, Order.SCORE))
"""The orders of which the end is what is looked for at first."""


def ordered(
    rows: Iterable[WorklistRow], order: Order, *, backwards: bool = False
) -> list[WorklistRow]:
    """Rows in an order, or in the opposite one; equal ones stay as they were."""
    descending = (order in LARGEST_FIRST) != backwards
    return sorted(rows, key=_KEYS[order], reverse=descending)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows are listed. Empty fields let everything pass.

    Attributes
    ----------
    text : words that must all be in patient, id, description, modality or readers.
    date_from : YYYYMMDD or its beginning; a study without a date does not pass.
    """

    text: str = ""
    status: StudyStatus | None = None
    modality: str = ""
    date_from: str = ""

    def passing(self, rows: Iterable[WorklistRow]) -> list[WorklistRow]:
        """The rows that pass, in their order."""
        passing = list(rows)
        # One test after the other over all rows: 20,000 of them while a letter is typed.
        if self.status is not None:
            passing = [row for row in passing if row.status is self.status]
        if self.modality:
            passing = [row for row in passing if self.modality in row.modality.split("/")]
        if self.date_from:
            passing = [row for row in passing if row.study_date >= self.date_from]
        for word in self.text.casefold().split():
            passing = [row for row in passing if word in _text(row)]
        return passing


def _text(row: WorklistRow) -> str:
    """What the reader may look for."""
    said = (row.patient_name, row.patient_id, row.description, row.modality, row.readers)
    return " ".join(said).casefold()


def modalities(rows: Iterable[WorklistRow]) -> list[str]:
    """Every modality in the list."""
    return sorted({name for row in rows for name in row.modality.split("/") if name})


def count_unread(rows: Iterable[WorklistRow]) -> int:
    """How many of them are ``unread``; at every letter of a filter, so without asking each row."""
    return len([None for row in rows if not row.signed and row.failure is None])


def next_unread(rows: Sequence[WorklistRow], after: int | None) -> list[WorklistRow]:
    """The unread rows in the order in which they will be read: those behind ``after`` (an id),
    then from the top."""
    place = next((n for n, row in enumerate(rows) if row.id == after), -1)
    return [row for row in (*rows[place + 1 :], *rows[: max(place, 0)]) if row.unread]
