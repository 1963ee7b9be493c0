"""Image-level classes beside the boxes: what the whole picture says, and its loss."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from detector.networks.network import Target

IMAGE_WEIGHT = 2.0
"""The share of the image-level classes in the sum that is trained on."""

_DROPOUT = 0.2


class ImageHead(nn.Linear):
    """Mean and maximum of a feature map, side by side, to one logit for each class.

    Parameters
    ----------
    width : channels of the feature map.
    classes : 1 or more.
    """

    def __init__(self, width: int, classes: int):
        super().__init__(2 * width, classes)

    def forward(self, features: Tensor) -> Tensor:
        pooled = torch.cat([features.mean(dim=(2, 3)), features.amax(dim=(2, 3))], dim=1)
        return super().forward(functional.dropout(pooled, _DROPOUT, self.training))


def image_loss(logits: Tensor, targets: Sequence[Target]) -> Tensor:
    """Cross-entropy over the classes that are known of each image, a scalar.

    Parameters
    ----------
    logits : (B, L); L may be 0.
    """
    if logits.shape[1] == 0:
        return logits.new_zeros(())
    wanted = torch.stack([t.image_classes for t in targets])
    known = ~wanted.isnan()
    entropy = functional.binary_cross_entropy_with_logits(
        logits, wanted.nan_to_num(0.0), reduction="none"
    )
    return (entropy * known).sum() / known.sum().clamp(min=1)
