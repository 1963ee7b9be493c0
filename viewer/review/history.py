"""How a finding came to be what it is."""

from __future__ import annotations

from dataclasses import dataclass

from viewer.review.finding import Candidate, Event, Run
from viewer.review.fold import subject_of
from viewer.review.record import StudyRecord


@dataclass(frozen=True, slots=True)
class History:
    """From the machine's word to the reader's last one.

    Attributes
    ----------
    candidate, run : where the detector found it, and in which run; None of the reader's own.
    events : all of the log that are about it, in order; what was taken back is among them,
        followed by the event that took it back.
    """

    candidate: Candidate | None
    run: Run | None
    events: tuple[Event, ...]


def history(log: StudyRecord, finding_id: str) -> History:
    """All that is kept of one finding in one log."""
    candidate = next((each for each in log.candidates if each.id == finding_id), None)
    run = None
    if candidate is not None:
        run = next((each for each in log.runs if each.id == candidate.run_id), None)
    events = []
    for event in log.events:
        subject = subject_of(event)
        if subject is not None and subject.id == finding_id:
            events.append(event)
    return History(candidate, run, tuple(events))
