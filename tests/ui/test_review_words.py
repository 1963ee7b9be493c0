"""Decisions, signatures, thresholds and histories in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from detector.types import Box
from tests.ui.window_fixtures import CARD
from viewer.dicom.model import ImageKey
from viewer.review import operating_point
from viewer.review.finding import Candidate, Event, Finding, Reason, Run, Status, Verb
from viewer.review.fold import ReviewState
from viewer.review.history import History
from viewer.review.operating_point import MeasuredSet, OperatingPoint
from viewer.review.thresholds import Thresholds
from viewer.ui import review_words

KEY = ImageKey("1.2.3.4", 1, "a" * 64)
FINDING = Finding("f", KEY, Box(10, 10, 60, 60), "opacity", Status.OPEN, 0.62, "f")
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def event(verb: Verb, before: Finding | None, after: Finding | None, **changes: object) -> Event:
    plain = Event(f"e-{verb.value}", "1.2.3", verb, before, after, "Dr. Who", NOON, 0.24, True)
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "to decide"),
        ({"uncertain": True}, "left open, uncertain"),
        ({"status": Status.ACCEPTED, "uncertain": True}, "accepted, uncertain"),
        ({"status": Status.REJECTED}, "rejected"),
        (
            {"status": Status.REJECTED, "reason": Reason.NORMAL_ANATOMY},
            "rejected: normal anatomy",
        ),
    ],
)
def test_a_finding_in_words(changes: dict[str, object], words: str) -> None:
    assert review_words.finding_words(replace(FINDING, **changes)) == words  # type: ignore[arg-type]


def plain(words: str) -> str:
    return words.replace("\N{NO-BREAK SPACE}", " ")


def test_the_threshold_says_what_it_finds_and_on_which_set() -> None:
    point, threshold = OperatingPoint(0.71, 0.4), Thresholds(0.37)
    opacity = MeasuredSet("opacity", 498, 426, out_of_fold=True)
    effusion = MeasuredSet("effusion", 1, 1, out_of_fold=True)

    def words(*sets: MeasuredSet) -> str:
        return plain(review_words.operating_point_words(point, threshold, sets))

    figures = "At 0.37: finds 71 % of findings at 0.4 false marks an image"
    assert words() == f"{figures}."
    assert words(opacity) == f"{figures}, measured on 498 images of 426 patients, out of fold."
    assert words(opacity, replace(effusion, out_of_fold=False)) == (
        f"{figures}, measured on 498 images of 426 patients for opacity and 1 image of 1 patient "
        "for effusion."
    )
    assert "not measured" in review_words.operating_point_words(None, threshold, ())
    assert plain(review_words.category_words(OperatingPoint(0.5, 1.0))) == (
        "50 % at 1.0 false mark an image"
    )
    assert review_words.category_words(None) == ""


def test_what_the_bundled_card_measured_is_found() -> None:
    table = [
        {"threshold": 0.0, "sensitivity": 1.0, "false_marks_per_image": 2.0},
        {"threshold": 1.0, "sensitivity": 0.0, "false_marks_per_image": 0.0},
    ]
    card = replace(
        CARD,
        evaluation=CARD.evaluation
        | {
            "what": "Pooled out-of-fold predictions.",
            "categories": {
                "opacity": {"images": 9, "patients": 8, "objects": 30, "operating_points": table},
                "nodule": {"images": 7, "patients": 6, "objects": 10, "operating_points": table},
            },
        },
    )
    assert operating_point.measured_on(card) == (
        MeasuredSet("opacity", 9, 8, True),
        MeasuredSet("nodule", 7, 6, True),
    )
    assert operating_point.at(card, 0.5, category="nodule") == OperatingPoint(0.5, 1.0)
    both = operating_point.together(card, Thresholds(0.5, {"nodule": 0.1}))
    assert both is not None
    assert both.sensitivity == pytest.approx((30 * 0.5 + 10 * 0.9) / 40)
    assert both.false_marks_per_image == pytest.approx(1.0 + 1.8)
    assert operating_point.together(CARD, Thresholds(0.5, {"nodule": 0.1})) is None
    assert operating_point.together(CARD, Thresholds(0.5)) == OperatingPoint(0.5, 2.0)


def state(**changes: object) -> ReviewState:
    return replace(ReviewState((), False), **changes)  # type: ignore[arg-type]


def test_a_signature_with_what_it_amends_and_the_first_read() -> None:
    first = event(Verb.SIGN, None, None)
    again = replace(first, at=NOON.replace(hour=14), comment="overlooked")
    read = event(Verb.FIRST_READ, None, None, at=NOON.replace(hour=11))

    def words(now: datetime = NOON, *, blind: bool = False, **changes: object) -> str:
        return review_words.signature_words(state(**changes), blind, now)

    assert words() == "Not signed"
    assert words(blind=True) == "First read not signed"
    assert words(first_read=read) == "Not signed\nFirst read signed 11:00 UTC"
    assert words(signed=True, signature=first) == "Signed by Dr. Who 12:00 UTC"
    later = NOON.replace(day=9)
    assert words(later, signature=first) == "Signed by Dr. Who 2026-03-04 12:00 UTC"
    assert words(amends=first) == "Signed 12:00 UTC · amended since, not signed again"
    assert words(signature=again, amends=first) == (
        "Signed by Dr. Who 14:00 UTC\nAmends the signature of 12:00 UTC\n“overlooked”"
    )


def test_a_history_tells_each_change_and_what_was_taken_back() -> None:
    run = Run("r", KEY, "chest-xray", "2.1", "w", "cpu", 0.01, NOON, threshold=0.3)
    candidate = Candidate("f", "r", KEY, FINDING.box, "opacity", 0.62)
    rejected = replace(FINDING, status=Status.REJECTED, reason=Reason.DEVICE)
    moved = replace(FINDING, status=Status.CORRECTED, box=Box(0, 0, 9, 9), category="mass")
    events = (
        event(Verb.REJECT, FINDING, rejected),
        event(Verb.UNDO, rejected, FINDING, undoes="e-reject"),
        event(Verb.REDO, FINDING, rejected, undoes="e-undo"),
        event(Verb.CORRECT, FINDING, moved, thresholds={"mass": 0.4}),
        event(Verb.DOUBT, moved, replace(moved, uncertain=True), ai_visible=False),
        event(Verb.NOTE, moved, replace(moved, note="old")),
        event(Verb.NOTE, moved, replace(moved, note="")),
        event(Verb.ACCEPT, FINDING, replace(FINDING, status=Status.ACCEPTED, uncertain=True)),
        event(Verb.REMOVE, moved, None),
    )
    rows = review_words.history_rows(History(candidate, run, events))
    assert rows[0] == (
        "2026-03-04 12:00:00",
        "chest-xray 2.1",
        "found opacity, score 0.62",
        "0.30",
    )
    assert [row[2] for row in rows[1:]] == [
        "rejected: device",
        "taken back: rejected: device",
        "brought back: rejected: device",
        "opacity → mass, box changed",
        "marked as uncertain",
        "note: “old”",
        "note taken away",
        "accepted",
        "removed",
    ]
    assert [row[3] for row in rows[4:6]] == ["0.40", "AI marks hidden"]
    own = event(Verb.ADD, None, replace(FINDING, status=Status.ADDED, score=None))
    assert review_words.history_rows(History(None, None, (own,)))[0][2] == "added: opacity"
