"""Imported detectors: each style of answer, what the network is given, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from onnx import TensorProto, helper

from detector.importing.add import add
from detector.importing.description import Description
from detector.inference.onnx_detector import (
    MOST_BYTES,
    ONNX_FILE,
    OnnxNetwork,
    Planes,
    load_onnx_detector,
)
from detector.inference.runner import RawOutput
from detector.model_store import read_card
from detector.types import ModelError
from tests.onnx_factory import SIZE, load, make_onnx, yolo_answer

TWO = ("opacity", "effusion")


def run(
    folder: Path, outputs: dict[str, npt.NDArray[np.generic]], pictures: int = 1, **said: object
) -> RawOutput:
    """The answer of a network with these outputs, added and loaded as the program does it."""
    file = make_onnx(folder / "brought.onnx", outputs)
    card = add(file, folder / "models", Description(categories=TWO, **said))  # type: ignore[arg-type]
    runner = load_onnx_detector(folder / "models" / card.name, card)
    return runner.run(np.zeros((pictures, 3, SIZE, SIZE), np.float32))


def best(answer: RawOutput) -> tuple[list[float], str, float]:
    """Corners, category and score of the best box."""
    place, name = np.unravel_index(answer.scores[0].argmax(), answer.scores[0].shape)
    score = round(float(answer.scores[0, place, name]), 4)
    return answer.boxes[0, place].tolist(), TWO[name], score


# --- the styles ----------------------------------------------------------------------------------


def test_yolo_with_objectness(tmp_path: Path) -> None:
    answer = yolo_answer(7, (20, 30, 10, 20, 0.5, 0.2, 0.8), boxes=252)
    assert best(run(tmp_path, {"output": answer})) == ([15, 20, 25, 40], "effusion", 0.4)


def test_yolo_in_columns_has_no_objectness(tmp_path: Path) -> None:
    answer = yolo_answer(6, (20, 30, 10, 20, 0.7, 0.2)).transpose(0, 2, 1)
    assert best(run(tmp_path, {"output0": answer})) == ([15, 20, 25, 40], "opacity", 0.7)


def test_yolo_that_chooses_by_itself(tmp_path: Path) -> None:
    answer = np.zeros((1, 30, 6), np.float32)
    answer[0, 0] = (15, 20, 25, 40, 0.6, 1)
    assert best(run(tmp_path, {"output0": answer})) == ([15, 20, 25, 40], "effusion", 0.6)


def test_yolox_on_its_raw_grid(tmp_path: Path) -> None:
    answer = np.zeros((1, 64 + 16 + 4, 7), np.float32)
    # Stride 16, second row, third column: half a cell in, two cells wide, one cell high.
    answer[0, 64 + 1 * 4 + 2] = (0.5, 0.5, np.log(2), 0, 0.5, 0.2, 0.8)
    found = run(tmp_path, {"output": answer})
    box, category, score = best(found)
    assert box == pytest.approx([24, 16, 56, 32], abs=1e-4)
    assert (category, score) == ("effusion", 0.4)


def test_ssd_has_its_background_first(tmp_path: Path) -> None:
    boxes = np.full((1, 5, 4), 0.9, np.float32)
    boxes[0, 1] = (0.25, 0.5, 0.5, 1.0)
    scores = np.tile(np.array([1, 0, 0], np.float32), (1, 5, 1))
    scores[0, 1] = (0.1, 0.2, 0.7)
    found = best(run(tmp_path, {"boxes": boxes, "scores": scores}))
    assert found == ([16, 32, 32, 64], "effusion", 0.7)


def test_ssd_in_pixels_with_logits_of_no_background(tmp_path: Path) -> None:
    boxes = np.full((1, 5, 4), 60, np.float32)
    boxes[0, 1] = (16, 32, 32, 64)
    logits = np.full((1, 5, 2), -9, np.float32)
    logits[0, 1] = (0, -9)
    found = best(run(tmp_path, {"boxes": boxes, "confidence": logits}))
    assert found == ([16, 32, 32, 64], "opacity", 0.5)


@pytest.mark.parametrize(("first_label", "category"), [(1, "opacity"), (0, "effusion")])
@pytest.mark.parametrize("count", [1, 3])
def test_retinanet_after_its_own_suppression(
    tmp_path: Path, first_label: int, category: str, count: int
) -> None:
    boxes = np.tile(np.array([[16, 32, 32, 64]], np.float32), (count, 1))
    outputs = {
        "boxes": boxes,
        "scores": np.linspace(0.8, 0.2, count, dtype=np.float32),
        "labels": np.ones(count, np.int64),
    }
    found = best(run(tmp_path, outputs, first_label=first_label))
    assert found == ([16, 32, 32, 64], category, 0.8)


def test_detr_has_its_no_object_last(tmp_path: Path) -> None:
    boxes = np.full((1, 4, 4), 0.5, np.float32)
    boxes[0, 2] = (0.5, 0.5, 0.25, 0.5)
    logits = np.tile(np.array([0, 0, 20], np.float32), (1, 4, 1))
    logits[0, 2] = (np.log(3), 0, -30)
    found = best(run(tmp_path, {"logits": logits, "pred_boxes": boxes}))
    assert found == ([24, 16, 40, 48], "opacity", 0.75)


def test_several_pictures_answer_one_by_one(tmp_path: Path) -> None:
    answer = yolo_answer(7, (20, 30, 10, 20, 0.5, 0.2, 0.8), boxes=252)
    found = run(tmp_path, {"output": answer}, pictures=3)
    assert found.boxes.shape == (3, 252, 4)
    assert found.scores.shape == (3, 252, 2)
    assert found.image_scores.shape == (3, 0)


# --- what it is given ----------------------------------------------------------------------------


def test_planes_are_filled_as_the_card_says(tmp_path: Path) -> None:
    network = OnnxNetwork(make_onnx(tmp_path / "echo.onnx", {}, echo=True).read_bytes())
    square = np.stack([np.full((SIZE, SIZE), v, np.float32) for v in (0.1, 0.2, 0.4)])
    planes = Planes(scale=255, mean=(2, 1, 5.5), std=(10, 10, 10), order="bgr")
    seen = network.answer(planes.fill(square, 3))["seen"]
    assert seen[0, :, 5, 7].tolist() == pytest.approx([10, 5, 2], abs=1e-4)


def test_grey_goes_into_every_plane() -> None:
    filled = Planes().fill(np.full((1, 8, 8), 0.3, np.float32), 3)
    assert filled.shape == (1, 3, 8, 8)
    assert np.unique(filled).tolist() == pytest.approx([0.3])


# --- what is refused -----------------------------------------------------------------------------


def test_a_category_that_the_card_does_not_have_is_told(tmp_path: Path) -> None:
    outputs = {
        "boxes": np.array([[16, 32, 32, 64]], np.float32),
        "scores": np.array([0.8], np.float32),
        "labels": np.array([3], np.int64),
    }
    with pytest.raises(ModelError, match="category number 2, counted from 0, and has 2"):
        run(tmp_path, outputs)
    assert list((tmp_path / "models").iterdir()) == []


def test_values_that_are_no_numbers_are_told(tmp_path: Path) -> None:
    answer = yolo_answer(7, (20, 30, np.nan, 20, 0.5, 0.2, 0.8), boxes=252)
    with pytest.raises(ModelError, match="no numbers"):
        run(tmp_path, {"output": answer})


def test_a_replaced_file_is_not_run(tmp_path: Path) -> None:
    run(tmp_path, {"output": yolo_answer(7, boxes=252)})
    folder = tmp_path / "models" / "brought"
    with (folder / ONNX_FILE).open("ab") as file:
        file.write(b"\x00")
    with pytest.raises(ModelError, match="SHA-256"):
        load_onnx_detector(folder, read_card(folder))


def test_weights_in_other_files_are_refused(tmp_path: Path) -> None:
    model = load(make_onnx(tmp_path / "a.onnx", {"output": yolo_answer(7)}))
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    model.graph.initializer.append(tensor)
    with pytest.raises(ModelError, match="other files"):
        OnnxNetwork(model.SerializeToString())
    # The same inside the branch of a node, where a look at the graph alone would miss it.
    del model.graph.initializer[:]
    inner = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["x"])], "then", [], [], [tensor]
    )
    model.graph.node.append(helper.make_node("If", ["c"], ["y"], then_branch=inner))
    with pytest.raises(ModelError, match="other files"):
        OnnxNetwork(model.SerializeToString())


def test_unknown_operators_are_named(tmp_path: Path) -> None:
    model = load(make_onnx(tmp_path / "a.onnx", {"output": yolo_answer(7)}))
    model.graph.node.append(helper.make_node("Nms", ["output"], ["y"], domain="com.acme"))
    with pytest.raises(ModelError, match=r"operator Nms of com\.acme"):
        OnnxNetwork(model.SerializeToString())


@pytest.mark.parametrize(
    ("shape", "words"),
    [((1, 3, 64, 96), "square"), ((2, 3, 64, 64), "2 x 3 x 64 x 64"), ((1, 64, 64, 3), "planes")],
)
def test_other_inputs_are_refused(tmp_path: Path, shape: tuple[int, ...], words: str) -> None:
    file = make_onnx(tmp_path / "a.onnx", {"output": yolo_answer(7)}, shape=shape)
    with pytest.raises(ModelError, match=words):
        OnnxNetwork(file.read_bytes())


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x08\x07", bytes(100)])
def test_what_is_no_onnx_is_a_sentence(content: bytes) -> None:
    with pytest.raises(ModelError, match="no ONNX model"):
        OnnxNetwork(content)


def test_the_limit_is_what_one_protobuf_can_hold() -> None:
    assert MOST_BYTES < 2**31
