"""Average precision, FROC and their intervals, from boxes alone. No torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.types import Box

FloatArray = npt.NDArray[np.float64]
_RECALLS = np.linspace(0.0, 1.0, 101)  # the recall levels of the COCO metric
MOST_DETECTIONS = 100


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
    truths : (I,) objects on each image. patient : (I,) index of the patient of each image.
    """

    scores: FloatArray
    hit: npt.NDArray[np.bool_]
    image: npt.NDArray[np.int64]
    truths: FloatArray
    patient: npt.NDArray[np.int64]
    patients: int


def match(results: Sequence[ImageResult], iou: float) -> Matches:
    """Give each candidate, best score first, the free object that it overlaps most.

    The rule of the COCO metric: a hit needs an IoU of at least `iou`, an object is found once.
    """
    scores: list[float] = []
    hits: list[bool] = []
    images: list[int] = []
    for index, result in enumerate(results):
        order = np.argsort(-np.asarray(result.scores), kind="stable")[:MOST_DETECTIONS]
        overlap = iou_matrix([result.found[i] for i in order], result.truth)
        free = np.ones(len(result.truth), dtype=bool)
        for row, i in enumerate(order):
            hit = False
            if free.any():
                open_overlap = np.where(free, overlap[row], -1.0)
                best = int(open_overlap.argmax())
                hit = bool(open_overlap[best] >= iou)
                free[best] &= not hit
            scores.append(result.scores[i])
            hits.append(hit)
            images.append(index)
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="mergesort")
    names = {name: place for place, name in enumerate(sorted({r.patient for r in results}))}
    return Matches(
        np.asarray(scores, dtype=np.float64)[order],
        np.asarray(hits, dtype=bool)[order],
        np.asarray(images, dtype=np.int64)[order],
        np.asarray([len(r.truth) for r in results], dtype=np.float64),
        np.asarray([names[r.patient] for r in results], dtype=np.int64),
        len(names),
    )


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


def average_precision(matches: Matches, weights: FloatArray | None = None) -> float:
    """Area under precision over recall, at the 101 recall levels of COCO; NaN without objects.

    `weights`: (patients,) how often each patient counts, for a bootstrap; None is once each.
    """
    per_image = np.ones(len(matches.truths)) if weights is None else weights[matches.patient]
    objects = float((matches.truths * per_image).sum())
    if objects == 0:
        return float("nan")
    weight = per_image[matches.image]
    true = np.cumsum(weight * matches.hit)
    false = np.cumsum(weight * ~matches.hit)
    recall = true / objects
    precision = true / np.maximum(true + false, 1e-12)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    place = np.searchsorted(recall, _RECALLS - 1e-12, side="left")
    reached = place < len(envelope)
    return float(envelope[place[reached]].sum() / len(_RECALLS))


def sensitivity_at(
    matches: Matches, false_per_image: float, weights: FloatArray | None = None
) -> float:
    """Share of objects found at the threshold that gives at most so many false marks an image."""
    return _operating_place(matches, false_per_image, weights)[1]


def threshold_at(matches: Matches, false_per_image: float) -> float:
    """The lowest score that keeps false marks at or below so many an image."""
    return _operating_place(matches, false_per_image, None)[0]


def _operating_place(
    matches: Matches, false_per_image: float, weights: FloatArray | None
) -> tuple[float, float]:
    per_image = np.ones(len(matches.truths)) if weights is None else weights[matches.patient]
    weight = per_image[matches.image]
    false = np.cumsum(weight * ~matches.hit) / max(per_image.sum(), 1e-12)
    true = np.cumsum(weight * matches.hit)
    objects = max(float((matches.truths * per_image).sum()), 1e-12)
    inside = int(np.searchsorted(false, false_per_image + 1e-12, side="right"))
    # Equal scores stand or fall together: step back to where the score changes.
    while 0 < inside < len(matches.scores) and (
        matches.scores[inside] == matches.scores[inside - 1]
    ):
        inside -= 1
    if inside == 0:
        return 1.0, 0.0
    return float(matches.scores[inside - 1]), float(true[inside - 1] / objects)


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


