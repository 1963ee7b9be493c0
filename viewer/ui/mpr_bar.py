"""The bar above the MPR planes: how thick they are cut, and what a slab shows."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QSlider, QToolButton, QWidget

from viewer.dicom.cutting import Projection, Slab
from viewer.ui import theme
from viewer.ui.status_line import ElidedLabel

_THICKEST = 50  # mm

PROJECTION_NAMES = {
    Projection.MAXIMUM: "MIP",
    Projection.MEAN: "Mean",
    Projection.MINIMUM: "MinIP",
}
_TIPS = {
    Projection.MAXIMUM: "The highest value through the slab",
    Projection.MEAN: "The mean of the values through the slab",
    Projection.MINIMUM: "The lowest value through the slab",
}


class MprBar(QWidget):
    """Slab thickness and projection, a note on the geometry, and the way out."""

    slab_chosen = Signal(object)  # Slab
    left = Signal()

    def __init__(self, note: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, _THICKEST)
        self.slider.setPageStep(5)
        self.slider.setMinimumWidth(60)
        self.slider.setMaximumWidth(160)
        self.slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.slider.setAccessibleName("Slab thickness in mm")
        self.thickness = QLabel(self)
        self.thickness.setText("00 mm")
        self.thickness.ensurePolished()
        self.thickness.setMinimumWidth(self.thickness.sizeHint().width())
        self.note = ElidedLabel(self)
        self.note.setText(note)
        self.note.setStyleSheet(f"color: {theme.WARNING.name()};")
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 10, 4)
        row.setSpacing(6)
        row.addWidget(QLabel("Slab", self))
        row.addWidget(self.slider, 1)
        row.addWidget(self.thickness)
        self.projections = {projection: self._button(projection) for projection in Projection}
        group = QButtonGroup(self)
        for button in self.projections.values():
            group.addButton(button)
            row.addWidget(button)
        self.projections[Projection.MAXIMUM].setChecked(True)
        row.addSpacing(12)
        row.addWidget(self.note, 2)
        leave = QToolButton(self)
        leave.setText("Close")
        leave.setToolTip("Back to the images (Esc)")
        leave.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        leave.clicked.connect(self.left)
        row.addWidget(leave)
        self.slider.valueChanged.connect(self._tell)
        group.buttonToggled.connect(lambda _button, on: self._tell() if on else None)
        self._show_thickness()

    @property
    def slab(self) -> Slab:
        chosen = (each for each, button in self.projections.items() if button.isChecked())
        return Slab(float(self.slider.value()), next(chosen, Projection.MAXIMUM))

    def _button(self, projection: Projection) -> QToolButton:
        button = QToolButton(self)
        button.setText(PROJECTION_NAMES[projection])
        button.setToolTip(_TIPS[projection])
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return button

    def _show_thickness(self) -> None:
        millimetres = self.slider.value()
        self.thickness.setText(f"{millimetres} mm" if millimetres else "thin")
        for button in self.projections.values():
            button.setEnabled(millimetres > 0)

    def _tell(self) -> None:
        self._show_thickness()
        self.slab_chosen.emit(self.slab)
