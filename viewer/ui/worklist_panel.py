"""The page of the worklist: a line to filter it, the table, and what the batch does."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QItemSelectionModel, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from viewer.review.worklist import Filter, Order, StudyStatus, WorklistRow, count_unread
from viewer.ui import theme
from viewer.ui.status_line import ElidedLabel
from viewer.ui.worklist_model import COLUMNS, WorklistModel

_TYPING_MS = 120  # after the last letter, before the list is filtered

_ORDERS = {
    Order.TRIAGE: "Triage",
    Order.ADDED: "Added last",
    Order.STATUS: "Status",
    Order.PATIENT: "Patient",
    Order.ID: "ID",
    Order.DATE: "Date",
    Order.MODALITY: "Modality",
    Order.DESCRIPTION: "Description",
    Order.IMAGES: "Images",
    Order.OPEN: "Open candidates",
    Order.SCORE: "Score",
    Order.READERS: "Other readers",
}

_EMPTY = (
    "No studies yet.\n"
    "What you open comes into this list; “Add folder…” fills it without opening anything."
)
_READING = "Reading the worklist…"
_NOTHING_PASSES = "No study passes the filter."

_OWN_KEYS = {
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_Return,
    Qt.Key.Key_Enter,
    Qt.Key.Key_Delete,
    Qt.Key.Key_Escape,
}


_TRIAGE = next(n for n, column in enumerate(COLUMNS) if column.order is Order.TRIAGE)


class WorklistTable(QTableView):
    """The table. Its keys are its own: in the window they turn pages of a series."""

    opened = Signal(int)  # row number
    removed = Signal()
    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        # One height for all: asking each of 20,000 rows how high it wants to be takes seconds.
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 10)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setHighlightSections(False)
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.setSortIndicator(_TRIAGE, Qt.SortOrder.AscendingOrder)
        self.setAccessibleName("Worklist")
        self.doubleClicked.connect(lambda index: self.opened.emit(index.row()))

    def event(self, event: QEvent) -> bool:
        if (
            event.type() is QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in _OWN_KEYS
            and event.modifiers() in (Qt.KeyboardModifier.NoModifier, _KEYPAD)
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.opened.emit(self.currentIndex().row())
        elif key == Qt.Key.Key_Delete:
            self.removed.emit()
        elif key == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


_KEYPAD = Qt.KeyboardModifier.KeypadModifier


class WorklistPanel(QWidget):
    """What the reader sees of the list, and asks of it."""

    filtered = Signal(object, object, bool)  # Filter, Order, backwards
    opened = Signal(int)  # id of a row
    removed = Signal(object)  # ids of rows
    folder_asked = Signal()
    analyse_asked = Signal()
    cancelled = Signal()
    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.model = WorklistModel(self)
        self.table = WorklistTable(self)
        self.table.setModel(self.model)
        self.text = QLineEdit(self)
        self.status = QComboBox(self)
        self.modality = QComboBox(self)
        self.date_from = QLineEdit(self)
        self.order = QComboBox(self)
        self.counts = QLabel(self)
        self.analyse = QPushButton("Analyse the list", self)
        self.add_folder = QPushButton("Add folder…", self)
        self.remove = QPushButton("Remove", self)
        self.doing = ElidedLabel(self)
        self.progress = QProgressBar(self)
        self.stop = QPushButton("Cancel", self)
        self.empty = QLabel(self.table.viewport())
        self._backwards = False
        self._typing = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._fill()
        self._lay_out()
        self._connect()
        self.show_batch("", None)

    # --- assembling ------------------------------------------------------------------------------

    def _fill(self) -> None:
        self.text.setPlaceholderText("Filter: patient, ID, description, reader")
        self.text.setClearButtonEnabled(True)
        self.text.setAccessibleName("Filter by words")
        self.date_from.setPlaceholderText("From YYYY-MM-DD")
        self.date_from.setFixedWidth(140)
        self.date_from.setAccessibleName("From this date")
        self.status.addItem("Any status", None)
        for status in StudyStatus:
            self.status.addItem(status.value.capitalize(), status)
        self.modality.addItem("Any modality", "")
        for order, words in _ORDERS.items():
            self.order.addItem(words, order)
        for box, name in ((self.status, "Status"), (self.modality, "Modality")):
            box.setAccessibleName(name)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.order.setAccessibleName("Order")
        self.add_folder.setToolTip("Add the studies of a folder without opening them")
        self.analyse.setToolTip("Run the detector over what is listed and was not analysed by it")
        self.remove.setToolTip("Take the chosen studies off the list; decisions stay (Delete)")
        for number, column in enumerate(COLUMNS):
            self.table.setColumnWidth(number, column.width)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setStyleSheet(f"color: {theme.MUTED.name()}; background: transparent;")
        self.counts.setStyleSheet(f"color: {theme.MUTED.name()};")

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.addWidget(self.text, 1)
        for widget in (self.status, self.modality, self.date_from):
            line.addWidget(widget)
        line.addSpacing(12)
        line.addWidget(QLabel("Order", self))
        line.addWidget(self.order)
        below = QHBoxLayout()
        for button in (self.add_folder, self.remove, self.analyse):
            below.addWidget(button)
        below.addSpacing(12)
        below.addWidget(self.counts)
        below.addStretch(1)
        below.addWidget(self.doing, 6)
        self.progress.setFixedWidth(160)
        self.progress.setTextVisible(False)
        below.addWidget(self.progress)
        below.addWidget(self.stop)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(8)
        column.addLayout(line)
        column.addWidget(self.table, 1)
        column.addLayout(below)
        self.setFocusProxy(self.table)

    def _connect(self) -> None:
        self.text.textChanged.connect(lambda _: self._typing.start())
        self.date_from.textChanged.connect(lambda _: self._typing.start())
        self._typing.timeout.connect(self._choose)
        for box in (self.status, self.modality, self.order):
            box.activated.connect(lambda _: self._choose())
        for line in (self.text, self.date_from):
            line.returnPressed.connect(self._to_the_list)
        self.table.horizontalHeader().sectionClicked.connect(self._sort_by)
        self.table.opened.connect(lambda number: self.opened.emit(self.model.row(number).id))
        self.table.removed.connect(self._remove)
        self.table.left.connect(self.left)
        self.remove.clicked.connect(self._remove)
        self.add_folder.clicked.connect(self.folder_asked)
        self.analyse.clicked.connect(self.analyse_asked)
        self.stop.clicked.connect(self.cancelled)

    # --- what the reader chooses -----------------------------------------------------------------

    def _choose(self) -> None:
        self._typing.stop()
        digits = self.date_from.text().replace("-", "").strip()
        status = self.status.currentData()  # Qt makes a plain string of it
        choice = Filter(
            text=self.text.text(),
            status=StudyStatus(status) if status else None,
            modality=self.modality.currentData() or "",
            date_from=digits if digits.isdigit() else "",
        )
        order = Order(self.order.currentData())
        column = next((n for n, each in enumerate(COLUMNS) if each.order is order), -1)
        direction = Qt.SortOrder.DescendingOrder if self._backwards else Qt.SortOrder.AscendingOrder
        self.table.horizontalHeader().setSortIndicator(column, direction)
        self.filtered.emit(choice, order, self._backwards)

    def _sort_by(self, column: int) -> None:
        order = COLUMNS[column].order
        self._backwards = order == self.order.currentData() and not self._backwards
        self.order.setCurrentIndex(self.order.findData(order))
        self._choose()

    def _to_the_list(self) -> None:
        self._choose()
        if self.model.rowCount():
            self.table.setFocus()
            if not self.table.currentIndex().isValid():
                self.table.selectRow(0)

    def _remove(self) -> None:
        chosen = self.chosen()
        if chosen:
            self.removed.emit([row.id for row in chosen])

    def chosen(self) -> list[WorklistRow]:
        """The selected rows."""
        indexes = self.table.selectionModel().selectedRows()
        return [self.model.row(index.row()) for index in indexes]

    # --- what is shown ---------------------------------------------------------------------------

    def show_rows(
        self,
        listed: Sequence[WorklistRow],
        total: int | None,
        modalities: Sequence[str],
        current: int | None,
    ) -> None:
        """List these of all rows; what was selected stays so, where it is still listed.

        ``total`` is None while the list is still being read.
        """
        selected = {row.id for row in self.chosen()}
        index = self.table.currentIndex()
        here = self.model.row(index.row()).id if index.isValid() else current
        at = self.table.verticalScrollBar().value()
        self.model.show(listed, current)
        self._select(selected, here)
        if not self.table.currentIndex().isValid():
            self.bring_up(current)
        self.table.verticalScrollBar().setValue(at)
        unread = count_unread(listed)
        of_all = "" if total in (None, len(listed)) else f" of {total:,}"
        noun = "study" if total == 1 else "studies"
        self.counts.setText(f"{len(listed):,}{of_all} {noun}, {unread:,} unread" if total else "")
        empty = _READING if total is None else _NOTHING_PASSES if total else _EMPTY
        self.empty.setText("" if listed else empty)
        self._place_empty()
        self._show_modalities(modalities)

    def _select(self, ids: set[int], here: int | None) -> None:
        model, flags = self.table.selectionModel(), QItemSelectionModel.SelectionFlag
        for study_id in ids:
            number = self.model.number(study_id)
            if number is not None:
                model.select(self.model.index(number, 0), flags.Select | flags.Rows)
        number = self.model.number(here)
        if number is not None:
            model.setCurrentIndex(self.model.index(number, 0), flags.NoUpdate)

    def _show_modalities(self, names: Sequence[str]) -> None:
        chosen = self.modality.currentData()
        if list(names) != [self.modality.itemData(n) for n in range(1, self.modality.count())]:
            self.modality.clear()
            self.modality.addItem("Any modality", "")
            for name in names:
                self.modality.addItem(name, name)
            self.modality.setCurrentIndex(max(0, self.modality.findData(chosen)))

    def bring_up(self, study_id: int | None) -> None:
        """Put the cursor on a row, else on the first one."""
        if self.model.rowCount():
            self.table.selectRow(self.model.number(study_id) or 0)

    def show_batch(self, words: str, progress: tuple[int, int] | None) -> None:
        """How far the batch is, or what came of it; ``progress`` is None where none runs."""
        self.doing.setText(words)
        for widget in (self.progress, self.stop):
            widget.setVisible(progress is not None)
        self.analyse.setEnabled(progress is None)
        done, total = progress or (0, 0)
        self.progress.setRange(0, total)
        self.progress.setValue(done)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_empty()

    def _place_empty(self) -> None:
        self.empty.setVisible(bool(self.empty.text()))
        self.empty.setGeometry(self.table.viewport().rect())
