"""The out-of-fold report of the bundled model: what its card says and what is decided by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from detector.dataset.vocabulary import NIH_CLASSES, OPACITY, RSNA_OPACITY
from detector.measuring.calibration import apply_platt, fit_platt
from detector.measuring.figures import THRESHOLDS, joint_operating_points, measure
from detector.measuring.folds import SHIPPED
from detector.measuring.image_level import auc_interval
from detector.measuring.metrics import match, operating_points
from detector.measuring.robustness import perturbations, robustness_figures
from detector.measuring.seen import Seen, model_results, read_for
from detector.measuring.strata import HIT_IOU

BACKENDS = ("fp32", "bf16")
LEAST_FALL = 0.002
"""A fall of the average precision that is rounding, not loss."""

Curves = Mapping[str, tuple[float, float]]


def out_of_fold_report(seen: Mapping[str, Sequence[Seen]], *, rounds: int = 1000) -> dict[str, Any]:
    """Every figure of the recipe, from predictions on patients that the network never saw.

    Parameters
    ----------
    seen : by variant (see `cross_validate.variants`), with scores as the network gives them.

    Returns
    -------
    The report of `measure` on calibrated scores, and ``curves`` (Platt, fitted on all predictions;
    the ECE "after" is cross-fitted), ``backends``, ``robustness``,
    ``rsna_opacity`` (AUC against RSNA's normals) and ``image_findings``.
    """
    raw = measure(seen["fp32"], SHIPPED, rounds=rounds)
    curves = {
        name: tuple(figures["calibration"]["platt"]) for name, figures in raw["categories"].items()
    }
    shown = {name: _calibrated(images, curves) for name, images in seen.items()}
    plain = shown["fp32"]
    report = measure(plain, SHIPPED, rounds=rounds)
    for name, figures in report["categories"].items():
        figures["calibration"] = raw["categories"][name]["calibration"]
    changed = {name: shown[name] for name in perturbations()}
    findings = [
        name for name, row in report["image_classes"].items()
        if row["reported"] and name in NIH_CLASSES
    ]  # fmt: skip
    return report | {
        "curves": curves | {name: _image_curve(plain, name) for name in findings},
        "image_findings": findings,
        "rsna_opacity": _rsna_opacity(plain, rounds),
        "robustness": robustness_figures(plain, changed, SHIPPED, rounds=rounds),
        "backends": {name: _backend(plain, shown[name], rounds) for name in BACKENDS},
    }


def _calibrated(images: Sequence[Seen], curves: Curves) -> list[Seen]:
    """The same candidates with their scores as probabilities."""
    return [
        replace(s, found=tuple(
            replace(d, score=float(apply_platt(np.asarray([d.score]), *curves[d.category])[0]))
            for d in s.found
        ))
        for s in images
    ]  # fmt: skip


def _image_curve(images: Sequence[Seen], name: str) -> tuple[float, float]:
    known = [s for s in images if name in s.image_scores and name in s.sample.image_classes]
    scores = np.asarray([s.image_scores[name] for s in known])
    return fit_platt(scores, np.asarray([s.sample.image_classes[name] for s in known]))


def _rsna_opacity(images: Sequence[Seen], rounds: int) -> dict[str, Any]:
    """Does the best opacity tell RSNA's Lung Opacity from RSNA's Normal."""
    known = [s for s in images if RSNA_OPACITY in s.sample.image_classes]
    best = [max((d.score for d in s.found if d.category == OPACITY), default=0.0) for s in known]
    positive = [s.sample.image_classes[RSNA_OPACITY] for s in known]
    return auc_interval(best, positive, [s.sample.patient for s in known], rounds)


def _backend(plain: Sequence[Seen], other: Sequence[Seen], rounds: int) -> dict[str, Any]:
    """What the threshold means where the network is computed in this way."""
    figures = robustness_figures(plain, {"other": other}, SHIPPED, rounds=rounds)["other"]
    matches = {c: match(model_results(read_for(other, c), c), HIT_IOU) for c in figures}
    return {
        "categories": figures,
        "allowed": all(row["ap_0.4"]["drop"] <= LEAST_FALL for row in figures.values()),
        "operating_points": joint_operating_points(matches),
        "operating_points_of": {c: operating_points(one, THRESHOLDS) for c, one in matches.items()},
    }
