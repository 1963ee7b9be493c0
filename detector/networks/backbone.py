"""The backbones of torchvision, without weights, for grey or colour, with a norm of choice."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor, nn
from torchvision.models import mobilenet_v3_large, resnet18
from torchvision.models._utils import IntermediateLayerGetter

from detector.networks.options import NetworkOptions

_MEAN, _STD = 0.5, 0.25
"""Brightness is centred by fixed numbers, so that nothing has to be measured or stored."""


class _Stages(NamedTuple):
    """The modules whose output has stride 4, 8, 16 and 32, and how many channels that has."""

    names: tuple[str, ...]
    widths: tuple[int, ...]


_STAGES = {
    "resnet18": _Stages(("layer1", "layer2", "layer3", "layer4"), (64, 128, 256, 512)),
    "mobilenet_v3": _Stages(("3", "6", "12", "16"), (24, 40, 112, 960)),
}


class Backbone(nn.Module):
    """Feature maps of strides 4, 8, 16 and 32.

    ResNet-18 (He et al. 2016) or MobileNetV3-Large (Howard et al. 2019). The names of its weights
    are those of torchvision behind ``body.`` and do not depend on the architecture around it, so
    that a backbone which learnt one task can start another.
    """

    def __init__(self, options: NetworkOptions):
        super().__init__()
        norm = norm_layer(options.norm)
        if options.backbone == "resnet18":
            network = resnet18(weights=None, norm_layer=norm)
            _set_channels(network.conv1, options.channels)
        else:
            network = mobilenet_v3_large(weights=None, norm_layer=norm).features
            _set_channels(network[0][0], options.channels)
        stages = _STAGES[options.backbone]
        self.widths = dict(zip((4, 8, 16, 32), stages.widths, strict=True))
        self.body = IntermediateLayerGetter(
            network, {name: str(s) for name, s in zip(stages.names, self.widths, strict=True)}
        )

    def forward(self, images: Tensor) -> dict[int, Tensor]:
        """Feature maps by stride.

        Parameters
        ----------
        images : (B, channels, S, S) float32 in 0..1.
        """
        features = self.body((images - _MEAN) / _STD)
        return {int(stride): x for stride, x in features.items()}


def norm_layer(norm: str) -> Callable[[int], nn.Module]:
    """Group norm with groups of 8 channels (Wu and He 2018), or batch norm.

    All layers here have a multiple of 8 channels.
    """
    if norm == "batch":
        return nn.BatchNorm2d
    return lambda channels: nn.GroupNorm(channels // 8, channels)


def _set_channels(conv: nn.Conv2d, channels: int) -> None:
    """Let a first convolution read that many channels, initialised as torchvision does it."""
    conv.in_channels = channels
    weight = conv.weight.new_empty((conv.out_channels, channels, *conv.kernel_size))
    conv.weight = nn.Parameter(nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu"))
