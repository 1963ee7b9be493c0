"""What decides a training, and the network that it begins with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from detector.networks.architectures import build
from detector.networks.csp_nano import CspDetector
from detector.networks.network import DetectionNetwork
from detector.networks.yolox_start import load_yolox_nano
from detector.training.augment import Prepared, as_images


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what training does, for the card to name.

    Attributes
    ----------
    levels : strides that carry a head.
    backbone, norm : of `detector.networks.options`; no backbone where the architecture has its own.
    batch : images of one step, over all processes together.
    warm_up : share of the steps of each stage.
    average_decay : of the moving average of the weights.
    frozen_norms : keep the batch norm statistics: for few images of one scanner.
    label_epochs : so many epochs come first that train the image-level classes alone.
    augmentation : "mild" or "strong".
    """

    architecture: str = "csp_nano"
    levels: tuple[int, ...] = (16, 32)
    backbone: str | None = None
    norm: str = "group"
    channels: int = 1
    input_size: int = 320
    epochs: int = 12
    label_epochs: int = 0
    images_per_epoch: int = 640
    batch: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warm_up: float = 0.05
    average_decay: float = 0.99
    frozen_norms: bool = False
    augmentation: str = "mild"
    seed: int = 0

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return max(1, math.ceil(self.images_per_epoch / self.batch))

    @property
    def all_epochs(self) -> int:
        return self.label_epochs + self.epochs

    def options(self, image_classes: Sequence[str]) -> dict[str, Any]:
        """The ``architecture_options`` of the card."""
        options = {"levels": list(self.levels), "image_classes": list(image_classes)}
        if self.backbone is None:
            return options
        return options | {
            "backbone": self.backbone, "norm": self.norm, "channels": self.channels,
        }  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def new_network(
    recipe: Recipe,
    categories: Sequence[str],
    image_classes: Sequence[str],
    prepared: Sequence[Prepared],
    start: Path | None,
) -> DetectionNetwork:
    """A network before its first step; `start` is a YOLOX-nano ONNX file or None for chance."""
    torch.manual_seed(recipe.seed)
    network = build(recipe.architecture, recipe.options(image_classes), categories)
    if start is not None and isinstance(network, CspDetector):
        some = prepared[:: max(1, len(prepared) // 32)][:32]
        load_yolox_nano(network, start, as_images(some).contiguous())
    return network
