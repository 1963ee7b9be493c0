"""The figures in parts of the data: by view, and by how large the object is in its image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from detector.measuring.bootstrap import draw_patients, estimated
from detector.measuring.image_level import auc_interval
from detector.measuring.metrics import (
    ImageResult,
    average_precisions,
    match,
    sensitivities,
)
from detector.measuring.seen import Seen, in_unit_area

HIT_IOU = 0.3
"""From this overlap on a mark counts as found, in the FROC and for the threshold bar."""

STRATUM_IOU = 0.4

SIZES = {
    "under 1/8": (0.0, 1 / 64),
    "1/8 to 1/4": (1 / 64, 1 / 16),
    "over 1/4": (1 / 16, 1.0),
}
"""Side of the box (root of its area) as a share of the side of the image, as shares of the area."""


def by_view(
    read: Sequence[Seen], results: Sequence[ImageResult], rounds: int
) -> dict[str, dict[str, Any]]:
    """The figures of each View Position that has an object."""
    views = {}
    for view in sorted({s.sample.view for s in read}):
        part = [r for s, r in zip(read, results, strict=True) if s.sample.view == view]
        if any(r.truth for r in part):
            views[view or "unknown"] = (
                {"images": len(part)}
                | _figures(part, None, rounds)
                | {"image_auc": best_score_auc(part, rounds)}
            )
    return views


def by_size(
    read: Sequence[Seen], results: Sequence[ImageResult], rounds: int
) -> dict[str, dict[str, Any]]:
    """The figures of each of `SIZES`, on all images.

    As in the COCO metric, what hits an object of another size and what is of another size and
    hits nothing counts neither for nor against the model.
    """
    scaled = [in_unit_area(r, s.columns, s.rows) for s, r in zip(read, results, strict=True)]
    return {name: _figures(scaled, areas, rounds) for name, areas in SIZES.items()}


def _figures(
    results: Sequence[ImageResult], areas: tuple[float, float] | None, rounds: int
) -> dict[str, Any]:
    precise, hits = match(results, STRATUM_IOU, areas), match(results, HIT_IOU, areas)
    drawn = draw_patients(hits.patients, rounds)
    return {
        "objects": int(hits.truths.sum()),
        "ap_0.4": estimated(lambda w: average_precisions(precise, w), drawn),
        "sensitivity_at_1": estimated(lambda w: sensitivities(hits, [1.0], w)[:, 0], drawn),
    }


def best_score_auc(results: Sequence[ImageResult], rounds: int) -> dict[str, Any]:
    """Does the best score of an image tell images with an object from those without."""
    return auc_interval(
        [float(np.max(r.scores, initial=0.0)) for r in results],
        [bool(r.truth) for r in results],
        [r.patient for r in results],
        rounds,
    )
