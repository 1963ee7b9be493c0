"""One radiograph looks the same to the network however its file stores it."""

from __future__ import annotations

import numpy as np
import pytest

from detector.preprocess import brightness, to_network
from detector.types import Box, DetectorError, ImageInput, ToneCurve


def scene(rows: int = 300, columns: int = 260) -> np.ndarray:
    """A smooth picture in 0..1 with a dark and a bright part."""
    y, x = np.mgrid[0:rows, 0:columns]
    noise = np.random.default_rng(0).normal(0, 0.01, (rows, columns))
    return np.clip(0.5 + 0.3 * np.sin(x / 40) * np.cos(y / 55) + noise, 0, 1)


def test_8_bit_12_bit_and_monochrome1_agree() -> None:
    picture = scene()
    eight = brightness(ImageInput(np.round(picture * 255).astype(np.uint8)))
    stored = np.round(800 + picture * 2000).astype(np.int16)
    twelve = brightness(ImageInput(stored, ToneCurve((800, 2800), (0, 1))))
    inverted = brightness(ImageInput((4095 - stored).astype(np.uint16),
                                     ToneCurve((4095 - 2800, 4095 - 800), (1, 0))))  # fmt: skip
    assert np.abs(eight - twelve).max() < 0.01
    assert np.abs(twelve - inverted).max() < 1e-5


def test_exposure_does_not_matter() -> None:
    picture = scene()
    plain = brightness(ImageInput(picture))
    dim = brightness(ImageInput(picture * 0.4 + 0.1))
    assert np.abs(plain - dim).max() < 1e-4


def test_float_values_go_through_the_curve_as_integers_do() -> None:
    stored = np.round(scene() * 4000 - 1000).astype(np.int32)
    curve = ToneCurve((-900, 500, 2500), (0, 0.7, 1))
    as_floats = brightness(ImageInput(stored.astype(np.float32), curve))
    assert np.abs(brightness(ImageInput(stored, curve)) - as_floats).max() < 1e-5


def test_a_wide_range_of_integers_needs_no_table() -> None:
    values = np.array([[0, 2**31 - 1], [2**30, 5]], dtype=np.int64).repeat(50, 0).repeat(50, 1)
    shown = brightness(ImageInput(values, ToneCurve((0, 2**31), (0, 1))))
    assert shown.max() == pytest.approx(1)
    assert shown[60, 10] == pytest.approx(0.5, abs=0.01)


def test_black_collimation_does_not_move_the_range() -> None:
    picture = 0.3 + 0.6 * scene()
    framed = np.zeros((500, 560))
    framed[100:400, 150:410] = picture
    inside = brightness(ImageInput(framed))[100:400, 150:410]
    assert np.abs(inside - brightness(ImageInput(picture))).mean() < 0.02


def test_colour_is_read_as_luma() -> None:
    grey = np.round(scene() * 255).astype(np.uint8)
    colour = np.repeat(grey[:, :, None], 3, axis=2)
    assert np.abs(brightness(ImageInput(colour)) - brightness(ImageInput(grey))).max() < 0.01


def test_a_flat_picture_is_black_and_finite() -> None:
    assert not brightness(ImageInput(np.full((20, 30), 7))).any()


def test_not_a_number_is_dark_and_all_of_it_is_refused() -> None:
    picture = scene()
    picture[:5] = np.nan
    assert np.isfinite(brightness(ImageInput(picture))).all()
    with pytest.raises(DetectorError, match="no finite value"):
        brightness(ImageInput(np.full((9, 9), np.nan)))


@pytest.mark.parametrize("shape", [(4,), (3, 4, 5, 6), (0, 5), (5, 5, 2)])
def test_a_picture_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DetectorError, match="shape"):
        brightness(ImageInput(np.zeros(shape)))


@pytest.mark.parametrize(("rows", "columns"), [(300, 260), (260, 300), (64, 64), (3000, 2000)])
def test_boxes_come_back_from_the_input(rows: int, columns: int) -> None:
    square, geometry = to_network(np.zeros((rows, columns), dtype=np.float32), 320)
    box = Box(10.5, 20.25, columns - 7, rows - 3)
    back = geometry.to_frame(*geometry.to_input(box))
    assert square.shape == (320, 320)
    assert back is not None
    assert np.allclose(back.xywh(), box.xywh(), atol=1e-6)


def test_a_bright_patch_lies_where_its_box_says() -> None:
    picture = np.zeros((200, 400), dtype=np.float32)
    picture[50:100, 300:360] = 1
    square, geometry = to_network(picture, 320)
    x_min, y_min, x_max, y_max = (round(v) for v in geometry.to_input(Box(300, 50, 360, 100)))
    assert square[y_min:y_max, x_min:x_max].min() > 0.9
    assert square.sum() == pytest.approx(square[y_min:y_max, x_min:x_max].sum(), rel=0.02)


def test_boxes_are_clipped_to_the_frame_and_the_margin_holds_none() -> None:
    _, geometry = to_network(np.zeros((100, 200), dtype=np.float32), 320)
    clipped = geometry.to_frame(-50, 100, 400, 400)
    assert clipped is not None
    assert (clipped.x_min, clipped.x_max, clipped.y_max) == (0, 200, 100)
    assert geometry.to_frame(10, 2, 50, 60) is None  # in the black above the picture
