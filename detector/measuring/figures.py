"""Every figure of a model's predictions on labelled images, beside the prior boxes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from detector.dataset.folds import patient_folds
from detector.measuring.bootstrap import beside, draw_patients, interval
from detector.measuring.calibration import calibration_figures
from detector.measuring.coco_ap import COCO_IOUS, coco_average_precisions, coco_figures
from detector.measuring.image_level import auc_interval
from detector.measuring.metrics import (
    RECALLS,
    FloatArray,
    ImageResult,
    Matches,
    average_precisions,
    match,
    operating_points,
    precision_at_recalls,
    sensitivities,
    threshold_at,
)
from detector.measuring.seen import Seen, model_results, prior_results, read_for
from detector.measuring.strata import HIT_IOU, best_score_auc, by_size, by_view
from detector.types import RESEARCH_USE_ONLY

IOUS = (0.3, 0.4, 0.5)
FALSE_MARKS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""False marks an image of the FROC; their mean sensitivity is the CPM of LUNA16 (Setio 2017)."""

CURVE = tuple(float(rate) for rate in np.geomspace(FALSE_MARKS[0], FALSE_MARKS[-1], 49))
THRESHOLDS = tuple(round(float(t), 2) for t in np.arange(0.02, 0.981, 0.02))
FALSE_MARKS_OF_RELIABILITY = 1.0
"""Reliability is shown down to the score that gives so many false marks an image."""

FOLDS = 5
"""Patient folds within which prior boxes are learned and Platt scaling is fitted."""


def measure(
    seen: Sequence[Seen], categories: Sequence[str], *, rounds: int = 1000
) -> dict[str, Any]:
    """Every figure of these predictions; each category on the images read for it alone.

    Returns
    -------
    A dict ready for JSON: what cannot be told is None, never NaN.
    """
    fold_of = patient_folds((s.sample for s in seen), FOLDS, categories)
    measured: dict[str, Any] = {}
    matches: dict[str, Matches] = {}
    for category in categories:
        read = read_for(seen, category)
        if not any(s.sample.boxes_of(category) for s in read):
            continue
        model = model_results(read, category)
        matches[category] = match(model, HIT_IOU)
        measured[category] = {
            "images": len(read),
            "images_with_objects": sum(bool(r.truth) for r in model),
            "objects": sum(len(r.truth) for r in model),
            "patients": matches[category].patients,
            **_box_figures(model, prior_results(read, category, fold_of), rounds),
            "image_auc": best_score_auc(model, rounds),
            "views": by_view(read, model, rounds),
            "sizes": by_size(read, model, rounds),
            "calibration": _calibration(model, matches[category], fold_of),
            "operating_points": operating_points(matches[category], THRESHOLDS),
        }
    report = {
        "notice": RESEARCH_USE_ONLY,
        "images": len(seen),
        "patients": len({s.sample.patient for s in seen}),
        "hit_iou": HIT_IOU,
        "bootstrap_rounds": rounds,
        "categories": measured,
        "image_classes": image_class_figures(seen, rounds),
        "operating_points": joint_operating_points(matches),
    }
    return for_json(report)  # type: ignore[no-any-return]


def _box_figures(
    model: Sequence[ImageResult], prior: Sequence[ImageResult], rounds: int
) -> dict[str, Any]:
    """Average precision and FROC beside the prior boxes."""
    ious = tuple(sorted({*IOUS, *COCO_IOUS}))
    ours = {iou: match(model, iou) for iou in ious}
    fixed = {iou: match(prior, iou) for iou in ious}
    drawn = draw_patients(ours[HIT_IOU].patients, rounds)

    def over(
        matches: Mapping[float, Matches], chosen: Sequence[float], w: FloatArray
    ) -> FloatArray:
        values: FloatArray = np.mean([average_precisions(matches[i], w) for i in chosen], axis=0)
        return values

    ap = {
        str(iou): beside(
            lambda w, iou=iou: over(ours, (iou,), w),  # type: ignore[misc]
            lambda w, iou=iou: over(fixed, (iou,), w),  # type: ignore[misc]
            drawn,
        )
        for iou in IOUS
    }
    # The figures that are quoted come from the reference tool; ours give their intervals.
    for iou, value in zip(IOUS, coco_average_precisions(model, IOUS)[:, 0], strict=True):
        ap[str(iou)]["value"] = float(value)
    coco = beside(lambda w: over(ours, COCO_IOUS, w), lambda w: over(fixed, COCO_IOUS, w), drawn)
    by_area = coco_figures(model)
    coco |= {"value": by_area["all"]}
    coco |= {f"ap_{name}": by_area[name] for name in ("small", "medium", "large")}
    curves = {"recall": RECALLS.tolist()} | {
        f"precision_{iou}": precision_at_recalls(ours[iou]).tolist() for iou in IOUS
    }
    froc = _froc_figures(ours[HIT_IOU], fixed[HIT_IOU], drawn)
    return {"ap": ap, "coco_ap": coco, **froc, "precision_recall": curves}


