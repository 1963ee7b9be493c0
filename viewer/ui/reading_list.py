"""What the reader does with the worklist: open it, open studies from it, and let it be filled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QDockWidget, QStackedWidget, QWidget

from viewer.batch import BatchStep
from viewer.dicom.model import Image, ScanUpdate, Skipped, Study
from viewer.errors import Cancelled, ViewerError
from viewer.review.worklist import WorklistRow
from viewer.settings import Settings
from viewer.ui import dialogs
from viewer.ui.analysis import Analysis
from viewer.ui.batching import Batching
from viewer.ui.cine import Cine
from viewer.ui.facts import Facts
from viewer.ui.frames import Frames
from viewer.ui.grid import Grid
from viewer.ui.jobs import Jobs, Report
from viewer.ui.opening import Opening, Scan
from viewer.ui.position import StudyKey, study_key
from viewer.ui.prefetch import Prefetch, Prepared, Wanted
from viewer.ui.reading import Reading
from viewer.ui.worklist import Worklist
from viewer.ui.worklist_panel import WorklistPanel

if TYPE_CHECKING:
    from viewer.review.study_list import Source

SLOT = "listing"

_AHEAD = 2  # studies made ready beyond the one on the screen
_AHEAD_MS = 400  # after a picture came up: what the reader waits for comes first
_DECIDED_MS = 250  # after a decision, before its row is read again
_STEP_MS = 500  # between two looks of the list while a batch runs
_OTHERS_MS = 15_000  # between two looks at what other desks have done


class Room(Protocol):
    """What it works with: the main window."""

    reading: Reading
    analysis: Analysis
    opening: Opening
    frames: Frames
    grid: Grid
    centre: QStackedWidget
    cine: Cine
    worklist: Worklist
    worklist_panel: WorklistPanel
    batching: Batching
    prefetch: Prefetch


class ReadingList(QObject):
    """The way from a row to the picture, and to the next one."""

    facts_changed = Signal(object)  # Facts
    failed = Signal(str)
    informed = Signal(str)
    working = Signal(str, int, int)  # words, how many files are read, of how many

    def __init__(
        self,
        room: Room,
        *,
        jobs: Jobs,
        scan: Scan,
        patient_key: Callable[[Image], str],
        settings: Settings,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._jobs = jobs
        self._scan = scan
        self._patient_key = patient_key
        self._settings = settings
        self._window = window
        self._reading, self._analysis, self._opening = room.reading, room.analysis, room.opening
        self._frames, self._grid, self._centre = room.frames, room.grid, room.centre
        self._cine = room.cine
        self._list, self._panel = room.worklist, room.worklist_panel
        self._batching, self._prefetch = room.batching, room.prefetch
        self._study: StudyKey | None = None
        self._facts = Facts()
        self._aside: list[QDockWidget] = []
        self._showing = self._timer(0, self._show)
        self._stepping = self._timer(_STEP_MS, self._show)
        self._decided = self._timer(_DECIDED_MS, self._follow_decision)
        self._ahead = self._timer(_AHEAD_MS, self._prepare_next)
        self._others = QTimer(self, interval=_OTHERS_MS)
        self._others.timeout.connect(self._list.reload)
        self._connect()

    def _timer(self, interval: int, call: Callable[[], None]) -> QTimer:
        timer = QTimer(self, singleShot=True, interval=interval)
        timer.timeout.connect(lambda: self._guarded(call))
        return timer

    def _connect(self) -> None:
        self._list.changed.connect(self._changed)
        self._list.failed.connect(self.failed)
        self._reading.image_shown.connect(self._image_shown)
        self._reading.changed.connect(self._decided.start)
        self._prefetch.prepared.connect(self._take_prepared)
        self._centre.currentChanged.connect(lambda _: self._page_changed())
        panel = self._panel
        panel.filtered.connect(
            lambda choice, order, backwards: self._list.show(choice, order, backwards=backwards)
        )
        panel.opened.connect(lambda row: self._guarded(lambda: self.open(row)))
        panel.removed.connect(lambda ids: self._guarded(lambda: self._list.hide(ids)))
        panel.folder_asked.connect(lambda: self._guarded(self.add_folder))
        panel.analyse_asked.connect(lambda: self._guarded(self.analyse))
        panel.cancelled.connect(self._batching.cancel)
        panel.left.connect(self.leave)
        self._batching.progressed.connect(
            lambda words, done, total: panel.show_batch(words, (done, total))
        )
        self._batching.stepped.connect(lambda step: self._guarded(lambda: self._stepped(step)))
        self._batching.ended.connect(self._batch_ended)

    def _guarded(self, call: Callable[[], object]) -> None:
        try:
            call()
        except ViewerError as error:
            self.failed.emit(str(error))

    # --- the page --------------------------------------------------------------------------------

    @property
    def shown(self) -> bool:
        return self._centre.currentWidget() is self._panel

    def toggle(self) -> None:
        """Show the list in the middle of the window, or go back to the picture."""
        if self.shown:
            self.leave()
            return
        self._list.load()
        self._list.reload()
        self._cine.stop()  # its next image would come up in place of the list
        self._centre.setCurrentWidget(self._panel)
        self._show()
        self._panel.bring_up(self._list.current)
        self._panel.table.setFocus()

    def leave(self) -> None:
        """Back to the picture."""
        self._centre.setCurrentWidget(self._grid)
        self._grid.take_focus()

    def _page_changed(self) -> None:
        """The list takes the whole width; what stood around the picture comes back with it."""
        if self.shown:
            self._others.start()
            docks = self._window.findChildren(QDockWidget)
            self._aside += [dock for dock in docks if dock.isVisible()]
        else:
            self._others.stop()
        for dock in self._aside:
            dock.setVisible(not self.shown)
        if not self.shown:
            self._aside.clear()
        self.follow_facts(self._facts)

    def follow_facts(self, facts: Facts) -> None:
        """Say besides whether the list is in sight."""
        self._facts = facts
        self.facts_changed.emit(replace(facts, worklist=self.shown))

    def _changed(self) -> None:
        self._ahead.start()
        if self.shown and not self._batching.busy:
            self._showing.start()

    def _show(self) -> None:
        if self.shown:
            self._panel.show_rows(
                self._list.listed,
                len(self._list.rows) if self._list.up_to_date else None,
                self._list.modalities,
                self._list.current,
            )

    # --- opening ---------------------------------------------------------------------------------

    def open(self, row: int) -> None:
        """Open a study of the list from its files.

        Raises
        ------
        StoreError
        """
        source = self._list.source(row)
        self._opening.open_study(
            source.files,
            self._is_of(source),
            lambda count, skipped: self._guarded(lambda: self._read(row, count, skipped)),
        )

    def next_unread(self) -> None:
        """Open the next study that this reader has not signed, in the order and filter in force."""
        self._list.load(lambda: self._guarded(self._open_next))

    def _open_next(self) -> None:
        if self._decided.isActive():
            self._follow_decision()
        rows = self._list.next_unread()
        if rows:
            self.open(rows[0].id)
        else:
            self.informed.emit("Nothing unread is left in the worklist as it is filtered.")

    def _is_of(self, source: Source) -> Callable[[Image], bool]:
        uid, key, patient_key = source.study_uid, source.patient_key, self._patient_key
        return lambda image: image.study.uid == uid and patient_key(image) == key

    def _read(self, row: int, count: int, skipped: Sequence[Skipped]) -> None:
        """What came of opening a row: a file that is gone or damaged is its row's failure."""
        if count:
            return
        reason = skipped[0].reason if skipped else "The study is not in its files any more."
        self._list.note_failure(row, reason)
        found = self._list.row(row)
        name = (
            "The study" if found is None else found.patient_name or found.description or "The study"
        )
        self.failed.emit(f"{name} could not be opened: {reason}")

    def _image_shown(self) -> None:
        position = self._reading.position
        key = None if position is None else study_key(position.study)
        if key != self._study:
            self._study = key
            self._guarded(self._follow)
        self._ahead.start()

    def _follow(self) -> None:
        """The row of the study on the screen is the current one, as it is now."""
        if self._decided.isActive():  # on the study before
            self._follow_decision()
        position = self._reading.position
        if position is not None:
            self._list.follow(position.study.header)

    def _follow_decision(self) -> None:
        self._decided.stop()
        if self._list.current is not None:
            self._list.refresh(self._list.current)

    # --- the next ones ---------------------------------------------------------------------------

    def _prepare_next(self) -> None:
        """Make the next studies ready, once nothing of the reader's own is to be brought."""
        if not self._list.loaded or self._reading.position is None:
            return
        if self._opening.busy:
            self._ahead.start()
            return
        self._prefetch.prepare([self._wanted(row) for row in self._list.next_unread()[:_AHEAD]])

    def _wanted(self, row: WorklistRow) -> Wanted:
        source = self._list.source(row.id)
        return Wanted(row.id, source.files, self._is_of(source))

    def _take_prepared(self, prepared: Prepared) -> None:
        self._frames.keep(prepared.image, prepared.loaded)
        self._analysis.prepare(prepared.image, prepared.loaded.frame)

    # --- filling ---------------------------------------------------------------------------------

    def add(self, studies: Sequence[Study]) -> None:
        """Put into the list what was opened."""
        self._list.add(
            image for study in studies for series in study.series for image in series.images
        )
        self._list.load_then(lambda: self._guarded(self._follow))

    def add_folder(self) -> None:
        """Ask for a folder, and put its studies into the list without opening them."""
        folder = dialogs.choose_folder(
            self._window, self._settings.text("last_folder"), "Add folder to the worklist"
        )
        if folder is not None:
            self._settings.change(last_folder=str(folder.parent))
            self.add_paths((folder,))

    def add_paths(self, paths: tuple[Path, ...]) -> None:
        """Put the studies of these files into the list."""
        if self._jobs.busy(SLOT):
            raise ViewerError("A folder is being added to the worklist; wait for it or cancel it.")
        skipped: list[Skipped] = []

        def work(report: Report) -> int:
            return self._scan(paths, report)

        def take(update: ScanUpdate) -> None:
            skipped.extend(update.skipped)
            self._list.add(update.images)
            self.working.emit("Adding to the worklist", update.files_done, update.files_total)

        self.working.emit("Adding to the worklist", 0, 0)
        self._jobs.submit(SLOT, work, lambda files: self._added(files, skipped), self._not, take)

    def _added(self, files: int, skipped: Sequence[Skipped]) -> None:
        self.working.emit("", 0, 0)
        words = f"{files:,} files were read for the worklist."
        if skipped:
            first = skipped[0]
            words += f" {len(skipped):,} are no images: {Path(first.path).name}: {first.reason}"
        self.informed.emit(words)

    def _not(self, error: ViewerError) -> None:
        self.working.emit("", 0, 0)
        if not isinstance(error, Cancelled):
            self.failed.emit(str(error))

    def cancel(self) -> None:
        """Stop adding; what was found stays in the list."""
        self._jobs.cancel(SLOT)

    def remove(self) -> None:
        """Take the chosen rows off the list, or the study on the screen; decisions stay."""
        current = self._list.current
        chosen = [row.id for row in self._panel.chosen()] if self.shown else []
        if not self.shown and current is not None:
            chosen = [current]
        if chosen:
            self._list.hide(chosen)

    # --- the batch -------------------------------------------------------------------------------

    def analyse(self) -> None:
        """Run the present model over what is listed and was not analysed by it.

        Raises
        ------
        ViewerError
            There is no model, or a batch runs.
        """
        self._list.load(lambda: self._guarded(self._start_batch))

    def _start_batch(self) -> None:
        ids = [row.id for row in self._list.listed if not row.done]
        if not ids:
            raise ViewerError("Everything that is listed was analysed by this model.")
        self._batching.start(ids)

    def _stepped(self, step: BatchStep) -> None:
        self._list.refresh(step.study)
        source = self._list.source(step.study)
        self._reading.sessions.reload(source.study_uid, source.patient_key)
        if not self._stepping.isActive():
            self._stepping.start()

    def _batch_ended(self, words: str) -> None:
        self._panel.show_batch(words, None)
        if not self.shown:
            self.informed.emit(words)
        self._show()
