"""A dialog with a table to read and to copy."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from viewer.ui.wording import plain_tip


class TableDialog(QDialog):
    """Columns to read and to copy."""

    def __init__(
        self,
        parent: QWidget,
        title: str,
        heads: Sequence[str],
        rows: Sequence[Sequence[str]],
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._rows = rows
        self.setWindowTitle(title)
        self.resize(720, 640)
        self.table = QTableWidget(len(rows), len(heads), self)
        self.table.setHorizontalHeaderLabels(list(heads))
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)  # wrapped text is cut at its end, where a file's name is
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        self.table.setColumnWidth(0, 220)
        for number, cells in enumerate(rows):
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setToolTip(plain_tip(text))
                self.table.setItem(number, column, item)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self.table, self.copy)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.table)
        layout.addWidget(self.buttons)

    def copy(self) -> None:
        """The selected rows, or all of them, to the clipboard."""
        chosen = sorted({index.row() for index in self.table.selectedIndexes()})
        rows = chosen or range(self.table.rowCount())
        lines = ["\t".join(self._rows[row]) for row in rows]
        QGuiApplication.clipboard().setText("\n".join(lines))
