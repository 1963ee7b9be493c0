"""When two boxes are the same finding, and which of many goes with which. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from detector.types import Box

SAME_FINDING_IOU = 0.5
"""Intersection over union from which two boxes of one category are one finding."""

FloatArray = npt.NDArray[np.float64]


class Marked(Protocol):
    """A box with what it marks: a candidate or a finding."""

    @property
    def box(self) -> Box: ...

    @property
    def category(self) -> str: ...


def same_finding(one: Marked, other: Marked) -> bool:
    """True where both mark the same thing on one image."""
    return one.category == other.category and one.box.iou(other.box) >= SAME_FINDING_IOU


def matched(
    first: Sequence[Marked], second: Sequence[Marked], *, any_category: bool = False
) -> tuple[tuple[int, int], ...]:
    """Which of ``first`` is which of ``second``, one to one, as places in both.

    Only boxes with an intersection over union of at least SAME_FINDING_IOU are paired. Of all
    pairings, the one with the greatest total overlap; with ``any_category`` first the one with the
    most pairs of one category, else there are no others. Neither the order of the boxes nor which
    side comes first makes a difference.
    """
    order, other_order = _canonical(first), _canonical(second)
    one, other = [first[i] for i in order], [second[j] for j in other_order]
    if [_key(each) for each in other] < [_key(each) for each in one]:
        pairs = [(i, j) for j, i in assigned(_weights(other, one, any_category))]
    else:
        pairs = assigned(_weights(one, other, any_category))
    return tuple(sorted((order[i], other_order[j]) for i, j in pairs))


def overlaps(first: Sequence[Box], second: Sequence[Box]) -> FloatArray:
    """(N, M) intersection over union of every box of ``first`` with every one of ``second``."""
    one, other = _corners(first)[:, None], _corners(second)[None, :]
    sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    shared = np.clip(sides, 0.0, None).prod(axis=-1)
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(axis=-1) for boxes in (one, other)]
    found: FloatArray = shared / (areas[0] + areas[1] - shared)
    return found


def assigned(weights: FloatArray) -> list[tuple[int, int]]:
    """The one-to-one pairs (row, column) with the greatest sum of weights, rows rising.

    Parameters
    ----------
    weights : (N, M), not negative; 0 where the two must not be paired.
    """
    rows, columns = np.flatnonzero(weights.any(axis=1)), np.flatnonzero(weights.any(axis=0))
    if not len(rows):
        return []
    some = weights[np.ix_(rows, columns)]
    turned = len(rows) > len(columns)
    column_of = _cheapest((some.max() - some).T if turned else some.max() - some)
    pairs = [(j, i) if turned else (i, j) for i, j in enumerate(column_of)]
    return sorted((int(rows[i]), int(columns[j])) for i, j in pairs if some[i, j] > 0)


def _weights(first: Sequence[Marked], second: Sequence[Marked], any_category: bool) -> FloatArray:
    shared = overlaps([each.box for each in first], [each.box for each in second])
    names = [np.array([each.category for each in side], dtype=object) for side in (first, second)]
    same = np.equal(names[0][:, None], names[1][None, :]).astype(bool)
    # More than all overlaps together: one more pair of one category is worth any of them.
    bonus = 1.0 + min(shared.shape) if any_category else 0.0
    paired = (shared >= SAME_FINDING_IOU) & (same | any_category)
    return np.where(paired, shared + bonus * same, 0.0)


def _cheapest(cost: FloatArray) -> list[int]:
    """The column of each row at the least total cost; the Hungarian method (Kuhn, Munkres).

    Parameters
    ----------
    cost : (N, M) with N <= M. Place 0 of the arrays below stands for no row or no column.
    """
    count, columns = cost.shape
    row_price, column_price = np.zeros(count + 1), np.zeros(columns + 1)
    row_of = np.zeros(columns + 1, dtype=int)
    came_from = np.zeros(columns + 1, dtype=int)
    for row in range(1, count + 1):
        row_of[0], column = row, 0
        least = np.full(columns + 1, np.inf)
        done = np.zeros(columns + 1, dtype=bool)
        while column == 0 or row_of[column]:
            done[column] = True
            here = row_of[column]
            reduced = np.full(columns + 1, np.inf)
            reduced[1:] = cost[here - 1] - row_price[here] - column_price[1:]
            better = ~done & (reduced < least)
            least[better], came_from[better] = reduced[better], column
            column = int(np.argmin(np.where(done, np.inf, least)))
            step = least[column]
            row_price[row_of[done]] += step
            column_price[done] -= step
            least[~done] -= step
        while column:  # hand the columns on along the way that led here
            row_of[column] = row_of[came_from[column]]
            column = int(came_from[column])
    column_of = np.zeros(count, dtype=int)
    taken = np.flatnonzero(row_of[1:])
    column_of[row_of[1:][taken] - 1] = taken
    return [int(column) for column in column_of]


def _corners(boxes: Sequence[Box]) -> FloatArray:
    corners = [(box.x_min, box.y_min, box.x_max, box.y_max) for box in boxes]
    return np.array(corners, dtype=np.float64).reshape(-1, 4)


def _key(each: Marked) -> tuple[float | str, ...]:
    box = each.box
    return (box.x_min, box.y_min, box.x_max, box.y_max, each.category)


def _canonical(marked: Sequence[Marked]) -> list[int]:
    return sorted(range(len(marked)), key=lambda place: _key(marked[place]))
