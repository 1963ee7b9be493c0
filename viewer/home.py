"""Where Lightbox keeps what is its own, and where what ships with it lies."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from viewer.errors import InputError
from viewer.review.place import Place, place_from_text

ENVIRONMENT_VARIABLE = "LIGHTBOX_HOME"
DATABASE_VARIABLE = "LIGHTBOX_DB"


@dataclass(frozen=True)
class Home:
    """The one folder that holds everything the program keeps.

    Attributes
    ----------
    elsewhere : where the label database is, unless in the folder.
    """

    path: Path
    elsewhere: Place | None = None

    @staticmethod
    def resolve(override: Path | None, database: str | None = None) -> Home:
        """The folder of ``--home``, else of LIGHTBOX_HOME, else the system's place for it.

        The folder is created. ``database`` is what ``--db`` names, else LIGHTBOX_DB does.

        Raises
        ------
        InputError
            It cannot be created or is no folder; or the database is no such place.
        """
        database = database or os.environ.get(DATABASE_VARIABLE)
        if override is None and os.environ.get(ENVIRONMENT_VARIABLE):
            override = Path(os.environ[ENVIRONMENT_VARIABLE])
        if override is None:
            override = Path(platformdirs.user_data_dir("Lightbox", appauthor=False))
        place = place_from_text(database) if database else None
        home = Home(override.expanduser().resolve(), place)
        try:
            home.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"The folder {home.path} for Lightbox's own files cannot be created: "
                f"{error.strerror}."
            ) from error
        return home

    @property
    def database(self) -> Place:
        """The label database: a file, or on a server."""
        return self.elsewhere or self.path / "labels.sqlite"

    @property
    def settings(self) -> Path:
        """The reader's settings (a file)."""
        return self.path / "settings.json"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def models(self) -> Path:
        """Models trained or added here."""
        return self.path / "models"

    @property
    def imported(self) -> Path:
        """Pictures that came inside imported labels: the label database names them."""
        return self.path / "imported"

    @property
    def measured_speeds(self) -> Path:
        """How each model is computed the fastest on this computer (a file that may be lost)."""
        return self.path / "measured-speeds.json"

    @property
    def model_folders(self) -> tuple[Path, Path]:
        """Where models are looked for; the first one found is used where none is chosen.

        Those that ship come first: one that was just trained is measured by nobody yet.
        """
        return bundled_models(), self.models


def bundled_models() -> Path:
    """The folder of the models that ship with the program."""
    return _program_folder() / "models"


def bundled_resources() -> Path:
    """The folder of icons, presets and the sample study."""
    return _program_folder() / "resources"


def _program_folder() -> Path:
    # PyInstaller says where it has put the bundle's data; from source it is the checkout.
    frozen = getattr(sys, "_MEIPASS", None)
    return Path(frozen) if frozen else Path(__file__).resolve().parent.parent
