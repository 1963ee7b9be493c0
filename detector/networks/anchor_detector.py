"""RetinaNet and SSDlite: a score for each category and a box from each anchor."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchvision.models.detection._utils import BoxCoder, Matcher
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.models.detection.ssdlite import SSDLiteHead
from torchvision.ops import generalized_box_iou_loss, sigmoid_focal_loss

from detector.networks.anchors import ANCHORS_PER_PLACE, Anchors
from detector.networks.assignment import assign
from detector.networks.backbone import Backbone, norm_layer
from detector.networks.features import FeatureDetector, Pyramid, SsdLevels
from detector.networks.image_level import IMAGE_WEIGHT, image_loss
from detector.networks.network import NetworkOutput, Target
from detector.networks.options import NetworkOptions

BOX_WEIGHT = 2.0
TOWER_CONVS = 2
"""Half of the published depth: the towers are most of the cost on a CPU."""

_PRIOR_LOGIT = -math.log(99.0)
"""An untrained network scores every place 0.01, so that the first steps are calm."""


class AnchorDetector(FeatureDetector):
    """A one-stage detector with anchors.

    Trained with focal loss and generalised IoU; anchors answer for findings that they overlap by
    a half, and each finding has at least its best one (RetinaNet, Lin et al. 2017).

    Parameters
    ----------
    head : levels to a dict of ``cls_logits`` (B, A, C) and ``bbox_regression`` (B, A, 4).
    coder : how a box is told from its anchor.
    """

    def __init__(
        self,
        options: NetworkOptions,
        backbone: Backbone,
        neck: Pyramid | SsdLevels,
        head: nn.Module,
        coder: BoxCoder,
    ):
        super().__init__(options, backbone, neck)
        self.head = head
        self.anchors = Anchors()
        self._coder = coder
        self._matcher = Matcher(0.5, 0.4, allow_low_quality_matches=True)

    def predict(self, images: Tensor) -> NetworkOutput:
        return self._answer(images)[0]

    def losses(self, images: Tensor, targets: Sequence[Target]) -> dict[str, Tensor]:
        output, anchors = self._answer(images)
        score_sum = box_sum = output.logits.new_zeros(())
        positives = 0
        for boxes, logits, target in zip(output.boxes, output.logits, targets, strict=True):
            wanted, weight, owner = assign(anchors, target, self._matcher)
            score_sum = score_sum + (weight * sigmoid_focal_loss(logits, wanted)).sum()
            chosen = (owner >= 0).nonzero()[:, 0]
            truth = target.boxes[owner[chosen]]
            box_sum = box_sum + generalized_box_iou_loss(boxes[chosen], truth, reduction="sum")
            positives += len(chosen)
        norm = max(1, positives)
        return {
            "score": score_sum / norm,
            "box": BOX_WEIGHT * box_sum / norm,
            "image": IMAGE_WEIGHT * image_loss(output.image_logits, targets),
        }

    def _answer(self, images: Tensor) -> tuple[NetworkOutput, Tensor]:
        """The output, and the anchors (A, 4) that it comes from."""
        levels, image_logits = self.features(images)
        answer = self.head(levels)
        anchors = self.anchors(images, levels)
        deltas = answer["bbox_regression"].float()
        boxes = self._coder.decode_single(
            deltas.reshape(-1, 4), anchors.expand(len(deltas), -1, -1).reshape(-1, 4)
        ).reshape(deltas.shape)
        return NetworkOutput(boxes, answer["cls_logits"].float(), image_logits), anchors


def retinanet(options: NetworkOptions, categories: int) -> AnchorDetector:
    """RetinaNet: feature pyramid, and one head of two towers for all levels."""
    backbone = Backbone(options)
    head = RetinaNetHead(options.width, ANCHORS_PER_PLACE, categories, norm_layer(options.norm))
    for part in (head.classification_head, head.regression_head):
        part.conv = part.conv[:TOWER_CONVS]
    neck = Pyramid(options, backbone.widths)
    return AnchorDetector(options, backbone, neck, head, BoxCoder((1.0, 1.0, 1.0, 1.0)))


def ssdlite(options: NetworkOptions, categories: int) -> AnchorDetector:
    """SSDlite: a depthwise separable head of its own for each level, no pyramid.

    After Liu et al. 2016 and Sandler et al. 2018; the softmax over a background class and the
    mining of hard negatives give way to focal loss, which can leave out what nobody looked for.
    """
    backbone = Backbone(options)
    neck = SsdLevels(options, backbone.widths)
    counts = [ANCHORS_PER_PLACE] * len(neck.widths)
    head = SSDLiteHead(neck.widths, counts, categories, norm_layer(options.norm))
    for block in head.classification_head.module_list:
        torch.nn.init.constant_(block[1].bias, _PRIOR_LOGIT)
    return AnchorDetector(options, backbone, neck, head, BoxCoder((10.0, 10.0, 5.0, 5.0)))
