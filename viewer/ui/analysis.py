"""The detector beside the reader: when it runs, on which image, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from detector.types import Detections, ModelCard, Proposal
from viewer.batch import SCORE_FLOOR
from viewer.dicom.model import Frame, Image, ImageKey, StudyHeader
from viewer.engine.client import INCOMPLETE
from viewer.engine.messages import DetectUpdate
from viewer.errors import Cancelled, ViewerError
from viewer.review.finding import Run
from viewer.settings import Settings
from viewer.ui.jobs import Jobs, Report
from viewer.ui.reading import Reading

SLOT = "model"

_MOST_AHEAD = 2  # images that wait to be analysed before they are opened

DetectProgress = Callable[[DetectUpdate], None]
Detect = Callable[[Frame, Path, float, str, DetectProgress, int], Detections]


class Outcome(Enum):
    """What is known of the image on the screen. No two of them look alike."""

    NO_IMAGE = "no image"
    NO_MODEL = "no model"
    NOT_ANALYSED = "not analysed"
    ANALYSING = "analysing"
    ANALYSED = "analysed"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class AnalysisState:
    """The state of one image.

    Attributes
    ----------
    detail : the stage while it runs; the sentence where it failed or was refused.
    run : the run whose candidates are there, once analysed.
    seconds : how long that run took; None where it is from an earlier sitting.
    final : refused whatever the reader says.
    """

    outcome: Outcome
    detail: str = ""
    run: Run | None = None
    seconds: float | None = None
    final: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """A model that was found: its folder and its card."""

    folder: Path
    card: ModelCard


@dataclass(frozen=True, slots=True)
class _Task:
    key: ImageKey
    study: StudyHeader
    frame: Frame
    ahead: Image | None = None  # this image, which the reader has not opened yet


class Analysis(QObject):
    """Runs the detector over one image at a time and files the result under that very image."""

    changed = Signal()

    def __init__(
        self,
        jobs: Jobs,
        reading: Reading,
        *,
        model: Model | None,
        detect: Detect,
        settings: Settings,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.model = model
        self._jobs = jobs
        self._reading = reading
        self._detect = detect
        self._settings = settings
        self._running: _Task | None = None
        self._stage = ""
        self._next: _Task | None = None
        self._ahead: list[_Task] = []
        self._failures: dict[ImageKey, str] = {}
        self._stopped: set[ImageKey] = set()  # cancelled: not started again by itself
        self._seconds: dict[ImageKey, float] = {}
        self._proposals: dict[ImageKey, tuple[Proposal, ...]] = {}  # of this sitting
        reading.image_shown.connect(self._opened)

    # --- what is known ---------------------------------------------------------------------------

    def state(self) -> AnalysisState:
        """The state of the image on the screen."""
        key, image = self._reading.key, self._reading.image
        if key is None or image is None:
            return AnalysisState(Outcome.NO_IMAGE)
        return self._at_work(key) or self._known_of(key) or self._to_do(image)

    def _at_work(self, key: ImageKey) -> AnalysisState | None:
        if self._running is not None and self._running.key == key:
            return AnalysisState(Outcome.ANALYSING, self._stage)
        if self._next is not None and self._next.key == key:
            return AnalysisState(Outcome.ANALYSING, "waiting for the image before")
        return None

    def _known_of(self, key: ImageKey) -> AnalysisState | None:
        if key in self._failures:
            return AnalysisState(Outcome.FAILED, self._failures[key])
        run = self._run_of(key)
        if run is not None:
            return AnalysisState(Outcome.ANALYSED, run=run, seconds=self._seconds.get(key))
        return None

    def _to_do(self, image: Image) -> AnalysisState:
        if self.model is None:
            return AnalysisState(Outcome.NO_MODEL)
        refusal = self._refusal(image)
        if refusal is not None:
            return AnalysisState(Outcome.REFUSED, refusal, final=refusal == INCOMPLETE)
        return AnalysisState(Outcome.NOT_ANALYSED)

    def shown_run(self) -> Run | None:
        """The run whose candidates are on the screen, also while another is made or has failed."""
        key = self._reading.key
        return None if key is None else self._run_of(key)

    def proposals(self) -> tuple[Proposal, ...]:
        """The regions that a two-stage model looked at on this image, in this sitting."""
        key = self._reading.key
        return () if key is None else self._proposals.get(key, ())

    def _run_of(self, key: ImageKey) -> Run | None:
        """The last run over these very pixels."""
        session = self._reading.session
        run = None if session is None else session.analysed(key.uid, key.frame_number)
        return run if run is not None and run.image == key else None

    def _refusal(self, image: Image) -> str | None:
        if self.model is None:
            return None
        loaded = self._reading.loaded
        if loaded is not None and loaded.frame.incomplete:
            return INCOMPLETE
        series = image.series
        return self.model.card.refusal(
            series.modality, series.body_part, image.view, image.is_colour
        )

    # --- running ---------------------------------------------------------------------------------

    def run(self) -> None:
        """Analyse the image on the screen, whatever the card says and however often it was."""
        task = self._task()
        if task is None or self.model is None:
            return
        self._failures.pop(task.key, None)
        self._stopped.discard(task.key)
        self._start(task)

    def use(self, model: Model | None) -> None:
        """Run this model from now on; what runs already is finished with the other one."""
        self.model = model
        self.changed.emit()

    def prepare(self, image: Image, frame: Frame) -> None:
        """Analyse an image that will be opened soon, once the reader waits for nothing here.

        What runs is never broken off for another image: the worker would have to load the model
        again, which takes longer than to let it finish.
        """
        key = ImageKey(image.uid, image.frame_number, frame.pixel_sha256)
        if self._wanted_ahead(image, frame):
            self._ahead = [*self._ahead, _Task(key, image.study, frame, image)][-_MOST_AHEAD:]
            self._start_ahead()

    def _wanted_ahead(self, image: Image, frame: Frame) -> bool:
        model, series = self.model, image.series
        return (
            model is not None
            and self._settings.flag("analyse_on_opening")
            and not frame.incomplete
            and model.card.refusal(series.modality, series.body_part, image.view, image.is_colour)
            is None
        )

    def _start_ahead(self) -> None:
        while self._ahead and self._running is None and self._next is None:
            task = self._ahead.pop(0)
            known = task.key in self._failures or task.key in self._stopped
            if not known and not self._reading.sessions.analysed_by(task.key, self._weights):
                self._start(task)

    @property
    def _weights(self) -> str:
        return "" if self.model is None else self.model.card.weights_sha256

    @property
    def busy(self) -> bool:
        """Whether an image is being analysed here."""
        return self._running is not None

    def cancel(self) -> None:
        """Stop what runs and what waits."""
        self._next = None
        self._ahead.clear()
        if self._running is not None:
            self._stopped.add(self._running.key)
            self._jobs.cancel(SLOT)
        self.changed.emit()

    def _opened(self) -> None:
        """An image came up: analyse it, unless there is a reason not to."""
        self._next = None  # of an image that was only passed by
        task, image = self._task(), self._reading.image
        if (
            task is not None
            and image is not None
            and self.model is not None
            and self._settings.flag("analyse_on_opening")
            and task.key not in self._failures
            and task.key not in self._stopped
            and self._refusal(image) is None
            and not self._known(task.key)
        ):
            self._start(task)
        self.changed.emit()

    def _known(self, key: ImageKey) -> bool:
        """True where the present model has seen these pixels already."""
        run = self._run_of(key)
        return run is not None and run.weights_sha256 == self._weights

    def _task(self) -> _Task | None:
        key, position, loaded = self._reading.key, self._reading.position, self._reading.loaded
        if key is None or position is None or loaded is None or loaded.frame.incomplete:
            return None
        return _Task(key, position.study.header, loaded.frame)

    def _start(self, task: _Task) -> None:
        if self._running is not None:
            self._next = task if task.key != self._running.key else None
            self.changed.emit()
            return
        model, device = self.model, self._settings.text("device")
        if model is None:
            return
        proposals = int(self._settings.text("proposals")) if model.card.has_proposals else 0
        self._running, self._stage = task, "starting"

        def work(report: Report) -> Detections:
            return self._detect(task.frame, model.folder, SCORE_FLOOR, device, report, proposals)

        self._jobs.submit(
            SLOT,
            work,
            lambda detections: self._done(task, detections, model.card.default_threshold),
            lambda error: self._failed(task, error),
            self._progressed,
        )
        self.changed.emit()

    def _progressed(self, update: DetectUpdate) -> None:
        self._stage = update.stage
        self.changed.emit()

    def _done(self, task: _Task, detections: Detections, threshold: float) -> None:
        sessions = self._reading.sessions
        try:
            # Under the key that was sent, whatever the screen shows by now.
            if task.ahead is not None:
                sessions.add_ahead(task.ahead, task.key, detections, threshold)
            else:
                sessions.keep(task.key)
                sessions.of(task.study).add_run(task.key, detections, threshold)
            self._seconds[task.key] = detections.seconds
            self._proposals[task.key] = detections.proposals
        except ViewerError as error:
            self._failures[task.key] = str(error)
        self._end()

    def _failed(self, task: _Task, error: ViewerError) -> None:
        if isinstance(error, Cancelled):
            self._stopped.add(task.key)
        else:
            self._failures[task.key] = str(error)
        self._end()

    def _end(self) -> None:
        self._running = None
        task, self._next = self._next, None
        if task is not None:
            self._start(task)
        else:
            self.changed.emit()
            self._start_ahead()
