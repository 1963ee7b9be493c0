"""Two runs over one image: what is new, gone, moved and the same."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from detector.types import Box, Detections
from viewer.dicom.model import Image, ImageKey
from viewer.review.difference import (
    STILL_IOU,
    STILL_SCORE,
    Change,
    Difference,
    ImageDifference,
    between_runs,
    decided_on,
    differences,
    models_before,
)
from viewer.review.finding import Candidate, Status
from viewer.review.session import ReviewSession
from viewer.review.store import Store

MakeImage = Callable[..., Image]
MakeDetections = Callable[..., Detections]

STUDY = "1.2.3"
KEY = ImageKey("1.2.3.4", 1, "a" * 64)


def candidate(box: Box, score: float = 0.8, category: str = "opacity") -> Candidate:
    return Candidate(f"{box}{score}{category}", "run", KEY, box, category, score)


def changes(found: list[Difference]) -> list[tuple[Change, float]]:
    return [(each.change, each.present.score) for each in found]


class TestMarks:
    def test_new_gone_moved_and_the_same(self) -> None:
        earlier = [
            candidate(Box(0, 0, 50, 50), 0.9),
            candidate(Box(100, 0, 150, 50), 0.7),
            candidate(Box(0, 100, 50, 150), 0.6),
        ]
        later = [
            candidate(Box(0, 0, 50, 49), 0.91),
            candidate(Box(110, 0, 160, 50), 0.7),
            candidate(Box(200, 100, 250, 150), 0.5),
        ]
        assert changes(differences(earlier, later)) == [
            (Change.NEW, 0.5),
            (Change.GONE, 0.6),
            (Change.MOVED, 0.7),
            (Change.SAME, 0.91),
        ]

    @pytest.mark.parametrize(
        ("width", "score", "change"),
        [
            (100 * STILL_IOU, 0.5, Change.SAME),
            (100 * STILL_IOU - 0.1, 0.5, Change.MOVED),
            (100, 0.5 + STILL_SCORE, Change.SAME),
            (100, 0.5 - STILL_SCORE - 0.001, Change.MOVED),
        ],
    )
    def test_the_limits_of_the_same(self, width: float, score: float, change: Change) -> None:
        before, now = candidate(Box(0, 0, 100, 10), 0.5), candidate(Box(0, 0, width, 10), score)
        (found,) = differences([before], [now])
        assert found.change is change
        assert found.iou == pytest.approx(width / 100)

    def test_another_category_is_one_gone_and_one_new(self) -> None:
        box = Box(0, 0, 50, 50)
        found = differences([candidate(box)], [candidate(box, category="nodule")])
        assert [each.change for each in found] == [Change.NEW, Change.GONE]

    @pytest.mark.parametrize("seed", range(20))
    def test_every_mark_is_told_once_and_the_other_way_round_is_the_mirror(self, seed: int) -> None:
        chance = random.Random(seed)

        def crowd() -> list[Candidate]:
            corners = [(chance.choice((0, 10, 60)), chance.uniform(0, 9)) for _ in range(6)]
            return [
                candidate(Box(x, y, x + 30, y + 30), chance.random()) for x, y in corners
            ]  # fmt: skip

        earlier, later = crowd(), crowd()
        found, turned = differences(earlier, later), differences(later, earlier)
        assert sorted(each.earlier.id for each in found if each.earlier) == sorted(
            each.id for each in earlier
        )
        assert sorted(each.later.id for each in found if each.later) == sorted(
            each.id for each in later
        )
        mirror = {Change.NEW: Change.GONE, Change.GONE: Change.NEW}
        assert {(each.change, each.earlier, each.later) for each in found} == {
            (mirror.get(each.change, each.change), each.later, each.earlier) for each in turned
        }


class TestRuns:
    def between(
        self, store: Store, threshold: float = 0.5, model: str | None = None
    ) -> tuple[ImageDifference, ...]:
        record = store.load(STUDY)
        wanted = [each for each in models_before(record) if each.version == model]
        return between_runs(record, lambda _category: threshold, wanted[0] if wanted else None)

    def test_an_image_that_was_analysed_once_has_nothing_to_compare_with(
        self, session: ReviewSession, store: Store
    ) -> None:
        (only,) = self.between(store)
        assert only.earlier is None
        assert only.differences == ()
        assert models_before(store.load(STUDY)) == ()

    def test_only_marks_count_and_those_below_the_threshold_are_named(
        self, session: ReviewSession, store: Store, make_detections: MakeDetections, key: ImageKey
    ) -> None:
        session.add_run(
            key,
            make_detections(
                (Box(10, 10, 60, 60), 0.4),  # was 0.9
                (Box(100, 20, 150, 80), 0.6),
                (Box(5, 120, 50, 160), 0.7),  # was 0.2
                (Box(200, 100, 250, 150), 0.3),
            ),
        )
        (only,) = self.between(store)
        assert changes(list(only.differences)) == [
            (Change.NEW, 0.7),
            (Change.GONE, 0.9),
            (Change.SAME, 0.6),
        ]
        new, gone, _ = only.differences
        assert new.earlier is not None
        assert new.earlier.score == 0.2
        assert gone.later is not None
        assert gone.later.score == 0.4

    def test_a_weak_candidate_takes_no_mark_away(
        self, session: ReviewSession, store: Store, make_detections: MakeDetections, key: ImageKey
    ) -> None:
        """The best fit is below the threshold; the mark beside it is still the same finding."""
        found = make_detections((Box(20, 10, 70, 60), 0.8), (Box(10, 10, 60, 60), 0.05))
        session.add_run(key, found)
        (only,) = self.between(store, 0.7)
        assert [each.change for each in only.differences] == [Change.MOVED]

    def test_which_earlier_run_is_the_readers_choice(
        self, session: ReviewSession, store: Store, make_detections: MakeDetections, key: ImageKey
    ) -> None:
        for version, left in (("2.0", 200), ("3.0", 14)):
            run = make_detections((Box(left, 10, left + 50, 60), 0.9), weights=version)
            session.add_run(key, replace(run, model_version=version))
        record = store.load(STUDY)
        assert [each.version for each in models_before(record)] == ["2.0", "1.0"]
        (before,) = self.between(store)
        assert before.earlier is not None
        assert before.earlier.model_version == "2.0"
        assert [each.change for each in before.differences] == [Change.NEW, Change.GONE]
        (first,) = self.between(store, model="1.0")
        assert [each.change for each in first.differences] == [Change.GONE, Change.MOVED]

    def test_a_model_keeps_its_own_threshold(
        self, session: ReviewSession, store: Store, make_detections: MakeDetections, key: ImageKey
    ) -> None:
        session.add_run(key, make_detections((Box(10, 10, 60, 60), 0.9), weights="x" * 64))
        record = store.load(STUDY)
        known = replace(record.runs[0], threshold=0.15)
        record = replace(record, runs=(known, *record.runs[1:]))
        (only,) = between_runs(record, lambda _category: 0.5)
        gone = [each for each in only.differences if each.change is Change.GONE]
        assert [each.present.score for each in gone] == [0.6, 0.2]

    def test_every_image_of_the_study_is_told_with_its_own_runs(
        self,
        session: ReviewSession,
        store: Store,
        make_image: MakeImage,
        make_detections: MakeDetections,
    ) -> None:
        other = ImageKey("1.2.3.5", 1, "b" * 64)
        session.remember_image(make_image(other.uid), other.pixel_sha256)
        for score in (0.6, 0.9):
            session.add_run(other, make_detections((Box(10, 10, 60, 60), score)))
        found = {each.image: each for each in self.between(store)}
        assert found[KEY].earlier is None
        assert changes(list(found[other].differences)) == [(Change.MOVED, 0.9)]


def test_what_was_decided_is_told_with_whether_it_was_carried_over(
    session: ReviewSession, store: Store, make_detections: MakeDetections, key: ImageKey
) -> None:
    first, second, third = session.findings()
    session.reject(first.id)
    session.accept(second.id)
    session.accept(third.id)
    session.add_run(
        key,
        make_detections((Box(14, 10, 64, 60), 0.8), (Box(200, 100, 250, 150), 0.7)),
    )
    session.accept(next(each.id for each in session.findings() if each.status is Status.OPEN))
    (only,) = between_runs(store.load(STUDY), lambda _category: 0.15)
    told = {
        each.change: decided_on(each, session.state)
        for each in only.differences
        if each.present.score != 0.2
    }
    status = {
        change: None if said is None else (said[0].status, said[1]) for change, said in told.items()
    }
    assert status == {
        Change.MOVED: (Status.REJECTED, True),
        Change.NEW: (Status.ACCEPTED, False),
        Change.GONE: (Status.ACCEPTED, False),
    }
    session.undo()
    new = next(each for each in only.differences if each.change is Change.NEW)
    assert decided_on(new, session.state) is None
