"""From pictures to the feature levels that carry a head: backbone, neck, image-level head."""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.ops import Conv2dNormActivation, FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from detector.networks.backbone import Backbone, norm_layer
from detector.networks.image_level import ImageHead
from detector.networks.network import DetectionNetwork
from detector.networks.options import NetworkOptions

_EXTRA_WIDTH = 256


class FeatureDetector(DetectionNetwork):
    """What all detectors on a backbone of torchvision have in common.

    Attributes
    ----------
    backbone : the same names and shapes of weights in every architecture.
    neck : backbone features to the list of levels, finest first.
    """

    def __init__(self, options: NetworkOptions, backbone: Backbone, neck: Pyramid | SsdLevels):
        super().__init__()
        self.backbone = backbone
        self.neck = neck
        classes = len(options.image_classes)
        self.image_head = ImageHead(backbone.widths[32], classes) if classes else None

    def features(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        """The feature levels and the image logits (B, L)."""
        stages = self.backbone(images)
        last = stages[32]
        if self.image_head is None:
            return self.neck(stages), last.new_zeros((len(last), 0))
        return self.neck(stages), self.image_head(last).float()


class Pyramid(nn.Module):
    """Feature pyramid (Lin et al. 2017) over the stages of the backbone, all of one width."""

    def __init__(self, options: NetworkOptions, stage_widths: dict[int, int]):
        super().__init__()
        self.strides = tuple(s for s in options.levels if s in stage_widths)
        self.fpn = FeaturePyramidNetwork(
            [stage_widths[s] for s in self.strides],
            options.width,
            LastLevelMaxPool() if 64 in options.levels else None,
        )

    def forward(self, stages: dict[int, Tensor]) -> list[Tensor]:
        return list(self.fpn({str(s): stages[s] for s in self.strides}).values())


class SsdLevels(nn.Module):
    """The stages of the backbone as they are, and a coarser one behind the last of them.

    The coarser level is the extra block of SSDlite (Sandler et al. 2018, section 6.2).
    """

    def __init__(self, options: NetworkOptions, stage_widths: dict[int, int]):
        super().__init__()
        self.strides = tuple(s for s in options.levels if s in stage_widths)
        self.widths = [stage_widths[s] for s in self.strides]
        self.extra: nn.Module | None = None
        if 64 in options.levels:
            self.extra = _extra_block(self.widths[-1], _EXTRA_WIDTH, options.norm)
            self.widths.append(_EXTRA_WIDTH)

    def forward(self, stages: dict[int, Tensor]) -> list[Tensor]:
        levels = [stages[s] for s in self.strides]
        return levels if self.extra is None else [*levels, self.extra(levels[-1])]


def _extra_block(inputs: int, outputs: int, norm: str) -> nn.Sequential:
    half, layer = outputs // 2, norm_layer(norm)
    kinds = {"norm_layer": layer, "activation_layer": nn.ReLU6}
    return nn.Sequential(
        Conv2dNormActivation(inputs, half, 1, **kinds),
        Conv2dNormActivation(half, half, 3, stride=2, groups=half, **kinds),
        Conv2dNormActivation(half, outputs, 1, **kinds),
    )
