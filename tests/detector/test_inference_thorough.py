"""Several looks at one picture are merged; what else a prediction says beside its boxes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from detector.inference.fusion import fused
from detector.inference.predictor import Predictor, mirrored
from detector.inference.runner import RawOutput
from detector.inference.suppression import Marks, calibrated
from detector.model_store import LoadedModel
from detector.networks.network import NetworkOutput
from detector.types import Box, DetectorError, ImageInput
from tests.detector.labelled_images import model_card, radiograph


def look(*found: tuple[float, float, int]) -> Marks:
    """Boxes of 100 x 100 from their left side, score and category."""
    boxes = [[x, 0.0, x + 100, 100.0] for x, _, _ in found]
    return Marks(
        np.array(boxes).reshape(-1, 4),
        np.array([score for _, score, _ in found]),
        np.array([name for _, _, name in found], dtype=np.int64),
    )


def test_one_object_of_two_looks_is_their_weighted_mean() -> None:
    merged = fused([look((0, 0.9, 0)), look((20, 0.3, 0))])
    assert merged.boxes[:, 0] == pytest.approx([(0 * 0.9 + 20 * 0.3) / 1.2])
    assert merged.boxes[:, 2] == pytest.approx([100 + 5])
    assert merged.scores == pytest.approx([0.6])


def test_what_one_look_missed_scores_half_and_categories_stay_apart() -> None:
    merged = fused([look((0, 0.8, 0), (500, 0.6, 0)), look((2, 0.8, 0), (0, 0.7, 1))])
    assert merged.names.tolist() == [0, 1, 0]
    assert merged.scores == pytest.approx([0.8, 0.35, 0.3])
    assert len(fused([look(), look()]).scores) == 0


def test_boxes_that_hardly_overlap_are_two_objects() -> None:
    assert len(fused([look((0, 0.9, 0)), look((40, 0.9, 0))]).scores) == 2
    assert len(fused([look((0, 0.9, 0)), look((20, 0.9, 0))]).scores) == 1


def test_a_mirrored_answer_is_turned_back() -> None:
    output = RawOutput(np.array([[[10, 5, 30, 50]]], np.float32), np.ones((1, 1, 1), np.float32),
                       np.zeros((1, 0), np.float32))  # fmt: skip
    assert mirrored(output, 128).boxes.tolist() == [[[98, 5, 118, 50]]]
    np.testing.assert_array_equal(mirrored(mirrored(output, 128), 128).boxes, output.boxes)


class LeftPatch(nn.Module):
    """Marks a bright patch only where it lies in the left half, at its true place."""

    def forward(self, images: torch.Tensor) -> NetworkOutput:
        count, size = len(images), images.shape[-1]
        boxes, logits = torch.zeros(count, 1, 4), torch.full((count, 1, 2), -9.0)
        for place, image in enumerate(images[:, 0]):
            ys, xs = torch.nonzero(image > 0.9, as_tuple=True)
            corners = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
            boxes[place, 0] = torch.tensor([float(c) for c in corners])
            logits[place, 0, 0] = 3.0 if corners[2] <= size / 2 else -9.0
        image_logits = torch.tensor([[0.0, 2.0]]).expand(count, 2)
        return NetworkOutput(boxes, logits, image_logits, torch.zeros(1, 2), torch.ones(1))


def patch_picture(x: int) -> ImageInput:
    ramp = np.linspace(20, 120, 128)
    picture = ((ramp[:, None] + ramp) / 2).astype(np.uint8)
    picture[40:70, x : x + 20] = 255
    return ImageInput(picture)


def test_thorough_also_sees_what_only_the_mirrored_picture_shows() -> None:
    predictor = Predictor(LoadedModel(model_card(), LeftPatch()), "cpu")
    assert not predictor.predict(patch_picture(90)).detections
    (detection,) = predictor.predict(patch_picture(90), thorough=True).detections
    assert detection.box == Box(90, 40, 110, 70)
    assert detection.score == pytest.approx(0.5 / (1 + math.exp(-3)), abs=1e-4)


def test_thorough_leaves_a_model_alone_that_mirrors_by_itself() -> None:
    card = model_card(architecture_options={"mirrored": True})
    predictor = Predictor(LoadedModel(card, LeftPatch()), "cpu")
    assert not predictor.predict(patch_picture(90), thorough=True).detections


class TwoMembers(nn.Module):
    """Two members that mark one object a little apart, and the second one another besides."""

    def forward(self, images: torch.Tensor) -> NetworkOutput:
        boxes = torch.tensor([[[10.0, 10, 50, 50], [14, 10, 54, 50], [80, 80, 120, 120]]])
        logits = torch.tensor([[[2.0, -9], [2.0, -9], [1.0, -9]]])
        return NetworkOutput(boxes, logits, torch.zeros(1, 0))


def test_what_the_members_of_an_ensemble_mark_is_merged_and_then_calibrated() -> None:
    options = {"places": [1, 2]}
    card = model_card(architecture_options=options, calibration={"opacity": (2.0, 0.5)})
    predictor = Predictor(LoadedModel(card, TwoMembers()), "cpu")
    both, one = predictor.predict(ImageInput(radiograph(1)), floor=0.0).detections[:2]
    assert (both.box.x_min, both.box.x_max) == pytest.approx((12, 52))
    assert both.score == pytest.approx(1 / (1 + math.exp(-4.5)), abs=1e-4)
    half = 0.5 / (1 + math.exp(-1.0))
    logit = math.log(half / (1 - half))
    assert one.score == pytest.approx(1 / (1 + math.exp(-(2 * logit + 0.5))), abs=1e-4)


def test_no_candidate_above_the_floor_is_lost_to_calibration() -> None:
    card = model_card(calibration={"opacity": (1.0, 3.0)})
    network = LeftPatch()
    everything = Predictor(LoadedModel(card, network), "cpu").predict(patch_picture(90), 0.0)
    score = everything.detections[0].score  # raw 0.0001, lifted by the curve
    assert 0.002 < score < 0.004
    assert Predictor(LoadedModel(card, network), "cpu").predict(patch_picture(90), 0.002).detections


def test_many_at_once_are_what_each_alone_would_be() -> None:
    predictor = Predictor(LoadedModel(model_card(), LeftPatch()), "cpu")
    images = [patch_picture(x) for x in (5, 90, 30, 40, 12)]
    many = predictor.predict_many(images, batch=2)
    assert [a.detections for a in many] == [predictor.predict(i).detections for i in images]
    assert [len(a.detections) for a in many] == [1, 0, 1, 1, 1]


def test_scores_and_image_findings_are_calibrated_by_the_card() -> None:
    card = model_card(
        architecture_options={"image_classes": ["Mass", "Edema"]},
        image_findings=("Edema",),
        calibration={"opacity": (0.5, -1.0), "Edema": (1.0, 1.0)},
    )
    answer = Predictor(LoadedModel(card, LeftPatch()), "cpu").predict(patch_picture(5))
    assert answer.detections[0].score == pytest.approx(1 / (1 + math.exp(-(1.5 - 1.0))), abs=1e-5)
    (finding,) = answer.image_findings
    assert finding.name == "Edema"
    assert finding.probability == pytest.approx(1 / (1 + math.exp(-3.0)), abs=1e-5)


def test_calibration_keeps_the_order_and_what_has_no_curve() -> None:
    scores = np.linspace(0, 1, 50)
    changed = calibrated(scores, ["a"] * 50, {"a": (0.7, 0.2)})
    assert (np.diff(changed) > 0).all()
    np.testing.assert_array_equal(calibrated(scores, ["b"] * 50, {"a": (0.7, 0.2)}), scores)


def test_proposals_come_from_two_stage_networks_alone() -> None:
    class TwoStage(LeftPatch):
        def proposals(
            self, images: torch.Tensor, count: int
        ) -> list[tuple[torch.Tensor, torch.Tensor]]:
            boxes = torch.tensor([[0.0, 0, 64, 64], [32, 32, 96, 200]])
            return [(boxes[:count], torch.tensor([0.9, 0.4])[:count])] * len(images)

    picture = ImageInput(np.kron(patch_picture(5).values, np.ones((2, 2), dtype=np.uint8)))
    predictor = Predictor(LoadedModel(model_card(), TwoStage()), "cpu")
    assert predictor.predict(picture).proposals == ()
    first, second = predictor.predict(picture, proposals=2).proposals
    assert (first.box, round(first.objectness, 3)) == (Box(0, 0, 128, 128), 0.9)
    assert second.box == Box(64, 64, 192, 256)
    with pytest.raises(DetectorError, match="no proposals"):
        Predictor(LoadedModel(model_card(), LeftPatch()), "cpu").predict(picture, proposals=2)
