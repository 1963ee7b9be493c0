"""What several looks at one picture marked, merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detector.inference.suppression import Marks

SAME_OBJECT = 0.5
"""Boxes of one category that overlap by more than this (IoU) are taken for one object."""

_LEAST_WEIGHT = 1e-9

Corners = list[float]


@dataclass(slots=True)
class _Object:
    """What several looks marked; its box is their mean, weighted by their scores."""

    box: Corners
    name: int
    weight: float = 0.0
    scores: float = 0.0
    looks: int = 0

    def take(self, box: Corners, score: float) -> None:
        weight = max(score, _LEAST_WEIGHT)
        together = self.weight + weight
        self.box = [
            (old * self.weight + new * weight) / together
            for old, new in zip(self.box, box, strict=True)
        ]
        self.weight, self.scores, self.looks = together, self.scores + score, self.looks + 1


def fused(looks: Sequence[Marks], iou: float = SAME_OBJECT) -> Marks:
    """Weighted boxes fusion: one box for each object, its score the mean over all looks.

    A look that did not find an object counts as a score of 0. The few boxes that are left after
    suppression are compared one by one: arrays would cost more than what is in them.

    References
    ----------
    R. Solovyev, W. Wang, T. Gabruseva, Weighted boxes fusion: ensembling boxes from different
    object detection models, Image and Vision Computing 107, 2021.
    """
    together = Marks(*(np.concatenate(part) for part in zip(*looks, strict=True))).best_first()
    objects: list[_Object] = []
    for box, score, name in zip(*(part.tolist() for part in together), strict=True):
        most, same = iou, None
        for other in objects:
            if other.name == name and (shared := _overlap(box, other.box)) > most:
                most, same = shared, other
        if same is None:
            same = _Object(box, name)
            objects.append(same)
        same.take(box, score)
    return Marks(
        np.array([o.box for o in objects]).reshape(-1, 4),
        np.array([o.scores / max(o.looks, len(looks)) for o in objects]),
        np.array([o.name for o in objects], dtype=np.int64),
    ).best_first()


def _overlap(one: Corners, other: Corners) -> float:
    """Intersection over union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return width * height / (sum(areas) - width * height)
