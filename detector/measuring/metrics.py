"""Hits, average precision and FROC of boxes, whole or for drawn patients. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detector.types import Box

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

RECALLS = np.linspace(0.0, 1.0, 101)
"""The recall levels of the COCO metric."""

MOST_DETECTIONS = 100
_ROUNDING = 1e-12


@dataclass(frozen=True)
class ImageResult:
    """Truth and candidates of one category on one image; `scores` belong to `found`."""

    patient: str
    truth: tuple[Box, ...]
    found: tuple[Box, ...]
    scores: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Matches:
    """All candidates of a data set at one IoU, best score first.

    Attributes
    ----------
    scores, hit, image : (N,) of each candidate: score, is it a hit, index of its image.
    truths : (I,) objects on each image. patient : (I,) index of the patient of each image, in the
        order of their names.
    """

    scores: FloatArray
    hit: BoolArray
    image: IntArray
    truths: FloatArray
    patient: IntArray
    patients: int


def match(
    results: Sequence[ImageResult], iou: float, areas: tuple[float, float] | None = None
) -> Matches:
    """Give each candidate, best score first, the free object that it overlaps most.

    The rule of the COCO metric: a hit needs an IoU of at least `iou`, an object is found once.

    Parameters
    ----------
    areas : the smallest and largest area that counts. As in the COCO metric an object of another
        area is neither to be found nor false to mark, and so is a candidate of another area that
        hits nothing.
    """
    scores: list[FloatArray] = []
    hits: list[BoolArray] = []
    images: list[IntArray] = []
    truths = np.zeros(len(results))
    for index, result in enumerate(results):
        order = np.argsort(-np.asarray(result.scores), kind="stable")[:MOST_DETECTIONS]
        found = [result.found[i] for i in order]
        wanted = _inside(result.truth, areas)
        hit, ignored = _taken(iou_matrix(found, result.truth), wanted, iou)
        kept = hit | ~ignored & _inside(found, areas)
        truths[index] = wanted.sum()
        scores.append(np.asarray(result.scores, dtype=np.float64)[order[kept]])
        hits.append(hit[kept])
        images.append(np.full(int(kept.sum()), index, dtype=np.int64))
    every = np.concatenate([np.zeros(0), *scores])
    order = np.argsort(-every, kind="stable")
    patient, patients = patient_places([r.patient for r in results])
    return Matches(
        every[order],
        np.concatenate([np.zeros(0, dtype=bool), *hits])[order],
        np.concatenate([np.zeros(0, dtype=np.int64), *images])[order],
        truths,
        patient,
        patients,
    )


def patient_places(patients: Sequence[str]) -> tuple[IntArray, int]:
    """(I,) the place of each image's patient in the order of their names, and how many they are."""
    places = {name: place for place, name in enumerate(sorted(set(patients)))}
    return np.asarray([places[name] for name in patients], dtype=np.int64), len(places)


def _inside(boxes: Sequence[Box], areas: tuple[float, float] | None) -> BoolArray:
    """(len(boxes),) whose area counts."""
    if areas is None:
        return np.ones(len(boxes), dtype=bool)
    return np.asarray([areas[0] <= box.area <= areas[1] for box in boxes], dtype=bool)


def _taken(overlap: FloatArray, wanted: BoolArray, iou: float) -> tuple[BoolArray, BoolArray]:
    """Which candidates hit a wanted object, and which only one that does not count.

    Parameters
    ----------
    overlap : (D, T) IoU of the candidates, best score first, with the objects. wanted : (T,).
    """
    hit = np.zeros(len(overlap), dtype=bool)
    ignored = np.zeros(len(overlap), dtype=bool)
    free = np.ones(len(wanted), dtype=bool)
    near = overlap >= iou
    for row in np.flatnonzero(near.any(axis=1)):
        for group, answer in ((wanted, hit), (~wanted, ignored)):
            open_to_it = near[row] & free & group
            if open_to_it.any():
                free[np.where(open_to_it, overlap[row], -1.0).argmax()] = False
                answer[row] = True
                break
    return hit, ignored


def iou_matrix(a: Sequence[Box], b: Sequence[Box]) -> FloatArray:
    """(len(a), len(b)) intersection over union."""
    if not a or not b:
        return np.zeros((len(a), len(b)))
    p = np.asarray([(x.x_min, x.y_min, x.x_max, x.y_max) for x in a])[:, None]
    q = np.asarray([(x.x_min, x.y_min, x.x_max, x.y_max) for x in b])[None]
    size = np.clip(np.minimum(p[..., 2:], q[..., 2:]) - np.maximum(p[..., :2], q[..., :2]), 0, None)
    shared = size[..., 0] * size[..., 1]
    areas = [(v[..., 2] - v[..., 0]) * (v[..., 3] - v[..., 1]) for v in (p, q)]
    result: FloatArray = shared / (areas[0] + areas[1] - shared)
    return result


class _Counts(NamedTuple):
    """What is shown down to each of the H hits, best score first, for each of R draws."""

    true: FloatArray  # (R, H)
    false: FloatArray  # (R, H)
    objects: FloatArray  # (R,)
    images: FloatArray  # (R,)


