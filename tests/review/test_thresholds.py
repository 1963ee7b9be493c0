from __future__ import annotations

import pytest

from viewer.review.session import ReviewSession
from viewer.review.store import Store
from viewer.review.thresholds import Thresholds


def test_a_category_without_its_own_follows_the_default() -> None:
    thresholds = Thresholds(0.3).moved(0.7, "effusion")
    assert (thresholds.of("opacity"), thresholds.of("effusion")) == (0.3, 0.7)
    moved = thresholds.moved(0.4)
    assert (moved.of("opacity"), moved.of("effusion")) == (0.4, 0.7)
    assert moved.without("effusion") == Thresholds(0.4)


@pytest.mark.parametrize(("asked", "kept"), [(-0.2, 0.0), (1.7, 1.0), (0.1 + 0.2, 0.3)])
def test_they_stay_within_the_scores(asked: float, kept: float) -> None:
    assert Thresholds(0.5).moved(asked).default == kept
    assert Thresholds(0.5).moved(asked, "opacity").of("opacity") == kept


def test_a_category_of_its_own_hides_shows_and_is_kept_with_the_decision(
    session: ReviewSession, store: Store
) -> None:
    told: list[int] = []
    session.subscribe(lambda: told.append(len(session.shown())))
    session.thresholds = Thresholds(0.95).moved(0.6, "opacity")
    assert [finding.score for finding in session.shown()] == [0.9, 0.6]
    assert session.undecided() == session.shown()
    session.thresholds = session.thresholds.moved(0.7, "effusion")
    session.accept(session.shown()[0].id)
    (event,) = store.load(session.study_uid).events
    assert (event.threshold, event.thresholds) == (0.95, {"opacity": 0.6, "effusion": 0.7})
    assert told == [2, 2, 2]
