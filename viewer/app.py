"""The composition root of the window: builds the objects, connects them, runs."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from viewer.dicom.model import Frame, Image, Kind
from viewer.engine import client
from viewer.engine.host import Worker
from viewer.engine.pool import Pool
from viewer.errors import DamagedError, EngineError, StoreError
from viewer.exchange.export import FileAccess
from viewer.home import Home, bundled_resources
from viewer.installed import model_in_use
from viewer.review.late_store import LateStore
from viewer.settings import Settings
from viewer.ui import (
    analysis,
    backing_up,
    batching,
    dialogs,
    exchanging,
    frames,
    model_choice,
    mpr,
    mpr_view,
    objects,
    opening,
    prefetch,
    reading_list,
    tag_browser,
    theme,
    thumbnails,
    view_picture,
    watching,
    worklist,
)
from viewer.ui.analysis import Model
from viewer.ui.batching import BatchEngine
from viewer.ui.engine import Engine
from viewer.ui.jobs import Jobs
from viewer.ui.main_window import MainWindow
from viewer.ui.objects import ObjectReaders

if TYPE_CHECKING:
    from viewer.review.store import Store

_log = logging.getLogger(__name__)

_FIRST_PAINT_MS = 30  # the window system has put the window on the screen by then


class Workers:
    """The child processes of the window. Each starts at its first request."""

    def __init__(self, memory: Path | None = None) -> None:
        self._memory = memory  # where the fastest way to compute a model is kept
        self.scan = Worker("decode")  # scanning, exporting, importing
        self.frames = Pool("decode", len(frames.LANES))
        self.thumbnails = Worker("decode")
        self.model = Worker("model")
        self.adding = Worker("model")  # opens files of strangers: not where the analysis runs
        self.tags = Worker("decode")
        self.objects = Worker("decode")  # reports, presentation states, segmentations
        self.volumes = Worker("decode")  # whole stacks, beside the frames that are scrolled to
        self.listing = Worker("decode")  # what comes into the worklist without being opened
        self.ahead = Worker("decode")  # the next studies of the list
        # A batch has its own, so that the reader's image never waits for one of hundreds.
        self.batch_decode = Worker("decode")
        self.batch_model = Worker("model")

    def start(self) -> None:
        """Start those that the first picture will need."""
        with suppress(EngineError):  # the first request says it
            for worker in (self.scan, self.frames, self.thumbnails):
                worker.start()

    def close(self) -> None:
        for worker in vars(self).values():
            if isinstance(worker, Worker | Pool):
                worker.close()

    def engine(self) -> Engine:
        """What the window asks of them."""
        return Engine(
            scan=partial(client.scan, self.scan),
            decode=partial(client.decode_frames, self.frames),
            make_thumbnail=partial(client.make_thumbnail, self.thumbnails),
            detect=partial(client.detect, self.model, memory=self._memory),
            files=FileAccess(
                decode=partial(client.decode_frame, self.scan),
                copy=partial(client.copy_image, self.scan),
                measurements=partial(client.read_measurements, self.scan),
            ),
            load=self._load,
            inspect_model=partial(client.inspect_model, self.adding),
            add_model=partial(client.add_model, self.adding),
            read_tags=partial(client.read_tags, self.tags),
            objects=self._object_readers(),
            decode_for_volume=partial(client.decode_frame, self.volumes),
            scan_for_list=partial(client.scan, self.listing),
            scan_ahead=partial(client.scan, self.ahead),
            decode_ahead=partial(client.decode_frame, self.ahead),
            batch=BatchEngine(
                scan=partial(client.scan, self.batch_decode),
                decode=partial(client.decode_frame, self.batch_decode),
                detect=partial(client.detect, self.batch_model, memory=self._memory),
            ),
        )

    def _load(self, path: Path) -> list[tuple[Image, Frame]]:
        images: list[Image] = []
        client.scan(self.scan, [path], lambda update: images.extend(update.images))
        return [
            (image, client.decode_frame(self.scan, image))
            for image in images
            if image.kind is Kind.IMAGE
        ]

    def _object_readers(self) -> ObjectReaders:
        return ObjectReaders(
            report=lambda image: client.read_report(self.objects, image),
            softcopy=lambda state, image: client.read_softcopy(self.objects, state, image),
            segmentation=lambda image: client.read_segmentation(self.objects, image),
        )

    def _cancel_batch(self) -> None:
        self.batch_decode.cancel()
        self.batch_model.cancel()

    def jobs(self) -> Jobs:
        """The threads that wait for them, each able to interrupt what it waits for."""
        jobs = Jobs()
        jobs.add_slot(opening.SLOT, self.scan.cancel)
        for lane in frames.LANES:
            jobs.add_slot(lane, self.frames.cancel)
        jobs.add_slot(thumbnails.SLOT, self.thumbnails.cancel)
        jobs.add_slot(analysis.SLOT, self.model.cancel)
        jobs.add_slot(exchanging.SLOT, self.scan.cancel)
        jobs.add_slot(exchanging.HISTORY_SLOT)
        jobs.add_slot(backing_up.SLOT)
        jobs.add_slot(model_choice.SLOT, self.adding.cancel)
        jobs.add_slot(tag_browser.SLOT, self.tags.cancel)
        jobs.add_slot(view_picture.SLOT)
        jobs.add_slot(objects.SLOT, self.objects.cancel)
        jobs.add_slot(mpr.SLOT, self.volumes.cancel)
        jobs.add_slot(mpr_view.SLOT)
        jobs.add_slot(worklist.SLOT)
        jobs.add_slot(reading_list.SLOT, self.listing.cancel)
        jobs.add_slot(watching.SLOT, self.listing.cancel)
        jobs.add_slot(prefetch.SLOT, self.ahead.cancel)
        jobs.add_slot(batching.SLOT, self._cancel_batch)
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
    store = LateStore(home.database)
    workers = Workers(home.measured_speeds)
    failed = False

    def begin() -> None:
        nonlocal failed
        workers.start()  # they come up while the database does
        if not _open_store(store, window):
            failed = True
            app.exit(1)
            return
        if paths:
            window.open_paths([Path(path) for path in paths])

    try:
        window = make_window(workers, cast("Store", store), home, settings)
        sys.excepthook = _hook(window)
        _leave_on_signals(app, window)
        window.show()
        _log.info("window shown after %.2f s", time.monotonic() - started)
        QTimer.singleShot(_FIRST_PAINT_MS, begin)
        code = app.exec()
        if failed:
            window.close()  # only now: in the loop it would ask to quit a second time
        return 1 if code or failed else 0
    finally:
        sys.excepthook = sys.__excepthook__
        workers.close()
        store.close()


def _open_store(store: LateStore, window: MainWindow) -> bool:
    """Open the label database; where it is damaged, offer its backup. False: there is none."""
    try:
        store.open()
    except DamagedError as error:
        if error.backup is None:
            dialogs.tell(window, "Lightbox cannot start", str(error))
            return False
        if not dialogs.offer_backup(window, error.what, error.backup, error.made):
            return False
        try:
            window.notice.inform(store.restore(error.backup))
            store.open()
        except StoreError as second:
            dialogs.tell(window, "Lightbox cannot start", str(second))
            return False
    except StoreError as error:
        dialogs.tell(window, "Lightbox cannot start", str(error))
        return False
    if store.read_only:
        window.notice.problem(store.read_only)
    else:
        window.backing_up.start()
    return True


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
