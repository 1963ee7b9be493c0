"""Prior boxes, image-level AUC, calibration and strata against cases worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from detector.dataset.sample import LabelledBox, Sample
from detector.measuring.calibration import (
    apply_platt,
    calibration_figures,
    cross_fitted,
    expected_calibration_error,
    fit_platt,
    logit,
    reliability,
)
from detector.measuring.image_level import areas_under_roc, auc_interval
from detector.measuring.prior import learn_prior
from detector.measuring.seen import Seen, model_results, prior_results
from detector.measuring.strata import by_size, by_view
from detector.types import Box, Detection

# --- prior boxes ---------------------------------------------------------------------------------


def test_the_prior_learns_where_boxes_are_and_nothing_of_the_image() -> None:
    random = np.random.default_rng(0)
    truths = []
    for _ in range(60):
        shift = random.normal(0, 4, 2)
        truths.append(([Box.from_xywh(100 + shift[0], 200 + shift[1], 80, 90)], 400, 500))
    prior = learn_prior(truths)
    best = prior.boxes[int(np.argmax(prior.scores))]
    assert Box(*best).iou(Box(0.25, 0.4, 0.45, 0.58)) > 0.7
    assert max(prior.scores) > 0.9
    assert learn_prior([([], 10, 10)]).boxes == ()


def seen_image(
    patient: str, truth: Box | None, *found: Detection, view: str = "PA", size: int = 100
) -> Seen:
    objects = () if truth is None else (LabelledBox(truth, "opacity"),)
    sample = Sample(Path(f"{patient}.png"), patient, objects, complete=frozenset({"opacity"}),
                    view=view)  # fmt: skip
    return Seen(sample, size, size, found)


def test_the_prior_of_a_patient_never_saw_that_patients_boxes() -> None:
    here, there = Box(10, 10, 30, 30), Box(60, 60, 90, 90)
    seen = [seen_image("a", here), seen_image("b", there)]
    first, second = prior_results(seen, "opacity", {"a": 0, "b": 1})
    assert [b.iou(there) for b in first.found] == [pytest.approx(1.0)]
    assert [b.iou(here) for b in second.found] == [pytest.approx(1.0)]


# --- image level ---------------------------------------------------------------------------------


def area_under_roc(scores: Sequence[float], positive: Sequence[bool]) -> float:
    return float(areas_under_roc(scores, positive, np.ones((1, len(scores))))[0])


def test_area_under_roc() -> None:
    assert area_under_roc([0.9, 0.8, 0.1], [True, True, False]) == 1.0
    assert area_under_roc([0.5, 0.5], [True, False]) == 0.5
    assert area_under_roc([0.9, 0.2, 0.5, 0.2], [True, True, False, False]) == 0.625
    assert np.isnan(area_under_roc([0.5], [True]))


def test_a_weighted_area_is_that_of_repeated_images() -> None:
    random = np.random.default_rng(3)
    scores = random.integers(0, 6, 20) / 5
    positive = random.random(20) < 0.4
    weights = random.integers(0, 3, (4, 20)).astype(np.float64)
    for row, value in zip(weights, areas_under_roc(scores, positive, weights), strict=True):
        repeated = np.repeat(np.arange(20), row.astype(int))
        assert value == pytest.approx(
            area_under_roc(scores[repeated], positive[repeated]), nan_ok=True
        )


def test_a_class_is_reported_where_its_interval_lies_above_0_6() -> None:
    random = np.random.default_rng(0)
    positive = [bool(v) for v in random.random(200) < 0.5]
    patients = [f"p{i // 2}" for i in range(200)]
    good = auc_interval([p + random.normal(0, 0.7) for p in positive], positive, patients, 200)
    assert good["interval"][0] < good["value"] < good["interval"][1]
    assert good["reported"]
    assert (good["images"], good["positives"], good["patients"]) == (200, sum(positive), 100)
    chance = auc_interval(random.random(200).tolist(), positive, patients, 200)
    assert not chance["reported"]
    assert not auc_interval([0.9, 0.1], [True, False], ["a", "b"])["reported"]  # no interval


# --- calibration ---------------------------------------------------------------------------------


def test_platt_scaling_finds_the_curve_that_made_the_hits() -> None:
    random = np.random.default_rng(0)
    scores = random.uniform(0.02, 0.6, 40000)
    truth = apply_platt(scores, 1.7, 0.8)
    hit = random.random(40000) < truth
    a, b = fit_platt(scores, hit)
    assert a == pytest.approx(1.7, abs=0.06)
    assert b == pytest.approx(0.8, abs=0.08)
    assert np.abs(apply_platt(scores, a, b) - truth).max() < 0.02


def test_platt_scaling_is_the_minimum_of_its_loss() -> None:
    scores = np.array([0.1, 0.3, 0.4, 0.7, 0.0, 1.0])
    hit = np.array([False, True, False, True, False, True])
    weights = np.array([1.0, 2.0, 1.0, 1.0, 3.0, 1.0])
    target = np.where(hit, 5 / 6, 1 / 7)  # (4 + 1) / (4 + 2) and 1 / (5 + 2)

    def loss(a: float, b: float) -> float:
        z = a * logit(scores) + b
        return float((weights * (np.logaddexp(0, z) - target * z)).sum())

    a, b = fit_platt(scores, hit, weights)
    assert all(
        loss(a, b) < loss(a + da, b + db)
        for da, db in product((-1e-3, 0.0, 1e-3), repeat=2) if (da, db) != (0.0, 0.0)
    )  # fmt: skip


def test_a_weight_is_a_repetition() -> None:
    scores, hit = np.array([0.2, 0.5, 0.6, 0.9]), np.array([False, True, False, True])
    repeats = np.array([3, 1, 2, 1])
    repeated = fit_platt(np.repeat(scores, repeats), np.repeat(hit, repeats))
    assert fit_platt(scores, hit, repeats.astype(np.float64)) == pytest.approx(repeated, abs=1e-6)


@pytest.mark.parametrize(
    ("scores", "hit"),
    [
        ([0.1, 0.2, 0.8, 0.9], [False, False, True, True]),  # separated
        ([0.0, 0.0, 1.0, 1.0], [False, False, True, True]),  # at the ends of the range
        ([0.4, 0.4, 0.4], [True, False, False]),  # equal
        ([0.1, 0.5, 0.9], [False, False, False]),  # no hit at all
    ],
)
def test_platt_scaling_of_hard_cases_is_finite_and_a_probability(
    scores: list[float], hit: list[bool]
) -> None:
    a, b = fit_platt(np.array(scores), np.array(hit))
    after = apply_platt(np.array(scores), a, b)
    assert np.isfinite([a, b]).all()
    assert ((after > 0) & (after < 1)).all()
    assert after.mean() == pytest.approx((sum(hit) + 0.5) / (len(hit) + 1), abs=0.17)


def test_reliability_and_its_error_by_hand() -> None:
    scores = np.array([0.9, 0.1, 0.8, 0.2])
    hit = np.array([True, False, False, True])
    low, high = reliability(scores, hit, 2)
    assert (low["mean_score"], low["hit_share"], low["candidates"]) == (pytest.approx(0.15), 0.5, 2)
    assert (high["lowest"], high["highest"]) == (0.8, 0.9)
    assert expected_calibration_error(scores, hit, 2) == pytest.approx((0.35 + 0.35) / 2)
    assert expected_calibration_error(scores[:0], hit[:0]) is None
    assert len(reliability(scores, hit)) == 4  # never an empty bin


def test_each_fold_is_calibrated_by_the_others() -> None:
    """Fold 1 holds the opposite of fold 0: what is fitted on the one is wrong for the other."""
    scores = np.tile([0.2, 0.8], 50)
    fold = np.repeat([0, 1], 50)
    hit = (scores > 0.5) ^ (fold == 1)
    after = cross_fitted(scores, hit, fold)
    assert after[fold == 0][hit[fold == 0]].max() < 0.1
    figures = calibration_figures(scores, hit, fold, 0.5)
    assert figures["all"]["ece_after_platt"] > 0.9  # measured on what it was fitted on: near 0
    assert figures["marks"]["candidates"] == 50
    alone = calibration_figures(scores, hit, np.zeros(100, dtype=np.int64), 0.5)
    assert alone["all"]["ece_after_platt"] is None


# --- strata --------------------------------------------------------------------------------------


def test_views_and_sizes_count_their_own_objects() -> None:
    small, large = Box(10, 10, 20, 20), Box(30, 30, 70, 70)  # sides of 1/10 and 4/10

    def marks(*boxes: Box) -> tuple[Detection, ...]:
        return tuple(Detection(b, 0.9, "opacity") for b in boxes)

    seen = [
        seen_image("a", small, *marks(small), view="PA"),
        seen_image("b", large, *marks(Box(0, 0, 9, 9)), view="AP"),
        seen_image("c", None, view="AP"),
    ]
    results = model_results(seen, "opacity")
    sizes = by_size(seen, results, 10)
    assert [row["objects"] for row in sizes.values()] == [1, 0, 1]
    assert sizes["under 1/8"]["ap_0.4"]["value"] == pytest.approx(
        1.0
    )  # the equal score stands first
    assert sizes["over 1/4"]["sensitivity_at_1"]["value"] == 0
    assert np.isnan(sizes["1/8 to 1/4"]["ap_0.4"]["value"])
    views = by_view(seen, results, 10)
    assert set(views) == {"AP", "PA"}
    assert (views["AP"]["images"], views["AP"]["objects"]) == (2, 1)
    assert views["PA"]["ap_0.4"]["value"] == pytest.approx(1.0)
    assert views["AP"]["image_auc"]["value"] == 1.0
    assert views["AP"]["ap_0.4"]["interval"] is None  # two patients
