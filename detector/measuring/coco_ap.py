"""Average precision by faster-coco-eval: the COCO metric as everybody computes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster

from detector.measuring.metrics import FloatArray, ImageResult

COCO_IOUS = tuple(round(float(t), 2) for t in np.arange(0.5, 0.951, 0.05))
COCO_AREAS = {
    "all": (0.0, 1e10),
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, 1e10),
}
"""Areas in pixels of the frame, as the COCO metric names them (Lin et al. 2014)."""


def coco_average_precisions(
    results: Sequence[ImageResult],
    ious: Sequence[float] = COCO_IOUS,
    areas: Sequence[tuple[float, float]] = (COCO_AREAS["all"],),
) -> FloatArray:
    """Average precision of one category, at most 100 candidates an image.

    Returns
    -------
    (len(ious), len(areas)); NaN where no object has such an area.
    """
    truth = COCO(_truth(results))
    judge = COCOeval_faster(truth, truth.loadRes(_found(results)), "bbox")
    judge.params.iouThrs = np.asarray(ious, dtype=np.float64)
    judge.params.areaRng = [list(area) for area in areas]
    judge.params.areaRngLbl = [str(place) for place in range(len(areas))]
    judge.evaluate()
    judge.accumulate()
    # (ious, recalls, categories, areas, most detections); -1 where there is no object
    precision = np.asarray(judge.eval["precision"])[:, :, 0, :, -1]
    values: FloatArray = np.where((precision < 0).any(axis=1), np.nan, precision.mean(axis=1))
    return values


def coco_figures(results: Sequence[ImageResult]) -> dict[str, float]:
    """The mean over IoU 0.50 to 0.95, for all objects and for small, medium and large ones."""
    means = coco_average_precisions(results, COCO_IOUS, tuple(COCO_AREAS.values())).mean(axis=0)
    return dict(zip(COCO_AREAS, means.tolist(), strict=True))


def _truth(results: Sequence[ImageResult]) -> dict[str, Any]:
    objects = [(i, box) for i, result in enumerate(results, start=1) for box in result.truth]
    return {
        "info": {},
        "categories": [{"id": 1, "name": "object"}],
        "images": [{"id": i} for i in range(1, len(results) + 1)],
        "annotations": [
            {"id": number, "image_id": i, "category_id": 1, "bbox": list(box.xywh()),
             "area": box.area, "iscrowd": 0}
            for number, (i, box) in enumerate(objects, start=1)
        ],
    }  # fmt: skip


def _found(results: Sequence[ImageResult]) -> list[dict[str, Any]]:
    return [
        {"image_id": i, "category_id": 1, "bbox": list(box.xywh()), "score": score}
        for i, result in enumerate(results, start=1)
        for box, score in zip(result.found, result.scores, strict=True)
    ]
