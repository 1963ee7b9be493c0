"""One training on several processes, as torchrun starts them; alone where it did not."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from detector.networks.network import DetectionNetwork, Target
from detector.types import DetectorError

_PATIENCE = timedelta(hours=6)
"""The others wait so long for the first process, which alone decodes all images."""


@dataclass(frozen=True)
class Team:
    """The processes of one training. The first alone writes files and speaks."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        return self.rank == 0

    def wrapped(self, network: DetectionNetwork) -> nn.Module:
        """The network, with gradients averaged over the team.

        Batch norm looks at the images of all graphics cards together; on a CPU each process
        keeps to its own, since torch synchronises them on graphics cards alone.
        """
        if self.size == 1:
            return network
        if next(network.parameters()).is_cuda:
            nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        return DistributedDataParallel(_EveryWeight(network))

    def gathered(self, mine: Any) -> list[Any]:
        """What each process has, in the order of their ranks, on every process."""
        if self.size == 1:
            return [mine]
        everyone: list[Any] = [None] * self.size
        distributed.all_gather_object(everyone, mine)
        return everyone

    def from_first(self, mine: Any) -> Any:
        """What the first process has, on every process."""
        return self.gathered(mine)[0]

    def anyone(self, mine: bool) -> bool:
        """Is it so on any of them?"""
        if self.size == 1:
            return mine
        on = "cuda" if distributed.get_backend() == "nccl" else "cpu"
        flag = torch.tensor(float(mine), device=on)
        distributed.all_reduce(flag, distributed.ReduceOp.MAX)
        return bool(flag)


ALONE = Team()


class _EveryWeight(nn.Module):
    """Losses that reach every weight, be it by nought: the team waits for a gradient of each.

    Without a box in the batch the box layers would have none.
    """

    def __init__(self, network: DetectionNetwork):
        super().__init__()
        self.network = network

    def forward(self, images: Tensor, targets: Sequence[Target]) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = self.network(images, targets)
        nought = 0.0 * torch.stack([weight.sum() for weight in self.parameters()]).sum()
        return {name: loss + nought for name, loss in losses.items()}


@contextmanager
def joined(device: str) -> Iterator[Team]:
    """The team that torchrun's environment variables name, for as long as the training lasts.

    Raises
    ------
    DetectorError
        Where this process has no graphics card of its own.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    if device == "cuda":
        place = int(os.environ["LOCAL_RANK"])
        if place >= torch.cuda.device_count():
            raise DetectorError(
                f"{place + 1} processes were started for {torch.cuda.device_count()} graphics "
                "cards; start one for each, or give --device cpu."
            )
        torch.cuda.set_device(place)
    distributed.init_process_group("nccl" if device == "cuda" else "gloo", timeout=_PATIENCE)
    try:
        yield Team(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()
