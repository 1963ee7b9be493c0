"""The detector over many studies of the worklist, beside a reader or without a window. No Qt.

One study at a time; while an image is analysed the next one is decoded. What is found is kept study
by study, so that a batch that is stopped has lost nothing. One bad file costs its study only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from detector.types import Detections, ModelCard
from viewer.dicom.model import Frame, Image, ImageKey, Kind, ScanUpdate, Skipped
from viewer.engine.ahead import ahead
from viewer.engine.client import INCOMPLETE
from viewer.engine.messages import LOADING, DetectUpdate
from viewer.errors import EngineError, InputError
from viewer.review.study_log import run_of

if TYPE_CHECKING:
    from viewer.review.store import Store
    from viewer.review.study_list import Source

SCORE_FLOOR = 0.01  # everything above it is stored; the threshold only hides

_DECODED_AHEAD = 2  # images

Scan = Callable[[tuple[Path, ...], Callable[[ScanUpdate], None]], int]
DetectFrame = Callable[[Frame, Callable[[DetectUpdate], None]], Detections]


@dataclass(frozen=True, slots=True)
class Machine:
    """What a batch asks of the child processes; all raise ViewerError."""

    scan: Scan
    decode: Callable[[Image], Frame]
    detect: DetectFrame


@dataclass(frozen=True, slots=True)
class BatchStep:
    """A study is done.

    Attributes
    ----------
    study : its row.
    images : how many of it were analysed.
    failure, refusal : why not all of them were, where it is so.
    seconds_left : by the mean of the studies so far.
    """

    study: int
    images: int
    failure: str | None
    refusal: str | None
    done: int
    total: int
    seconds_left: float


@dataclass(slots=True)
class BatchSummary:
    """What came of a batch.

    Attributes
    ----------
    failures, refusals : row -> the sentence.
    """

    studies: int = 0
    images: int = 0
    failures: dict[int, str] = field(default_factory=dict)
    refusals: dict[int, str] = field(default_factory=dict)

    def add(self, step: BatchStep) -> None:
        self.studies += 1
        self.images += step.images
        if step.failure is not None:
            self.failures[step.study] = step.failure
        elif step.refusal is not None:
            self.refusals[step.study] = step.refusal


@dataclass(frozen=True, slots=True)
class _Study:
    """The next study begins."""

    id: int


@dataclass(frozen=True, slots=True)
class _Picture:
    """An image of it, decoded; or the reason why there is none (``refused``: it is no failure)."""

    image: Image | None
    frame: Frame | None
    reason: str = ""
    refused: bool = False


@dataclass(slots=True)
class _Outcome:
    id: int
    images: int = 0
    failure: str | None = None
    refusal: str | None = None


class Batch:
    """One model over rows of the worklist.

    Parameters
    ----------
    wait : called before each image; it returns when the detector may be used, or raises Cancelled.
    """

    def __init__(
        self,
        store: Store,
        machine: Machine,
        card: ModelCard,
        wait: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._machine = machine
        self._card = card
        self._wait = wait
        self._loading = False  # what fails while the model is loaded is no image's fault

    def run(self, ids: Sequence[int], on_step: Callable[[BatchStep], None]) -> BatchSummary:
        """Analyse these studies, in this order.

        Raises
        ------
        EngineError, InputError
            The model cannot be used at all.
        StoreError
            What was found cannot be kept.
        Cancelled
            ``wait`` or a worker said so; the studies so far are kept.
        """
        sources = [(study, self._store.worklist.source(study)) for study in ids]
        summary = BatchSummary()
        began = time.monotonic()
        with ahead(self._read(sources), _DECODED_AHEAD) as steps:
            for outcome in self._outcomes(steps):
                self._keep(outcome)
                done = summary.studies + 1
                left = (time.monotonic() - began) / done * (len(ids) - done)
                step = BatchStep(
                    outcome.id,
                    outcome.images,
                    outcome.failure,
                    outcome.refusal,
                    done,
                    len(ids),
                    left,
                )
                summary.add(step)
                on_step(step)
        return summary

    # --- the thread that reads ahead -------------------------------------------------------------

    def _read(self, sources: Sequence[tuple[int, Source]]) -> Iterator[_Study | _Picture]:
        for study, source in sources:
            yield _Study(study)
            yield from self._pictures(source)

    def _pictures(self, source: Source) -> Iterator[_Picture]:
        found: list[Image] = []
        skipped: list[Skipped] = []

        def take(update: ScanUpdate) -> None:
            found.extend(image for image in update.images if self._is_of(image, source))
            skipped.extend(update.skipped)

        try:
            self._machine.scan(source.files, take)
        except (InputError, EngineError) as error:
            yield _Picture(None, None, str(error))
            return
        for item in skipped:
            yield _Picture(None, None, f"{Path(item.path).name}: {item.reason}")
        images = [image for image in found if image.kind is Kind.IMAGE]
        if not images and not skipped:
            yield _Picture(None, None, "Not analysed: there is no image in it.", refused=True)
        for image in images:
            yield self._picture(image)

    def _is_of(self, image: Image, source: Source) -> bool:
        return (image.study.uid, self._store.patient_key(image.study)) == (
            source.study_uid,
            source.patient_key,
        )

    def _picture(self, image: Image) -> _Picture:
        series = image.series
        refusal = self._card.refusal(series.modality, series.body_part, image.view, image.is_colour)
        if refusal is not None:
            return _Picture(image, None, refusal, refused=True)
        try:
            frame = self._machine.decode(image)
        except (InputError, EngineError) as error:
            return _Picture(image, None, str(error))
        if frame.incomplete:
            return _Picture(image, None, INCOMPLETE, refused=True)
        return _Picture(image, frame)

    # --- the thread that analyses and keeps ------------------------------------------------------

    def _outcomes(self, steps: Iterator[_Study | _Picture]) -> Iterator[_Outcome]:
        outcome: _Outcome | None = None
        for step in steps:
            if isinstance(step, _Study):
                if outcome is not None:
                    yield outcome
                outcome = _Outcome(step.id)
            elif outcome is not None:
                self._take(step, outcome)
        if outcome is not None:
            yield outcome

    def _take(self, picture: _Picture, outcome: _Outcome) -> None:
        if picture.image is None or picture.frame is None:
            if picture.refused:
                outcome.refusal = outcome.refusal or picture.reason
            else:
                outcome.failure = outcome.failure or picture.reason
            return
        try:
            self._analyse(picture.image, picture.frame)
            outcome.images += 1
        except (InputError, EngineError) as error:
            if self._loading:
                raise
            outcome.failure = outcome.failure or str(error)

    def _analyse(self, image: Image, frame: Frame) -> None:
        key = ImageKey(image.uid, image.frame_number, frame.pixel_sha256)
        self._store.remember_images([(image, frame.pixel_sha256)], shown=False)
        if self._store.analysed_by(key, self._card.weights_sha256):
            return
        self._wait()
        detections = self._machine.detect(frame, self._watch)
        self._loading = False
        run = run_of(key, detections, self._card.default_threshold)
        self._store.record_run(run, detections.detections)

    def _watch(self, update: DetectUpdate) -> None:
        self._loading = update.stage == LOADING

    def _keep(self, outcome: _Outcome) -> None:
        worklist = self._store.worklist
        if outcome.failure is not None:
            worklist.note_failure(outcome.id, outcome.failure)
        else:
            worklist.note_checked(outcome.id, self._card.weights_sha256, outcome.refusal)


def duration(seconds: float) -> str:
    """Time that is left, as nobody minds it being a little wrong."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
