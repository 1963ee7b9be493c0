"""What a model found on labelled images, and the prior boxes on the same images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from detector.dataset.sample import Sample
from detector.measuring.metrics import ImageResult
from detector.measuring.prior import learn_prior
from detector.types import Box, Detection


@dataclass(frozen=True)
class Seen:
    """What a model found on one labelled image.

    Attributes
    ----------
    columns, rows : of the frame. found : candidates in its pixels.
    image_scores : image-level class to score, 0..1; empty where the model has none.
    """

    sample: Sample
    columns: int
    rows: int
    found: tuple[Detection, ...]
    image_scores: Mapping[str, float] = field(default_factory=dict)


def read_for(seen: Sequence[Seen], category: str) -> list[Seen]:
    """The images on which somebody looked for every object of a category, normals included."""
    return [s for s in seen if category in s.sample.complete]


def model_results(read: Sequence[Seen], category: str) -> list[ImageResult]:
    results = []
    for s in read:
        mine = [d for d in s.found if d.category == category]
        results.append(ImageResult(
            s.sample.patient, s.sample.boxes_of(category),
            tuple(d.box for d in mine), tuple(d.score for d in mine),
        ))  # fmt: skip
    return results


def prior_results(
    read: Sequence[Seen], category: str, fold_of: Mapping[str, int]
) -> list[ImageResult]:
    """The fixed boxes of each image, learned on the boxes of the other folds' patients."""
    priors = {
        fold: learn_prior([
            (s.sample.boxes_of(category), s.columns, s.rows)
            for s in read if fold_of[s.sample.patient] != fold
        ])
        for fold in set(fold_of.values())
    }  # fmt: skip
    results = []
    for s in read:
        prior = priors[fold_of[s.sample.patient]]
        boxes = tuple(
            Box(x0 * s.columns, y0 * s.rows, x1 * s.columns, y1 * s.rows)
            for x0, y0, x1, y1 in prior.boxes
        )
        truth = s.sample.boxes_of(category)
        results.append(ImageResult(s.sample.patient, truth, boxes, prior.scores))
    return results


def in_unit_area(result: ImageResult, columns: int, rows: int) -> ImageResult:
    """The same boxes on a frame of area 1, so that an area is a share of the image."""
    scale = (columns * rows) ** -0.5

    def scaled(boxes: Sequence[Box]) -> tuple[Box, ...]:
        return tuple(
            Box(b.x_min * scale, b.y_min * scale, b.x_max * scale, b.y_max * scale) for b in boxes
        )

    return ImageResult(result.patient, scaled(result.truth), scaled(result.found), result.scores)
