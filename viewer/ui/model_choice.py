"""Which models there are, which one analyses, and taking in another one, for the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from detector.importing.description import Description, Inspection
from detector.types import DetectorError, ModelCard
from viewer import installed
from viewer.errors import InputError, ViewerError
from viewer.home import Home
from viewer.installed import InstalledModel
from viewer.review.thresholds import Thresholds
from viewer.settings import Settings
from viewer.ui.analysis import Analysis, Model
from viewer.ui.deciding import Deciding
from viewer.ui.jobs import Jobs
from viewer.ui.reading import Reading

SLOT = "models"

Inspect = Callable[[Path, Description], Inspection]
Add = Callable[[Path, Path, Description], ModelCard]


class ModelChoice(QObject):
    """The installed models. What is chosen here analyses the next image."""

    changed = Signal()  # another list, or another one in use
    inspected = Signal(object, object)  # the file (Path) and what is known of it (Inspection)
    added = Signal(object)  # ModelCard
    failed = Signal(str)
    told = Signal(str)  # what else changed with it, in a sentence

    def __init__(
        self,
        jobs: Jobs,
        home: Home,
        settings: Settings,
        *,
        inspect: Inspect,
        add: Add,
        reading: Reading,
        deciding: Deciding,
        analysis: Analysis,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._home = home
        self._settings = settings
        self._inspect = inspect
        self._add = add
        self._reading = reading
        self._deciding = deciding
        self._analysis = analysis

    @property
    def busy(self) -> bool:
        return self._jobs.busy(SLOT)

    def models(self) -> tuple[InstalledModel, ...]:
        return installed.installed_models(self._home)

    def in_use(self) -> str:
        """The name of the model that analyses, empty where there is none."""
        model = self._analysis.model
        return "" if model is None else model.card.name

    def use(self, name: str) -> None:
        """Analyse with this model from now on.

        Raises
        ------
        InputError, SettingsError
            It is not there any more; the choice cannot be kept.
        """
        try:
            installed.use_model(self._home, self._settings, name)
        except DetectorError as error:
            raise InputError(str(error)) from error
        self.follow_settings()

    def remove(self, name: str) -> None:
        """Delete a model that was added or trained here, for good.

        Raises
        ------
        InputError, SettingsError
            It ships with the program, or cannot be deleted.
        """
        try:
            installed.remove_model(self._home, self._settings, name)
        except DetectorError as error:
            raise InputError(str(error)) from error
        self.follow_settings()

    def follow_settings(self) -> str:
        """Put the model of the settings in force, with its categories and threshold.

        Returns
        -------
        A sentence on what is wrong with the installed models, or nothing.
        """
        chosen, problem = installed.model_in_use(self._home, self._settings)
        present = self._analysis.model
        if chosen is None:
            self._analysis.use(None)
            self._deciding.set_known_categories(())
        elif present is None or present.card != chosen.card:
            self._analysis.use(Model(chosen.folder, chosen.card))
            self._deciding.set_known_categories(chosen.card.categories)
            self._take_over_threshold(chosen.card)
        self.changed.emit()
        return problem

    def _take_over_threshold(self, card: ModelCard) -> None:
        """Scores of another model mean something else: its own threshold counts now."""
        self._reading.set_thresholds(Thresholds(card.default_threshold))
        self.told.emit(
            f"{card.name} {card.version} analyses now; the threshold went back to its own, "
            f"{card.default_threshold:.2f}."
        )

    def inspect(self, file: Path, description: Description) -> None:
        """Have the child process look at a file; `inspected` or `failed` tells."""
        self._jobs.submit(
            SLOT,
            lambda _: self._inspect(file, description),
            lambda inspection: self.inspected.emit(file, inspection),
            self._tell,
        )

    def add(self, file: Path, description: Description) -> None:
        """Have it copied into the home folder; `added` or `failed` tells."""
        if description.name in [model.card.name for model in self.models()]:
            self.failed.emit(f"There is a model named {description.name} already.")
            return

        def done(card: ModelCard) -> None:
            self.added.emit(card)
            self.changed.emit()

        self._jobs.submit(
            SLOT, lambda _: self._add(file, self._home.models, description), done, self._tell
        )

    def cancel(self) -> None:
        self._jobs.cancel(SLOT)

    def _tell(self, error: ViewerError) -> None:
        self.failed.emit(str(error))
