"""The models as the reader sees them: the list, and what must be said of a new one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from detector.importing.description import STYLES, Description, Inspection
from detector.model_store import CARD
from detector.types import ModelCard
from viewer.errors import ViewerError
from viewer.installed import InstalledModel
from viewer.ui import dialogs, theme
from viewer.ui.model_choice import ModelChoice
from viewer.ui.review_words import CARRYING
from viewer.ui.wording import model_cells, plain_tip

_HEADS = ("", "Name", "Version", "Architecture", "Categories", "Input", "Source")
_STYLE_WORDS = {"yolo": "YOLO", "ssd": "SSD", "retinanet": "RetinaNet", "detr": "DETR"}


class ModelsDialog(QDialog):
    """The installed models, with what can be done about them."""

    def __init__(self, parent: QWidget, choice: ModelChoice, folder: str) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Models")
        self.resize(940, 400)
        self._choice = choice
        self._folder = folder
        self._models: tuple[InstalledModel, ...] = ()
        self.table = QTableWidget(0, len(_HEADS), self)
        self.table.setHorizontalHeaderLabels(list(_HEADS))
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        head = self.table.horizontalHeader()
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(_HEADS.index("Categories"), QHeaderView.ResizeMode.Stretch)
        self.words = QLabel(self)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.add_button = self._button(buttons, "Add…")
        self.use_button = self._button(buttons, "Use")
        self.remove_button = self._button(buttons, "Remove")
        buttons.rejected.connect(self.reject)
        self.add_button.clicked.connect(self.ask_file)
        self.use_button.clicked.connect(lambda: self._guarded(self._use))
        self.remove_button.clicked.connect(lambda: self._guarded(self._remove))
        self.table.itemSelectionChanged.connect(self._follow_selection)
        layout = QVBoxLayout(self)
        layout.addWidget(self.table)
        layout.addWidget(self.words)
        layout.addWidget(buttons)
        choice.changed.connect(self.show_models)
        choice.failed.connect(self.show_problem)
        choice.inspected.connect(self.describe)
        choice.added.connect(self._added)
        self.finished.connect(lambda _: choice.cancel())
        self.show_models()
        self.say(
            "The model in use has a star. Another one analyses from the next image on; F5 analyses "
            f"the image on the screen again. {CARRYING}"
        )

    def _button(self, box: QDialogButtonBox, text: str) -> QPushButton:
        button = box.addButton(text, QDialogButtonBox.ButtonRole.ActionRole)
        button.setAutoDefault(False)
        return button

    # --- what can be done ------------------------------------------------------------------------

    def ask_file(self) -> None:
        file = dialogs.choose_model(self, self._folder)
        if file is not None:
            self._folder = str(file.parent)
            self._choice.inspect(file, Description())
            self.say(f"Looking at {file.name}…")

    def describe(self, file: Path, inspection: Inspection) -> None:
        """Ask what the file does not say of itself; a card says it all."""
        if file.name != CARD:
            dialog = DescriptionDialog(self, file, inspection)
            accepted = dialog.exec()
            inspection = replace(inspection, description=dialog.description())
            dialog.deleteLater()
            if not accepted:
                self.say("Nothing was added.")
                return
        self.say(f"Adding {inspection.description.name}…")
        self._choice.add(file, inspection.description)
        self._follow_selection()

    def _added(self, card: ModelCard) -> None:
        self.show_models(card.name)
        self.say(f"{card.name} was added. Nobody here has measured it.")

    def _use(self) -> None:
        name = self.selected()
        self._choice.use(name)
        self.say(f"{name} analyses from the next image on; F5 analyses the one on the screen.")

    def _remove(self) -> None:
        name = self.selected()
        bundled = any(model.bundled for model in self._models if model.card.name == name)
        # What ships cannot go: that is told without asking first.
        if bundled or dialogs.confirm_removal(self, name):
            self._choice.remove(name)
            self.say(f"{name} was removed.")

    def _guarded(self, call: Callable[[], None]) -> None:
        try:
            call()
        except ViewerError as error:
            self.show_problem(str(error))

    # --- what is shown ---------------------------------------------------------------------------

    def selected(self) -> str:
        """The name in the selected row, empty where none is."""
        row = self.table.currentRow()
        return self._models[row].card.name if 0 <= row < len(self._models) else ""

    def show_models(self, select: str = "") -> None:
        """The list as it is now, with this model selected, else the one that was."""
        name = select or self.selected() or self._choice.in_use()
        self._models = self._choice.models()
        self.table.setRowCount(len(self._models))
        for row, model in enumerate(self._models):
            star = "★" if model.card.name == self._choice.in_use() else ""
            for column, text in enumerate((star, *model_cells(model))):
                item = QTableWidgetItem(text)
                item.setToolTip(plain_tip(text))
                self.table.setItem(row, column, item)
            if model.card.name == name:
                self.table.selectRow(row)
        self._follow_selection()

    def say(self, text: str) -> None:
        self.words.setStyleSheet(f"color: {theme.MUTED.name()};")
        self.words.setText(text)
        self._follow_selection()

    def show_problem(self, sentence: str) -> None:
        self.words.setStyleSheet(f"color: {theme.ERROR.name()};")
        self.words.setText(sentence)
        self._follow_selection()

    def _follow_selection(self) -> None:
        name = self.selected()
        self.add_button.setEnabled(not self._choice.busy)
        self.use_button.setEnabled(bool(name) and name != self._choice.in_use())
        self.remove_button.setEnabled(bool(name))


class DescriptionDialog(QDialog):
    """What a model's file does not say of itself; what it says is filled in."""

    def __init__(self, parent: QWidget, file: Path, inspection: Inspection) -> None:
        super().__init__(parent)
        self.setWindowTitle("Add a model")
        self.setMinimumWidth(560)
        said = inspection.description
        self._said = said
        self._onnx = file.suffix.lower() == ".onnx"
        self.name = QLineEdit(said.name, self)
        self.categories = QLineEdit(", ".join(said.categories), self)
        count = inspection.category_count
        self.categories.setPlaceholderText(
            "in the model's order, with commas" + ("" if count is None else f"; it has {count}")
        )
        self.input_size = QSpinBox(self)
        self.input_size.setRange(32, 4096)
        self.input_size.setValue(said.input_size or 640)
        self.threshold = QDoubleSpinBox(self)
        self.threshold.setRange(0.0, 1.0)
        self.threshold.setSingleStep(0.05)
        self.threshold.setValue(said.threshold)
        self.modalities, self.body_parts, self.views = (
            QLineEdit(", ".join(codes), self)
            for codes in (said.modalities, said.body_parts, said.views)
        )
        form = QFormLayout()
        form.setVerticalSpacing(10)
        form.addRow("Name", self.name)
        form.addRow("Categories", self.categories)
        form.addRow("Input, pixels a side", self.input_size)
        self._add_kind(form)
        form.addRow("Modalities", self.modalities)
        form.addRow("Body parts", self.body_parts)
        form.addRow("Views", self.views)
        form.addRow("Threshold at first", self.threshold)
        hint = QLabel("Nobody here has measured this model, and the window will say so.", self)
        hint.setWordWrap(True)
        hint.setStyleSheet(f"color: {theme.MUTED.name()};")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.add_button = self.buttons.addButton("Add", QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(hint)
        layout.addWidget(self.buttons)
        for field in (self.name, self.categories, self.architecture):
            field.textChanged.connect(self._follow)
        self._follow()

    def _add_kind(self, form: QFormLayout) -> None:
        """The rows of an ONNX file, or that of a file with weights alone."""
        said = self._said
        self.output = _choice(self, [(_STYLE_WORDS[s], s) for s in STYLES], said.output)
        self.channels = _choice(self, [("grey", 1), ("colour", 3)], said.channels)
        self.scale = _choice(self, [("0 to 1", 1.0), ("0 to 255", 255.0)], said.scale)
        self.order = _choice(self, [("RGB", "rgb"), ("BGR", "bgr")], said.order)
        self.architecture = QLineEdit(said.architecture, self)
        self.architecture.setPlaceholderText("as train --arch names it")
        rows: tuple[tuple[str, QWidget], ...] = (("Architecture", self.architecture),)
        if self._onnx:
            rows = (
                ("Style of its answers", self.output),
                ("Reads pictures in", self.channels),
                ("Values", self.scale),
                ("Order of the planes", self.order),
            )
        for text, field in rows:
            form.addRow(text, field)
        for field in (self.output, self.channels, self.scale, self.order, self.architecture):
            field.setVisible(field in [row[1] for row in rows])

    def _follow(self) -> None:
        named = self.name.text().strip() and self.categories.text().strip(" ,")
        self.add_button.setEnabled(bool(named and (self._onnx or self.architecture.text().strip())))

    def description(self) -> Description:
        """What the fields say."""
        said = replace(
            self._said,
            name=self.name.text().strip(),
            categories=_names(self.categories.text()),
            input_size=self.input_size.value(),
            modalities=_names(self.modalities.text().upper()),
            body_parts=_names(self.body_parts.text().upper()),
            views=_names(self.views.text().upper()),
            threshold=self.threshold.value(),
        )
        if not self._onnx:
            return replace(said, architecture=self.architecture.text().strip())
        return replace(
            said,
            output=self.output.currentData(),
            channels=self.channels.currentData(),
            scale=self.scale.currentData(),
            order=self.order.currentData(),
        )


def _choice(parent: QWidget, choices: list[tuple[str, object]], value: object) -> QComboBox:
    box = QComboBox(parent)
    for words, data in choices:
        box.addItem(words, data)
    box.setCurrentIndex(max(0, box.findData(value)))
    return box


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
