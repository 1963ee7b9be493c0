"""The reader's measurements: made, changed, erased and chosen in the viewports."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from viewer.errors import ViewerError
from viewer.review.measurement import Measurement, Point, Shape
from viewer.ui.deciding import Deciding
from viewer.ui.grid import Grid
from viewer.ui.reading import Reading
from viewer.ui.showing import Showing


class Measuring(QObject):
    """Keeps what is measured in the session of its study, and shows it where its image is shown.

    Attributes
    ----------
    selected : id of the selected measurement of the active viewport, or None. A finding and a
        measurement are never selected together: Delete means one thing.
    """

    selection_changed = Signal()

    def __init__(
        self,
        reading: Reading,
        deciding: Deciding,
        grid: Grid,
        guarded: Callable[[Callable[[], object]], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.selected: str | None = None
        self._reading = reading
        self._deciding = deciding
        self._grid = grid
        for pane in grid.panes:
            viewport = pane.viewport
            viewport.measured.connect(
                lambda shape, points: guarded(lambda: self.add(shape, points))
            )
            viewport.measurement_edited.connect(
                lambda measurement, points: guarded(lambda: self.change(measurement, points))
            )
            viewport.measurement_clicked.connect(self.select)
            viewport.mark_clicked.connect(lambda _: self.select(None))
            viewport.background_clicked.connect(lambda: self.select(None))
        deciding.selection_changed.connect(self._give_way)
        reading.shown.connect(self._show_in)
        reading.changed.connect(self._show)
        reading.turned.connect(lambda: self.select(None))

    def made_on(self, showing: Showing) -> tuple[Measurement, ...]:
        """The measurements on the image that a viewport shows."""
        position, key = showing.position, showing.key
        if position is None or key is None:
            return ()
        state = self._reading.sessions.of(position.study.header).state
        return tuple(each for each in state.measurements if each.image == key)

    def select(self, measurement_id: str | None) -> None:
        """Select one measurement of the active viewport, or none."""
        if measurement_id == self.selected:
            return
        self.selected = measurement_id
        if measurement_id is not None:
            self._deciding.select(None)
        self._show()
        self.selection_changed.emit()

    def add(self, shape: Shape, points: tuple[Point, ...]) -> None:
        """Keep a new measurement on the image in the active viewport, and select it.

        Raises
        ------
        ViewerError
            It could not be kept, or it is a document or a mask that is shown; nothing has changed.
        """
        session, key = self._reading.session, self._reading.key
        if session is None or key is None:
            raise ViewerError("Only an image can be measured, not a document or a segmentation.")
        self._reading.sessions.keep(key)
        self.select(session.measure(key, shape, points).id)

    def change(self, measurement_id: str, points: tuple[Point, ...]) -> None:
        """Give a measurement other points."""
        if self._reading.session is not None:
            self._reading.session.adjust(measurement_id, points)

    def erase(self) -> bool:
        """Take the selected measurement away; undo brings it back. False where none is selected."""
        if self._reading.session is None or self.selected is None:
            return False
        self._reading.session.erase(self.selected)
        return True

    def _give_way(self) -> None:
        if self._deciding.selected is not None:
            self.select(None)

    def _show(self) -> None:
        for pane in self._grid.in_sight:
            self._show_in(pane.showing)

    def _show_in(self, showing: Showing) -> None:
        made = self.made_on(showing)
        active = showing is self._reading.showing
        if active and self.selected not in {None, *(each.id for each in made)}:
            self.selected = None
            self.selection_changed.emit()
        viewport = self._grid.pane_of(showing).viewport
        viewport.set_measurements(made, self.selected if active else None)
