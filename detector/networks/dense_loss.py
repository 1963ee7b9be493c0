"""What the network is asked to get right: scores that tell quality, boxes, image-level classes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import box_iou, generalized_box_iou_loss

from detector.networks.image_level import IMAGE_WEIGHT, image_loss
from detector.networks.network import NetworkOutput, Target
from detector.networks.supervision import inside, known

POSITIVES_PER_OBJECT = 9
BOX_WEIGHT = 2.0
_SCORE_POWER, _IOU_POWER = 0.5, 4.0


def detection_loss(output: NetworkOutput, targets: Sequence[Target]) -> dict[str, Tensor]:
    """The three losses, each a scalar; their sum is what is trained on.

    The score of a place is trained towards the overlap that its box has with the finding
    (Generalized Focal Loss, Li et al. 2020); which places answer for a finding follows from
    score and overlap together (task-aligned assignment, Feng et al. 2021).
    """
    points = output.points
    assert points is not None
    score_sum = output.logits.new_zeros(())
    box_sum = output.logits.new_zeros(())
    quality_sum = output.logits.new_zeros(())
    for boxes, logits, target in zip(output.boxes, output.logits, targets, strict=True):
        quality, owner = _assigned(boxes.detach(), logits.detach(), points, target)
        weight = known(points, target)
        scores = logits.sigmoid()
        entropy = functional.binary_cross_entropy_with_logits(logits, quality, reduction="none")
        score_sum = score_sum + (weight * (scores - quality).abs().square() * entropy).sum()
        places = (owner >= 0).nonzero()[:, 0]
        if len(places):
            share = quality.amax(dim=1)[places]
            loss = generalized_box_iou_loss(boxes[places], target.boxes[owner[places]])
            box_sum = box_sum + (loss * share).sum()
            quality_sum = quality_sum + share.sum()
    norm = quality_sum.clamp(min=1.0)
    return {
        "score": score_sum / norm,
        "box": BOX_WEIGHT * box_sum / norm,
        "image": IMAGE_WEIGHT * image_loss(output.image_logits, targets),
    }


def _assigned(
    boxes: Tensor, logits: Tensor, points: Tensor, target: Target
) -> tuple[Tensor, Tensor]:
    """The wanted score of each place and category (A, C), and the object it answers for (A,)."""
    quality = torch.zeros_like(logits)
    owner = torch.full((len(points),), -1, dtype=torch.int64, device=points.device)
    if not len(target.boxes):
        return quality, owner
    overlap = box_iou(boxes, target.boxes)
    score = logits.sigmoid()[:, target.categories]
    within = inside(points, target.boxes)
    # A box too small to hold any place belongs to the place nearest to its centre.
    centres = (target.boxes[:, :2] + target.boxes[:, 2:]) / 2
    nearest = torch.cdist(points, centres).argmin(dim=0)
    within[nearest, torch.arange(len(target.boxes), device=points.device)] = True
    metric = (score.pow(_SCORE_POWER) * overlap.pow(_IOU_POWER) + 1e-9) * within
    top = metric.topk(min(POSITIVES_PER_OBJECT, len(points)), dim=0).indices
    chosen = torch.zeros_like(within).scatter_(0, top, True) & within
    metric = metric * chosen
    index = (overlap * chosen).argmax(dim=1)
    taken = chosen.any(dim=1)
    owner[taken] = index[taken]
    peak = metric.amax(dim=0).clamp(min=1e-9)
    height = (overlap * chosen).amax(dim=0)
    places = taken.nonzero()[:, 0]
    mine = owner[places]
    quality[places, target.categories[mine]] = metric[places, mine] / peak[mine] * height[mine]
    return quality, owner
