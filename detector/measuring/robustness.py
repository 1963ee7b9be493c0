"""Does the model still find the same when the picture is a little worse or askew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from detector.measuring.bootstrap import draw_patients, interval
from detector.measuring.figures import FALSE_MARKS, for_json
from detector.measuring.metrics import FloatArray, average_precisions, match, sensitivities
from detector.measuring.seen import Seen, model_results, read_for
from detector.measuring.strata import HIT_IOU, STRATUM_IOU
from detector.preprocess import FloatImage, Geometry, to_square
from detector.types import Box, Detection, ImageInput, ModelCard

PLAIN = "plain"
_NOISE = 0.03  # standard deviation, as a share of the range
_BLUR_AT_512 = 1.5  # standard deviation in pixels where the square has 512


@dataclass(frozen=True)
class Perturbation:
    """A change of the square that the network sees, and the way back for its boxes.

    Attributes
    ----------
    change : from (S, S) or (S, S, 3) float32 in 0..1 to the same, not clipped yet.
    degrees : how far it turns the picture about its middle, counter-clockwise.
    """

    change: Callable[[FloatImage], FloatImage]
    degrees: float = 0.0

    def __call__(self, square: FloatImage) -> FloatImage:
        """The changed square, float32 in 0..1."""
        return np.clip(self.change(square), 0.0, 1.0).astype(np.float32, copy=False)

    def back(self, box: Box, size: int) -> Box:
        """Where a box of the changed square lies in the unchanged one, of `size` pixels.

        Its middle is turned back and its width and height are kept: 5 degrees change the extent
        of an ellipse twice as high as wide by about 1 %, while the box around the turned box
        would be up to 17 % too large.
        """
        angle = np.deg2rad(self.degrees)
        right = (box.x_min + box.x_max) / 2 - size / 2
        down = (box.y_min + box.y_max) / 2 - size / 2
        x = np.cos(angle) * right - np.sin(angle) * down + size / 2
        y = np.sin(angle) * right + np.cos(angle) * down + size / 2
        left, top = float(x) - box.width / 2, float(y) - box.height / 2
        return Box.from_xywh(left, top, box.width, box.height)


def perturbations() -> dict[str, Perturbation]:
    """The seven changes by name."""
    return {
        "gamma 0.7": Perturbation(lambda square: square ** np.float32(0.7)),
        "gamma 1.4": Perturbation(lambda square: square ** np.float32(1.4)),
        "noise": Perturbation(_noisy),
        "blur": Perturbation(_blurred),
        "+5 degrees": _turned_by(5.0),
        "-5 degrees": _turned_by(-5.0),
        "half resolution": Perturbation(_halved),
    }


def _noisy(square: FloatImage) -> FloatImage:
    """Gaussian noise, the same at each call: an image never depends on those before it."""
    noise = np.random.default_rng(0).standard_normal(square.shape, dtype=np.float32)
    noisy: FloatImage = square + np.float32(_NOISE) * noise
    return noisy


def _blurred(square: FloatImage) -> FloatImage:
    return cv2.GaussianBlur(square, (0, 0), _BLUR_AT_512 * square.shape[0] / 512)  # type: ignore[return-value]


def _halved(square: FloatImage) -> FloatImage:
    size = square.shape[0]
    small = cv2.resize(square, (size // 2, size // 2), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


def _turned_by(degrees: float) -> Perturbation:
    def turn(square: FloatImage) -> FloatImage:
        size = square.shape[0]
        middle = (size - 1) / 2  # cv2 counts from the middle of the first pixel
        matrix = cv2.getRotationMatrix2D((middle, middle), degrees, 1.0)
        return cv2.warpAffine(square, matrix, (size, size))  # type: ignore[return-value]

    return Perturbation(turn, degrees)


def perturbed_image(
    image: ImageInput, perturbation: Perturbation, card: ModelCard
) -> tuple[ImageInput, Geometry]:
    """The changed square of a picture, itself a picture that the model reads.

    Returns
    -------
    The picture, (S, S) float32 or (S, S, 3) uint8, and how its boxes get back to the frame.
    """
    square, geometry = to_square(image, card.input_size, card.channels)
    changed = perturbation(square)
    if card.channels == 1:
        return ImageInput(changed), geometry
    return ImageInput(np.round(changed * 255).astype(np.uint8)), geometry


def found_in_frame(
    found: Iterable[Detection], perturbation: Perturbation, geometry: Geometry, size: int
) -> tuple[Detection, ...]:
    """Candidates of the changed square in pixels of the frame; what lies outside is left out."""
    kept = []
    for candidate in found:
        box = perturbation.back(candidate.box, size)
        in_frame = geometry.to_frame(box.x_min, box.y_min, box.x_max, box.y_max)
        if in_frame is not None:
            kept.append(Detection(in_frame, candidate.score, candidate.category))
    return tuple(kept)


def robustness_figures(
    plain: Sequence[Seen],
    changed: Mapping[str, Sequence[Seen]],
    categories: Sequence[str],
    *,
    rounds: int = 1000,
) -> dict[str, dict[str, dict[str, Any]]]:
    """The main figures under each perturbation, and how far they fell, paired by patient.

    Parameters
    ----------
    plain : the unchanged images. changed : by perturbation, the same images in the same order.

    Returns
    -------
    By perturbation (`PLAIN` first), category and figure: ``value``, ``drop``, ``drop_interval``.
    """
    report: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in (PLAIN, *changed)}
    for category in categories:
        if not any(s.sample.boxes_of(category) for s in read_for(plain, category)):
            continue
        before = _figures(plain, category, rounds)
        for name, seen in {PLAIN: plain, **changed}.items():
            after = _figures(seen, category, rounds)
            report[name][category] = {
                figure: {
                    "value": float(values[0]),
                    "drop": float(before[figure][0] - values[0]),
                    "drop_interval": interval(before[figure][1:] - values[1:]),
                }
                for figure, values in after.items()
            }
    return for_json(report)  # type: ignore[no-any-return]


def _figures(seen: Sequence[Seen], category: str, rounds: int) -> dict[str, FloatArray]:
    """(1 + rounds,) of each figure: all patients once, then each draw."""
    results = model_results(read_for(seen, category), category)
    precise, hits = match(results, STRATUM_IOU), match(results, HIT_IOU)
    weights = np.vstack([np.ones((1, hits.patients)), draw_patients(hits.patients, rounds)])
    return {
        "ap_0.4": average_precisions(precise, weights),
        "cpm": sensitivities(hits, FALSE_MARKS, weights).mean(axis=1),
        "sensitivity_at_1": sensitivities(hits, [1.0], weights)[:, 0],
    }
