"""Detectors that were brought along as ONNX, run by onnxruntime on the CPU.

The common square comes in: the picture in its middle on black, 0..1. Many such detectors were
trained with the picture at the top left, on grey, or stretched to the square; boxes move with the
picture, the margin's grey hardly matters, and what was stretched is seen in its true shape. The
rest (planes, order of colours, range, mean) is made here, as the card says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort

from detector.inference.devices import threads
from detector.inference.onnx_outputs import Layout, decode
from detector.inference.runner import FloatArray, RawOutput
from detector.types import ModelCard, ModelError

ARCHITECTURE = "onnx"  # in the card of every model that comes as ONNX
ONNX_FILE = "model.onnx"
MOST_BYTES = 1 << 30

_KNOWN_DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")  # what onnxruntime has inside
_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
}
_FATAL_ONLY = 4  # onnxruntime's own messages; ours are told as errors


@dataclass(frozen=True, slots=True)
class Planes:
    """What becomes of a square with brightness 0..1 before the network gets it.

    Attributes
    ----------
    scale : brightness 1 becomes this.
    mean, std : of each plane, after `scale`; empty where nothing is subtracted.
    order : "rgb" or "bgr".
    """

    scale: float = 1.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    order: str = "rgb"

    def fill(self, square: FloatArray, planes: int) -> FloatArray:
        """(C, S, S) with C of 1 or 3 as (1, planes, S, S)."""
        if square.shape[0] == 1 and planes == 3:
            square = np.repeat(square, 3, axis=0)
        if self.order == "bgr":
            square = square[::-1]
        filled = square * np.float32(self.scale)
        if self.mean:
            filled = filled - np.array(self.mean, dtype=np.float32)[:, None, None]
        if self.std:
            filled = filled / np.array(self.std, dtype=np.float32)[:, None, None]
        return np.ascontiguousarray(filled[None], dtype=np.float32)


class OnnxNetwork:
    """A checked file in a session of onnxruntime.

    Attributes
    ----------
    planes : 1 or 3, of its input.
    side : pixels of its input; None where it takes any size.
    metadata : what its maker wrote into it, text to text.

    Raises
    ------
    ModelError
        Where the content is no ONNX model, needs other files or unknown operators, or its input
        is not one square picture.
    """

    def __init__(self, content: bytes):
        model = check_graph(content)
        self.metadata = {entry.key: entry.value for entry in model.metadata_props}
        del model
        options = ort.SessionOptions()
        options.log_severity_level = _FATAL_ONLY
        options.intra_op_num_threads = threads()
        # Threads that wait in a busy loop would take from the window what they do not use.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except Exception as e:  # onnxruntime has a class of its own for each kind of failure
            raise ModelError(f"onnxruntime cannot load the ONNX file: {_first_line(e)}") from e
        self._input, self.planes, self.side = _square_input(self._session)
        self._dtype = _TYPES[self._input.type]
        self._batched = len(self._input.shape) == 4

    def answer(self, planes: FloatArray) -> dict[str, npt.NDArray[np.generic]]:
        """The outputs for one picture, by name; `planes` is (1, C, S, S).

        Raises
        ------
        ModelError
            Where the network fails on it.
        """
        if self._dtype is np.uint8:
            planes = np.clip(np.rint(planes), 0, 255)
        feed = (planes if self._batched else planes[0]).astype(self._dtype)
        names = [output.name for output in self._session.get_outputs()]
        try:
            values = self._session.run(names, {self._input.name: feed})
        except Exception as e:  # as above
            raise ModelError(f"The ONNX model failed on a picture: {_first_line(e)}") from e
        # A sequence or a map is no answer of a detector.
        return {
            name: value
            for name, value in zip(names, values, strict=True)
            if isinstance(value, np.ndarray)
        }


class OnnxDetector:
    """A `Runner` over an imported detector. One picture after the other: most files fix that."""

    device = "cpu"
    precision = "fp32"

    def __init__(self, network: OnnxNetwork, card: ModelCard):
        options = card.architecture_options
        try:
            self._layout = Layout(**options["layout"])
            self._planes = planes_from_json(options["planes"])
        except (KeyError, TypeError, ValueError) as e:
            raise ModelError(f"The card of the model {card.name} is not complete: {e}.") from e
        self._network = network
        self._categories = len(card.categories)

    def run(self, squares: FloatArray) -> RawOutput:
        """`squares` is (B, channels, S, S) float32 in 0..1; as many boxes as the fullest gives."""
        size = squares.shape[-1]
        found = []
        for square in squares:
            outputs = self._network.answer(self._planes.fill(square, self._network.planes))
            found.append(decode(self._layout, outputs, size, self._categories))
        most = max(len(boxes) for boxes, _ in found)
        return RawOutput(
            np.stack([_padded(boxes, most) for boxes, _ in found]),
            np.stack([_padded(scores, most) for _, scores in found]),
            np.zeros((len(squares), 0), dtype=np.float32),
        )


def load_onnx_detector(folder: Path, card: ModelCard) -> OnnxDetector:
    """The imported model of a folder, once its file is what the card says.

    Raises
    ------
    ModelError
        Where the file is absent, is not the card's, or cannot be run.
    """
    try:
        content = (folder / ONNX_FILE).read_bytes()
    except OSError as e:
        raise ModelError(f"The model {card.name} has no readable {ONNX_FILE}.") from e
    if hashlib.sha256(content).hexdigest() != card.weights_sha256:
        raise ModelError(
            f"The model {card.name} is not used: its {ONNX_FILE} is not the one of its card "
            "(SHA-256 differs). The file is damaged or was replaced."
        )
    return OnnxDetector(OnnxNetwork(content), card)


def planes_from_json(data: Mapping[str, Any]) -> Planes:
    """The planes as the card keeps them."""
    mean, std = (tuple(float(v) for v in data[name]) for name in ("mean", "std"))
    return Planes(float(data["scale"]), mean, std, str(data["order"]))


def _padded(values: FloatArray, rows: int) -> FloatArray:
    """More rows of zeros: boxes of no size that score nothing."""
    return np.pad(values, ((0, rows - len(values)), (0, 0)))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__


# --- the file ------------------------------------------------------------------------------------


def check_graph(content: bytes) -> onnx.ModelProto:
    """The graph, once it is seen that it needs nothing but itself.

    Raises
    ------
    ModelError
        Where the content is no ONNX model, or needs other files or unknown operators.
    """
    try:
        model = onnx.load_model_from_string(content)
    except Exception as e:  # protobuf's DecodeError, which its versions keep in different places
        raise ModelError("The file is no ONNX model, or it is damaged.") from e
    if not model.graph.node or not model.graph.output:
        raise ModelError("The file is no ONNX model: it holds no network.")
    known = {*_KNOWN_DOMAINS, *(function.domain for function in model.functions)}
    graphs = [model.graph, *model.functions]
    while graphs:
        graph = graphs.pop()
        tensors = list(getattr(graph, "initializer", ()))
        for node in graph.node:
            if node.domain not in known:
                raise ModelError(
                    f"The ONNX file needs the operator {node.op_type} of {node.domain}, which "
                    "onnxruntime does not have; export it with standard operators alone."
                )
            for attribute in node.attribute:
                tensors += [attribute.t, *attribute.tensors]
                graphs += [g for g in (attribute.g, *attribute.graphs) if g.node]
        if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in tensors):
            raise ModelError(
                "The ONNX file keeps its weights in other files; export it as one file."
            )
    return model


def _square_input(session: ort.InferenceSession) -> tuple[Any, int, int | None]:
    """The one input, its planes, and its side where that is fixed."""
    inputs = session.get_inputs()
    if len(inputs) != 1:
        names = ", ".join(one.name for one in inputs)
        raise ModelError(f"The ONNX model wants {len(inputs)} inputs ({names}), not one picture.")
    only = inputs[0]
    if only.type not in _TYPES:
        raise ModelError(f"The ONNX model wants an input of the kind {only.type}.")
    shape = [size if isinstance(size, int) else None for size in only.shape]
    if len(shape) == 3:  # torchvision's detectors take a list of pictures, and are exported so
        shape = [1, *shape]
    if len(shape) != 4 or shape[0] not in (None, 1) or shape[1] not in (None, 1, 3):
        raise ModelError(
            f"The ONNX model wants an input of {' x '.join(map(str, only.shape))}; it should be "
            "1 x 1 or 3 planes x rows x columns."
        )
    if shape[2] != shape[3]:
        raise ModelError(
            f"The ONNX model wants pictures of {shape[2]} x {shape[3]} pixels; export it with a "
            "square input."
        )
    return only, shape[1] or 3, shape[2]
