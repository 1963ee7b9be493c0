"""A model comes out of labelled images, with a card that says from what."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from detector import model_store
from detector.inference.predictor import Predictor
from detector.measuring.evaluate import evaluate, format_table
from detector.networks.yolox_start import load_yolox_nano
from detector.training.card import UNMEASURED_THRESHOLD
from detector.training.fitting import Recipe, new_network
from detector.training.history import EpochFigures
from detector.training.train import Wish, train
from detector.types import DatasetError, DetectorError, ImageInput, ModelError
from tests.detector.labelled_images import radiograph, write_export
from tests.detector.training_material import SHORT, patches


def test_fine_tuning_goes_on_from_the_base(
    tiny_export: Path, small_model: Path, tmp_path: Path
) -> None:
    lines: list[str] = []
    text = json.loads((small_model / model_store.CARD).read_text())
    text["calibration"] = {"opacity": [1.5, 0.5]}
    (small_model / model_store.CARD).write_text(json.dumps(text))
    folder = train(tiny_export, tmp_path / "out", init=small_model, wish=Wish(epochs=1),
                   device="cpu", progress=lines.append)  # fmt: skip
    card = model_store.read_card(folder)
    base = model_store.read_card(small_model)
    assert folder.name == card.name == "small-tuned"
    assert card.categories == base.categories
    assert card.training["patients"] == 3
    assert card.training["objects"] == {"opacity": 2}
    assert card.training["rejected_boxes"] == 1
    assert card.training["base"]["weights_sha256"] == base.weights_sha256
    assert card.training["recipe"]["seed"] == 0
    assert card.weights_sha256 != base.weights_sha256
    assert card.default_threshold == base.default_threshold
    assert card.calibration == {"opacity": (1.5, 0.5)}
    assert any("epoch 1 of 1: loss" in line for line in lines)
    # Two patients with boxes are too few to spare one.
    assert any("too few to hold any out" in line for line in lines)
    assert "validation" not in card.training
    assert Predictor(folder, "cpu").predict(ImageInput(radiograph(9))).model_name == "small-tuned"
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["small-tuned"]
    again = train(tiny_export, tmp_path / "out", init=small_model, wish=Wish(epochs=1),
                  device="cpu")  # fmt: skip
    assert again.name == "small-tuned-2"


def test_held_out_patients_that_trained_the_start_are_told(tmp_path: Path) -> None:
    data = patches(tmp_path / "e", 12)
    wish = Wish(epochs=1, input_size=64, batch=4)
    base = train(data, tmp_path / "out", init=None, share=0, device="cpu", wish=wish)
    lines: list[str] = []
    train(data, tmp_path / "out", init=base, share=0.25, device="cpu", wish=wish,
          progress=lines.append)  # fmt: skip
    assert any("trained the start: the validation is optimistic" in line for line in lines)


def test_held_out_patients_are_measured_and_named_on_the_card(tmp_path: Path) -> None:
    lines: list[str] = []
    folder = train(
        patches(tmp_path / "e", 12), tmp_path / "out", init=None, share=0.25, device="cpu",
        wish=Wish(epochs=2, input_size=64, batch=4), progress=lines.append,
    )  # fmt: skip
    training = model_store.read_card(folder).training
    validation = training["validation"]
    assert (training["patients"], validation["patients"]) == (9, 3)
    assert not set(training["patient_hashes"]) & set(validation["patient_hashes"])
    assert validation["what"].startswith("validation, seen by model selection")
    assert len(validation["split_hash"]) == 64
    assert [entry["epoch"] for entry in training["history"]] == [1, 2]
    last = training["history"][-1]["average_precision"]
    assert validation["average_precision"] == last
    assert set(last) == {"opacity"}
    assert (folder / "training.png").read_bytes().startswith(b"\x89PNG")
    assert any("validation AP opacity" in line for line in lines)
    assert training["processes"] == 1


def test_a_stopped_training_is_kept_until_it_is_gone_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out = patches(tmp_path / "e", 4), tmp_path / "out"

    def run(resume: bool, place: Path = out) -> Path:
        return train(data, place, init=None, wish=Wish(epochs=2, input_size=64, batch=4),
                     device="cpu", share=0, resume=resume)  # fmt: skip

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(EpochFigures, "sentence", stop)  # after the first epoch is kept
        with pytest.raises(KeyboardInterrupt):
            run(False)
    kept = (out / "trained.checkpoint").read_bytes()
    with pytest.raises(DetectorError, match=r"trained.checkpoint: go on from it with --resume"):
        run(False)
    picture = next((data / "images").glob("*.png"))
    intact = picture.read_bytes()
    picture.write_bytes(intact[:100])
    with pytest.raises(DatasetError, match=picture.name):
        run(True)
    assert (out / "trained.checkpoint").read_bytes() == kept
    picture.write_bytes(intact)
    resumed = model_store.load(run(True)).network.state_dict()
    assert not (out / "trained.checkpoint").exists()
    whole = model_store.load(run(False, tmp_path / "whole")).network.state_dict()
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


def test_of_another_architecture_the_backbone_is_taken(tmp_path: Path) -> None:
    data = patches(tmp_path / "e", 4)
    wish = Wish("retinanet", "mobilenet_v3", input_size=64, epochs=1, batch=2)
    lines: list[str] = []
    base = train(data, tmp_path / "out", init=None, wish=wish, device="cpu", name="first")
    folder = train(data, tmp_path / "out", init=base, wish=replace(wish, architecture="ssdlite"),
                   device="cpu", progress=lines.append)  # fmt: skip
    card = model_store.load(folder).card
    assert (card.name, card.architecture) == ("trained", "ssdlite")
    assert card.architecture_options["backbone"] == "mobilenet_v3"
    assert card.default_threshold == UNMEASURED_THRESHOLD
    assert card.training["base"]["name"] == "first"
    assert any(re.match(r"\d{3} tensors of the backbone are taken from first", x) for x in lines)


def test_colour_images_train_a_network_of_three_channels(tmp_path: Path) -> None:
    colour = np.stack([radiograph(1, (30, 40, 40, 50)), radiograph(2), radiograph(3)], axis=2)
    export = write_export(
        tmp_path / "e", [{"name": "a.png", "picture": colour, "boxes": [(1, 30, 40, 40, 50)]}]
    )
    wish = Wish("fcos", "mobilenet_v3", 3, 64, epochs=1, batch=2)
    folder = train(export, tmp_path / "out", init=None, wish=wish, device="cpu")
    loaded = model_store.load(folder)
    assert loaded.card.channels == 3
    with torch.inference_mode():
        assert loaded.network(torch.zeros(1, 3, 64, 64)).boxes.isfinite().all()


def test_a_new_category_joins_the_known_ones(small_model: Path, tmp_path: Path) -> None:
    export = write_export(
        tmp_path / "e",
        [{"name": "a.png", "picture": radiograph(1, (30, 40, 40, 50)),
          "boxes": [(5, 30, 40, 40, 50)]}],
        categories=[{"id": 5, "name": "nodule"}],
    )  # fmt: skip
    folder = train(export, tmp_path / "out", init=small_model, wish=Wish(epochs=1), device="cpu")
    assert model_store.load(folder).card.categories == ("opacity", "effusion", "nodule")


def test_data_without_a_decision_is_refused(small_model: Path, tmp_path: Path) -> None:
    export = write_export(
        tmp_path / "e", [{"name": "a.png", "picture": radiograph(1), "review": "partial"}]
    )
    with pytest.raises(DatasetError, match="no decided box"):
        train(export, tmp_path / "out", init=small_model, device="cpu")


def test_evaluate_tells_patients_seen_in_training(
    tiny_export: Path, small_model: Path, tmp_path: Path
) -> None:
    folder = train(
        tiny_export, tmp_path / "out", init=small_model, wish=Wish(epochs=1), device="cpu"
    )
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


def test_an_onnx_file_starts_its_own_architecture_alone(tiny_export: Path, tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"")
    with pytest.raises(ModelError, match=r"x.onnx can start a csp_nano, not a fcos"):
        train(tiny_export, tmp_path / "out", init=tmp_path / "x.onnx", wish=Wish("fcos"),
              device="cpu")  # fmt: skip


def test_another_file_cannot_start_a_network(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"\x08\x01nothing")
    network = new_network(SHORT, ("opacity",), (), [], None)
    with pytest.raises(ModelError, match=r"x.onnx cannot be read"):
        load_yolox_nano(network, tmp_path / "x.onnx", torch.zeros(1, 1, 64, 64))  # type: ignore[arg-type]
