"""The panel on the right: what the detector did, and the list of findings to decide."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from viewer.ui import theme
from viewer.ui.analysis import Outcome
from viewer.ui.finding_list import Entry, EntryPainter, FindingModel

_STATE_COLOURS = {
    Outcome.ANALYSED: theme.MARK_ACCEPTED,
    Outcome.ANALYSING: theme.ACCENT,
    Outcome.FAILED: theme.ERROR,
    Outcome.REFUSED: theme.WARNING,
}


class Standing(Enum):
    """What a signature is worth now."""

    NONE = "none"
    SIGNED = "signed"
    AMENDED = "amended"  # something was decided since, and not signed


_SIGNATURE_COLOURS = {
    Standing.NONE: theme.MUTED,
    Standing.SIGNED: theme.MARK_ACCEPTED,
    Standing.AMENDED: theme.WARNING,
}


class StateBox(QFrame):
    """What the detector did with the image on the screen, and the one thing to do about it."""

    asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar = QFrame(self)
        self._bar.setFixedWidth(3)
        self.title = QLabel(self)
        self.detail = QLabel(self)
        self.detail.setTextFormat(Qt.TextFormat.PlainText)
        self.detail.setWordWrap(True)
        self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.detail.setStyleSheet(f"color: {theme.MUTED.name()};")
        self.button = QPushButton(self)
        self.button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.button.clicked.connect(self.asked)
        words = QVBoxLayout()
        words.setContentsMargins(9, 0, 0, 0)
        words.setSpacing(4)
        words.addWidget(self.title)
        words.addWidget(self.detail)
        words.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 10, 12, 10)
        layout.setSpacing(0)
        layout.addWidget(self._bar)
        layout.addLayout(words, 1)

    def show_state(self, outcome: Outcome, title: str, detail: str, button: str) -> None:
        colour = _STATE_COLOURS.get(outcome, theme.DISABLED)
        self.setVisible(outcome is not Outcome.NO_IMAGE)
        self._bar.setStyleSheet(f"background: {colour.name()};")
        self.title.setText(title)
        self.title.setStyleSheet(f"font-weight: 600; color: {_title_colour(outcome).name()};")
        self.detail.setText(detail)
        self.detail.setVisible(bool(detail))
        self.button.setText(button)
        self.button.setVisible(bool(button))


def _title_colour(outcome: Outcome) -> QColor:
    return _STATE_COLOURS[outcome] if outcome in (Outcome.FAILED, Outcome.REFUSED) else theme.TEXT


class FindingsPanel(QWidget):
    """State of the analysis, list of findings, signature."""

    chosen = Signal(str)  # finding id
    menu_requested = Signal(str, QPoint)  # finding id, point on the screen
    rejected_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = StateBox(self)
        self.image_findings = _image_findings(self)
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        self.note.setContentsMargins(12, 0, 12, 8)
        self.note.hide()
        self.model = FindingModel(self)
        self.list = _list_of(self.model, self)
        self.list.clicked.connect(lambda index: self.chosen.emit(self._id(index)))
        self.list.customContextMenuRequested.connect(self._ask_menu)
        self.empty = QLabel(self)
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.empty.setContentsMargins(12, 12, 12, 12)
        self.empty.setStyleSheet(f"color: {theme.MUTED.name()};")
        self.rejected = QToolButton(self)
        self.rejected.setText("Show rejected")
        self.rejected.setToolTip("Show what was rejected, struck out (Shift+G)")
        self.rejected.setCheckable(True)
        self.rejected.setStyleSheet(
            f"QToolButton:!checked:!hover {{ border-color: {theme.BORDER.name()}; }}"
        )
        self.rejected.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rejected.toggled.connect(self.rejected_toggled)
        self.study_note = _plain_words(self)
        self.study_note.hide()
        self.signature = _plain_words(self)
        self._lay_out()
        self.setMinimumWidth(240)
        self.show_entries((), "")

    def _lay_out(self) -> None:
        foot = QVBoxLayout()
        foot.setContentsMargins(12, 8, 12, 8)
        foot.setSpacing(6)
        foot.addWidget(self.rejected, 0, Qt.AlignmentFlag.AlignLeft)
        foot.addWidget(self.study_note)
        foot.addWidget(self.signature)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.state)
        layout.addWidget(self.image_findings)
        layout.addWidget(self.note)
        layout.addWidget(_line(self))
        layout.addWidget(self.list, 1)
        layout.addWidget(self.empty, 1)
        layout.addWidget(_line(self))
        layout.addLayout(foot)
        layout.addWidget(_line(self))

    def show_entries(self, entries: Sequence[Entry], empty: str) -> None:
        """List these findings, or say ``empty`` where there is none."""
        self.model.show(entries)
        self.list.setVisible(bool(entries))
        self.empty.setVisible(not entries)
        self.empty.setText(empty)

    def show_image_findings(self, text: str, tip: str) -> None:
        """What the detector says of the whole image, or nothing."""
        self.image_findings.setText(text)
        self.image_findings.setToolTip(tip)
        self.image_findings.setVisible(bool(text))

    def show_selected(self, finding_id: str | None) -> None:
        ids = [entry.finding.id for entry in self.model.entries]
        if finding_id in ids:
            self.list.setCurrentIndex(self.model.index(ids.index(finding_id)))
        else:
            self.list.setCurrentIndex(QModelIndex())

    def show_note(self, text: str) -> None:
        """A warning about this image, or nothing."""
        self.note.setText(text)
        self.note.setStyleSheet(f"color: {theme.WARNING.name()};")
        self.note.setVisible(bool(text))

    def show_study_note(self, text: str) -> None:
        """The reader's words on the whole study, or nothing."""
        self.study_note.setText(f"Note: {text}")
        self.study_note.setVisible(bool(text))

    def show_signature(self, words: str, standing: Standing) -> None:
        """Who signed the study and when, or that nobody did."""
        self.signature.setStyleSheet(f"color: {_SIGNATURE_COLOURS[standing].name()};")
        self.signature.setText(f"✓ {words}" if standing is Standing.SIGNED else words)

    def show_rejected(self, shown: bool) -> None:
        self.rejected.blockSignals(True)
        self.rejected.setChecked(shown)
        self.rejected.blockSignals(False)

    def point_of(self, finding_id: str) -> QPoint:
        """Where a menu for a finding opens, on the screen: below its row."""
        ids = [entry.finding.id for entry in self.model.entries]
        row = self.model.index(ids.index(finding_id)) if finding_id in ids else QModelIndex()
        return self.list.viewport().mapToGlobal(self.list.visualRect(row).bottomLeft())

    def _id(self, index: QModelIndex) -> str:
        return self.model.entries[index.row()].finding.id

    def _ask_menu(self, point: QPoint) -> None:
        index = self.list.indexAt(point)
        if index.isValid():
            self.menu_requested.emit(self._id(index), self.list.viewport().mapToGlobal(point))


def _list_of(model: FindingModel, parent: QWidget) -> QListView:
    view = QListView(parent)
    view.setModel(model)
    view.setItemDelegate(EntryPainter(view))
    view.setMouseTracking(True)
    view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
    view.setAccessibleName("Findings")
    return view


def _plain_words(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


def _image_findings(parent: QWidget) -> QLabel:
    label = _plain_words(parent)
    label.setContentsMargins(12, 0, 12, 10)
    label.setToolTip("How likely each is somewhere on this image; the model does not say where")
    label.hide()
    return label


def _line(parent: QWidget) -> QFrame:
    line = QFrame(parent)
    line.setFixedHeight(1)
    line.setStyleSheet(f"background: {theme.BORDER.name()};")
    return line
