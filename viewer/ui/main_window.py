"""The window: makes the panels, ties them together, and asks the reader what must be asked."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QByteArray, QPoint, QSize, Qt
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import (
    QDockWidget,
    QMainWindow,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from detector.types import Box
from viewer import log
from viewer.dicom.model import Frame, Image, Picture, ScanUpdate, StudyHeader
from viewer.errors import ViewerError
from viewer.home import Home
from viewer.review.store import Store
from viewer.settings import Settings
from viewer.ui import dialogs, wording
from viewer.ui.actions import Actions
from viewer.ui.analysis import Analysis, Detect, Model, Outcome
from viewer.ui.arrival import Arrival
from viewer.ui.deciding import Deciding
from viewer.ui.drop_target import DropTarget
from viewer.ui.exchanging import Exchanging, Load
from viewer.ui.findings_panel import FindingsPanel
from viewer.ui.frames import Frames
from viewer.ui.jobs import Jobs
from viewer.ui.model_choice import Add, Inspect, ModelChoice
from viewer.ui.model_dialogs import ModelsDialog
from viewer.ui.notice_bar import NoticeBar
from viewer.ui.opening import Opening
from viewer.ui.presentation import Presentation
from viewer.ui.reading import Reading
from viewer.ui.status_line import StatusLine
from viewer.ui.study_browser import StudyBrowser
from viewer.ui.threshold_bar import ThresholdBar
from viewer.ui.thumbnails import Thumbnails
from viewer.ui.tools import Tool
from viewer.ui.viewport import Viewport
from viewer.version import VERSION

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Engine:
    """What the child processes do for the window, as functions that wait for them."""

    scan: Callable[[tuple[Path, ...], Callable[[ScanUpdate], None]], int]
    decode: Callable[[Image], Frame]
    make_thumbnail: Callable[[Image, int], Picture]
    detect: Detect
    decode_for_export: Callable[[Image], Frame]
    load: Load
    inspect_model: Inspect
    add_model: Add


class MainWindow(QMainWindow):
    """Assembles the reading room."""

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
        # What is read, and what is done with it
        self.frames = Frames(jobs, engine.decode, self)
        self.reading = Reading(store, self.frames, self)
        self.reading.reader = settings.reader
        categories = () if model is None else model.card.categories
        self.deciding = Deciding(self.reading, categories, self)
        self.analysis = Analysis(
            jobs, self.reading, model=model, detect=engine.detect, settings=settings, parent=self
        )
        self.opening = Opening(jobs, engine.scan, self)
        self.exchanging = Exchanging(jobs, home.database, engine.decode_for_export, self)
        self._load = engine.load
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
        # The widgets
        self.viewport = Viewport(self)
        self.browser = StudyBrowser(Thumbnails(jobs, engine.make_thumbnail, self), self)
        self.panel = FindingsPanel(self)
        self.bar = ThresholdBar(self)
        self.status = StatusLine(self)
        self.notice = NoticeBar(self)
        self.sample_button = QPushButton("Open the sample study", self.viewport)
        self.presentation = Presentation(
            reading=self.reading,
            deciding=self.deciding,
            analysis=self.analysis,
            viewport=self.viewport,
            browser=self.browser,
            panel=self.panel,
            bar=self.bar,
            status=self.status,
            parent=self,
        )
        self.arrival = Arrival(
            self.opening,
            self.reading,
            viewport=self.viewport,
            browser=self.browser,
            status=self.status,
            parent=self,
        )
        self.actions_table = Actions(self, self, self.guarded)
        self._lay_out()
        self.drop_target = DropTarget(self)
        self._connect()
        if model is not None:
            self.reading.set_threshold(model.card.default_threshold)
        self.status.show_reader(settings.reader)
        self.sample_button.setVisible(sample is not None)
        self.arrival.show_empty()
        self.presentation.refresh()
        if settings.problem:
            self.notice.problem(settings.problem)

    # --- assembling ------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self.setWindowTitle(wording.window_title(None))
        self.setStatusBar(self.status)
        self.actions_table.fill_menus(self.menuBar())
        bar = QToolBar("Tools", self)
        bar.setObjectName("tools")
        bar.setMovable(False)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        stretch = QWidget(bar)
        stretch.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.actions_table.fill_tool_bar(bar, stretch)
        for button in bar.findChildren(QWidget):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.addToolBar(bar)
        middle = QWidget(self)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notice)
        column.addWidget(self.viewport, 1)
        self.setCentralWidget(middle)
        right = QWidget(self)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.panel, 1)
        column.addWidget(self.bar)
        left = self._dock("Studies", self.browser, Qt.DockWidgetArea.LeftDockWidgetArea)
        findings = self._dock("Findings", right, Qt.DockWidgetArea.RightDockWidgetArea)
        self.resizeDocks([left, findings], [250, 290], Qt.Orientation.Horizontal)
        below = QVBoxLayout(self.viewport)
        below.addStretch(64)
        below.addWidget(self.sample_button, 0, Qt.AlignmentFlag.AlignHCenter)
        below.addStretch(36)
        self.sample_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._restore_size()
        self.viewport.setFocus()

    def _dock(self, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(title.lower())
        dock.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
        dock.setWidget(widget)
        self.addDockWidget(area, dock)
        return dock

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

    def _connect(self) -> None:
        guarded = self.guarded
        self.sample_button.clicked.connect(
            lambda: self.open_paths([] if self._sample is None else [self._sample])
        )
        self.browser.chosen.connect(self.reading.open)
        self.viewport.scroll_requested.connect(self.reading.step)
        self.viewport.mark_clicked.connect(self.deciding.select)
        self.viewport.background_clicked.connect(lambda: self.deciding.select(None))
        self.viewport.box_drawn.connect(lambda box: guarded(lambda: self._added(box)))
        self.viewport.box_edited.connect(
            lambda mark_id, box: guarded(lambda: self.deciding.change_box(mark_id, box))
        )
        self.viewport.context_menu_requested.connect(self.show_menu)
        self.panel.chosen.connect(lambda mark_id: self.deciding.select(mark_id, reveal=True))
        self.panel.menu_requested.connect(self.show_menu)
        self.panel.rejected_toggled.connect(lambda _on: self.reading.toggle_rejected())
        self.bar.left.connect(self.viewport.setFocus)
        self.bar.moved.connect(self.reading.set_threshold)
        self.reading.failed.connect(self.notice.problem)
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
        self.status.skipped_asked.connect(
            lambda: dialogs.OpenReport(self, self.opening.skipped).exec()
        )
        self.status.reader_asked.connect(self.ask_settings)
        self.presentation.facts_changed.connect(self.actions_table.update)
        self.presentation.title_changed.connect(self.setWindowTitle)
        self.drop_target.dropped.connect(self.open_paths)

    # --- opening and keeping ---------------------------------------------------------------------

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Add files and folders to the browser; the first new image comes on the screen."""
        self.notice.hide()
        self.opening.open(paths)

    def ask_files(self) -> None:
        paths = dialogs.choose_files(self, self._settings.text("last_folder"))
        if paths:
            self._settings.change(last_folder=str(paths[0].parent))
            self.open_paths(paths)

    def ask_folder(self) -> None:
        path = dialogs.choose_folder(self, self._settings.text("last_folder"))
        if path is not None:
            self._settings.change(last_folder=str(path.parent))
            self.open_paths([path])

    def ask_export(self, *, everything: bool) -> None:
        folder = dialogs.choose_folder(
            self, self._settings.text("last_folder"), "Export into a new folder in"
        )
        if folder is not None:
            # A name of its own: an export never writes over an earlier one.
            out = folder / f"lightbox-coco-{datetime.now():%Y%m%d-%H%M%S}"
            self.exchanging.export(out, None if everything else self._selected_studies())

    def _selected_studies(self) -> list[StudyHeader]:
        """Those picked in the browser, else the one on the screen."""
        picked = self.browser.studies.picked()
        if not picked and self.reading.position is not None:
            picked = (self.reading.position.study,)
        return [study.header for study in picked]

    def ask_import(self) -> None:
        file = dialogs.choose_labels(self, self._settings.text("last_folder"))
        if file is not None:
            self.exchanging.import_labels(file, self._settings.reader, self._load)

    def close_study(self) -> None:
        """Let the study on the screen go; its neighbour comes up. Decisions stay in the store."""
        position = self.reading.position
        if position is None:
            return
        if self.opening.busy:
            raise ViewerError("Files are still being read; close the study when that is done.")
        self.reading.close(position.study)
        self.opening.forget(position.study)
        there = self.browser.studies.remove(position.study)
        if there is None:
            self.arrival.show_empty()
        else:
            self.reading.open(there)

    def ask_settings(self) -> None:
        names = [model.card.name for model in self.models.models()]
        dialog = dialogs.SettingsDialog(self, self._settings, names)
        if dialog.exec():
            self._settings.change(**dialog.values())
            problem = self.models.follow_settings()
            if problem:
                self.notice.problem(problem)
            self.reading.set_reader(self._settings.reader)
            self.status.show_reader(self._settings.reader)

    def show_models(self) -> None:
        ModelsDialog(self, self.models, self._settings.text("last_folder")).exec()

    def _exchange_failed(self, sentence: str) -> None:
        self.status.show_work("", None)
        if sentence:  # empty: the reader cancelled it
            self.notice.problem(sentence)

    # --- deciding --------------------------------------------------------------------------------

    def _added(self, box: Box) -> None:
        self.deciding.add(box)
        self.presentation.use_tool(Tool.WINDOW)  # one press of the key, one box

    def ask_category(self) -> None:
        """The categories, beside the selected finding in the list."""
        finding = self.deciding.finding()
        if finding is not None:
            menu = QMenu(self)
            self._fill_categories(menu, finding.category)
            menu.exec(self.panel.point_of(finding.id))
            menu.deleteLater()

    def show_menu(self, finding_id: str, point: QPoint) -> None:
        """What can be done with the finding under the cursor."""
        if finding_id:
            self.deciding.select(finding_id)
        menu = QMenu(self)
        finding = self.deciding.finding()
        if finding is not None and finding_id:
            for name in ("accept", "reject"):
                menu.addAction(self.actions_table[name])
            self._fill_categories(menu.addMenu("Category"), finding.category)
            menu.addSeparator()
        for name in ("box", "auto", "invert", "fit"):
            menu.addAction(self.actions_table[name])
        menu.exec(point)
        menu.deleteLater()

    def _fill_categories(self, menu: QMenu, current: str) -> None:
        for name in self.deciding.categories():
            action = menu.addAction(name.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(name == current)
            action.triggered.connect(
                lambda _checked=False, name=name: self.guarded(
                    lambda: self.deciding.change_category(name)
                )
            )
        menu.addSeparator()
        other = menu.addAction("Other…")
        other.triggered.connect(lambda: self.guarded(lambda: self._other_category(current)))

    def _other_category(self, current: str) -> None:
        name = dialogs.ask_category(self, current)
        if name is not None:
            self.deciding.change_category(name)

    def ask_signature(self) -> None:
        session = self.reading.session
        if session is None:
            return
        undecided = session.undecided()
        analysing = self.analysis.state().outcome is Outcome.ANALYSING
        if (undecided or analysing) and not dialogs.confirm_signature(
            self, len(undecided), analysing
        ):
            if undecided:
                self.deciding.select(undecided[0].id, reveal=True)
            return
        self.deciding.sign()

    # --- the rest --------------------------------------------------------------------------------

    def show_keys(self) -> None:
        dialogs.KeysDialog(self).exec()

    def show_about(self) -> None:
        model = self.analysis.model
        words = (
            "No model installed."
            if model is None
            else (f"Model: {model.card.name} {model.card.version}. {model.card.description}")
        )
        dialogs.show_about(self, VERSION, words)

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
        geometry, state = (
            base64.b64encode(kept.data()).decode("ascii")
            for kept in (self.saveGeometry(), self.saveState())
        )
        self.guarded(lambda: self._settings.change(window_geometry=geometry, window_state=state))
        self._jobs.close()
        event.accept()
