"""One way from a picture to the network's input and back, for training and inference alike."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from detector.types import Box, DetectorError, ImageInput, ToneCurve

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601, as PS3.3 C.7.6.3.1.2
STRETCH_PERCENTILES = (0.5, 99.5)
_PROBE = 256
"""Longest side, in pixels, of the reduced picture that the percentiles are taken from."""

_BORDER = 0.04
"""A margin row is border when nearly nothing in it rises above this share of the range."""

_MOST_TABLE_ENTRIES = 1 << 16

FloatImage = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Geometry:
    """How a frame lies in the network's square input: x_input = x_frame * scale + left."""

    scale: float
    left: float
    top: float
    rows: int
    columns: int

    def to_frame(self, x_min: float, y_min: float, x_max: float, y_max: float) -> Box | None:
        """A box of the input in pixels of the frame, clipped; None where nothing is inside."""
        try:
            return Box(
                (x_min - self.left) / self.scale, (y_min - self.top) / self.scale,
                (x_max - self.left) / self.scale, (y_max - self.top) / self.scale,
            ).clipped(self.columns, self.rows)  # fmt: skip
        except ValueError:
            return None

    def to_input(self, box: Box) -> tuple[float, float, float, float]:
        """A box of the frame in pixels of the input."""
        return (
            box.x_min * self.scale + self.left, box.y_min * self.scale + self.top,
            box.x_max * self.scale + self.left, box.y_max * self.scale + self.top,
        )  # fmt: skip


def brightness(image: ImageInput) -> FloatImage:
    """What the reader sees, stretched so that exposure and bit depth no longer matter.

    The tone curve where there is one, otherwise the values themselves; colour becomes luma.
    Then the 0.5 and 99.5 percentile of what lies inside the collimation become 0 and 1.

    Returns
    -------
    (rows, columns) float32 in 0..1

    Raises
    ------
    DetectorError
        Where the array is empty, of another shape, or holds no finite value.
    """
    values = np.asarray(image.values)
    if values.ndim == 3 and values.shape[2] == 3:
        values = values.astype(np.float32) @ LUMA
    if values.ndim != 2 or min(values.shape) < 1:
        raise DetectorError(f"The detector cannot read a picture of shape {values.shape}.")
    shown = _through(values, image.tone_curve)
    if not np.isfinite(shown).all():
        if not np.isfinite(shown).any():
            raise DetectorError("The picture holds no finite value.")
        shown = np.nan_to_num(shown, nan=float(np.nanmin(shown[np.isfinite(shown)])))
    low, high = _range_inside_collimation(shown)
    if high <= low:
        return np.zeros(shown.shape, dtype=np.float32)
    stretched: FloatImage = (shown - np.float32(low)) * np.float32(1.0 / (high - low))
    np.clip(stretched, 0.0, 1.0, out=stretched)
    return stretched


def to_network(shown: FloatImage, size: int) -> tuple[FloatImage, Geometry]:
    """The picture in the middle of a black square of `size` pixels, its aspect ratio kept.

    Parameters
    ----------
    shown : (rows, columns) float32 in 0..1, of `brightness`.

    Returns
    -------
    (size, size) float32 in 0..1, and how to get back.
    """
    rows, columns = shown.shape
    scale = size / max(rows, columns)
    height, width = max(1, round(rows * scale)), max(1, round(columns * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(shown, (width, height), interpolation=method)
    top, left = (size - height) // 2, (size - width) // 2
    square = np.zeros((size, size), dtype=np.float32)
    square[top : top + height, left : left + width] = resized
    return square, Geometry(scale, float(left), float(top), rows, columns)


def _through(values: npt.NDArray[np.generic], curve: ToneCurve | None) -> FloatImage:
    if curve is None:
        return values.astype(np.float32)
    points = np.asarray(curve.values, dtype=np.float64)
    outputs = np.asarray(curve.outputs, dtype=np.float64)
    if np.issubdtype(values.dtype, np.integer):
        low, high = int(values.min()), int(values.max())
        if high - low < _MOST_TABLE_ENTRIES:  # a table is ten times faster than interpolation
            table = np.interp(np.arange(low, high + 1), points, outputs).astype(np.float32)
            return np.take(table, values.astype(np.int64) - low)
    return np.interp(values.astype(np.float64), points, outputs).astype(np.float32)


def _range_inside_collimation(shown: FloatImage) -> tuple[float, float]:
    """The low and high percentile of the part inside black margins."""
    rows, columns = shown.shape
    scale = min(1.0, _PROBE / max(rows, columns))
    width, height = max(1, round(columns * scale)), max(1, round(rows * scale))
    probe = cv2.resize(shown, (width, height), interpolation=cv2.INTER_AREA)
    darkest, brightest = np.percentile(probe, (0.1, 99.9))
    limit = darkest + _BORDER * (brightest - darkest)
    # The 98th percentile, so that a lead letter in the margin does not make it part of the chest.
    inside = probe[
        _without_margin(np.percentile(probe, 98, axis=1) > limit),
        _without_margin(np.percentile(probe, 98, axis=0) > limit),
    ]
    low, high = np.percentile(inside, STRETCH_PERCENTILES)
    return float(low), float(high)


def _without_margin(lit: npt.NDArray[np.bool_]) -> slice:
    """From the first to the last lit line; one line less where a margin was cut, since the
    reduced picture's border line is a mixture of both sides."""
    lines = np.flatnonzero(lit)
    if len(lines) < 3:
        return slice(None)
    first, last = int(lines[0]), int(lines[-1])
    return slice(first + (first > 0), last + 1 - (last < len(lit) - 1))
