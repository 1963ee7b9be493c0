"""The questions that the main window asks. Nothing else opens a dialog."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QInputDialog,
    QLabel,
    QLineEdit,
    QMessageBox,
    QVBoxLayout,
    QWidget,
)

from detector.types import RESEARCH_USE_ONLY
from viewer.dicom.model import Skipped
from viewer.exchange.formats import Format
from viewer.exchange.options import BurnedIn
from viewer.settings import SETTINGS, Settings, Value, default_reader
from viewer.ui import theme
from viewer.ui.table_dialog import TableDialog


def tell(parent: QWidget | None, title: str, sentence: str) -> None:
    """One sentence that must be read before anything goes on."""
    box = QMessageBox(QMessageBox.Icon.Critical, title, sentence, parent=parent)
    box.setTextFormat(Qt.TextFormat.PlainText)  # a path in it may look like HTML
    box.exec()


def choose_files(parent: QWidget, folder: str) -> list[Path]:
    names, _ = QFileDialog.getOpenFileNames(parent, "Open files", folder)
    return [Path(name) for name in names]


def choose_folder(parent: QWidget, folder: str, title: str = "Open folder") -> Path | None:
    name = QFileDialog.getExistingDirectory(parent, title, folder)
    return Path(name) if name else None


def choose_labels(parent: QWidget, folder: str, row: Format) -> Path | None:
    name, _ = QFileDialog.getOpenFileName(
        parent, f"Import {row.words}", folder, f"{row.words} ({row.files});;All files (*)"
    )
    return Path(name) if name else None


def choose_picture(parent: QWidget, proposed: Path) -> Path | None:
    dialog = QFileDialog(parent, "Save the view", str(proposed.parent), "PNG (*.png)")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix("png")  # before the dialog asks whether to write over a file
    dialog.selectFile(proposed.name)
    accepted = bool(dialog.exec())
    chosen = dialog.selectedFiles()
    dialog.deleteLater()
    return Path(chosen[0]) if accepted and chosen else None


def confirm_signature(parent: QWidget, undecided: int, analysing: bool) -> bool:
    """Ask once, since candidates above the threshold are still open or still to come."""
    box = QMessageBox(parent)
    box.setWindowTitle("Sign the study")
    if analysing:
        box.setText("Sign before the analysis is done?")
        box.setInformativeText("What the detector finds afterwards counts as not there.")
    else:
        box.setText(f"Sign with {undecided} undecided?")
        box.setInformativeText(
            "Candidates above the threshold that are neither accepted nor rejected count as not "
            "there once the study is signed."
        )
    box.setStyleSheet("QLabel { min-width: 320px; }")  # else a column of four words a line
    review = box.addButton(
        "Wait" if analysing else "Review them", QMessageBox.ButtonRole.RejectRole
    )
    sign = box.addButton("Sign", QMessageBox.ButtonRole.AcceptRole)
    box.setDefaultButton(review)
    box.setEscapeButton(review)
    box.exec()
    return box.clickedButton() is sign


def ask_burned_in(parent: QWidget, count: int) -> BurnedIn | None:
    """Ask what becomes of pictures that may show who the patient is; None: no export at all."""
    box = QMessageBox(parent)
    box.setWindowTitle("Writing in the picture")
    images = "1 image" if count == 1 else f"{count} images"
    box.setText(f"{images} may show the patient's identity in the picture.")
    box.setInformativeText(
        "The file says so, or it is a secondary capture, an ultrasound or another picture in "
        "colour. No export can take out what is drawn in the pixels: look at them before they "
        "leave this computer."
    )
    box.setStyleSheet("QLabel { min-width: 380px; }")
    cancel = box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
    skip = box.addButton("Leave them out", QMessageBox.ButtonRole.AcceptRole)
    include = box.addButton("Export them, too", QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(skip)
    box.setEscapeButton(cancel)
    box.exec()
    clicked = box.clickedButton()
    if clicked is include:
        return BurnedIn.INCLUDE
    return BurnedIn.SKIP if clicked is skip else None


def confirm_first_read(parent: QWidget) -> bool:
    """Ask once, since what is seen then cannot be unseen."""
    box = QMessageBox(parent)
    box.setWindowTitle("Sign your first read")
    box.setText("Sign your first read and show the AI marks?")
    box.setInformativeText(
        "It is kept as it is now. You may still change your findings afterwards, but not go back "
        "to before the marks were shown."
    )
    box.setStyleSheet("QLabel { min-width: 320px; }")
    back = box.addButton("Read on", QMessageBox.ButtonRole.RejectRole)
    sign = box.addButton("Sign first read", QMessageBox.ButtonRole.AcceptRole)
    box.setDefaultButton(sign)
    box.setEscapeButton(back)
    box.exec()
    return box.clickedButton() is sign


def ask_amendment(parent: QWidget, signed: str) -> str | None:
    """Why a signed study is signed again, which may be left empty; None: it is not signed."""
    text, accepted = QInputDialog.getText(
        parent, "Sign the amendment", f"{signed}\nWhy it is amended (may be left empty):"
    )
    return text.strip() if accepted else None


def choose_model(parent: QWidget, folder: str) -> Path | None:
    name, _ = QFileDialog.getOpenFileName(
        parent,
        "Add a model: an ONNX or safetensors file, or the card of a trained model",
        folder,
        "Models (*.onnx *.safetensors card.json);;All files (*)",
    )
    return Path(name) if name else None


def confirm_removal(parent: QWidget, name: str) -> bool:
    """Ask before a model is deleted, since nothing brings it back."""
    box = QMessageBox(parent)
    box.setWindowTitle("Remove a model")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(f"Remove the model {name} for good?")
    box.setInformativeText("Its files are deleted. What it found on images is kept.")
    box.setStyleSheet("QLabel { min-width: 320px; }")
    keep = box.addButton("Keep it", QMessageBox.ButtonRole.RejectRole)
    remove = box.addButton("Remove", QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(keep)
    box.setEscapeButton(keep)
    box.exec()
    return box.clickedButton() is remove


def offer_backup(parent: QWidget, what: str, backup: Path, made: str) -> bool:
    """The label database is damaged or gone: put its newest backup in its place, or leave it."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Critical)
    box.setWindowTitle("Lightbox cannot start")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(what)
    box.setInformativeText(
        f"The newest backup is {backup.name}, made on {made}. What was decided since then is not "
        "in it. The file that is there now is kept beside it."
    )
    # Qt's own names of the two texts: the icon beside them is a label, too.
    box.setStyleSheet("#qt_msgbox_label, #qt_msgbox_informativelabel { min-width: 420px; }")
    leave = box.addButton("Close Lightbox", QMessageBox.ButtonRole.RejectRole)
    restore = box.addButton("Put the backup in its place", QMessageBox.ButtonRole.AcceptRole)
    box.setDefaultButton(leave)
    box.setEscapeButton(leave)
    box.exec()
    return box.clickedButton() is restore


