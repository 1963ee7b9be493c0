"""The members of the bundled model, trained for each patient fold, and put together there."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from detector.dataset.folds import patient_folds
from detector.dataset.sample import Dataset, Sample
from detector.dataset.vocabulary import EFFUSION, IMAGE_CLASSES, OPACITY
from detector.model_store import save
from detector.networks.architectures import build
from detector.networks.csp_ensemble import places
from detector.training.augment import Prepared, prepare
from detector.training.fitting import Recipe, fit, new_network
from detector.types import ModelCard

FOLDS = 5
ALL_PATIENTS = -1
"""The number of the run that holds nobody out: the model that is shipped."""

SHIPPED = (OPACITY, EFFUSION)
"""What boxes could be measured for; the other categories are trained beside them and cut off."""

MEMBERS = (
    Recipe(input_size=320, epochs=12),
    Recipe(input_size=320, epochs=12, seed=1),
    Recipe(input_size=416, epochs=24, augmentation="strong"),
)
"""The recipes of the bundled model's members."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What is trained, and where its checkpoints, weights and predictions go.

    Attributes
    ----------
    start : a YOLOX-nano ONNX file that each member starts from; None is chance.
    """

    dataset: Dataset
    work: Path
    members: Sequence[Recipe] = MEMBERS
    start: Path | None = None

    def weights(self, member: int, fold: int) -> Path:
        return self.work / f"member{member}" / f"fold{fold}.weights.pt"

    def fold_of(self) -> dict[str, int]:
        """Patient to fold."""
        return patient_folds(self.dataset.samples, FOLDS, SHIPPED)

    def held_out(self, fold: int) -> list[Sample]:
        fold_of = self.fold_of()
        return [s for s in self.dataset.samples if fold_of[s.patient] == fold]


def train_member(plan: Plan, member: int, folds: Sequence[int], progress: Progress) -> None:
    """Train one member on each fold that is not done yet; a stopped one goes on."""
    recipe = plan.members[member]
    prepared: list[Prepared] = []
    for fold in folds:
        path = plan.weights(member, fold)
        if path.is_file():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        prepared = prepared or prepare(plan.dataset.samples, recipe.input_size, progress)
        began = time.monotonic()
        torch.save(_train_fold(plan, member, prepared, fold, progress), path)
        progress(f"member {member}, fold {fold} done in {time.monotonic() - began:.0f} s")


def _train_fold(
    plan: Plan, member: int, prepared: Sequence[Prepared], fold: int, progress: Progress
) -> dict[str, Tensor]:
    recipe, fold_of, categories = plan.members[member], plan.fold_of(), plan.dataset.categories
    training = [p for p in prepared if fold_of[p.sample.patient] != fold]
    network = new_network(recipe, categories, IMAGE_CLASSES, training, plan.start)
    network = fit(
        network, training, recipe, categories, IMAGE_CLASSES,
        checkpoint=plan.weights(member, fold).with_suffix(".checkpoint"),
        progress=lambda line: progress(f"fold {fold}: {line}"),
    )  # fmt: skip
    state: dict[str, Tensor] = network.state_dict()
    return state


def write_model(plan: Plan, fold: int, card: ModelCard, folder: Path) -> ModelCard:
    """Put the members of a fold together and write them as the model of `card`.

    Of the trained categories those of the card are kept.
    """
    network = build(card.architecture, card.architecture_options, card.categories)
    kept = [plan.dataset.categories.index(c) for c in card.categories]
    state = {}
    for member in range(len(plan.members)):
        trained = torch.load(plan.weights(member, fold), weights_only=True)
        for name, value in trained.items():
            cut = value[kept] if ".category." in name else value
            state[f"members.{member}.{name}"] = cut
    network.load_state_dict(state)
    if not all(bool(v.isfinite().all()) for v in network.state_dict().values()):
        raise ValueError("the trained weights hold values that are not finite")
    return save(card, network, folder, replace_old=True)


def bare_card(plan: Plan, name: str, version: str) -> ModelCard:
    """The card of a model of this plan, without training facts and figures."""
    sizes, levels = [r.input_size for r in plan.members], list(plan.members[0].levels)
    return ModelCard(
        name=name,
        version=version,
        architecture="csp_ensemble",
        architecture_options={
            "sizes": sizes,
            "levels": levels,
            "places": places(sizes, levels, mirrored=True),
            "mirrored": True,
            "image_classes": list(IMAGE_CLASSES),
        },
        categories=SHIPPED,
        input_size=max(sizes),
        weights_sha256="",
        modalities=("CR", "DX", "RG"),
        body_parts=("CHEST", "THORAX"),
        views=("PA", "AP"),
        default_threshold=0.5,
        description="",
    )
