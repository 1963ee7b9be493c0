"""Does a score tell images with a finding from those without: area under the ROC curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from detector.measuring.bootstrap import draw_patients, estimated
from detector.measuring.metrics import FloatArray, patient_places

REPORTED_FROM = 0.6
"""A class whose interval does not lie above this is measured but never shown to a reader."""


def areas_under_roc(
    scores: Sequence[float], positive: Sequence[bool], weights: FloatArray
) -> FloatArray:
    """(R,) chance that a positive image scores above a negative one, ties half.

    NaN where positives or negatives were not drawn.

    Parameters
    ----------
    weights : (R, images) how often each image counts.
    """
    _, rank = np.unique(np.asarray(scores, dtype=np.float64), return_inverse=True)
    is_positive = np.asarray(positive, dtype=bool)
    result = np.full(len(weights), np.nan)
    for row, weight in enumerate(weights):
        above = np.bincount(rank[is_positive], weight[is_positive], minlength=len(rank))
        below = np.bincount(rank[~is_positive], weight[~is_positive], minlength=len(rank))
        pairs = above.sum() * below.sum()
        if pairs > 0:
            beaten = below.cumsum() - 0.5 * below
            result[row] = (above * beaten).sum() / pairs
    return result


def auc_interval(
    scores: Sequence[float],
    positive: Sequence[bool],
    patients: Sequence[str],
    rounds: int = 1000,
) -> dict[str, Any]:
    """The area under the ROC curve with its 95 % interval over patients, and the counts.

    ``reported`` says whether the interval lies above `REPORTED_FROM`.

    Parameters
    ----------
    scores, positive, patients : of each image.
    """
    owner, count = patient_places(patients)
    figure = estimated(
        lambda weights: areas_under_roc(scores, positive, weights[:, owner]),
        draw_patients(count, rounds),
    )
    span = figure["interval"]
    return figure | {
        "images": len(scores),
        "positives": int(sum(positive)),
        "patients": count,
        "reported": span is not None and span[0] > REPORTED_FROM,
    }
