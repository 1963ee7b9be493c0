"""What becomes of the studies that are found: into the browser, and the first on the screen."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from viewer.dicom.model import Kind, Study
from viewer.ui.frames import place_of
from viewer.ui.grid import Grid
from viewer.ui.opening import Found, Opening
from viewer.ui.position import Position, first_of, study_key
from viewer.ui.reading import Reading
from viewer.ui.status_line import StatusLine
from viewer.ui.study_browser import StudyBrowser

_EMPTY = "Drop a study here"
_EMPTY_DETAIL = (
    "DICOM, PNG, JPEG, TIFF or BMP: files, folders, zip archives, DICOMDIR\n"
    "Ctrl+O opens files, Ctrl+Shift+O a folder, F1 shows all keys"
)
_LISTED = 12  # files named in the picture's place where nothing could be opened


class Arrival(QObject):
    """Follows one lot of paths from the first study found to the last."""

    settled = Signal(object)  # tuple[Study, ...]: everything that this lot touched

    def __init__(
        self,
        opening: Opening,
        reading: Reading,
        *,
        grid: Grid,
        browser: StudyBrowser,
        status: StatusLine,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._opening = opening
        self._reading = reading
        self._grid = grid
        self._browser = browser
        self._status = status
        self._lot: dict[tuple[str, str, str], Study] = {}
        self._first: Position | None = None  # what this lot brought onto the screen
        self._showing = reading.showing  # and where
        opening.started.connect(self._started)
        opening.found.connect(self._found)
        opening.finished.connect(self._finished)

    def show_empty(self) -> None:
        """Say what to do, or plainly why nothing could be opened."""
        skipped = self._opening.skipped
        if not skipped:
            self._grid.viewport.show_message(_EMPTY, _EMPTY_DETAIL)
            return
        lines = [f"{item.path}: {item.reason}" for item in skipped[:_LISTED]]
        more = len(skipped) - _LISTED
        if more > 0:
            lines.append(f"and {more} more")
        count = "This file" if len(skipped) == 1 else f"None of these {len(skipped)} files"
        verb = "could not be opened" if len(skipped) == 1 else "could be opened"
        self._grid.viewport.show_message(f"{count} {verb}", "\n".join(lines))

    def _started(self) -> None:
        self._status.show_work("Opening", None)
        if self._reading.position is None:
            self._grid.viewport.show_message("Opening…")

    def _found(self, found: Found) -> None:
        self._browser.studies.add(found.studies)
        for study in found.studies:
            self._lot[study_key(study)] = study
            self._reading.study_grew(study)
        for there in map(first_of, found.studies):
            if self._first is None or self._gives_way(there):
                if self._first is None:
                    self._showing = self._reading.showing
                self._first = there
                self._showing.open(there)
        self._status.show_work("Opening", (found.files_done, found.files_total))
        self._status.show_skipped(len(self._opening.skipped))

    def _finished(self) -> None:
        first, lot = self._first, tuple(self._lot.values())
        self._first, self._lot = None, {}
        self._status.show_work("", None)
        if first is not None:
            self._showing.back_to_start(first)
        if self._reading.position is None and not lot:
            self.show_empty()
        if lot:
            self.settled.emit(lot)

    def _gives_way(self, there: Position) -> bool:
        """The first thing found was a report or the like, and the reader is still at it."""
        first, here = self._first, self._showing.heading_for
        return (
            first is not None
            and here is not None
            and first.image.kind is not Kind.IMAGE
            and there.image.kind is Kind.IMAGE
            and place_of(here.image) == place_of(first.image)
        )
