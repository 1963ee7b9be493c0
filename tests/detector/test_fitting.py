"""The loop learns, says what it does, and is the same each time."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from detector.dataset.sources import read_dataset
from detector.networks.network import DetectionNetwork
from detector.training import loop
from detector.training.augment import Prepared, prepare
from detector.training.fitting import Recipe, fit, new_network
from detector.training.history import EpochFigures, plot
from detector.training.validation import validate
from detector.types import DetectorError
from tests.detector.labelled_images import radiograph, write_export
from tests.detector.training_material import SHORT, material


def trained(prepared: list[Prepared], recipe: Recipe, folder: Path, **more: object) -> dict:
    network = new_network(recipe, ("opacity",), ("Mass",), prepared, None)
    network = fit(network, prepared, recipe, ("opacity",), ("Mass",),
                  checkpoint=folder / "c", **more)  # type: ignore[arg-type] # fmt: skip
    return network.state_dict()


def test_training_from_chance_learns_a_bright_patch(tmp_path: Path) -> None:
    _, prepared = material(tmp_path / "e")
    recipe = replace(SHORT, epochs=3, images_per_epoch=64, batch=8, learning_rate=4e-3)
    history: list[EpochFigures] = []
    lines: list[str] = []
    trained(prepared, recipe, tmp_path, history=history, progress=lines.append)
    assert [entry.epoch for entry in history] == [1, 2, 3]
    assert history[-1].losses["box"] < 0.8 * history[0].losses["box"]
    assert history[0].average_precision == {}
    lines = [line for line in lines if "loss" in line]  # a slow computer says more
    assert lines[0].startswith(f"epoch 1 of 3: loss {history[0].loss:.3f} (score ")
    assert lines[0].endswith(" left")
    assert "left" not in lines[2]


def test_the_same_seed_gives_the_same_weights_and_another_one_others(tmp_path: Path) -> None:
    _, prepared = material(tmp_path / "e", 6)

    def digest(seed: int, place: str) -> str:
        torch.manual_seed(len(place))  # what came before must not matter
        content = hashlib.sha256()
        recipe = replace(SHORT, seed=seed, augmentation="strong", epochs=1)
        for value in trained(prepared, recipe, tmp_path / place).values():
            content.update(value.contiguous().numpy().tobytes())
        return content.hexdigest()

    first = digest(1, "a")
    assert digest(1, "bb") == first
    assert digest(2, "ccc") != first


def test_validation_measures_other_patients_and_changes_nothing(tmp_path: Path) -> None:
    _, prepared = material(tmp_path / "e", 9)
    history: list[EpochFigures] = []
    lines: list[str] = []
    with_it = trained(prepared[:6], SHORT, tmp_path / "a", history=history,
                      held_out=prepared[6:], progress=lines.append)  # fmt: skip
    without = trained(prepared[:6], SHORT, tmp_path / "b")
    assert all(torch.equal(value, without[name]) for name, value in with_it.items())
    assert [set(entry.average_precision) for entry in history] == [{"opacity"}, {"opacity"}]
    assert all(0 <= entry.average_precision["opacity"] <= 1 for entry in history)
    assert "validation AP opacity 0." in lines[0]


class Oracle(torch.nn.Module):
    """Answers with the boxes that it was given, the wrong ones scored lower."""

    def __init__(self, boxes: torch.Tensor, scores: torch.Tensor):
        super().__init__()
        self.boxes, self.scores = boxes, scores

    def forward(self, images: torch.Tensor) -> object:
        from detector.networks.network import NetworkOutput

        count = len(images)
        return NetworkOutput(
            self.boxes[:count], self.scores.logit()[:count], torch.zeros(count, 0),
            torch.zeros(2, 2), torch.ones(2),
        )  # fmt: skip


def test_validation_precision_is_that_of_known_answers(tmp_path: Path) -> None:
    _, prepared = material(tmp_path / "e", 3)
    boxed = [item for item in prepared if item.sample.objects]
    truth = [item.geometry.to_input(item.sample.objects[0].box) for item in boxed]
    boxes = torch.tensor([[box, (0.0, 0.0, 9.0, 9.0)] for box in truth])
    high, low = torch.tensor([[[0.9], [0.2]]] * 2), torch.tensor([[[0.2], [0.9]]] * 2)
    assert validate(Oracle(boxes, high), boxed, ("opacity", "effusion")) == {"opacity": 1.0}
    halved = validate(Oracle(boxes, low), boxed, ("opacity",))["opacity"]
    assert halved == pytest.approx(0.5, abs=0.01)


def test_an_image_that_was_not_read_for_a_category_is_not_measured_for_it(tmp_path: Path) -> None:
    export = write_export(tmp_path / "e", [
        {"name": "a.png", "picture": radiograph(1, (30, 40, 40, 50)), "review": "partial",
         "boxes": [(1, 30, 40, 40, 50)]},
    ])  # fmt: skip
    prepared = prepare(read_dataset(export).samples, 64, lambda _: None)
    network = new_network(replace(SHORT, input_size=64), ("opacity",), (), prepared, None)
    assert validate(network.eval(), prepared, ("opacity",)) == {}


def test_label_epochs_train_the_image_classes_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, prepared = material(tmp_path / "e", 6)
    for item in prepared:
        item.sample.image_classes["Mass"] = True  # type: ignore[index]
    recipe = replace(SHORT, label_epochs=1, epochs=1, weight_decay=0.0)
    history: list[EpochFigures] = []
    seen: list[dict[str, torch.Tensor]] = []
    save = loop.Loop.close_epoch

    def watch(self: loop.Loop, figures: EpochFigures) -> None:
        state = self._network.state_dict()
        seen.append({name: value.clone() for name, value in state.items()})
        save(self, figures)

    monkeypatch.setattr(loop.Loop, "close_epoch", watch)
    before = new_network(recipe, ("opacity",), ("Mass",), prepared, None).state_dict()
    trained(prepared, recipe, tmp_path, history=history)
    head, body = "heads.0.category.weight", "dark3.0.1.0.weight"
    assert torch.equal(seen[0][head], before[head])
    assert not torch.equal(seen[0][body], before[body])
    assert not torch.equal(seen[1][head], before[head])
    assert [set(entry.losses) for entry in history] == [{"image"}, {"score", "box", "image"}]


def test_a_loss_that_is_no_number_stops_before_it_reaches_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, prepared = material(tmp_path / "e", 6)
    trained(prepared, replace(SHORT, epochs=1), tmp_path)
    kept = (tmp_path / "c").read_bytes()
    (tmp_path / "c").unlink()
    real = loop.Loop.close_epoch

    def spoil(self: loop.Loop, figures: EpochFigures) -> None:
        real(self, figures)
        kept_now.append((tmp_path / "c").read_bytes())
        with torch.no_grad():
            next(self._network.parameters()).fill_(float("nan"))

    kept_now: list[bytes] = []
    monkeypatch.setattr(loop.Loop, "close_epoch", spoil)
    with pytest.raises(DetectorError, match="no number any more in epoch 2"):
        trained(prepared, SHORT, tmp_path)
    assert [(tmp_path / "c").read_bytes()] == kept_now
    assert kept


@pytest.mark.parametrize("architecture", ["retinanet", "fcos", "faster_rcnn", "ssdlite"])
def test_every_architecture_trains_by_the_same_loop(architecture: str, tmp_path: Path) -> None:
    _, prepared = material(tmp_path / "e", 4, 64)
    recipe = Recipe(
        architecture, (8, 16, 32), "mobilenet_v3", input_size=64, epochs=1, images_per_epoch=4,
        batch=2,
    )  # fmt: skip
    history: list[EpochFigures] = []
    before = new_network(recipe, ("opacity",), ("Mass",), prepared, None)
    assert isinstance(before, DetectionNetwork)
    after = trained(prepared, recipe, tmp_path, history=history, held_out=prepared[:2])
    assert history[0].loss > 0
    moved = [name for name, v in before.state_dict().items() if not torch.equal(v, after[name])]
    assert any(name.startswith("backbone.") for name in moved)
    assert any(not name.startswith("backbone.") for name in moved)


def test_the_plot_is_a_picture_also_where_a_category_was_measured_late() -> None:
    history = [
        EpochFigures(1, {"image": 1.0}),
        EpochFigures(2, {"image": 0.9, "box": 0.5}, {"opacity": 0.1}),
    ]
    assert plot(history).startswith(b"\x89PNG")
    assert plot(history[:1]).startswith(b"\x89PNG")
