"""How fast a model is here: each way of computing it, what lies around it, and a whole folder.

Times are medians over one picture, all measured in one process, one after the other.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from detector.inference.choose import TOLERANCES, Backend, alike
from detector.inference.opening import backends
from detector.inference.predictor import BATCH, Predictor, found_by, square_of
from detector.inference.runner import FloatArray, RawOutput
from detector.inference.suppression import DEFAULT_FLOOR
from detector.model_store import read_card
from detector.types import ImageInput, ModelCard, ToneCurve

RUNS = 15
_WINDOW = ToneCurve((500.0, 3560.0), (0.0, 1.0))


@dataclass(frozen=True)
class Cost:
    """Seconds of one call."""

    wall: float
    processor: float  # summed over its threads


@dataclass(frozen=True)
class BackendRow:
    """One way of computing the network, on one square.

    Attributes
    ----------
    forward : the bare network.
    batched : the same for each of `BATCH` squares that go through it at once.
    postprocess : suppression, merging, calibration and geometry.
    alike : it marks the same as torch in fp32, within `choose.TOLERANCES` (int8: those of bf16).
    """

    backend: Backend
    forward: Cost
    batched: Cost
    postprocess: Cost
    alike: bool


@dataclass(frozen=True)
class FolderRow:
    """A run over many pictures, decoding included."""

    images: int
    seconds: float
    device: str
    precision: str
    peak_bytes: int | None  # None where the system does not tell


def backend_rows(folder: Path, device: str) -> Iterator[BackendRow]:
    """Measure every way to compute the model on this device; torch in fp32 comes first.

    Raises
    ------
    ModelError
        Where the model or one of its exports cannot be loaded.
    """
    card = read_card(folder)
    planes, geometry = square_of(pictures(card.channels)["1024 x 1024, 8 bits"], card)
    wanted: RawOutput | None = None
    for backend, opened in backends(folder, card, device).items():
        runner = opened()
        answer = runner.run(planes[None])
        wanted = wanted or answer
        many = cost(partial(runner.run, np.stack([planes] * BATCH)))
        yield BackendRow(
            backend,
            cost(partial(runner.run, planes[None])),
            Cost(many.wall / BATCH, many.processor / BATCH),
            cost(partial(found_by, card, [answer], 0, DEFAULT_FLOOR, geometry)),
            alike(wanted, answer, TOLERANCES.get(backend.precision, TOLERANCES["bf16"])),
        )


def preprocess_costs(card: ModelCard) -> dict[str, Cost]:
    """The way from a picture to the network's input, for each of `pictures`."""
    return {
        name: cost(partial(square_of, picture, card))
        for name, picture in pictures(card.channels).items()
    }


def pictures(channels: int) -> dict[str, ImageInput]:
    """A picture of the reference set's size and kind, and one as a radiography system makes it."""
    if channels == 3:
        return {"1024 x 1024, 8 bits": ImageInput(
            np.stack([_smooth(1024, 1024, 255).astype(np.uint8)] * 3, axis=2))}  # fmt: skip
    large = _smooth(3000, 2500, 4095).astype(np.uint16)
    return {
        "1024 x 1024, 8 bits": ImageInput(_smooth(1024, 1024, 255).astype(np.uint8)),
        "3000 x 2500, 12 bits": ImageInput(large, _WINDOW),
    }


def _smooth(rows: int, columns: int, most: int) -> FloatArray:
    random = np.random.default_rng(0).standard_normal((rows // 8, columns // 8))
    picture = cv2.resize(random.astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC)
    low, high = float(picture.min()), float(picture.max())
    return ((picture - low) * (most / (high - low))).astype(np.float32)


def cost(call: Callable[[], object]) -> Cost:
    """Median seconds of a call, once it has been called twice."""
    call()
    call()
    wall, processor = [], []
    for _ in range(RUNS):
        began, used = time.perf_counter(), time.process_time()
        call()
        wall.append(time.perf_counter() - began)
        processor.append(time.process_time() - used)
    return Cost(float(np.median(wall)), float(np.median(processor)))


def run_over(
    predictor: Predictor, images: Iterable[ImageInput], progress: Callable[[int], None]
) -> FolderRow:
    """Analyse pictures, as many at once as the predictor takes, and say how fast that was."""
    began = time.perf_counter()
    rest, done = iter(images), 0
    while batch := list(itertools.islice(rest, BATCH)):
        predictor.predict_many(batch)
        done += len(batch)
        progress(done)
    seconds = time.perf_counter() - began
    return FolderRow(done, seconds, predictor.device, predictor.precision, peak_memory())


def peak_memory() -> int | None:
    """The most bytes that this process has held at once; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415  Unix has it

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
