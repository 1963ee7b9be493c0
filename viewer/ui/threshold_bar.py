"""The bar that hides and shows candidates by their score. It never runs the model."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from viewer.ui import theme
from viewer.ui.category_thresholds import CategoryThreshold, CategoryThresholds
from viewer.ui.threshold_field import ThresholdField

_FLAT = """QToolButton, QToolButton:checked, QToolButton:hover {
    background: transparent; border: none; padding: 2px 0; }
    QToolButton:hover { text-decoration: underline; }"""


class ThresholdBar(QWidget):
    """Slider, number, how many it shows and hides, and what it means in words.

    In a blind reading it is one sentence instead.
    """

    moved = Signal(float)
    category_moved = Signal(str, float)
    category_followed = Signal(str)  # this one shall follow the threshold for all again
    reset_asked = Signal()  # back to the model's own
    left = Signal()  # the number was typed: the keys belong to the window again

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.blind = _muted(self)
        self.blind.setContentsMargins(12, 10, 12, 10)
        self.blind.hide()
        self.content = QWidget(self)
        self.field = ThresholdField("Threshold", self.content)
        self.field.moved.connect(self.moved)
        self.field.left.connect(self.left)
        self.slider, self.number = self.field.slider, self.field.number
        self.reset = _button("", self.content)
        self.reset.setStyleSheet(f"{_FLAT} QToolButton {{ color: {theme.ACCENT.name()}; }}")
        self.reset.clicked.connect(self.reset_asked)
        self.count = QLabel(self.content)
        self.words = _muted(self.content)
        # Room for four lines at all times: a bar that jumps while it is dragged is hard to read.
        self.words.setMinimumHeight(4 * self.words.fontMetrics().lineSpacing())
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.disclosure = _button("", self.content)
        self.disclosure.setCheckable(True)
        self.disclosure.setStyleSheet(_FLAT)
        self.disclosure.toggled.connect(self._disclose)
        self.categories = CategoryThresholds(self.content)
        self.categories.moved.connect(self.category_moved)
        self.categories.followed.connect(self.category_followed)
        self.categories.left.connect(self.left)
        self._shown_categories: tuple[CategoryThreshold, ...] = ()
        self._lay_out()
        self._disclose(False)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        title = QLabel("Threshold", self.content)
        title.setStyleSheet("font-weight: 600;")
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self.reset)
        head.addWidget(self.number)
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(12, 10, 12, 10)
        layout.setSpacing(8)
        layout.addLayout(head)
        layout.addWidget(self.slider)
        layout.addWidget(self.count)
        layout.addWidget(self.words)
        layout.addWidget(self.disclosure, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.categories)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.content)
        whole.addWidget(self.blind)

    def _disclose(self, shown: bool) -> None:
        own = sum(row.own for row in self._shown_categories)
        words = (
            f"By category ({own} {'differs' if own == 1 else 'differ'})" if own else "By category"
        )
        self.disclosure.setText(f"{'▾' if shown else '▸'} {words}")
        self.categories.setVisible(shown and len(self._shown_categories) > 1)

    def show_threshold(self, value: float, default: float | None) -> None:
        """Put slider and number there, silently.

        Parameters
        ----------
        default : where a way back to the model's own threshold leads; None: it is in force.
        """
        self.field.show_value(value)
        self.reset.setVisible(default is not None)
        if default is not None:
            self.reset.setText(f"Back to {default:.2f}")
            self.reset.setToolTip("Back to the model's own threshold for all categories (Shift+T)")

    def show_categories(self, categories: Sequence[CategoryThreshold]) -> None:
        """The categories of the model; one alone needs no threshold of its own."""
        several = tuple(categories) if len(categories) > 1 else ()
        self._shown_categories = several
        self.categories.show_categories(several)
        self.disclosure.setVisible(bool(several))
        self._disclose(self.disclosure.isChecked())

    def show_blind(self, words: str) -> None:
        """Nothing but this sentence; empty: the bar as it is."""
        self.blind.setText(words)
        self.blind.setVisible(bool(words))
        self.content.setVisible(not words)

    def show_counts(self, shown: int, hidden: int) -> None:
        self.count.setText(f"{shown} shown · {hidden} hidden")

    def show_no_counts(self) -> None:
        """Nothing was analysed: nought shown would be a claim."""
        self.count.setText("")

    def show_words(self, words: str) -> None:
        self.words.setText(words)


def _button(text: str, parent: QWidget) -> QToolButton:
    button = QToolButton(parent)
    button.setText(text)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return button


def _muted(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setWordWrap(True)
    label.setStyleSheet(f"color: {theme.MUTED.name()};")
    return label
