"""One process of a team, as torchrun starts it: trains, and saves its own weights and losses.

python -m tests.detector.team_of_two FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from detector.dataset.sources import read_dataset
from detector.networks.network import Target
from detector.training import fitting
from detector.training.augment import Augmenter, Prepared, prepare
from detector.training.distributed import joined
from detector.training.fitting import Recipe, fit, new_network
from detector.training.history import EpochFigures

RECIPE = Recipe(
    "retinanet", (8, 16, 32), "mobilenet_v3", input_size=64, epochs=1, images_per_epoch=16, batch=8
)
"""GroupNorm, so that a half batch computes what the whole one does."""


class Plain(Augmenter):
    """The same brightness for all and nothing moved, so that two processes see what one sees."""

    def __init__(self, categories: Sequence[str], image_classes: Sequence[str], _how: str):
        super().__init__(categories, image_classes)
        self._geometric = lambda image, boxes: (image, boxes)
        self._tonal = lambda image: image

    def __call__(self, item: Prepared, _generator: torch.Generator) -> tuple[Tensor, Target]:
        return super().__call__(item, torch.Generator().manual_seed(0))


def main(folder: Path) -> None:
    with joined("cpu") as team:
        samples = read_dataset(folder / "e").samples
        prepared = prepare(samples, 64, lambda _: None, folder=folder / "images", team=team)
        network = new_network(RECIPE, ("opacity",), (), prepared, None)
        start = {name: value.clone() for name, value in network.state_dict().items()}
        history: list[EpochFigures] = []
        network = fit(
            network, prepared, RECIPE, ("opacity",), (), checkpoint=folder / f"c{team.size}",
            history=history, held_out=prepared[:3], team=team,
        )  # fmt: skip
        figures = [(entry.losses, entry.average_precision) for entry in history]
        torch.save((start, network.state_dict(), figures), folder / f"{team.rank}of{team.size}.pt")


if __name__ == "__main__":
    torch.set_num_threads(1)
    fitting.Augmenter = Plain  # type: ignore[misc]
    main(Path(sys.argv[1]))
