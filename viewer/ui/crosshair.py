"""The crosshair of the MPR planes: where the others cut through, and how it is dragged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from viewer.ui import theme
from viewer.ui.tools import ViewState
from viewer.ui.view_transform import ViewTransform

REACH = 8.0  # screen pixels from a line at which a drag takes hold of it
_CENTRE = 16.0  # nearer than this to both lines, a drag takes hold of both
_GAP = 14.0  # screen pixels around the point that stay free, so that it can be seen


@dataclass(frozen=True, slots=True)
class Crosshair:
    """Two lines through an image point, a `Layer`.

    Attributes
    ----------
    x, y : the point, in image coordinates as in `Box`.
    upright, level : colours of the lines along a column and along a row of the image.
    """

    has_words = False

    x: float
    y: float
    upright: QColor
    level: QColor

    def paint(self, painter: QPainter, view: ViewTransform) -> None:
        """Draw the lines over the whole picture, with a gap around the point."""
        middle = QPointF(*view.to_screen(self.x, self.y))
        ends = (
            (self.upright, ((self.x, 0.0), (self.x, float(view.rows)))),
            (self.level, ((0.0, self.y), (float(view.columns), self.y))),
        )
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for colour, places in ends:
            for place in places:
                end = QPointF(*view.to_screen(*place))
                way = end - middle
                length = abs(way.x()) + abs(way.y())  # along an axis of the screen
                if length <= _GAP:
                    continue
                start = middle + way * (_GAP / length)
                painter.setPen(QPen(theme.LINE_HALO, 3))
                painter.drawLine(start, end)
                painter.setPen(QPen(colour, 1))
                painter.drawLine(start, end)

    def hold(self, view: ViewTransform, x: float, y: float) -> Hold | None:
        """What a drag from a screen point takes hold of: a line, both, or nothing."""
        image_x, image_y = view.to_image(x, y)
        scale_x, scale_y = view.scale
        across, down = abs(image_x - self.x) * scale_x, abs(image_y - self.y) * scale_y
        if max(across, down) <= _CENTRE:
            return Hold(upright=True, level=True)
        if min(across, down) > REACH:
            return None
        return Hold(upright=across <= down, level=down < across)


@dataclass(frozen=True, slots=True)
class Hold:
    """The lines that are held."""

    upright: bool
    level: bool

    @property
    def cursor(self) -> Qt.CursorShape:
        return Qt.CursorShape.SizeAllCursor


@dataclass(frozen=True, slots=True)
class CrosshairDrag:
    """Moves the crosshair; the picture under it stays as it is."""

    start: ViewState
    crosshair: Crosshair
    held: Hold
    tell: Callable[[float, float], None]  # the new point, in image coordinates

    @property
    def cursor(self) -> Qt.CursorShape:
        return self.held.cursor

    def moved(self, x: float, y: float) -> ViewState:
        image_x, image_y = self.start.transform.to_image(x, y)
        self.tell(
            image_x if self.held.upright else self.crosshair.x,
            image_y if self.held.level else self.crosshair.y,
        )
        return self.start
