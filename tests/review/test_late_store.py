"""The window is there before the database is: and says so where that cannot be opened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtWidgets import QApplication

from viewer import app
from viewer.dicom.model import Patient, StudyHeader
from viewer.errors import StoreError
from viewer.home import Home
from viewer.review.late_store import LateStore
from viewer.review.store import Store
from viewer.ui import dialogs

ROOT = Path(__file__).parents[2]


def test_it_is_the_store_from_the_first_use_on(tmp_path: Path) -> None:
    late = LateStore(tmp_path / "labels.sqlite")
    assert not (tmp_path / "labels.sqlite").exists()
    key = cast("Store", late).patient_key(StudyHeader("1.2", Patient(id="P-1")))
    assert late.open() is late.open()
    late.close()
    with Store.open(tmp_path / "labels.sqlite") as store:
        assert store.patient_key(StudyHeader("1.2", Patient(id="P-1"))) == key


def test_closing_one_that_was_never_opened_makes_no_database(tmp_path: Path) -> None:
    LateStore(tmp_path / "labels.sqlite").close()
    assert list(tmp_path.iterdir()) == []


def test_what_the_window_imports_does_not_wait_for_the_database() -> None:
    code = "import viewer.app, sys; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_database_that_cannot_be_opened_ends_the_window_with_a_sentence(
    tmp_path: Path, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    home.path.mkdir()
    home.database.write_bytes(b"this is no database at all" * 100)
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(dialogs, "tell", lambda _, title, text: told.append((title, text)))
    assert app.run([], home) == 1
    assert [title for title, _ in told] == ["Lightbox cannot start"]
    assert told[0][1].endswith(".")
    assert home.database.read_bytes().startswith(b"this is no database")
    with pytest.raises(StoreError):
        LateStore(home.database).open()
