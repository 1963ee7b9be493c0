from __future__ import annotations

from dataclasses import replace

import pytest

from detector.types import ModelCard
from viewer.review.operating_point import OperatingPoint, at


def card(*points: tuple[float, float, float]) -> ModelCard:
    names = ("threshold", "sensitivity", "false_marks_per_image")
    measured = [dict(zip(names, point, strict=True)) for point in points]
    return ModelCard(
        "m", "1", "a", {}, ("opacity",), 512, "w", ("DX",), ("CHEST",), ("PA",), 0.5, "",
        evaluation={"operating_points": measured} if points else {},
    )  # fmt: skip


def test_a_measured_threshold_has_its_measurement() -> None:
    model = card((0.8, 0.4, 0.1), (0.2, 0.9, 2.0))
    assert at(model, 0.2) == OperatingPoint(0.9, 2.0)
    assert at(model, 0.8) == OperatingPoint(0.4, 0.1)


def test_between_two_measurements_it_is_interpolated() -> None:
    point = at(card((0.8, 0.4, 0.1), (0.2, 0.9, 2.1)), 0.35)
    assert point is not None
    assert point.sensitivity == pytest.approx(0.775)
    assert point.false_marks_per_image == pytest.approx(1.6)


@pytest.mark.parametrize("threshold", [0.1, 0.9])
def test_beyond_the_measurements_nothing_is_claimed(threshold: float) -> None:
    assert at(card((0.2, 0.9, 2.0), (0.8, 0.4, 0.1)), threshold) is None


def test_an_unmeasured_model_has_none() -> None:
    assert at(card(), 0.5) is None


def test_the_table_of_the_precision_counts_where_the_card_has_one() -> None:
    table = [{"threshold": 0.5, "sensitivity": 0.6, "false_marks_per_image": 0.25}]
    whole = replace(
        card((0.5, 0.7, 0.5)),
        evaluation=card((0.5, 0.7, 0.5)).evaluation
        | {"backends": {"int8": {"operating_points": table}}},
    )
    assert at(whole, 0.5, "int8") == OperatingPoint(0.6, 0.25)
    assert at(whole, 0.5, "fp32") == at(whole, 0.5) == OperatingPoint(0.7, 0.5)
