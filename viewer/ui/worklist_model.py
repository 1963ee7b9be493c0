"""The rows of the worklist as Qt's table, without a proxy: it is sorted and filtered before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QFont

from viewer.review.worklist import Order, StudyStatus, WorklistRow
from viewer.ui import theme, wording

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its words, what it is sorted by, and what it says of a row."""

    title: str
    order: Order
    text: Callable[[WorklistRow], str]
    width: int
    number: bool = False


def _open(row: WorklistRow) -> str:
    return "" if row.open_candidates is None else str(row.open_candidates)


def _score(row: WorklistRow) -> str:
    return "" if row.score is None else f"{row.score:.2f}"


COLUMNS = (
    Column("Status", Order.STATUS, lambda row: row.status.value, 92),
    Column("Patient", Order.PATIENT, lambda row: row.patient_name, 180),
    Column("ID", Order.ID, lambda row: row.patient_id, 110),
    Column("Date", Order.DATE, lambda row: wording.date(row.study_date), 96),
    Column("Modality", Order.MODALITY, lambda row: row.modality, 78),
    Column("Description", Order.DESCRIPTION, lambda row: row.description, 190),
    Column("Images", Order.IMAGES, lambda row: str(row.images), 66, number=True),
    Column("Open", Order.OPEN, _open, 58, number=True),
    Column("Score", Order.SCORE, _score, 60, number=True),
    Column("Why", Order.TRIAGE, lambda row: row.why, 330),
    Column("Other readers", Order.READERS, lambda row: row.readers, 120),
)

_COLOURS = {
    StudyStatus.NEW: theme.TEXT,
    StudyStatus.ANALYSED: theme.ACCENT,
    StudyStatus.IN_REVIEW: theme.MARK_OPEN,
    StudyStatus.SIGNED: theme.MARK_ACCEPTED,
    StudyStatus.FAILED: theme.ERROR,
}


class WorklistModel(QAbstractTableModel):
    """What is listed, in its order."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._rows: Sequence[WorklistRow] = ()
        self._current: int | None = None
        self._numbers: dict[int, int] | None = None
        self._bold = QFont()
        self._bold.setBold(True)

    def show(self, rows: Sequence[WorklistRow], current: int | None) -> None:
        """List other rows; ``current`` is the study on the screen."""
        self.beginResetModel()
        self._rows, self._current = rows, current
        self._numbers = None
        self.endResetModel()

    def row(self, number: int) -> WorklistRow:
        return self._rows[number]

    def number(self, study_id: int | None) -> int | None:
        """Where a study is listed, None where it is not."""
        if study_id is None:
            return None
        if self._numbers is None:
            self._numbers = {row.id: number for number, row in enumerate(self._rows)}
        return self._numbers.get(study_id)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's signature
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        column = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = self._rows[index.row()], COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(row)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(row, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.FontRole and row.id == self._current:
            return self._bold
        if role == Qt.ItemDataRole.ToolTipRole:
            return wording.plain_tip(column.text(row))
        return None

    def _colour(self, row: WorklistRow, column: Column) -> QColor:
        if column.order is Order.STATUS:
            return _COLOURS[row.status]
        if column.order is Order.TRIAGE and row.failure is not None:
            return theme.ERROR
        quiet = row.signed or (column.order is Order.TRIAGE and row.score is None)
        return theme.MUTED if quiet else theme.TEXT


def _alignment(column: Column) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column.number else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
