"""The bundled model: weights of all patients, a card with the out-of-fold figures of its recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from detector.dataset.folds import split_hash
from detector.dataset.reference import SOURCE_ORDER
from detector.dataset.vocabulary import CATEGORY_OF
from detector.inference.export import add_exports
from detector.measuring.folds import ALL_PATIENTS, FOLDS, Plan, bare_card, write_model
from detector.training.train import training_facts
from detector.types import ModelCard

FALSE_MARKS_AT_DEFAULT = 0.5

TERMS = (
    "NIH ChestX-ray14 images and labels: free to use with acknowledgement of the NIH Clinical "
    "Center and Wang et al., CVPR 2017, doi:10.1109/CVPR.2017.369.",
    "RSNA Pneumonia Detection Challenge boxes and classes: non-commercial research and education, "
    "with citation of Shih et al., Radiology: Artificial Intelligence 2019, "
    "doi:10.1148/ryai.2019180041.",
    "ChestX-Det boxes: Apache-2.0, Liu et al. 2020 (arXiv:2006.10550), Lian et al. 2021 "
    "(arXiv:2104.10326).",
    "Started from YOLOX-nano trained on COCO: Apache-2.0, Ge et al. 2021 (arXiv:2107.08430).",
)
LIMITS = (
    "Adult frontal chest radiographs only; no lateral views, no children.",
    "Trained and measured on one hospital's images (NIH Clinical Center), reduced to 8 bits.",
    "Two readers of one opacity agree at a median IoU of 0.49: box borders mean little.",
    "Opacity images are more often AP than PA; part of the score may come from the view.",
    "Boxes of one opacity by two sources were merged: the first of RSNA, ChestX-Det, NIH stands.",
)


def publish(plan: Plan, report: Mapping[str, Any], *, out: Path, version: str) -> ModelCard:
    """Write the model folder `out` from the weights of the run on all patients.

    Parameters
    ----------
    report : of `out_of_fold_report`.
    """
    dataset = plan.dataset
    training = training_facts([dataset], dataset.samples, plan.members[0])
    training |= {
        "recipe": [member.to_json() for member in plan.members],
        "date": datetime.now(UTC).date().isoformat(),
        "folds": FOLDS,
        "split_hash": split_hash(dataset.samples, plan.fold_of()),
        "categories_of_sources": [
            f"{source} {name}: {category}" for (source, name), category in CATEGORY_OF.items()
            if source in SOURCE_ORDER
        ],
        "terms": list(TERMS),
    }  # fmt: skip
    card = replace(
        bare_card(plan, out.name, version),
        default_threshold=default_threshold(report),
        description=_description(report),
        image_findings=tuple(report["image_findings"]),
        calibration={name: (a, b) for name, (a, b) in report["curves"].items()},
        training=training,
        evaluation=_rounded(report) | {
            "what": "Pooled out-of-fold predictions of five patient folds of this recipe; the "
            "shipped weights were trained on all patients by the same recipe and have no "
            "figure of their own.",
            "default_threshold": f"the lowest with at most {FALSE_MARKS_AT_DEFAULT} false marks an "
            "image over all categories, out of fold",
            "limits": list(LIMITS),
        },
    )  # fmt: skip
    write_model(plan, ALL_PATIENTS, card, out)
    return add_exports(out, None)


def default_threshold(report: Mapping[str, Any]) -> float:
    """The lowest threshold of the table that keeps false marks at half a mark an image."""
    allowed = [
        point["threshold"]
        for point in report["operating_points"]
        if point["false_marks_per_image"] <= FALSE_MARKS_AT_DEFAULT
    ]
    return float(min(allowed))


def _description(report: Mapping[str, Any]) -> str:
    parts = [f"Finds {' and '.join(report['categories'])} on frontal chest radiographs."]
    for category in report["categories"]:
        row = report["categories"][category]["ap"]["0.4"]
        parts.append(
            f"Out of fold, {category}: AP at IoU 0.4 of {row['value']:.2f} "
            f"(95 % interval {row['interval'][0]:.2f} to {row['interval'][1]:.2f}); "
            f"fixed boxes reach {row['prior']:.2f}."
        )
    return " ".join(parts)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(v) for v in value]
    return value
