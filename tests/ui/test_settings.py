"""Settings: only what differs is stored, whole or not at all, and damage is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from viewer.settings import SETTINGS, Settings, SettingsError


def test_only_what_differs_from_the_table_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "home" / "settings.json"
    settings = Settings.load(path)
    assert settings.flag("analyse_on_opening")
    assert not path.exists()
    settings.change(reader_name="Dr A", analyse_on_opening=False, device="auto")
    assert json.loads(path.read_text()) == {"reader_name": "Dr A", "analyse_on_opening": False}
    again = Settings.load(path)
    assert again.reader == "Dr A"
    assert not again.flag("analyse_on_opening")
    again.change(analyse_on_opening=True)
    assert json.loads(path.read_text()) == {"reader_name": "Dr A"}


def test_the_reader_has_a_name_from_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "jdoe")
    assert Settings.load(tmp_path / "s.json").reader == "jdoe"


@pytest.mark.parametrize("content", [b"{not json", b"[1, 2]", b"\xff\xfe\x00", b""])
def test_a_damaged_file_is_kept_aside_and_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    settings = Settings.load(path)
    assert settings.problem is not None
    assert settings.flag("analyse_on_opening")
    assert (tmp_path / "settings.json.damaged").read_bytes() == content
    settings.change(reader_name="B")
    assert Settings.load(path).problem is None


def test_foreign_rows_and_wrong_types_fall_back(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"analyse_on_opening": 1, "device": "toaster", "from_2030": 3}))
    settings = Settings.load(path)
    assert settings.flag("analyse_on_opening") is True
    assert settings.text("device") == "auto"
    with pytest.raises(SettingsError):
        settings.change(device="toaster")


def test_a_failed_write_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    settings = Settings.load(tmp_path / "file" / "settings.json")
    with pytest.raises(SettingsError):
        settings.change(reader_name="C")
    assert settings.text("reader_name") == ""


def test_the_keys_are_unique() -> None:
    assert len({row.key for row in SETTINGS}) == len(SETTINGS)
