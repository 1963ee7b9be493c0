"""Is a score a probability: reliability, expected calibration error, and Platt scaling.

A candidate counts as right where it hits an object (IoU of 0.3 or more).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from detector.measuring.metrics import BoolArray, FloatArray, IntArray

BINS = 10
_EDGE = 1e-6
"""Scores this near to 0 and 1 are taken as this far away: a logit must stay finite."""

_STEPS = 100
_SETTLED = 1e-9


def logit(scores: FloatArray) -> FloatArray:
    """ln(s / (1 - s)) of scores clipped to 1e-6 .. 1 - 1e-6."""
    clipped = np.clip(scores, _EDGE, 1.0 - _EDGE)
    result: FloatArray = np.log(clipped) - np.log1p(-clipped)
    return result


def _sigmoid(values: FloatArray) -> FloatArray:
    result: FloatArray = np.exp(-np.logaddexp(0.0, -values))
    return result


def fit_platt(
    scores: FloatArray, hit: BoolArray, weights: FloatArray | None = None
) -> tuple[float, float]:
    """The (a, b) for which sigmoid(a * logit(score) + b) is most likely for these hits.

    Newton's method with step halving on the softened targets of Platt (1999) as corrected by Lin
    et al. (2007), so that even perfectly separated scores have a finite answer.

    Parameters
    ----------
    scores, hit : (N,). weights : (N,) how much each candidate counts; None is once each.

    Raises
    ------
    ValueError
        Where there is no candidate.
    """
    if not len(scores):
        raise ValueError("Platt scaling needs at least one candidate")
    weight = np.ones(len(scores)) if weights is None else weights
    hits, misses = float(weight[hit].sum()), float(weight[~hit].sum())
    target = np.where(hit, (hits + 1.0) / (hits + 2.0), 1.0 / (misses + 2.0))
    design = np.stack([logit(np.asarray(scores, dtype=np.float64)), np.ones(len(scores))], axis=1)

    def loss(at: FloatArray) -> float:
        z = design @ at
        return float((weight * (np.logaddexp(0.0, z) - target * z)).sum())

    at = np.array([0.0, np.log((hits + 1.0) / (misses + 1.0))])
    for _ in range(_STEPS):
        p = _sigmoid(design @ at)
        gradient = design.T @ (weight * (p - target))
        if np.abs(gradient).max() < _SETTLED * weight.sum():
            break
        # The small ridge keeps equal scores, of which no slope can be told, solvable.
        curvature = (design * (weight * p * (1.0 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        step, now = np.linalg.solve(curvature, gradient), loss(at)
        while loss(at - step) > now and np.abs(step).max() > _SETTLED:
            step = step / 2.0
        at = at - step
    return float(at[0]), float(at[1])


def apply_platt(scores: FloatArray, a: float, b: float) -> FloatArray:
    """(N,) calibrated scores, sigmoid(a * logit(score) + b)."""
    return _sigmoid(a * logit(np.asarray(scores, dtype=np.float64)) + b)


def cross_fitted(scores: FloatArray, hit: BoolArray, fold: IntArray) -> FloatArray:
    """(N,) calibrated scores, each by a fit on the other folds only.

    Parameters
    ----------
    fold : (N,) of each candidate, at least two; a patient's candidates must lie in one fold.
    """
    calibrated = np.zeros(len(scores))
    for one in np.unique(fold):
        mine = fold == one
        calibrated[mine] = apply_platt(scores[mine], *fit_platt(scores[~mine], hit[~mine]))
    return calibrated


def reliability(scores: FloatArray, hit: BoolArray, bins: int = BINS) -> list[dict[str, float]]:
    """Mean score and share of hits in bins of equally many candidates, lowest scores first.

    Fewer bins where there are fewer candidates.
    """
    parts = np.array_split(np.argsort(scores, kind="stable"), bins)
    return [
        {
            "candidates": len(part),
            "lowest": float(scores[part].min()),
            "highest": float(scores[part].max()),
            "mean_score": float(scores[part].mean()),
            "hit_share": float(hit[part].mean()),
        }
        for part in parts
        if len(part)
    ]


def expected_calibration_error(
    scores: FloatArray, hit: BoolArray, bins: int = BINS
) -> float | None:
    """Mean distance of score and share of hits over the bins of `reliability`; None without any.

    Naeini et al. 2015, with bins of equal count.
    """
    rows = reliability(scores, hit, bins)
    if not rows:
        return None
    gaps = [row["candidates"] * abs(row["mean_score"] - row["hit_share"]) for row in rows]
    return float(sum(gaps) / len(scores))


def calibration_figures(
    scores: FloatArray, hit: BoolArray, fold: IntArray, marks_from: float
) -> dict[str, Any]:
    """Reliability and ECE as the scores are, and after Platt scaling.

    ``all`` are all candidates, of which nearly all are low and false; ``marks`` those that score
    `marks_from` or more. ``platt`` is fitted on all, for a card; what is told of the time after it
    is cross-fitted by patient folds, so that no fit is measured on what it was fitted on.
    """
    after = cross_fitted(scores, hit, fold) if len(np.unique(fold)) > 1 else None
    marks = scores >= marks_from
    return {
        "platt": list(fit_platt(scores, hit)) if len(scores) else None,
        "all": _compared(scores, after, hit),
        "marks": {
            "from_score": marks_from,
            **_compared(scores[marks], None if after is None else after[marks], hit[marks]),
        },
    }


def _compared(scores: FloatArray, after: FloatArray | None, hit: BoolArray) -> dict[str, Any]:
    return {
        "candidates": len(scores),
        "hits": int(hit.sum()),
        "ece": expected_calibration_error(scores, hit),
        "ece_after_platt": None if after is None else expected_calibration_error(after, hit),
        "bins": reliability(scores, hit),
        "bins_after_platt": [] if after is None else reliability(after, hit),
    }
