"""A model from labelled images: fine-tuned from one that is there, or trained from scratch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from torch import nn

from detector.dataset.sample import Dataset, Sample, patient_hash
from detector.dataset.sources import read_dataset
from detector.inference.predictor import choose_device
from detector.model_store import LoadedModel, load, save
from detector.networks.architectures import build
from detector.training.augment import prepare
from detector.training.fitting import Recipe, fit, new_network
from detector.types import DatasetError, ModelCard

Progress = Callable[[str], None]

SCRATCH = Recipe()
FINE_TUNE = Recipe(epochs=6, learning_rate=2e-4, frozen_norms=True)
MOST_IMAGES_AN_EPOCH, PASSES_AN_EPOCH = 640, 2
UNMEASURED_THRESHOLD = 0.3
_CATEGORY_LAYER = ".category."


def train(
    data: Path | Sequence[Path],
    out: Path,
    *,
    base: Path | None,
    name: str | None = None,
    epochs: int | None = None,
    device: str = "auto",
    work: Path | None = None,
    start: Path | None = None,
    progress: Progress = lambda _: None,
) -> Path:
    """Train one model on all of `data` and write it to ``out/NAME``.

    Parameters
    ----------
    data : one folder or several, each in a form that `detector.dataset.sources` reads.
    out : the folder that models are kept in; NAME gets a number where it is taken.
    base : the folder of the model to go on from; None trains a new one.
    name : of the new model; None is the base's name and "-tuned", or "trained".
    epochs : None is what the recipe says.
    work : where the checkpoint is kept, so that a stopped training goes on; None is `out`.
    start : a YOLOX-nano ONNX file that starts a new network; only without `base`.
    progress : called with one line for the reader.

    Returns
    -------
    The folder of the new model. Nobody has measured it: its card says so, and `evaluate` on
    other patients is the next thing to do.

    Raises
    ------
    DatasetError, ModelError, DetectorError
        With a sentence for the reader.
    """
    device = choose_device(device)
    datasets = [read_dataset(folder) for folder in ([data] if isinstance(data, Path) else data)]
    samples = _usable(datasets, progress)
    loaded = load(base) if base is not None else None
    categories = _categories(datasets, loaded)
    recipe = _recipe(loaded, samples, epochs)
    prepared = prepare(samples, recipe.input_size, progress)
    if loaded is None:
        image_classes = sorted({c for s in samples for c in s.image_classes})
        network = new_network(recipe, categories, image_classes, prepared, start)
    else:
        image_classes = list(loaded.card.architecture_options.get("image_classes", []))
        network = _extended(loaded, categories)
    name = name or (f"{loaded.card.name}-tuned" if loaded else "trained")
    checkpoint = (work or out) / f"{name}.checkpoint"
    network = fit(
        network, prepared, recipe, categories, image_classes,
        checkpoint=checkpoint, device=device, progress=progress,
    )  # fmt: skip
    folder = _free(out, name)
    card = _card(
        folder.name, recipe, categories=categories, image_classes=image_classes,
        datasets=datasets, samples=samples, base=loaded,
    )  # fmt: skip
    save(card, network, folder)
    checkpoint.unlink(missing_ok=True)
    progress(f"model written: {folder.name}")
    return folder


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


def _usable(datasets: Sequence[Dataset], progress: Progress) -> list[Sample]:
    for dataset in datasets:
        for problem in dataset.problems:
            progress(f"{dataset.name}: {problem}")
    samples = [s for d in datasets for s in d.samples]
    used = [s for s in samples if s.complete or s.objects or s.rejected or s.image_classes]
    if len(used) < len(samples):
        progress(f"{len(samples) - len(used)} images carry no decision and are left out")
    if not any(s.objects or s.rejected or s.complete for s in used):
        raise DatasetError("The data holds no decided box and no completely read image.")
    return used


def _categories(datasets: Sequence[Dataset], base: LoadedModel | None) -> tuple[str, ...]:
    """The base's categories first, in its order, then the new ones of the data."""
    known = list(base.card.categories) if base else []
    for dataset in datasets:
        known += [c for c in dataset.categories if c not in known]
    if not known:
        raise DatasetError("The data names no category to train.")
    return tuple(known)


def _recipe(base: LoadedModel | None, samples: Sequence[Sample], epochs: int | None) -> Recipe:
    recipe = SCRATCH
    if base is not None:
        recipe = replace(
            FINE_TUNE,
            architecture=base.card.architecture,
            input_size=base.card.input_size,
            levels=tuple(base.card.architecture_options.get("levels", FINE_TUNE.levels)),
        )
    images = min(MOST_IMAGES_AN_EPOCH, max(recipe.batch, PASSES_AN_EPOCH * len(samples)))
    return replace(recipe, images_per_epoch=images, epochs=epochs or recipe.epochs)


def _extended(base: LoadedModel, categories: tuple[str, ...]) -> nn.Module:
    """The base network, with a fresh output for each category that it does not know yet."""
    if categories == base.card.categories:
        return base.network
    network = build(base.card.architecture, base.card.architecture_options, categories)
    state, old = network.state_dict(), base.network.state_dict()
    for key, value in old.items():
        if _CATEGORY_LAYER in key:
            state[key][: len(value)] = value
        else:
            state[key] = value
    network.load_state_dict(state)
    return network


def _free(out: Path, name: str) -> Path:
    folder, number = out / name, 2
    while folder.exists():
        folder, number = out / f"{name}-{number}", number + 1
    return folder


def _card(
    name: str,
    recipe: Recipe,
    *,
    categories: tuple[str, ...],
    image_classes: Sequence[str],
    datasets: Sequence[Dataset],
    samples: Sequence[Sample],
    base: LoadedModel | None,
) -> ModelCard:
    now = datetime.now(UTC)
    training = training_facts(datasets, samples, recipe)
    training["date"] = now.isoformat(timespec="seconds")
    if base is not None:
        training["base"] = {
            "name": base.card.name,
            "version": base.card.version,
            "weights_sha256": base.card.weights_sha256,
            "training": base.card.training,
        }
    return ModelCard(
        name=name,
        version=now.strftime("%Y.%m.%d.%H%M%S"),
        architecture=recipe.architecture,
        architecture_options={
            "levels": list(recipe.levels),
            "image_classes": list(image_classes),
        },
        categories=categories,
        input_size=recipe.input_size,
        weights_sha256="",
        modalities=base.card.modalities if base else ("CR", "DX", "RG"),
        body_parts=base.card.body_parts if base else ("CHEST", "THORAX"),
        views=base.card.views if base else ("PA", "AP"),
        default_threshold=base.card.default_threshold if base else UNMEASURED_THRESHOLD,
        description=(
            f"Trained on {training['images']} images of {training['patients']} patients. "
            "Not measured on other patients yet: run evaluate."
        ),
        training=training,
    )
