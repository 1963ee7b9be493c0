"""What every network is to the loop that trains it and to the predictor that asks it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

from torch import Tensor, nn


class NetworkOutput(NamedTuple):
    """What every architecture answers for a batch of B images.

    Attributes
    ----------
    boxes : (B, A, 4) float32, x_min y_min x_max y_max in pixels of the network's input.
    logits : (B, A, C) float32, one for each category; a score is its sigmoid.
    image_logits : (B, L) float32, one for each image-level class; L may be 0.
    points : (A, 2) float32, x and y of the place that each box was predicted from.
    strides : (A,) float32, pixels between neighbouring places of that level.

    Both are there where the places are the same for every image and the loss asks for them.
    """

    boxes: Tensor
    logits: Tensor
    image_logits: Tensor
    points: Tensor | None = None
    strides: Tensor | None = None


@dataclass(frozen=True)
class Target:
    """The truth of one image, in pixels of the network's input.

    Attributes
    ----------
    boxes : (G, 4) float32
    categories : (G,) int64, index into the categories
    rejected : (R, 4) float32, and `rejected_categories` (R,) int64
    complete : (C,) float32 in 0..1, how sure it is that every object of the category is boxed:
        1 all are, 0 nobody looked, between them a weak report
    image_classes : (L,) float32, 1 present, 0 absent, NaN unknown
    """

    boxes: Tensor
    categories: Tensor
    rejected: Tensor
    rejected_categories: Tensor
    complete: Tensor
    image_classes: Tensor

    def to(self, device: str) -> Target:
        return Target(*(getattr(self, field.name).to(device) for field in fields(self)))

    def scaled(self, factor: float) -> Target:
        """The same truth on a picture that is so many times as wide."""
        return replace(self, boxes=self.boxes * factor, rejected=self.rejected * factor)


class DetectionNetwork(nn.Module):
    """A network that answers with boxes, and with its losses where it is told the truth.

    Both ways go through `forward`, as in torchvision, so that a wrapper for several processes
    sees them.
    """

    def forward(self, images: Tensor, targets: Sequence[Target] | None = None) -> Any:
        """A `NetworkOutput`, or with `targets` a dict of scalar losses; their sum is trained on.

        Parameters
        ----------
        images : (B, channels, S, S) float32 in 0..1, S a multiple of 32.
        """
        return self.predict(images) if targets is None else self.losses(images, targets)

    @abstractmethod
    def predict(self, images: Tensor) -> NetworkOutput: ...

    @abstractmethod
    def losses(self, images: Tensor, targets: Sequence[Target]) -> dict[str, Tensor]: ...


class ProposalNetwork(DetectionNetwork):
    """A network that first proposes regions, whatever may be in them."""

    @abstractmethod
    def proposals(self, images: Tensor, count: int) -> list[tuple[Tensor, Tensor]]:
        """The `count` best regions of each image, or as many as there are, best first.

        Returns
        -------
        For each image, boxes (n, 4) in pixels of the input, and objectness (n,) in 0..1.
        """
