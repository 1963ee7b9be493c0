"""Cine: the images of a series one after the other, at the speed that the reader sets."""

from __future__ import annotations

import time
from dataclasses import replace

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from viewer.dicom.model import Image
from viewer.ui.frames import place_of
from viewer.ui.grid import Grid
from viewer.ui.pane import Pane
from viewer.ui.position import Position
from viewer.ui.reading import Reading

USUAL_RATE = 15.0  # frames a second where the file recommends none
SPEEDS = (1.0, 2.0, 3.0, 5.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0)


def recommended_rate(image: Image) -> float:
    """Frames a second as the file has them, within what a screen shows."""
    rate = image.acquisition.frame_rate or USUAL_RATE
    return min(max(rate, SPEEDS[0]), SPEEDS[-1])


class Cine(QObject):
    """Plays the active viewport, round and round.

    A frame that is not there in time is passed over: the speed stays and nothing waits. It ends
    when another series, another viewport or another page comes up.

    Attributes
    ----------
    rate : frames a second; the file's own at the start of each series.
    """

    changed = Signal()  # it began or ended, or has another speed

    def __init__(self, reading: Reading, grid: Grid, parent: QObject) -> None:
        super().__init__(parent)
        self.rate = USUAL_RATE
        self._reading = reading
        self._grid = grid
        self._pane: Pane | None = None
        self._of: Position | None = None  # some position of the series that plays
        self._began = 0.0
        self._done = 0  # frames that have had their time since then
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    @property
    def playing(self) -> bool:
        return self._pane is not None

    def toggle(self) -> None:
        if self.playing:
            self.stop()
            return
        position = self._reading.position
        if position is None or len(position.series.images) < 2:
            return
        if not position.same_series(self._of):
            self.rate = recommended_rate(position.image)
        self._of, self._pane = position, self._grid.active
        self._start()

    def stop(self) -> None:
        """Stay on the image that is on the screen."""
        if self._pane is not None:
            self._timer.stop()
            self._pane.viewport.set_note("")
            self._pane = None
            self.changed.emit()

    def change_speed(self, by: int) -> None:
        """To the next speed up or down."""
        slower = [speed for speed in SPEEDS if speed < self.rate]
        faster = [speed for speed in SPEEDS if speed > self.rate]
        if by > 0 and faster:
            self.rate = faster[0]
        elif by < 0 and slower:
            self.rate = slower[-1]
        if self.playing:
            self._start()

    def _start(self) -> None:
        self._began, self._done = time.monotonic(), 0
        self._timer.start(max(1, round(1000 / self.rate)))
        if self._pane is not None:
            self._pane.viewport.set_note(f"Cine {self.rate:.3g} frames/s")
        self.changed.emit()

    def _tick(self) -> None:
        pane = self._pane
        here = None if pane is None else pane.showing.heading_for
        if (
            pane is not self._grid.active
            or not pane.viewport.isVisible()
            or here is None
            or not here.same_series(self._of)
        ):
            self.stop()
            return
        shown = pane.showing.position
        if shown is None or place_of(shown.image) != place_of(here.image):
            return  # the one before is still on its way; its successors are passed over
        due = int((time.monotonic() - self._began) * self.rate)
        if due > self._done:
            count = len(here.series.images)
            there = (here.index + due - self._done) % count
            self._done = due
            pane.showing.open(replace(here, index=there))
