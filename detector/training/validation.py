"""How well the network does on patients that it is not trained on, after each epoch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from detector.inference.suppression import DEFAULT_FLOOR, placed, suppressed
from detector.measuring.metrics import ImageResult, average_precision, match
from detector.training.augment import Prepared, as_images
from detector.training.distributed import ALONE, Team

IOU = 0.4
"""Two readers of one finding overlap by about a half, so that 0.5 would count many as missed."""

_BATCH = 16


def validate(
    network: nn.Module,
    held_out: Sequence[Prepared],
    categories: Sequence[str],
    device: str = "cpu",
    team: Team = ALONE,
) -> dict[str, float]:
    """The average precision at an IoU of 0.4 of each category that is boxed on these images.

    Each category is measured on the images that were read for it. A team shares the work, and
    each of its processes gets the result.

    Parameters
    ----------
    network : in eval mode, on `device`.
    """
    mine = list(held_out[team.rank :: team.size])
    results: list[tuple[str, ImageResult]] = []
    for start in range(0, len(mine), _BATCH):
        results += _results(network, mine[start : start + _BATCH], categories, device)
    everyone = [pair for share in team.gathered(results) for pair in share]
    precision = {}
    for category in categories:
        of_it = [result for name, result in everyone if name == category]
        if any(result.truth for result in of_it):
            precision[category] = average_precision(match(of_it, IOU))
    return precision


def _results(
    network: nn.Module, batch: Sequence[Prepared], categories: Sequence[str], device: str
) -> list[tuple[str, ImageResult]]:
    with torch.inference_mode():
        output = network(as_images(batch, device))
    boxes = output.boxes.float().cpu().numpy()
    scores = output.logits.float().sigmoid().cpu().numpy()
    results = []
    for item, b, s in zip(batch, boxes, scores, strict=True):
        found = placed(suppressed(b, s, DEFAULT_FLOOR), categories, item.geometry)
        for category in categories:
            if category in item.sample.complete:
                of_it = [d for d in found if d.category == category]
                results.append((category, ImageResult(
                    item.sample.patient, item.sample.boxes_of(category),
                    tuple(d.box for d in of_it), tuple(d.score for d in of_it),
                )))  # fmt: skip
    return results
