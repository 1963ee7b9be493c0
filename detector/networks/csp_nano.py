"""The small one-stage network of the bundled model."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from detector.networks.dense_loss import detection_loss
from detector.networks.network import DetectionNetwork, NetworkOutput, Target

PRIOR_PROBABILITY = 0.01
"""The score that an untrained network gives to every place, so that the first steps are calm."""


class ConvNormAct(nn.Sequential):
    """Convolution, batch norm, SiLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03),
            nn.SiLU(inplace=True),
        )


def separable(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """A 3 x 3 convolution as depthwise and pointwise: a ninth of the cost."""
    return nn.Sequential(
        ConvNormAct(inputs, inputs, 3, stride, groups=inputs), ConvNormAct(inputs, outputs, 1)
    )


class Bottleneck(nn.Module):
    def __init__(self, channels: int, shortcut: bool):
        super().__init__()
        self.reduce = ConvNormAct(channels, channels, 1)
        self.conv = separable(channels, channels)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(self.reduce(x))
        return x + y if self.shortcut else y


class CrossStage(nn.Module):
    """A cross-stage partial block: half of the channels go through the bottlenecks."""

    def __init__(self, inputs: int, outputs: int, depth: int, shortcut: bool):
        super().__init__()
        half = outputs // 2
        self.main = ConvNormAct(inputs, half, 1)
        self.side = ConvNormAct(inputs, half, 1)
        self.blocks = nn.Sequential(*(Bottleneck(half, shortcut) for _ in range(depth)))
        self.join = ConvNormAct(2 * half, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        main, side = self.main(x), self.side(x)
        joined: Tensor = self.join(torch.cat([self.blocks(main), side], dim=1))
        return joined


class PyramidPool(nn.Module):
    """Max pools of 5, 9 and 13 places side by side: a wide view at the coarsest level."""

    def __init__(self, channels: int):
        super().__init__()
        self.reduce = ConvNormAct(channels, channels // 2, 1)
        self.join = ConvNormAct(channels * 2, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.reduce(x)
        pools = [functional.max_pool2d(x, k, stride=1, padding=k // 2) for k in (5, 9, 13)]
        joined: Tensor = self.join(torch.cat([x, *pools], dim=1))
        return joined


class LevelHead(nn.Module):
    """Category logits and box distances from one feature level."""

    def __init__(self, inputs: int, width: int, categories: int):
        super().__init__()
        self.stem = ConvNormAct(inputs, width, 1)
        self.category_tower = nn.Sequential(separable(width, width), separable(width, width))
        self.box_tower = nn.Sequential(separable(width, width), separable(width, width))
        self.category = nn.Conv2d(width, categories, 1)
        self.box = nn.Conv2d(width, 4, 1)
        nn.init.normal_(self.category.weight, std=0.01)
        assert self.category.bias is not None
        nn.init.constant_(self.category.bias, math.log(PRIOR_PROBABILITY / (1 - PRIOR_PROBABILITY)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.stem(x)
        return self.category(self.category_tower(x)), self.box(self.box_tower(x))


class CspDetector(DetectionNetwork):
    """An anchor-free one-stage detector of 0.9 M parameters after the design of YOLOX-nano.

    Cross-stage partial backbone with depthwise convolutions, a top-down and bottom-up feature
    pyramid, a decoupled head, here for grey or colour, without an objectness branch, and with
    image-level logits from the coarsest backbone level.

    The modules are declared in the order in which they run; `detector.networks.yolox_start` counts
    on it.

    Parameters
    ----------
    categories : number of box categories.
    image_classes : number of image-level classes, 0 for none.
    levels : strides that carry a head, out of 8, 16 and 32.
    channels : 1 grey, 3 colour.
    """

    def __init__(
        self, categories: int, image_classes: int, levels: Sequence[int], channels: int = 1
    ):
        super().__init__()
        self.levels = tuple(levels)
        self.stem = ConvNormAct(4 * channels, 16, 3)
        self.dark2 = nn.Sequential(separable(16, 32, 2), CrossStage(32, 32, 1, True))
        self.dark3 = nn.Sequential(separable(32, 64, 2), CrossStage(64, 64, 3, True))
        self.dark4 = nn.Sequential(separable(64, 128, 2), CrossStage(128, 128, 3, True))
        self.dark5 = nn.Sequential(
            separable(128, 256, 2), PyramidPool(256), CrossStage(256, 256, 1, False)
        )
        self.lateral5 = ConvNormAct(256, 128, 1)
        self.top_down4 = CrossStage(256, 128, 1, False)
        self.lateral4 = ConvNormAct(128, 64, 1)
        self.top_down3 = CrossStage(128, 64, 1, False)
        self.down3 = separable(64, 64, 2)
        self.bottom_up4 = CrossStage(128, 128, 1, False)
        self.down4 = separable(128, 128, 2)
        self.bottom_up5 = CrossStage(256, 256, 1, False)
        widths = {8: 64, 16: 128, 32: 256}
        self.heads = nn.ModuleList(LevelHead(widths[s], 64, categories) for s in self.levels)
        self.image_head = nn.Linear(512, image_classes) if image_classes else None

    def predict(self, images: Tensor) -> NetworkOutput:
        x = self.dark2(self.stem(functional.pixel_unshuffle(images * 255.0, 2)))
        c3 = self.dark3(x)
        c4 = self.dark4(c3)
        c5 = self.dark5(c4)
        top5 = self.lateral5(c5)
        top4 = self.lateral4(self.top_down4(torch.cat([_doubled(top5), c4], dim=1)))
        p3 = self.top_down3(torch.cat([_doubled(top4), c3], dim=1))
        p4 = self.bottom_up4(torch.cat([self.down3(p3), top4], dim=1))
        p5 = self.bottom_up5(torch.cat([self.down4(p4), top5], dim=1))
        features = {8: p3, 16: p4, 32: p5}
        return _gather(
            [head(features[s]) for s, head in zip(self.levels, self.heads, strict=True)],
            self.levels,
            self._image_logits(c5),
        )

    def losses(self, images: Tensor, targets: Sequence[Target]) -> dict[str, Tensor]:
        return detection_loss(self.predict(images), targets)

    def _image_logits(self, c5: Tensor) -> Tensor:
        if self.image_head is None:
            return c5.new_zeros((len(c5), 0))
        pooled = torch.cat([c5.mean(dim=(2, 3)), c5.amax(dim=(2, 3))], dim=1)
        logits: Tensor = self.image_head(functional.dropout(pooled, 0.2, self.training))
        return logits


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


def _gather(
    outputs: list[tuple[Tensor, Tensor]], strides: Sequence[int], image_logits: Tensor
) -> NetworkOutput:
    """Levels side by side, with boxes decoded: offset of the centre and log size, in strides."""
    boxes, logits, points, steps = [], [], [], []
    for (category, box), stride in zip(outputs, strides, strict=True):
        rows, columns = category.shape[-2:]
        ys, xs = torch.meshgrid(
            torch.arange(rows, device=box.device, dtype=torch.float32),
            torch.arange(columns, device=box.device, dtype=torch.float32),
            indexing="ij",
        )
        grid = torch.stack([xs, ys], dim=-1).reshape(-1, 2)
        raw = box.flatten(2).transpose(1, 2).float()
        centre = (raw[..., :2] + grid) * stride
        half = raw[..., 2:].clamp(max=6.0).exp() * (stride / 2)
        boxes.append(torch.cat([centre - half, centre + half], dim=-1))
        logits.append(category.flatten(2).transpose(1, 2).float())
        points.append((grid + 0.5) * stride)
        steps.append(torch.full((len(grid),), float(stride), device=box.device))
    return NetworkOutput(
        torch.cat(boxes, 1), torch.cat(logits, 1), image_logits.float(),
        torch.cat(points), torch.cat(steps),
    )  # fmt: skip
