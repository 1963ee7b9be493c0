"""From pictures to their candidates, in pixels of the original frame. No torch of its own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

from detector.inference.fusion import fused
from detector.inference.opening import open_loaded, open_model
from detector.inference.runner import (
    AcceleratorFullError,
    FloatArray,
    RawOutput,
    Runner,
    TorchNetwork,
)
from detector.inference.suppression import (
    DEFAULT_FLOOR,
    MOST_CANDIDATES,
    calibrated,
    placed,
    suppressed,
    uncalibrated,
)
from detector.model_store import LoadedModel, read_card
from detector.preprocess import Geometry, to_square
from detector.types import (
    Box,
    Detection,
    Detections,
    DetectorError,
    ImageFinding,
    ImageInput,
    ModelCard,
    Proposal,
)

BATCH = 8
"""Pictures that go through the network at once where many wait."""


class Predictor:
    """A loaded model, ready to be asked.

    Parameters
    ----------
    model : a model folder, or a model that is loaded already.
    device : "auto", "cpu", "cuda" or "mps".
    precision : "fp32" or "bf16" by torch, "int8" by onnxruntime; "auto" takes what was measured to
        be the fastest here at equal boxes, and without a `memory` fp32 by torch.
    memory : the file in which such measurements are kept.

    Raises
    ------
    ModelError
        Where the model cannot be loaded.
    DetectorError
        Where the device is not there.
    """

    def __init__(
        self,
        model: Path | LoadedModel,
        device: str = "auto",
        precision: str = "auto",
        memory: Path | None = None,
    ):
        if isinstance(model, LoadedModel):
            self.card = model.card
            self._runner: Runner = open_loaded(model, device, precision)
        else:
            self.card = read_card(model)
            self._runner = open_model(model, self.card, device, precision, memory)

    @property
    def device(self) -> str:
        """Where it runs: "cpu", "cuda" or "mps"."""
        return self._runner.device

    @property
    def precision(self) -> str:
        """How it is computed: "fp32", "bf16" or "int8"."""
        return self._runner.precision

    def predict(
        self,
        image: ImageInput,
        floor: float = DEFAULT_FLOOR,
        proposals: int = 0,
        thorough: bool = False,
    ) -> Detections:
        """All candidates that score `floor` or more, best first, at most `MOST_CANDIDATES`.

        Where the accelerator runs out of memory, this picture is done on the CPU, and the answer
        says so.

        Parameters
        ----------
        proposals : how many regions of a two-stage network are wanted besides.
        thorough : look at the mirrored picture, too, unless the model does so by itself; what the
            looks mark is merged.

        Raises
        ------
        DetectorError
            Where the picture cannot be read as one, or the network has no proposals.
        """
        return self.predict_many([image], floor, proposals=proposals, thorough=thorough)[0]

    def predict_many(
        self,
        images: Sequence[ImageInput],
        floor: float = DEFAULT_FLOOR,
        *,
        batch: int = BATCH,
        proposals: int = 0,
        thorough: bool = False,
    ) -> list[Detections]:
        """`predict` for each picture, `batch` of them at a time through the network."""
        answers: list[Detections] = []
        for start in range(0, len(images), batch):
            answers += self._predict(images[start : start + batch], floor, proposals, thorough)
        return answers

    def _predict(
        self, images: Sequence[ImageInput], floor: float, proposals: int, thorough: bool
    ) -> list[Detections]:
        began = time.perf_counter()
        squares, geometries = zip(*(square_of(i, self.card) for i in images), strict=True)
        batch = np.stack(squares)
        thorough = thorough and not self.card.architecture_options.get("mirrored", False)
        try:
            runner = self._runner
            views = _views(runner, batch, thorough)
            regions = _proposals(runner, batch, geometries, proposals)
        except AcceleratorFullError:
            runner = cast(TorchNetwork, self._runner).on_cpu()
            views = _views(runner, batch, thorough)
            regions = _proposals(runner, batch, geometries, proposals)
        found = [found_by(self.card, views, place, floor, g) for place, g in enumerate(geometries)]
        seconds = (time.perf_counter() - began) / len(images)
        return [
            Detections(
                detections=boxes,
                model_name=self.card.name,
                model_version=self.card.version,
                weights_sha256=self.card.weights_sha256,
                device=runner.device,
                score_floor=floor,
                seconds=seconds,
                image_findings=self._image_findings(views, place),
                proposals=regions[place],
                precision=runner.precision,
            )
            for place, boxes in enumerate(found)
        ]

    def _image_findings(self, views: Sequence[RawOutput], place: int) -> tuple[ImageFinding, ...]:
        names = self.card.architecture_options.get("image_classes", ())
        scores = np.mean([view.image_scores[place] for view in views], axis=0)
        if not self.card.image_findings or len(names) != len(scores):
            return ()
        likely = dict(zip(names, calibrated(scores, names, self.card.calibration), strict=True))
        return tuple(ImageFinding(n, float(likely[n])) for n in self.card.image_findings)


def square_of(image: ImageInput, card: ModelCard) -> tuple[FloatArray, Geometry]:
    """The picture as the model's network wants it, (channels, S, S) float32 in 0..1."""
    square, geometry = to_square(image, card.input_size, card.channels)
    planes = square[None] if card.channels == 1 else np.moveaxis(square, 2, 0)
    return planes, geometry


