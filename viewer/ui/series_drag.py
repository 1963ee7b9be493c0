"""A series on its way from the browser into a viewport."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QPoint, Qt
from PySide6.QtGui import QDrag, QDropEvent, QPixmap
from PySide6.QtWidgets import QWidget

from viewer.ui.position import Position

_FORMAT = "application/x-lightbox-series"


class SeriesData(QMimeData):
    """What is dragged. It stays in this process: no name and no path goes to another program."""

    def __init__(self, position: Position) -> None:
        super().__init__()
        self.position = position
        self.setData(_FORMAT, b"1")


def dragged_series(event: QDropEvent) -> Position | None:
    """The series of a drag or a drop, or None where something else is dragged."""
    data = event.mimeData()
    return data.position if isinstance(data, SeriesData) else None


def drag_series(source: QWidget, position: Position, thumbnail: QPixmap | None) -> None:
    """Take a series along with the mouse until the button is released."""
    drag = QDrag(source)
    drag.setMimeData(SeriesData(position))
    if thumbnail is not None and not thumbnail.isNull():
        small = thumbnail.scaled(64, 64, Qt.AspectRatioMode.KeepAspectRatio)
        drag.setPixmap(small)
        drag.setHotSpot(QPoint(small.width() // 2, small.height() + 8))
    drag.exec(Qt.DropAction.CopyAction)
