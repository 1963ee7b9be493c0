"""Our figures against those of pycocotools, and what a reader would expect of them."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from detector.measuring.metrics import (
    ImageResult,
    area_under_roc,
    average_precision,
    learn_prior,
    match,
    operating_points,
    patient_bootstrap,
    sensitivity_at,
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


def pycocotools_ap(results: list[ImageResult], iou: float) -> float:
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
        judge.evaluate()
        judge.accumulate()
    precision = judge.eval["precision"][0, :, 0, 0, -1]
    return float(precision.mean())


@pytest.mark.parametrize("iou", [0.3, 0.4, 0.5])
@pytest.mark.parametrize("seed", range(4))
def test_average_precision_is_that_of_pycocotools(seed: int, iou: float) -> None:
    results = random_results(seed)
    assert average_precision(match(results, iou)) == pytest.approx(
        pycocotools_ap(results, iou), abs=1e-9
    )


def test_patient_weights_count_a_patient_as_if_given_twice() -> None:
    results = random_results(7)
    matches = match(results, 0.4)
    weights = np.ones(matches.patients)
    names = sorted({r.patient for r in results})
    weights[names.index("p3")] = 2
    doubled = results + [r for r in results if r.patient == "p3"]
    assert average_precision(matches, weights) == pytest.approx(
        average_precision(match(doubled, 0.4)), abs=1e-9
    )


def test_a_bootstrap_interval_holds_the_figure_and_narrows_with_patients() -> None:
    widths = []
    for images in (40, 400):
        matches = match(random_results(1, images), 0.4)
        low, high = patient_bootstrap(
            matches.patients, lambda w, m=matches: average_precision(m, w), 200
        )
        assert low < average_precision(matches) < high
        widths.append(high - low)
    assert widths[1] < 0.6 * widths[0]


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


def test_area_under_roc() -> None:
    assert area_under_roc([0.9, 0.8, 0.1], [True, True, False]) == 1.0
    assert area_under_roc([0.5, 0.5], [True, False]) == 0.5
    assert area_under_roc([0.5], [True]) is None
