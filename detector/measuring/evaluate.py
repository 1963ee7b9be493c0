"""How good a model's boxes are on labelled images, beside fixed boxes that never look at one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from detector.dataset.sample import Sample, patient_folds, patient_hash
from detector.dataset.sources import read_dataset
from detector.inference.predictor import Predictor
from detector.measuring.metrics import (
    FloatArray,
    ImageResult,
    Matches,
    area_under_roc,
    average_precision,
    learn_prior,
    match,
    operating_points,
    patient_bootstrap,
    sensitivity_at,
    threshold_at,
)
from detector.model_store import load
from detector.types import Box, DatasetError, Detection

Progress = Callable[[str], None]
IOUS = (0.3, 0.4, 0.5)
HIT_IOU = 0.3
"""From this overlap on a mark counts as found, in the FROC and for the threshold bar."""

FALSE_MARKS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
THRESHOLDS = tuple(round(float(t), 2) for t in np.arange(0.02, 0.981, 0.02))
PRIOR_FOLDS = 5
_LEAST_FOR_INTERVALS = 10


@dataclass(frozen=True)
class Seen:
    """What a model found on one labelled image: candidates in pixels of its frame."""

    sample: Sample
    columns: int
    rows: int
    found: tuple[Detection, ...]


def evaluate(
    model_folder: Path,
    data: Path | Sequence[Path],
    progress: Progress = lambda _: None,
    *,
    device: str = "auto",
    rounds: int = 1000,
) -> dict[str, Any]:
    """Run a model over labelled images and measure its boxes.

    Returns
    -------
    A dict ready for JSON; `format_table` prints it. ``seen_in_training`` is the number of its
    patients on whom the model was trained: where it is not 0 the figures are optimistic, and
    ``warnings`` says so.

    Raises
    ------
    ModelError, DatasetError, DetectorError
        With a sentence for the reader.
    """
    loaded = load(model_folder)
    card = loaded.card
    predictor = Predictor(loaded, device)
    datasets = [read_dataset(folder) for folder in ([data] if isinstance(data, Path) else data)]
    samples = [s for d in datasets for s in d.samples if s.complete & frozenset(card.categories)]
    if not samples:
        raise DatasetError(
            "The data has no completely read image for what this model finds: "
            f"{', '.join(card.categories)}."
        )
    seen = _analysed(predictor, samples, progress)
    report = measure(seen, card.categories, rounds=rounds)
    known = set(_all_hashes(card.training))
    patients = {s.patient for s in samples}
    repeated = sum(patient_hash(p) in known for p in patients)
    warnings = [f"{d.name}: {problem}" for d in datasets for problem in d.problems]
    if repeated:
        share = f"{repeated} of {len(patients)} patients were seen in training"
        warnings.insert(0, f"{share}: the figures are optimistic.")
    report.update({
        "model": {"name": card.name, "version": card.version,
                  "weights_sha256": card.weights_sha256},
        "data": [d.name for d in datasets],
        "device": predictor.device,
        "default_threshold": card.default_threshold,
        "seen_in_training": repeated,
        "warnings": warnings,
    })  # fmt: skip
    return report


def _analysed(predictor: Predictor, samples: Sequence[Sample], progress: Progress) -> list[Seen]:
    seen = []
    for count, sample in enumerate(samples, start=1):
        image = sample.load()
        rows, columns = image.values.shape[:2]
        seen.append(Seen(sample, columns, rows, predictor.predict(image).detections))
        if count % 50 == 0 or count == len(samples):
            progress(f"images analysed: {count} of {len(samples)}")
    return seen


def measure(
    seen: Sequence[Seen], categories: Sequence[str], *, rounds: int = 1000
) -> dict[str, Any]:
    """Every figure of these predictions; each category on the images read for it alone."""
    fold_of = patient_folds((s.sample for s in seen), PRIOR_FOLDS)
    measured: dict[str, Any] = {}
    matches: dict[str, Matches] = {}
    for category in categories:
        read = [s for s in seen if category in s.sample.complete]
        if not any(s.sample.boxes_of(category) for s in read):
            continue
        model = [_result(s, category) for s in read]
        prior = _prior_results(read, category, fold_of)
        matches[category] = match(model, HIT_IOU)
        measured[category] = _figures(model, prior, rounds) | {
            "images": len(read),
            "images_with_objects": sum(bool(r.truth) for r in model),
            "objects": sum(len(r.truth) for r in model),
            "patients": len({r.patient for r in model}),
            "views": _by_view(read, model),
            "operating_points": operating_points(matches[category], THRESHOLDS),
        }
    return {
        "images": len(seen),
        "hit_iou": HIT_IOU,
        "bootstrap_rounds": rounds,
        "categories": measured,
        "operating_points": joint_operating_points(matches),
    }


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


def _result(seen: Seen, category: str) -> ImageResult:
    mine = [d for d in seen.found if d.category == category]
    return ImageResult(
        seen.sample.patient, seen.sample.boxes_of(category),
        tuple(d.box for d in mine), tuple(d.score for d in mine),
    )  # fmt: skip


def _prior_results(
    read: Sequence[Seen], category: str, fold_of: Mapping[str, int]
) -> list[ImageResult]:
    """The fixed boxes of each image, learned on the boxes of the other folds' patients."""
    priors = {
        fold: learn_prior([
            (s.sample.boxes_of(category), s.columns, s.rows)
            for s in read if fold_of[s.sample.patient] != fold
        ])
        for fold in set(fold_of.values())
    }  # fmt: skip
    results = []
    for s in read:
        prior = priors[fold_of[s.sample.patient]]
        boxes = tuple(
            Box(x0 * s.columns, y0 * s.rows, x1 * s.columns, y1 * s.rows)
            for x0, y0, x1, y1 in prior.boxes
        )
        truth = s.sample.boxes_of(category)
        results.append(ImageResult(s.sample.patient, truth, boxes, prior.scores))
    return results


