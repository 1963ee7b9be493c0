"""Candidates of the detector, findings of the reader, and the events between the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from detector.types import Box, ImageFinding
from viewer.dicom.model import ImageKey
from viewer.review.measurement import Measurement


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a model over one image: which machine said it."""

    id: str
    image: ImageKey
    model_name: str
    model_version: str
    weights_sha256: str
    device: str
    score_floor: float
    at: datetime  # UTC
    precision: str = ""  # fp32, bf16 or int8; empty where it was not kept
    image_findings: tuple[ImageFinding, ...] = ()
    threshold: float | None = None  # the model's own: candidates below it are no marks of it


@dataclass(frozen=True, slots=True)
class Candidate:
    """A box of the detector. It is stored once and never edited."""

    id: str
    run_id: str
    image: ImageKey
    box: Box
    category: str
    score: float


class Status(StrEnum):
    OPEN = "open"  # a candidate that nobody has judged
    ACCEPTED = "accepted"
    CORRECTED = "corrected"  # box or category changed by the reader
    REJECTED = "rejected"
    ADDED = "added"  # the reader's own: the detector missed it


POSITIVE = frozenset((Status.ACCEPTED, Status.CORRECTED, Status.ADDED))
"""There is something there, as far as the reader is concerned."""


class Reason(StrEnum):
    """Why a candidate was rejected."""

    ARTEFACT = "artefact"
    DEVICE = "device"
    NORMAL_ANATOMY = "normal anatomy"
    WRONG_LOCATION = "wrong location"
    DUPLICATE = "duplicate"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Source:
    """A reader's finding that one of the consensus rests on, as it was when that was decided."""

    reader: str
    finding_id: str
    box: Box
    category: str
    status: Status
    uncertain: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one mark: a judged or open candidate, or the reader's own.

    Attributes
    ----------
    id : the candidate's id where there is one.
    score : the candidate's; None for the reader's own.
    derived_from : candidate id.
    uncertain : the reader is not sure of it; its status stands all the same. An open candidate
        stays open: it is exported in neither class, and signing does not ask about it again.
    reason : of a rejection, where the reader gave one.
    sources : of a finding of the consensus: whose findings it rests on.
    """

    id: str
    image: ImageKey
    box: Box
    category: str
    status: Status
    score: float | None = None
    derived_from: str | None = None
    note: str = ""
    uncertain: bool = False
    reason: Reason | None = None
    sources: tuple[Source, ...] = ()


class Verb(StrEnum):
    ACCEPT = "accept"
    REJECT = "reject"
    CORRECT = "correct"
    ADD = "add"
    REMOVE = "remove"  # of the reader's own finding
    DOUBT = "doubt"  # mark as uncertain, or as certain again
    NOTE = "note"
    UNDO = "undo"
    REDO = "redo"
    SIGN = "sign"
    REOPEN = "reopen"
    FIRST_READ = "first-read"  # signs what was read without the detector's marks, which then show
    MEASURE = "measure"
    ADJUST = "adjust"  # of a measurement
    ERASE = "erase"  # of a measurement


class Mode(StrEnum):
    """How the detector's marks come into a reading."""

    CONCURRENT = "concurrent"  # shown from the start
    BLIND = "blind"  # hidden until the reader has signed a first read


class Role(StrEnum):
    """Whose log an event is in."""

    READER = "reader"  # each reader's own
    ADJUDICATOR = "adjudicator"  # the one consensus of a study, whoever works on it


@dataclass(frozen=True, slots=True)
class Event:
    """One decision, as it is kept for ever (append only).

    ``before`` and ``after`` are the finding or measurement around a decision (None: it did not
    exist); both are None for the verbs of the whole study: SIGN, FIRST_READ, REOPEN and a NOTE on
    it. These list in ``covers`` the images, with their pixels, that they are about: an image that
    came later was never signed.

    A log is what one reader says of one patient's study, or the consensus on it (``role``).

    ``undoes`` of an undoing event is the decision that it takes back; of a redoing event it is the
    undoing event. Taking back a SIGN is a REOPEN and the other way round.
    """

    id: str
    study_uid: str
    verb: Verb
    before: Finding | Measurement | None
    after: Finding | Measurement | None
    reader: str
    at: datetime  # UTC
    threshold: float
    ai_visible: bool
    weights_sha256: str | None = None  # of the model whose candidate was judged
    undoes: str | None = None  # id of the event that an UNDO or REDO answers
    model_name: str = ""  # of that model; empty for the reader's own finding
    model_version: str = ""
    covers: tuple[ImageKey, ...] = ()
    role: Role = Role.READER
    mode: Mode = Mode.CONCURRENT
    visible: tuple[str, ...] = ()  # ids of the findings whose marks were on the screen
    thresholds: Mapping[str, float] = field(default_factory=dict)  # of categories with their own
    step: str = ""  # the same for events that are undone as one; empty: this event alone
    # Its place in its log, from 1; 0 until the store has given it one.
    revision: int = field(default=0, compare=False)
    patient_key: str = field(default="", compare=False)  # whose log it is, as the store found
    comment: str = ""  # the reader's words on the whole study: a note, why it is signed again

    def threshold_of(self, category: str) -> float:
        """The threshold in force for a category: its own, or that for all."""
        return self.thresholds.get(category, self.threshold)
