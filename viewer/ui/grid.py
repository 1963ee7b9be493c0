"""The viewports beside each other: 1x1, 1x2 or 2x2, one of them active."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from detector.types import Box
from viewer.ui.comparing import captions
from viewer.ui.dressing import Dressing
from viewer.ui.drop_hint import DropHint
from viewer.ui.pane import Pane
from viewer.ui.reading import Reading
from viewer.ui.series_drag import dragged_series
from viewer.ui.showing import Showing
from viewer.ui.tools import Tool
from viewer.ui.viewport import Viewport

_COLUMNS = 2
_GAP = 1


class GridLayout(Enum):
    """How many panes are in sight."""

    ONE = 1
    TWO = 2
    FOUR = 4


class Grid(QWidget):
    """All panes, of which the layout shows some. The active one is that of the reading.

    Attributes
    ----------
    panes : all four, in reading order; those out of sight keep what they show.
    """

    arranged = Signal()  # other panes are in sight, or another one is active
    series_dropped = Signal(object, object)  # Pane, Position

    def __init__(self, reading: Reading, parent: QWidget) -> None:
        super().__init__(parent)
        self._reading = reading
        self._grid_layout = GridLayout.ONE
        while len(reading.showings) < GridLayout.FOUR.value:
            reading.add_showing()
        self.panes = tuple(Pane(showing, self) for showing in reading.showings)
        self._hint = DropHint(self, "Show here", "", alpha=170)
        cells = QGridLayout(self)
        cells.setContentsMargins(0, 0, 0, 0)
        cells.setSpacing(_GAP)
        for place, pane in enumerate(self.panes):
            cells.addWidget(pane, *divmod(place, _COLUMNS))
            pane.touched.connect(lambda pane=pane: self.activate(pane))
        reading.shown.connect(self._show)
        reading.grown.connect(self._show_places)
        reading.turned.connect(self._arrange)
        self._arrange()

    @property
    def active(self) -> Pane:
        return self.pane_of(self._reading.showing)

    @property
    def viewport(self) -> Viewport:
        """The active one."""
        return self.active.viewport

    @property
    def in_sight(self) -> tuple[Pane, ...]:
        """The panes of the layout: the lot of them that has the active one in it."""
        count = self._grid_layout.value
        first = self.panes.index(self.active) // count * count
        return self.panes[first : first + count]

    @property
    def grid_layout(self) -> GridLayout:
        return self._grid_layout

    def pane_of(self, showing: Showing) -> Pane:
        return next(pane for pane in self.panes if pane.showing is showing)

    def set_layout(self, layout: GridLayout) -> None:
        """Show this many panes, the active one among them."""
        self._grid_layout = layout
        self._arrange()

    def activate(self, pane: Pane) -> None:
        """Keys and decisions are for this pane from now on."""
        self._reading.turn_to(pane.showing)

    def centre_on(self, box: Box) -> None:
        """Bring a box of the active picture into view."""
        self.viewport.centre_on(box)

    def set_dressing(self, dressing: Dressing) -> None:
        """Who says how pictures appear beyond what their own files say."""
        for pane in self.panes:
            pane.dressing = dressing
            dressing.changed.connect(pane.refresh_appearance)
            dressing.state_switched.connect(pane.switch_state)
            self._reading.grown.connect(pane.refresh_appearance)

    def take_focus(self) -> None:
        self.viewport.setFocus()

    def set_tool(self, tool: Tool) -> None:
        for pane in self.panes:
            pane.viewport.set_tool(tool)

    def pane_at(self, point: QPoint) -> Pane | None:
        """The pane in sight under a point of the grid."""
        return next((pane for pane in self.in_sight if pane.geometry().contains(point)), None)

    def _show(self, showing: Showing) -> None:
        self.pane_of(showing).show_picture()
        self._caption()

    def _arrange(self) -> None:
        self._reading.in_sight = tuple(pane.showing for pane in self.in_sight)
        several = self._grid_layout is not GridLayout.ONE
        for pane in self.panes:
            pane.setVisible(pane in self.in_sight)
            pane.set_active(pane is self.active, framed=several)
        self._caption()
        self.viewport.setFocus()
        self.arranged.emit()

    def _caption(self) -> None:
        panes = self.in_sight
        studies = [
            None if pane.showing.position is None else pane.showing.position.study.header
            for pane in panes
        ]
        lines = captions(studies, panes.index(self.active))
        room = any(line.text for line in lines)
        for pane, line in zip(panes, lines, strict=True):
            pane.set_caption(line, room=room)

    def _show_places(self) -> None:
        for pane in self.panes:
            pane.show_place()

    # --- a series that is dragged from the browser ------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dragged_series(event) is not None:
            event.acceptProposedAction()
        else:
            event.ignore()  # files are the window's

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        under = self.pane_at(event.position().toPoint())
        self._aim_at(under)
        event.setAccepted(under is not None)

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self._aim_at(None)

    def dropEvent(self, event: QDropEvent) -> None:
        self._aim_at(None)
        pane, position = self.pane_at(event.position().toPoint()), dragged_series(event)
        if pane is not None and position is not None:
            event.acceptProposedAction()
            self.series_dropped.emit(pane, position)

    def _aim_at(self, target: Pane | None) -> None:
        """Say where the series that is being dragged would be dropped."""
        if target is None:
            self._hint.hide()
        else:
            self._hint.cover(target.geometry())