def _figures(
    model: Sequence[ImageResult], prior: Sequence[ImageResult], rounds: int
) -> dict[str, Any]:
    ap = {}
    for iou in IOUS:
        ours, fixed = match(model, iou), match(prior, iou)

        def difference(w: FloatArray | None, ours: Matches = ours, fixed: Matches = fixed) -> float:
            return average_precision(ours, w) - average_precision(fixed, w)

        def alone(w: FloatArray, ours: Matches = ours) -> float:
            return average_precision(ours, w)

        ap[str(iou)] = {
            "value": average_precision(ours),
            "interval": _interval(ours, alone, rounds),
            "prior": average_precision(fixed),
            "difference": difference(None),
            "difference_interval": _interval(ours, difference, rounds),
        }
    hits, fixed_hits = match(model, HIT_IOU), match(prior, HIT_IOU)
    froc = []
    for rate in FALSE_MARKS:

        def found(w: FloatArray, rate: float = rate) -> float:
            return sensitivity_at(hits, rate, w)

        froc.append({
            "false_marks_per_image": rate,
            "threshold": threshold_at(hits, rate),
            "sensitivity": sensitivity_at(hits, rate),
            "interval": _interval(hits, found, rounds),
            "prior": sensitivity_at(fixed_hits, rate),
        })  # fmt: skip
    return {"ap": ap, "froc": froc, "image_auc": _image_auc(model)}


def _interval(
    matches: Matches, statistic: Callable[[FloatArray], float], rounds: int
) -> list[float] | None:
    """The 95 % interval over patients; None where there are too few of them to draw from."""
    if matches.patients < _LEAST_FOR_INTERVALS:
        return None
    return list(patient_bootstrap(matches.patients, statistic, rounds))


def _image_auc(model: Sequence[ImageResult]) -> float | None:
    """Does the best score of an image tell images with an object from those without."""
    best = [max(r.scores, default=0.0) for r in model]
    return area_under_roc(best, [bool(r.truth) for r in model])


def _by_view(read: Sequence[Seen], model: Sequence[ImageResult]) -> dict[str, Any]:
    views = {}
    for view in sorted({s.sample.view for s in read}):
        part = [r for s, r in zip(read, model, strict=True) if s.sample.view == view]
        if any(r.truth for r in part):
            views[view or "unknown"] = {
                "images": len(part),
                "objects": sum(len(r.truth) for r in part),
                "ap_0.4": average_precision(match(part, 0.4)),
                "image_auc": _image_auc(part),
            }
    return views


def _all_hashes(training: Mapping[str, Any]) -> list[str]:
    """The patients of a model and of those that it went on from."""
    own = list(training.get("patient_hashes", ()))
    base = training.get("base", {}).get("training")
    return own + (_all_hashes(base) if base else [])


def format_table(report: Mapping[str, Any]) -> str:
    """The report as a table for a terminal."""
    lines = []
    if "model" in report:
        lines.append(f"{report['model']['name']} {report['model']['version']} on "
                     f"{', '.join(report['data'])} ({report['device']})")  # fmt: skip
    lines += [f"! {w}" for w in report.get("warnings", ())]
    for name, figures in report["categories"].items():
        lines += ["", f"{name}: {figures['objects']} objects on {figures['images_with_objects']} "
                      f"of {figures['images']} images, {figures['patients']} patients"]  # fmt: skip
        lines.append(f"  {'':22}{'model':>8}{'95 % interval':>18}{'prior box':>11}"
                     f"{'difference':>12}{'95 % interval':>18}")  # fmt: skip
        for iou, row in figures["ap"].items():
            lines.append(
                f"  AP at IoU {iou:<12}{row['value']:8.3f}{_span(row['interval']):>18}"
                f"{row['prior']:11.3f}{row['difference']:+12.3f}"
                f"{_span(row['difference_interval']):>18}"
            )
        for row in figures["froc"]:
            lines.append(
                f"  found at {row['false_marks_per_image']:>5g} false/img"
                f"{row['sensitivity']:7.3f}{_span(row['interval']):>18}{row['prior']:11.3f}"
                f"   from score {row['threshold']:.3f}"
            )
        if figures["image_auc"] is not None:
            lines.append(f"  image-level AUC of the best score {figures['image_auc']:.3f}")
        for view, row in figures["views"].items():
            lines.append(f"  view {view}: {row['images']} images, {row['objects']} objects, "
                         f"AP at 0.4 {row['ap_0.4']:.3f}")  # fmt: skip
    return "\n".join(lines)


def _span(interval: Sequence[float] | None) -> str:
    return "-" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"
