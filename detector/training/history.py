"""What each epoch of a training came to, as figures and as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from io import BytesIO
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator


@dataclass(frozen=True)
class EpochFigures:
    """One epoch.

    Attributes
    ----------
    epoch : from 1.
    losses : mean of each part over the epoch; their sum is what was trained on.
    average_precision : at an IoU of 0.4 on the held-out patients, by category; empty without them.
    """

    epoch: int
    losses: dict[str, float]
    average_precision: dict[str, float] = field(default_factory=dict)

    @property
    def loss(self) -> float:
        return sum(self.losses.values())

    def sentence(self, epochs: int) -> str:
        parts = " ".join(f"{name} {value:.3f}" for name, value in self.losses.items())
        text = f"epoch {self.epoch} of {epochs}: loss {self.loss:.3f} ({parts})"
        if self.average_precision:
            shown = " ".join(f"{name} {v:.3f}" for name, v in self.average_precision.items())
            text += f"; validation AP {shown}"
        return text

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def plot(history: Sequence[EpochFigures]) -> bytes:
    """Losses, and where patients were held out their AP, over the epochs, as PNG."""
    epochs = [entry.epoch for entry in history]
    measured = sorted({name for entry in history for name in entry.average_precision})
    figure = Figure(figsize=(6.4, 6.4 if measured else 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2 if measured else 1, 1, sharex=True, squeeze=False)[:, 0]
    marker = "o" if len(history) < 40 else ""
    for name in dict.fromkeys(name for entry in history for name in entry.losses):
        values = [entry.losses.get(name, float("nan")) for entry in history]
        axes[0].plot(epochs, values, marker=marker, markersize=4, label=name)
    axes[0].plot(epochs, [entry.loss for entry in history], "k--", label="sum")
    axes[0].set_ylabel("training loss")
    axes[0].set_ylim(bottom=0)
    if measured:
        for name in measured:
            values = [entry.average_precision.get(name, float("nan")) for entry in history]
            axes[1].plot(epochs, values, marker=marker, markersize=4, label=name)
        axes[1].set_ylabel("validation AP at IoU 0.4")
        axes[1].set_ylim(0, 1)
    for axis in axes:
        axis.grid(alpha=0.3)
        axis.legend(fontsize="small")
    axes[-1].set_xlabel("epoch")
    axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    content = BytesIO()
    figure.savefig(content, format="png", dpi=120)
    return content.getvalue()
