"""One model by torch and by onnxruntime: equal boxes, the fastest remembered, damage refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from detector import model_store
from detector.inference import choose, opening
from detector.inference.choose import Backend, Tolerance, alike, fastest
from detector.inference.export import add_exports, to_onnx
from detector.inference.onnx_runner import FILES, OnnxRunner
from detector.inference.predictor import Predictor
from detector.inference.runner import RawOutput
from detector.inference.torch_runner import TorchRunner
from detector.networks.architectures import build
from detector.types import DetectorError, ImageInput, ModelError
from tests.detector.labelled_images import model_card, radiograph

ROOT = Path(__file__).parents[2]
FLOOR = 0.001


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained model with its exports, in 64 pixels."""
    torch.manual_seed(0)
    card = model_card(input_size=64)
    folder = tmp_path_factory.mktemp("models") / "small"
    network = build(card.architecture, card.architecture_options, card.categories)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0
    with torch.no_grad():  # else its layers let nothing of a picture through
        network.train()(torch.rand(32, 1, 64, 64))
    model_store.save(card, network, folder)
    squares = np.random.default_rng(0).random((4, 1, 64, 64)).astype(np.float32)
    add_exports(folder, squares)
    return folder


@pytest.fixture
def model(exported: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return Path(shutil.copytree(exported, tmp_path / "small"))


def test_the_export_answers_like_torch_for_batches_of_any_length(exported: Path) -> None:
    loaded = model_store.load(exported)
    ours = TorchRunner(loaded.network)
    theirs = OnnxRunner((exported / FILES["fp32"]).read_bytes(), "fp32")
    for count in (1, 3):
        squares = np.random.default_rng(count).random((count, 1, 64, 64)).astype(np.float32)
        wanted, got = ours.run(squares), theirs.run(squares)
        assert wanted.boxes.std(axis=1).max() > 1
        assert wanted.boxes.shape == got.boxes.shape == (count, 20, 4)
        assert wanted.image_scores.shape == got.image_scores.shape == (count, 1)
        for a, b in zip(wanted, got, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_int8_is_smaller_and_another_network_but_not_another_answer(exported: Path) -> None:
    plain, small = ((exported / name).read_bytes() for name in FILES.values())
    assert len(small) < len(plain) / 2
    square = np.random.default_rng(9).random((1, 1, 64, 64)).astype(np.float32)
    wanted, got = (OnnxRunner(c, p).run(square) for c, p in ((plain, "fp32"), (small, "int8")))
    assert 0 < np.abs(wanted.boxes - got.boxes).mean() < 8
    assert np.abs(wanted.scores - got.scores).max() < 0.05
    assert Predictor(exported, "cpu", "int8").predict(ImageInput(radiograph(1))).precision == "int8"


def test_a_network_that_cannot_be_exported_is_a_sentence() -> None:
    class Unruly(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images[: int(images.sum())]

    with pytest.raises(ModelError, match="cannot be exported"):
        to_onnx(Unruly(), 1, 32)


def test_the_fastest_is_remembered_and_then_torch_stays_away(model: Path, tmp_path: Path) -> None:
    memory = tmp_path / "home" / "speeds.json"
    first = Predictor(model, "auto", memory=memory)
    (entry,) = json.loads(memory.read_text()).values()
    assert entry["device"] == first.device
    # Whatever won here: remember onnxruntime, as a computer without a graphics card does.
    choose.remember(memory, first.card, "auto", Backend("onnxruntime", "fp32", "cpu"))
    code = (
        "import sys; from pathlib import Path; import numpy as np\n"
        "from detector.inference.predictor import Predictor\n"
        "from detector.types import ImageInput\n"
        f"predictor = Predictor(Path({str(model)!r}), 'auto', memory=Path({str(memory)!r}))\n"
        "answer = predictor.predict(ImageInput(np.eye(200, dtype=np.uint8) * 200), 0.0)\n"
        "assert answer.detections and answer.device == 'cpu' and answer.precision == 'fp32'\n"
        "assert not {'torch', 'torchvision', 'onnx'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_a_remembered_answer_is_for_the_same_model_device_and_versions(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = model_store.read_card(exported)
    memory, chosen = tmp_path / "speeds.json", Backend("onnxruntime", "fp32", "cpu")
    assert choose.remembered(memory, card, "cpu") is None
    choose.remember(memory, card, "cpu", chosen)
    assert choose.remembered(memory, card, "cpu") == chosen
    assert choose.remembered(memory, card, "auto") is None
    assert choose.remembered(memory, model_card(), "cpu") is None
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert choose.remembered(memory, card, "cpu") is None
    monkeypatch.undo()
    monkeypatch.setattr(choose.metadata, "version", lambda name: "99")
    assert choose.remembered(memory, card, "cpu") is None
    monkeypatch.undo()
    for damage in ("{", "[]", json.dumps(dict.fromkeys(json.loads(memory.read_text()), 3))):
        memory.write_text(damage)
        assert choose.remembered(memory, card, "cpu") is None


class Slow:
    """Answers a fixed thing after some time, which is counted instead of waited for."""

    device = "cpu"

    def __init__(self, answer: RawOutput, precision: str, seconds: float):
        self.answer, self.precision, self.seconds = answer, precision, seconds

    def run(self, squares: np.ndarray) -> RawOutput:
        return self.answer


def answer(shift: float = 0.0, change: float = 0.0) -> RawOutput:
    boxes = np.array([[[10, 10, 40, 40], [20, 20, 60, 60]]], dtype=np.float32) + shift
    scores = np.array([[[0.8], [0.02]]], dtype=np.float32) + change
    return RawOutput(boxes, scores, np.zeros((1, 0), dtype=np.float32))


def test_the_fastest_at_equal_boxes_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "seconds_of", lambda runner, square, budget: runner.seconds)
    ways = {
        ("torch", "bf16"): Slow(answer(0.5), "bf16", 0.5),
        ("onnxruntime", "fp32"): Slow(answer(1e-3), "fp32", 0.3),
        ("onnxruntime", "wrong"): Slow(answer(1.5), "fp32", 0.1),
    }
    others = {Backend(e, p, "cpu"): (lambda r=r: r) for (e, p), r in ways.items()}
    first = Backend("torch", "fp32", "cpu"), Slow(answer(), "fp32", 1.0)
    # "wrong" is held to the tolerance of fp32
    monkeypatch.setitem(choose.TOLERANCES, "wrong", choose.TOLERANCES["fp32"])
    chosen, runner = fastest(first, others, model_card())
    assert chosen == Backend("onnxruntime", "fp32", "cpu")
    assert runner is ways["onnxruntime", "fp32"]


def test_alike_looks_at_boxes_and_scores_both_ways() -> None:
    close = Tolerance(1.0, 0.01)
    assert alike(answer(), answer(0.9, 0.009), close)
    assert not alike(answer(), answer(1.1), close)
    assert not alike(answer(), answer(0, 0.02), close)
    more = answer()
    more = more._replace(
        boxes=np.concatenate([more.boxes, [[[90, 90, 99, 99]]]], axis=1).astype(np.float32),
        scores=np.concatenate([more.scores, [[[0.4]]]], axis=1).astype(np.float32),
    )
    assert not alike(answer(), more, close)
    assert not alike(more, answer(), close)


@pytest.mark.parametrize("allowed", [True, False])
def test_int8_is_tried_only_where_the_card_allows_it(
    model: Path, allowed: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = model / model_store.CARD
    card = json.loads(path.read_text())
    card["evaluation"] = {"backends": {"int8": {"allowed": allowed}}}
    path.write_text(json.dumps(card))
    monkeypatch.setattr(
        choose, "seconds_of",
        lambda runner, square, budget: {"int8": 0.0}.get(runner.precision, 1.0),
    )  # fmt: skip
    predictor = Predictor(model, "cpu", memory=tmp_path / "speeds.json")
    assert predictor.precision == ("int8" if allowed else "fp32")


def test_int8_that_was_remembered_is_not_used_once_the_card_forbids_it(
    model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    memory = tmp_path / "speeds.json"
    card = model_store.read_card(model)
    choose.remember(memory, card, "cpu", Backend("onnxruntime", "int8", "cpu"))
    monkeypatch.setattr(choose, "seconds_of", lambda runner, square, budget: 1.0)
    assert not card.evaluation
    assert Predictor(model, "cpu", memory=memory).precision == "fp32"


@pytest.mark.parametrize("name", FILES.values())
def test_a_damaged_export_is_refused(model: Path, name: str, tmp_path: Path) -> None:
    path = model / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    card = json.loads((model / model_store.CARD).read_text())
    card["evaluation"] = {"backends": {"int8": {"allowed": True}}}
    (model / model_store.CARD).write_text(json.dumps(card))
    with pytest.raises(ModelError, match=f"{name} is not the file of its card"):
        Predictor(model, "cpu", memory=tmp_path / "speeds.json")
    path.unlink()
    with pytest.raises(ModelError, match=f"no readable {name}"):
        Predictor(model, "cpu", memory=tmp_path / "speeds.json")


def test_a_model_without_exports_is_computed_by_torch(small_model: Path, tmp_path: Path) -> None:
    ways = opening.backends(small_model, model_store.read_card(small_model), "cpu")
    assert [backend.engine for backend in ways] == ["torch", "torch"]
    predictor = Predictor(small_model, "cpu", memory=tmp_path / "speeds.json")
    assert isinstance(predictor._runner, TorchRunner)
    with pytest.raises(ModelError, match="no export for int8"):
        Predictor(small_model, "cpu", "int8")
    with pytest.raises(DetectorError, match="'fp64' is no precision"):
        Predictor(small_model, "cpu", "fp64")


def test_a_memory_that_cannot_be_written_is_no_failure(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert Predictor(exported, "cpu", memory=tmp_path / "file" / "speeds.json").device == "cpu"


def test_cards_keep_their_exports(exported: Path) -> None:
    card = model_store.read_card(exported)
    assert set(card.exports) == set(FILES.values())
    assert asdict(card)["exports"] == card.exports
