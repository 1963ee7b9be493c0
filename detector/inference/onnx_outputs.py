"""How detectors in ONNX answer, and their answers as boxes and scores.

YOLO (Ultralytics v5, v8, v10, v11; YOLOX, arXiv 2107.08430, decoded or raw), SSD (arXiv
1512.02325), torchvision's detectors after their own suppression (called retinanet here), and DETR
(arXiv 2005.12872).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from detector.types import ModelError

Array = npt.NDArray[np.generic]
FloatArray = npt.NDArray[np.float32]

_STRIDES = (8, 16, 32)
_MOST_FINAL_BOXES = 1000  # that a YOLO gives after choosing the best by itself
_MOST_UNIT = 4.0  # boxes that are shares of the picture stay below it, boxes in pixels do not
_LARGEST_LOG = 12.0  # of a box's side, so that its exponential stays finite


@dataclass(frozen=True, slots=True)
class Layout:
    """Where in its outputs a network says what; kept in the card.

    Attributes
    ----------
    style : yolo, ssd, retinanet or detr.
    boxes, scores, labels : names of outputs; of a YOLO only `boxes`, which holds everything.
    width : numbers a box in `scores`, or in all of a YOLO's output; 0 where labels are given.
    columns : (values, boxes) instead of (boxes, values).
    raw_grid : centres and log sizes relative to YOLOX's cells.
    final : a YOLO's corners, score and number of the category, from 0.
    unit : boxes are shares of the picture, not pixels.
    probabilities : scores are in 0..1 already.
    first_label : number of the first category where labels are given.
    """

    style: str
    boxes: str
    scores: str = ""
    labels: str = ""
    width: int = 0
    columns: bool = False
    raw_grid: bool = False
    final: bool = False
    unit: bool = False
    probabilities: bool = True
    first_label: int = 1

    def category_count(self) -> int | None:
        """How many categories it answers for, where the shapes tell it for sure."""
        if self.style != "yolo" or self.final:
            return None
        return self.width - (4 if self.columns else 5)


def layouts(outputs: Mapping[str, Array], size: int) -> tuple[Layout, ...]:
    """Every way in which these outputs may be read, from their names, shapes and values.

    Parameters
    ----------
    outputs : the answer for one picture of `size` x `size` pixels, by name.
    """
    arrays = _single(outputs)
    if len(arrays) == 1:
        ((name, array),) = arrays.items()
        found = _yolo(name, array, size)
    else:
        found = _labelled(arrays) or _scored(arrays)
    return found


def shapes(outputs: Mapping[str, Array]) -> str:
    """The outputs in words, for a sentence."""
    return ", ".join(f"{name} {'x'.join(map(str, v.shape))}" for name, v in outputs.items())


def decode(
    layout: Layout, outputs: Mapping[str, Array], size: int, categories: int
) -> tuple[FloatArray, FloatArray]:
    """The answer for one picture.

    Returns
    -------
    (A, 4) x_min y_min x_max y_max in pixels of the input, and (A, categories) scores in 0..1.

    Raises
    ------
    ModelError
        Where the answer is not of the layout, or holds values that are no numbers.
    """
    try:
        arrays = _single({name: outputs[name] for name in _used(layout)})
    except KeyError as e:
        raise ModelError(f"The model has no output {e}.") from e
    if layout.style == "yolo":
        boxes, scores = _read_yolo(layout, arrays[layout.boxes], size, categories)
    elif layout.labels:
        labels = arrays[layout.labels].astype(np.int64) - layout.first_label
        boxes = arrays[layout.boxes].astype(np.float32)
        scores = _one_hot(arrays[layout.scores].astype(np.float32), labels, categories)
    else:
        boxes = arrays[layout.boxes].astype(np.float32)
        scores = _read_scores(layout, arrays[layout.scores].astype(np.float32), categories)
        if layout.style == "detr":
            boxes = _corners(boxes)
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
        raise ModelError("The model answered with values that are no numbers.")
    if layout.unit:
        boxes = boxes * np.float32(size)
    return boxes, np.clip(scores, 0.0, 1.0)


def _used(layout: Layout) -> Iterable[str]:
    return (name for name in (layout.boxes, layout.scores, layout.labels) if name)


def _single(outputs: Mapping[str, Array]) -> dict[str, Array]:
    """One picture's answer without the dimension of the batch, where it has one."""
    batched = any(value.ndim == 3 for value in outputs.values())
    return {
        name: value[0] if batched and value.ndim > 1 and value.shape[0] == 1 else value
        for name, value in outputs.items()
    }


# --- which layout --------------------------------------------------------------------------------


