"""From the log to the state: what the reader's decisions amount to. Pure functions.

A log is read as one line of decisions. An undoing event takes a decision off the line, a redoing
one puts it back, a new decision is put at its end and forgets what could have been redone. What
stands on the line is the state: the last standing decision on a finding gives its box, category
and status.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

from viewer.dicom.model import ImageKey
from viewer.review.carrying import carried_over
from viewer.review.finding import Candidate, Event, Finding, Status, Verb
from viewer.review.measurement import Measurement
from viewer.review.record import StudyRecord


@dataclass(frozen=True, slots=True)
class ReviewState:
    """The state of one study.

    Attributes
    ----------
    findings : judged findings and open candidates on the present pixels, best score first, those
        without a score last in the order in which they came. An open candidate that the reader
        doubts or has written a note on stays open, with that word, in newer runs, too.
    measurements : on the present pixels, in the order in which they were first made.
    signed : the last standing decision is SIGN, and no image that it covers has got other pixels
        since. A decision after signing reopens the study; taking it back restores the signature.
        A measurement is no decision: what was signed stays so.
    signature : the SIGN in force, None where the study is not signed.
    signed_images : the images that are reviewed completely: signed, with these very pixels.
    amends : the signature before that: of a signed study the one that the signature in force
        amends, of another one the last that stands, after which something was decided.
    first_read : the FIRST_READ in force: a blind reading until then.
    comment : the reader's note on the whole study.
    decisions : finding id -> the standing decision that gave the finding its present state.
    foreign : (uid, frame number) of images with decisions on other pixels than the present ones;
        these decisions are kept but not applied.
    carried : candidate of an image's latest run -> the earlier finding that speaks for it.
    line : standing decisions that undo can take back, oldest first: those since the first read.
    undone : what redo can bring back, oldest first: each undoing event with the decision it took.
    """

    findings: tuple[Finding, ...]
    signed: bool
    signed_images: frozenset[ImageKey] = frozenset()
    decisions: Mapping[str, Event] = field(default_factory=dict)
    foreign: frozenset[tuple[str, int]] = frozenset()
    carried: Mapping[str, str] = field(default_factory=dict)
    line: tuple[Event, ...] = ()
    undone: tuple[tuple[Event, Event], ...] = ()
    measurements: tuple[Measurement, ...] = ()
    signature: Event | None = None
    amends: Event | None = None
    first_read: Event | None = None
    comment: str = ""


def fold(record: StudyRecord, present: Set[ImageKey] | None = None) -> ReviewState:
    """The state that the record's log leads to.

    ``present`` names its images where they are known without their headers.
    """
    line, undone = _standing(record.events)
    if present is None:
        present = {image.key for image in record.images}
    decisions: dict[str, Event] = {}
    judged: dict[str, Finding] = {}
    measured: dict[str, Measurement | None] = {}
    foreign: set[tuple[str, int]] = set()
    for event in line:
        subject = subject_of(event)
        if subject is None:
            continue
        if subject.image not in present:
            foreign.add((subject.image.uid, subject.image.frame_number))
            continue
        if isinstance(subject, Measurement):
            measured[subject.id] = event.after if isinstance(event.after, Measurement) else None
            continue
        decisions[subject.id] = event
        if isinstance(event.after, Finding) and _says_something(event.after):
            judged[subject.id] = event.after
        else:
            judged.pop(subject.id, None)
    latest = {run.image: run for run in record.runs if run.image in present}
    carried = carried_over(latest, record.candidates, judged, decisions)
    opened = [
        open_finding(candidate)
        for candidate in record.candidates
        if candidate.image in latest
        and candidate.run_id == latest[candidate.image].id
        and candidate.id not in judged
        and candidate.id not in carried
    ]
    findings = sorted(
        (*judged.values(), *opened),
        key=lambda finding: (finding.score is None, -(finding.score or 0.0)),
    )
    signature, amends = _signatures(line, present)
    return ReviewState(
        findings=tuple(findings),
        signed=signature is not None,
        signature=signature,
        amends=amends,
        first_read=_last(line, Verb.FIRST_READ, present),
        comment=next((event.comment for event in reversed(line) if _is_study_note(event)), ""),
        signed_images=frozenset(signature.covers) & present if signature else frozenset(),
        measurements=tuple(each for each in measured.values() if each is not None),
        decisions={finding_id: decisions[finding_id] for finding_id in judged},
        foreign=frozenset(foreign),
        carried=carried,
        line=tuple(event for event in _since_first_read(line) if _applies(event, present)),
        undone=tuple(pair for pair in undone if _applies(pair[1], present)),
    )


def subject_of(event: Event) -> Finding | Measurement | None:
    """What an event is about; None for the verbs of the whole study."""
    return event.after if event.after is not None else event.before


def _standing(events: Iterable[Event]) -> tuple[list[Event], list[tuple[Event, Event]]]:
    line: list[Event] = []
    undone: list[tuple[Event, Event]] = []
    for event in events:
        taken_back = _position(line, event.undoes)
        brought_back = _position([undoing for undoing, _ in undone], event.undoes)
        if taken_back is not None:
            undone.append((event, line.pop(taken_back)))
        elif brought_back is not None:
            line.append(undone.pop(brought_back)[1])
        else:
            line.append(event)
            undone.clear()
    return line, undone


def _position(events: list[Event], event_id: str | None) -> int | None:
    if event_id is None:
        return None
    # Nearly always the last one; another only where two windows wrote to one study.
    for position in range(len(events) - 1, -1, -1):
        if events[position].id == event_id:
            return position
    return None


def _applies(event: Event, present: Set[ImageKey]) -> bool:
    subject = subject_of(event)
    return subject is None or subject.image in present


def _says_something(finding: Finding) -> bool:
    """Whether it is more than a candidate that nobody has looked at."""
    return finding.status is not Status.OPEN or finding.uncertain or bool(finding.note)


def _is_study_note(event: Event) -> bool:
    return event.verb is Verb.NOTE and subject_of(event) is None


def _since_first_read(line: list[Event]) -> list[Event]:
    """What came after the last FIRST_READ, which is never taken back."""
    for position in range(len(line) - 1, -1, -1):
        if line[position].verb is Verb.FIRST_READ:
            return line[position + 1 :]
    return line


def _signatures(line: list[Event], present: Set[ImageKey]) -> tuple[Event | None, Event | None]:
    """The SIGN that no decision came after, and the one before it; None where there is none."""
    decisions = [event for event in line if not isinstance(subject_of(event), Measurement)]
    last = _last(decisions, Verb.SIGN, present)
    if last is None or last is not decisions[-1]:
        return None, last
    return last, _last(decisions[:-1], Verb.SIGN, present)


def _last(line: list[Event], verb: Verb, present: Set[ImageKey]) -> Event | None:
    """The last of these that covers no image that has got other pixels since."""
    for event in reversed(line):
        if event.verb is verb and not _changed(event.covers, present):
            return event
    return None


def _changed(covered: Iterable[ImageKey], present: Set[ImageKey]) -> bool:
    pixels = {(key.uid, key.frame_number): key.pixel_sha256 for key in present}
    return any(
        pixels.get((key.uid, key.frame_number), key.pixel_sha256) != key.pixel_sha256
        for key in covered
    )


def open_finding(candidate: Candidate) -> Finding:
    """The finding that a candidate is before anybody judged it."""
    return Finding(
        id=candidate.id,
        image=candidate.image,
        box=candidate.box,
        category=candidate.category,
        status=Status.OPEN,
        score=candidate.score,
        derived_from=candidate.id,
    )