def patient_bootstrap(
    patients: int, statistic: Callable[[FloatArray], float], rounds: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """The 95 % interval of `statistic` when patients are drawn anew with replacement.

    `statistic` is called with (patients,) weights: how often each patient was drawn.
    """
    random = np.random.default_rng(seed)
    values = []
    for _ in range(rounds):
        drawn = random.integers(0, patients, patients)
        values.append(statistic(np.bincount(drawn, minlength=patients).astype(np.float64)))
    low, high = np.nanpercentile(np.asarray(values), (2.5, 97.5))
    return float(low), float(high)


def area_under_roc(scores: Sequence[float], positive: Sequence[bool]) -> float | None:
    """The chance that a positive scores above a negative, ties half; None without both kinds."""
    values, is_positive = np.asarray(scores, dtype=np.float64), np.asarray(positive, dtype=bool)
    above, below = values[is_positive], values[~is_positive]
    if not len(above) or not len(below):
        return None
    difference = above[:, None] - below[None]
    return float(((difference > 0) + 0.5 * (difference == 0)).mean())


@dataclass(frozen=True)
class PriorBoxes:
    """Boxes that a look at the training labels alone suggests, the same on every image."""

    boxes: tuple[tuple[float, float, float, float], ...]  # in shares of width and height
    scores: tuple[float, ...]


def learn_prior(
    truths: Sequence[tuple[Sequence[Box], int, int]], iou: float = 0.4, seed: int = 0
) -> PriorBoxes:
    """The best fixed boxes for these images, found on their labels and nothing else.

    Clusters (k-means of the corners) of 1 to 24 boxes, each scored by the share of images on
    which it hits; the number of clusters is the one with the best AP on these images.

    Parameters
    ----------
    truths : for each image its boxes, columns, rows.
    """
    unit = [[Box(b.x_min / w, b.y_min / h, b.x_max / w, b.y_max / h) for b in boxes]
            for boxes, w, h in truths]  # fmt: skip
    corners = np.asarray([(b.x_min, b.y_min, b.x_max, b.y_max) for boxes in unit for b in boxes])
    if not len(corners):
        return PriorBoxes((), ())
    best, best_value = PriorBoxes((), ()), -1.0
    for count in (1, 2, 3, 4, 6, 8, 12, 16, 24):
        if count > len(np.unique(corners, axis=0)):
            break
        centres = tuple(Box(*map(float, c)) for c in _cluster(corners, count, seed))
        overlaps = [iou_matrix(centres, boxes) for boxes in unit]
        scores = np.mean([(o >= iou).any(axis=1) for o in overlaps], axis=0).tolist()
        results = [ImageResult(str(i), tuple(boxes), centres, tuple(scores))
                   for i, boxes in enumerate(unit)]  # fmt: skip
        value = average_precision(match(results, iou))
        if value > best_value:
            corner_rows = tuple((c.x_min, c.y_min, c.x_max, c.y_max) for c in centres)
            best, best_value = PriorBoxes(corner_rows, tuple(scores)), value
    return best


def _cluster(points: FloatArray, count: int, seed: int) -> FloatArray:
    """Lloyd's k-means with a spread-out start; medians, so that a stray box moves little."""
    random = np.random.default_rng(seed)
    centres = points[[int(random.integers(len(points)))]]
    while len(centres) < count:
        distance = ((points[:, None] - centres[None]) ** 2).sum(-1).min(1)
        chosen = int(random.choice(len(points), p=distance / distance.sum()))
        centres = np.vstack([centres, points[chosen]])
    for _ in range(50):
        owner = ((points[:, None] - centres[None]) ** 2).sum(-1).argmin(1)
        moved = np.asarray([np.median(points[owner == k], axis=0) if (owner == k).any()
                            else centres[k] for k in range(count)])  # fmt: skip
        if np.allclose(moved, centres):
            break
        centres = moved
    return centres
