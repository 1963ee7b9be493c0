"""Trains a network by a recipe; a stopped training goes on to the same weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from detector.networks.network import DetectionNetwork
from detector.training.augment import Augmenter, Prepared
from detector.training.checkpoint import Checkpoint, fingerprint
from detector.training.distributed import ALONE, Team
from detector.training.history import EpochFigures
from detector.training.interrupt import watched
from detector.training.loop import Loop
from detector.training.recipe import Recipe, new_network
from detector.training.validation import validate
from detector.types import DetectorError

__all__ = ["Recipe", "fit", "new_network"]

Progress = Callable[[str], None]


def fit(
    network: DetectionNetwork,
    prepared: Sequence[Prepared],
    recipe: Recipe,
    categories: Sequence[str],
    image_classes: Sequence[str],
    *,
    checkpoint: Path,
    device: str = "cpu",
    progress: Progress = lambda _: None,
    held_out: Sequence[Prepared] = (),
    history: list[EpochFigures] | None = None,
    team: Team = ALONE,
) -> DetectionNetwork:
    """Train `network` on `prepared` and return the averaged weights as a network in eval mode.

    After each epoch, and where Ctrl+C asks to stop, the whole state goes to `checkpoint`;
    training goes on from it to the same weights (bit by bit on a CPU).

    Parameters
    ----------
    checkpoint : the file; where it is there already, training goes on from it.
    held_out : images of other patients, measured after each epoch; they decide nothing.
    history : is filled with the figures of each epoch, those before a resume included.
    team : the processes that train together; each calls `fit` alike.

    Raises
    ------
    DetectorError
        Where the checkpoint cannot be written (the one before it stays as it was), is damaged or
        belongs to another training, or where the loss is no number any more.
    KeyboardInterrupt
        After Ctrl+C, once the checkpoint is written.
    """
    if recipe.batch % team.size:
        raise DetectorError(
            f"A batch of {recipe.batch} images cannot be shared by {team.size} processes; "
            "take a multiple."
        )
    file = Checkpoint(checkpoint, fingerprint(recipe.to_json(), prepared, held_out))
    augment = Augmenter(categories, image_classes, recipe.augmentation)
    said = progress if team.first else _silence
    with watched(team) as interrupt, _deterministic(device):
        loop = Loop(
            network, prepared, recipe, augment,
            device=device, team=team, checkpoint=file, progress=said,
        )  # fmt: skip
        while not loop.finished:
            losses = loop.run_epoch(interrupt)
            measured: dict[str, float] = {}
            if held_out:
                measured = validate(loop.averaged(), held_out, categories, device, team)
            loop.close_epoch(EpochFigures(loop.epoch + 1, losses, measured))
        if history is not None:
            history[:] = loop.history
        return loop.averaged()


def _silence(_line: str) -> None:
    """What the others of a team say."""


@contextmanager
def _deterministic(device: str) -> Iterator[None]:
    """On a CPU, only algorithms that give the same bits each time."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(before or device == "cpu")
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
