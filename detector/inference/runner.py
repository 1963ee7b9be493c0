"""What runs a network on a batch of squares, whatever computes it: torch or onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from detector.types import DetectorError

FloatArray = npt.NDArray[np.float32]


class AcceleratorFullError(DetectorError):
    """The graphics card has no memory left for this batch."""


class RawOutput(NamedTuple):
    """The answers for a batch of B squares, before suppression and calibration.

    Attributes
    ----------
    boxes : (B, A, 4) x_min y_min x_max y_max in pixels of the network's input.
    scores : (B, A, C) in 0..1, one for each category of the card.
    image_scores : (B, L) in 0..1, one for each image-level class of the network; L may be 0.
    """

    boxes: FloatArray
    scores: FloatArray
    image_scores: FloatArray


class Runner(Protocol):
    """A network that is loaded and ready.

    Attributes
    ----------
    device : "cpu", "cuda" or "mps".
    precision : "fp32", "bf16" or "int8".
    """

    device: str
    precision: str

    def run(self, squares: FloatArray) -> RawOutput:
        """`squares` is (B, channels, S, S) float32 in 0..1.

        Raises
        ------
        AcceleratorFullError
            Where the batch does not fit into the memory of the graphics card.
        """
        ...


class TorchNetwork(Runner, Protocol):
    """What only torch can do with a network."""

    def on_cpu(self) -> Runner:
        """The same network on the processor, once `AcceleratorFullError` was raised."""
        ...

    def proposals(self, squares: FloatArray, count: int) -> Sequence[tuple[FloatArray, FloatArray]]:
        """The `count` best regions of each square that a two-stage network looks at.

        Returns
        -------
        For each square boxes (P, 4) in pixels of the input and objectness (P,), best first.

        Raises
        ------
        DetectorError
            Where the network has no such stage.
        """
        ...
