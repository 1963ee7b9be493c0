"""Boxes go where their pixels go, and each epoch shows every kind of image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from detector.dataset.sample import LabelledBox, Sample
from detector.dataset.sources import read_dataset
from detector.preprocess import Geometry
from detector.training import augment as augment_module
from detector.training.augment import Augmenter, Prepared, as_images, draw, prepare
from detector.types import Box, DetectorError
from tests.detector.training_material import patches

SQUARE = 160


def prepared(sample: Sample, pixels: np.ndarray | None = None) -> Prepared:
    picture = np.zeros((SQUARE, SQUARE), np.uint8) if pixels is None else pixels
    return Prepared(sample, picture, Geometry(1.0, 0.0, 0.0, SQUARE, SQUARE))


@pytest.mark.parametrize(("augmentation", "most_off"), [("mild", 3), ("strong", 5)])
def test_a_bright_patch_stays_inside_its_box(augmentation: str, most_off: float) -> None:
    pixels = np.zeros((SQUARE, SQUARE), np.uint8)
    pixels[50:90, 30:100] = 255
    sample = Sample(Path("a"), "p", (LabelledBox(Box(30, 50, 100, 90), "effusion"),),
                    complete=frozenset({"effusion"}), image_classes={"Mass": True})  # fmt: skip
    augment = Augmenter(("opacity", "effusion"), ("Mass", "Edema"), augmentation)
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    places = set()
    for _ in range(20):
        image, target = augment(prepared(sample, pixels), generator)
        assert image.shape == (1, SQUARE, SQUARE)
        assert 0 <= float(image.min()) <= float(image.max()) <= 1
        ys, xs = torch.nonzero(image[0] > 0.3, as_tuple=True)
        x_min, y_min, x_max, y_max = target.boxes[0].tolist()
        assert abs(float(xs.min()) - x_min) < most_off
        assert abs(float(xs.max()) + 1 - x_max) < most_off
        assert abs(float(ys.min()) - y_min) < most_off
        assert abs(float(ys.max()) + 1 - y_max) < most_off
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
    # Never fewer than asked for: with small batches the last step would have no picture.
    for count in range(1, 31):
        assert len(draw(items, count, torch.Generator().manual_seed(0))) == count


def test_a_weak_report_counts_as_much_as_it_says() -> None:
    sample = Sample(Path("a"), "p", complete=frozenset({"opacity"}), weak={"effusion": 0.3})
    augment = Augmenter(("opacity", "effusion", "nodule"), ())
    _, target = augment(prepared(sample), torch.Generator().manual_seed(0))
    assert target.complete.tolist() == pytest.approx([1.0, 0.3, 0.0])


@pytest.mark.parametrize("augmentation", ["mild", "strong"])
def test_colour_stays_in_three_planes(augmentation: str) -> None:
    pixels = np.zeros((SQUARE, SQUARE, 3), np.uint8)
    pixels[..., 0] = 200
    item = prepared(Sample(Path("a"), "p"), pixels)
    torch.manual_seed(0)
    augment = Augmenter((), (), augmentation)
    image, _ = augment(item, torch.Generator().manual_seed(0))
    assert image.shape == (3, SQUARE, SQUARE)
    assert image[0].mean() > image[1].mean() + 0.2
    assert as_images([item])[0, :, 5, 5].tolist() == pytest.approx([200 / 255, 0, 0])


def test_strong_augmentation_adds_noise_to_some_pictures() -> None:
    torch.manual_seed(0)
    augment = Augmenter((), (), "strong")
    item = prepared(Sample(Path("a"), "p"), np.full((SQUARE, SQUARE), 128, np.uint8))
    middle = slice(60, 100)
    noisy = [
        bool(augment(item, torch.Generator().manual_seed(i))[0][0, middle, middle].std() > 0.005)
        for i in range(40)
    ]
    assert 2 <= sum(noisy) <= 18  # a fifth


def test_images_above_the_limit_go_to_a_file_that_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = read_dataset(patches(tmp_path / "e", 5)).samples
    in_memory = prepare(samples, 64, lambda _: None, folder=tmp_path / "f")
    assert not (tmp_path / "f").exists()
    monkeypatch.setattr(augment_module, "MOST_IN_MEMORY", 5 * 64 * 64 - 1)
    loaded: list[str] = []
    real = Sample.load

    def load(self: Sample) -> object:
        if len(loaded) == 3:
            raise OSError(28, "No space left on device")  # while the fourth is written
        loaded.append(self.path.name)
        return real(self)

    with monkeypatch.context() as patch:
        patch.setattr(Sample, "load", load)
        with pytest.raises(DetectorError, match="No space left on device"):
            prepare(samples, 64, lambda _: None, folder=tmp_path / "f")
    loaded.clear()
    with monkeypatch.context() as patch:
        patch.setattr(Sample, "load", load)
        mapped = prepare(samples, 64, lambda _: None, folder=tmp_path / "f")
    assert loaded == [s.path.name for s in samples[3:]]
    for one, other in zip(in_memory, mapped, strict=True):
        assert isinstance(other.pixels, np.memmap)
        assert np.array_equal(one.pixels, other.pixels)
        assert one.geometry == other.geometry
    assert torch.equal(as_images(in_memory), as_images(mapped))
