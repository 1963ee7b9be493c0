"""Which way of computing a network is the fastest here at equal boxes: measured once, remembered.

A memory is a small JSON file. Its keys name everything that a measurement depends on: the files of
the model, the device that was wished for, the computer, and the versions of torch and onnxruntime.
None of that needs torch, so that a remembered onnxruntime is running long before torch would be
imported. An answer for "auto" also remembers that there was no graphics card; a graphics driver
that appears or changes gives another key, and all is measured again.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import numpy as np

from detector.inference.devices import hardware
from detector.inference.runner import FloatArray, RawOutput, Runner
from detector.types import ModelCard

BUDGET_S = 1.2
"""What all measurements of one model may take together."""

_LEAST_RUNS, _MOST_RUNS = 2, 9
_LEAST_SCORE = 0.05
_LEAST_PLACES = 20
_MOST_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class Backend:
    """A way to compute a network."""

    engine: str  # "torch" or "onnxruntime"
    precision: str  # "fp32", "bf16" or "int8"
    device: str  # "cpu", "cuda" or "mps"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far boxes and scores may be from those of torch in fp32 to be the same."""

    pixels: float
    score: float


TOLERANCES = {
    "fp32": Tolerance(1.0, 0.01),
    # 8 bits of mantissa: a box of 200 pixels is known to about one.
    "bf16": Tolerance(3.0, 0.03),
}
"""By precision, in pixels of the network's input. int8 is held to the AP on the card instead."""


def remembered(memory: Path, card: ModelCard, device: str) -> Backend | None:
    """What was chosen before under the very same circumstances."""
    try:
        return Backend(**_entries(memory)[_key(card, device)])
    except (KeyError, TypeError):
        return None


def remember(memory: Path, card: ModelCard, device: str, chosen: Backend) -> None:
    """Keep a choice. Where the file cannot be written, the next start measures again."""
    kept = list(_entries(memory).items())[-(_MOST_REMEMBERED - 1) :]
    entries = dict(kept) | {_key(card, device): asdict(chosen)}
    # A half-written file would be an empty memory: it is replaced whole.
    with contextlib.suppress(OSError):
        memory.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{memory.name}.", dir=memory.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(entries, file, indent=1)
        Path(name).replace(memory)


def fastest(
    reference: tuple[Backend, Runner],
    others: Mapping[Backend, Callable[[], Runner]],
    card: ModelCard,
) -> tuple[Backend, Runner]:
    """The fastest of them that answers like the reference, on one made-up square.

    Parameters
    ----------
    reference : torch in fp32; others : how to open each.

    Raises
    ------
    ModelError
        Where a file that the card lists is not the one it means.
    """
    square = probe_square(card.channels, card.input_size)
    share = BUDGET_S / (len(others) + 1)
    wanted, best = reference[1].run(square), reference
    least = seconds_of(reference[1], square, share)
    for backend, opened in others.items():
        runner = opened()
        try:
            answer = runner.run(square)
        except RuntimeError:
            continue  # an operator that this device does not have in this precision
        tolerance = TOLERANCES.get(backend.precision)
        if tolerance is None or alike(wanted, answer, tolerance):
            seconds = seconds_of(runner, square, share)
            if seconds < least:
                least, best = seconds, (backend, runner)
    return best


def seconds_of(runner: Runner, square: FloatArray, budget: float) -> float:
    """The median time of a run, in seconds; at least two are timed, however long they take."""
    runner.run(square)  # the first one prepares
    times: list[float] = []
    while len(times) < _LEAST_RUNS or (len(times) < _MOST_RUNS and sum(times) < budget):
        began = time.perf_counter()
        runner.run(square)
        times.append(time.perf_counter() - began)
    return float(np.median(times))


def alike(wanted: RawOutput, other: RawOutput, tolerance: Tolerance) -> bool:
    """Whether two backends mark the same: each box of the one that scores 0.05 or more, and at
    least its 20 best, has one of that category in the other, and the other way round."""
    return all(
        _covered(a, b, category, tolerance)
        for category in range(wanted.scores.shape[2])
        for a, b in ((wanted, other), (other, wanted))
    )


def _covered(a: RawOutput, b: RawOutput, category: int, tolerance: Tolerance) -> bool:
    score = a.scores[0, :, category]
    most = max(_LEAST_PLACES, int((score >= _LEAST_SCORE).sum()))
    places = np.argsort(-score, kind="stable")[:most]
    other = b.scores[0, :, category]
    rivals = np.flatnonzero(other >= score[places].min(initial=1.0) - tolerance.score)
    boxes = b.boxes[0, rivals]
    for place in places:
        near = (np.abs(boxes - a.boxes[0, place]) <= tolerance.pixels).all(axis=1)
        if not (near & (np.abs(other[rivals] - score[place]) <= tolerance.score)).any():
            return False
    return True


def probe_square(channels: int, size: int) -> FloatArray:
    """A made-up picture with bright and dark patches, (1, channels, size, size)."""
    ys, xs = np.mgrid[0:size, 0:size].astype(np.float32) / size
    picture = 0.5 + 0.1 * np.random.default_rng(0).standard_normal((size, size))
    for x, y, radius, height in ((0.3, 0.5, 0.2, -0.4), (0.7, 0.5, 0.2, -0.4),
                                 (0.3, 0.65, 0.07, 0.5), (0.75, 0.35, 0.03, 0.5)):  # fmt: skip
        picture += height * np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * radius**2))
    square = np.clip(picture, 0.0, 1.0).astype(np.float32)
    return np.tile(square, (1, channels, 1, 1))


def _entries(memory: Path) -> dict[str, dict[str, str]]:
    try:
        data = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _key(card: ModelCard, device: str) -> str:
    exports = ",".join(f"{name}:{digest[:16]}" for name, digest in sorted(card.exports.items()))
    versions = " ".join(f"{name} {_version(name)}" for name in ("torch", "onnxruntime"))
    return " | ".join((card.weights_sha256, exports, device, hardware(), versions))


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "of the program"  # a bundle without the metadata changes with the program's version
