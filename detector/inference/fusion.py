"""What several looks at one picture marked, merged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detector.inference.suppression import Marks, overlaps

SAME_OBJECT = 0.5
"""Boxes of one category that overlap by more than this (IoU) are taken for one object."""


def fused(looks: Sequence[Marks], iou: float = SAME_OBJECT) -> Marks:
    """Weighted boxes fusion: one box for each object, its score the mean over all looks.

    A look that did not find an object counts as a score of 0.

    References
    ----------
    R. Solovyev, W. Wang, T. Gabruseva, Weighted boxes fusion: ensembling boxes from different
    object detection models, Image and Vision Computing 107, 2021.
    """
    together = Marks(*(np.concatenate(part) for part in zip(*looks, strict=True))).best_first()
    total = len(together.scores)
    weighted, weight = np.zeros((total, 4)), np.zeros(total)
    scores, members = np.zeros(total), np.zeros(total)
    names, boxes = np.full(total, -1, dtype=np.int64), np.zeros((total, 4))
    count = 0
    for box, score, name in zip(*together, strict=True):
        overlap = np.where(names[:count] == name, overlaps(box, boxes[:count]), 0.0)
        place = int(overlap.argmax()) if count and overlap.max() > iou else count
        count = max(count, place + 1)
        names[place] = name
        weighted[place] += box * max(score, 1e-9)
        weight[place] += max(score, 1e-9)
        scores[place] += score
        members[place] += 1
        boxes[place] = weighted[place] / weight[place]
    mean = scores[:count] / np.maximum(members[:count], len(looks))
    return Marks(boxes[:count], mean, names[:count]).best_first()
