"""One way from a picture to the network's input and back, for training and inference alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
_AVERAGED = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.int16))
"""Stored values that keep enough of themselves when neighbours are averaged in their own type."""

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


def to_square(image: ImageInput, size: int, channels: int = 1) -> tuple[FloatImage, Geometry]:
    """The picture as a network sees it, and how to get back.

    What the reader sees lies in the middle of a black square, its aspect ratio kept, stretched so
    that exposure and bit depth no longer matter: the tone curve where there is one, otherwise the
    values themselves; then the 0.5 and 99.5 percentile of what lies inside the collimation become
    0 and 1. For a network of one channel, colour becomes luma first. For one of three, a grey
    picture is stretched and repeated, and a colour picture is taken as it is, 0..255 to 0..1:
    stretching its channels would move its hues, and hue is what a lesion of the skin or mucosa is
    told by.

    Stored values are halved while they are twice too large or more, each the mean of four: to map
    ten million of them through the tone curve would take longer than the network does.

    Parameters
    ----------
    channels : 1 or 3, of the network.

    Returns
    -------
    (size, size) or (size, size, 3) float32 in 0..1

    Raises
    ------
    DetectorError
        Where the array is empty, of another shape, or holds no finite value.
    """
    values = np.asarray(image.values)
    rows, columns = values.shape[:2] if values.ndim > 1 else (0, 0)
    colour = values.ndim == 3 and values.shape[2] == 3
    if min(rows, columns) < 1 or not (values.ndim == 2 or colour):
        raise DetectorError(f"The detector cannot read a picture of shape {values.shape}.")
    values, factor = _halved(values, size)
    if colour and channels == 3:
        picture = _resized(_colour(values), size)
    else:
        grey = values.astype(np.float32) @ LUMA if colour else values
        picture = _stretched(_resized(_finite(_through(grey, image.tone_curve)), size))
        picture = picture if channels == 1 else np.repeat(picture[:, :, None], 3, axis=2)
    height, width = picture.shape[:2]
    top, left = (size - height) // 2, (size - width) // 2
    square = np.zeros((size, size, *picture.shape[2:]), dtype=np.float32)
    square[top : top + height, left : left + width] = picture
    scale = size / (max(values.shape[:2]) * factor)
    return square, Geometry(scale, float(left), float(top), rows, columns)


def _halved(values: npt.NDArray[Any], size: int) -> tuple[npt.NDArray[Any], int]:
    """Stored values with a longest side below twice `size`, and how many went into one."""
    factor = 1
    while max(values.shape[:2]) >= 2 * size and min(values.shape[:2]) >= 2:
        rows, columns = values.shape[0] // 2, values.shape[1] // 2
        whole = values[: 2 * rows, : 2 * columns]
        if whole.dtype not in _AVERAGED:
            whole = whole.astype(np.float32)
        values = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
        factor *= 2
    return values, factor


def _colour(values: npt.NDArray[np.generic]) -> FloatImage:
    if values.dtype != np.uint8:
        raise DetectorError(f"The detector reads colour of 8 bits, not {values.dtype}.")
    return values.astype(np.float32) * np.float32(1.0 / 255.0)


def _finite(shown: FloatImage) -> FloatImage:
    finite = np.isfinite(shown)
    if finite.all():
        return shown
    if not finite.any():
        raise DetectorError("The picture holds no finite value.")
    return np.nan_to_num(shown, nan=float(shown[finite].min()))


def _resized(shown: FloatImage, size: int) -> FloatImage:
    """The same with `size` pixels along its longest side."""
    rows, columns = shown.shape[:2]
    scale = size / max(rows, columns)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    lengths = max(1, round(columns * scale)), max(1, round(rows * scale))
    return cv2.resize(shown, lengths, interpolation=method).astype(np.float32, copy=False)


def _stretched(shown: FloatImage) -> FloatImage:
    low, high = _range_inside_collimation(shown)
    if high <= low:
        return np.zeros(shown.shape, dtype=np.float32)
    stretched: FloatImage = (shown - np.float32(low)) * np.float32(1.0 / (high - low))
    np.clip(stretched, 0.0, 1.0, out=stretched)
    return stretched


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
    probe = cv2.resize(shown, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    darkest, brightest = _percentiles(probe.ravel(), (0.1, 99.9))
    limit = darkest + _BORDER * (brightest - darkest)
    # The 98th percentile, so that a lead letter in the margin does not make it part of the chest.
    inside = probe[
        _without_margin(_percentiles(probe, (98.0,))[0] > limit),
        _without_margin(_percentiles(np.ascontiguousarray(probe.T), (98.0,))[0] > limit),
    ]
    low, high = _percentiles(inside.ravel(), STRETCH_PERCENTILES)
    return float(low), float(high)


def _percentiles(values: FloatImage, wanted: tuple[float, ...]) -> list[npt.NDArray[np.float64]]:
    """`numpy.percentile` along the last axis, by a sort, which is several times as fast."""
    ordered = np.sort(values, axis=-1)
    result = []
    for percentile in wanted:
        place = percentile / 100.0 * (values.shape[-1] - 1)
        below = int(place)
        above = min(below + 1, values.shape[-1] - 1)
        low, high = ordered[..., below].astype(np.float64), ordered[..., above].astype(np.float64)
        result.append(low + (high - low) * (place - below))
    return result


def _without_margin(lit: npt.NDArray[np.bool_]) -> slice:
    """From the first to the last lit line; one line less where a margin was cut, since the
    reduced picture's border line is a mixture of both sides."""
    lines = np.flatnonzero(lit)
    if len(lines) < 3:
        return slice(None)
    first, last = int(lines[0]), int(lines[-1])
    return slice(first + (first > 0), last + 1 - (last < len(lit) - 1))
