"""FCOS: a score for each category, a box and a centre-ness from each place, without anchors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection._utils import BoxLinearCoder
from torchvision.models.detection.fcos import FCOSClassificationHead, FCOSRegressionHead
from torchvision.ops import generalized_box_iou_loss, sigmoid_focal_loss

from detector.networks.anchor_detector import BOX_WEIGHT, TOWER_CONVS
from detector.networks.anchors import LARGEST, SMALLEST, grid
from detector.networks.assignment import Assignment
from detector.networks.backbone import Backbone, norm_layer
from detector.networks.features import FeatureDetector, Pyramid
from detector.networks.image_level import IMAGE_WEIGHT, image_loss
from detector.networks.network import NetworkOutput, Target
from detector.networks.options import NetworkOptions
from detector.networks.supervision import centres, inside, known

CENTRE_RADIUS = 1.5
"""Places within so many strides of a finding's centre answer for it."""

_FIRST_REACH = 2.0
"""Strides from a place to each side of its box before training; at 0 the ReLU would be dead."""

_LEAST_SCORE = 1e-6


def size_bounds(levels: int) -> list[float]:
    """The longer side of a finding, as a share of the input's, where one level ends and the next
    begins: 0, `levels` - 1 equal steps of the logarithm, infinity.
    """
    step = (LARGEST / SMALLEST) ** (1 / levels)
    return [0.0, *(SMALLEST * step**i for i in range(1, levels)), float("inf")]


class Fcos(FeatureDetector):
    """Fully convolutional one-stage detector (Tian et al. 2019).

    The level that a finding belongs to follows from its longer side relative to the input, so
    that each finding has one level at every input size; there the places about its centre answer
    for it, or at least the one nearest to it.
    """

    def __init__(self, options: NetworkOptions, categories: int):
        backbone = Backbone(options)
        super().__init__(options, backbone, Pyramid(options, backbone.widths))
        norm = norm_layer(options.norm)
        self.category_head = FCOSClassificationHead(
            options.width, 1, categories, TOWER_CONVS, norm_layer=norm
        )
        self.box_head = FCOSRegressionHead(options.width, 1, TOWER_CONVS, norm_layer=norm)
        nn.init.constant_(self.box_head.bbox_reg.bias, _FIRST_REACH)
        self._coder = BoxLinearCoder()

    def predict(self, images: Tensor) -> NetworkOutput:
        boxes, logits, centreness, image_logits, _ = self._answer(images)
        # The geometric mean of both, as in the paper's second version, back to a logit.
        score = (logits.sigmoid() * centreness.sigmoid()).sqrt()
        return NetworkOutput(boxes, torch.logit(score, _LEAST_SCORE), image_logits)

    def losses(self, images: Tensor, targets: Sequence[Target]) -> dict[str, Tensor]:
        all_boxes, all_logits, all_centreness, image_logits, cells = self._answer(images)
        score_sum = box_sum = centre_sum = all_logits.new_zeros(())
        positives, side = 0, images.shape[-1]
        for boxes, logits, centreness, target in zip(
            all_boxes, all_logits, all_centreness, targets, strict=True
        ):
            wanted, weight, owner = assign_places(cells, side, target)
            score_sum = score_sum + (weight * sigmoid_focal_loss(logits, wanted)).sum()
            chosen = (owner >= 0).nonzero()[:, 0]
            truth = target.boxes[owner[chosen]]
            box_sum = box_sum + generalized_box_iou_loss(boxes[chosen], truth, reduction="sum")
            centre_sum = centre_sum + functional.binary_cross_entropy_with_logits(
                centreness[chosen, 0],
                _centreness(centres(torch.cat(cells)[chosen]), truth),
                reduction="sum",
            )
            positives += len(chosen)
        norm = max(1, positives)
        return {
            "score": score_sum / norm,
            "box": BOX_WEIGHT * box_sum / norm,
            "centre": centre_sum / norm,
            "image": IMAGE_WEIGHT * image_loss(image_logits, targets),
        }

    def _answer(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, list[Tensor]]:
        """Boxes, logits, centre-ness, image logits, and the cell (n, 4) of each place by level."""
        levels, image_logits = self.features(images)
        logits = self.category_head(levels).float()
        reach, centreness = self.box_head(levels)
        cells = [_cells(x, images.shape[-1]) for x in levels]
        boxes = self._coder.decode(reach.float(), torch.cat(cells))
        return boxes, logits, centreness.float(), image_logits, cells


def assign_places(cells: Sequence[Tensor], side: int, target: Target) -> Assignment:
    """Which places answer for which findings of one image.

    Parameters
    ----------
    cells : of each level, finest first, (n, 4) the cell of each place.
    side : of the input, in pixels.
    """
    points = torch.cat([centres(c) for c in cells])
    weight = known(points, target)
    wanted = torch.zeros_like(weight)
    owner = torch.full((len(points),), -1, dtype=torch.int64, device=points.device)
    if not len(target.boxes):
        return Assignment(wanted, weight, owner)
    extent = target.boxes[:, 2:] - target.boxes[:, :2]
    longer = extent.amax(dim=1) / side
    levels = [
        _near(level, target.boxes) & (longer >= low) & (longer < high)
        for level, (low, high) in zip(cells, pairwise(size_bounds(len(cells))), strict=True)
    ]
    hits = torch.cat(levels)
    for category in set(target.categories.tolist()):
        hit = hits[:, target.categories == category].any(dim=1)
        wanted[hit, category] = 1.0
        weight[hit, category] = weight[hit, category].clamp(min=1.0)
    # Of several findings at one place the smallest gets the box.
    area = torch.where(hits, extent.prod(dim=1), float("inf"))
    taken = hits.any(dim=1)
    owner[taken] = area.argmin(dim=1)[taken]
    return Assignment(wanted, weight, owner)


def _near(cells: Tensor, boxes: Tensor) -> Tensor:
    """(n, G) bool: is the place in the box and near its centre, or the nearest of all."""
    points, middle = centres(cells), centres(boxes)
    radius = CENTRE_RADIUS * (cells[0, 2] - cells[0, 0])
    distance = torch.cdist(points, middle, p=float("inf"))
    near = (distance < radius) & inside(points, boxes)
    near[distance.argmin(dim=0), torch.arange(len(boxes), device=boxes.device)] = True
    return near


def _cells(features: Tensor, side: int) -> Tensor:
    rows, columns = features.shape[-2:]
    points = grid(rows, columns, side, features.device)
    half = side / rows / 2
    return torch.cat([points - half, points + half], dim=1)


def _centreness(points: Tensor, boxes: Tensor) -> Tensor:
    """(n,) 1 in the middle of the box, 0 on its edge or outside (equation 3 of the paper)."""
    low, high = points - boxes[:, :2], boxes[:, 2:] - points
    ratio = torch.minimum(low, high).clamp(min=0.0) / torch.maximum(low, high)
    return ratio.prod(dim=1).sqrt()
