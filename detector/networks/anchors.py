"""Anchor boxes, sized by the input, for findings of any size that is looked for."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

SMALLEST, LARGEST = 25 / 1024, 900 / 1024
"""Findings from a fortieth to nearly all of the input's side."""

SIZES_PER_LEVEL = 3
ASPECTS = (0.5, 1.0, 2.0)  # height over width
ANCHORS_PER_PLACE = SIZES_PER_LEVEL * len(ASPECTS)


def level_sizes(levels: int) -> list[list[float]]:
    """For each level, finest first, the anchor sizes: square root of the area over the side."""
    count = levels * SIZES_PER_LEVEL
    step = (LARGEST / SMALLEST) ** (1 / (count - 1))
    sizes = [SMALLEST * step**i for i in range(count)]
    return [sizes[i : i + SIZES_PER_LEVEL] for i in range(0, count, SIZES_PER_LEVEL)]


class Anchors(nn.Module):
    """Three sizes times three aspects at each place of each level.

    The anchor generator of torchvision takes sizes in pixels; here they are shares of the input's
    side, so that the anchors fit the same findings at every input size. It is called as
    torchvision's is, so that its region proposal network takes it.
    """

    def forward(self, images: Tensor, features: Sequence[Tensor]) -> Tensor:
        """(A, 4) float32, level by level, row by row, place by place.

        Parameters
        ----------
        images : (B, channels, S, S); only S counts.
        features : feature maps, finest first.
        """
        side = images.shape[-1]
        levels = []
        for x, sizes in zip(features, level_sizes(len(features)), strict=True):
            rows, columns = x.shape[-2:]
            points = grid(rows, columns, side, x.device)
            shapes = x.new_tensor(
                [[s * a**-0.5, s * a**0.5] for a in ASPECTS for s in sizes], dtype=torch.float32
            )
            half = torch.cat([-shapes, shapes], dim=1) * (side / 2)
            boxes = torch.cat([points, points], dim=1)[:, None] + half
            levels.append(boxes.reshape(-1, 4))
        return torch.cat(levels)


def grid(rows: int, columns: int, side: int, device: torch.device) -> Tensor:
    """(rows * columns, 2) x and y of the middle of each cell of an input of that side."""
    ys, xs = torch.meshgrid(
        (torch.arange(rows, device=device, dtype=torch.float32) + 0.5) * (side / rows),
        (torch.arange(columns, device=device, dtype=torch.float32) + 0.5) * (side / columns),
        indexing="ij",
    )
    return torch.stack([xs, ys], dim=-1).reshape(-1, 2)
