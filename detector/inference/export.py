"""Networks as ONNX, in fp32 and in int8, for onnxruntime on processors.

    python -m detector.inference.export --model DIR --data DIR

writes model.onnx and model.int8.onnx into the model's folder and their hashes into its card.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import cast

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from detector.dataset.sample import Sample
from detector.dataset.sources import read_dataset
from detector.inference.choose import probe_square
from detector.inference.onnx_runner import FILES, INPUT, OUTPUTS, OnnxRunner
from detector.inference.predictor import square_of
from detector.inference.runner import FloatArray, RawOutput
from detector.inference.torch_runner import TorchRunner
from detector.model_store import CARD, load, read_card
from detector.types import DetectorError, ModelCard, ModelError

ALIKE = 1e-4
"""How far scores may be from those of torch, and boxes as a share of the input's size."""

CALIBRATION_IMAGES = 64


class _Scored(nn.Module):
    """A network whose answer is that of a `Runner`: scores in place of logits."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        output = self.network(images)
        return output.boxes, output.logits.sigmoid(), output.image_logits.sigmoid()


def to_onnx(network: nn.Module, channels: int, size: int) -> bytes:
    """The network as ONNX for batches of any length, checked against torch.

    Parameters
    ----------
    network : a DetectionNetwork on the CPU; size : of the square input in pixels.

    Raises
    ------
    ModelError
        Where it cannot be exported, or onnxruntime does not answer like torch.
    """
    images = torch.rand(2, channels, size, size, generator=torch.Generator().manual_seed(0))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of one library about another; the result is checked
            program = torch.onnx.export(
                _Scored(network.eval()),
                (images,),
                dynamo=True,
                input_names=[INPUT],
                output_names=list(OUTPUTS),
                dynamic_shapes={INPUT: {0: torch.export.Dim("batch", min=1, max=64)}},
                verbose=False,
            )
    except Exception as e:  # whatever its many passes raise
        raise ModelError("This architecture cannot be exported to ONNX.") from e
    if program is None:
        raise ModelError("This architecture cannot be exported to ONNX.")
    content = cast(bytes, program.model_proto.SerializeToString())
    probe = probe_square(channels, size)
    _check(TorchRunner(network), OnnxRunner(content, "fp32"), np.concatenate([probe, probe.mT]))
    return content


def _check(ours: TorchRunner, theirs: OnnxRunner, squares: FloatArray) -> None:
    size = squares.shape[-1]
    for batch in (squares, squares[:1]):
        wanted, got = ours.run(batch), theirs.run(batch)
        # Boxes are cut to the picture: what a huge one is outside of it, is all the same.
        scaled = RawOutput(wanted.boxes.clip(0, size) - got.boxes.clip(0, size),
                           wanted.scores - got.scores,
                           wanted.image_scores - got.image_scores)  # fmt: skip
        worst = (np.abs(scaled.boxes).max(initial=0) / size, np.abs(scaled.scores).max(initial=0),
                 np.abs(scaled.image_scores).max(initial=0))  # fmt: skip
        if max(worst) > ALIKE:
            raise ModelError(f"The exported network does not answer like torch: {max(worst):.1e}.")


def to_int8(content: bytes, squares: FloatArray) -> bytes:
    """An exported network with weights and activations in 8 bits.

    Static quantisation: the range of each activation is that over `squares`; weights have a scale
    for each output channel. The last convolution of each head and what decodes it stay fp32.

    Parameters
    ----------
    squares : (N, channels, S, S) float32 in 0..1, pictures like those that will be seen.
    """
    # Seconds, which nobody else should wait for.
    from onnxruntime.quantization import (  # noqa: PLC0415
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as above
        plain, ready, small = (Path(place, name) for name in ("plain", "ready", "small"))
        plain.write_bytes(content)
        quant_pre_process(plain, ready, skip_symbolic_shape=True)
        quantize_static(
            ready,
            small,
            _Squares(squares),
            quant_format=QuantFormat.QDQ,
            nodes_to_exclude=_heads(onnx.load(ready)),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
        return small.read_bytes()


class _Squares:
    """Squares one by one, as onnxruntime's calibration reads them."""

    def __init__(self, squares: FloatArray):
        self._rest = iter(squares)

    def get_next(self) -> dict[str, FloatArray] | None:
        square = next(self._rest, None)
        return None if square is None else {INPUT: square[None]}


def _heads(model: onnx.ModelProto) -> list[str]:
    """The nodes between the outputs and the last convolutions, those included."""
    maker = {name: node for node in model.graph.node for name in node.output}
    found: set[str] = set()
    names = [output.name for output in model.graph.output]
    while names:
        node = maker.get(names.pop())
        if node is not None and node.name not in found:
            found.add(node.name)
            if node.op_type != "Conv":
                names += node.input
    return sorted(found)


def add_exports(folder: Path, squares: FloatArray | None) -> ModelCard:
    """Write the exports of a model into its folder and name them in its card.

    Parameters
    ----------
    squares : (N, channels, S, S) float32 in 0..1 to calibrate int8 with; None for fp32 alone.

    Raises
    ------
    ModelError
        Where the model cannot be loaded or exported.
    """
    loaded = load(folder)
    card = loaded.card
    contents = {FILES["fp32"]: to_onnx(loaded.network, card.channels, card.input_size)}
    if squares is not None:
        contents[FILES["int8"]] = to_int8(contents[FILES["fp32"]], squares)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    card = replace(card, exports=card.exports | hashes)
    text = json.dumps(asdict(card), indent=1, ensure_ascii=False)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")
    return card


def calibration_squares(samples: Sequence[Sample], card: ModelCard) -> FloatArray:
    """Some of these pictures, spread over all of them, as the network sees them.

    Raises
    ------
    DatasetError
        Where a picture cannot be read.
    """
    step = max(1, len(samples) // CALIBRATION_IMAGES)
    chosen = samples[::step][:CALIBRATION_IMAGES]
    return np.stack([square_of(sample.load(), card)[0] for sample in chosen])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument(
        "--data", type=Path, action="append", default=[], help="for int8; else fp32 alone"
    )
    given = parser.parse_args(arguments)
    try:
        samples = [s for folder in given.data for s in read_dataset(folder).samples]
        card = read_card(given.model)
        card = add_exports(given.model, calibration_squares(samples, card) if samples else None)
    except DetectorError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(card.exports, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