def _froc_figures(hits: Matches, fixed: Matches, drawn: FloatArray) -> dict[str, Any]:
    """Sensitivity at the seven rates with the score it needs, their mean, and the curve."""
    once = np.ones((1, hits.patients))
    rates = (*FALSE_MARKS, *CURVE)
    found, prior = sensitivities(hits, rates, once)[0], sensitivities(fixed, rates, once)[0]
    spans = [interval(column) for column in sensitivities(hits, rates, drawn).T]
    seven = len(FALSE_MARKS)
    return {
        "froc": [
            {
                "false_marks_per_image": rate,
                "threshold": threshold_at(hits, rate),
                "sensitivity": float(found[place]),
                "interval": spans[place],
                "prior": float(prior[place]),
            }
            for place, rate in enumerate(FALSE_MARKS)
        ],
        "cpm": beside(
            lambda w: sensitivities(hits, FALSE_MARKS, w).mean(axis=1),
            lambda w: sensitivities(fixed, FALSE_MARKS, w).mean(axis=1),
            drawn,
        ),
        "froc_curve": {
            "false_marks_per_image": list(CURVE),
            "sensitivity": found[seven:].tolist(),
            "interval": spans[seven:],
            "prior": prior[seven:].tolist(),
        },
    }


def _calibration(
    model: Sequence[ImageResult], matches: Matches, fold_of: Mapping[str, int]
) -> dict[str, Any]:
    fold_of_place = np.asarray([fold_of[name] for name in sorted({r.patient for r in model})])
    fold = fold_of_place[matches.patient[matches.image]]
    marks_from = threshold_at(matches, FALSE_MARKS_OF_RELIABILITY)
    return calibration_figures(matches.scores, matches.hit, fold, marks_from)


def image_class_figures(seen: Sequence[Seen], rounds: int) -> dict[str, dict[str, Any]]:
    """AUC of each image-level class, on the images of which it is known."""
    measured = {}
    for name in sorted({name for s in seen for name in s.image_scores}):
        known = [s for s in seen if name in s.image_scores and name in s.sample.image_classes]
        positive = [s.sample.image_classes[name] for s in known]
        if any(positive) and not all(positive):
            measured[name] = auc_interval(
                [s.image_scores[name] for s in known],
                positive,
                [s.sample.patient for s in known],
                rounds,
            )
    return measured


def joint_operating_points(matches: Mapping[str, Matches]) -> list[dict[str, float]]:
    """The operating points of all categories together.

    Objects of all categories are pooled; false marks an image are added up category by category,
    since each is counted on the images on which somebody looked for it.
    """
    if not matches:
        return []
    parts = [(m, operating_points(m, THRESHOLDS)) for m in matches.values()]
    objects = sum(float(m.truths.sum()) for m, _ in parts)
    joint = []
    for place, threshold in enumerate(THRESHOLDS):
        found = sum(p[place]["sensitivity"] * float(m.truths.sum()) for m, p in parts)
        joint.append({
            "threshold": threshold,
            "sensitivity": round(found / max(objects, 1.0), 4),
            "false_marks_per_image": round(
                sum(p[place]["false_marks_per_image"] for _, p in parts), 4
            ),
        })  # fmt: skip
    return joint


def for_json(value: Any) -> Any:
    """The same with None in place of every number that is not finite, which JSON does not have."""
    if isinstance(value, Mapping):
        return {str(key): for_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [for_json(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
