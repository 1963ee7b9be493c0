"""Whether a study is read with the detector's marks or, at first, without them.

The first event of a log says how its study is read: what was seen cannot be unseen, and a blind
reading that has begun is finished blind, whatever is chosen for other studies since.
"""

from __future__ import annotations

from dataclasses import replace

from viewer.review.finding import Mode, Verb
from viewer.review.fold import ReviewState, fold
from viewer.review.record import StudyRecord


def mode_of(log: StudyRecord, chosen: Mode) -> Mode:
    """How a study is read.

    Parameters
    ----------
    log : what one reader said of it (``viewer.review.record.of_log``).
    chosen : the reading mode of the settings, which counts while nothing was said.
    """
    return log.events[0].mode if log.events else chosen


def first_read(log: StudyRecord) -> ReviewState | None:
    """What the reader said before anything of the detector was seen.

    The state at the first signed first read; None where there is none. Images that came later
    are not in its ``covers``, and were never read blind.
    """
    for place, event in enumerate(log.events):
        if event.verb is Verb.FIRST_READ:
            unaided = replace(log, runs=(), candidates=(), events=log.events[: place + 1])
            return fold(unaided)
    return None
