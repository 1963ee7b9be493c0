"""What covers the window, or a viewport, while something is dragged over it."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from viewer.ui import theme


class DropHint(QWidget):
    """A dimmed area with a frame: wherever in it the mouse lets go, it is dropped."""

    def __init__(self, parent: QWidget, title: str, detail: str, *, alpha: int = 240) -> None:
        super().__init__(parent)
        self._title = title
        self._detail = detail
        self._alpha = alpha
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def cover(self, area: QRect) -> None:
        self.setGeometry(area)
        self.raise_()
        self.show()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        dim = QColor(theme.WINDOW)
        dim.setAlpha(self._alpha)
        painter.fillRect(self.rect(), dim)
        painter.setPen(QPen(theme.ACCENT, 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(6, 6, -6, -6), 8, 8)
        font = painter.font()
        font.setPixelSize(22)
        painter.setFont(font)
        painter.setPen(theme.TEXT)
        middle = self.rect().adjusted(0, -18, 0, -18)
        painter.drawText(middle, Qt.AlignmentFlag.AlignCenter, self._title)
        font.setPixelSize(theme.TEXT_PIXELS)
        painter.setFont(font)
        painter.setPen(theme.MUTED)
        below = self.rect().adjusted(0, 30, 0, 30)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, self._detail)
