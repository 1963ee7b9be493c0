"""The bar that hides and shows candidates by their score. It never runs the model."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from viewer.ui import theme

_STEPS = 100
_CONTROL = Qt.KeyboardModifier.ControlModifier


class ThresholdBar(QWidget):
    """Slider, number, how many it shows and hides, and what it means in words."""

    moved = Signal(float)
    left = Signal()  # the number was typed: the keys belong to the window again

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, _STEPS)
        self.slider.setPageStep(5)
        self.slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.slider.setAccessibleName("Threshold")
        self.number = QDoubleSpinBox(self)
        self.number.setRange(0.0, 1.0)
        self.number.setDecimals(2)
        self.number.setSingleStep(0.05)
        self.number.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.number.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        self.number.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.number.setFixedWidth(64)
        self.number.setAccessibleName("Threshold")
        self.number.setKeyboardTracking(False)
        self.number.installEventFilter(self)
        self.count = QLabel(self)
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        self.words.setStyleSheet(f"color: {theme.MUTED.name()};")
        # Room for three lines at all times: a bar that jumps while it is dragged is hard to read.
        self.words.setMinimumHeight(3 * self.words.fontMetrics().lineSpacing())
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.slider.valueChanged.connect(lambda value: self._move(value / _STEPS))
        self.number.valueChanged.connect(self._move)
        head = QHBoxLayout()
        title = QLabel("Threshold", self)
        title.setStyleSheet("font-weight: 600;")
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self.number)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 10)
        layout.setSpacing(8)
        layout.addLayout(head)
        layout.addWidget(self.slider)
        layout.addWidget(self.count)
        layout.addWidget(self.words)

    def _move(self, value: float) -> None:
        self.show_threshold(value)
        self.moved.emit(round(value, 2))

    def show_threshold(self, value: float) -> None:
        """Put slider and number there, silently."""
        for widget in (self.slider, self.number):
            widget.blockSignals(True)
        self.slider.setValue(round(value * _STEPS))
        self.number.setValue(value)
        for widget in (self.slider, self.number):
            widget.blockSignals(False)

    def show_counts(self, shown: int, hidden: int) -> None:
        self.count.setText(f"{shown} shown · {hidden} hidden")

    def show_no_counts(self) -> None:
        """Nothing was analysed: nought shown would be a claim."""
        self.count.setText("")

    def show_words(self, words: str) -> None:
        self.words.setText(words)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """While a number is typed, plain keys are text; Enter and Esc end it."""
        if watched is self.number and isinstance(event, QKeyEvent):
            leaving = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape)
            chord = event.modifiers() & (_CONTROL | Qt.KeyboardModifier.AltModifier)
            if event.type() == QEvent.Type.ShortcutOverride and not chord:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress and leaving and not chord:
                self.number.interpretText()
                self.left.emit()
                return True
        return super().eventFilter(watched, event)
