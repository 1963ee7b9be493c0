"""The status bar: the detector at the left, work in the middle, the notice always at the right."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QProgressBar, QStatusBar, QToolButton, QWidget

from detector.types import RESEARCH_USE_ONLY
from viewer.ui import theme
from viewer.ui.wording import plain_tip


class ElidedLabel(QLabel):
    """One line that gives way to its neighbours; the whole of it is in the tool tip."""

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setToolTip(plain_tip(text))

    def minimumSizeHint(self) -> QSize:
        return QSize(80, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        metrics = painter.fontMetrics()
        text = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.setPen(theme.TEXT if self.isEnabled() else theme.DISABLED)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, text)


class StatusLine(QStatusBar):
    """What the machine does, and how to stop it."""

    cancelled = Signal()
    skipped_asked = Signal()
    reader_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self.machine = ElidedLabel(self)
        self.progress = QProgressBar(self)
        self.progress.setFixedWidth(140)
        self.progress.setTextVisible(False)
        self.doing = QLabel(self)
        self.cancel = self._button("Cancel")
        self.cancel.clicked.connect(self.cancelled)
        self.skipped = self._button("")
        self.skipped.clicked.connect(self.skipped_asked)
        self.reader = self._button("")
        self.reader.clicked.connect(self.reader_asked)
        self.reader.setToolTip("The name that is kept with each decision; click to change it")
        self.notice = QLabel(RESEARCH_USE_ONLY, self)
        self.notice.setContentsMargins(8, 0, 8, 0)
        self.addWidget(self.machine, 1)
        for widget in (self.doing, self.progress, self.cancel, self.skipped, self.reader):
            self.addPermanentWidget(widget)
        self.addPermanentWidget(self.notice)
        self.setContentsMargins(8, 2, 0, 2)
        self.show_work("", None)
        self.show_skipped(0)

    def _button(self, text: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return button

    def show_work(self, words: str, progress: tuple[int, int] | None) -> None:
        """Say what is being done and how far it is; nothing where ``words`` is empty."""
        self.doing.setText(words)
        for widget in (self.doing, self.progress, self.cancel):
            widget.setVisible(bool(words))
        done, total = progress or (0, 0)
        self.progress.setRange(0, total)  # 0 to 0 is a bar that only moves
        self.progress.setValue(done)

    def show_skipped(self, count: int) -> None:
        self.skipped.setVisible(count > 0)
        self.skipped.setText("1 file not opened" if count == 1 else f"{count} files not opened")

    def show_reader(self, name: str) -> None:
        self.reader.setText(f"Reader: {name}".replace("&", "&&"))  # a single one marks a key