def found_by(
    card: ModelCard, views: Sequence[RawOutput], place: int, floor: float, geometry: Geometry
) -> tuple[Detection, ...]:
    """The candidates of one picture: suppressed look by look, merged, as probabilities.

    A look is what one member of an ensemble answers in one view.

    Parameters
    ----------
    views : the answers for a batch, one for each time that it was looked at.
    place : of the picture in the batch.
    """
    names, curves = card.categories, card.calibration
    cuts = np.cumsum(card.architecture_options.get("places", ()), dtype=int)[:-1]
    answers = [
        look
        for view in views
        for look in zip(
            np.split(view.boxes[place], cuts), np.split(view.scores[place], cuts), strict=True
        )
    ]
    lowest = uncalibrated(min(floor, DEFAULT_FLOOR), names, curves)
    looks = [suppressed(boxes, scores, lowest) for boxes, scores in answers]
    marks = looks[0] if len(looks) == 1 else fused(looks)
    likely = calibrated(marks.scores, [names[n] for n in marks.names], curves)
    marks = marks._replace(scores=likely).from_score(floor).best_first()
    return placed(marks.chosen(slice(MOST_CANDIDATES)), names, geometry)


def _views(runner: Runner, batch: FloatArray, thorough: bool) -> list[RawOutput]:
    """What the network answers, in thorough mode for the mirrored squares, too."""
    views = [runner.run(batch)]
    if thorough:
        turned = runner.run(np.ascontiguousarray(batch[..., ::-1]))
        views.append(mirrored(turned, batch.shape[-1]))
    return views


def mirrored(output: RawOutput, size: int) -> RawOutput:
    """The answer for a mirrored square, as boxes of the square itself."""
    x_min, y_min, x_max, y_max = np.moveaxis(output.boxes, -1, 0)
    return output._replace(boxes=np.stack([size - x_max, y_min, size - x_min, y_max], axis=-1))


def _proposals(
    runner: Runner, batch: FloatArray, geometries: Sequence[Geometry], count: int
) -> list[tuple[Proposal, ...]]:
    if not count:
        return [()] * len(geometries)
    if not hasattr(runner, "proposals"):
        raise DetectorError("This model has no proposals: it is not a two-stage detector.")
    regions = cast(TorchNetwork, runner).proposals(batch, count)
    found = []
    for (boxes, scores), geometry in zip(regions, geometries, strict=True):
        places: list[tuple[Box | None, float]] = [
            (geometry.to_frame(*box), score)
            for box, score in zip(boxes.tolist(), scores.tolist(), strict=True)
        ]
        found.append(tuple(Proposal(box, score) for box, score in places if box is not None))
    return found