def _counts(matches: Matches, weights: FloatArray, last: IntArray) -> _Counts:
    """Precision and sensitivity change for the better at hits alone, so those are counted.

    Parameters
    ----------
    weights : (R, patients) how often each patient was drawn.
    last : (H,) the place of the last candidate that is shown together with each hit.
    """
    shape = len(weights), len(last)
    true, false = np.zeros(shape), np.zeros(shape)
    shown = int(last[-1]) + 1 if len(last) else 0  # what comes after the last hit changes nothing
    first_hit = np.searchsorted(last, np.arange(shown))
    owner, hit = matches.patient[matches.image[:shown]], matches.hit[:shown]
    for answer, chosen in ((true, hit), (false, ~hit)):
        owners, places = owner[chosen], first_hit[chosen]
        for row, drawn in zip(answer, weights, strict=True):
            row[:] = np.bincount(places, drawn[owners], minlength=shape[1])
        answer.cumsum(axis=1, out=answer)
    per_patient = np.bincount(matches.patient, matches.truths, minlength=matches.patients)
    images = np.bincount(matches.patient, minlength=matches.patients)
    return _Counts(true, false, weights @ per_patient, weights @ images)


def _everyone_once(matches: Matches) -> FloatArray:
    return np.ones((1, matches.patients))


def average_precisions(matches: Matches, weights: FloatArray) -> FloatArray:
    """(R,) average precision of each draw of patients; NaN where no object was drawn.

    Parameters
    ----------
    weights : (R, patients) how often each patient was drawn.
    """
    return _precisions(matches, weights).mean(axis=1)  # type: ignore[no-any-return]


def average_precision(matches: Matches) -> float:
    """Area under precision over recall, at the 101 recall levels of COCO; NaN without objects."""
    return float(average_precisions(matches, _everyone_once(matches))[0])


def precision_at_recalls(matches: Matches) -> FloatArray:
    """(101,) the best precision at each of `RECALLS` or beyond; 0 where it is not reached."""
    row: FloatArray = _precisions(matches, _everyone_once(matches))[0]
    return row


def _precisions(matches: Matches, weights: FloatArray) -> FloatArray:
    """(R, 101) the best precision at each recall level or beyond."""
    counts = _counts(matches, weights, np.flatnonzero(matches.hit))
    result = np.zeros((len(weights), len(RECALLS)))
    result[counts.objects == 0] = np.nan
    precision = counts.true / np.maximum(counts.true + counts.false, _ROUNDING)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    for row in np.flatnonzero(counts.objects > 0):
        recall = counts.true[row] / counts.objects[row]
        place = np.searchsorted(recall, RECALLS - _ROUNDING, side="left")
        reached = place < len(recall)
        result[row, reached] = envelope[row, place[reached]]
    return result


def sensitivities(
    matches: Matches, false_per_image: Sequence[float], weights: FloatArray
) -> FloatArray:
    """(R, F) share of the objects found where there are at most so many false marks an image.

    Equal scores stand or fall together. NaN where no object was drawn.

    Parameters
    ----------
    false_per_image : the F allowances. weights : (R, patients).
    """
    # The last candidate with the score of each hit: both or neither are above a threshold.
    last = np.searchsorted(-matches.scores, -matches.scores[matches.hit], side="right") - 1
    counts = _counts(matches, weights, last)
    result = np.zeros((len(weights), len(false_per_image)))
    result[counts.objects == 0] = np.nan
    for row in np.flatnonzero(counts.objects > 0):
        allowed = np.asarray(false_per_image) * counts.images[row] + _ROUNDING
        shown = np.searchsorted(counts.false[row], allowed, side="right")
        found = np.concatenate([[0.0], counts.true[row]])
        result[row] = found[shown] / counts.objects[row]
    return result


def threshold_at(matches: Matches, false_per_image: float) -> float:
    """The lowest score that keeps false marks at or below so many an image; 1 where none does."""
    false = np.cumsum(~matches.hit)
    allowed = false_per_image * len(matches.truths) + _ROUNDING
    inside = int(np.searchsorted(false, allowed, side="right"))
    # Equal scores stand or fall together: step back to where the score changes.
    if 0 < inside < len(matches.scores):
        inside = int(np.searchsorted(-matches.scores, -matches.scores[inside], side="left"))
    return float(matches.scores[inside - 1]) if inside else 1.0


def operating_points(matches: Matches, thresholds: Sequence[float]) -> list[dict[str, float]]:
    """Sensitivity and false marks an image at each threshold (score >= threshold is shown)."""
    objects, images = max(float(matches.truths.sum()), 1.0), max(len(matches.truths), 1)
    points = []
    for threshold in thresholds:
        shown = matches.scores >= threshold
        points.append({
            "threshold": float(threshold),
            "sensitivity": float((matches.hit & shown).sum() / objects),
            "false_marks_per_image": float((~matches.hit & shown).sum() / images),
        })  # fmt: skip
    return points
