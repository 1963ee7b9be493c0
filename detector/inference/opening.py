"""From a model folder to what runs it. torch is imported only where it is what runs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from detector.inference.choose import Backend, fastest, remember, remembered
from detector.inference.devices import choose_device
from detector.inference.runner import AcceleratorFullError, Runner
from detector.model_store import LoadedModel, load
from detector.types import DetectorError, ModelCard

PRECISIONS = ("auto", "fp32", "bf16", "int8")
IMPORTED = "onnx"  # the architecture on the card of a detector that was brought along


def open_model(
    folder: Path, card: ModelCard, device: str, precision: str, memory: Path | None
) -> Runner:
    """The runner of a model folder, as `Predictor` describes it.

    Raises
    ------
    ModelError
        Where the model cannot be loaded, or has not the export that was asked for.
    DetectorError
        Where the device or the precision is not there.
    """
    if precision not in PRECISIONS:
        raise DetectorError(f"{precision!r} is no precision; choose {', '.join(PRECISIONS)}.")
    if card.architecture == IMPORTED:
        from detector.inference.onnx_detector import load_onnx_detector  # noqa: PLC0415

        return load_onnx_detector(folder, card)
    if precision == "int8":
        return _open(folder, card, Backend("onnxruntime", "int8", "cpu"))
    if precision != "auto" or memory is None:
        wanted = "fp32" if precision == "auto" else precision
        return _open(folder, card, Backend("torch", wanted, choose_device(device)))
    known = remembered(memory, card, device)
    # A card that was measured anew may forbid what was allowed when this was remembered.
    if known is not None and (known.precision != "int8" or _int8_allowed(card)):
        return _open(folder, card, known)
    runner, chosen = _measured(folder, card, choose_device(device))
    if chosen is not None:
        remember(memory, card, device, chosen)
    return runner


def open_loaded(model: LoadedModel, device: str, precision: str) -> Runner:
    """The runner of a model that is in memory; "auto" is fp32."""
    if precision not in PRECISIONS or precision == "int8":
        raise DetectorError(f"{precision!r} is no precision of a model in memory.")
    return _torch(model, choose_device(device), "fp32" if precision == "auto" else precision)


def backends(folder: Path, card: ModelCard, device: str) -> dict[Backend, Callable[[], Runner]]:
    """Every way to compute this model on this device, and how to open each; torch's share one
    network.

    onnxruntime is for the processor. int8 is among them once its export is on the card, whether
    or not it may be used.
    """

    @functools.cache
    def loaded() -> LoadedModel:
        return load(folder)

    def by_torch(precision: str) -> Runner:
        return _torch(loaded(), device, precision)

    ways: dict[Backend, Callable[[], Runner]] = {
        Backend("torch", precision, device): functools.partial(by_torch, precision)
        for precision in ("fp32", "bf16")
    }
    if device == "cpu":
        from detector.inference.onnx_runner import FILES  # noqa: PLC0415

        for precision, name in FILES.items():
            backend = Backend("onnxruntime", precision, device)
            if name in card.exports:
                ways[backend] = functools.partial(_open, folder, card, backend)
    return ways


def _measured(folder: Path, card: ModelCard, device: str) -> tuple[Runner, Backend | None]:
    """The fastest allowed, and what it is; None where the graphics card has no room to measure."""
    ways = backends(folder, card, device)
    first = Backend("torch", "fp32", device)
    reference = ways.pop(first)()
    if not _int8_allowed(card):
        ways.pop(Backend("onnxruntime", "int8", device), None)
    try:
        chosen, runner = fastest((first, reference), ways, card)
    except AcceleratorFullError:
        return reference, None
    return runner, chosen


def _int8_allowed(card: ModelCard) -> bool:
    return bool(card.evaluation.get("backends", {}).get("int8", {}).get("allowed", False))


def _open(folder: Path, card: ModelCard, backend: Backend) -> Runner:
    if backend.engine == "onnxruntime":
        from detector.inference.onnx_runner import open_export  # noqa: PLC0415

        return open_export(folder, card, backend.precision)
    return _torch(load(folder), backend.device, backend.precision)


def _torch(model: LoadedModel, device: str, precision: str) -> Runner:
    from detector.inference.torch_runner import TorchRunner  # noqa: PLC0415

    return TorchRunner(model.network, device, precision)
