"""A network that was exported from torch, computed by onnxruntime on the processor.

onnxruntime is loaded in a tenth of the time of torch, which stays away altogether.
"""

from __future__ import annotations

from pathlib import Path

import onnxruntime as ort

from detector.inference.devices import threads
from detector.inference.runner import FloatArray, RawOutput
from detector.model_store import read_checked
from detector.types import ModelCard, ModelError

FILES = {"fp32": "model.onnx", "int8": "model.int8.onnx"}
"""The exported file of each precision, beside the weights; the card lists its hash."""

INPUT, OUTPUTS = "images", ("boxes", "scores", "image_scores")

_WARNINGS_OFF = 3


class OnnxRunner:
    """Runs an exported network.

    Parameters
    ----------
    content : the ONNX file, as `detector.inference.export` writes it.
    precision : "fp32" or "int8", what it was exported as.

    Raises
    ------
    ModelError
        Where onnxruntime cannot load it.
    """

    device = "cpu"

    def __init__(self, content: bytes, precision: str):
        self.precision = precision
        options = ort.SessionOptions()
        options.log_severity_level = _WARNINGS_OFF
        options.intra_op_num_threads = threads()
        # Threads that wait in a busy loop would take from the window what they do not use.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except Exception as e:  # onnxruntime has a class of its own for each kind of failure
            raise ModelError("onnxruntime cannot load the exported network.") from e

    def run(self, squares: FloatArray) -> RawOutput:
        """`squares` is (B, channels, S, S) float32 in 0..1."""
        return RawOutput(*self._session.run(list(OUTPUTS), {INPUT: squares}))


def open_export(folder: Path, card: ModelCard, precision: str) -> OnnxRunner:
    """The exported network of a model folder, once its file is what the card says.

    Raises
    ------
    ModelError
        Where the card lists none, or the file is absent, not the card's, or cannot be run.
    """
    name = FILES[precision]
    if name not in card.exports:
        raise ModelError(f"The model {card.name} has no export for {precision}.")
    return OnnxRunner(read_checked(folder, card, name, card.exports[name]), precision)
