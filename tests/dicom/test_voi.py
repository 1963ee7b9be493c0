from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_voi_lut

from viewer.dicom import voi
from viewer.dicom.model import (
    Frame,
    SupplementalPalette,
    Voi,
    VoiFunction,
    VoiTable,
    VoiWindow,
)


def frame_of(values: npt.NDArray[Any], **fields: Any) -> Frame:
    defaults: dict[str, Any] = {"pixel_sha256": "", "unit": "", "vois": (), "inverted": False}
    return Frame(values=values, **{**defaults, **fields})


def oracle(values: npt.NDArray[Any], chosen: Voi) -> npt.NDArray[Any]:
    """pydicom's picture, scaled from its own output range to 0..255."""
    dataset = Dataset()
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsStored = dataset.BitsAllocated = 16
    dataset.PixelRepresentation = 0
    if isinstance(chosen, VoiTable):
        item = Dataset()
        item.LUTDescriptor = [len(chosen.entries), chosen.first, chosen.bits]
        item.LUTData = list(chosen.entries)
        dataset.VOILUTSequence = [item]
        return apply_voi_lut(values, dataset) / (2**chosen.bits - 1) * 255
    dataset.WindowCenter, dataset.WindowWidth = chosen.center, chosen.width
    dataset.VOILUTFunction = chosen.function.value
    return apply_voi_lut(values, dataset) / 65535 * 255


RNG = np.random.default_rng(0)
VOIS: list[Voi] = [
    VoiWindow(40, 400),
    VoiWindow(40.5, 1),
    VoiWindow(-600, 1500),
    VoiWindow(2048, 4096),
    VoiWindow(100, 2),
    VoiWindow(40, 400, VoiFunction.LINEAR_EXACT),
    VoiWindow(10.25, 0.5, VoiFunction.LINEAR_EXACT),
    VoiWindow(300, 900, VoiFunction.SIGMOID),
]


@pytest.mark.parametrize("chosen", VOIS)
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.int32, np.float32])
def test_pictures_equal_the_oracle(chosen: Voi, dtype: type) -> None:
    low, high = (0, 255) if dtype is np.uint8 else (-128, 127) if dtype is np.int8 else (0, 4096)
    if dtype in (np.int16, np.int32, np.float32):
        low, high = -2000, 3000
    values = RNG.integers(low, high, (64, 64), endpoint=True).astype(dtype)
    picture = voi.picture(frame_of(values), chosen)
    assert picture.dtype == np.uint8
    assert np.abs(picture - oracle(values, chosen)).max() <= 1


def test_a_table_of_eight_bits() -> None:
    table = VoiTable(-2, (10, 20, 250), 8)
    values = np.array([[-50, -2, -1, 0, 1, 99]], np.int16)
    assert voi.picture(frame_of(values), table).tolist() == [[10, 10, 20, 250, 250, 250]]


@pytest.mark.parametrize("bits", [10, 12, 16])  # pydicom wraps the index of 8-bit tables round
def test_tables_equal_the_oracle(bits: int) -> None:
    entries = np.sort(RNG.integers(0, 2**bits, 500))
    table = VoiTable(100, tuple(entries.tolist()), bits)
    values = RNG.integers(0, 1000, (64, 64)).astype(np.uint16)
    assert np.abs(voi.picture(frame_of(values), table) - oracle(values, table)).max() <= 1


def test_a_wide_range_of_integers() -> None:
    values = np.array([[-1_000_000, 0, 1_000_000]], np.int32)
    window = VoiWindow(0, 2_000_000, VoiFunction.LINEAR_EXACT)
    assert voi.picture(frame_of(values), window).tolist() == [[0, 128, 255]]


def test_a_linear_width_below_one_is_exact() -> None:
    values = np.array([[0.0, 0.25, 0.5, 0.75, 1.0]], np.float32)
    picture = voi.picture(frame_of(values), VoiWindow(0.5, 0.5))
    assert picture.tolist() == [[0, 0, 128, 255, 255]]


def test_not_a_number_is_black() -> None:
    values = np.array([[np.nan, 1.0, -np.inf, np.inf]], np.float32)
    picture = voi.picture(frame_of(values), VoiWindow(0.5, 1, VoiFunction.LINEAR_EXACT))
    assert picture.tolist() == [[0, 255, 0, 255]]


def test_inversions_cancel() -> None:
    values = np.array([[0, 50, 100]], np.uint16)
    window = VoiWindow(50.5, 101)
    plain = voi.picture(frame_of(values), window)
    assert plain.tolist() == [[0, 128, 255]]
    assert voi.picture(frame_of(values, inverted=True), window).tolist() == [[255, 128, 0]]
    both = voi.picture(frame_of(values, inverted=True), window, inverted=True)
    np.testing.assert_array_equal(both, plain)


def test_colour_passes_through() -> None:
    rgb = RNG.integers(0, 256, (4, 4, 3)).astype(np.uint8)
    frame = frame_of(rgb)
    np.testing.assert_array_equal(voi.picture(frame, voi.default_voi(frame)), rgb)
    np.testing.assert_array_equal(voi.picture(frame, VoiWindow(0, 1), inverted=True), 255 - rgb)
    assert voi.tone_curve(frame) is None


