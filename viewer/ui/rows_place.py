"""Where a page of rows stands: in the middle of the window, in place of the images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QDockWidget, QStackedWidget, QWidget

from viewer.dicom.model import ImageKey, Study
from viewer.ui import wording
from viewer.ui.cine import Cine
from viewer.ui.corner_text import CornerText
from viewer.ui.facts import Facts
from viewer.ui.frames import Frames
from viewer.ui.grid import Grid
from viewer.ui.position import Position, find_image
from viewer.ui.rows_page import RowsPage
from viewer.ui.showing import Showing
from viewer.ui.viewport import Viewport


class Room(Protocol):
    """What the page takes its place in: the main window."""

    frames: Frames
    grid: Grid
    centre: QStackedWidget
    cine: Cine
    findings_dock: QDockWidget

    def guarded(self, call: Callable[[], object]) -> None: ...


class RowsPlace(QObject):
    """Opens one page of rows at a time, brings pictures onto it, and closes it.

    Attributes
    ----------
    page : the one that is open.
    """

    pictured = Signal()  # another picture is on the page, or why there is none
    opened = Signal()
    closed = Signal()
    facts_changed = Signal(object)  # Facts: what of the window's actions is left

    def __init__(self, room: Room, parent: QWidget) -> None:
        super().__init__(parent)
        self.page: RowsPage | None = None
        self._guarded = room.guarded
        self._grid, self._centre, self._cine = room.grid, room.centre, room.cine
        self._dock = room.findings_dock
        self._dock_was_there = False
        self._study: Study | None = None
        self._shown: Position | None = None
        self._tool = room.grid.viewport.tool  # of the window, when it was last told
        self._showing = Showing(room.frames, self)
        self._showing.shown.connect(self._show)
        self._showing.failed.connect(self._say)
        self._centre.currentChanged.connect(self._page_changed)

    @property
    def viewport(self) -> Viewport | None:
        return None if self.page is None else self.page.viewport

    @property
    def key(self) -> ImageKey | None:
        """The image, with its pixels, that is on the page."""
        return None if self.page is None else self._showing.key

    def open(self, position: Position) -> RowsPage:
        """A page about a study with the image of ``position``, without a row yet.

        The list of findings makes room for it.
        """
        self.leave()
        self._study, self._shown = position.study, None
        page = self.page = RowsPage(self._guarded, self._centre)
        page.left.connect(self.leave)
        page.viewport.set_tool(self._grid.viewport.tool)
        self._cine.stop()  # its next image would come up in place of the page
        self._dock_was_there = not self._dock.isHidden()
        self._dock.hide()
        self._centre.addWidget(page)
        self._centre.setCurrentWidget(page)
        page.setFocus()
        self._showing.open(position)
        self.opened.emit()
        return page

    def go_to(self, image: ImageKey) -> None:
        """Bring an image onto the page."""
        if self.page is None or self._study is None or self.key == image:
            return
        there = find_image(self._study, image.uid, image.frame_number)
        if there is None:
            self._say("It is not among the files that are open.")
        else:
            self._showing.open(there)

    def leave(self) -> None:
        """Back to the images."""
        if self.page is not None:
            self._centre.setCurrentWidget(self._grid)
            self._grid.take_focus()

    def follow(self, facts: Facts) -> None:
        """What the window's own actions can do: nothing on decisions, all on the picture."""
        if self.page is not None:
            if facts.tool is not self._tool:
                self.page.viewport.set_tool(facts.tool)
            facts = replace(facts, picture=True, study=False, can_undo=False, can_redo=False)
        self._tool = facts.tool
        self.facts_changed.emit(facts)

    def _show(self) -> None:
        if self.page is None:
            return
        position, loaded = self._showing.position, self._showing.loaded
        if position is None or loaded is None:
            self._say(self._showing.trouble)
            return
        same = position.same_series(self._shown)
        view, image = self.page.viewport, position.image
        view.show_frame(image, loaded.frame, loaded.voi, same_series=same)
        view.set_corner_text(
            CornerText(
                wording.patient_lines(image),
                wording.series_lines(image),
                wording.image_lines(position),
            )
        )
        self._shown = position
        self.pictured.emit()

    def _say(self, sentence: str) -> None:
        if self.page is not None:
            self._shown = None
            self.page.viewport.show_message("This image cannot be shown", sentence)
            self.pictured.emit()

    def _page_changed(self) -> None:
        """Another page is in the middle: this one goes."""
        page = self.page
        if page is None or self._centre.currentWidget() is page:
            return
        self.page = None
        if self._study is not None:
            self._showing.let_go(self._study)
        self._study = self._shown = None
        if self._dock_was_there:
            self._dock.show()
        self._centre.removeWidget(page)
        page.deleteLater()
        self.closed.emit()
