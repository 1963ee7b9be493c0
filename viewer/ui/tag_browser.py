"""All elements of the DICOM file that the active viewport shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QHideEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from viewer.dicom.model import Image
from viewer.dicom.tag_row import TagRow
from viewer.errors import ViewerError
from viewer.ui import theme, wording
from viewer.ui.jobs import Jobs
from viewer.ui.reading import Reading
from viewer.ui.tag_model import TagModel, found

SLOT = "tags"

_SETTLE_MS = 120  # after the last image of a scroll
_OPENED_UP_TO = 300  # rows of a search that are shown with all sequences open

ReadTags = Callable[[Image], tuple[TagRow, ...]]


class TagBrowser(QDialog):
    """A window beside the main one that follows the active viewport.

    What it shows is read from the file anew, kept nowhere, and leaves it only as a copied value.
    """

    def __init__(self, jobs: Jobs, read: ReadTags, reading: Reading, parent: QWidget) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._read = read
        self._reading = reading
        self._rows: tuple[TagRow, ...] = ()
        self._file: tuple[Path, str] | None = None  # whose rows they are
        self.resize(QSize(920, 640).boundedTo(QGuiApplication.primaryScreen().size() * 0.8))
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Search: tag, VR, keyword or value")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._show_found)
        self.copying = QPushButton("Copy value", self)
        self.copying.setAutoDefault(False)
        self.copying.clicked.connect(self.copy)
        self.words = QLabel(self)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setWordWrap(True)
        self.words.setStyleSheet(f"color: {theme.MUTED.name()};")
        self.model = TagModel(self)
        self.tree = QTreeView(self)
        self.tree.setModel(self.model)
        self.tree.setUniformRowHeights(True)
        self.tree.setAllColumnsShowFocus(True)
        self.tree.setAccessibleName("DICOM tags")
        for column, width in enumerate((190, 50, 260)):
            self.tree.setColumnWidth(column, width)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self.tree, self.copy)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self, self.search.setFocus)
        top = QHBoxLayout()
        top.addWidget(self.search, 1)
        top.addWidget(self.copying)
        column_of = QVBoxLayout(self)
        column_of.addLayout(top)
        column_of.addWidget(self.tree, 1)
        column_of.addWidget(self.words)
        self._settling = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settling.timeout.connect(self._follow)
        reading.image_shown.connect(self._image_shown)

    def open(self) -> None:
        """Show the window, ready for a search."""
        self.show()
        self.raise_()
        self.activateWindow()
        self.search.setFocus()
        self.search.selectAll()

    def copy(self) -> None:
        """The value of the row that is chosen, to the clipboard."""
        index = self.tree.currentIndex()
        if index.isValid():
            QGuiApplication.clipboard().setText(self.model.row_of(index).value)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._follow()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing of a patient is kept behind a closed window."""
        super().hideEvent(event)
        self._settling.stop()
        self._set_rows((), None)

    def _image_shown(self) -> None:
        if self.isVisible():
            self._settling.start()

    def _follow(self) -> None:
        """Read the file that is on the screen now, if it is another one."""
        image = self._reading.image
        if image is None or image.is_plain:
            self._jobs.cancel(SLOT)
            self._set_rows((), None)
            self.setWindowTitle("DICOM tags")
            self.words.setText("No DICOM image is on the screen.")
            return
        where = " · ".join((*wording.patient_lines(image)[:1], *wording.series_lines(image)[1:3]))
        self.setWindowTitle(f"DICOM tags: {where}")
        file = image.path, image.member
        if file == self._file:
            return
        self._set_rows((), file)
        self.words.setText("Reading…")
        self._jobs.submit(
            SLOT,
            lambda _report: self._read(image),
            lambda rows: self._set_rows(rows, file),
            self._failed,
        )

    def _failed(self, error: ViewerError) -> None:
        self._set_rows((), None)
        self.words.setText(str(error))

    def _set_rows(self, rows: tuple[TagRow, ...], file: tuple[Path, str] | None) -> None:
        self._rows, self._file = rows, file
        self._show_found()

    def _show_found(self) -> None:
        wanted = self.search.text()
        rows = found(self._rows, wanted)
        self.model.set_rows(rows)
        if wanted and len(rows) <= _OPENED_UP_TO:
            self.tree.expandAll()
        elements = sum(1 for row in rows if row.tag)
        self.words.setText(f"{elements:,} elements" if rows else "Nothing found." if wanted else "")
