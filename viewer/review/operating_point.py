"""What a threshold means: how much the model finds there, and how often it is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

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


def at(card: ModelCard, threshold: float) -> OperatingPoint | None:
    """The operating point of a threshold, or None where the card's measurements do not reach.

    Between two measured thresholds the figures are interpolated linearly; beyond the first and the
    last nothing is known.
    """
    points = sorted(
        (
            OperatingPoint(
                float(point["threshold"]),
                float(point["sensitivity"]),
                float(point["false_marks_per_image"]),
            )
            for point in card.evaluation.get("operating_points", ())
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
