"""One training under way: its steps, and the state that it goes on from."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from detector.networks.network import DetectionNetwork, Target
from detector.training.augment import Augmenter, Prepared, draw
from detector.training.averaging import WeightAverage, freeze_norms
from detector.training.checkpoint import Checkpoint
from detector.training.distributed import Team
from detector.training.history import EpochFigures
from detector.training.interrupt import Interrupt
from detector.training.recipe import Recipe
from detector.types import DetectorError

Progress = Callable[[str], None]
IMAGE_LOSS = "image"
"""The name that every network gives to the loss of its image-level classes."""

_SECONDS_BETWEEN_LINES = 30.0
_SEED_OF_RANK = 1_000_003
_MOST_GRADIENT = 10.0


class Loop:
    """A network, what trains it, and how far that has come.

    Attributes
    ----------
    epoch : how many are done.
    history : the figures of each of them.
    """

    def __init__(
        self,
        network: DetectionNetwork,
        prepared: Sequence[Prepared],
        recipe: Recipe,
        augment: Augmenter,
        *,
        device: str,
        team: Team,
        checkpoint: Checkpoint,
        progress: Progress,
    ):
        self._prepared, self._augment, self._recipe = prepared, augment, recipe
        self._device, self._team = device, team
        self._checkpoint, self._progress = checkpoint, progress
        self._network = network.to(device).to(memory_format=torch.channels_last)
        self._average = WeightAverage(self._network, recipe.average_decay)
        self._wrapped = team.wrapped(self._network)
        self._optimizer = torch.optim.AdamW(
            _weight_groups(self._network, recipe.weight_decay), lr=recipe.learning_rate
        )
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimizer, lambda step: _rate(step, recipe)
        )
        self._precision, self._scaler = _mixed_precision(device)
        self._generator = torch.Generator()
        self._random: list[dict[str, Tensor]] = []
        self._step = self.epoch = 0
        self._sums: dict[str, Tensor] = {}
        self.history: list[EpochFigures] = []
        self._take_over()
        self._clock = _Clock(self._steps_done, recipe.all_epochs * recipe.steps)

    @property
    def finished(self) -> bool:
        return self.epoch >= self._recipe.all_epochs

    def averaged(self) -> DetectionNetwork:
        """The averaged weights as a network to ask, in eval mode."""
        return self._average.measured(self._prepared, self._device, self._recipe.frozen_norms)

    def run_epoch(self, interrupt: Interrupt) -> dict[str, float]:
        """The rest of the epoch that is under way, or the next one; mean of each loss.

        Raises
        ------
        DetectorError
            Where the loss is no number, or the checkpoint cannot be written.
        KeyboardInterrupt
            After the step in which the reader asked for it, once the checkpoint is written.
        """
        recipe, team = self._recipe, self._team
        if team.anyone(interrupt.asked):
            self._progress(f"stopped after epoch {self.epoch}; {self._kept}")
            raise KeyboardInterrupt
        chosen = self._begin_epoch()
        for step in range(self._step, recipe.steps):
            whole = chosen[step * recipe.batch : (step + 1) * recipe.batch]
            mine = [self._prepared[i] for i in whole[team.rank :: team.size]]
            self._one_step([self._augment(item, self._generator) for item in mine])
            self._step = step + 1
            if team.anyone(interrupt.asked):
                self._mean_losses()  # they must be numbers before they are kept
                self._save(self._random_states())
                self._progress(
                    f"stopped at step {step + 1} of epoch {self.epoch + 1}; {self._kept}"
                )
                raise KeyboardInterrupt
            if self._clock.due():
                left = self._clock.left(self._steps_done)
                self._progress(f"epoch {self.epoch + 1}: step {step + 1} of {recipe.steps}; {left}")
        return self._mean_losses()

    def close_epoch(self, figures: EpochFigures) -> None:
        """Write the checkpoint and say what the epoch came to."""
        self.history.append(figures)
        self.epoch += 1
        self._step, self._sums = 0, {}
        self._save([])
        left = "" if self.finished else f"; {self._clock.left(self._steps_done)}"
        self._progress(figures.sentence(self._recipe.all_epochs) + left)

    @property
    def _kept(self) -> str:
        return f"the checkpoint {self._checkpoint.path.name} is kept, to go on with --resume"

    @property
    def _steps_done(self) -> int:
        return self.epoch * self._recipe.steps + self._step

    def _begin_epoch(self) -> list[int]:
        """Everything random starts from the seed and the epoch; which images are shown."""
        recipe, rank = self._recipe, self._team.rank
        self._network.train()
        if recipe.frozen_norms:
            freeze_norms(self._network)
        seed = recipe.seed * 1000 + self.epoch
        self._seed(seed)
        order = draw(self._prepared, recipe.steps * recipe.batch, self._generator)
        if rank:
            self._seed(seed + rank * _SEED_OF_RANK)
        if self._step:
            self._restore_random()
        return order

    def _seed(self, seed: int) -> None:
        self._generator.manual_seed(seed)
        torch.manual_seed(seed)

    def _one_step(self, batch: Sequence[tuple[Tensor, Target]]) -> None:
        images = torch.stack([image for image, _ in batch]).to(self._device)
        images = images.contiguous(memory_format=torch.channels_last)
        targets = [target.to(self._device) for _, target in batch]
        with self._precision:
            parts: dict[str, Tensor] = self._wrapped(images, targets)
        if self.epoch < self._recipe.label_epochs:
            parts = {IMAGE_LOSS: parts[IMAGE_LOSS]}
        loss = torch.stack(list(parts.values())).sum()
        self._optimizer.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self._scaler.unscale_(self._optimizer)
        nn.utils.clip_grad_norm_(self._network.parameters(), _MOST_GRADIENT)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._schedule.step()
        self._average.update(self._network)
        for name, value in parts.items():
            self._sums[name] = value.detach().float() + self._sums.get(name, 0.0)

    def _mean_losses(self) -> dict[str, float]:
        """Of the steps of this epoch, over the team."""
        mine = {name: float(value) / self._step for name, value in self._sums.items()}
        everyone = self._team.gathered(mine)
        losses = {name: sum(m[name] for m in everyone) / len(everyone) for name in mine}
        if not all(map(math.isfinite, losses.values())):
            raise DetectorError(
                f"The loss is no number any more in epoch {self.epoch + 1}; what the checkpoint "
                "holds is from before. A lower learning rate or other data may help."
            )
        return losses

    # --- the state --------------------------------------------------------------------------------

    def _save(self, random: list[dict[str, Tensor]]) -> None:
        """The first of the team writes; `random` is empty between two epochs."""
        if not self._team.first:
            return
        self._checkpoint.write({
            "epoch": self.epoch,
            "step": self._step,
            "losses": {name: float(value) for name, value in self._sums.items()},
            "random": random,
            "history": [figures.to_json() for figures in self.history],
            "network": self._network.state_dict(),
            "average": self._average.network.state_dict(),
            "average_steps": self._average.steps,
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "scaler": self._scaler.state_dict(),
        })  # fmt: skip

    def _take_over(self) -> None:
        """Go on from the checkpoint, where there is one."""
        state = self._checkpoint.read()
        if state is None:
            return
        self._random = state["random"]
        if self._random and len(self._random) != self._team.size:
            raise DetectorError(
                f"The training was stopped in the middle of an epoch with {len(self._random)} "
                f"processes; it goes on with as many, not with {self._team.size}."
            )
        self.epoch, self._step = int(state["epoch"]), int(state["step"])
        self._sums = {
            name: torch.tensor(value, device=self._device)
            for name, value in state["losses"].items()
        }
        self.history = [EpochFigures(**figures) for figures in state["history"]]
        self._network.load_state_dict(state["network"])
        self._average.network.load_state_dict(state["average"])
        self._average.steps = int(state["average_steps"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self._scaler.load_state_dict(state["scaler"])
        step = f" and step {self._step} of the next" if self._step else ""
        self._progress(f"going on after epoch {self.epoch}{step}")

    def _random_states(self) -> list[dict[str, Tensor]]:
        """Of the generators of each process, as they are after a step."""
        mine = {"own": self._generator.get_state(), "torch": torch.get_rng_state()}
        if self._device == "cuda":
            mine["cuda"] = torch.cuda.get_rng_state()
        return self._team.gathered(mine)

    def _restore_random(self) -> None:
        mine = self._random[self._team.rank]
        self._generator.set_state(mine["own"])
        torch.set_rng_state(mine["torch"])
        if self._device == "cuda" and "cuda" in mine:
            torch.cuda.set_rng_state(mine["cuda"])


class _Clock:
    """How long the rest takes, by how long the steps so far took.

    Parameters
    ----------
    done, steps : of the whole training, how many are done at the start and how many there are.
    """

    def __init__(self, done: int, steps: int):
        self._first, self._steps = done, steps
        self._began = self._told = time.monotonic()

    def left(self, done: int) -> str:
        """For example '12 min left'."""
        each = (time.monotonic() - self._began) / max(1, done - self._first)
        seconds = each * (self._steps - done)
        if seconds < 100:
            return f"{seconds:.0f} s left"
        if seconds < 100 * 60:
            return f"{seconds / 60:.0f} min left"
        return f"{seconds / 3600:.1f} h left"

    def due(self) -> bool:
        """Is it long since this was last so?"""
        now = time.monotonic()
        if now - self._told < _SECONDS_BETWEEN_LINES:
            return False
        self._told = now
        return True


def _mixed_precision(
    device: str,
) -> tuple[AbstractContextManager[Any], torch.amp.GradScaler]:
    """On CUDA bfloat16, or where the card has none float16 with scaled gradients."""
    if device != "cuda":
        return nullcontext(), torch.amp.GradScaler("cpu", enabled=False)
    half = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    scaler = torch.amp.GradScaler("cuda", enabled=half is torch.float16)
    return torch.autocast("cuda", half), scaler


def _weight_groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weight decay for kernels, none for norms and biases."""
    kernels = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": kernels, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def _rate(step: int, recipe: Recipe) -> float:
    """Of each stage: linear warm-up, then half a cosine down to a fiftieth."""
    first = recipe.label_epochs * recipe.steps
    if step < first:
        steps = first
    else:
        step, steps = step - first, recipe.epochs * recipe.steps
    start = max(1.0, recipe.warm_up * steps)
    if step < start:
        return (step + 1) / (start + 1)
    done = (step - start) / max(1.0, steps - start)
    return 0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * min(1.0, done)))
