"""Which boxes answer for which findings, and how much each answer counts."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.models.detection._utils import Matcher
from torchvision.ops import box_iou

from detector.networks.network import Target
from detector.networks.supervision import centres, known


class Assignment(NamedTuple):
    """What is asked of A boxes of one image.

    Attributes
    ----------
    wanted : (A, C) float32, 1 where the box should say the category.
    weight : (A, C) float32, 0 where nobody looked.
    owner : (A,) int64, the finding whose box it should become, negative where none.
    """

    wanted: Tensor
    weight: Tensor
    owner: Tensor


def assign(boxes: Tensor, target: Target, matcher: Matcher) -> Assignment:
    """Match boxes and findings by overlap, each category for itself.

    So two findings of different categories at one place are both learnt there; the box follows
    the one that it overlaps most. Between the thresholds of the matcher nothing is asked of the
    category that is matched.

    Parameters
    ----------
    boxes : (A, 4) anchors or proposals.
    """
    weight = known(centres(boxes), target)
    wanted = torch.zeros_like(weight)
    owner = torch.full((len(boxes),), -1, dtype=torch.int64, device=boxes.device)
    if not len(target.boxes):
        return Assignment(wanted, weight, owner)
    overlap = box_iou(target.boxes, boxes)
    for category in set(target.categories.tolist()):
        match = matcher(overlap[target.categories == category])
        wanted[match >= 0, category] = 1.0
        weight[match >= 0, category] = weight[match >= 0, category].clamp(min=1.0)
        weight[match == Matcher.BETWEEN_THRESHOLDS, category] = 0.0
    return Assignment(wanted, weight, matcher(overlap))
