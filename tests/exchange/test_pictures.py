from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from viewer.dicom.model import Frame
from viewer.exchange.pictures import png, to_stored


def frame_of(values: npt.NDArray[Any]) -> Frame:
    return Frame(values, "h", "", (), False)


def through_png(path: Path, values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], float, float]:
    """What a reader of the PNG gets back: stored values, and modality values' mapping."""
    picture = to_stored(frame_of(values))
    (path / "x.png").write_bytes(png(picture.stored))
    return cv2.imread(str(path / "x.png"), cv2.IMREAD_UNCHANGED), picture.slope, picture.intercept


def random_values(low: int, high: int, dtype: str) -> npt.NDArray[Any]:
    values = np.random.default_rng(1).integers(low, high + 1, (21, 17))
    values[0, 0], values[0, 1] = low, high
    return values.astype(dtype)


@pytest.mark.parametrize(
    ("low", "high", "dtype", "stored"),
    [
        (0, 255, "uint8", "uint8"),
        (0, 255, "int16", "uint8"),
        (0, 256, "int16", "uint16"),
        (0, 4095, "int16", "uint16"),
        (0, 65535, "uint16", "uint16"),
        (-1024, 3071, "int16", "uint16"),
        (-32768, 32767, "int16", "uint16"),
        (100_000, 165_535, "int32", "uint16"),
        (-1024, 3071, "float32", "uint16"),
        (0, 200, "float32", "uint8"),
        (7, 7, "int16", "uint8"),
        (-7, -7, "int16", "uint16"),
    ],
)
def test_whole_numbers_come_back_exactly(
    tmp_path: Path, low: int, high: int, dtype: str, stored: str
) -> None:
    values = random_values(low, high, dtype)
    read, slope, intercept = through_png(tmp_path, values)
    assert read.dtype == stored
    assert slope == 1.0
    np.testing.assert_array_equal(read.astype(np.int64) + int(intercept), values.astype(np.int64))


@pytest.mark.parametrize("scale", [1e-6, 0.37, 1e9])
def test_fractions_come_back_within_half_a_step(tmp_path: Path, scale: float) -> None:
    values = (np.random.default_rng(2).normal(size=(31, 29)) * scale).astype(np.float32)
    read, slope, intercept = through_png(tmp_path, values)
    assert read.dtype == np.uint16
    assert (read.min(), read.max()) == (0, 65535)
    error = np.abs(read * slope + intercept - values.astype(np.float64))
    assert error.max() <= slope * 0.5001


def test_a_range_beyond_16_bits_is_rounded(tmp_path: Path) -> None:
    values = random_values(0, 1_000_000, "int32")
    read, slope, intercept = through_png(tmp_path, values)
    assert np.abs(read * slope + intercept - values).max() <= slope * 0.5001


def test_what_is_no_number_becomes_the_lowest(tmp_path: Path) -> None:
    values = np.array([[np.nan, 0.25], [np.inf, 1.5]], np.float32)
    read, slope, intercept = through_png(tmp_path, values)
    np.testing.assert_allclose(read * slope + intercept, [[0.25, 0.25], [0.25, 1.5]], atol=slope)


def test_colour_comes_back_in_order(tmp_path: Path) -> None:
    values = np.random.default_rng(3).integers(0, 256, (9, 11, 3)).astype(np.uint8)
    read, _, _ = through_png(tmp_path, values)
    np.testing.assert_array_equal(read[..., ::-1], values)


def test_a_file_holds_pixels_and_nothing_else(tmp_path: Path) -> None:
    through_png(tmp_path, random_values(0, 4095, "int16"))
    content = (tmp_path / "x.png").read_bytes()
    chunks, place = [], 8
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        chunks.append(content[place + 4 : place + 8])
        place += 12 + length
    assert set(chunks) == {b"IHDR", b"IDAT", b"IEND"}
