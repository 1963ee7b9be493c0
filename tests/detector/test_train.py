"""A model comes out of an export, and a stopped training goes on where it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from detector import model_store
from detector.dataset.sources import read_dataset
from detector.inference.predictor import Predictor
from detector.measuring.evaluate import evaluate, format_table
from detector.networks.yolox_start import load_yolox_nano
from detector.training import fitting
from detector.training.augment import prepare
from detector.training.fitting import Recipe, fit, new_network
from detector.training.train import train
from detector.types import DatasetError, DetectorError, ImageInput, ModelError
from tests.detector.labelled_images import radiograph, write_export

SHORT = Recipe(input_size=128, epochs=2, images_per_epoch=8, batch=4)


def test_fine_tuning_goes_on_from_the_base(
    tiny_export: Path, small_model: Path, tmp_path: Path
) -> None:
    lines: list[str] = []
    folder = train(tiny_export, tmp_path / "out", base=small_model, epochs=1, device="cpu",
                   progress=lines.append)  # fmt: skip
    card = model_store.read_card(folder)
    base = model_store.read_card(small_model)
    assert folder.name == card.name == "small-tuned"
    assert card.categories == base.categories
    assert card.training["patients"] == 3
    assert card.training["objects"] == {"opacity": 2}
    assert card.training["rejected_boxes"] == 1
    assert card.training["base"]["weights_sha256"] == base.weights_sha256
    assert card.weights_sha256 != base.weights_sha256
    assert any("epoch 1 of 1: loss" in line for line in lines)
    assert Predictor(folder, "cpu").predict(ImageInput(radiograph(9))).model_name == "small-tuned"
    assert not list((tmp_path / "out").glob("*checkpoint*"))
    again = train(tiny_export, tmp_path / "out", base=small_model, epochs=1, device="cpu")
    assert again.name == "small-tuned-2"


def test_a_new_category_joins_the_known_ones(small_model: Path, tmp_path: Path) -> None:
    export = write_export(
        tmp_path / "e",
        [{"name": "a.png", "picture": radiograph(1, (30, 40, 40, 50)),
          "boxes": [(5, 30, 40, 40, 50)]}],
        categories=[{"id": 5, "name": "nodule"}],
    )  # fmt: skip
    folder = train(export, tmp_path / "out", base=small_model, epochs=1, device="cpu")
    assert model_store.load(folder).card.categories == ("opacity", "effusion", "nodule")


def test_data_without_a_decision_is_refused(small_model: Path, tmp_path: Path) -> None:
    export = write_export(
        tmp_path / "e", [{"name": "a.png", "picture": radiograph(1), "review": "partial"}]
    )
    with pytest.raises(DatasetError, match="no decided box"):
        train(export, tmp_path / "out", base=small_model, device="cpu")


def test_training_from_scratch_learns_a_bright_patch(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    images = []
    for i in range(12):
        x, y, w, h = (int(v) for v in (*random.integers(10, 60, 2), *random.integers(30, 50, 2)))
        images.append({"name": f"{i}.png", "picture": radiograph(i, (x, y, w, h)),
                       "boxes": [(1, x, y, w, h)]})  # fmt: skip
    data = read_dataset(write_export(tmp_path / "e", images))
    prepared = prepare(data.samples, 128, lambda _: None)
    recipe = replace(SHORT, epochs=3, images_per_epoch=96, batch=8, learning_rate=4e-3)
    network = new_network(recipe, data.categories, (), prepared, None)
    losses: list[float] = []
    fit(network, prepared, recipe, data.categories, (), checkpoint=tmp_path / "c",
        progress=lambda line: losses.append(float(line.split("loss ")[1].split()[0])))  # fmt: skip
    assert len(losses) == 3
    assert losses[-1] < 0.8 * losses[0], losses


def test_a_stopped_training_goes_on_to_the_same_weights(
    tiny_export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = read_dataset(tiny_export)
    prepared = prepare(data.samples, 128, lambda _: None)

    def run(checkpoint: Path) -> torch.nn.Module:
        network = new_network(SHORT, data.categories, (), prepared, None)
        return fit(network, prepared, SHORT, data.categories, (), checkpoint=checkpoint)

    whole = run(tmp_path / "whole").state_dict()
    with monkeypatch.context() as patch:
        real = fitting.draw
        calls: list[int] = []

        def stop(*arguments: object) -> list[int]:
            calls.append(1)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return real(*arguments)  # type: ignore[arg-type]

        patch.setattr(fitting, "draw", stop)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "stopped")
    resumed = run(tmp_path / "stopped").state_dict()
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), name


def test_a_damaged_checkpoint_is_named_and_a_foreign_one_is_not_used(
    tiny_export: Path, tmp_path: Path
) -> None:
    data = read_dataset(tiny_export)
    prepared = prepare(data.samples, 128, lambda _: None)
    lines: list[str] = []

    def run(recipe: Recipe) -> None:
        network = new_network(recipe, data.categories, (), prepared, None)
        fit(network, prepared, recipe, data.categories, (), checkpoint=tmp_path / "c",
            progress=lines.append)  # fmt: skip

    run(replace(SHORT, epochs=1))
    lines.clear()
    run(replace(SHORT, epochs=1, learning_rate=5e-4))
    assert "epoch 1 of 1" in lines[0]  # begun anew
    (tmp_path / "c").write_bytes(b"not a checkpoint")
    with pytest.raises(DetectorError, match="damaged; delete it"):
        run(SHORT)


def test_evaluate_tells_patients_seen_in_training(
    tiny_export: Path, small_model: Path, tmp_path: Path
) -> None:
    folder = train(tiny_export, tmp_path / "out", base=small_model, epochs=1, device="cpu")
    report = evaluate(folder, tiny_export, device="cpu", rounds=10)
    assert report["seen_in_training"] == 2  # the partial image is not measured
    assert "optimistic" in report["warnings"][0]
    assert report["categories"]["opacity"]["objects"] == 1
    assert report["categories"]["opacity"]["images"] == 2
    fresh = evaluate(small_model, tiny_export, device="cpu", rounds=10)
    assert fresh["seen_in_training"] == 0
    assert fresh["warnings"] == []
    table = format_table(report)
    assert "! 2 of 2 patients were seen in training" in table
    assert "AP at IoU 0.4" in table


def test_evaluate_refuses_data_without_its_categories(small_model: Path, tmp_path: Path) -> None:
    export = write_export(
        tmp_path / "e", [{"name": "a.png", "picture": radiograph(1)}],
        categories=[{"id": 1, "name": "fracture"}],
    )  # fmt: skip
    with pytest.raises(DatasetError, match="opacity, effusion"):
        evaluate(small_model, export, device="cpu")


def test_the_starting_network_computes_what_its_file_computes(data_folder: Path) -> None:
    path = data_folder / "init" / "yolox_nano_coco.onnx"
    calibration = torch.from_numpy(
        np.stack([cv2.resize(radiograph(i, (30, 40, 40, 50)), (128, 128)) for i in range(3)])
    )[:, None].float() / 255.0  # fmt: skip
    data = Recipe(input_size=128, levels=(8, 16, 32))
    network = new_network(data, ("opacity",), (), [], None)
    load_yolox_nano(network, path, calibration)  # type: ignore[arg-type]
    reader = cv2.dnn.readNetFromONNX(str(path))
    square = np.zeros((1, 3, 416, 416), np.float32)
    square[:, :, :128, :128] = (calibration[:1] * 255).numpy()
    reader.setInput(square)
    whole = torch.zeros(1, 1, 416, 416)
    whole[:, :, :128, :128] = calibration[:1]
    with torch.inference_mode():
        output = network.eval()(whole)
    wanted = torch.from_numpy(reader.forward()[0, :, :4])
    step = output.strides[:, None]
    centre = (output.boxes[0, :, :2] + output.boxes[0, :, 2:]) / 2
    corner = output.points / step - 0.5
    size = (output.boxes[0, :, 2:] - output.boxes[0, :, :2]) / step
    ours = torch.cat([centre / step - corner, size.log()], dim=1)
    assert torch.allclose(ours, wanted, atol=1e-3)


def test_another_file_cannot_start_a_network(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"\x08\x01nothing")
    network = new_network(SHORT, ("opacity",), (), [], None)
    with pytest.raises(ModelError, match=r"x.onnx cannot be read"):
        load_yolox_nano(network, tmp_path / "x.onnx", torch.zeros(1, 1, 64, 64))  # type: ignore[arg-type]
