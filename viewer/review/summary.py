"""What the worklist counts of a study: pure functions from what is kept of it.

The rows of ``studies`` and ``logs`` hold these counts, written in the same transaction as what they
count. Whoever doubts a row counts it anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime

from viewer.dicom.model import ImageKey
from viewer.review.finding import Candidate, Finding, Mode, Role, Run, Status
from viewer.review.fold import fold, subject_of
from viewer.review.measurement import Measurement
from viewer.review.reading_mode import mode_of
from viewer.review.record import StudyRecord, of_log, readers


@dataclass(frozen=True, slots=True)
class Analysed:
    """What the latest runs over the present pixels of a study say.

    Attributes
    ----------
    images : how many images have such a run.
    weights_sha256 : of the one model of all these runs; None where there is none, or several.
    candidates : how many are at or above the threshold of their run, or of any score where the
        run has none; None where no image has a run.
    highest_score, highest_category : of these candidates.
    """

    images: int = 0
    weights_sha256: str | None = None
    candidates: int | None = None
    highest_score: float | None = None
    highest_category: str | None = None


@dataclass(frozen=True, slots=True)
class LogSummary:
    """What one reader has said of a study, or what the consensus on it is.

    Attributes
    ----------
    reader : empty for the consensus.
    revision : of its last event.
    signed_at : of the signature in force.
    mode : how the study is read; until ``first_read_at`` a blind reader sees no count of these.
    first_read_at : when what was read without the detector's marks was signed.
    decided : findings that were judged or added.
    open_candidates, highest_open, open_category : as in ``Analysed``, of what is still open. One
        that the reader marked as uncertain is not: that is a word about it, too.
    """

    role: Role
    reader: str
    mode: Mode
    revision: int
    signed_at: datetime | None
    first_read_at: datetime | None
    decided: int
    open_candidates: int | None
    highest_open: float | None
    open_category: str | None
    last_decision_at: datetime | None


def summaries(
    record: StudyRecord, present: Set[ImageKey] | None = None
) -> tuple[Analysed, tuple[LogSummary, ...]]:
    """What the rows of one patient's study must be; ``present`` as for ``fold``."""
    if present is None:
        present = {image.key for image in record.images}
    logs = [(Role.READER, reader) for reader in readers(record)]
    if any(event.role is Role.ADJUDICATOR for event in record.events):
        logs.append((Role.ADJUDICATOR, ""))
    return analysed(record, present), tuple(log_summary(record, *log, present) for log in logs)


def analysed(record: StudyRecord, present: Set[ImageKey]) -> Analysed:
    """The latest runs over these images."""
    latest = _latest(record, present)
    if not latest:
        return Analysed()
    runs = {run.id: run for run in latest.values()}
    models = {run.weights_sha256 for run in runs.values()}
    marks = [each for each in record.candidates if _is_mark(each, runs)]
    best = max(marks, key=lambda each: each.score, default=None)
    return Analysed(
        images=len(latest),
        weights_sha256=models.pop() if len(models) == 1 else None,
        candidates=len(marks),
        highest_score=None if best is None else best.score,
        highest_category=None if best is None else best.category,
    )


def log_summary(record: StudyRecord, role: Role, reader: str, present: Set[ImageKey]) -> LogSummary:
    """One log of a study that has events in it."""
    log = of_log(record, reader, role)
    state = fold(log, present)
    latest = _latest(record, present)
    runs = {run.id: run for run in latest.values()}
    by_id = {candidate.id: candidate for candidate in record.candidates}
    marks = [found for found in state.findings if _is_open_mark(found, by_id, runs)]
    decisions = (e.at for e in log.events if not isinstance(subject_of(e), Measurement))
    return LogSummary(
        role=role,
        reader=reader,
        mode=mode_of(log, Mode.CONCURRENT),
        revision=max((event.revision for event in log.events), default=0),
        signed_at=None if state.signature is None else state.signature.at,
        first_read_at=None if state.first_read is None else state.first_read.at,
        decided=len(state.decisions),
        open_candidates=len(marks) if latest else None,
        highest_open=marks[0].score if marks else None,  # the fold has the best score first
        open_category=marks[0].category if marks else None,
        last_decision_at=max(decisions, default=None),
    )


def _latest(record: StudyRecord, present: Iterable[ImageKey]) -> Mapping[ImageKey, Run]:
    images = set(present)
    return {run.image: run for run in record.runs if run.image in images}


def _is_mark(candidate: Candidate, runs: Mapping[str, Run]) -> bool:
    """Whether a candidate is one that its run's model would mark by itself."""
    run = runs.get(candidate.run_id)
    return run is not None and (run.threshold is None or candidate.score >= run.threshold)


def _is_open_mark(
    finding: Finding, by_id: Mapping[str, Candidate], runs: Mapping[str, Run]
) -> bool:
    candidate = by_id.get(finding.id)
    if finding.status is not Status.OPEN or finding.uncertain or candidate is None:
        return False
    return _is_mark(candidate, runs)
