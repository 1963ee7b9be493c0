"""What a threshold means: how much the model finds there, and how often it is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from detector.types import ModelCard
from viewer.review.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Measured on the set that the model's card names.

    Attributes
    ----------
    sensitivity : share of the true findings that are marked, 0 to 1.
    false_marks_per_image : mean number of marks with nothing behind them.
    """

    sensitivity: float
    false_marks_per_image: float


@dataclass(frozen=True, slots=True)
class MeasuredSet:
    """The images on which somebody looked for a category.

    Attributes
    ----------
    out_of_fold : no model was measured on a patient whom it had learnt from.
    """

    category: str
    images: int
    patients: int
    out_of_fold: bool


def at(
    card: ModelCard, threshold: float, precision: str = "", category: str | None = None
) -> OperatingPoint | None:
    """The operating point of a threshold, or None where the card's measurements do not reach.

    Between two measured thresholds the figures are interpolated linearly; beyond the first and the
    last nothing is known. Where the card has a table for the ``precision`` that the network was
    computed in, that one counts.

    Parameters
    ----------
    category : of this one alone; None: all categories under one threshold.
    """
    table = _measured(card, precision, category)
    points = sorted((_numbers(point) for point in table), key=lambda point: point[0])
    for known, *figures in points:
        if known == threshold:
            return OperatingPoint(*figures)
    for (low, *below), (high, *above) in pairwise(points):
        if low < threshold < high:
            share = (threshold - low) / (high - low)
            return OperatingPoint(*(b + share * (a - b) for b, a in zip(below, above, strict=True)))
    return None


def together(card: ModelCard, thresholds: Thresholds, precision: str = "") -> OperatingPoint | None:
    """That of all categories, each under its own threshold.

    Their findings are pooled and their false marks an image added up, as the card's own table of
    all categories does it.
    """
    if not thresholds.by_category:
        return at(card, thresholds.default, precision)
    found = objects = false_marks = 0.0
    for category in card.categories:
        point = at(card, thresholds.of(category), precision, category)
        if point is None:
            return None
        number = float(_of_category(card, category).get("objects", 0))
        found, objects = found + number * point.sensitivity, objects + number
        false_marks += point.false_marks_per_image
    return OperatingPoint(found / objects, false_marks) if objects else None


def measured_on(card: ModelCard) -> tuple[MeasuredSet, ...]:
    """The sets behind the figures, one for each category; empty where the card does not say."""
    out_of_fold = "out-of-fold" in str(card.evaluation.get("what", ""))
    sets = []
    for category in card.categories:
        said = _of_category(card, category)
        if "images" in said and "patients" in said:
            sets.append(
                MeasuredSet(category, int(said["images"]), int(said["patients"]), out_of_fold)
            )
    return tuple(sets)


def measured_words(measured: Sequence[MeasuredSet]) -> str:
    """On how many images of how many patients, for each category; empty where nothing is said."""
    if not measured:
        return ""
    each = [_images(one) for one in measured]
    if len(measured) > 1:
        each = [f"{words} for {one.category}" for words, one in zip(each, measured, strict=True)]
    fold = ", out of fold" if all(one.out_of_fold for one in measured) else ""
    return f"{', '.join(each[:-1])}{' and ' if each[1:] else ''}{each[-1]}{fold}"


def _images(measured: MeasuredSet) -> str:
    images = "image" if measured.images == 1 else "images"
    patients = "patient" if measured.patients == 1 else "patients"
    return f"{measured.images} {images} of {measured.patients} {patients}"


def _numbers(point: Mapping[str, Any]) -> tuple[float, float, float]:
    return (
        float(point["threshold"]),
        float(point["sensitivity"]),
        float(point["false_marks_per_image"]),
    )


def _measured(card: ModelCard, precision: str, category: str | None) -> Sequence[Mapping[str, Any]]:
    backend = card.evaluation.get("backends", {}).get(precision, {})
    if category is None:
        own, plain = backend.get("operating_points"), card.evaluation.get("operating_points")
    else:
        own = backend.get("operating_points_of", {}).get(category)
        plain = _of_category(card, category).get("operating_points")
    points: Sequence[Mapping[str, Any]] = own or plain or ()
    return points


def _of_category(card: ModelCard, category: str) -> Mapping[str, Any]:
    said: Mapping[str, Any] = card.evaluation.get("categories", {}).get(category, {})
    return said
