"""The values inside a region of a frame, against numpy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.pixels.processing import apply_modality_lut

from detector.types import Box
from viewer.dicom.model import Frame
from viewer.dicom.pixels import decode
from viewer.dicom.region import Values, values_inside
from viewer.dicom.scan import scan

REGIONS = (
    Box(10.2, 20.7, 150.4, 90.1),
    Box(10.5, 20.5, 150.5, 90.5),  # sides on pixel centres
    Box(-30, -30, 1e4, 1e4),
    Box(33.3, 44.4, 34.1, 44.9),
)


def frame_of(values: npt.NDArray[Any], padding: tuple[float, float] | None = None) -> Frame:
    return Frame(values, "hash", "HU", (), False, padding)


def inside(box: Box, oval: bool, size: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Which pixel centres lie in a region, over the whole frame and in plain arithmetic."""
    rows, columns = np.mgrid[: size[0], : size[1]] + 0.5
    if not oval:
        across = (columns >= box.x_min) & (columns <= box.x_max)
        return across & (rows >= box.y_min) & (rows <= box.y_max)
    x = (columns - (box.x_min + box.x_max) / 2) / (box.width / 2)
    y = (rows - (box.y_min + box.y_max) / 2) / (box.height / 2)
    return x**2 + y**2 <= 1


@pytest.mark.parametrize("box", REGIONS)
@pytest.mark.parametrize("oval", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "u4", "f4"])
def test_the_values_inside_are_those_of_numpy(dtype: str, oval: bool, box: Box) -> None:
    low, high = (0, 256) if dtype == "u1" else (0 if dtype[0] == "u" else -3000, 30000)
    values = np.random.default_rng(3).integers(low, high, (120, 180)).astype(dtype)
    found = values_inside(frame_of(values), box, oval=oval)
    wanted = values[inside(box, oval, values.shape)].astype(np.float64)
    if wanted.size == 0:
        assert found is None
        return
    assert found is not None
    assert found.count == wanted.size
    assert found.mean == pytest.approx(wanted.mean(), rel=1e-12)
    assert found.deviation == pytest.approx(wanted.std(), rel=1e-9, abs=1e-9)
    assert (found.least, found.greatest) == (wanted.min(), wanted.max())


def test_padding_and_what_is_no_number_do_not_count() -> None:
    values = np.full((10, 10), 50, np.int16)
    values[:, 5:] = -2000
    whole = Box(0, 0, 10, 10)
    found = values_inside(frame_of(values, (-2000, -2000)), whole)
    assert found == Values(50, 50.0, 0.0, 50.0, 50.0)
    floats = values.astype(np.float32)
    floats[0] = np.nan
    floats[1] = np.inf
    found = values_inside(frame_of(floats), whole)
    assert found is not None
    assert (found.count, found.least, found.greatest) == (80, -2000, 50)


def test_where_no_pixel_centre_lies_inside_and_in_colour_there_are_no_values() -> None:
    grey, colour = np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3), np.uint8)
    assert values_inside(frame_of(grey), Box(3.6, 3.6, 4.4, 4.4)) is None
    assert values_inside(frame_of(grey), Box(50, 50, 60, 60)) is None
    assert values_inside(frame_of(grey), Box(-60, -60, -50, -50), oval=True) is None
    assert values_inside(frame_of(colour), Box(0, 0, 9, 9)) is None


def test_real_hounsfield_units_inside_an_oval(data_folder: Path) -> None:
    file = data_folder / "dicom" / "series_ct_philips_tilt_plus16" / "I190"
    (update, *_) = scan([file])
    frame = decode(update.images[0])
    dataset = pydicom.dcmread(file)
    values = apply_modality_lut(dataset.pixel_array, dataset)
    box = Box(180.3, 200.8, 300.9, 290.2)
    found = values_inside(frame, box, oval=True)
    wanted = values[inside(box, True, values.shape)]
    assert found is not None
    assert frame.unit == "HU"
    assert found.count == wanted.size > 8000
    assert found.mean == pytest.approx(wanted.mean())
    assert found.deviation == pytest.approx(wanted.std())
    assert (found.least, found.greatest) == (wanted.min(), wanted.max())
