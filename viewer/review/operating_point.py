"""What a threshold means: how much the model finds there, and how often it is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from detector.types import ModelCard


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Measured on the set that the model's card names.

    Attributes
    ----------
    sensitivity : share of the true findings that are marked, 0 to 1.
    false_marks_per_image : mean number of marks with nothing behind them.
    """

    threshold: float
    sensitivity: float
    false_marks_per_image: float


def at(card: ModelCard, threshold: float, precision: str = "") -> OperatingPoint | None:
    """The operating point of a threshold, or None where the card's measurements do not reach.

    Between two measured thresholds the figures are interpolated linearly; beyond the first and the
    last nothing is known. Where the card has a table for the ``precision`` that the network was
    computed in, that one counts.
    """
    points = sorted(
        (
            OperatingPoint(
                float(point["threshold"]),
                float(point["sensitivity"]),
                float(point["false_marks_per_image"]),
            )
            for point in _measured(card, precision)
        ),
        key=lambda point: point.threshold,
    )
    for point in points:
        if point.threshold == threshold:
            return point
    for low, high in pairwise(points):
        if low.threshold < threshold < high.threshold:
            share = (threshold - low.threshold) / (high.threshold - low.threshold)
            return OperatingPoint(
                threshold,
                low.sensitivity + share * (high.sensitivity - low.sensitivity),
                low.false_marks_per_image
                + share * (high.false_marks_per_image - low.false_marks_per_image),
            )
    return None


def _measured(card: ModelCard, precision: str) -> Sequence[Mapping[str, Any]]:
    own = card.evaluation.get("backends", {}).get(precision, {}).get("operating_points")
    points: Sequence[Mapping[str, Any]] = own or card.evaluation.get("operating_points", ())
    return points
