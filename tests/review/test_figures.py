"""The numbers of measurements."""

from __future__ import annotations

import math

import pytest

from viewer.review import figures
from viewer.review.measurement import Shape


def test_pixels_that_are_not_square_are_measured_as_they_are() -> None:
    pixel = 0.5, 2.0
    assert figures.length(((10, 10), (16, 12)), pixel) == pytest.approx(5.0)
    assert figures.angle(((20, 10), (10, 10), (14, 11)), pixel) == pytest.approx(45.0)
    assert figures.area(Shape.RECTANGLE, ((4, 1), (0, 3)), pixel) == pytest.approx(8.0)
    assert figures.area(Shape.ELLIPSE, ((0, 1), (4, 3)), pixel) == pytest.approx(2 * math.pi)


@pytest.mark.parametrize("turn", range(0, 360, 15))
def test_angles_are_those_between_the_arms_whichever_comes_first(turn: int) -> None:
    arms = [
        (50 + 9 * math.cos(math.radians(at)), 50 - 9 * math.sin(math.radians(at)))
        for at in (turn, turn + 130)
    ]
    for first, last in (arms, arms[::-1]):
        assert figures.angle((first, (50, 50), last), (1, 1)) == pytest.approx(130)
