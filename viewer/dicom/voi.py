"""Modality values -> the 8-bit picture, by lookup table (PS3.3 C.11.2). No pydicom here."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from detector.types import ToneCurve
from viewer.dicom.model import (
    Frame,
    Picture,
    SupplementalPalette,
    Voi,
    VoiFunction,
    VoiTable,
    VoiWindow,
)

_LOW_PERCENTILE, _HIGH_PERCENTILE = 0.5, 99.5
_SAMPLED_VALUES = 500_000  # enough for a stable percentile, few enough to be instant
_SIGMOID_POINTS = 65
_TABLE_POINTS = 256


def default_voi(frame: Frame) -> Voi:
    """The file's first VOI, or the automatic window where it has none."""
    return frame.vois[0] if frame.vois else auto_window(frame)


def auto_window(frame: Frame) -> VoiWindow:
    """A window from the 0.5th to the 99.5th percentile of the values, padding left out.

    The window of a colour frame is the whole 8-bit range and has no effect.
    """
    if frame.is_colour:
        return VoiWindow(128.0, 256.0, explanation="auto")
    values = _sample(frame)
    if values.size == 0:
        return VoiWindow(0.0, 1.0, explanation="auto")
    low, high = (float(v) for v in np.percentile(values, (_LOW_PERCENTILE, _HIGH_PERCENTILE)))
    if low == high:
        # Nearly all of the picture is one value: what is left of it must still be seen.
        low, high = float(values.min()), float(values.max())
    if frame.values.dtype.kind == "f":
        width = high - low or 1.0
        return VoiWindow((low + high) / 2, width, VoiFunction.LINEAR_EXACT, "auto")
    # LINEAR reaches black at center - 0.5 - (width - 1) / 2 (PS3.3 C.11.2.1.2.1).
    return VoiWindow((low + high + 1) / 2, high - low + 1, VoiFunction.LINEAR, "auto")


def picture(frame: Frame, voi: Voi, inverted: bool = False) -> Picture:
    """The 8-bit picture of a frame.

    Parameters
    ----------
    voi : the window or table to use; colour passes through without it.
    inverted : the reader's own inversion, on top of MONOCHROME1.

    Where black and white change places, padding is black all the same, as the Mammography Image
    profile of IHE has it: it is no part of the picture, and a white surround would dazzle.

    Returns
    -------
    (rows, columns) or, of a colour frame or one with a supplemental palette, (rows, columns, 3)
    uint8.
    """
    if frame.is_colour:
        colour: Picture = frame.values
        return 255 - colour if inverted else colour
    grey = _grey_picture(frame, voi, frame.inverted != inverted)
    return grey if frame.palette is None else _paint(grey, frame.values, frame.palette)


def _paint(grey: Picture, values: npt.NDArray[Any], palette: SupplementalPalette) -> Picture:
    rgb = np.repeat(grey[..., None], 3, axis=2)
    index = np.rint((values.astype(np.float64) - palette.first) / palette.step)
    painted = index >= 0
    rgb[painted] = palette.entries[np.minimum(index[painted], len(palette.entries) - 1).astype(int)]
    return rgb


def _grey_picture(frame: Frame, voi: Voi, flip: bool) -> Picture:
    values, padding = frame.values, frame.padding if flip else None
    if values.dtype.kind in "iu" and values.dtype.itemsize <= 2:
        table = _lookup_table(values.dtype.str, voi, flip, padding)
        return np.asarray(cv2.LUT(values.view(f"u{values.dtype.itemsize}"), table), np.uint8)
    if values.dtype.kind in "iu":
        low, high = int(values.min()), int(values.max())
        if high - low < 65536:
            table = _to_8_bits(np.arange(low, high + 1), voi, flip, padding)
            return np.take(table, values - low)
    return _to_8_bits(values, voi, flip, padding)


def tone_curve(frame: Frame) -> ToneCurve | None:
    """How the detector sees the values: the file's first VOI, MONOCHROME1 inverted.

    A file without a VOI gives the straight line over its values. None stands for colour and for
    8-bit values that are brightness already.
    """
    if frame.is_colour:
        return None
    if frame.vois:
        values, outputs = _curve(frame.vois[0])
    elif frame.values.dtype == np.uint8:
        values, outputs = np.array([0.0, 255.0]), np.array([0.0, 1.0])
    else:
        sample = _finite(_without_padding(frame, frame.values))
        low, high = (float(sample.min()), float(sample.max())) if sample.size else (0.0, 1.0)
        values, outputs = np.array([low, max(high, low + 1.0)]), np.array([0.0, 1.0])
    if frame.values.dtype == np.uint8 and not frame.inverted and _is_identity(values, outputs):
        return None
    # A window of a hostile file can be too narrow for float64 at its place.
    values, kept = np.unique(values, return_index=True)
    outputs = outputs[kept]
    if len(values) < 2:
        values = np.array([values[0], np.nextafter(values[0], np.inf)])
        outputs = np.array([0.0, 1.0])
    if frame.inverted:
        outputs = 1.0 - outputs
    return ToneCurve(tuple(map(float, values)), tuple(map(float, outputs)))


