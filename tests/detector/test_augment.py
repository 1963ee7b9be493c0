"""Boxes go where their pixels go, and each epoch shows every kind of image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from detector.dataset.sample import LabelledBox, Sample
from detector.preprocess import Geometry
from detector.training.augment import Augmenter, Prepared, draw
from detector.types import Box

SQUARE = 160


def prepared(sample: Sample, pixels: np.ndarray | None = None) -> Prepared:
    picture = np.zeros((SQUARE, SQUARE), np.uint8) if pixels is None else pixels
    return Prepared(sample, picture, Geometry(1.0, 0.0, 0.0, SQUARE, SQUARE))


def test_a_bright_patch_stays_inside_its_box() -> None:
    pixels = np.zeros((SQUARE, SQUARE), np.uint8)
    pixels[50:90, 30:100] = 255
    sample = Sample(Path("a"), "p", (LabelledBox(Box(30, 50, 100, 90), "effusion"),),
                    complete=frozenset({"effusion"}), image_classes={"Mass": True})  # fmt: skip
    augment = Augmenter(("opacity", "effusion"), ("Mass", "Edema"))
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    places = set()
    for _ in range(20):
        image, target = augment(prepared(sample, pixels), generator)
        assert image.shape == (1, SQUARE, SQUARE)
        assert 0 <= float(image.min()) <= float(image.max()) <= 1
        ys, xs = torch.nonzero(image[0] > 0.3, as_tuple=True)
        x_min, y_min, x_max, y_max = target.boxes[0].tolist()
        assert abs(float(xs.min()) - x_min) < 3
        assert abs(float(xs.max()) + 1 - x_max) < 3
        assert abs(float(ys.min()) - y_min) < 3
        assert abs(float(ys.max()) + 1 - y_max) < 3
        assert target.categories.tolist() == [1]
        assert target.complete.tolist() == [0, 1]
        assert target.image_classes[0] == 1
        assert target.image_classes[1].isnan()
        places.add(round(x_min))
    assert len(places) > 10


def test_rejected_boxes_stay_apart_from_objects() -> None:
    sample = Sample(Path("a"), "p", (LabelledBox(Box(40, 40, 80, 80), "opacity"),),
                    (LabelledBox(Box(90, 90, 120, 120), "opacity"),))  # fmt: skip
    torch.manual_seed(1)
    _, target = Augmenter(("opacity",), ())(prepared(sample), torch.Generator().manual_seed(1))
    assert len(target.boxes) == len(target.rejected) == 1
    width = target.rejected[0, 2] - target.rejected[0, 0]
    assert width < target.boxes[0, 2] - target.boxes[0, 0]


def test_an_epoch_shows_all_kinds_and_goes_through_each_before_repeating() -> None:
    box = (LabelledBox(Box(1, 1, 9, 9), "opacity"),)
    kinds = (
        [Sample(Path(f"o{i}"), "p", box) for i in range(10)]
        + [Sample(Path(f"n{i}"), "p", complete=frozenset({"opacity"})) for i in range(100)]
        + [Sample(Path(f"w{i}"), "p", image_classes={"Mass": False}) for i in range(100)]
    )
    items = [prepared(s) for s in kinds]
    order = draw(items, 80, torch.Generator().manual_seed(0))
    names = [items[i].sample.path.name for i in order]
    counts = {kind: sum(n[0] == kind for n in names) for kind in "onw"}
    assert counts == {"o": 36, "n": 24, "w": 20}
    shown = [names.count(f"o{i}") for i in range(10)]
    assert max(shown) - min(shown) <= 1
    assert len({n for n in names if n[0] == "n"}) == 24
    assert set(draw(items[:10], 16, torch.Generator().manual_seed(0))) == set(range(10))
