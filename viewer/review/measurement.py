"""What the reader measured on an image: kept by the same log as the findings, undone with them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from viewer.dicom.model import ImageKey

Point = tuple[float, float]
"""Column and row in the frame, as in `Box`: (0, 0) is the outer corner of the first pixel."""


class Shape(StrEnum):
    POINT = "point"
    LENGTH = "length"
    ANGLE = "angle"  # the second point is the vertex
    RECTANGLE = "rectangle"  # two opposite corners
    ELLIPSE = "ellipse"  # two opposite corners of the box around it


POINTS = {Shape.POINT: 1, Shape.LENGTH: 2, Shape.ANGLE: 3, Shape.RECTANGLE: 2, Shape.ELLIPSE: 2}
"""How many points make a measurement of each shape."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A shape on the pixels of one image; its figures follow from them and are not kept.

    Raises
    ------
    ValueError
        The points are not as many as the shape needs, or not finite.
    """

    id: str
    image: ImageKey
    shape: Shape
    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        if len(self.points) != POINTS[self.shape]:
            raise ValueError(f"{self.shape} needs {POINTS[self.shape]} points, not {self.points}")
        if not all(math.isfinite(value) for point in self.points for value in point):
            raise ValueError(f"a measurement needs finite points, not {self.points}")


def bounds(first: Point, second: Point) -> tuple[float, float, float, float]:
    """x_min, y_min, x_max, y_max of two opposite corners."""
    (x_min, x_max), (y_min, y_max) = (sorted(ends) for ends in zip(first, second, strict=True))
    return x_min, y_min, x_max, y_max
