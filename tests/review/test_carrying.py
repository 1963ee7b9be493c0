"""A newer run over a reviewed study: what was decided is not asked again, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from detector.types import Box, Detections
from viewer.dicom.model import ImageKey
from viewer.review.finding import Finding, Status
from viewer.review.session import ReviewSession

MakeDetections = Callable[..., Detections]

FIRST = Box(10, 10, 60, 60)  # the best candidate of the session's first run


def still_open(session: ReviewSession) -> list[Box]:
    return [each.box for each in session.findings() if each.status is Status.OPEN]


def spoken_for(session: ReviewSession) -> list[Finding]:
    """The findings that speak for candidates of the newer run."""
    return [session.finding(finding_id) for finding_id in session.state.carried.values()]


def test_before_a_newer_run_nothing_is_carried(session: ReviewSession) -> None:
    session.accept(session.findings()[0].id)
    assert session.state.carried == {}


def test_one_decision_speaks_for_one_candidate_only(
    session: ReviewSession, make_detections: MakeDetections, key: ImageKey
) -> None:
    session.accept(session.findings()[0].id)
    near, nearer = Box(20, 10, 70, 60), Box(10, 14, 60, 64)  # both overlap by more than a half
    session.add_run(key, make_detections((near, 0.9), (nearer, 0.5)))
    assert still_open(session) == [near]
    assert [finding.box for finding in spoken_for(session)] == [FIRST]


def test_two_decisions_share_two_candidates_out(
    session: ReviewSession, make_detections: MakeDetections, key: ImageKey
) -> None:
    """Though both candidates would fit the first decision, and one of them better than any."""
    session.accept(session.findings()[0].id)
    session.add(key, Box(0, 10, 50, 60), "opacity")
    candidates = Box(10, 10, 60, 60), Box(24, 10, 74, 60)
    session.add_run(key, make_detections((candidates[0], 0.9), (candidates[1], 0.5)))
    assert still_open(session) == []
    assert {finding.status for finding in spoken_for(session)} == {Status.ACCEPTED, Status.ADDED}


@pytest.mark.parametrize(("shift", "carried"), [(16.6, True), (16.7, False)])
def test_the_rule_is_an_overlap_of_one_half(
    session: ReviewSession,
    make_detections: MakeDetections,
    key: ImageKey,
    shift: float,
    carried: bool,
) -> None:
    """Two boxes 50 wide have an intersection over union of a half at a shift of 50 / 3."""
    session.reject(session.findings()[0].id)
    session.add_run(key, make_detections((Box(10 + shift, 10, 60 + shift, 60), 0.9)))
    assert bool(session.state.carried) is carried
    assert len(still_open(session)) == (not carried)


def test_a_rejected_one_stays_rejected_under_the_newer_run(
    session: ReviewSession, make_detections: MakeDetections, key: ImageKey
) -> None:
    first = session.findings()[0]
    session.reject(first.id)
    session.add_run(key, make_detections((Box(12, 10, 62, 60), 0.99)))
    (only,) = (each for each in session.findings())
    assert (only.id, only.status) == (first.id, Status.REJECTED)
    assert session.undecided() == ()
    assert [each.status for each in spoken_for(session)] == [Status.REJECTED]


def test_a_corrected_one_speaks_for_both_its_places(
    session: ReviewSession, make_detections: MakeDetections, key: ImageKey
) -> None:
    """It is here, and it is not where the detector had put it."""
    moved = Box(200, 100, 260, 160)
    session.correct(session.findings()[0].id, box=moved)
    session.add_run(key, make_detections((FIRST, 0.9), (moved, 0.8), (Box(5, 120, 50, 160), 0.1)))
    assert still_open(session) == [Box(5, 120, 50, 160)]
    assert [each.status for each in spoken_for(session)] == [Status.CORRECTED] * 2


def test_a_small_correction_is_one_place(
    session: ReviewSession, make_detections: MakeDetections, key: ImageKey
) -> None:
    session.correct(session.findings()[0].id, box=Box(12, 12, 62, 62))
    session.add_run(key, make_detections((FIRST, 0.9), (Box(16, 14, 66, 64), 0.8)))
    assert still_open(session) == [Box(16, 14, 66, 64)]


def test_a_judged_candidate_of_the_newer_run_takes_the_earlier_decision(
    session: ReviewSession, make_detections: MakeDetections, key: ImageKey
) -> None:
    """Its neighbour is not decided by what fits the judged one better."""
    session.accept(session.findings()[0].id)
    session.undo()
    session.add_run(key, make_detections((FIRST, 0.9), (Box(20, 10, 70, 60), 0.8)))
    session.reject(session.findings()[0].id)
    session.undo()
    session.redo()
    assert still_open(session) == [Box(20, 10, 70, 60)]
    assert session.state.carried == {}


def test_another_category_is_not_spoken_for(
    session: ReviewSession, make_detections: MakeDetections, key: ImageKey
) -> None:
    session.correct(session.findings()[0].id, category="mass")
    found = make_detections((FIRST, 0.9), (Box(11, 10, 61, 60), 0.8), (Box(9, 10, 59, 60), 0.7))
    mass = replace(found.detections[1], category="mass")
    session.add_run(
        key, replace(found, detections=(found.detections[0], mass, found.detections[2]))
    )
    # The mass, and the opacity that the detector had said; the other opacity was never judged.
    assert still_open(session) == [Box(9, 10, 59, 60)]


def test_decisions_reach_over_several_runs(
    session: ReviewSession, make_detections: MakeDetections, key: ImageKey
) -> None:
    session.reject(session.findings()[0].id)
    for shift in (4, 8):
        session.add_run(key, make_detections((Box(10 + shift, 10, 60 + shift, 60), 0.9)))
        assert still_open(session) == []
    session.undo()
    assert still_open(session) == [Box(18, 10, 68, 60)]
