"""Our figures against those of pycocotools and faster-coco-eval, and against counting."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from detector.measuring.bootstrap import draw_patients, interval
from detector.measuring.coco_ap import (
    COCO_AREAS,
    COCO_IOUS,
    coco_average_precisions,
    coco_figures,
)
from detector.measuring.metrics import (
    ImageResult,
    Matches,
    average_precision,
    average_precisions,
    match,
    operating_points,
    precision_at_recalls,
    sensitivities,
    threshold_at,
)
from detector.types import Box


def random_results(seed: int, images: int = 40) -> list[ImageResult]:
    """Noisy detections of random boxes: some hit, some miss, some are false."""
    random = np.random.default_rng(seed)
    results = []
    for image in range(images):
        truth = [Box.from_xywh(*random.uniform(10, 300, 2), *random.uniform(40, 200, 2))
                 for _ in range(random.integers(0, 4))]  # fmt: skip
        found = []
        for box in truth:
            for _ in range(random.integers(0, 3)):
                shift = random.normal(0, 18, 4)
                size = max(10, box.width + shift[2]), max(10, box.height + shift[3])
                found.append(Box.from_xywh(box.x_min + shift[0], box.y_min + shift[1], *size))
        found += [Box.from_xywh(*random.uniform(0, 300, 2), *random.uniform(30, 150, 2))
                  for _ in range(random.integers(0, 5))]  # fmt: skip
        scores = tuple(float(s) for s in random.uniform(0, 1, len(found)))
        results.append(ImageResult(f"p{image // 2}", tuple(truth), tuple(found), scores))
    return results


def pycocotools_ap(
    results: list[ImageResult], iou: float, area: tuple[float, float] = (0.0, 1e10)
) -> float:
    truth: dict[str, Any] = {
        "info": {}, "categories": [{"id": 1, "name": "opacity"}],
        "images": [{"id": i + 1} for i in range(len(results))], "annotations": [],
    }  # fmt: skip
    found = []
    for i, result in enumerate(results, start=1):
        for box in result.truth:
            truth["annotations"].append({
                "id": len(truth["annotations"]) + 1, "image_id": i, "category_id": 1,
                "bbox": list(box.xywh()), "area": box.area, "iscrowd": 0})  # fmt: skip
        found += [{"image_id": i, "category_id": 1, "bbox": list(b.xywh()), "score": s}
                  for b, s in zip(result.found, result.scores, strict=True)]  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(found), "bbox")
        judge.params.iouThrs = np.array([iou])
        judge.params.areaRng = [list(area)]
        judge.params.areaRngLbl = ["this"]
        judge.evaluate()
        judge.accumulate()
    precision = judge.eval["precision"][0, :, 0, 0, -1]
    return float(precision.mean())


@pytest.mark.parametrize("iou", [0.3, 0.4, 0.5, 0.6])
@pytest.mark.parametrize("seed", range(4))
def test_three_tools_give_one_average_precision(seed: int, iou: float) -> None:
    results = random_results(seed)
    ours = average_precision(match(results, iou))
    assert 0.02 < ours < 0.9
    assert ours == pytest.approx(pycocotools_ap(results, iou), abs=1e-6)
    assert ours == pytest.approx(float(coco_average_precisions(results, [iou])[0, 0]), abs=1e-6)


@pytest.mark.parametrize("area", [(0.0, 9000.0), (9000.0, 16000.0), (16000.0, 1e10)])
def test_three_tools_agree_within_a_range_of_areas(area: tuple[float, float]) -> None:
    results = random_results(2)
    ours = average_precision(match(results, 0.4, area))
    assert 0.01 < ours < 0.95
    assert ours == pytest.approx(pycocotools_ap(results, 0.4, area), abs=1e-6)
    theirs = coco_average_precisions(results, [0.4], [area])[0, 0]
    assert ours == pytest.approx(float(theirs), abs=1e-6)


def test_the_coco_figure_is_the_mean_over_ten_ious() -> None:
    results = random_results(3)
    figures = coco_figures(results)
    assert len(COCO_IOUS) == 10
    wanted = np.mean([pycocotools_ap(results, iou) for iou in COCO_IOUS])
    assert figures["all"] == pytest.approx(wanted, abs=1e-6)
    large = np.mean([pycocotools_ap(results, iou, COCO_AREAS["large"]) for iou in COCO_IOUS])
    assert figures["large"] == pytest.approx(large, abs=1e-6)
    assert np.isnan(figures["small"])  # no object is that small


def test_no_candidate_at_all_is_no_precision() -> None:
    results = [ImageResult("p", (Box(0, 0, 10, 10),), (), ())]
    assert coco_average_precisions(results, [0.5])[0, 0] == 0
    assert average_precision(match(results, 0.5)) == 0


def sensitivity_at(matches: Matches, false_per_image: float) -> float:
    return float(sensitivities(matches, [false_per_image], np.ones((1, matches.patients)))[0, 0])


def test_patient_weights_count_a_patient_as_if_given_twice_or_left_out() -> None:
    results = random_results(7)
    matches = match(results, 0.4)
    names = sorted({r.patient for r in results})
    weights = np.ones((2, matches.patients))
    weights[0, names.index("p3")] = 2
    weights[1, names.index("p4")] = 0
    sets = [results + [r for r in results if r.patient == "p3"],
            [r for r in results if r.patient != "p4"]]  # fmt: skip
    for row, counted in enumerate(sets):
        other = match(counted, 0.4)
        assert average_precisions(matches, weights)[row] == pytest.approx(
            average_precision(other), abs=1e-9
        )
        for column, rate in enumerate((0.2, 1.0)):
            assert sensitivities(matches, (0.2, 1.0), weights)[row, column] == pytest.approx(
                sensitivity_at(other, rate), abs=1e-9
            )


def test_a_bootstrap_interval_holds_the_figure_and_narrows_with_patients() -> None:
    widths = []
    for images in (40, 400):
        matches = match(random_results(1, images), 0.4)
        values = average_precisions(matches, draw_patients(matches.patients, 200))
        low, high = interval(values) or (0.0, 0.0)
        assert low < average_precision(matches) < high
        widths.append(high - low)
    assert widths[1] < 0.6 * widths[0]


def test_a_draw_holds_as_many_patients_as_there_are_and_few_give_none() -> None:
    drawn = draw_patients(12, 50)
    assert drawn.shape == (50, 12)
    assert (drawn.sum(axis=1) == 12).all()
    assert np.array_equal(drawn, draw_patients(12, 50))
    assert drawn.std() > 0.5
    assert interval(np.ones(0)) is None
    assert (
        interval(average_precisions(match(random_results(0, 8), 0.4), draw_patients(4, 9))) is None
    )


def test_precision_at_recalls_by_hand() -> None:
    box, far = Box(0, 0, 10, 10), Box(50, 50, 60, 60)
    results = [
        ImageResult("a", (box,), (box,), (0.9,)),
        ImageResult("b", (box,), (far, box), (0.8, 0.7)),
    ]
    curve = precision_at_recalls(match(results, 0.5))
    assert curve[:51] == pytest.approx(1.0)  # the first of two objects, nothing false before it
    assert curve[51:] == pytest.approx(2 / 3)
    assert average_precision(match(results, 0.5)) == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_an_object_is_found_once_and_an_empty_set_has_no_precision() -> None:
    box = Box(0, 0, 10, 10)
    twice = match([ImageResult("p", (box,), (box, box), (0.9, 0.8))], 0.5)
    assert twice.hit.tolist() == [True, False]
    assert average_precision(match([ImageResult("p", (), (box,), (0.9,))], 0.5)) != 0
    assert average_precision(match([ImageResult("p", (box,), (), ())], 0.5)) == 0


def test_operating_points_agree_with_counting() -> None:
    box, far = Box(0, 0, 10, 10), Box(50, 50, 60, 60)
    results = [
        ImageResult("a", (box,), (box, far), (0.9, 0.5)),
        ImageResult("b", (box,), (far, box), (0.7, 0.3)),
        ImageResult("c", (), (far,), (0.2,)),
        ImageResult("d", (), (), ()),
    ]
    matches = match(results, 0.3)
    assert operating_points(matches, [0.6, 0.3]) == [
        {"threshold": 0.6, "sensitivity": 0.5, "false_marks_per_image": 0.25},
        {"threshold": 0.3, "sensitivity": 1.0, "false_marks_per_image": 0.5},
    ]
    assert sensitivity_at(matches, 0.25) == 0.5
    assert sensitivity_at(matches, 0.5) == 1.0
    assert threshold_at(matches, 0.5) == 0.3
    assert sensitivity_at(matches, 0.0) == 0.5


def test_equal_scores_stand_or_fall_together() -> None:
    box, far = Box(0, 0, 10, 10), Box(50, 50, 60, 60)
    matches = match([ImageResult("a", (box,), (box, far), (0.5, 0.5))], 0.3)
    assert sensitivity_at(matches, 0.5) == 0.0  # 0.5 shows both: one false mark an image


def test_the_seven_rates_of_the_froc_by_hand() -> None:
    """Eight images; false marks at scores 0.8 and 0.5, objects found at 0.9 and 0.6."""
    box, far = Box(0, 0, 10, 10), Box(50, 50, 60, 60)
    results = [
        ImageResult("a", (box,), (box, far), (0.9, 0.8)),
        ImageResult("b", (box,), (box,), (0.6,)),
        ImageResult("c", (), (far,), (0.5,)),
        *(ImageResult(name, (), (), ()) for name in "defgh"),
    ]
    matches = match(results, 0.3)
    found = sensitivities(matches, (0.1, 0.125, 0.25, 8.0), np.ones((1, 8)))[0]
    assert found.tolist() == [0.5, 1.0, 1.0, 1.0]
    assert [threshold_at(matches, rate) for rate in (0.1, 0.125, 0.25)] == [0.9, 0.6, 0.5]


def test_what_is_of_another_size_counts_neither_way() -> None:
    small, large = Box(0, 0, 10, 10), Box(20, 20, 60, 60)
    result = ImageResult(
        "a", (small, large),
        (large, Box(100, 100, 140, 140), Box(200, 0, 210, 10), small), (0.9, 0.8, 0.7, 0.6),
    )  # fmt: skip
    matches = match([result], 0.5, (0.0, 400.0))
    assert matches.scores.tolist() == [0.7, 0.6]
    assert matches.hit.tolist() == [False, True]
    assert matches.truths.tolist() == [1]
