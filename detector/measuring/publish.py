"""The bundled model: weights of all patients, a card with the out-of-fold figures of its recipe."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from detector.dataset.reference import BOX_CATEGORIES, IMAGE_CLASSES
from detector.dataset.sample import Dataset
from detector.model_store import save
from detector.networks.architectures import build
from detector.training.fitting import Recipe
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


def publish(
    state: dict[str, Tensor],
    recipe: Recipe,
    dataset: Dataset,
    report: dict[str, Any],
    *,
    categories: tuple[str, ...],
    out: Path,
    version: str,
) -> ModelCard:
    """Write the model folder `out` from the weights of the run on all patients.

    `categories` may leave out some of those trained; their outputs are cut off.
    """
    options = {"levels": list(recipe.levels), "image_classes": list(IMAGE_CLASSES)}
    network = build(recipe.architecture, options, categories)
    kept = [dataset.categories.index(c) for c in categories]
    network.load_state_dict(
        {key: value[kept] if ".category." in key else value for key, value in state.items()}
    )
    threshold = default_threshold(report)
    training = training_facts([dataset], dataset.samples, recipe) | {
        "date": datetime.now(UTC).date().isoformat(),
        "categories_of_sources": [
            f"{source} {name}: {category}" for (source, name), category in BOX_CATEGORIES.items()
        ],
        "terms": list(TERMS),
    }
    card = ModelCard(
        name=out.name,
        version=version,
        architecture=recipe.architecture,
        architecture_options=options,
        categories=categories,
        input_size=recipe.input_size,
        weights_sha256="",
        modalities=("CR", "DX", "RG"),
        body_parts=("CHEST", "THORAX"),
        views=("PA", "AP"),
        default_threshold=threshold,
        description=_description(report, categories),
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
    _check(network, card)
    return save(card, network, out, replace_old=True)


def default_threshold(report: dict[str, Any]) -> float:
    """The lowest threshold of the table that keeps false marks at half a mark an image."""
    allowed = [
        point["threshold"]
        for point in report["operating_points"]
        if point["false_marks_per_image"] <= FALSE_MARKS_AT_DEFAULT
    ]
    return float(min(allowed))


def _check(network: nn.Module, card: ModelCard) -> None:
    finite = all(bool(v.isfinite().all()) for v in network.state_dict().values())
    if not finite or not card.categories:
        raise ValueError("the trained weights hold values that are not finite")


def _description(report: dict[str, Any], categories: tuple[str, ...]) -> str:
    parts = [f"Finds {' and '.join(categories)} on frontal chest radiographs."]
    for category in categories:
        row = report["categories"][category]["ap"]["0.4"]
        parts.append(
            f"Out of fold, {category}: AP at IoU 0.4 of {row['value']:.2f} "
            f"(95 % interval {row['interval'][0]:.2f} to {row['interval'][1]:.2f}); "
            f"fixed boxes reach {row['prior']:.2f}."
        )
    if report.get("folds_done", 5) < 5:
        parts.append(f"Provisional: {report['folds_done']} of 5 folds measured.")
    return " ".join(parts)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(v) for v in value]
    return value
