"""Boxes and measurements as the graphics of reports and presentation states.

Their points are columns and rows from the outer corner of the first pixel, as ours (PS3.3 C.18.6.1,
C.10.5.1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from detector.types import Box
from viewer.review.measurement import Measurement, Shape, bounds

Points = npt.NDArray[np.float64]
"""(n, 2): column and row."""


def corners(box: Box) -> Points:
    """A closed polyline: its last point is the first one."""
    return _closed(box.x_min, box.y_min, box.x_max, box.y_max)


def outline(measurement: Measurement) -> tuple[Any, Points]:
    """The graphic type and the points of a measurement."""
    points = measurement.points
    match measurement.shape:
        case Shape.POINT:
            return "POINT", np.array(points, np.float64)
        case Shape.RECTANGLE:
            return "POLYLINE", _closed(*bounds(*points))
        case Shape.ELLIPSE:
            return "ELLIPSE", _axes(*bounds(*points))
        case _:
            return "POLYLINE", np.array(points, np.float64)


def _closed(x_min: float, y_min: float, x_max: float, y_max: float) -> Points:
    return np.array(
        [(x_min, y_min), (x_max, y_min), (x_max, y_max), (x_min, y_max), (x_min, y_min)], np.float64
    )


def _axes(x_min: float, y_min: float, x_max: float, y_max: float) -> Points:
    """The ends of the major axis, then of the minor one (PS3.3 C.18.6.1.2)."""
    x, y = (x_min + x_max) / 2, (y_min + y_max) / 2
    across, down = [(x_min, y), (x_max, y)], [(x, y_min), (x, y_max)]
    wide = x_max - x_min >= y_max - y_min
    return np.array([*across, *down] if wide else [*down, *across], np.float64)
