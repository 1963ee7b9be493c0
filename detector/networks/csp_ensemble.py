"""Several small networks that look at one picture, each at a size of its own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from detector.networks.csp_nano import CspDetector
from detector.networks.network import DetectionNetwork, NetworkOutput, Target


class CspEnsemble(DetectionNetwork):
    """Members of `CspDetector`, trained apart, that answer side by side.

    The places of the members stand one after the other in the output; whoever suppresses
    candidates does so for each member and then merges what the members marked
    (`detector.inference.fusion`). The image-level probability is the mean over the members.

    Parameters
    ----------
    categories, image_classes, levels, channels : of each member.
    sizes : for each member the side of the square that it looks at, in pixels; the input is
        reduced or enlarged to it.
    mirrored : each member looks at the mirrored picture, too; its places stand behind all others.
    """

    def __init__(
        self,
        categories: int,
        image_classes: int,
        levels: Sequence[int],
        sizes: Sequence[int],
        *,
        channels: int = 1,
        mirrored: bool = False,
    ):
        super().__init__()
        self.sizes = tuple(sizes)
        self.mirrored = mirrored
        self.members = nn.ModuleList(
            CspDetector(categories, image_classes, levels, channels) for _ in self.sizes
        )

    def predict(self, images: Tensor) -> NetworkOutput:
        outputs = self._looks(images)
        if self.mirrored:
            outputs += [_flipped(o, images.shape[-1]) for o in self._looks(images.flip(-1))]
        chance = torch.stack([o.image_logits.sigmoid() for o in outputs]).mean(dim=0)
        return NetworkOutput(
            torch.cat([o.boxes for o in outputs], dim=1),
            torch.cat([o.logits for o in outputs], dim=1),
            torch.logit(chance, eps=1e-6),
        )

    def _looks(self, images: Tensor) -> list[NetworkOutput]:
        return [
            _scaled(member.predict(_resized(images, size)), images.shape[-1] / size)
            for member, size in zip(self._members(), self.sizes, strict=True)
        ]

    def losses(self, images: Tensor, targets: Sequence[Target]) -> dict[str, Tensor]:
        """The mean over the members: each is trained as it would be alone."""
        parts = [
            member.losses(
                _resized(images, size), [t.scaled(size / images.shape[-1]) for t in targets]
            )
            for member, size in zip(self._members(), self.sizes, strict=True)
        ]
        return {name: torch.stack([p[name] for p in parts]).mean() for name in parts[0]}

    def _members(self) -> list[CspDetector]:
        return [m for m in self.members if isinstance(m, CspDetector)]


def places(sizes: Sequence[int], levels: Sequence[int], mirrored: bool = False) -> list[int]:
    """How many places each look has: how to take the output apart again."""
    once = [sum((size // stride) ** 2 for stride in levels) for size in sizes]
    return once * 2 if mirrored else once


def _resized(images: Tensor, size: int) -> Tensor:
    if images.shape[-1] == size:
        return images
    return functional.interpolate(images, (size, size), mode="bilinear", align_corners=False)


def _scaled(output: NetworkOutput, scale: float) -> NetworkOutput:
    return output._replace(boxes=output.boxes * scale)


def _flipped(output: NetworkOutput, side: int) -> NetworkOutput:
    """The answer for mirrored pictures, as boxes of the pictures themselves."""
    x_min, y_min, x_max, y_max = output.boxes.unbind(-1)
    return output._replace(boxes=torch.stack([side - x_max, y_min, side - x_min, y_max], dim=-1))
