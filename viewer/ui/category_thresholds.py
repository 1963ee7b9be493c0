"""The thresholds of single categories, below the one for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QToolButton, QWidget

from viewer.ui import theme
from viewer.ui.threshold_field import ThresholdField
from viewer.ui.wording import plain_tip

_MOST_HEIGHT = 240  # beyond that they scroll: the list of findings needs its room
_NAME_WIDTH = 76


@dataclass(frozen=True, slots=True)
class CategoryThreshold:
    """What a category's row shows.

    Attributes
    ----------
    own : it has one of its own; else it follows the one for all.
    words : what the threshold means; empty where nothing was measured.
    """

    category: str
    value: float
    own: bool
    words: str


class _Row(QWidget):
    """Name, slider, number, and below it what it means."""

    moved = Signal(float)
    followed = Signal()
    left = Signal()

    def __init__(self, category: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.field = ThresholdField(f"Threshold of {category}", self)
        self.field.moved.connect(self.moved)
        self.field.left.connect(self.left)
        self.field.number.setFixedWidth(52)
        self._name = QLabel(self)
        self._name.setTextFormat(Qt.TextFormat.PlainText)
        self._name.setFixedWidth(_NAME_WIDTH)
        metrics = self._name.fontMetrics()
        self._name.setText(metrics.elidedText(category, Qt.TextElideMode.ElideRight, _NAME_WIDTH))
        self._name.setToolTip(plain_tip(category))
        self.follow = QToolButton(self)
        self.follow.setText("✕")
        self.follow.setStyleSheet("QToolButton { padding: 2px 4px; }")
        self.follow.setToolTip("Follow the threshold for all again")
        self.follow.setAccessibleName(f"Let {category} follow the threshold for all")
        self.follow.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.follow.clicked.connect(self.followed)
        keeps = self.follow.sizePolicy()
        keeps.setRetainSizeWhenHidden(True)
        self.follow.setSizePolicy(keeps)
        self._words = QLabel(self)
        self._words.setStyleSheet(f"color: {theme.MUTED.name()};")
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setHorizontalSpacing(6)
        layout.setVerticalSpacing(2)
        for column, widget in enumerate(
            (self._name, self.field.slider, self.field.number, self.follow)
        ):
            layout.addWidget(widget, 0, column)
        layout.addWidget(self._words, 1, 0, 1, 4)
        layout.setColumnStretch(1, 1)

    def show_row(self, row: CategoryThreshold) -> None:
        self.field.show_value(row.value)
        self._name.setStyleSheet("" if row.own else f"color: {theme.MUTED.name()};")
        self.follow.setVisible(row.own)
        self._words.setText(row.words)
        self._words.setVisible(bool(row.words))


class CategoryThresholds(QScrollArea):
    """One row for each category of the model."""

    moved = Signal(str, float)
    followed = Signal(str)  # this category shall follow the threshold for all again
    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: dict[str, _Row] = {}
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def show_categories(self, categories: Sequence[CategoryThreshold]) -> None:
        """Show these; the rows stay while it is the same categories."""
        if [row.category for row in categories] != list(self.rows):
            self._make_rows([row.category for row in categories])
        for row in categories:
            self.rows[row.category].show_row(row)
        page = self.widget()
        if page is not None:
            self.setFixedHeight(min(page.sizeHint().height(), _MOST_HEIGHT))

    def _make_rows(self, names: Sequence[str]) -> None:
        page = QWidget(self)
        layout = QGridLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(0)
        self.rows = {}
        for number, name in enumerate(names):
            row = _Row(name, page)
            row.moved.connect(lambda value, name=name: self.moved.emit(name, value))
            row.followed.connect(lambda name=name: self.followed.emit(name))
            row.left.connect(self.left)
            layout.addWidget(row, number, 0)
            self.rows[name] = row
        self.setWidget(page)  # deletes the page before
