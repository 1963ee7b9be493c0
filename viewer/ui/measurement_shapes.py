"""The shapes of measurements: their lines, handles, and what lies under the cursor. No Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from viewer.review.measurement import POINTS, Measurement, Point, Shape, bounds
from viewer.ui.view_transform import ViewTransform

LINE_REACH = 5.0  # screen pixels: a click so near to a line means it
LEAST = 3.0  # screen pixels: points nearer to each other are one
CROSS = 6.0  # screen pixels from the middle of a point's cross to its ends
_ELLIPSE_POINTS = 128  # a third of a screen pixel off at the size of a whole screen

_Corner = tuple[int, int]
# Of which of the two points a handle moves the column and the row; None: not at all.
_CORNERS: tuple[_Corner, ...] = ((0, 0), (1, 0), (1, 1), (0, 1))
_SIDES: tuple[tuple[int | None, int | None], ...] = ((None, 0), (1, None), (None, 1), (0, None))


@dataclass(frozen=True, slots=True)
class Sketch:
    """A measurement while it is drawn (``measurement_id`` None) or changed.

    The last point of a new one follows the cursor; the others are placed.
    """

    shape: Shape
    points: tuple[Point, ...]
    measurement_id: str | None = None

    @property
    def complete(self) -> bool:
        return len(self.points) == POINTS[self.shape]

    def ending_at(self, point: Point) -> Sketch:
        """The same with the cursor elsewhere."""
        return replace(self, points=(*self.points[:-1], point))

    def too_small(self, view: ViewTransform) -> bool:
        """The last two points are so near to each other on the screen that it was a slip."""
        if len(self.points) < 2:
            return False
        (x0, y0), (x1, y1) = (view.to_screen(*point) for point in self.points[-2:])
        across, down = abs(x1 - x0), abs(y1 - y0)
        thin = self.shape in (Shape.RECTANGLE, Shape.ELLIPSE) and min(across, down) < LEAST
        return thin or max(across, down) < LEAST

    def continued(self) -> Sketch:
        """The last point is placed; the next one follows the cursor from there."""
        return replace(self, points=(*self.points, self.points[-1]))


@dataclass(frozen=True, slots=True)
class Grip:
    """What of a measurement is under the cursor: a handle, or its line where ``handle`` is None."""

    measurement_id: str
    handle: int | None = None


def handles(shape: Shape, points: Sequence[Point]) -> tuple[Point, ...]:
    """Where a measurement can be taken hold of: its points, a box's corners, an oval's ends."""
    if shape not in (Shape.RECTANGLE, Shape.ELLIPSE):
        return tuple(points)
    (x0, y0), (x1, y1) = points
    if shape is Shape.RECTANGLE:
        return (x0, y0), (x1, y0), (x1, y1), (x0, y1)
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return (x, y0), (x1, y), (x, y1), (x0, y)


def outline(shape: Shape, points: Sequence[Point]) -> tuple[Point, ...]:
    """The line that is drawn through a measurement, in image coordinates; one point has none."""
    if shape is Shape.RECTANGLE and len(points) == 2:
        corners = handles(shape, points)
        return (*corners, corners[0])
    if shape is Shape.ELLIPSE and len(points) == 2:
        x_min, y_min, x_max, y_max = bounds(*points)
        turns = (2 * math.pi * step / _ELLIPSE_POINTS for step in range(_ELLIPSE_POINTS + 1))
        return tuple(
            (
                (x_min + x_max + (x_max - x_min) * math.cos(turn)) / 2,
                (y_min + y_max + (y_max - y_min) * math.sin(turn)) / 2,
            )
            for turn in turns
        )
    return tuple(points) if len(points) > 1 else ()


def reshaped(
    shape: Shape, points: tuple[Point, ...], handle: int | None, dx: float, dy: float
) -> tuple[Point, ...]:
    """The points after a handle, or the whole, was moved by image pixels."""
    if handle is None:
        return tuple((x + dx, y + dy) for x, y in points)
    if shape not in (Shape.RECTANGLE, Shape.ELLIPSE):
        moved = list(points)
        moved[handle] = (points[handle][0] + dx, points[handle][1] + dy)
        return tuple(moved)
    column, row = (_CORNERS if shape is Shape.RECTANGLE else _SIDES)[handle]
    return tuple(
        (x + dx if number == column else x, y + dy if number == row else y)
        for number, (x, y) in enumerate(points)
    )


def into_frame(points: Sequence[Point], view: ViewTransform) -> tuple[Point, ...]:
    """Each point moved to the nearest place of the frame."""
    return tuple(
        (min(max(x, 0.0), float(view.columns)), min(max(y, 0.0), float(view.rows)))
        for x, y in points
    )


def moved_within(
    points: Sequence[Point], dx: float, dy: float, view: ViewTransform
) -> tuple[Point, ...]:
    """All points moved alike, as far as they stay in the frame."""
    columns, rows = [x for x, _ in points], [y for _, y in points]
    dx = min(max(dx, -min(columns)), view.columns - max(columns))
    dy = min(max(dy, -min(rows)), view.rows - max(rows))
    return tuple((x + dx, y + dy) for x, y in points)


def measurement_at(
    measurements: Sequence[Measurement], view: ViewTransform, x: float, y: float
) -> str | None:
    """The id of the measurement whose line or handle is nearest to a screen point, if near."""
    near = [
        (distance, each.id)
        for each in measurements
        if (distance := _distance(each, view, x, y)) <= LINE_REACH
    ]
    return min(near)[1] if near else None


def grip_at(
    measurement: Measurement, view: ViewTransform, x: float, y: float, reach: float
) -> Grip | None:
    """What of one measurement a drag from a screen point takes hold of."""
    for number, point in enumerate(handles(measurement.shape, measurement.points)):
        handle_x, handle_y = view.to_screen(*point)
        if max(abs(handle_x - x), abs(handle_y - y)) <= reach:
            return Grip(measurement.id, number)
    near = _distance(measurement, view, x, y) <= LINE_REACH
    return Grip(measurement.id) if near else None


def _distance(measurement: Measurement, view: ViewTransform, x: float, y: float) -> float:
    """From a screen point to the line of a measurement, in screen pixels."""
    if measurement.shape is Shape.POINT:
        point_x, point_y = view.to_screen(*measurement.points[0])
        return max(0.0, math.hypot(point_x - x, point_y - y) - CROSS)
    line = [view.to_screen(*point) for point in outline(measurement.shape, measurement.points)]
    return min(_to_segment(line[i], line[i + 1], x, y) for i in range(len(line) - 1))


def _to_segment(start: Point, end: Point, x: float, y: float) -> float:
    across, down = end[0] - start[0], end[1] - start[1]
    length = across**2 + down**2
    part = ((x - start[0]) * across + (y - start[1]) * down) / length if length else 0.0
    part = min(max(part, 0.0), 1.0)
    return math.hypot(start[0] + part * across - x, start[1] + part * down - y)
