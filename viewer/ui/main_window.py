"""The window: makes the panels, ties them together, and asks the reader what must be asked."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QPoint, QSize, Qt
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import (
    QDockWidget,
    QMainWindow,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from detector.types import Box
from viewer import log
from viewer.errors import ViewerError
from viewer.home import Home
from viewer.review.finding import Mode
from viewer.review.thresholds import Thresholds
from viewer.settings import Settings
from viewer.ui import dialogs, wording
from viewer.ui.actions import Actions, page_of_keys
from viewer.ui.adjudicating import Adjudicating
from viewer.ui.analysis import Analysis, Model
from viewer.ui.arrival import Arrival
from viewer.ui.asking import Asking
from viewer.ui.backing_up import BackingUp
from viewer.ui.batching import Batching
from viewer.ui.cine import Cine
from viewer.ui.deciding import Deciding
from viewer.ui.differing import Differing
from viewer.ui.dressing import Dressing
from viewer.ui.drop_target import DropTarget
from viewer.ui.engine import Engine
from viewer.ui.exchanging import Exchanging
from viewer.ui.finding_menus import FindingMenus
from viewer.ui.findings_panel import FindingsPanel
from viewer.ui.frames import Frames
from viewer.ui.full_screen import FullScreen
from viewer.ui.grid import Grid
from viewer.ui.hanging import Hanging
from viewer.ui.jobs import Jobs
from viewer.ui.linking import Linking
from viewer.ui.measuring import Measuring
from viewer.ui.model_choice import ModelChoice
from viewer.ui.mpr import Mpr
from viewer.ui.notice_bar import NoticeBar
from viewer.ui.objects import Objects
from viewer.ui.opening import Opening
from viewer.ui.prefetch import Prefetch
from viewer.ui.presentation import Presentation
from viewer.ui.presets import Presets
from viewer.ui.reading import Reading
from viewer.ui.reading_list import ReadingList
from viewer.ui.review_side import ReviewSide
from viewer.ui.reviewing import Reviewing
from viewer.ui.rows_place import RowsPlace
from viewer.ui.status_line import StatusLine
from viewer.ui.study_browser import StudyBrowser
from viewer.ui.tag_browser import TagBrowser
from viewer.ui.threshold_bar import ThresholdBar
from viewer.ui.thumbnails import Thumbnails
from viewer.ui.tools import Tool
from viewer.ui.view_picture import ViewPicture
from viewer.ui.viewport import Viewport
from viewer.ui.watching import WatchedFolder
from viewer.ui.worklist import Who, Worklist
from viewer.ui.worklist_panel import WorklistPanel

if TYPE_CHECKING:
    from viewer.review.store import Store

_log = logging.getLogger(__name__)


class MainWindow(QMainWindow):
    """Assembles the reading room.

    Attributes
    ----------
    centre : what is in the middle: the grid of viewports, or a page that takes its place.
    """

    def __init__(
        self,
        *,
        jobs: Jobs,
        engine: Engine,
        store: Store,
        home: Home,
        settings: Settings,
        model: Model | None,
        sample: Path | None,
    ) -> None:
        super().__init__()
        self._jobs = jobs
        self._settings = settings
        self._sample = sample
        self._make_reading(engine, store, home, model)
        self._make_widgets(engine, store)
        self._make_table(engine)
        self._lay_out()
        self.drop_target = DropTarget(self)
        self.grid.setAcceptDrops(True)  # after the window took the drops of all its children
        self._connect_reading()
        self._connect_work()
        self._connect_list()
        if model is not None:
            self.reading.set_thresholds(Thresholds(model.card.default_threshold))
        self.status.show_reader(settings.reader)
        self.sample_button.setVisible(sample is not None)
        self.arrival.show_empty()
        self.presentation.refresh()
        if settings.problem:
            self.notice.problem(settings.problem)

    # --- assembling ------------------------------------------------------------------------------

    def _make_reading(self, engine: Engine, store: Store, home: Home, model: Model | None) -> None:
        """What is read, and what is done with it."""
        jobs, settings = self._jobs, self._settings
        self.frames = Frames(jobs, engine.decode, self)
        self.reading = Reading(store, self.frames, self)
        self.reading.sessions.reader = settings.reader
        categories = () if model is None else model.card.categories
        self.deciding = Deciding(self.reading, categories, self)
        self.analysis = Analysis(
            jobs, self.reading, model=model, detect=engine.detect, settings=settings, parent=self
        )
        self.opening = Opening(jobs, engine.scan, self)
        self.worklist = Worklist(jobs, home.database, store, self._who, self)
        self.prefetch = Prefetch(jobs, engine.scan_ahead, engine.decode_ahead, self)
        self.batching = Batching(
            jobs,
            home.database,
            engine=engine.batch,
            analysis=self.analysis,
            settings=settings,
            parent=self,
        )
        self.watched = WatchedFolder(jobs, home.database, engine.scan_for_list, self)
        self.exchanging = Exchanging(jobs, home, engine.files, self)
        self.backing_up = BackingUp(jobs, home.database, self)
        self.models = ModelChoice(
            jobs,
            home,
            settings,
            inspect=engine.inspect_model,
            add=engine.add_model,
            reading=self.reading,
            deciding=self.deciding,
            analysis=self.analysis,
            parent=self,
        )

    def _make_widgets(self, engine: Engine, store: Store) -> None:
        """The panels, and what fills them."""
        self.grid = Grid(self.reading, self)
        self.objects = Objects(self._jobs, engine.objects, self)
        self.dressing = Dressing(self.objects, self)
        self.grid.set_dressing(self.dressing)
        self.centre = QStackedWidget(self)
        self.centre.addWidget(self.grid)
        self.browser = StudyBrowser(Thumbnails(self._jobs, engine.make_thumbnail, self), self)
        self.worklist_panel = WorklistPanel(self)
        self.centre.addWidget(self.worklist_panel)
        self.panel = FindingsPanel(self)
        self.bar = ThresholdBar(self)
        self.status = StatusLine(self)
        self.notice = NoticeBar(self)
        self.linking = Linking(self.reading, self.grid, self)
        self.hanging = Hanging(self.reading, self.grid, self.browser.studies)
        self.tags = TagBrowser(self._jobs, engine.read_tags, self.reading, self)
        self.view_picture = ViewPicture(
            self._jobs, self._settings, self.reading, lambda: self.viewport, self
        )
        self.measuring = Measuring(self.reading, self.deciding, self.grid, self.guarded, self)
        self.presets = Presets(self.reading, self.grid)
        self.cine = Cine(self.reading, self.grid, self)
        self.full_screen = FullScreen(self)
        self.findings_dock = QDockWidget("Findings", self)
        self.rows_place = RowsPlace(self, self)
        self.differing = Differing(self.reading, self.deciding, self.rows_place, self)
        self.adjudicating = Adjudicating(self.reading, self.deciding, self.rows_place, self)
        self.mpr = Mpr(self._jobs, engine.decode_for_volume, self, self)
        self.sample_button = QPushButton("Open the sample study", self.viewport)
        self.side = ReviewSide(
            self.reading,
            self.deciding,
            self.analysis,
            panel=self.panel,
            bar=self.bar,
            status=self.status,
            parent=self,
        )
        self.presentation = Presentation(
            reading=self.reading,
            deciding=self.deciding,
            analysis=self.analysis,
            grid=self.grid,
            dressing=self.dressing,
            linking=self.linking,
            measuring=self.measuring,
            presets=self.presets,
            cine=self.cine,
            browser=self.browser,
            side=self.side,
            parent=self,
        )
        self.reading_list = ReadingList(
            self,
            jobs=self._jobs,
            scan=engine.scan_for_list,
            patient_key=lambda image: store.patient_key(image.study),
            settings=self._settings,
            window=self,
        )
        self.arrival = Arrival(
            self.opening,
            self.reading,
            grid=self.grid,
            browser=self.browser,
            status=self.status,
            parent=self,
        )

    def _make_table(self, engine: Engine) -> None:
        """What the reader can do."""
        self.asking = Asking(
            self,
            settings=self._settings,
            reading=self.reading,
            analysis=self.analysis,
            exchanging=self.exchanging,
            models=self.models,
            studies=self.browser.studies,
            load=engine.load,
        )
        self.reviewing = Reviewing(
            self,
            settings=self._settings,
            reading=self.reading,
            deciding=self.deciding,
            analysis=self.analysis,
        )
        self.actions_table = Actions(self, self, self.guarded)
        self.finding_menus = FindingMenus(
            self, self.deciding, self.panel, self.actions_table.__getitem__, self.guarded
        )

    def _lay_out(self) -> None:
        self.setWindowTitle(wording.window_title(None))
        self.setStatusBar(self.status)
        self.actions_table.fill_menus(self.menuBar())
        self.addToolBar(self.actions_table.tool_bar(self))
        middle = QWidget(self)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notice)
        column.addWidget(self.centre, 1)
        self.setCentralWidget(middle)
        right = QWidget(self)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.panel, 1)
        column.addWidget(self.bar)
        left = QDockWidget("Studies", self)
        self._dock(left, self.browser, Qt.DockWidgetArea.LeftDockWidgetArea)
        self._dock(self.findings_dock, right, Qt.DockWidgetArea.RightDockWidgetArea)
        self.resizeDocks([left, self.findings_dock], [250, 290], Qt.Orientation.Horizontal)
        below = QVBoxLayout(self.viewport)
        below.addStretch(64)
        below.addWidget(self.sample_button, 0, Qt.AlignmentFlag.AlignHCenter)
        below.addStretch(36)
        self.sample_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._restore_size()
        self.viewport.setFocus()

    def _dock(self, dock: QDockWidget, widget: QWidget, area: Qt.DockWidgetArea) -> None:
        dock.setObjectName(dock.windowTitle().lower())
        dock.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
        dock.setWidget(widget)
        self.addDockWidget(area, dock)

    def _restore_size(self) -> None:
        screen = QGuiApplication.primaryScreen().availableSize()
        self.resize(QSize(1440, 900).boundedTo(screen * 0.94))
        self.setMinimumSize(900, 560)
        geometry, state = (
            QByteArray(base64.b64decode(self._settings.text(key)))
            for key in ("window_geometry", "window_state")
        )
        if not geometry.isEmpty():
            self.restoreGeometry(geometry)
        if not state.isEmpty():
            self.restoreState(state)

    def _connect_reading(self) -> None:
        """The picture, the browser and the list of findings."""
        guarded = self.guarded
        self.browser.chosen.connect(self.reading.open)
        for pane in self.grid.panes:
            viewport = pane.viewport
            viewport.mark_clicked.connect(self.deciding.select)
            viewport.background_clicked.connect(lambda: self.deciding.select(None))
            viewport.box_drawn.connect(lambda box: guarded(lambda: self._added(box)))
            viewport.box_edited.connect(
                lambda mark_id, box: guarded(lambda: self.deciding.change_box(mark_id, box))
            )
            viewport.context_menu_requested.connect(self.finding_menus.show)
            pane.report.image_chosen.connect(self.reading.go_to)
        self.panel.chosen.connect(lambda mark_id: self.deciding.select(mark_id, reveal=True))
        self.panel.menu_requested.connect(self.finding_menus.show)
        self.panel.rejected_toggled.connect(lambda _on: self.reading.toggle_rejected())
        self.bar.left.connect(self.grid.take_focus)
        self.reading.failed.connect(self.notice.problem)
        self.reading.image_shown.connect(lambda: self.centre.setCurrentWidget(self.grid))
        self.centre.currentChanged.connect(lambda _: self.presentation.refresh())
        self.presentation.facts_changed.connect(self.mpr.follow)
        self.mpr.facts_changed.connect(self.rows_place.follow)
        self.rows_place.facts_changed.connect(self.reading_list.follow_facts)
        self.reading_list.facts_changed.connect(self.actions_table.update)
        self.presentation.title_changed.connect(self.setWindowTitle)

    def _connect_work(self) -> None:
        """Opening, exporting, and what is asked before."""
        self.sample_button.clicked.connect(
            lambda: self.open_paths([] if self._sample is None else [self._sample])
        )
        self.view_picture.done.connect(self.notice.inform)
        self.view_picture.failed.connect(self.notice.problem)
        self.asking.chosen.connect(self.open_paths)
        self.reviewing.done.connect(self.notice.inform)
        self.models.told.connect(self.notice.inform)
        self.asking.settings_changed.connect(self.reviewing.follow_settings)
        self.asking.reader_changed.connect(self.reading.set_reader)
        self.asking.reader_changed.connect(self.status.show_reader)
        self.asking.failed.connect(self.notice.problem)
        self.opening.started.connect(self.sample_button.hide)
        self.opening.failed.connect(self.notice.problem)
        self.arrival.settled.connect(self.exchanging.read_history)
        self.exchanging.progressed.connect(
            lambda what, done, total: self.status.show_work(what, (done, total))
        )
        self.exchanging.done.connect(self.notice.inform)
        self.exchanging.done.connect(lambda _: self.status.show_work("", None))
        self.exchanging.failed.connect(self._exchange_failed)
        self.exchanging.imported.connect(self.reading.reload)
        self.exchanging.notes.connect(self.browser.studies.set_notes)
        self.status.cancelled.connect(self.opening.cancel)
        self.status.cancelled.connect(self.exchanging.cancel)
        self.backing_up.failed.connect(self.notice.problem)
        self.mpr.failed.connect(self.notice.problem)
        # How much the detector shows is no word for an adjudicator, who has not asked for it.
        self.rows_place.opened.connect(self.status.machine.hide)
        self.rows_place.closed.connect(self.status.machine.show)
        self.adjudicating.told.connect(self.notice.inform)
        self.status.skipped_asked.connect(
            lambda: dialogs.OpenReport(self, self.opening.skipped).exec()
        )
        self.status.reader_asked.connect(self.asking.settings)
        self.drop_target.dropped.connect(self._dropped)

    def _connect_list(self) -> None:
        """The worklist, and what fills it."""
        self.arrival.settled.connect(self.reading_list.add)
        self.asking.reader_changed.connect(lambda _: self.worklist.reload())
        self.asking.reader_changed.connect(lambda _: self._watch())
        self.watched.found.connect(self.worklist.add)
        self.watched.failed.connect(self.notice.problem)
        self.reading_list.failed.connect(self.notice.problem)
        self.reading_list.informed.connect(self.notice.inform)
        self.reading_list.working.connect(
            lambda words, done, total: self.status.show_work(words, (done, total))
        )
        self.status.cancelled.connect(self.reading_list.cancel)
        self._watch()

    def _watch(self) -> None:
        self.watched.watch(self._settings.text("watched_folder"))

    def _who(self) -> Who:
        """For whom the list is read, and which model is the present one."""
        model = self.analysis.model
        weights = "" if model is None else model.card.weights_sha256
        return self._settings.reader, Mode(self._settings.text("reading_mode")), weights

    @property
    def viewport(self) -> Viewport:
        """The active one: of the images, or of the page in their place."""
        return self.mpr.viewport or self.rows_place.viewport or self.grid.viewport

    # --- opening and keeping ---------------------------------------------------------------------

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Add files and folders to the browser; the first new image comes on the screen."""
        self.notice.hide()
        self.opening.open(paths)

    def _dropped(self, paths: Sequence[Path], point: QPoint) -> None:
        """Files that are dropped on a viewport are opened there."""
        pane = self.grid.pane_at(self.grid.mapFrom(self, point))
        if pane is not None and not self.grid.isHidden():
            self.grid.activate(pane)
        self.open_paths(paths)

    def close_study(self) -> None:
        """Let the study on the screen go; its neighbour comes up. Decisions stay in the store."""
        position = self.reading.position
        if position is None:
            return
        if self.opening.busy:
            raise ViewerError("Files are still being read; close the study when that is done.")
        self.reading.close(position.study)
        self.opening.forget(position.study)
        self.dressing.forget(position.study)
        self.frames.forget(image for each in position.study.series for image in each.images)
        there = self.browser.studies.remove(position.study)
        if there is None:
            self.arrival.show_empty()
        else:
            self.reading.open(there)

    def _exchange_failed(self, sentence: str) -> None:
        self.status.show_work("", None)
        if sentence:  # empty: the reader cancelled it
            self.notice.problem(sentence)

    def _added(self, box: Box) -> None:
        self.deciding.add(box)
        self.presentation.use_tool(Tool.WINDOW)  # one press of the key, one box

    def show_keys(self) -> None:
        dialogs.KeysDialog(self, page_of_keys()).exec()

    def guarded(self, call: Callable[[], object]) -> None:
        """Do what the reader asked; a failure becomes a sentence in the window."""
        try:
            call()
        except ViewerError as error:
            self.notice.problem(str(error))
            self.presentation.refresh()

    def unexpected(self, error: BaseException) -> None:
        """What no action caught: into the log, and one sentence for the reader."""
        _log.error("unexpected: %s", log.describe(error))
        if isinstance(error, ViewerError):
            self.notice.problem(str(error))
            return
        self.notice.problem(
            f"Something unexpected went wrong ({type(error).__name__}). Decisions made so far are "
            "kept; the log says where it was."
        )

    def closeEvent(self, event: QCloseEvent) -> None:
        self.full_screen.leave()  # the next window opens with all its panels
        self.rows_place.leave()
        if self.reading_list.shown:
            self.reading_list.leave()
        geometry, state = (
            base64.b64encode(kept.data()).decode("ascii")
            for kept in (self.saveGeometry(), self.saveState())
        )
        self.guarded(lambda: self._settings.change(window_geometry=geometry, window_state=state))
        self._jobs.close()
        self.worklist.close()
        event.accept()
