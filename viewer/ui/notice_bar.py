"""One sentence above the picture: what went wrong, or what was done. It asks for nothing."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from viewer.ui import theme

_INFORMATION_MS = 12_000


class NoticeBar(QFrame):
    """Hidden until there is something to say. A problem stays until it is dismissed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self.text = QLabel(self)
        self.text.setTextFormat(Qt.TextFormat.PlainText)  # what a file said is never HTML
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._close = QToolButton(self)
        self._close.setText("✕")
        self._close.setAccessibleName("Dismiss")
        self._close.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._close.clicked.connect(self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 6, 6)
        layout.addWidget(self.text, 1)
        layout.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self, singleShot=True, interval=_INFORMATION_MS)
        self._timer.timeout.connect(self.hide)
        self.hide()

    def problem(self, sentence: str) -> None:
        self._say(sentence, theme.ERROR.name())
        self._timer.stop()

    def inform(self, sentence: str) -> None:
        self._say(sentence, theme.ACCENT.name())
        self._timer.start()

    def _say(self, sentence: str, colour: str) -> None:
        self.setStyleSheet(
            f"#notice {{ background: {theme.RAISED.name()}; border-left: 3px solid {colour}; }}"
        )
        self.text.setText(sentence)
        self.show()
