"""What the window says about decisions, signatures and thresholds. Pure: values to words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from viewer.review.finding import Event, Finding, Status, Verb
from viewer.review.fold import ReviewState
from viewer.review.history import History
from viewer.review.matching import SAME_FINDING_IOU
from viewer.review.operating_point import MeasuredSet, OperatingPoint, measured_words
from viewer.review.thresholds import Thresholds

STATUS_WORDS = {
    Status.OPEN: "to decide",
    Status.ACCEPTED: "accepted",
    Status.CORRECTED: "corrected",
    Status.REJECTED: "rejected",
    Status.ADDED: "added by reader",
}

CARRYING = (
    "Decisions carry over to a candidate of a newer run that is of the same category and overlaps "
    f"by at least {SAME_FINDING_IOU:g} (intersection over union); each to one candidate, whatever "
    "was decided."
)

_PERCENT = "\N{NO-BREAK SPACE}%"  # a line shall not begin with it


def finding_words(finding: Finding) -> str:
    """Its status with the reason and the doubt: ``rejected: artefact, uncertain``."""
    if finding.status is Status.OPEN and finding.uncertain:
        return "left open, uncertain"
    reason = "" if finding.reason is None else f": {finding.reason.value}"
    doubt = ", uncertain" if finding.uncertain else ""
    return f"{STATUS_WORDS[finding.status]}{reason}{doubt}"


def counts(findings: Sequence[Finding], thresholds: Thresholds, visible: bool) -> tuple[int, int]:
    """How many of the detector's boxes are shown and how many are hidden.

    What was rejected is neither: it was seen and judged.
    """
    machine = [f for f in findings if f.score is not None and f.status is not Status.REJECTED]
    undecided = [f for f in machine if f.status is Status.OPEN]
    hidden = [f for f in undecided if not visible or not thresholds.passed_by(f)]
    return len(machine) - len(hidden), len(hidden)


# --- thresholds ----------------------------------------------------------------------------------


def operating_point_words(
    point: OperatingPoint | None, thresholds: Thresholds, measured: Sequence[MeasuredSet]
) -> str:
    """What the thresholds mean on the set that the model was measured on."""
    if point is None:
        return "How often this threshold is right was not measured."
    where = "By category" if thresholds.by_category else f"At {thresholds.default:.2f}"
    on = measured_words(measured)
    return f"{where}: finds {_figures(point, ' of findings')}{on and ', measured on '}{on}."


def category_words(point: OperatingPoint | None) -> str:
    """The same of one category, in short; nothing where nothing was measured."""
    return "" if point is None else _figures(point)


def _figures(point: OperatingPoint, of: str = "") -> str:
    marks = f"{point.false_marks_per_image:.1f}"
    noun = "mark" if marks == "1.0" else "marks"
    return f"{point.sensitivity * 100:.0f}{_PERCENT}{of} at {marks} false {noun} an image"


# --- signatures ----------------------------------------------------------------------------------


def signature_words(state: ReviewState, blind: bool, now: datetime) -> str:
    """Who signed the study and when, what it amends, and what is not signed again."""
    if blind:
        return "First read not signed"
    sign, amends = state.signature, state.amends
    if sign is not None:
        lines = [signed_words(sign.reader, sign.at, now)]
        if amends is not None:
            lines.append(f"Amends the signature of {_clock(amends.at, now)}")
        if sign.comment:
            lines.append(f"“{sign.comment}”")
    elif amends is not None:
        lines = [f"Signed {_clock(amends.at, now)} · amended since, not signed again"]
    else:
        lines = ["Not signed"]
    if state.first_read is not None:
        lines.append(f"First read signed {_clock(state.first_read.at, now)}")
    return "\n".join(lines)


def signed_words(reader: str, at: datetime, now: datetime) -> str:
    return f"Signed by {reader} {_clock(at, now)}"


def _clock(at: datetime, now: datetime) -> str:
    """``10:02 UTC``, with the day where it was another one."""
    day = "" if at.date() == now.date() else f"{at:%Y-%m-%d} "
    return f"{day}{at:%H:%M} UTC"


# --- history -------------------------------------------------------------------------------------

HISTORY_HEADS = ("When (UTC)", "Who", "What", "Threshold")


def history_rows(history: History) -> tuple[tuple[str, str, str, str], ...]:
    """One row for the detector's run and for each event, as HISTORY_HEADS names its cells."""
    rows = []
    run, candidate = history.run, history.candidate
    if run is not None and candidate is not None:
        threshold = "" if run.threshold is None else f"{run.threshold:.2f}"
        found = f"found {candidate.category}, score {candidate.score:.2f}"
        rows.append((_moment(run.at), f"{run.model_name} {run.model_version}", found, threshold))
    by_id = {event.id: event for event in history.events}
    for event in history.events:
        rows.append((_moment(event.at), event.reader, _event_words(event, by_id), _in_force(event)))
    return tuple(rows)


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _event_words(event: Event, by_id: dict[str, Event]) -> str:
    undone = None if event.undoes is None else by_id.get(event.undoes)
    if undone is None:
        return _change_words(event)
    if event.verb is Verb.REDO:  # it answers the undoing one, which answers the decision
        decision = by_id.get(undone.undoes or "")
        return "brought back" if decision is None else f"brought back: {_change_words(decision)}"
    return f"taken back: {_change_words(undone)}"


def _change_words(event: Event) -> str:
    """What a decision changed."""
    before = event.before if isinstance(event.before, Finding) else None
    after = event.after if isinstance(event.after, Finding) else None
    if after is None:
        return "removed"
    match event.verb:
        case Verb.CORRECT if before is not None:
            words = _correction_words(before, after)
        case Verb.DOUBT:
            words = "marked as uncertain" if after.uncertain else "certain again"
        case Verb.NOTE:
            words = f"note: “{after.note}”" if after.note else "note taken away"
        case Verb.ADD:
            words = f"added: {after.category}"
        case _:
            words = finding_words(replace(after, uncertain=False))
    return words


def _correction_words(before: Finding, after: Finding) -> str:
    changes = []
    if before.category != after.category:
        changes.append(f"{before.category} → {after.category}")
    if before.box != after.box:
        changes.append("box changed")
    return ", ".join(changes)


def _in_force(event: Event) -> str:
    """The threshold of the finding's category, and whether AI marks were there to be seen."""
    finding = event.after if event.after is not None else event.before
    category = finding.category if isinstance(finding, Finding) else ""
    return f"{event.threshold_of(category):.2f}" if event.ai_visible else "AI marks hidden"
