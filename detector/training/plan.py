"""What the person who trains asks for, and the recipe that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from detector.dataset.sample import Sample
from detector.model_store import LoadedModel
from detector.training.recipe import Recipe
from detector.types import DatasetError, ModelError

BACKBONES = ("resnet18", "mobilenet_v3")
FEW_IMAGES, PASSES_OVER_FEW = 640, 2
"""An epoch shows each image once, or twice where that makes no more than `FEW_IMAGES`."""

_FINE_TUNE = Recipe(epochs=6, learning_rate=2e-4, frozen_norms=True)
_PYRAMID_SIZE = 448
"""Pixels of the square at first: from here on the anchors fit findings of a fortieth of it."""

_COARSE_FROM = 1024
"""From this size on they do so without the costly level of stride 4."""

_ENOUGH_FOR_BATCH_NORM = 16
"""With fewer images in a step of one process, statistics over a batch are too noisy."""


@dataclass(frozen=True)
class Wish:
    """What decides the recipe; None is what the start or the standard recipe says.

    Attributes
    ----------
    architecture : "csp_nano", "faster_rcnn", "fcos", "retinanet" or "ssdlite".
    backbone : one of `BACKBONES`, for all but csp_nano.
    label_epochs : of the image-level classes alone, before the others.
    input_size : pixels of the square that the network sees, a multiple of 32.
    batch : images of a step, over all processes.
    """

    architecture: str | None = None
    backbone: str | None = None
    channels: int | None = None
    input_size: int | None = None
    epochs: int | None = None
    label_epochs: int = 0
    batch: int | None = None
    seed: int = 0


def recipe_for(
    wish: Wish, base: LoadedModel | None, samples: Sequence[Sample], processes: int = 1
) -> Recipe:
    """The recipe of a wish.

    Parameters
    ----------
    base : the model to go on from, or to take the backbone from.

    Raises
    ------
    ModelError
        Where the start cannot become what is wished for.
    DatasetError
        Where the wish needs image-level classes and the data has none.
    """
    if wish.label_epochs and not any(s.image_classes for s in samples):
        raise DatasetError("The data has no image-level classes to pretrain on.")
    same = base is not None and wish.architecture in (None, base.card.architecture)
    recipe = _going_on(wish, base) if base is not None and same else _fresh(wish, base, processes)
    given = {
        "epochs": wish.epochs, "input_size": wish.input_size, "batch": wish.batch,
        "channels": wish.channels,
    }  # fmt: skip
    recipe = replace(recipe, label_epochs=wish.label_epochs, seed=wish.seed, **_named(given))
    if recipe.input_size % 32:
        raise ModelError(f"The input size must be a multiple of 32, not {recipe.input_size}.")
    few = min(FEW_IMAGES, PASSES_OVER_FEW * len(samples))
    return replace(recipe, images_per_epoch=max(recipe.batch, few, len(samples)))


def _fresh(wish: Wish, base: LoadedModel | None, processes: int) -> Recipe:
    """A new network; of `base`, which is of another architecture, only the backbone is taken."""
    architecture = wish.architecture or Recipe.architecture
    if architecture == "csp_nano":
        if wish.backbone is not None:
            raise ModelError("csp_nano has a backbone of its own; leave out --backbone.")
        return Recipe()
    options = base.card.architecture_options if base is not None else {}
    each = (wish.batch or Recipe.batch) // processes
    size = wish.input_size or _PYRAMID_SIZE
    return Recipe(
        architecture=architecture,
        input_size=size,
        levels=(8, 16, 32) if size >= _COARSE_FROM else (4, 8, 16, 32),
        backbone=wish.backbone or options.get("backbone", BACKBONES[0]),
        norm=options.get("norm", "batch" if each >= _ENOUGH_FOR_BATCH_NORM else "group"),
        channels=base.card.channels if base is not None else Recipe.channels,
    )


def _going_on(wish: Wish, base: LoadedModel) -> Recipe:
    """The same network on other data."""
    options = base.card.architecture_options
    for what, wished, there in (
        ("backbone", wish.backbone, options.get("backbone")),
        ("channels", wish.channels, base.card.channels),
    ):
        if wished not in (None, there):
            raise ModelError(
                f"The model {base.card.name} has {there or 'its own'} as {what}, not {wished}; "
                "name another one with --init, or --init none."
            )
    return replace(
        _FINE_TUNE,
        architecture=base.card.architecture,
        input_size=base.card.input_size,
        levels=tuple(options.get("levels", _FINE_TUNE.levels)),
        backbone=options.get("backbone"),
        norm=options.get("norm", _FINE_TUNE.norm),
        channels=base.card.channels,
    )


def _named(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
