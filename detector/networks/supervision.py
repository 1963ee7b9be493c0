"""Where somebody looked: the weight that each place of an image has in a loss."""

from __future__ import annotations

import torch
from torch import Tensor

from detector.networks.network import Target

REJECTED_WEIGHT = 2.0
"""A place that a reader rejected counts twice an ordinary background place."""


def known(points: Tensor, target: Target) -> Tensor:
    """The weight of each place and category (A, C): 0 where nobody looked.

    Away from all boxes it is what `target.complete` says of the category; a place inside a box
    that a reader drew or rejected is decided whatever else was looked at.

    Parameters
    ----------
    points : (A, 2) x and y of each place.
    """
    categories = len(target.complete)
    weight = target.complete.expand(len(points), categories).clone()
    for boxes, names, value in (
        (target.boxes, target.categories, 1.0),
        (target.rejected, target.rejected_categories, REJECTED_WEIGHT),
    ):
        if len(boxes):
            hits = inside(points, boxes)
            for category in range(categories):
                hit = hits[:, names == category].any(dim=1)
                weight[hit, category] = weight[hit, category].clamp(min=value)
    return weight


def inside(points: Tensor, boxes: Tensor) -> Tensor:
    """(A, G) bool: is the place inside the box."""
    x, y = points[:, None, 0], points[:, None, 1]
    return (x > boxes[:, 0]) & (x < boxes[:, 2]) & (y > boxes[:, 1]) & (y < boxes[:, 3])


def centres(boxes: Tensor) -> Tensor:
    """(A, 2) the middle of each box (A, 4)."""
    return torch.stack([boxes[:, 0] + boxes[:, 2], boxes[:, 1] + boxes[:, 3]], dim=1) / 2
