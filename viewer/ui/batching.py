"""The batch over the worklist, beside the reader: its job, and what is told of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from viewer.batch import (
    SCORE_FLOOR,
    Batch,
    BatchStep,
    BatchSummary,
    Machine,
    duration,
    summary_words,
)
from viewer.dicom.model import Frame, Image
from viewer.engine.messages import DetectUpdate
from viewer.errors import Cancelled, ViewerError
from viewer.review.place import Place
from viewer.settings import Settings
from viewer.ui.analysis import Analysis, Detect
from viewer.ui.jobs import Jobs, Report

if TYPE_CHECKING:
    from detector.types import Detections
    from viewer.dicom.model import ScanUpdate

SLOT = "batch"

_LOOK_S = 0.1  # how often a batch that waits for the reader's image looks whether it was cancelled


@dataclass(frozen=True)
class BatchEngine:
    """What its own child processes do for it."""

    scan: Callable[[tuple[Path, ...], Callable[[ScanUpdate], None]], int]
    decode: Callable[[Image], Frame]
    detect: Detect


class Batching(QObject):
    """One batch at a time. It rests while the reader's own image is analysed."""

    progressed = Signal(str, int, int)  # words, how many are done, of how many
    stepped = Signal(object)  # BatchStep
    ended = Signal(str)  # what came of it

    def __init__(
        self,
        jobs: Jobs,
        place: Place,
        *,
        engine: BatchEngine,
        analysis: Analysis,
        settings: Settings,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._place = place
        self._engine = engine
        self._analysis = analysis
        self._settings = settings
        self._summary = BatchSummary()
        self._free = threading.Event()
        self._free.set()
        analysis.changed.connect(self._give_way)

    @property
    def busy(self) -> bool:
        return self._jobs.busy(SLOT)

    def start(self, ids: Sequence[int]) -> None:
        """Analyse these studies with the present model.

        Raises
        ------
        ViewerError
            There is no model.
        """
        model = self._analysis.model
        if model is None:
            raise ViewerError("There is no model to analyse with; Ctrl+M adds one.")
        if self.busy:
            raise ViewerError("A batch is running; wait for it or cancel it.")
        device, engine, place = self._settings.text("device"), self._engine, self._place
        self._summary = BatchSummary()

        def detect(frame: Frame, watch: Callable[[DetectUpdate], None]) -> Detections:
            return engine.detect(frame, model.folder, SCORE_FLOOR, device, watch, 0)

        def work(report: Report) -> None:
            from viewer.review.store import Store  # noqa: PLC0415  SQLAlchemy is slow to import

            with Store.open(place) as store:
                machine = Machine(engine.scan, engine.decode, detect)
                batch = Batch(store, machine, model.card, lambda: self._wait(report))
                batch.run(ids, lambda step: self._step(report, step))

        self.progressed.emit("Analysing: starting", 0, len(ids))
        self._jobs.submit(SLOT, work, lambda _: self._end(""), self._failed, self._take)

    def cancel(self) -> None:
        """Stop after what is kept already."""
        self._jobs.cancel(SLOT)

    # --- in the thread of the job ----------------------------------------------------------------

    def _wait(self, report: Report) -> None:
        report.check()
        while not self._free.wait(_LOOK_S):
            report.check()

    def _step(self, report: Report, step: BatchStep) -> None:
        report(step)
        report.check()

    # --- in the window's thread ------------------------------------------------------------------

    def _give_way(self) -> None:
        if self._analysis.busy:
            self._free.clear()
        else:
            self._free.set()

    def _take(self, step: BatchStep) -> None:
        self._summary.add(step)
        self.stepped.emit(step)
        left = f", {duration(step.seconds_left)} left" if step.done < step.total else ""
        words = f"Analysing: {step.done:,} of {step.total:,} studies{left}"
        failed = len(self._summary.failures)
        self.progressed.emit(
            f"{words}, {failed} failed" if failed else words, step.done, step.total
        )

    def _failed(self, error: ViewerError) -> None:
        self._end("Stopped. " if isinstance(error, Cancelled) else f"{error} ")

    def _end(self, why: str) -> None:
        self.ended.emit(why + summary_words(self._summary))
