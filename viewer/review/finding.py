"""Candidates of the detector, findings of the reader, and the events between the two."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one mark: a judged or open candidate, or the reader's own."""

    id: str  # the candidate's id where there is one
    image: ImageKey
    box: Box
    category: str
    status: Status
    score: float | None = None  # the candidate's; None for the reader's own
    derived_from: str | None = None  # candidate id
    note: str = ""


class Verb(StrEnum):
    ACCEPT = "accept"
    REJECT = "reject"
    CORRECT = "correct"
    ADD = "add"
    REMOVE = "remove"  # of the reader's own finding
    UNDO = "undo"
    REDO = "redo"
    SIGN = "sign"
    REOPEN = "reopen"
    MEASURE = "measure"
    ADJUST = "adjust"  # of a measurement
    ERASE = "erase"  # of a measurement


@dataclass(frozen=True, slots=True)
class Event:
    """One decision, as it is kept for ever (append only).

    ``before`` and ``after`` are the finding or measurement around a decision (None: it did not
    exist); both are None for the verbs of the whole study, SIGN and REOPEN. These two list in
    ``covers`` the images, with their pixels, that the signature is about: an image that came later
    was never signed.

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
