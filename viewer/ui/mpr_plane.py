"""One of the three MPR planes under the reader's mouse."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QWidget

from viewer.dicom.cutting import Plane
from viewer.ui import theme
from viewer.ui.crosshair import Crosshair, CrosshairDrag, Hold
from viewer.ui.tools import Drag, Tool
from viewer.ui.viewport import Viewport

NAMES = {Plane.AXIAL: "Axial", Plane.CORONAL: "Coronal", Plane.SAGITTAL: "Sagittal"}
COLOURS = {
    Plane.AXIAL: theme.MARK_OPEN,
    Plane.CORONAL: theme.MARK_ACCEPTED,
    Plane.SAGITTAL: theme.ACCENT,
}
"""Each plane has the colour of the lines that stand for it in the others."""

_CUTS = {  # the planes that the upright and the level line of a plane stand for
    Plane.AXIAL: (Plane.SAGITTAL, Plane.CORONAL),
    Plane.CORONAL: (Plane.SAGITTAL, Plane.AXIAL),
    Plane.SAGITTAL: (Plane.CORONAL, Plane.AXIAL),
}
_TOOLS = frozenset((Tool.WINDOW, Tool.PAN, Tool.ZOOM, Tool.SCROLL, Tool.MAGNIFIER))


class MprPlane(Viewport):
    """A viewport with a crosshair. Marks and measurements belong to images, not to planes."""

    crosshair_moved = Signal(float, float)  # in image coordinates
    inversion_toggled = Signal()
    entered = Signal()  # the keys are for this plane

    def __init__(self, plane: Plane, parent: QWidget) -> None:
        super().__init__(parent)
        self.plane = plane
        self.setAccessibleName(NAMES[plane])
        self._crosshair: Crosshair | None = None

    def set_tool(self, tool: Tool) -> None:
        super().set_tool(tool if tool in _TOOLS else Tool.WINDOW)

    def set_crosshair(self, x: float, y: float) -> None:
        """Cross at an image point."""
        upright, level = (COLOURS[plane] for plane in _CUTS[self.plane])
        self._crosshair = Crosshair(x, y, upright, level)
        self.set_layers((self._crosshair,))

    def toggle_inverted(self) -> None:
        super().toggle_inverted()
        self.inversion_toggled.emit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.entered.emit()

    def _left_drag(self, at: QPointF, reach: float) -> Drag | None:
        held = self._hold(at)
        if held is None or self._crosshair is None or self._shown is None:
            return super()._left_drag(at, reach)
        tell = self.crosshair_moved.emit
        return CrosshairDrag(self._shown.state, self._crosshair, held, tell)

    def _click(self, at: QPointF) -> None:
        """A click brings the crosshair there."""
        if self.view is not None and self.view.pixel_at(at.x(), at.y()) is not None:
            self.crosshair_moved.emit(*self.view.to_image(at.x(), at.y()))

    def _hold(self, at: QPointF) -> Hold | None:
        if self._crosshair is None or self.view is None:
            return None
        return self._crosshair.hold(self.view, at.x(), at.y())

    def _update_cursor(self) -> None:
        super()._update_cursor()
        if self._cursor_at is not None and not self._pointer.pressed:
            held = self._hold(QPointF(*self._cursor_at))
            if held is not None:
                self.setCursor(held.cursor)
