"""Findings of 25 to 900 px in 1024 have an anchor or a level, and each its own truth."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor
from torchvision.models.detection._utils import Matcher
from torchvision.ops import box_iou

from detector.networks.anchors import Anchors, grid
from detector.networks.assignment import assign
from detector.networks.fcos import assign_places, size_bounds
from detector.networks.network import Target
from detector.networks.supervision import centres

SIZES = (25, 28, 32, 40, 50, 64, 80, 100, 128, 160, 200, 256, 320, 400, 500, 640, 800, 900)
ASPECTS = (0.5, 0.7, 1.0, 1.4, 2.0)


def anchors(side: int, strides: tuple[int, ...]) -> Tensor:
    levels = [torch.zeros(1, 1, math.ceil(side / s), math.ceil(side / s)) for s in strides]
    boxes: Tensor = Anchors()(torch.zeros(1, 1, side, side), levels)
    return boxes


def findings(side: int) -> Tensor:
    """(N, 2) width and height of the findings that fit into the input."""
    shapes = [(s * a**-0.5, s * a**0.5) for s in SIZES for a in ASPECTS]
    return torch.tensor([shape for shape in shapes if max(shape) <= 1024]) * (side / 1024)


def target(boxes: list[list[float]], categories: list[int], complete: list[float]) -> Target:
    none = torch.zeros(0, 4)
    return Target(
        torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        torch.tensor(categories, dtype=torch.int64),
        none, none[:, 0].long(), torch.tensor(complete), torch.zeros(0),
    )  # fmt: skip


@pytest.mark.parametrize("side", [256, 320, 512, 1024])
@pytest.mark.parametrize("strides", [(16, 32), (8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32)])
def test_every_finding_at_a_place_has_an_anchor(side: int, strides: tuple[int, ...]) -> None:
    shapes = findings(side)
    boxes = anchors(side, strides)
    middle = centres(boxes).repeat(1, 2)
    around = box_iou(torch.cat([-shapes, shapes], 1) / 2, (boxes - middle).unique(dim=0))
    assert around.amax(dim=1).min() >= 0.5


@pytest.mark.parametrize(("side", "strides"), [(1024, (8, 16, 32)), (448, (4, 8, 16, 32))])
def test_every_finding_anywhere_has_an_anchor(side: int, strides: tuple[int, ...]) -> None:
    shapes = findings(side)
    generator = torch.Generator().manual_seed(0)
    corner = torch.rand(shapes.shape, generator=generator) * (side - shapes)
    overlap = box_iou(torch.cat([corner, corner + shapes], 1), anchors(side, strides))
    assert overlap.amax(dim=1).min() >= 0.5


def test_anchors_lie_over_the_whole_input() -> None:
    middle = centres(anchors(320, (8, 16, 32)))
    assert len(middle) == 9 * (40 * 40 + 20 * 20 + 10 * 10)
    assert middle.amin() == 4
    assert middle.amax() == 316
    assert torch.equal(middle[0], torch.tensor([4.0, 4.0]))
    assert torch.equal(middle[9], torch.tensor([12.0, 4.0]))  # along the row


@pytest.mark.parametrize("levels", [1, 2, 3, 4, 5])
def test_every_size_falls_in_one_level_of_fcos(levels: int) -> None:
    bounds = size_bounds(levels)
    assert len(bounds) == levels + 1
    for size in SIZES:
        assert sum(low <= size / 1024 < high for low, high in pairwise(bounds)) == 1
    finest, coarsest = bounds[1] if levels > 1 else 1.0, bounds[-2]
    assert SIZES[0] / 1024 < finest
    assert SIZES[-1] / 1024 >= coarsest


def cells(side: int, strides: tuple[int, ...]) -> list[Tensor]:
    boxes = []
    for stride in strides:
        points = grid(side // stride, side // stride, side, torch.device("cpu"))
        boxes.append(torch.cat([points - stride / 2, points + stride / 2], 1))
    return boxes


def test_fcos_gives_each_finding_to_places_of_one_level() -> None:
    levels = cells(320, (8, 16, 32))
    side = torch.cat([c[:, 2] - c[:, 0] for c in levels])
    for size in (9, 20, 40, 80, 160, 280):
        box = [20.3, 20.3, 20.3 + size, 20.3 + size]
        wanted, _, owner = assign_places(levels, 320, target([box], [1], [1.0, 1.0]))
        assert len(side[owner == 0].unique()) == 1
        assert torch.equal(wanted[:, 1] == 1, owner == 0)
        assert not wanted[:, 0].any()


def test_fcos_gives_a_finding_between_all_places_to_the_nearest() -> None:
    levels = cells(320, (8, 16, 32))
    _, _, owner = assign_places(levels, 320, target([[9.0, 9, 11, 11]], [0], [1.0, 1.0]))
    assert owner[41] == 0  # second row, second column of the finest level
    assert (owner >= 0).sum() == 1


def test_two_findings_at_one_place_are_both_learnt() -> None:
    boxes = anchors(320, (8, 16, 32))
    truth = target([[100, 100, 180, 180], [104, 104, 184, 184]], [0, 1], [0.0, 0.0])
    matcher = Matcher(0.5, 0.4, allow_low_quality_matches=True)
    wanted, weight, owner = assign(boxes, truth, matcher)
    both = wanted.all(dim=1)
    assert both.any()
    assert set(owner[both].tolist()) == {0, 1}
    assert (weight[wanted == 1] == 1).all()


def test_a_half_matching_anchor_is_asked_nothing_of_that_category() -> None:
    boxes = torch.tensor([[0.0, 0, 100, 100], [0, 0, 100, 45], [0, 0, 100, 20], [200, 0, 300, 99]])
    matcher = Matcher(0.5, 0.4, allow_low_quality_matches=True)
    wanted, weight, owner = assign(boxes, target([[0, 0, 100, 100]], [0], [1.0, 1.0]), matcher)
    assert wanted.tolist() == [[1, 0], [0, 0], [0, 0], [0, 0]]
    assert weight.tolist() == [[1, 1], [0, 1], [1, 1], [1, 1]]
    assert owner.tolist()[0] == 0
    assert max(owner.tolist()[1:]) < 0
