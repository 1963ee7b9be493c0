"""The list of findings: one row each, with what was decided on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from viewer.review.finding import Finding, Status
from viewer.ui import theme
from viewer.ui.review_words import finding_words
from viewer.ui.wording import plain_tip

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
            note = f", note: {finding.note}" if finding.note else ""
            return f"{index.row() + 1} {finding.category}{score}, {finding_words(finding)}{note}"
        if role == Qt.ItemDataRole.ToolTipRole and finding.note:
            return plain_tip(finding.note)  # in the row there is room for one line
        return None

    def show(self, entries: Sequence[Entry]) -> None:
        entries = tuple(entries)
        if entries == self.entries:
            return
        if list(map(_shape, entries)) == list(map(_shape, self.entries)):
            self.entries = entries
            self.dataChanged.emit(self.index(0), self.index(len(entries) - 1))
        else:
            self.beginResetModel()
            self.entries = entries
            self.endResetModel()


def _shape(entry: Entry) -> tuple[str, bool]:
    """Rows with the same shapes can stay where they are: a note makes its row higher."""
    return entry.finding.id, bool(entry.finding.note)


class EntryPainter(QStyledItemDelegate):
    """Paints one finding: number, category, score; what was decided below; its note below that."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        model = index.model()
        assert isinstance(model, FindingModel)
        lines = 3 if model.entries[index.row()].finding.note else 2
        return QSize(160, lines * option.fontMetrics.height() + 12 + 2 * lines)

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
        place_width = metrics.horizontalAdvance(entry.place)
        room = right - text_left - (place_width + 8 if entry.place else 0)
        words = metrics.elidedText(finding_words(finding), Qt.TextElideMode.ElideRight, room)
        painter.drawText(text_left, lower, words)
        painter.setPen(theme.MUTED)
        painter.drawText(right - place_width, lower, entry.place)
        if finding.note:
            line = finding.note.replace("\n", " ")
            note = metrics.elidedText(f"“{line}”", Qt.TextElideMode.ElideRight, right - text_left)
            painter.drawText(text_left, lower + metrics.height() + 2, note)
        painter.setPen(QPen(theme.BORDER))
        painter.drawLine(rect.left() + 12, rect.bottom(), rect.right() - 12, rect.bottom())
        painter.restore()
