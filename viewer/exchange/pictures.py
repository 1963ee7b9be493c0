"""Frames as PNG files whose stored values lead back to the modality values."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from detector.types import ToneCurve
from viewer.dicom import voi
from viewer.dicom.model import Frame
from viewer.errors import ExchangeError
from viewer.exchange.options import Pictures

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


@dataclass(frozen=True, eq=False)
class Encoded:
    """A picture file: its content, and how its values are to be read.

    Attributes
    ----------
    tone_curve : modality values to brightness; None where they are brightness already, or where
        the file says it itself.
    """

    content: bytes
    suffix: str
    width: int
    height: int
    channels: int
    slope: float = 1.0
    intercept: float = 0.0
    tone_curve: ToneCurve | None = None


def encoded(frame: Frame, form: Pictures) -> Encoded:
    """One frame as the content of a PNG file.

    Raises
    ------
    ExchangeError
        It cannot be encoded.
    """
    height, width = frame.values.shape[:2]
    if form is Pictures.PNG8:
        seen = voi.picture(frame, voi.default_voi(frame))
        return Encoded(png(seen), ".png", width, height, _channels(seen))
    picture = to_stored(frame)
    curve = voi.tone_curve(frame)
    channels = _channels(picture.stored)
    return Encoded(
        png(picture.stored), ".png", width, height, channels,
        picture.slope, picture.intercept, curve,
    )  # fmt: skip


def _channels(stored: npt.NDArray[Any]) -> int:
    return 1 if stored.ndim == 2 else int(stored.shape[2])


def png(stored: npt.NDArray[Any]) -> bytes:
    """The stored values as PNG and nothing else: no text, no time, no profile."""
    done, content = cv2.imencode(".png", stored[..., ::-1] if stored.ndim == 3 else stored)
    if not done:
        raise ExchangeError("A picture cannot be written as PNG.")
    return content.tobytes()


def write_durably(path: Path, content: bytes) -> None:
    """Write a new file that is on the disk when this returns."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
