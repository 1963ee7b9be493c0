"""Makes tiny ONNX detectors that answer the same to every picture, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE = 64


def make_onnx(
    path: Path,
    outputs: Mapping[str, npt.NDArray[Any]],
    *,
    shape: tuple[int | str, ...] = (1, 3, SIZE, SIZE),
    metadata: Mapping[str, str] | None = None,
    echo: bool = False,
) -> Path:
    """Write a network with one input ``images`` and these constant outputs.

    With ``echo``, the output ``seen`` is the input itself.
    """
    nodes, values = [], []
    for name, value in outputs.items():
        tensor = numpy_helper.from_array(value, f"{name}_value")
        nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        values.append(helper.make_tensor_value_info(name, kind, value.shape))
    if echo:
        nodes.append(helper.make_node("Identity", ["images"], ["seen"]))
        values.append(helper.make_tensor_value_info("seen", TensorProto.FLOAT, shape))
    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "detector", [image], values)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if metadata:
        helper.set_model_props(model, dict(metadata))
    path.write_bytes(model.SerializeToString())
    return path


def load(path: Path) -> onnx.ModelProto:
    return onnx.load_model_from_string(path.read_bytes())


def yolo_answer(attributes: int, *rows: tuple[float, ...], boxes: int = 84) -> npt.NDArray[Any]:
    """(1, boxes, attributes): the rows given, then boxes at the far corner that score nothing."""
    answer = np.zeros((1, boxes, attributes), np.float32)
    answer[:, :, :2] = SIZE - 4
    answer[:, :, 2:4] = 4
    for number, row in enumerate(rows):
        answer[0, number] = row
    return answer
