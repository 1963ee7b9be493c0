"""What a measurement says in numbers, from its points and the size of a pixel. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Sequence

from viewer.review.measurement import Point, Shape, bounds

Pixel = tuple[float, float]
"""The size of one pixel across and down, in millimetres or, where unknown, (1, 1)."""


def length(points: Sequence[Point], pixel: Pixel) -> float:
    """The distance of the first two points."""
    (x0, y0), (x1, y1) = points[:2]
    return math.hypot((x1 - x0) * pixel[0], (y1 - y0) * pixel[1])


def angle(points: Sequence[Point], pixel: Pixel) -> float:
    """Degrees, 0 to 180, between the arms from the second point to the first and to the third."""
    first, vertex, last = points
    ways = [((x - vertex[0]) * pixel[0], (y - vertex[1]) * pixel[1]) for x, y in (first, last)]
    turned = math.atan2(ways[1][1], ways[1][0]) - math.atan2(ways[0][1], ways[0][0])
    turned = abs(math.degrees(turned))
    return min(turned, 360 - turned)


def area(shape: Shape, points: Sequence[Point], pixel: Pixel) -> float:
    """The area of a rectangle or an ellipse, in square units of ``pixel``."""
    x_min, y_min, x_max, y_max = bounds(*points[:2])
    whole = (x_max - x_min) * pixel[0] * (y_max - y_min) * pixel[1]
    return whole * math.pi / 4 if shape is Shape.ELLIPSE else whole
