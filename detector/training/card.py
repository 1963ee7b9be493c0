"""What the card of a trained model says about its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from detector.dataset.folds import patient_hash, split_hash
from detector.dataset.sample import Dataset, Sample
from detector.model_store import LoadedModel
from detector.training.history import EpochFigures
from detector.training.recipe import Recipe
from detector.training.validation import IOU
from detector.types import ModelCard

UNMEASURED_THRESHOLD = 0.3


def training_facts(
    datasets: Sequence[Dataset], samples: Sequence[Sample], recipe: Recipe
) -> dict[str, Any]:
    """What a card says about the data, so that `evaluate` knows the patients again."""
    patients = sorted({s.patient for s in samples})
    return {
        "data": [d.name for d in datasets],
        "images": len(samples),
        "patients": len(patients),
        "objects": {
            category: sum(len(s.boxes_of(category)) for s in samples)
            for category in sorted({o.category for s in samples for o in s.objects})
        },
        "rejected_boxes": sum(len(s.rejected) for s in samples),
        "recipe": recipe.to_json(),
        "patient_hashes": [patient_hash(p) for p in patients],
    }


def seen_patients(training: Mapping[str, Any]) -> frozenset[str]:
    """The hashes of the patients of a model and of those that it went on from.

    Whoever validated counts, too.

    Parameters
    ----------
    training : of a card.
    """
    own = [*training.get("patient_hashes", ())]
    own += training.get("validation", {}).get("patient_hashes", ())
    base = training.get("base", {}).get("training")
    return frozenset(own) | (seen_patients(base) if base else frozenset())


def validation_facts(
    training: Sequence[Sample], held_out: Sequence[Sample], history: Sequence[EpochFigures]
) -> dict[str, Any]:
    """Who was held out and what was measured on them, with a word on what that is worth."""
    folds = {s.patient: 0 for s in training} | {s.patient: 1 for s in held_out}
    patients = sorted({s.patient for s in held_out})
    return {
        "what": "validation, seen by model selection: whoever looks at these figures to choose "
        "a recipe makes them optimistic",
        "images": len(held_out),
        "patients": len(patients),
        "iou": IOU,
        "average_precision": history[-1].average_precision,
        "split_hash": split_hash([*training, *held_out], folds),
        "patient_hashes": [patient_hash(p) for p in patients],
    }


def card_of(
    name: str,
    recipe: Recipe,
    training: Mapping[str, Any],
    *,
    categories: tuple[str, ...],
    options: Mapping[str, Any],
    base: LoadedModel | None,
) -> ModelCard:
    """The card of a new model that nobody has measured yet.

    Parameters
    ----------
    training : of `training_facts`, and what else there is to say.
    options : of the architecture.
    base : the model that it went on from.
    """
    now = datetime.now(UTC)
    # Threshold and calibration belong together, and to the scores of one kind of network.
    same = base is not None and base.card.architecture == recipe.architecture
    facts = dict(training) | {"date": now.isoformat(timespec="seconds")}
    if base is not None:
        facts["base"] = {
            "name": base.card.name,
            "version": base.card.version,
            "weights_sha256": base.card.weights_sha256,
            "training": base.card.training,
        }
    return ModelCard(
        name=name,
        version=now.strftime("%Y.%m.%d.%H%M%S"),
        architecture=recipe.architecture,
        architecture_options=dict(options),
        categories=categories,
        input_size=recipe.input_size,
        weights_sha256="",
        modalities=base.card.modalities if base else ("CR", "DX", "RG"),
        body_parts=base.card.body_parts if base else ("CHEST", "THORAX"),
        views=base.card.views if base else ("PA", "AP"),
        default_threshold=base.card.default_threshold if base and same else UNMEASURED_THRESHOLD,
        calibration=dict(base.card.calibration) if base and same else {},
        description=(
            f"Trained on {training['images']} images of {training['patients']} patients. "
            "Not measured on other patients yet: run evaluate."
        ),
        channels=recipe.channels,
        training=facts,
    )