def _is_identity(values: npt.NDArray[Any], outputs: npt.NDArray[Any]) -> bool:
    return bool(np.array_equal(values, (0, 255)) and np.array_equal(outputs, (0, 1)))


def _sample(frame: Frame) -> npt.NDArray[Any]:
    step = max(1, int(np.sqrt(frame.values.size / _SAMPLED_VALUES)))
    sample = _without_padding(frame, frame.values[::step, ::step])
    return _finite(sample)


def _finite(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return values[np.isfinite(values)] if values.dtype.kind == "f" else values


def _without_padding(frame: Frame, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if frame.padding is None:
        return values
    low, high = frame.padding
    kept: npt.NDArray[Any] = values[(values < low) | (values > high)]
    return kept if kept.size else values


@lru_cache(maxsize=16)
def _lookup_table(dtype: str, voi: Voi, flip: bool, padding: tuple[float, float] | None) -> Picture:
    """One entry for each bit pattern of an 8- or 16-bit integer, signed ones by their pattern."""
    kind = np.dtype(dtype)
    unsigned = np.arange(2 ** (8 * kind.itemsize)).astype(f"u{kind.itemsize}")
    table = _to_8_bits(unsigned.view(kind), voi, flip, padding)
    table.flags.writeable = False
    return table


def _to_8_bits(
    values: npt.NDArray[Any], voi: Voi, flip: bool, padding: tuple[float, float] | None
) -> Picture:
    output = np.nan_to_num(brightness(values, voi), nan=0.0)
    if flip:
        output = 1.0 - output
    if padding is not None:
        output[(values >= padding[0]) & (values <= padding[1])] = 0.0
    return (output * 255.0 + 0.5).astype(np.uint8)


def brightness(values: npt.NDArray[Any], voi: Voi) -> npt.NDArray[np.float64]:
    """Modality values of any shape as brightness, 0 to 1, before MONOCHROME1 or any inversion."""
    with np.errstate(invalid="ignore"):  # signalling NaNs of a damaged file
        x = values.astype(np.float64)
    if isinstance(voi, VoiTable):
        entries = np.asarray(voi.entries, np.float64) / (2**voi.bits - 1)
        index = np.clip(np.nan_to_num(x) - voi.first, 0, len(entries) - 1).astype(np.int64)
        return np.asarray(np.clip(entries[index], 0.0, 1.0))
    if voi.function is VoiFunction.SIGMOID:  # PS3.3 C.11.2.1.3.1
        exponent = np.clip(-4.0 * (x - voi.center) / voi.width, -700.0, 700.0)
        return 1.0 / (1.0 + np.exp(exponent))
    low, high = _ends(voi)
    if low == high:  # a LINEAR width of 1 is a step (PS3.3 C.11.2.1.2.1)
        return (x > low).astype(np.float64)
    return np.clip((x - low) / (high - low), 0.0, 1.0)


def _ends(window: VoiWindow) -> tuple[float, float]:
    """The values at which a LINEAR or LINEAR_EXACT window reaches black and white."""
    center, width = window.center, window.width
    # LINEAR is defined for a width of 1 or more (PS3.3 C.11.2.1.2.1). Files with a smaller one
    # hold fractions, for which the exact function is the one that makes sense.
    if window.function is VoiFunction.LINEAR and width >= 1:
        center, width = center - 0.5, width - 1
    return center - width / 2, center + width / 2


def _curve(voi: Voi) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    if isinstance(voi, VoiTable):
        last = voi.first + len(voi.entries) - 1
        points = np.unique(np.linspace(voi.first, max(last, voi.first + 1), _TABLE_POINTS).round())
        return points, brightness(points, voi)
    if voi.function is VoiFunction.SIGMOID:
        reach = 2.0 * voi.width  # beyond it the output differs from 0 or 1 by less than 0.001
        points = np.linspace(voi.center - reach, voi.center + reach, _SIGMOID_POINTS)
        return points, brightness(points, voi)
    return np.array(_ends(voi)), np.array([0.0, 1.0])
