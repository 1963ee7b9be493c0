"""The training loop: one recipe, resumable after each epoch."""

from __future__ import annotations

import copy
import hashlib
import json
import math
import pickle
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from detector.networks.architectures import build
from detector.networks.csp_nano import CspDetector
from detector.networks.network import Target
from detector.networks.yolox_start import load_yolox_nano
from detector.training.augment import Augmenter, Prepared, draw
from detector.types import DetectorError

Progress = Callable[[str], None]
MOST_FOR_NORMS = 256
"""So many images measure the batch norm statistics at the end."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what training does, for the card to name."""

    architecture: str = "csp_nano"
    levels: tuple[int, ...] = (16, 32)
    input_size: int = 320
    epochs: int = 12
    images_per_epoch: int = 640
    batch: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warm_up: float = 0.05  # share of all steps
    average_decay: float = 0.99  # of the moving average of the weights
    frozen_norms: bool = False  # keep the batch norm statistics: for few images of one scanner
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class WeightAverage:
    """A moving average of a network's weights and norm statistics: what is kept in the end."""

    def __init__(self, network: nn.Module, decay: float):
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


def fit(
    network: nn.Module,
    prepared: Sequence[Prepared],
    recipe: Recipe,
    categories: Sequence[str],
    image_classes: Sequence[str],
    *,
    checkpoint: Path,
    device: str = "cpu",
    progress: Progress = lambda _: None,
) -> nn.Module:
    """Train `network` on `prepared` and return the averaged weights as a network in eval mode.

    After each epoch the whole state goes to `checkpoint`; where that file is there already and
    belongs to this recipe and these images, training goes on from it.

    Raises
    ------
    DetectorError
        Where the checkpoint cannot be written; the one before it stays as it was.
    """
    steps = max(1, math.ceil(recipe.images_per_epoch / recipe.batch))
    network = network.to(device).to(memory_format=torch.channels_last)
    average = WeightAverage(network, recipe.average_decay)
    optimizer = torch.optim.AdamW(_weight_groups(network, recipe.weight_decay),
                                  lr=recipe.learning_rate)  # fmt: skip
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: _rate(step, steps * recipe.epochs, recipe.warm_up)
    )
    parts = _Parts(network, average, optimizer, schedule, _fingerprint(recipe, prepared))
    first = parts.resume(checkpoint)
    if first:
        progress(f"going on after epoch {first}")
    augment = Augmenter(categories, image_classes)
    for epoch in range(first, recipe.epochs):
        generator = torch.Generator().manual_seed(recipe.seed * 1000 + epoch)
        torch.manual_seed(recipe.seed * 1000 + epoch)
        network.train()
        if recipe.frozen_norms:
            _freeze_norms(network)
        order = draw(prepared, steps * recipe.batch, generator)
        totals: dict[str, float] = {}
        for step in range(steps):
            chosen = order[step * recipe.batch : (step + 1) * recipe.batch]
            batch = [augment(prepared[i], generator) for i in chosen]
            losses = _step(network, optimizer, batch, device)
            schedule.step()
            average.update(network)
            for name, value in losses.items():
                totals[name] = totals.get(name, 0.0) + value / steps
        shown = " ".join(f"{name} {value:.3f}" for name, value in totals.items())
        progress(f"epoch {epoch + 1} of {recipe.epochs}: loss {sum(totals.values()):.3f} ({shown})")
        parts.save(checkpoint, epoch + 1)
    if not recipe.frozen_norms:
        measure_norms(average.network, prepared, device)
    return average.network


@torch.no_grad()
def measure_norms(network: nn.Module, prepared: Sequence[Prepared], device: str = "cpu") -> None:
    """Measure the batch norm statistics of these very weights, in place.

    Those gathered while the weights moved belong to other weights; with them the average
    precision of a network in mid-training is half of what it is with measured ones.
    """
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
        norm.train()
    chosen = prepared[:: max(1, len(prepared) // MOST_FOR_NORMS)]
    for start in range(0, len(chosen), 32):
        squares = np.stack([p.pixels for p in chosen[start : start + 32]])
        images = torch.from_numpy(squares)[:, None].to(device).float() / 255.0
        network(images.contiguous(memory_format=torch.channels_last))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()


def new_network(
    recipe: Recipe,
    categories: Sequence[str],
    image_classes: Sequence[str],
    prepared: Sequence[Prepared],
    start: Path | None,
) -> nn.Module:
    """A network before its first step; `start` is a YOLOX-nano ONNX file or None for chance."""
    torch.manual_seed(recipe.seed)
    options = {"levels": list(recipe.levels), "image_classes": list(image_classes)}
    network = build(recipe.architecture, options, categories)
    if start is not None and isinstance(network, CspDetector):
        some = prepared[:: max(1, len(prepared) // 32)][:32]
        images = torch.stack([torch.from_numpy(p.pixels)[None].float() / 255.0 for p in some])
        load_yolox_nano(network, start, images)
    return network


def _step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: list[tuple[Tensor, Target]],
    device: str,
) -> dict[str, float]:
    images = torch.stack([image for image, _ in batch]).to(device)
    images = images.contiguous(memory_format=torch.channels_last)
    targets = [target.to(device) for _, target in batch]
    parts: dict[str, Tensor] = network(images, targets)
    loss = torch.stack(list(parts.values())).sum()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), 10.0)
    optimizer.step()
    return {name: float(value.detach()) for name, value in parts.items()}


def _weight_groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weight decay for kernels, none for norms and biases."""
    kernels = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": kernels, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def _rate(step: int, steps: int, warm_up: float) -> float:
    """Linear warm-up, then half a cosine down to a fiftieth."""
    start = max(1.0, warm_up * steps)
    if step < start:
        return (step + 1) / (start + 1)
    done = (step - start) / max(1.0, steps - start)
    return 0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * min(1.0, done)))


def _freeze_norms(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


def _fingerprint(recipe: Recipe, prepared: Sequence[Prepared]) -> str:
    """What a checkpoint must agree on before training goes on from it."""
    content = hashlib.sha256(json.dumps(recipe.to_json(), sort_keys=True).encode())
    for item in prepared:
        content.update(repr((item.sample.objects, item.sample.rejected)).encode())
        content.update(item.pixels.tobytes())
    return content.hexdigest()


@dataclass(frozen=True, eq=False)
class _Parts:
    """Everything that a checkpoint holds."""

    network: nn.Module
    average: WeightAverage
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LambdaLR
    fingerprint: str

    def save(self, path: Path, epoch: int) -> None:
        state = {
            "epoch": epoch,
            "fingerprint": self.fingerprint,
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "average_steps": self.average.steps,
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }
        part = path.with_suffix(".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.save(state, part)
            part.replace(path)
        except (OSError, RuntimeError) as e:  # torch.save raises RuntimeError on a full disk
            raise DetectorError(f"The training checkpoint cannot be written: {e}") from e

    def resume(self, path: Path) -> int:
        """Take over what is in the file; the number of epochs that are done already."""
        if not path.is_file():
            return 0
        try:
            state = torch.load(path, weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as e:
            raise DetectorError(
                f"The training checkpoint {path.name} is damaged; delete it to start anew."
            ) from e
        if state["fingerprint"] != self.fingerprint:
            return 0
        self.network.load_state_dict(state["network"])
        self.average.network.load_state_dict(state["average"])
        self.average.steps = int(state["average_steps"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        return int(state["epoch"])
