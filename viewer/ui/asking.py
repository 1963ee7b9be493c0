"""What the reader must be asked before it can be done: which files, where to, with what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from viewer.dicom.model import StudyHeader
from viewer.exchange.options import BurnedIn
from viewer.settings import Settings
from viewer.ui import dialogs
from viewer.ui.analysis import Analysis
from viewer.ui.exchange_dialogs import ExportDialog, ImportDialog
from viewer.ui.exchanging import Exchanging, Load
from viewer.ui.model_choice import ModelChoice
from viewer.ui.model_dialogs import ModelsDialog
from viewer.ui.reading import Reading
from viewer.ui.study_browser import StudyModel
from viewer.version import VERSION


class Asking(QObject):
    """Opens the dialogs and does what comes of them."""

    chosen = Signal(object)  # list of Path, to open
    reader_changed = Signal(str)
    settings_changed = Signal()
    failed = Signal(str)  # sentence

    def __init__(
        self,
        window: QWidget,
        *,
        settings: Settings,
        reading: Reading,
        analysis: Analysis,
        exchanging: Exchanging,
        models: ModelChoice,
        studies: StudyModel,
        load: Load,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._settings = settings
        self._reading = reading
        self._analysis = analysis
        self._exchanging = exchanging
        self._models = models
        self._studies = studies
        self._load = load
        exchanging.burned_in_asked.connect(self._burned_in)

    @property
    def _folder(self) -> str:
        return self._settings.text("last_folder")

    def files(self) -> None:
        """Open files."""
        paths = dialogs.choose_files(self._window, self._folder)
        if paths:
            self._settings.change(last_folder=str(paths[0].parent))
            self.chosen.emit(paths)

    def folder(self) -> None:
        """Open a folder."""
        path = dialogs.choose_folder(self._window, self._folder)
        if path is not None:
            self._settings.change(last_folder=str(path.parent))
            self.chosen.emit([path])

    def export(self, *, everything: bool) -> None:
        """Export labels."""
        studies = self._selected_studies()
        dialog = ExportDialog(self._window, self._settings, len(studies), everything=everything)
        accepted = dialog.exec()
        dialog.deleteLater()
        if accepted:
            dialog.remember()
            choice = dialog.choice()
            # A name of its own: an export never writes over an earlier one.
            name = f"lightbox-{choice.row.name}-{datetime.now():%Y%m%d-%H%M%S}"
            self._exchanging.export(
                choice.row,
                choice.folder / name,
                None if choice.everything else studies,
                choice.options,
            )

    def _burned_in(self, count: int, go_on: Callable[[BurnedIn], None]) -> None:
        """Some pictures may show identity: ask, and export again."""
        said = dialogs.ask_burned_in(self._window, count)
        if said is not None:
            go_on(said)

    def _selected_studies(self) -> list[StudyHeader]:
        """Those picked in the browser, else the one on the screen."""
        picked = self._studies.picked()
        if not picked and self._reading.position is not None:
            picked = (self._reading.position.study,)
        return [study.header for study in picked]

    def labels(self) -> None:
        """Import labels."""
        dialog = ImportDialog(self._window, self._settings, self._folder)
        accepted = dialog.exec()
        dialog.deleteLater()
        if accepted:
            self._settings.change(import_format=dialog.row.name)
            self._exchanging.import_labels(
                dialog.row, dialog.labels, self._settings.reader, self._load
            )

    def settings(self) -> None:
        """Change the settings; who reads and with which model counts at once."""
        names = [model.card.name for model in self._models.models()]
        dialog = dialogs.SettingsDialog(self._window, self._settings, names)
        if dialog.exec():
            self._settings.change(**dialog.values())
            problem = self._models.follow_settings()
            if problem:
                self.failed.emit(problem)
            self.settings_changed.emit()
            self.reader_changed.emit(self._settings.reader)

    def models(self) -> None:
        """Show the models, to choose, add and remove them."""
        ModelsDialog(self._window, self._models, self._folder).exec()

    def about(self) -> None:
        """Say which program and which model this is."""
        model = self._analysis.model
        words = (
            "No model installed."
            if model is None
            else f"Model: {model.card.name} {model.card.version}. {model.card.description}"
        )
        dialogs.show_about(self._window, VERSION, words)
