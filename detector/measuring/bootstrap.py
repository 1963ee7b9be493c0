"""How far a figure would move with other patients: 95 % intervals by drawing them anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from detector.measuring.metrics import FloatArray

LEAST_PATIENTS = 10
"""With fewer patients no interval is given: drawing from so few says nothing about others."""

Statistic = Callable[[FloatArray], FloatArray]
"""From (R, patients) weights to (R,) values of a figure."""


def draw_patients(patients: int, rounds: int, seed: int = 0) -> FloatArray:
    """(rounds, patients) how often each patient is drawn, with replacement.

    Patients and not images are drawn, since the images of one patient are alike (Efron 1979). The
    same draws serve every figure of a data set, so that differences are paired.
    """
    random = np.random.default_rng(seed)
    drawn = np.zeros((rounds if patients >= LEAST_PATIENTS else 0, patients))
    for row in drawn:
        row[:] = np.bincount(random.integers(0, patients, patients), minlength=patients)
    return drawn


def interval(values: FloatArray) -> list[float] | None:
    """The 2.5 and 97.5 percentile of the drawn values; None where there are none."""
    defined = values[np.isfinite(values)]
    if not len(defined):
        return None
    low, high = np.percentile(defined, (2.5, 97.5))
    return [float(low), float(high)]


def estimated(statistic: Statistic, drawn: FloatArray) -> dict[str, Any]:
    """A figure of all patients, each once, as ``value`` and ``interval``."""
    whole = statistic(np.ones((1, drawn.shape[1])))
    return {"value": float(whole[0]), "interval": interval(statistic(drawn))}


def beside(ours: Statistic, prior: Statistic, drawn: FloatArray) -> dict[str, Any]:
    """A figure beside that of the prior boxes, and the interval of their difference."""
    once = np.ones((1, drawn.shape[1]))
    value, fixed = float(ours(once)[0]), float(prior(once)[0])
    each, fixed_each = ours(drawn), prior(drawn)
    return {
        "value": value,
        "interval": interval(each),
        "prior": fixed,
        "difference": value - fixed,
        "difference_interval": interval(each - fixed_each),
    }
