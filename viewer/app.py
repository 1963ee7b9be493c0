"""The composition root of the window: builds the objects, connects them, runs."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from detector.importing.description import Description, Inspection
from detector.types import Detections, ModelCard
from viewer.dicom.model import Frame, Image, Picture, ScanUpdate
from viewer.engine import client
from viewer.engine.host import Worker
from viewer.errors import StoreError
from viewer.home import Home, bundled_resources
from viewer.installed import model_in_use
from viewer.review.store import Store
from viewer.settings import Settings
from viewer.ui import (
    analysis,
    dialogs,
    exchanging,
    frames,
    model_choice,
    opening,
    theme,
    thumbnails,
)
from viewer.ui.analysis import Model
from viewer.ui.jobs import Jobs
from viewer.ui.main_window import Engine, MainWindow

_log = logging.getLogger(__name__)


class Workers:
    """The child processes of the window. Each starts at its first request."""

    def __init__(self, memory: Path | None = None) -> None:
        self._memory = memory  # where the fastest way to compute a model is kept
        self.scan = Worker("decode")  # scanning, exporting, importing
        self.frames = Worker("decode")
        self.thumbnails = Worker("decode")
        self.model = Worker("model")
        self.adding = Worker("model")  # opens files of strangers: not where the analysis runs

    def close(self) -> None:
        for worker in (self.scan, self.frames, self.thumbnails, self.model, self.adding):
            worker.close()

    def engine(self) -> Engine:
        """What the window asks of them."""

        def scan(paths: tuple[Path, ...], on_update: Callable[[ScanUpdate], None]) -> int:
            return client.scan(self.scan, paths, on_update)

        def load(path: Path) -> list[tuple[Image, Frame]]:
            images: list[Image] = []
            client.scan(self.scan, [path], lambda update: images.extend(update.images))
            return [(image, client.decode_frame(self.scan, image)) for image in images]

        def decode(image: Image) -> Frame:
            return client.decode_frame(self.frames, image)

        def decode_for_export(image: Image) -> Frame:
            return client.decode_frame(self.scan, image)

        def make_thumbnail(image: Image, size: int) -> Picture:
            return client.make_thumbnail(self.thumbnails, image, size)

        def detect(  # noqa: PLR0917 - as the window calls it
            frame: Frame,
            folder: Path,
            floor: float,
            device: str,
            on_update: analysis.DetectProgress,
            proposals: int,
        ) -> Detections:
            return client.detect(
                self.model, frame, folder, floor, device, on_update, proposals, memory=self._memory
            )

        def inspect_model(file: Path, description: Description) -> Inspection:
            return client.inspect_model(self.adding, file, description)

        def add_model(file: Path, models: Path, description: Description) -> ModelCard:
            return client.add_model(self.adding, file, models, description)

        return Engine(
            scan,
            decode,
            make_thumbnail,
            detect,
            decode_for_export,
            load,
            inspect_model,
            add_model,
        )

    def jobs(self) -> Jobs:
        """The threads that wait for them, each able to interrupt what it waits for."""
        jobs = Jobs()
        jobs.add_slot(opening.SLOT, self.scan.cancel)
        jobs.add_slot(frames.SLOT, self.frames.cancel)
        jobs.add_slot(thumbnails.SLOT, self.thumbnails.cancel)
        jobs.add_slot(analysis.SLOT, self.model.cancel)
        jobs.add_slot(exchanging.SLOT, self.scan.cancel)
        jobs.add_slot(exchanging.HISTORY_SLOT)
        jobs.add_slot(model_choice.SLOT, self.adding.cancel)
        return jobs


def run(paths: Sequence[Path], home: Home) -> int:
    """Open the window on files and folders, and stay until it is closed.

    Returns
    -------
    int
        Exit code: 0, or 1 where the label database cannot be opened, which a dialog says.
    """
    started = time.monotonic()
    app = application()
    settings = Settings.load(home.settings)
    try:
        store = Store.open(home.database)
    except StoreError as error:
        dialogs.tell(None, "Lightbox cannot start", str(error))
        return 1
    workers = Workers(home.measured_speeds)
    try:
        window = make_window(workers, store, home, settings)
        sys.excepthook = _hook(window)
        _leave_on_signals(app, window)
        window.show()
        _log.info("window shown after %.2f s", time.monotonic() - started)
        if paths:
            window.open_paths([Path(path) for path in paths])
        return app.exec()
    finally:
        sys.excepthook = sys.__excepthook__
        workers.close()
        store.close()


def application() -> QApplication:
    """The one QApplication, in the dress of the reading room."""
    present = QApplication.instance()
    if isinstance(present, QApplication):
        return present
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(
        Qt.HighDpiScaleFactorRoundingPolicy.PassThrough
    )
    # Our own menus and dialogs look alike on every system, and their keys are ours.
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeMenuBar)
    app = QApplication(sys.argv[:1])
    app.setApplicationName("Lightbox")
    app.setApplicationDisplayName("Lightbox")
    theme.apply(app)
    return app


def make_window(workers: Workers, store: Store, home: Home, settings: Settings) -> MainWindow:
    """The window over these workers, this store and these settings."""
    sample = bundled_resources() / "sample"
    model, problem = model_in_use(home, settings)
    window = MainWindow(
        jobs=workers.jobs(),
        engine=workers.engine(),
        store=store,
        home=home,
        settings=settings,
        model=None if model is None else Model(model.folder, model.card),
        sample=sample if sample.is_dir() else None,
    )
    if problem:
        window.notice.problem(problem)
    return window


def _hook(
    window: MainWindow,
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            window.close()
            return
        window.unexpected(error.with_traceback(trace))

    return hook


def _leave_on_signals(app: QApplication, window: MainWindow) -> None:
    """Ctrl+C in a terminal and a polite kill close the window as the reader would.

    Not there and then: Python runs a handler between any two instructions, in a paint event, too.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: QTimer.singleShot(0, window.close))
    # Python sees a signal only between two of its own instructions: give it some.
    pulse = QTimer(app, interval=250)
    pulse.timeout.connect(lambda: None)
    pulse.start()
