"""A slider with its number beside it: one threshold."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDoubleSpinBox, QSlider, QWidget

_STEPS = 100
_CHORD = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier


class ThresholdField(QObject):
    """Keeps a slider and a number at the same value. Who makes it lays the two out."""

    moved = Signal(float)
    left = Signal()  # the number was typed: the keys belong to the window again

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.slider = QSlider(Qt.Orientation.Horizontal, parent)
        self.slider.setRange(0, _STEPS)
        self.slider.setPageStep(5)
        self.slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.slider.setAccessibleName(name)
        self.number = QDoubleSpinBox(parent)
        self.number.setRange(0.0, 1.0)
        self.number.setDecimals(2)
        self.number.setSingleStep(0.05)
        self.number.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.number.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        self.number.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.number.setFixedWidth(64)
        self.number.setAccessibleName(name)
        self.number.setKeyboardTracking(False)
        self.number.installEventFilter(self)
        self.slider.valueChanged.connect(lambda value: self._move(value / _STEPS))
        self.number.valueChanged.connect(self._move)

    def _move(self, value: float) -> None:
        self.show_value(value)
        self.moved.emit(round(value, 2))

    def show_value(self, value: float) -> None:
        """Put slider and number there, silently."""
        for widget in (self.slider, self.number):
            widget.blockSignals(True)
        self.slider.setValue(round(value * _STEPS))
        self.number.setValue(value)
        for widget in (self.slider, self.number):
            widget.blockSignals(False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """While a number is typed, plain keys are text; Enter and Esc end it."""
        if watched is self.number and isinstance(event, QKeyEvent):
            leaving = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape)
            chord = event.modifiers() & _CHORD
            if event.type() == QEvent.Type.ShortcutOverride and not chord:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress and leaving and not chord:
                self.number.interpretText()
                self.left.emit()
                return True
        return super().eventFilter(watched, event)
