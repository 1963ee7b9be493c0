"""Viewports that follow the active one: to the same place in the patient, under the same window."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from viewer.dicom.model import Voi
from viewer.dicom.planes import nearest_image
from viewer.ui.grid import Grid
from viewer.ui.pane import Pane
from viewer.ui.reading import Reading
from viewer.ui.showing import Showing


class Linking(QObject):
    """Moves and windows the other viewports in sight after the active one.

    Attributes
    ----------
    scrolling : to the cut that lies nearest in the patient, in series of one frame of reference.
    window : to the same window, in series of one modality and unit.
    """

    changed = Signal()  # of what is linked

    def __init__(self, reading: Reading, grid: Grid, parent: QObject) -> None:
        super().__init__(parent)
        self.scrolling = False
        self.window = False
        self._grid = grid
        reading.shown.connect(self._shown)
        for pane in grid.panes:
            pane.viewport.voi_changed.connect(lambda voi, pane=pane: self._windowed(pane, voi))

    def toggle_scrolling(self) -> None:
        self.scrolling = not self.scrolling
        self._move()
        self.changed.emit()

    def toggle_window(self) -> None:
        self.window = not self.window
        self._window()
        self.changed.emit()

    def _followers(self) -> list[Pane]:
        return [pane for pane in self._grid.in_sight if pane is not self._grid.active]

    def _shown(self, showing: Showing) -> None:
        if showing is self._grid.active.showing:
            self._move()
        else:
            self._window()  # what came up elsewhere gets the window in force

    def _windowed(self, pane: Pane, _voi: Voi) -> None:
        if pane is self._grid.active:
            self._window()

    def _move(self) -> None:
        image = self._grid.active.showing.image
        if not self.scrolling or image is None:
            return
        for pane in self._followers():
            there = pane.showing.heading_for
            index = None if there is None else nearest_image(image, there.series)
            if there is not None and index is not None:
                pane.showing.step(index - there.index)

    def _window(self) -> None:
        leader = self._grid.active
        voi = leader.viewport.voi
        if not self.window or voi is None:
            return
        for pane in self._followers():
            if _alike(leader.showing, pane.showing):
                pane.viewport.set_voi(voi)


def _alike(one: Showing, other: Showing) -> bool:
    """Whether one window means the same on both: grey values of one modality and unit."""
    if one.loaded is None or other.loaded is None or one.image is None or other.image is None:
        return False
    a, b = one.loaded.frame, other.loaded.frame
    grey = not a.is_colour and not b.is_colour
    return grey and a.unit == b.unit and one.image.series.modality == other.image.series.modality