def _yolo(name: str, array: Array, size: int) -> tuple[Layout, ...]:
    if array.ndim != 2 or min(array.shape) < 5:
        return ()
    columns = array.shape[0] < array.shape[1]
    rows = array.T if columns else array
    count, width = rows.shape
    cells = sum((size // stride) ** 2 for stride in _STRIDES)
    layout = Layout("yolo", name, width=width, columns=columns)
    final = width == 6 and count <= _MOST_FINAL_BOXES and count not in (cells, 3 * cells)
    if final:
        return (replace(layout, final=True, unit=_is_unit(rows[:, :4])),)
    # Centres that are decoded already reach the far side of the picture, whatever it shows.
    raw = count == cells and not columns and float(rows[:, :2].max()) < size / 2
    unit = not raw and _is_unit(rows[:, :4])
    return (
        replace(layout, raw_grid=raw, unit=unit, probabilities=_are_probabilities(rows[:, 4:])),
    )


def _labelled(arrays: Mapping[str, Array]) -> tuple[Layout, ...]:
    """Boxes, scores and labels, as torchvision's detectors give them."""
    flat = {name: array for name, array in arrays.items() if array.ndim == 1}
    labels = [name for name, array in flat.items() if np.issubdtype(array.dtype, np.integer)]
    scores = [name for name, array in flat.items() if np.issubdtype(array.dtype, np.floating)]
    boxes = [name for name, array in arrays.items() if array.ndim == 2 and array.shape[1] == 4]
    if not (len(labels) == len(scores) == len(boxes) == 1):
        return ()
    unit = _is_unit(arrays[boxes[0]])
    return (Layout("retinanet", boxes[0], scores[0], labels[0], unit=unit),)


def _scored(arrays: Mapping[str, Array]) -> tuple[Layout, ...]:
    """Boxes beside a score for each category: SSD, or DETR, told apart by their names."""
    tables = {name: array for name, array in arrays.items() if array.ndim == 2}
    fours = [name for name, array in tables.items() if array.shape[1] == 4]
    boxes = [name for name in fours if "box" in name.lower()] if len(fours) > 1 else fours
    if len(boxes) != 1:
        return ()
    count = tables[boxes[0]].shape[0]
    scores = [
        name for name, array in tables.items() if name != boxes[0] and array.shape[0] == count
    ]
    if len(scores) != 1:
        return ()
    values = tables[scores[0]]
    common = Layout("ssd", boxes[0], scores[0], width=values.shape[1])
    ssd = replace(common, unit=_is_unit(tables[boxes[0]]), probabilities=_are_probabilities(values))
    detr = replace(common, style="detr", unit=True, probabilities=False)
    if "pred_boxes" in boxes[0].lower() or "logits" in scores[0].lower():
        return (detr,)
    if any(word in scores[0].lower() for word in ("score", "conf")):
        return (ssd,)
    return ssd, detr


def _is_unit(boxes: Array) -> bool:
    values = boxes.astype(np.float32)
    return values.size > 0 and float(np.abs(values).max()) <= _MOST_UNIT


def _are_probabilities(values: Array) -> bool:
    return bool((values.astype(np.float32) >= 0).all() and (values.astype(np.float32) <= 1).all())


# --- reading -------------------------------------------------------------------------------------


def _read_yolo(
    layout: Layout, array: Array, size: int, categories: int
) -> tuple[FloatArray, FloatArray]:
    rows = np.ascontiguousarray(array.T if layout.columns else array, dtype=np.float32)
    if rows.shape[1] != layout.width:
        raise ModelError(f"The model answers with {rows.shape[1]} numbers a box.")
    if layout.final:
        return rows[:, :4], _one_hot(rows[:, 4], rows[:, 5].astype(np.int64), categories)
    boxes, values = rows[:, :4], rows[:, 4:]
    if not layout.probabilities:
        values = _sigmoid(values)
    if layout.raw_grid:
        boxes = _from_grid(boxes, size)
    if values.shape[1] == categories:
        return _corners(boxes), values
    if values.shape[1] != categories + 1:
        raise ModelError(_wrong_count(values.shape[1], categories))
    return _corners(boxes), values[:, :1] * values[:, 1:]  # objectness first


def _from_grid(boxes: FloatArray, size: int) -> FloatArray:
    """YOLOX's raw answer: offsets in cells of strides 8, 16 and 32, sizes as logarithms."""
    corners, strides = [], []
    for stride in _STRIDES:
        rows, columns = np.divmod(np.arange((size // stride) ** 2), size // stride)
        corners.append(np.stack([columns, rows], axis=1))
        strides.append(np.full((len(rows), 1), stride))
    stride_column = np.concatenate(strides).astype(np.float32)
    centres = (boxes[:, :2] + np.concatenate(corners).astype(np.float32)) * stride_column
    sides = np.exp(np.minimum(boxes[:, 2:], _LARGEST_LOG)) * stride_column
    return np.concatenate([centres, sides], axis=1)


def _read_scores(layout: Layout, values: FloatArray, categories: int) -> FloatArray:
    """The scores of the categories; SSD has its background first, DETR its no-object last."""
    background = values.shape[1] - categories
    if background not in (0, 1):
        raise ModelError(_wrong_count(values.shape[1], categories))
    if not layout.probabilities:
        values = _softmax(values) if background else _sigmoid(values)
    return values[:, :categories] if layout.style == "detr" else values[:, background:]


def _one_hot(scores: FloatArray, labels: npt.NDArray[np.int64], categories: int) -> FloatArray:
    table = np.zeros((len(scores), categories), dtype=np.float32)
    wrong = labels[(scores > 0) & ((labels < 0) | (labels >= categories))]
    if wrong.size:
        raise ModelError(
            f"The model answered with the category number {int(wrong[0])}, counted from 0, and "
            f"has {categories} of them."
        )
    named = scores > 0
    table[np.flatnonzero(named), labels[named]] = scores[named]
    return table


def _wrong_count(values: int, categories: int) -> str:
    return (
        f"The model answers with {values} scores a box, with objectness or background where it "
        f"has one, which does not fit {categories} categories."
    )


def _corners(boxes: FloatArray) -> FloatArray:
    """Centre, width and height as corners."""
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def _sigmoid(values: FloatArray) -> FloatArray:
    return (1 / (1 + np.exp(-np.clip(values, -60.0, 60.0)))).astype(np.float32)


def _softmax(values: FloatArray) -> FloatArray:
    powers = np.exp(values - values.max(axis=1, keepdims=True, initial=-np.inf))
    shares: FloatArray = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares
