"""From what a network answered for one square to its candidates, in pixels of the frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from detector.inference.runner import FloatArray
from detector.preprocess import Geometry
from detector.types import Detection

DEFAULT_FLOOR = 0.01
SAME_CANDIDATE = 0.45
"""Of two boxes of one category that overlap more than this (IoU), the better score stays."""

MOST_CANDIDATES = 100
_MOST_BEFORE_SUPPRESSION = 400
_FARTHEST = 10_000.0  # pixels; an untrained network may place a corner anywhere
_CERTAIN = 1e-7
"""Scores this near to 0 and 1 are taken as this far away: a logit must stay finite."""

Curves = Mapping[str, tuple[float, float]]


class Marks(NamedTuple):
    """N boxes of one square, best score first.

    Attributes
    ----------
    boxes : (N, 4) float64 in pixels of the input.
    scores : (N,) float64 in 0..1.
    names : (N,) place of the category.
    """

    boxes: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float64]
    names: npt.NDArray[np.int64]

    def chosen(self, places: npt.NDArray[np.int64] | list[int] | slice) -> Marks:
        return Marks(self.boxes[places], self.scores[places], self.names[places])

    def best_first(self) -> Marks:
        return self.chosen(np.argsort(-self.scores, kind="stable"))

    def from_score(self, floor: float) -> Marks:
        return self.chosen(np.flatnonzero(self.scores >= floor))


def suppressed(boxes: FloatArray, scores: FloatArray, floor: float) -> Marks:
    """What is left of a network's answer for one square where each candidate is marked once.

    Parameters
    ----------
    boxes : (A, 4) in pixels of the input; scores : (A, C) in 0..1.
    """
    flat = scores.ravel()
    order = np.flatnonzero(flat >= floor)
    order = order[np.argsort(-flat[order], kind="stable")][:_MOST_BEFORE_SUPPRESSION]
    places, names = np.divmod(order, scores.shape[1])
    marks = Marks(
        boxes[places].clip(-_FARTHEST, _FARTHEST).astype(np.float64),
        flat[order].astype(np.float64),
        names,
    )
    return unlike(marks, SAME_CANDIDATE)


def placed(marks: Marks, categories: Sequence[str], geometry: Geometry) -> tuple[Detection, ...]:
    """Marks as candidates in pixels of the frame; what lies outside of it is left out."""
    found = []
    for box, score, name in zip(*(m.tolist() for m in marks), strict=True):
        in_frame = geometry.to_frame(*box)
        if in_frame is not None:
            found.append(Detection(in_frame, score, categories[name]))
    return tuple(found)


def unlike(marks: Marks, iou: float) -> Marks:
    """Greedy non-maximum suppression, category by category, at most `MOST_CANDIDATES`.

    OpenCV's, since importing torchvision for it would cost many times the prediction.
    """
    corners = marks.boxes[:, :2]
    boxes = np.hstack([corners, marks.boxes[:, 2:] - corners])
    places = cv2.dnn.NMSBoxesBatched(
        boxes.tolist(), marks.scores.tolist(), marks.names.tolist(), 0.0, iou
    )
    return marks.chosen(np.asarray(places, dtype=np.int64)[:MOST_CANDIDATES])


def calibrated(
    scores: npt.NDArray[np.floating[Any]], names: Sequence[str], curves: Curves
) -> npt.NDArray[np.float64]:
    """Scores as probabilities, by the Platt curve that the card holds for a name.

    Parameters
    ----------
    scores : (N,) in 0..1, each of the name beside it; a name without a curve keeps its score.
    curves : a and b of sigmoid(a * logit(score) + b).

    References
    ----------
    J. Platt, Probabilistic outputs for support vector machines, 1999.
    """
    slope = np.array([curves.get(name, (1.0, 0.0))[0] for name in names])
    offset = np.array([curves.get(name, (1.0, 0.0))[1] for name in names])
    certain = np.clip(scores.astype(np.float64), _CERTAIN, 1 - _CERTAIN)
    logits = np.log(certain) - np.log1p(-certain)
    changed = 1.0 / (1.0 + np.exp(-(slope * logits + offset)))
    keeps = np.array([name not in curves for name in names], dtype=bool)
    return np.where(keeps, scores.astype(np.float64), changed)


def uncalibrated(score: float, names: Sequence[str], curves: Curves) -> float:
    """The lowest raw score that may become `score` in any of the categories.

    A falling curve (a <= 0) may lift the lowest of scores there: nothing is left out then.
    """
    certain = min(max(score, _CERTAIN), 1 - _CERTAIN)
    logit = float(np.log(certain) - np.log1p(-certain))
    raw = []
    for name in names:
        slope, offset = curves.get(name, (1.0, 0.0))
        raw.append(1.0 / (1.0 + float(np.exp(-(logit - offset) / slope))) if slope > 0 else 0.0)
    return min(raw)
