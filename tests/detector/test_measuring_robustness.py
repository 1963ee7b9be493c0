"""The changed pictures are what their names say, and their boxes come back."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.dataset.sample import LabelledBox, Sample
from detector.measuring.robustness import (
    PLAIN,
    found_in_frame,
    perturbations,
    perturbed_image,
    robustness_figures,
)
from detector.measuring.seen import Seen
from detector.types import Box, Detection, ImageInput
from tests.detector.labelled_images import model_card, radiograph

ALL = perturbations()


def square(size: int = 128) -> np.ndarray:
    return (cv2.resize(radiograph(1, (30, 40, 40, 50)), (size, size)) / 255.0).astype(np.float32)


@pytest.mark.parametrize("name", ALL)
def test_a_changed_square_is_still_a_square_and_the_same_each_time(name: str) -> None:
    before = square()
    kept = before.copy()
    after = ALL[name](before)
    assert (after.shape, after.dtype) == (before.shape, np.float32)
    assert 0 <= after.min() <= after.max() <= 1
    assert np.array_equal(before, kept)
    assert 3e-4 < np.abs(after - before).mean() < 0.15
    assert np.array_equal(after, ALL[name](before))
    colour = np.repeat(before[:, :, None], 3, axis=2)
    assert ALL[name](colour).shape == colour.shape


def test_each_change_has_its_strength() -> None:
    grey = np.full((256, 256), 0.5, dtype=np.float32)
    assert ALL["gamma 0.7"](grey)[0, 0] == pytest.approx(0.5**0.7)
    assert ALL["gamma 1.4"](grey)[0, 0] == pytest.approx(0.5**1.4)
    assert ALL["noise"](grey).std() == pytest.approx(0.03, rel=0.02)
    point = np.zeros((512, 512), dtype=np.float32)
    point[256, 256] = 1.0
    spread = ALL["blur"](point)
    columns = np.arange(512) - 256
    assert (spread.sum(axis=0) * columns**2).sum() == pytest.approx(1.5**2, rel=0.05)
    lines = np.tile(np.array([0, 1], dtype=np.float32), (256, 128))
    assert ALL["half resolution"](lines) == pytest.approx(0.5)  # gone


@pytest.mark.parametrize("name", ["+5 degrees", "-5 degrees"])
def test_a_turned_mark_comes_back_to_where_it_was(name: str) -> None:
    picture = np.zeros((200, 200), dtype=np.float32)
    picture[30:50, 140:170] = 1.0  # rows 30 to 50, columns 140 to 170
    rows, columns = np.nonzero(ALL[name](picture) > 0.5)
    middle = columns.mean() + 0.5, rows.mean() + 0.5
    assert abs(middle[0] - 155) + abs(middle[1] - 40) > 4  # it was moved
    turned = Box.from_xywh(middle[0] - 15, middle[1] - 10, 30, 20)
    back = ALL[name].back(turned, 200)
    assert back.xywh() == pytest.approx((140, 30, 30, 20), abs=0.3)


def test_marks_on_a_changed_picture_are_told_in_the_frame() -> None:
    card = model_card()
    picture, geometry = perturbed_image(ImageInput(np.zeros((100, 200), np.uint8)),
                                        ALL["blur"], card)  # fmt: skip
    assert picture.values.shape == (card.input_size, card.input_size)
    scale = card.input_size / 200
    top = card.input_size / 4
    mark = Detection(
        Box(20 * scale, 10 * scale + top, 60 * scale, 50 * scale + top), 0.7, "opacity"
    )
    outside = Detection(Box(0, 0, 10, top - 2), 0.9, "opacity")
    (found,) = found_in_frame([mark, outside], ALL["blur"], geometry, card.input_size)
    assert (found.score, found.category) == (0.7, "opacity")
    assert (found.box.x_min, found.box.y_min) == pytest.approx((20, 10))
    assert (found.box.x_max, found.box.y_max) == pytest.approx((60, 50))


def test_the_drop_is_what_is_no_longer_found() -> None:
    box = Box(10, 10, 40, 40)
    plain, worse = [], []
    for patient in range(12):
        sample = Sample(Path(f"{patient}.png"), str(patient), (LabelledBox(box, "opacity"),),
                        complete=frozenset({"opacity"}))  # fmt: skip
        mark = (Detection(box, 0.9, "opacity"),)
        plain.append(Seen(sample, 100, 100, mark))
        worse.append(Seen(sample, 100, 100, mark if patient < 9 else ()))
    figures = robustness_figures(plain, {"noise": worse}, ("opacity", "effusion"), rounds=100)
    assert list(figures) == [PLAIN, "noise"]
    assert figures[PLAIN]["opacity"]["cpm"] == {
        "value": 1.0, "drop": 0.0, "drop_interval": [0.0, 0.0]
    }  # fmt: skip
    row = figures["noise"]["opacity"]["sensitivity_at_1"]
    assert (row["value"], row["drop"]) == (0.75, 0.25)
    assert row["drop_interval"][0] < 0.25 < row["drop_interval"][1]
    assert "effusion" not in figures["noise"]  # nobody read the images for it