def test_the_automatic_window_leaves_padding_and_outliers_out() -> None:
    values = RNG.integers(1000, 2001, (400, 400)).astype(np.int16)
    values[:100] = -2000
    values[200, 200] = 30000
    window = voi.auto_window(frame_of(values, padding=(-2000.0, -2000.0)))
    assert window.center == pytest.approx(1500, abs=5)
    assert window.width == pytest.approx(990, abs=8)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_automatic_window_of_a_constant_picture(dtype: type) -> None:
    frame = frame_of(np.full((4, 4), 7, dtype))
    assert voi.picture(frame, voi.auto_window(frame)).shape == (4, 4)


def test_the_file_comes_before_automatic() -> None:
    first, second = VoiWindow(1, 2), VoiWindow(3, 4)
    assert voi.default_voi(frame_of(np.zeros((2, 2)), vois=(first, second))) == first


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize(
    "chosen", [*VOIS, VoiTable(50, tuple(range(0, 4000, 4)), 12), VoiTable(5, (0, 255), 8)]
)
def test_the_tone_curve_is_the_picture(chosen: Voi, inverted: bool) -> None:
    values = RNG.integers(-2000, 3000, (64, 64)).astype(np.int16)
    frame = frame_of(values, vois=(chosen,), inverted=inverted)
    curve = voi.tone_curve(frame)
    assert curve is not None
    assert len(curve.values) <= 256
    toned = np.interp(values, curve.values, curve.outputs) * 255
    assert np.abs(toned - voi.picture(frame, chosen)).max() <= 2


def test_tone_curves_without_a_voi() -> None:
    values = np.array([[100, 4000, -5]], np.int16)
    curve = voi.tone_curve(frame_of(values, padding=(-5.0, -5.0), inverted=True))
    assert curve is not None
    assert (curve.values, curve.outputs) == ((100.0, 4000.0), (1.0, 0.0))
    eight_bits = values.astype(np.uint8)
    assert voi.tone_curve(frame_of(eight_bits)) is None
    assert voi.tone_curve(frame_of(eight_bits, inverted=True)) is not None


@pytest.mark.parametrize("function", list(VoiFunction))
def test_hopeless_windows_still_give_a_curve(function: VoiFunction) -> None:
    window = VoiWindow(9e11, 1e-9, function)
    curve = voi.tone_curve(frame_of(np.zeros((2, 2), np.float32), vois=(window,)))
    assert curve is not None
    assert curve.values[0] < curve.values[-1]


def test_values_that_are_not_numbers_do_not_make_the_curve() -> None:
    curve = voi.tone_curve(frame_of(np.array([[np.nan, np.inf, 2.0, 9.0]], np.float32)))
    assert curve is not None
    assert curve.values == (2.0, 9.0)


def test_a_nine_megapixel_picture_takes_a_tenth_of_pydicom() -> None:
    """In processor time, so that a busy machine does not decide; about 6 ms on an idle one."""
    frame = frame_of(RNG.integers(0, 4096, (3000, 3000)).astype(np.int16))
    times = []
    for step in range(5):
        start = time.process_time()
        voi.picture(frame, VoiWindow(2000 + step, 1500))
        times.append(time.process_time() - start)
    start = time.process_time()
    oracle(frame.values, VoiWindow(2000, 1500)).astype(np.uint8)
    assert min(times) < (time.process_time() - start) / 10


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32])
@pytest.mark.parametrize(("monochrome1", "inverted"), [(True, False), (False, True)])
def test_padding_never_turns_white(dtype: type, monochrome1: bool, inverted: bool) -> None:
    values = np.array([[0, 3, 5, 6, 50, 100]], dtype)
    frame = frame_of(values, inverted=monochrome1, padding=(0.0, 5.0))
    window = VoiWindow(50, 100, VoiFunction.LINEAR_EXACT)
    assert voi.picture(frame, window, inverted).tolist() == [[0, 0, 0, 240, 128, 0]]


def test_padding_goes_through_the_window_while_black_is_low() -> None:
    frame = frame_of(np.array([[0, 50, 100]], np.uint8), padding=(50.0, 50.0))
    window = VoiWindow(50, 100, VoiFunction.LINEAR_EXACT)
    assert voi.picture(frame, window).tolist() == [[0, 128, 255]]


def test_a_supplemental_palette_colours_the_values_from_its_first_one_on() -> None:
    entries = np.array([[10, 20, 30], [40, 50, 60]], np.uint8)
    palette = SupplementalPalette(first=100.0, step=0.5, entries=entries)
    values = np.array([[0.0, 99.5, 100.0, 100.5, 101.0, 5000.0]], np.float32)
    window = VoiWindow(50, 100, VoiFunction.LINEAR_EXACT)
    painted = voi.picture(frame_of(values, palette=palette), window)
    assert painted[0].tolist() == [
        [0, 0, 0],
        [254, 254, 254],
        [10, 20, 30],
        [40, 50, 60],
        [40, 50, 60],
        [40, 50, 60],
    ]
