"""From one picture to its candidates, in pixels of the original frame."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from detector.model_store import LoadedModel, load
from detector.preprocess import Geometry, brightness, to_network
from detector.types import Detection, Detections, DetectorError, ImageInput

DEFAULT_FLOOR = 0.01
SAME_CANDIDATE = 0.45
"""Of two boxes of one category that overlap more than this (IoU), the better score stays."""

MOST_CANDIDATES = 100
_MOST_BEFORE_SUPPRESSION = 400


class Predictor:
    """A loaded model, ready to be asked.

    Parameters
    ----------
    model : a model folder, or a model that is loaded already.
    device : "auto", "cpu", "cuda" or "mps".

    Raises
    ------
    ModelError
        Where the model cannot be loaded.
    DetectorError
        Where the device is not there.
    """

    def __init__(self, model: Path | LoadedModel, device: str = "auto"):
        self.device = choose_device(device)
        loaded = load(model, self.device) if isinstance(model, Path) else model
        self.card = loaded.card
        self._network = loaded.network.to(self.device)
        self._cpu_network: nn.Module | None = None

    def predict(self, image: ImageInput, floor: float = DEFAULT_FLOOR) -> Detections:
        """All candidates that score `floor` or more, best first, at most `MOST_CANDIDATES`.

        Where the accelerator runs out of memory, this picture is done on the CPU, and the answer
        says so.

        Raises
        ------
        DetectorError
            Where the picture cannot be read as one.
        """
        began = time.perf_counter()
        square, geometry = to_network(brightness(image), self.card.input_size)
        device = self.device
        try:
            boxes, logits, _ = run_network(self._network, square[None], device)
        except torch.OutOfMemoryError:
            device = "cpu"
            boxes, logits, _ = run_network(self._on_cpu(), square[None], device)
        found = candidates(boxes[0], logits[0], floor, self.card.categories, geometry)
        return Detections(
            found,
            self.card.name,
            self.card.version,
            self.card.weights_sha256,
            device,
            floor,
            time.perf_counter() - began,
        )

    def _on_cpu(self) -> nn.Module:
        if self._cpu_network is None:
            self._cpu_network = copy.deepcopy(self._network).to("cpu")
        return self._cpu_network


def choose_device(wanted: str) -> str:
    """The device to run on: "cpu", "cuda" or "mps".

    Raises
    ------
    DetectorError
        Where it is not a device's name, or the device is not there.
    """
    there: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
        "cpu": lambda: True,
    }
    if wanted == "auto":
        return next(name for name, available in there.items() if available())
    if wanted not in there:
        raise DetectorError(f"{wanted!r} is no device; choose auto, cpu, cuda or mps.")
    if not there[wanted]():
        raise DetectorError(f"This computer has no {wanted} device that the detector can use.")
    return wanted


def candidates(
    boxes: Tensor, logits: Tensor, floor: float, categories: tuple[str, ...], geometry: Geometry
) -> tuple[Detection, ...]:
    """The network's answer for one image as candidates, best score first.

    Parameters
    ----------
    boxes : (A, 4) in pixels of the input; logits : (A, C).
    """
    scores = logits.sigmoid().flatten()
    order = scores.argsort(descending=True, stable=True)[:_MOST_BEFORE_SUPPRESSION]
    order = order[scores[order] >= floor]
    places, names = order // logits.shape[1], order % logits.shape[1]
    chosen = boxes[places].clamp(min=-10000.0, max=10000.0)
    kept = unlike(chosen.double().numpy(), names.numpy(), SAME_CANDIDATE)
    found = []
    for index in kept[:MOST_CANDIDATES]:
        box = geometry.to_frame(*chosen[index].tolist())
        if box is not None:
            score = float(scores[order[index]])
            found.append(Detection(box, score, categories[int(names[index])]))
    return tuple(found)


def unlike(boxes: npt.NDArray[np.float64], names: npt.NDArray[np.int64], iou: float) -> list[int]:
    """Greedy non-maximum suppression: the places of the boxes that stay, in their order.

    Written out because importing torchvision for it would triple the time to the first box.

    Parameters
    ----------
    boxes : (N, 4), best score first; names : (N,) category of each.
    """
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    alive = np.ones(len(boxes), dtype=bool)
    kept = []
    for index in range(len(boxes)):
        if not alive[index]:
            continue
        kept.append(index)
        corner_min = np.maximum(boxes[index, :2], boxes[:, :2])
        corner_max = np.minimum(boxes[index, 2:], boxes[:, 2:])
        shared = np.clip(corner_max - corner_min, 0.0, None).prod(axis=1)
        overlap = shared / np.maximum(area[index] + area - shared, 1e-12)
        alive &= (overlap <= iou) | (names != names[index])
    return kept


def run_network(
    network: nn.Module, squares: npt.NDArray[np.float32], device: str
) -> tuple[Tensor, Tensor, Tensor]:
    """Boxes (B, A, 4), logits (B, A, C), image logits (B, L) on the CPU.

    `squares` is (B, S, S) float32 in 0..1.
    """
    images = torch.from_numpy(squares)[:, None].to(device)
    with torch.inference_mode():
        output = network(images.contiguous(memory_format=torch.channels_last))
    return output.boxes.cpu(), output.logits.cpu(), output.image_logits.cpu()
