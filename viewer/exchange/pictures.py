"""Frames as PNG files whose stored values lead back to the modality values."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from viewer.dicom.model import Frame
from viewer.errors import ExchangeError

_LARGEST = 65535


@dataclass(frozen=True, eq=False)
class StoredPicture:
    """What goes into the PNG: modality value = stored * slope + intercept.

    ``stored`` is (rows, columns) uint8 or uint16, or (rows, columns, 3) uint8 RGB.
    """

    stored: npt.NDArray[Any]
    slope: float
    intercept: float


def to_stored(frame: Frame) -> StoredPicture:
    """Whole numbers exactly, where 16 bits hold their range; others rounded to 65,536 steps.

    Values that are no number become the lowest value of the frame.
    """
    values = frame.values
    if frame.is_colour:
        return StoredPicture(np.ascontiguousarray(values, np.uint8), 1.0, 0.0)
    if values.dtype.kind == "f":
        finite = np.isfinite(values)
        lowest = values[finite].min() if finite.any() else 0.0
        values = np.where(finite, values, lowest).astype(np.float64)
        if np.array_equal(values, np.rint(values)) and np.ptp(values) <= _LARGEST:
            values = values.astype(np.int64)
    low, high = values.min(), values.max()
    if values.dtype.kind in "iu" and int(high) - int(low) <= _LARGEST:
        first = 0 if low >= 0 and high <= _LARGEST else int(low)
        wide = values.astype(np.int64) - first
        small = first == 0 and high <= 255
        return StoredPicture(wide.astype(np.uint8 if small else np.uint16), 1.0, float(first))
    slope = (float(high) - float(low)) / _LARGEST
    steps = np.rint((values.astype(np.float64) - float(low)) / slope)
    return StoredPicture(steps.astype(np.uint16), slope, float(low))


def write_png(path: Path, picture: StoredPicture) -> None:
    """Write the stored values and nothing else: no text, no time, no profile.

    Raises
    ------
    ExchangeError
    OSError
    """
    stored = picture.stored
    done, encoded = cv2.imencode(".png", stored[..., ::-1] if stored.ndim == 3 else stored)
    if not done:
        raise ExchangeError("A picture cannot be written as PNG.")
    write_durably(path, encoded.tobytes())


def write_durably(path: Path, content: bytes) -> None:
    """Write a new file that is on the disk when this returns."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
