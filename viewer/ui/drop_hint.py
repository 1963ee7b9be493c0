"""What covers the window while files are dragged over it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from viewer.ui import theme


class DropHint(QWidget):
    """A dimmed window with a frame: wherever the files are let go, they are opened."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def cover(self) -> None:
        self.setGeometry(self._window.rect())
        self.raise_()
        self.show()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        dim = QColor(theme.WINDOW)
        dim.setAlpha(240)
        painter.fillRect(self.rect(), dim)
        painter.setPen(QPen(theme.ACCENT, 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(6, 6, -6, -6), 8, 8)
        font = painter.font()
        font.setPixelSize(22)
        painter.setFont(font)
        painter.setPen(theme.TEXT)
        middle = self.rect().adjusted(0, -18, 0, -18)
        painter.drawText(middle, Qt.AlignmentFlag.AlignCenter, "Drop to open")
        font.setPixelSize(theme.TEXT_PIXELS)
        painter.setFont(font)
        painter.setPen(theme.MUTED)
        below = self.rect().adjusted(0, 30, 0, 30)
        words = "Files, folders, zip archives, DICOMDIR"
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, words)
