"""Matching is judged against the best of all pairings, tried one by one."""

from __future__ import annotations

import itertools
import random
import time
from dataclasses import dataclass

import numpy as np
import pytest

from detector.types import Box
from viewer.review.matching import (
    SAME_FINDING_IOU,
    assigned,
    matched,
    overlaps,
    same_finding,
)


@dataclass(frozen=True)
class Mark:
    box: Box
    category: str = "opacity"


def crowd(chance: random.Random, count: int) -> list[Mark]:
    """Boxes of about one size around a few places, so that many overlap."""
    marks = []
    for _ in range(count):
        x, y = chance.choice((0, 12, 40)) + chance.uniform(0, 8), chance.uniform(0, 8)
        box = Box(x, y, x + chance.uniform(16, 24), y + chance.uniform(16, 24))
        marks.append(Mark(box, chance.choice(("opacity", "nodule"))))
    return marks


def best_total(weights: np.ndarray) -> float:
    """The greatest sum over all one-to-one pairings."""
    wide = weights if weights.shape[0] <= weights.shape[1] else weights.T
    rows = range(wide.shape[0])
    return max(
        sum(wide[row, column] for row, column in zip(rows, columns, strict=True))
        for columns in itertools.permutations(range(wide.shape[1]), wide.shape[0])
    )


@pytest.mark.parametrize("seed", range(40))
def test_no_pairing_is_better(seed: int) -> None:
    chance = np.random.default_rng(seed)
    shape = tuple(chance.integers(1, 7, 2))
    weights = chance.random(shape) * (chance.random(shape) < 0.6)
    pairs = assigned(weights)
    assert sum(weights[pair] for pair in pairs) == pytest.approx(best_total(weights))
    assert all(weights[pair] > 0 for pair in pairs)
    for side in (0, 1):
        assert len({pair[side] for pair in pairs}) == len(pairs)


def test_the_best_for_one_is_not_always_the_best_for_all() -> None:
    """A greedy choice would take 0.9 and leave the second row with nothing."""
    assert assigned(np.array([[0.9, 0.7], [0.8, 0.0]])) == [(0, 1), (1, 0)]
    assert assigned(np.array([[0.9, 0.0], [0.8, 0.0]])) == [(0, 0)]
    assert assigned(np.zeros((3, 2))) == []
    assert assigned(np.zeros((0, 4))) == []


@pytest.mark.parametrize("any_category", [False, True])
@pytest.mark.parametrize("seed", range(30))
def test_pairs_are_one_to_one_symmetric_and_free_of_order(seed: int, any_category: bool) -> None:
    chance = random.Random(seed)
    first, second = (crowd(chance, chance.randrange(9)) for _ in range(2))
    pairs = matched(first, second, any_category=any_category)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    for i, j in pairs:
        assert first[i].box.iou(second[j].box) >= SAME_FINDING_IOU
        assert any_category or first[i].category == second[j].category
    turned = matched(second, first, any_category=any_category)
    assert sorted((i, j) for j, i in turned) == list(pairs)
    shuffled, other = chance.sample(first, len(first)), chance.sample(second, len(second))
    again = matched(shuffled, other, any_category=any_category)
    assert {(shuffled[i], other[j]) for i, j in again} == {(first[i], second[j]) for i, j in pairs}


@pytest.mark.parametrize("seed", range(30))
def test_nothing_that_could_be_paired_is_left_on_both_sides(seed: int) -> None:
    chance = random.Random(seed)
    first, second = crowd(chance, 7), crowd(chance, 6)
    pairs = matched(first, second)
    taken = {i for i, _ in pairs}, {j for _, j in pairs}
    for i, one in enumerate(first):
        for j, other in enumerate(second):
            if same_finding(one, other):
                assert i in taken[0] or j in taken[1]


def test_the_same_boxes_are_matched_each_with_itself() -> None:
    marks = crowd(random.Random(3), 8)
    assert matched(marks, marks) == tuple((place, place) for place in range(8))


def test_one_category_goes_before_overlap() -> None:
    box, beside = Box(0, 0, 20, 20), Box(3, 0, 23, 20)
    first = [Mark(box, "opacity"), Mark(beside, "nodule")]
    second = [Mark(box, "nodule"), Mark(beside, "opacity")]
    assert matched(first, second, any_category=True) == ((0, 1), (1, 0))
    alone = [Mark(box, "nodule")]
    assert matched([first[0]], alone, any_category=True) == ((0, 0),)
    assert matched([first[0]], alone) == ()


def test_the_rule_is_at_least_one_half() -> None:
    whole = Mark(Box(0, 0, 20, 10))
    assert matched([whole], [Mark(Box(0, 0, 10, 10))]) == ((0, 0),)
    assert matched([whole], [Mark(Box(0, 0, 9.9, 10))]) == ()


def test_overlaps_are_those_of_the_boxes() -> None:
    marks, others = crowd(random.Random(1), 6), crowd(random.Random(2), 5)
    found = overlaps([each.box for each in marks], [each.box for each in others])
    assert found.shape == (6, 5)
    for i, one in enumerate(marks):
        for j, other in enumerate(others):
            assert found[i, j] == pytest.approx(one.box.iou(other.box))
    assert overlaps([], [marks[0].box]).shape == (0, 1)


def test_many_boxes_take_no_time() -> None:
    """A hundred low scores an image are usual; the window waits for this."""
    chance = random.Random(0)
    marks, others = crowd(chance, 100), crowd(chance, 100)
    start = time.process_time()
    matched(marks, others)
    assert time.process_time() - start < 2.0
