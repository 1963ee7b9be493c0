"""The dialog in which a note is written."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut, QTextCursor
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from viewer.ui import theme


class NoteDialog(QDialog):
    """A few lines on one finding or on the study; empty takes the note away."""

    def __init__(self, parent: QWidget, about: str, text: str) -> None:
        super().__init__(parent)
        self.setWindowTitle("Note")
        self.resize(420, 220)
        title = QLabel(about, self)
        title.setTextFormat(Qt.TextFormat.PlainText)
        title.setStyleSheet("font-weight: 600;")
        self.field = QPlainTextEdit(text, self)
        self.field.setAccessibleName("Note")
        self.field.setTabChangesFocus(True)
        self.field.moveCursor(QTextCursor.MoveOperation.End)
        hint = QLabel("Ctrl+Enter keeps it. Notes go out in reports: better name nobody.", self)
        hint.setWordWrap(True)
        hint.setStyleSheet(f"color: {theme.MUTED.name()};")
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel, self
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        for key in ("Ctrl+Return", "Ctrl+Enter"):
            QShortcut(QKeySequence(key), self, self.accept)
        layout = QVBoxLayout(self)
        layout.setSpacing(8)
        layout.addWidget(title)
        layout.addWidget(self.field, 1)
        layout.addWidget(hint)
        layout.addWidget(buttons)
        self.field.setFocus()


def ask_note(parent: QWidget, about: str, text: str) -> str | None:
    """What the reader writes about it; None where the note shall stay as it is."""
    dialog = NoteDialog(parent, about, text)
    kept = bool(dialog.exec())
    written = dialog.field.toPlainText()
    dialog.deleteLater()
    return written if kept else None
