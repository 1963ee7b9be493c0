"""Drag and drop onto any part of the window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from viewer.ui.drop_hint import DropHint


class DropTarget(QObject):
    """Takes files that are dropped on a window, whatever of its children they are dropped on."""

    dropped = Signal(object, QPoint)  # list of Path, and where on the window

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.hint = DropHint(window, "Drop to open", "Files, folders, zip archives, DICOMDIR")
        window.setAcceptDrops(True)
        for child in window.findChildren(QWidget):
            child.setAcceptDrops(False)  # so that it comes to the window
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDropEvent) and not isinstance(event, QDragMoveEvent):
            self.hint.hide()
            paths = local_paths(event.mimeData())
            if paths:
                take(event)
                self.dropped.emit(paths, event.position().toPoint())
                return True
        elif isinstance(event, QDragEnterEvent | QDragMoveEvent):
            if local_paths(event.mimeData()):
                take(event)
                self.hint.cover(self._window.rect())
                return True
        elif event.type() in (QEvent.Type.DragLeave, QEvent.Type.Hide):
            self.hint.hide()
        return super().eventFilter(watched, event)


def take(event: QDropEvent) -> None:
    """Accept as a copy: the file manager must not think that its files were moved away."""
    event.setDropAction(Qt.DropAction.CopyAction)
    event.accept()


def local_paths(data: QMimeData) -> list[Path]:
    """The files of a drag that lie on this machine's file system."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
