"""Boxes in pixels of the frame, the same for one radiograph however it is stored."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn
from torchvision.ops import batched_nms

from detector.inference.devices import choose_device
from detector.inference.predictor import Predictor
from detector.inference.runner import AcceleratorFullError, RawOutput
from detector.inference.suppression import Marks, placed, suppressed, unlike
from detector.inference.torch_runner import TorchRunner
from detector.model_store import LoadedModel
from detector.networks.network import NetworkOutput
from detector.preprocess import Geometry
from detector.types import Detection, Detections, DetectorError, ImageInput, ToneCurve
from tests.detector.labelled_images import model_card, radiograph

CATEGORIES = ("opacity", "effusion")


class Fixed(nn.Module):
    """Answers the same boxes, whatever it sees; the first time it may be out of memory."""

    def __init__(self, boxes: list[list[float]], logits: list[list[float]], fail: bool = False):
        super().__init__()
        self.boxes, self.logits, self.fail = torch.tensor(boxes), torch.tensor(logits), fail

    def forward(self, images: torch.Tensor) -> NetworkOutput:
        if self.fail:
            self.fail = False
            raise torch.OutOfMemoryError("CUDA out of memory")
        count = len(images)
        return NetworkOutput(
            self.boxes.expand(count, -1, -1), self.logits.expand(count, -1, -1),
            torch.zeros(count, 0), torch.zeros(len(self.boxes), 2), torch.ones(len(self.boxes)),
        )  # fmt: skip


def test_boxes_are_of_the_frame_clipped_sorted_and_above_the_floor() -> None:
    boxes = [[-20.0, 10, 60, 60], [70, 40, 100, 80], [5, 5, 30, 30]]
    logits = [[0.0, -9], [-9, 2.0], [-9, -9]]
    model = LoadedModel(model_card(input_size=128), Fixed(boxes, logits))
    picture = cv2.resize(radiograph(0), (512, 512))
    answer = Predictor(model, "cpu").predict(ImageInput(picture), floor=0.01)
    assert [(d.category, round(d.score, 3)) for d in answer.detections] == [
        ("effusion", 0.881), ("opacity", 0.5),
    ]  # fmt: skip
    assert answer.detections[0].box.xywh() == pytest.approx((280, 160, 120, 160))
    assert answer.detections[1].box.xywh() == pytest.approx((0, 40, 240, 200))
    assert (answer.device, answer.score_floor, answer.model_name) == ("cpu", 0.01, "small")


def test_the_better_of_two_alike_boxes_stays_but_not_across_categories() -> None:
    geometry = Geometry(1.0, 0.0, 0.0, 128, 128)
    boxes = np.array([[10, 10, 50, 50], [12, 10, 52, 50], [60, 60, 90, 90]], dtype=np.float32)
    scores = np.array([[0.7, 0.6], [0.9, 0], [0.5, 0]], dtype=np.float32)
    found = placed(suppressed(boxes, scores, 0.01), CATEGORIES, geometry)
    assert [(d.category, d.box.x_min) for d in found] == [
        ("opacity", 12), ("effusion", 10), ("opacity", 60),
    ]  # fmt: skip


def test_suppression_is_that_of_torchvision() -> None:
    torch.manual_seed(0)
    corner = torch.rand(300, 2) * 200
    boxes = torch.cat([corner, corner + torch.rand(300, 2) * 80 + 5], dim=1).double()
    scores = torch.rand(300).double().sort(descending=True).values
    names = torch.randint(0, 3, (300,))
    wanted = batched_nms(boxes, scores, names, 0.45).tolist()
    assert 20 < len(wanted) < 280
    marks = Marks(boxes.numpy(), scores.numpy(), names.numpy())
    kept = unlike(marks, 0.45)
    assert kept.scores.tolist() == scores[wanted[:100]].tolist()


def test_a_prediction_does_not_wait_for_torchvision() -> None:
    code = "import sys, detector.inference.predictor; assert 'torchvision' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_at_most_a_hundred_candidates() -> None:
    geometry = Geometry(1.0, 0.0, 0.0, 1280, 1280)
    y, x = np.array(np.divmod(np.arange(400, dtype=np.float32), 20)) * 60
    boxes = np.stack([x, y, x + 50, y + 50], axis=1)
    scores = np.full((400, 1), 0.5, dtype=np.float32)
    found = placed(suppressed(boxes, scores, 0.01), ("opacity",), geometry)
    assert len(found) == 100


def test_out_of_memory_goes_to_the_cpu_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Fixed([[1.0, 2, 40, 50]], [[1.0, 0.0]])
    predictor = Predictor(LoadedModel(model_card(), network), "cpu")
    run = TorchRunner.run
    seen: list[str] = []

    def run_where(self: TorchRunner, squares: np.ndarray) -> RawOutput:
        seen.append(self.device)
        network.fail = self.device == "cuda"
        device, self.device = self.device, "cpu"
        try:
            return run(self, squares)
        finally:
            self.device = device

    monkeypatch.setattr(TorchRunner, "run", run_where)
    monkeypatch.setattr(predictor._runner, "device", "cuda")
    for _ in range(2):
        answer = predictor.predict(ImageInput(radiograph(0)))
        assert answer.device == "cpu"
        assert len(answer.detections) == 2
    assert seen == ["cuda", "cpu", "cuda", "cpu"]


def test_out_of_memory_in_the_second_look_goes_to_the_cpu_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = Fixed([[1.0, 2, 40, 50]], [[1.0, 0.0]])
    predictor = Predictor(LoadedModel(model_card(), network), "cpu")
    wanted = predictor.predict(ImageInput(radiograph(0)), thorough=True)
    run = TorchRunner.run
    calls: list[bool] = []

    def run_out(self: TorchRunner, squares: np.ndarray) -> RawOutput:
        calls.append(True)
        if len(calls) == 2:
            raise AcceleratorFullError("The graphics card has no memory left.")
        return run(self, squares)

    monkeypatch.setattr(TorchRunner, "run", run_out)
    answer = predictor.predict(ImageInput(radiograph(0)), thorough=True)
    assert answer.detections == wanted.detections
    assert len(calls) == 4


def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto") == choose_device("cpu") == "cpu"
    with pytest.raises(DetectorError, match="no cuda device"):
        choose_device("cuda")
    with pytest.raises(DetectorError, match="choose auto, cpu, cuda or mps"):
        choose_device("quantum")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == "cuda"


def unmatched(wanted: Detections, other: Detections, least: float) -> list[Detection]:
    """Candidates of `wanted` for which `other` has no like box and score."""
    return [
        d for d in wanted.detections
        if d.score >= least and not any(
            o.category == d.category and o.box.iou(d.box) >= 0.9 and abs(o.score - d.score) <= 0.05
            for o in other.detections
        )
    ]  # fmt: skip


IMAGES = ("00000017_000.jpg", "00000022_001.jpg", "00000013_003.jpg")


@pytest.mark.parametrize("name", IMAGES)
def test_one_radiograph_in_three_forms_gives_the_same_boxes(
    reference: Path, bundled: Path, name: str
) -> None:
    eight = cv2.imread(str(reference / "images" / name), cv2.IMREAD_GRAYSCALE)
    assert eight is not None
    stored = (500 + eight.astype(np.int16) * 12).astype(np.int16)  # 12 bits, windowed 500 to 3560
    forms = (
        ImageInput(eight),
        ImageInput(stored, ToneCurve((500, 3560), (0, 1))),
        ImageInput((4095 - stored).astype(np.uint16), ToneCurve((535, 3595), (1, 0))),
        ImageInput(stored.astype(np.float32), ToneCurve((300, 3700), (0, 1))),
    )
    predictor = Predictor(bundled, "cpu")
    first, *others = (predictor.predict(form) for form in forms)
    assert first.detections
    for other in others:
        assert not unmatched(first, other, 0.05)
        assert not unmatched(other, first, 0.05)


def test_the_same_picture_gives_the_same_answer_twice(reference: Path, bundled: Path) -> None:
    picture = cv2.imread(str(reference / "images" / IMAGES[0]), cv2.IMREAD_GRAYSCALE)
    predictor = Predictor(bundled, "cpu")
    answers = [predictor.predict(ImageInput(picture)).detections for _ in range(2)]
    assert answers[0] == answers[1]
