"""The reader's settings: one table of rows; only what differs from it is stored."""

from __future__ import annotations

import getpass
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viewer.errors import ViewerError

Value = bool | str | int


class SettingsError(ViewerError):
    """Settings that cannot be kept."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One row.

    Attributes
    ----------
    key : name in the file.
    default : value where the file has none; its type is the type of the setting.
    text : what the dialog says; empty for what the window remembers by itself.
    choices : the only values allowed, with their words; empty where any value is.
    """

    key: str
    default: Value
    text: str = ""
    choices: tuple[tuple[str, str], ...] = ()

    def accepts(self, value: object) -> bool:
        if type(value) is not type(self.default):
            return False
        return not self.choices or value in [choice for choice, _ in self.choices]


SETTINGS: tuple[Setting, ...] = (
    Setting("reader_name", "", "Your name, kept with each decision"),
    Setting(
        "reading_mode",
        "concurrent",
        "Reading mode",
        (
            ("concurrent", "concurrent: AI marks from the start"),
            ("blind", "blind first: AI marks after a signed first read"),
        ),
    ),
    Setting("analyse_on_opening", True, "Analyse an X-ray as soon as it is opened"),
    Setting(
        "device",
        "auto",
        "Analyse on",
        (
            ("auto", "the graphics card where there is one"),
            ("cpu", "the processor"),
            ("cuda", "an NVIDIA graphics card"),
            ("mps", "an Apple graphics processor"),
        ),
    ),
    Setting("model", "", "Model"),
    Setting(
        "proposals",
        "20",
        "Proposals of a two-stage model",
        tuple((number, f"the {number} best") for number in ("10", "20", "50", "100")),
    ),
    Setting("watched_folder", "", "Folder whose new files come into the worklist"),
    Setting("last_folder", ""),
    Setting("export_format", ""),
    Setting("export_pictures", ""),
    Setting("export_split", ""),
    Setting("export_mine", False),
    Setting("export_folder", ""),
    Setting("import_format", ""),
    Setting("window_geometry", ""),
    Setting("window_state", ""),
)

_ROWS = {row.key: row for row in SETTINGS}


def default_reader() -> str:
    """The name that the operating system knows the reader by."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no login name: a container, a service
        return "reader"


class Settings:
    """The settings in force. Changes are written at once, whole or not at all.

    Attributes
    ----------
    problem : a sentence where the file could not be used and the defaults stand, or None.
    """

    def __init__(self, path: Path, values: dict[str, Value], problem: str | None = None) -> None:
        self.problem = problem
        self._path = path
        self._values = values

    @staticmethod
    def load(path: Path) -> Settings:
        """Read the file; a damaged one is kept aside and the defaults are used."""
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return Settings(path, {})
        except (OSError, UnicodeDecodeError):
            return Settings._damaged(path)
        try:
            stored = json.loads(text)
        except ValueError:
            return Settings._damaged(path)
        if not isinstance(stored, dict):
            return Settings._damaged(path)
        # A row of another version, or of another type than its own, falls back to the default.
        known = {key: value for key, value in stored.items() if key in _ROWS}
        values = {key: value for key, value in known.items() if _ROWS[key].accepts(value)}
        return Settings(path, values)

    @staticmethod
    def _damaged(path: Path) -> Settings:
        aside = path.with_name(path.name + ".damaged")
        try:
            path.replace(aside)
        except OSError:
            return Settings(path, {}, "The settings could not be read; the defaults are used.")
        return Settings(
            path, {}, f"The settings were damaged; the defaults are used. Kept aside: {aside.name}"
        )

    def value(self, key: str) -> Value:
        row = _ROWS[key]
        return self._values.get(key, row.default)

    def text(self, key: str) -> str:
        return str(self.value(key))

    def flag(self, key: str) -> bool:
        return bool(self.value(key))

    @property
    def reader(self) -> str:
        """Whose decisions these are."""
        return self.text("reader_name").strip() or default_reader()

    def change(self, **values: Value) -> None:
        """Set and keep; raises SettingsError with nothing changed where it cannot be written."""
        for key, value in values.items():
            if not _ROWS[key].accepts(value):
                raise SettingsError(f"{value!r} is not a value for the setting {key}.")
        merged: dict[str, Value] = {**self._values, **values}
        overrides = {key: value for key, value in merged.items() if value != _ROWS[key].default}
        if overrides != self._values:
            self._write(overrides)
            self._values = overrides

    def _write(self, overrides: dict[str, Any]) -> None:
        beside = self._path.with_name(self._path.name + ".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(json.dumps(overrides, indent=1, ensure_ascii=False), encoding="utf-8")
            beside.replace(self._path)
        except OSError as error:
            raise SettingsError(
                f"The settings could not be written ({error.strerror or 'unknown reason'})."
            ) from error
