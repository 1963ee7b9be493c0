"""Faster R-CNN: regions are proposed first, then named."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection._utils import (
    BalancedPositiveNegativeSampler,
    BoxCoder,
    Matcher,
)
from torchvision.models.detection.faster_rcnn import TwoMLPHead
from torchvision.models.detection.rpn import (
    RegionProposalNetwork,
    RPNHead,
    concat_box_prediction_layers,
)
from torchvision.ops import MultiScaleRoIAlign, generalized_box_iou_loss

from detector.networks.anchors import ANCHORS_PER_PLACE, Anchors
from detector.networks.assignment import assign
from detector.networks.backbone import Backbone
from detector.networks.features import FeatureDetector, Pyramid
from detector.networks.image_level import IMAGE_WEIGHT, image_loss
from detector.networks.network import NetworkOutput, ProposalNetwork, Target
from detector.networks.options import NetworkOptions
from detector.networks.supervision import centres, known

PROPOSALS = 100
"""So many regions of an image are looked at again."""

_TRAINING_PROPOSALS = 200
_ANCHORS_TAKEN, _ANCHORS_POSITIVE = 128, 0.5
_REGIONS_TAKEN, _REGIONS_POSITIVE = 64, 0.25
_REGION_BOX_WEIGHT = 10.0
"""The overlap loss is a mean over all regions taken, of which few have a box to learn."""

_POOLED = 7
_REPRESENTATION = 256
_PADDING_LOGIT = -30.0
"""Where an image has fewer proposals than its neighbours: a score of 1e-13."""


class _Proposed(NamedTuple):
    """What the region proposal network says of B images.

    Attributes
    ----------
    boxes : B times (n, 4), best first; scores : B times (n,) in 0..1.
    objectness : (B, A) logits of all anchors; deltas : (B, A, 4).
    anchors : (A, 4)
    """

    boxes: list[Tensor]
    scores: list[Tensor]
    objectness: Tensor
    deltas: Tensor
    anchors: Tensor


class FasterRcnn(FeatureDetector, ProposalNetwork):
    """Two-stage detector (Ren et al. 2015) on a feature pyramid (Lin et al. 2017).

    The second stage gives each category a score of its own and one box for all, instead of a
    softmax over a background class, so that what nobody looked for can be left out of the loss.
    For the first stage, an anchor without a finding is a sure negative only as far as all
    categories were looked for there: it counts with the least of their weights, and not at all
    where that is 0.
    """

    def __init__(self, options: NetworkOptions, categories: int):
        backbone = Backbone(options)
        super().__init__(options, backbone, Pyramid(options, backbone.widths))
        self.rpn = RegionProposalNetwork(
            Anchors(), RPNHead(options.width, ANCHORS_PER_PLACE),
            fg_iou_thresh=0.6, bg_iou_thresh=0.3,
            batch_size_per_image=_ANCHORS_TAKEN, positive_fraction=_ANCHORS_POSITIVE,
            pre_nms_top_n={"training": 2 * _TRAINING_PROPOSALS, "testing": 3 * PROPOSALS},
            post_nms_top_n={"training": _TRAINING_PROPOSALS, "testing": PROPOSALS},
            nms_thresh=0.7,
        )  # fmt: skip
        # At 7 x 16 px a pooled bin is one place of stride 16: larger boxes go to coarser levels.
        self.pool = MultiScaleRoIAlign(
            [str(i) for i in range(len(options.levels))], _POOLED, sampling_ratio=2,
            canonical_scale=_POOLED * 16, canonical_level=4,
        )  # fmt: skip
        self.head = TwoMLPHead(options.width * _POOLED**2, _REPRESENTATION)
        self.category = nn.Linear(_REPRESENTATION, categories)
        self.box = nn.Linear(_REPRESENTATION, 4)
        nn.init.constant_(self.category.bias, -math.log(99.0))
        self._coder = BoxCoder((10.0, 10.0, 5.0, 5.0))
        self._matcher = Matcher(0.5, 0.5)
        self._sampler = BalancedPositiveNegativeSampler(_REGIONS_TAKEN, _REGIONS_POSITIVE)

    def predict(self, images: Tensor) -> NetworkOutput:
        levels, image_logits = self.features(images)
        proposed = self._propose(images, levels).boxes
        boxes, logits = self._look_again(images, levels, proposed)
        counts = [len(b) for b in proposed]
        return NetworkOutput(
            torch.stack([_padded(x, 0.0) for x in torch.split(boxes, counts)]),
            torch.stack([_padded(x, _PADDING_LOGIT) for x in torch.split(logits, counts)]),
            image_logits,
        )

    def proposals(self, images: Tensor, count: int) -> list[tuple[Tensor, Tensor]]:
        proposed = self._propose(images, self.features(images)[0])
        return [
            (boxes[:count], scores[:count])
            for boxes, scores in zip(proposed.boxes, proposed.scores, strict=True)
        ]

    def losses(self, images: Tensor, targets: Sequence[Target]) -> dict[str, Tensor]:
        levels, image_logits = self.features(images)
        proposed = self._propose(images, levels)
        return {
            **self._proposal_losses(proposed, targets),
            **self._region_losses(images, levels, proposed.boxes, targets),
            "image": IMAGE_WEIGHT * image_loss(image_logits, targets),
        }

    def _propose(self, images: Tensor, levels: list[Tensor]) -> _Proposed:
        by_level, deltas_by_level = self.rpn.head(levels)
        counts = [x[0].numel() for x in by_level]
        anchors = self.rpn.anchor_generator(images, levels)
        objectness, deltas = concat_box_prediction_layers(by_level, deltas_by_level)
        objectness = objectness.float().reshape(len(images), -1)
        deltas = deltas.float()
        boxes = self.rpn.box_coder.decode(deltas.detach(), [anchors] * len(images))
        boxes, scores = self.rpn.filter_proposals(
            boxes.reshape(len(images), -1, 4), objectness, _sizes(images), counts
        )
        return _Proposed(boxes, scores, objectness, deltas.reshape(len(images), -1, 4), anchors)

    def _look_again(
        self, images: Tensor, levels: list[Tensor], regions: list[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Boxes (n, 4) and logits (n, C) of the regions of all images, one after the other."""
        maps = {str(i): x.float() for i, x in enumerate(levels)}
        x = self.head(self.pool(maps, regions, _sizes(images)))
        boxes = self._coder.decode_single(self.box(x).float(), torch.cat(regions))
        return boxes, self.category(x).float()

    def _proposal_losses(self, proposed: _Proposed, targets: Sequence[Target]) -> dict[str, Tensor]:
        anchors = [proposed.anchors] * len(targets)
        labels, truth = self.rpn.assign_targets_to_anchors(
            anchors, [{"boxes": t.boxes} for t in targets]
        )
        points = centres(proposed.anchors)
        sure = torch.stack([known(points, t).amin(dim=1) for t in targets])
        kinds = torch.stack(labels)
        kinds[(kinds == 0) & (sure == 0)] = -1  # taken neither as finding nor as background
        positive, negative = (torch.stack(s).bool() for s in self.rpn.fg_bg_sampler(list(kinds)))
        weight = torch.where(positive, 1.0, sure) * (positive | negative)
        entropy = functional.binary_cross_entropy_with_logits(
            proposed.objectness, kinds.clamp(min=0.0), reduction="none"
        )
        wanted = torch.stack(self.rpn.box_coder.encode(truth, anchors))
        distance = functional.smooth_l1_loss(
            proposed.deltas[positive], wanted[positive], beta=1 / 9, reduction="sum"
        )
        norm = (positive | negative).sum().clamp(min=1)
        return {"objectness": (weight * entropy).sum() / norm, "proposal_box": distance / norm}

    def _region_losses(
        self,
        images: Tensor,
        levels: list[Tensor],
        proposed: list[Tensor],
        targets: Sequence[Target],
    ) -> dict[str, Tensor]:
        regions, wanted, weight, truth = [], [], [], []
        for found, target in zip(proposed, targets, strict=True):
            # What readers drew and rejected is looked at, whether it was proposed or not.
            boxes = torch.cat([target.boxes, target.rejected, found])
            asked = assign(boxes, target, self._matcher)
            chosen = self._sampled(asked.wanted, asked.weight)
            regions.append(boxes[chosen])
            wanted.append(asked.wanted[chosen])
            weight.append(asked.weight[chosen])
            truth.append(_owned(target.boxes, asked.owner[chosen]))
        boxes, logits = self._look_again(images, levels, regions)
        entropy = functional.binary_cross_entropy_with_logits(
            logits, torch.cat(wanted), torch.cat(weight), reduction="sum"
        )
        goal = torch.cat(truth)
        positive = ~goal.isnan().any(dim=1)
        overlap = generalized_box_iou_loss(boxes[positive], goal[positive], reduction="sum")
        norm = max(1, len(boxes))
        return {"score": entropy / norm, "box": _REGION_BOX_WEIGHT * overlap / norm}

    def _sampled(self, wanted: Tensor, weight: Tensor) -> Tensor:
        """Indices of the regions to learn from: a quarter findings, the rest sure background."""
        kinds = wanted.amax(dim=1)
        kinds[(kinds == 0) & (weight.amax(dim=1) == 0)] = -1
        positive, negative = self._sampler([kinds])
        chosen: Tensor = (positive[0] | negative[0]).nonzero()[:, 0]
        return chosen


def _owned(boxes: Tensor, owner: Tensor) -> Tensor:
    """(n, 4) the box that each region should become, NaN where it has none."""
    padded = torch.cat([boxes, boxes.new_full((1, 4), float("nan"))])
    return padded[owner.clamp(min=-1)]


def _padded(rows: Tensor, value: float) -> Tensor:
    return functional.pad(rows, (0, 0, 0, PROPOSALS - len(rows)), value=value)


def _sizes(images: Tensor) -> list[tuple[int, int]]:
    return [(images.shape[-2], images.shape[-1])] * len(images)
