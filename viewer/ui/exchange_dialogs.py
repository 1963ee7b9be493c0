"""What must be said before labels go out or come in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from viewer.errors import ExchangeError
from viewer.exchange.formats import FORMATS, Format
from viewer.exchange.options import Options, Pictures, Split
from viewer.settings import Settings
from viewer.ui import dialogs, theme

_PICTURES = {
    Pictures.PNG8: "8 bit, as the reader sees them",
    Pictures.PNG16: "16 bit, the values of the file",
    Pictures.DICOM: "DICOM, de-identified",
}
_NO_SPLIT = "none"
_SPLITS = (_NO_SPLIT, "80/10/10", "70/15/15", "80/20")
_WIDTH = 620


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """What is to go out, and how.

    Attributes
    ----------
    everything : all that was reviewed; else the studies that the reader has picked.
    folder : in which the new folder is made.
    """

    row: Format
    everything: bool
    options: Options
    folder: Path


class ExportDialog(QDialog):
    """Asks for an export; the last answers are there again the next time.

    Parameters
    ----------
    picked : how many studies are picked, or on the screen; 0: only everything can go out.
    """

    def __init__(
        self, parent: QWidget, settings: Settings, picked: int, *, everything: bool
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.setMinimumWidth(_WIDTH)
        self._settings = settings
        self.what = QComboBox(self)
        if picked:
            words = "this study" if picked == 1 else f"the {picked} studies that are picked"
            self.what.addItem(words, False)
        self.what.addItem("everything that was reviewed", True)
        self.what.setCurrentIndex(max(0, self.what.findData(everything)))
        self.format = _formats(self, list(FORMATS.values()), settings.text("export_format"))
        self.about = _muted(self)
        self.pictures = QComboBox(self)
        self.whose = QComboBox(self)
        self.whose.addItem("the consensus, or the only reader's", False)
        self.whose.addItem(f"mine ({settings.reader})", True)
        self.whose.setCurrentIndex(self.whose.findData(settings.flag("export_mine")))
        self.identity = QComboBox(self)  # asked anew each time: nobody's name goes out by habit
        self.identity.addItem("without identity: a key, and new UIDs", False)
        self.identity.addItem("with the patient's name, ids and dates", True)
        self.split = QComboBox(self)
        self.split.setEditable(True)
        self.split.addItems(_SPLITS)
        self.split.setCurrentText(settings.text("export_split") or _NO_SPLIT)
        self.folder = QLineEdit(settings.text("export_folder"), self)
        self.folder.setPlaceholderText("a folder, in which a new one is made")
        self.problem = _muted(self)
        self.buttons = _buttons(self, "Export")
        self._lay_out()
        self.format.currentIndexChanged.connect(self._follow_format)
        self.split.currentTextChanged.connect(self._check)
        self.folder.textChanged.connect(self._check)
        self._follow_format()

    def _lay_out(self) -> None:
        change = _plain_button(self, "Change…")
        change.clicked.connect(self._ask_folder)
        self.form = _form()
        self.form.addRow("Export", self.what)
        self.form.addRow("As", _under(self.format, self.about))
        self.form.addRow("Decisions", self.whose)
        self.form.addRow("Patient", self.identity)
        self.form.addRow("Pictures", self.pictures)
        self.form.addRow("Split by patient", self.split)
        self.form.addRow("Into", _beside(self.folder, change))
        self.form.addRow("", self.problem)
        layout = QVBoxLayout(self)
        layout.addLayout(self.form)
        layout.addWidget(self.buttons)

    @property
    def row(self) -> Format:
        return FORMATS[str(self.format.currentData())]

    def choice(self) -> ExportChoice:
        """What the fields say; ExchangeError where that cannot be done."""
        split, folder = self.split.currentText().strip(), self.folder.text().strip()
        if not folder:
            raise ExchangeError("Choose the folder to export into.")
        if not Path(folder).is_dir():
            raise ExchangeError(f"There is no folder {folder}.")
        options = Options(
            self._settings.reader if self.whose.currentData() else None,
            Pictures(self.pictures.currentData()) if self.row.pictures else None,
            Split.of(split) if self.row.splits and split not in ("", _NO_SPLIT) else None,
            identity=self.row.identity and bool(self.identity.currentData()),
        )
        return ExportChoice(self.row, bool(self.what.currentData()), options, Path(folder))

    def remember(self) -> None:
        """Keep the answers for the next time."""
        split = self.split.currentText().strip()
        self._settings.change(
            export_format=self.row.name,
            export_pictures=str(self.pictures.currentData() or ""),
            export_mine=bool(self.whose.currentData()),
            export_split="" if split == _NO_SPLIT else split,
            export_folder=self.folder.text().strip(),
        )

    def _follow_format(self) -> None:
        row = self.row
        self.about.setText(row.writes)
        self.pictures.clear()
        for form in row.pictures:
            self.pictures.addItem(_PICTURES[form], form.value)
        kept = self.pictures.findData(self._settings.text("export_pictures"))
        same_format = self._settings.text("export_format") == row.name
        self.pictures.setCurrentIndex(kept if same_format and kept >= 0 else 0)
        self.form.setRowVisible(self.pictures, bool(row.pictures))
        self.form.setRowVisible(self.split, row.splits)
        self.form.setRowVisible(self.identity, row.identity)
        self._check()

    def _ask_folder(self) -> None:
        folder = dialogs.choose_folder(self, self.folder.text(), "Export into a new folder in")
        if folder is not None:
            self.folder.setText(str(folder))

    def _check(self) -> None:
        try:
            self.choice()
            problem = ""
        except ExchangeError as error:
            problem = str(error)
        self.problem.setText(problem)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(not problem)


class ImportDialog(QDialog):
    """Asks which labels are to come in, and in which format they are."""

    def __init__(self, parent: QWidget, settings: Settings, folder: str) -> None:
        super().__init__(parent)
        self.setWindowTitle("Import")
        self.setMinimumWidth(_WIDTH)
        self._folder = folder
        self.path = QLineEdit(self)
        self.path.setPlaceholderText("a file, or the folder of a data set")
        file, whole = _plain_button(self, "File…"), _plain_button(self, "Folder…")
        rows = [row for row in FORMATS.values() if row.imports]
        self.format = _formats(self, rows, settings.text("import_format"))
        file.clicked.connect(self._ask_file)
        whole.clicked.connect(self._ask_folder)
        self.hint = _muted(self)
        self.hint.setText(
            f"Findings that name no reader become those of {settings.reader}. Signatures are not "
            "imported."
        )
        self.buttons = _buttons(self, "Import")
        form = _form()
        form.addRow("Labels", _beside(self.path, file, whole))
        form.addRow("Format", _under(self.format, self.hint))
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.buttons)
        self.path.textChanged.connect(self._check)
        self._check()

    @property
    def row(self) -> Format:
        return FORMATS[str(self.format.currentData())]

    @property
    def labels(self) -> Path:
        return Path(self.path.text().strip())

    def _ask_file(self) -> None:
        self._take(dialogs.choose_labels(self, self._folder, self.row))

    def _ask_folder(self) -> None:
        self._take(dialogs.choose_folder(self, self._folder, "Import the folder"))

    def _take(self, path: Path | None) -> None:
        if path is not None:
            self.path.setText(str(path))

    def _check(self) -> None:
        there = bool(self.path.text().strip()) and self.labels.exists()
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(there)


def _formats(parent: QWidget, rows: list[Format], chosen: str) -> QComboBox:
    box = QComboBox(parent)
    for row in rows:
        box.addItem(row.words, row.name)
    box.setCurrentIndex(max(0, box.findData(chosen)))
    return box


def _form() -> QFormLayout:
    form = QFormLayout()
    form.setVerticalSpacing(10)
    form.setHorizontalSpacing(14)
    return form


def _muted(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setWordWrap(True)
    label.setStyleSheet(f"color: {theme.MUTED.name()};")
    return label


def _plain_button(parent: QWidget, text: str) -> QPushButton:
    button = QPushButton(text, parent)
    button.setAutoDefault(False)
    return button


def _beside(*widgets: QWidget) -> QHBoxLayout:
    line = QHBoxLayout()
    line.setSpacing(8)
    for number, widget in enumerate(widgets):
        line.addWidget(widget, 0 if number else 1)
    return line


def _under(widget: QWidget, words: QLabel) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(5)
    column.addWidget(widget)
    column.addWidget(words)
    return column


def _buttons(dialog: QDialog, word: str) -> QDialogButtonBox:
    buttons = QDialogButtonBox(
        QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, dialog
    )
    buttons.button(QDialogButtonBox.StandardButton.Ok).setText(word)
    buttons.accepted.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    return buttons