def ask_category(parent: QWidget, current: str) -> str | None:
    text, accepted = QInputDialog.getText(
        parent, "Category", "Another category:", QLineEdit.EchoMode.Normal, current
    )
    return text.strip() or None if accepted else None


def show_about(parent: QWidget, version: str, model: str) -> None:
    QMessageBox.about(
        parent,
        "About Lightbox",
        f"<p><b>Lightbox {version}</b></p><p>{escape(model)}</p><p>{RESEARCH_USE_ONLY}</p>",
    )


class OpenReport(TableDialog):
    """What was not opened, and why."""

    def __init__(self, parent: QWidget, skipped: Sequence[Skipped]) -> None:
        rows = [(item.path, item.reason) for item in skipped]
        super().__init__(parent, "Not opened", ("File", "Reason"), rows)
        self.resize(1000, 560)
        self.table.setColumnWidth(0, 440)  # a path and a sentence want the same room
        self.buttons.button(QDialogButtonBox.StandardButton.Close).setDefault(True)
        copy = self.buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self.copy)


class KeysDialog(TableDialog):
    """Every key and what the mouse does."""

    def __init__(self, parent: QWidget, rows: Sequence[tuple[str, str]]) -> None:
        super().__init__(parent, "Keys and mouse", ("Key", "What it does"), rows)


class SettingsDialog(QDialog):
    """One field for each row of the table of settings that has words."""

    def __init__(self, parent: QWidget, settings: Settings, models: Sequence[str]) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Settings")
        self.setMinimumWidth(580)
        self._fields: dict[str, QCheckBox | QComboBox | QLineEdit] = {}
        form = QFormLayout()
        form.setVerticalSpacing(10)
        for row in SETTINGS:
            if not row.text:
                continue
            value = settings.value(row.key)
            field: QCheckBox | QComboBox | QLineEdit
            choices = _model_choices(models, str(value)) if row.key == "model" else row.choices
            if choices:
                field = QComboBox(self)
                for choice, words in choices:
                    field.addItem(words, choice)
                field.setCurrentIndex(max(0, field.findData(value)))
            elif isinstance(row.default, bool):
                field = QCheckBox(row.text, self)
                field.setChecked(bool(value))
            else:
                field = QLineEdit(str(value), self)
            self._fields[row.key] = field
            if isinstance(field, QCheckBox):
                form.addRow("", field)
            else:
                form.addRow(row.text, field)
        name = self._fields["reader_name"]
        assert isinstance(name, QLineEdit)
        name.setPlaceholderText(default_reader())
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, self
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        hint = QLabel("Changes count from the next image on.", self)
        hint.setStyleSheet(f"color: {theme.MUTED.name()};")
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(hint)
        layout.addWidget(buttons)

    def values(self) -> dict[str, Value]:
        """What the fields say."""
        values: dict[str, Value] = {}
        for key, field in self._fields.items():
            if isinstance(field, QCheckBox):
                values[key] = field.isChecked()
            elif isinstance(field, QComboBox):
                values[key] = str(field.currentData())
            else:
                values[key] = field.text().strip()
        return values


def _model_choices(models: Sequence[str], value: str) -> list[tuple[str, str]]:
    """The installed models, and the one of the settings where it is gone."""
    first = f"the first one ({models[0]})" if models else "none is installed"
    gone = [(value, f"{value} (not there)")] if value and value not in models else []
    return [("", first), *((name, name) for name in models), *gone]
