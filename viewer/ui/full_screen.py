"""Full screen: the pictures alone, with the line of what the machine does below them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QToolBar, QWidget


class FullScreen:
    """Hides what stands around the pictures, and brings back what was there before."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self._hidden: list[QWidget] = []
        self._state = Qt.WindowState.WindowNoState

    @property
    def on(self) -> bool:
        return bool(self._hidden)

    def toggle(self) -> None:
        if self.on:
            self.leave()
            return
        window = self._window
        around = [
            window.menuBar(),
            *window.findChildren(QToolBar),
            *window.findChildren(QDockWidget),
        ]
        self._hidden = [widget for widget in around if widget.isVisible()]
        for widget in self._hidden:
            widget.hide()
        self._state = window.windowState()
        window.showFullScreen()

    def leave(self) -> None:
        """Back to the window as it was; nothing where it is no full screen."""
        if self.on:
            for widget in self._hidden:
                widget.show()
            self._hidden = []
            self._window.setWindowState(self._state)
