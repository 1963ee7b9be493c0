"""The panel on the right: what the detector did, and the list of findings to decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from viewer.review.finding import Finding, Status
from viewer.ui import theme
from viewer.ui.analysis import Outcome
from viewer.ui.wording import STATUS_WORDS

Index = QModelIndex | QPersistentModelIndex

# The glyphs of the marks: the shape says what the colour says.
_GLYPHS = {
    Status.OPEN: "○",
    Status.ACCEPTED: "✓",
    Status.CORRECTED: "✎",
    Status.REJECTED: "✕",
    Status.ADDED: "+",
}
_COLOURS = {
    Status.OPEN: theme.MARK_OPEN,
    Status.ACCEPTED: theme.MARK_ACCEPTED,
    Status.CORRECTED: theme.MARK_CORRECTED,
    Status.REJECTED: theme.MARK_REJECTED,
    Status.ADDED: theme.MARK_ADDED,
}
_STATE_COLOURS = {
    Outcome.ANALYSED: theme.MARK_ACCEPTED,
    Outcome.ANALYSING: theme.ACCENT,
    Outcome.FAILED: theme.ERROR,
    Outcome.REFUSED: theme.WARNING,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A finding as the list shows it; ``place`` names its image where the study has several."""

    finding: Finding
    place: str = ""


class FindingModel(QAbstractListModel):
    """The visible findings, in the order in which the reader walks through them."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.entries: tuple[Entry, ...] = ()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's signature
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        finding = self.entries[index.row()].finding
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            score = "" if finding.score is None else f" {finding.score:.2f}"
            return f"{index.row() + 1} {finding.category}{score}, {STATUS_WORDS[finding.status]}"
        return None

    def show(self, entries: Sequence[Entry]) -> None:
        entries = tuple(entries)
        if entries == self.entries:
            return
        if [e.finding.id for e in entries] == [e.finding.id for e in self.entries]:
            self.entries = entries
            self.dataChanged.emit(self.index(0), self.index(len(entries) - 1))
        else:
            self.beginResetModel()
            self.entries = entries
            self.endResetModel()


class EntryPainter(QStyledItemDelegate):
    """Paints one finding: number, category, score; glyph and word of its status below."""

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(160, 2 * option.fontMetrics.height() + 18)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        assert isinstance(model, FindingModel)
        entry = model.entries[index.row()]
        finding, colour = entry.finding, _COLOURS[entry.finding.status]
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.RAISED)
            painter.fillRect(QRect(rect.left(), rect.top(), 3, rect.height()), theme.ACCENT)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, theme.RAISED)
        metrics = painter.fontMetrics()
        upper = rect.top() + 8 + metrics.ascent()
        lower = upper + metrics.height() + 2
        left, right = rect.left() + 12, rect.right() - 12
        painter.setPen(theme.MUTED)
        painter.drawText(left, upper, str(index.row() + 1))
        text_left = left + 24
        score = "" if finding.score is None else f"{finding.score:.2f}"
        score_width = metrics.horizontalAdvance(score)
        painter.setPen(theme.TEXT)
        painter.drawText(right - score_width, upper, score)
        room = right - score_width - 8 - text_left
        name = metrics.elidedText(finding.category, Qt.TextElideMode.ElideRight, room)
        painter.drawText(text_left, upper, name)
        painter.setPen(colour)
        painter.drawText(left, lower, _GLYPHS[finding.status])
        painter.drawText(text_left, lower, STATUS_WORDS[finding.status])
        painter.setPen(theme.MUTED)
        painter.drawText(right - metrics.horizontalAdvance(entry.place), lower, entry.place)
        painter.setPen(QPen(theme.BORDER))
        painter.drawLine(rect.left() + 12, rect.bottom(), rect.right() - 12, rect.bottom())
        painter.restore()


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
        self.list = QListView(self)
        self.list.setModel(self.model)
        self.list.setItemDelegate(EntryPainter(self.list))
        self.list.setMouseTracking(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.setAccessibleName("Findings")
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
        self.signature = _plain_words(self)
        foot = QVBoxLayout()
        foot.setContentsMargins(12, 8, 12, 8)
        foot.setSpacing(6)
        foot.addWidget(self.rejected, 0, Qt.AlignmentFlag.AlignLeft)
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
        self.setMinimumWidth(240)
        self.show_entries((), "")

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

    def show_signature(self, text: str, study: bool) -> None:
        """Who signed the study and when, or that nobody did."""
        colour = theme.MARK_ACCEPTED if text else theme.MUTED
        self.signature.setStyleSheet(f"color: {colour.name()};")
        self.signature.setText(f"✓ {text}" if text else "Not signed" if study else "")

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
