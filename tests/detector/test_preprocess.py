"""One radiograph looks the same to the network however its file stores it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from detector.preprocess import to_square
from detector.types import Box, DetectorError, ImageInput, ToneCurve


def scene(rows: int = 300, columns: int = 260) -> np.ndarray:
    """A smooth picture in 0..1 with a dark and a bright part."""
    y, x = np.mgrid[0:rows, 0:columns]
    noise = np.random.default_rng(0).normal(0, 0.01, (rows, columns))
    return np.clip(0.5 + 0.3 * np.sin(x / 40) * np.cos(y / 55) + noise, 0, 1)


def presented(image: ImageInput, channels: int = 1) -> np.ndarray:
    """The picture of the square, at its own size."""
    rows, columns = (*np.shape(image.values), 1, 1)[:2]
    square, geometry = to_square(image, max(rows, columns, 1), channels)
    top, left = round(geometry.top), round(geometry.left)
    return square[top : top + rows, left : left + columns]


def test_8_bit_12_bit_and_monochrome1_agree() -> None:
    picture = scene()
    eight = presented(ImageInput(np.round(picture * 255).astype(np.uint8)))
    stored = np.round(800 + picture * 2000).astype(np.int16)
    twelve = presented(ImageInput(stored, ToneCurve((800, 2800), (0, 1))))
    inverted = presented(ImageInput((4095 - stored).astype(np.uint16),
                                     ToneCurve((4095 - 2800, 4095 - 800), (1, 0))))  # fmt: skip
    assert np.abs(eight - twelve).max() < 0.01
    assert np.abs(twelve - inverted).max() < 1e-5


def test_exposure_does_not_matter() -> None:
    picture = scene()
    plain = presented(ImageInput(picture))
    dim = presented(ImageInput(picture * 0.4 + 0.1))
    assert np.abs(plain - dim).max() < 1e-4


def test_float_values_go_through_the_curve_as_integers_do() -> None:
    stored = np.round(scene() * 4000 - 1000).astype(np.int32)
    curve = ToneCurve((-900, 500, 2500), (0, 0.7, 1))
    as_floats = presented(ImageInput(stored.astype(np.float32), curve))
    assert np.abs(presented(ImageInput(stored, curve)) - as_floats).max() < 1e-5


def test_a_wide_range_of_integers_needs_no_table() -> None:
    values = np.array([[0, 2**31 - 1], [2**30, 5]], dtype=np.int64).repeat(50, 0).repeat(50, 1)
    shown = presented(ImageInput(values, ToneCurve((0, 2**31), (0, 1))))
    assert shown.max() == pytest.approx(1)
    assert shown[60, 10] == pytest.approx(0.5, abs=0.01)


def test_black_collimation_does_not_move_the_range() -> None:
    picture = 0.3 + 0.6 * scene()
    framed = np.zeros((500, 560))
    framed[100:400, 150:410] = picture
    inside = presented(ImageInput(framed))[100:400, 150:410]
    assert np.abs(inside - presented(ImageInput(picture))).mean() < 0.02


def test_colour_is_read_as_luma() -> None:
    grey = np.round(scene() * 255).astype(np.uint8)
    colour = np.repeat(grey[:, :, None], 3, axis=2)
    assert np.abs(presented(ImageInput(colour)) - presented(ImageInput(grey))).max() < 0.01


def test_a_flat_picture_is_black_and_finite() -> None:
    assert not presented(ImageInput(np.full((20, 30), 7))).any()


def test_not_a_number_is_dark_and_all_of_it_is_refused() -> None:
    picture = scene()
    picture[:5] = np.nan
    assert np.isfinite(presented(ImageInput(picture))).all()
    with pytest.raises(DetectorError, match="no finite value"):
        presented(ImageInput(np.full((9, 9), np.nan)))


@pytest.mark.parametrize("shape", [(4,), (3, 4, 5, 6), (0, 5), (5, 5, 2)])
def test_a_picture_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DetectorError, match="shape"):
        presented(ImageInput(np.zeros(shape)))


@pytest.mark.parametrize(("rows", "columns"), [(300, 260), (260, 300), (64, 64), (3000, 2000)])
def test_boxes_come_back_from_the_input(rows: int, columns: int) -> None:
    square, geometry = to_square(ImageInput(np.zeros((rows, columns), dtype=np.float32)), 320)
    box = Box(10.5, 20.25, columns - 7, rows - 3)
    back = geometry.to_frame(*geometry.to_input(box))
    assert square.shape == (320, 320)
    assert back is not None
    assert np.allclose(back.xywh(), box.xywh(), atol=1e-6)


def test_a_bright_patch_lies_where_its_box_says() -> None:
    picture = np.random.default_rng(0).uniform(0, 0.1, (200, 400))
    picture[50:100, 300:360] = 1
    square, geometry = to_square(ImageInput(picture), 320)
    x_min, y_min, x_max, y_max = (round(v) for v in geometry.to_input(Box(300, 50, 360, 100)))
    assert square[y_min:y_max, x_min:x_max].min() > 0.9
    square[y_min:y_max, x_min:x_max] = 0
    assert square.max() < 0.2


def test_boxes_are_clipped_to_the_frame_and_the_margin_holds_none() -> None:
    _, geometry = to_square(ImageInput(np.zeros((100, 200), dtype=np.float32)), 320)
    clipped = geometry.to_frame(-50, 100, 400, 400)
    assert clipped is not None
    assert (clipped.x_min, clipped.x_max, clipped.y_max) == (0, 200, 100)
    assert geometry.to_frame(10, 2, 50, 60) is None  # in the black above the picture


def test_three_channels_repeat_grey_and_keep_colour() -> None:
    stored = np.round(800 + scene() * 2000).astype(np.int16)
    image = ImageInput(stored, ToneCurve((800, 2800), (1, 0)))
    grey = presented(image)
    three = presented(image, channels=3)
    assert three.shape == (300, 260, 3)
    assert all(np.array_equal(three[:, :, c], grey) for c in range(3))
    pink = np.full((40, 30, 3), (255, 102, 153), np.uint8)
    pink[5:10, 5:10] = (51, 0, 0)
    kept = presented(ImageInput(pink), channels=3)
    assert kept.dtype == np.float32
    assert kept[0, 0] == pytest.approx((1.0, 0.4, 0.6))
    assert kept[6, 6] == pytest.approx((0.2, 0.0, 0.0))


def test_a_square_of_three_channels_is_each_of_them_alone() -> None:
    colour = np.random.default_rng(1).integers(0, 255, (50, 80, 3), dtype=np.uint8)
    square, geometry = to_square(ImageInput(colour), 64, channels=3)
    assert square.shape == (64, 64, 3)
    for channel in range(3):
        alone = cv2.resize(
            colour[:, :, channel].astype(np.float32) / 255, (64, 40), interpolation=cv2.INTER_AREA
        )
        assert geometry.top == 12
        assert np.abs(square[12:52, :, channel] - alone).max() < 1e-6


@pytest.mark.parametrize("shape", [(4,), (0, 5), (5, 5, 2), (0, 5, 3)])
def test_three_channels_refuse_another_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(DetectorError, match="shape"):
        presented(ImageInput(np.zeros(shape)), channels=3)


def test_colour_of_another_depth_is_refused() -> None:
    with pytest.raises(DetectorError, match="colour of 8 bits"):
        presented(ImageInput(np.zeros((5, 5, 3), np.uint16)), channels=3)


def test_a_large_picture_is_reduced_first_and_gives_nearly_the_same_square() -> None:
    random = np.random.default_rng(0).standard_normal((75, 63)).astype(np.float32)
    smooth = cv2.resize(random, (2503, 3001), interpolation=cv2.INTER_CUBIC)
    stored = ((smooth - smooth.min()) / np.ptp(smooth) * 4095).astype(np.uint16)
    image = ImageInput(stored, ToneCurve((500, 3560), (1, 0)))
    square, geometry = to_square(image, 416)
    whole = np.interp(stored[:3000, :2500], (500, 3560), (1, 0)).astype(np.float32)
    slow = cv2.resize(whole, (347, 416), interpolation=cv2.INTER_AREA)
    fitted = square[:, 34 : 34 + 347]
    between = (fitted > 0) & (fitted < 1)  # what the stretch has not clipped
    assert np.corrcoef(fitted[between], slow[between])[0, 1] > 0.9999
    assert (geometry.rows, geometry.columns) == (3001, 2503)
    box = Box(900, 700, 1500, 1400)
    scale = 416 / 3000
    assert geometry.to_input(box) == pytest.approx(
        (900 * scale + 34, 700 * scale, 1500 * scale + 34, 1400 * scale)
    )
    back = geometry.to_frame(*geometry.to_input(box))
    assert back is not None
    assert back.xywh() == pytest.approx(box.xywh())
    floats, _ = to_square(ImageInput(stored.astype(np.float64), image.tone_curve), 416)
    assert np.abs(floats - square).max() < 0.01


def test_a_picture_less_than_twice_too_large_is_not_halved() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (639, 300), dtype=np.uint8)
    square, _ = to_square(ImageInput(picture), 320)
    reduced = cv2.resize(picture.astype(np.float32), (150, 320), interpolation=cv2.INTER_AREA)
    fitted = square[:, 85 : 85 + 150]
    between = (fitted > 0) & (fitted < 1)  # what the stretch has not clipped
    assert np.corrcoef(fitted[between], reduced[between])[0, 1] > 0.99999
