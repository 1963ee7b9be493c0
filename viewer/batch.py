"""The detector over many studies of the worklist, beside a reader or without a window. No Qt.

One study at a time. While an image is analysed the next one is decoded and what was found on the
one before is written, each in a thread of its own: the detector waits for neither. What is found is
kept image by image, so that a batch that is stopped has lost nothing. One bad file costs its study
only.
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

_AHEAD = 2  # images that one thread may be before the next

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


@dataclass(frozen=True, slots=True)
class _Analysed:
    """What was found on an image; None where this model had been over it before."""

    image: Image
    pixel_sha256: str
    detections: Detections | None


_Step = _Study | _Picture | _Analysed


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
        known = self._store.analysed_images(self._card.weights_sha256)
        summary = BatchSummary()
        began = time.monotonic()
        with (
            ahead(self._read(sources), _AHEAD) as read,
            ahead(self._analyse(read, known), _AHEAD) as steps,
        ):
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

    # --- the thread that analyses ----------------------------------------------------------------

    def _analyse(
        self, steps: Iterator[_Study | _Picture], known: frozenset[ImageKey]
    ) -> Iterator[_Step]:
        for step in steps:
            if isinstance(step, _Picture) and step.image is not None and step.frame is not None:
                yield self._analysed(step.image, step.frame, known)
            else:
                yield step

    def _analysed(
        self, image: Image, frame: Frame, known: frozenset[ImageKey]
    ) -> _Analysed | _Picture:
        if ImageKey(image.uid, image.frame_number, frame.pixel_sha256) in known:
            return _Analysed(image, frame.pixel_sha256, None)
        self._wait()
        try:
            detections = self._machine.detect(frame, self._watch)
        except (InputError, EngineError) as error:
            if self._loading:
                raise
            return _Picture(image, None, str(error))
        self._loading = False
        return _Analysed(image, frame.pixel_sha256, detections)

    def _watch(self, update: DetectUpdate) -> None:
        self._loading = update.stage == LOADING

    # --- the thread of the caller, which keeps ---------------------------------------------------

    def _outcomes(self, steps: Iterator[_Step]) -> Iterator[_Outcome]:
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

    def _take(self, step: _Picture | _Analysed, outcome: _Outcome) -> None:
        if isinstance(step, _Analysed):
            self._keep_run(step)
            outcome.images += 1
        elif step.refused:
            outcome.refusal = outcome.refusal or step.reason
        else:
            outcome.failure = outcome.failure or step.reason

    def _keep_run(self, found: _Analysed) -> None:
        seen = [(found.image, found.pixel_sha256)]
        self._store.remember_images(seen, shown=False)
        if found.detections is not None:
            key = ImageKey(found.image.uid, found.image.frame_number, found.pixel_sha256)
            run = run_of(key, found.detections, self._card.default_threshold)
            self._store.record_run(run, found.detections.detections)

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


def summary_words(summary: BatchSummary) -> str:
    """What came of a batch, in a sentence or two."""
    words = f"Analysed {_count(summary.images, 'image')} in {_count(summary.studies, 'study')}."
    if summary.refusals:
        words += f" Not for this model: {len(summary.refusals)}."
    if summary.failures:
        words += f" Failed: {len(summary.failures)}."
    return words


def _count(number: int, noun: str) -> str:
    many = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else many}"
