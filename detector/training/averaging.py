"""What is kept in the end: averaged weights, with norm statistics measured on them."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import nn

from detector.networks.network import DetectionNetwork
from detector.training.augment import Prepared, as_images

MOST_FOR_NORMS = 256
"""So many images measure the batch norm statistics at the end."""


class WeightAverage:
    """A moving average of a network's weights and norm statistics."""

    def __init__(self, network: DetectionNetwork, decay: float):
        self.network = copy.deepcopy(network).eval()
        self._decay = decay
        self.steps = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        self.steps += 1
        decay = min(self._decay, (1 + self.steps) / (10 + self.steps))
        for mine, theirs in zip(
            self.network.state_dict().values(), network.state_dict().values(), strict=True
        ):
            if mine.is_floating_point():
                mine.lerp_(theirs, 1.0 - decay)
            else:
                mine.copy_(theirs)

    def measured(
        self, prepared: Sequence[Prepared], device: str, frozen_norms: bool
    ) -> DetectionNetwork:
        """The average as a network to ask, in eval mode."""
        network = copy.deepcopy(self.network)
        if not frozen_norms:
            measure_norms(network, prepared, device)
        return network


@torch.no_grad()
def measure_norms(network: nn.Module, prepared: Sequence[Prepared], device: str = "cpu") -> None:
    """Measure the batch norm statistics of these very weights, in place.

    Those gathered while the weights moved belong to other weights; with them the average
    precision of a network in mid-training is half of what it is with measured ones.
    """
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
        norm.train()
    chosen = prepared[:: max(1, len(prepared) // MOST_FOR_NORMS)]
    for start in range(0, len(chosen), 32):
        network(as_images(chosen[start : start + 32], device))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()


def freeze_norms(network: nn.Module) -> None:
    """Keep the batch norm statistics as they are, in place."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
