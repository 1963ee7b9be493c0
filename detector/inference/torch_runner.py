"""A network computed by torch, on the processor or a graphics card."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from detector.inference.runner import AcceleratorFullError, FloatArray, RawOutput
from detector.types import DetectorError


class TorchRunner:
    """Runs a network as it is.

    In fp32 TF32 stays off, so that a graphics card marks the same boxes as the processor.

    Parameters
    ----------
    network : a DetectionNetwork in float32.
    device : "cpu", "cuda" or "mps".
    precision : "fp32", or "bf16" for bfloat16 autocast.
    """

    def __init__(self, network: nn.Module, device: str = "cpu", precision: str = "fp32"):
        self.device = device
        self.precision = precision
        network = network.to(device).eval()
        self.network = network.to(memory_format=torch.channels_last)
        self._on_cpu: TorchRunner | None = None

    def run(self, squares: FloatArray) -> RawOutput:
        """`squares` is (B, channels, S, S) float32 in 0..1."""
        with self._computing():
            output = self.network(self._images(squares))
            parts = (output.boxes, output.logits.float().sigmoid(),
                     output.image_logits.float().sigmoid())  # fmt: skip
            return RawOutput(*(part.float().cpu().numpy() for part in parts))

    def proposals(self, squares: FloatArray, count: int) -> Sequence[tuple[FloatArray, FloatArray]]:
        """The `count` best regions of each square: boxes (P, 4) and objectness (P,)."""
        propose = getattr(self.network, "proposals", None)
        if propose is None:
            raise DetectorError("This model has no proposals: it is not a two-stage detector.")
        with self._computing():
            return [(boxes.float().cpu().numpy(), objectness.float().cpu().numpy())
                    for boxes, objectness in propose(self._images(squares), count)]  # fmt: skip

    def on_cpu(self) -> TorchRunner:
        """The same network in the computer's own memory, made without asking more of the card."""
        if self._on_cpu is None:
            held: dict[int, Any] = {}
            for tensor in (*self.network.parameters(), *self.network.buffers()):
                moved = tensor.detach().to("cpu", copy=True)
                is_weight = isinstance(tensor, nn.Parameter)
                held[id(tensor)] = nn.Parameter(moved) if is_weight else moved
            self._on_cpu = TorchRunner(copy.deepcopy(self.network, held))
        return self._on_cpu

    def _images(self, squares: FloatArray) -> Tensor:
        images = torch.from_numpy(squares).to(self.device)
        return images.contiguous(memory_format=torch.channels_last)

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """At the precision wished for; a full graphics card becomes `AcceleratorFullError`."""
        half = self.precision == "bf16"
        try:
            with (
                torch.inference_mode(),
                torch.autocast(self.device, torch.bfloat16, enabled=half),
                torch.backends.cudnn.flags(enabled=True, allow_tf32=False),
            ):
                yield
        except torch.OutOfMemoryError as e:
            raise AcceleratorFullError("The graphics card has no memory left.") from e
