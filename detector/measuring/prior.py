"""Boxes that never look at the image: what a model has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detector.measuring.metrics import (
    FloatArray,
    ImageResult,
    average_precision,
    iou_matrix,
    match,
)
from detector.types import Box


@dataclass(frozen=True)
class PriorBoxes:
    """Boxes that a look at the training labels alone suggests, the same on every image."""

    boxes: tuple[tuple[float, float, float, float], ...]  # in shares of width and height
    scores: tuple[float, ...]


def learn_prior(
    truths: Sequence[tuple[Sequence[Box], int, int]], iou: float = 0.4, seed: int = 0
) -> PriorBoxes:
    """The best fixed boxes for these images, found on their labels and nothing else.

    Clusters (k-means of the corners) of 1 to 24 boxes, each scored by the share of images on
    which it hits; the number of clusters is the one with the best AP on these images.

    Parameters
    ----------
    truths : for each image its boxes, columns, rows.
    """
    unit = [[Box(b.x_min / w, b.y_min / h, b.x_max / w, b.y_max / h) for b in boxes]
            for boxes, w, h in truths]  # fmt: skip
    corners = np.asarray([(b.x_min, b.y_min, b.x_max, b.y_max) for boxes in unit for b in boxes])
    if not len(corners):
        return PriorBoxes((), ())
    best, best_value = PriorBoxes((), ()), -1.0
    for count in (1, 2, 3, 4, 6, 8, 12, 16, 24):
        if count > len(np.unique(corners, axis=0)):
            break
        centres = tuple(Box(*map(float, c)) for c in _cluster(corners, count, seed))
        overlaps = [iou_matrix(centres, boxes) for boxes in unit]
        scores = np.mean([(o >= iou).any(axis=1) for o in overlaps], axis=0).tolist()
        results = [ImageResult(str(i), tuple(boxes), centres, tuple(scores))
                   for i, boxes in enumerate(unit)]  # fmt: skip
        value = average_precision(match(results, iou))
        if value > best_value:
            corner_rows = tuple((c.x_min, c.y_min, c.x_max, c.y_max) for c in centres)
            best, best_value = PriorBoxes(corner_rows, tuple(scores)), value
    return best


def _cluster(points: FloatArray, count: int, seed: int) -> FloatArray:
    """Lloyd's k-means with a spread-out start; medians, so that a stray box moves little."""
    random = np.random.default_rng(seed)
    centres = points[[int(random.integers(len(points)))]]
    while len(centres) < count:
        distance = ((points[:, None] - centres[None]) ** 2).sum(-1).min(1)
        chosen = int(random.choice(len(points), p=distance / distance.sum()))
        centres = np.vstack([centres, points[chosen]])
    for _ in range(50):
        owner = ((points[:, None] - centres[None]) ** 2).sum(-1).argmin(1)
        moved = np.asarray([np.median(points[owner == k], axis=0) if (owner == k).any()
                            else centres[k] for k in range(count)])  # fmt: skip
        if np.allclose(moved, centres):
            break
        centres = moved
    return centres
