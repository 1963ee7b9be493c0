"""The modality values inside a part of a frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from detector.types import Box
from viewer.dicom.model import Frame

_DIRECT = frozenset(("u1", "i1", "u2", "i2", "i4", "f4", "f8"))  # what OpenCV reads as it is


@dataclass(frozen=True, slots=True)
class Values:
    """The modality values whose pixel centres lie inside a region."""

    count: int
    mean: float
    deviation: float  # of these values, not an estimate for others: divided by their number
    least: float
    greatest: float


def values_inside(frame: Frame, box: Box, *, oval: bool = False) -> Values | None:
    """The values inside a box, or inside the oval that fills it, the line included.

    Pixel padding is no part of the picture (PS3.3 C.7.5.1.1.2) and is left out, as are values that
    are not numbers. None where nothing is left, and for a colour frame.
    """
    if frame.is_colour:
        return None
    rows, columns = frame.values.shape
    # The pixels whose centres, at half numbers, lie between the sides.
    left, right = _centres(box.x_min, box.x_max, columns)
    top, bottom = _centres(box.y_min, box.y_max, rows)
    part = frame.values[top:bottom, left:right]
    inside = np.ones(part.shape, np.uint8)
    if oval:
        across = _from_middle(left, right, box.x_min, box.x_max)
        down = _from_middle(top, bottom, box.y_min, box.y_max)
        inside = (across[np.newaxis, :] ** 2 + down[:, np.newaxis] ** 2 <= 1).view(np.uint8)
    if frame.padding is not None:
        low, high = frame.padding
        inside &= (part < low) | (part > high)
    if part.dtype.kind == "f":
        inside &= np.isfinite(part)
    return _values(part, inside)


def _centres(low: float, high: float, limit: int) -> tuple[int, int]:
    """The first pixel whose centre lies between two lines, and one past the last."""
    first = max(0, math.ceil(low - 0.5))
    return first, max(first, min(limit, math.floor(high + 0.5)))


def _from_middle(first: int, end: int, low: float, high: float) -> npt.NDArray[np.float64]:
    """Pixel centres as seen from the middle of a box, whose side is at 1."""
    centres = np.arange(first, end, dtype=np.float64) + 0.5
    return np.asarray((centres - (low + high) / 2) / ((high - low) / 2), np.float64)


def _values(part: npt.NDArray[Any], inside: npt.NDArray[np.uint8]) -> Values | None:
    count = int(np.count_nonzero(inside))
    if count == 0:
        return None
    if part.dtype.str[1:] not in _DIRECT:
        part = part.astype(np.float64)
    mean, deviation = cv2.meanStdDev(part, mask=inside)
    least, greatest, _, _ = cv2.minMaxLoc(part, mask=inside)
    return Values(count, float(mean[0, 0]), float(deviation[0, 0]), least, greatest)
