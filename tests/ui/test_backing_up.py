"""The label database as the window opens it: its daily copy, and what is offered in its place."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMessageBox

from tests.ui.window_fixtures import WAIT, Desk
from viewer import app
from viewer.review import backup
from viewer.review.late_store import LateStore
from viewer.ui import backing_up, dialogs


def labels(desk: Desk) -> Path:
    assert isinstance(desk.home.database, Path)
    return desk.home.database


def copied(desk: Desk) -> list[Path]:
    desk.qtbot.waitUntil(lambda: not desk.window._jobs.busy(backing_up.SLOT), timeout=WAIT)
    return backup.copies(labels(desk))


def test_the_window_copies_it_once_a_day_without_a_word(desk: Desk) -> None:
    late = LateStore(labels(desk))
    assert app._open_store(late, desk.window)
    (copy,) = copied(desk)
    assert copy.parent == desk.home.path / "backups"
    desk.window.backing_up.start()
    assert copied(desk) == [copy]
    assert desk.window.notice.isHidden()
    late.close()


def test_a_copy_that_was_not_made_is_told(desk: Desk) -> None:
    (desk.home.path / "backups").write_bytes(b"a file is in the way")
    desk.window.backing_up.start()
    assert copied(desk) == []
    assert desk.window.notice.text.text().startswith("Today's backup was not made. ")


def test_closing_the_window_stops_the_copy(
    make_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = make_desk()
    monkeypatch.setattr(backup, "_PAGES_AT_ONCE", 1)
    monkeypatch.setattr(backup, "_BREATH_SECONDS", 0.2)
    desk.window.backing_up.start()
    desk.window.close()  # waits for its threads and asserts that none is left
    assert backup.copies(labels(desk)) == []


def test_a_newer_database_is_shown_and_the_reader_is_told(desk: Desk) -> None:
    with sqlite3.connect(labels(desk)) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    connection.close()
    late = LateStore(labels(desk))
    assert app._open_store(late, desk.window)
    assert "nothing can be decided" in desk.window.notice.text.text()
    assert copied(desk) == []
    late.close()


@pytest.mark.parametrize("answer", ["Put the backup in its place", "Close Lightbox"])
def test_in_the_place_of_a_damaged_one_its_backup_is_offered(
    desk: Desk, qapp: QApplication, answer: str
) -> None:
    path = labels(desk)
    backup.daily(path, datetime(2026, 3, 4, 12, 0, tzinfo=UTC))
    sound = path.read_bytes()
    path.write_bytes(b"\0" * 8192)
    asked: list[str] = []

    def reply() -> None:
        box = qapp.activeModalWidget()
        assert isinstance(box, QMessageBox)
        asked.append(box.text() + box.informativeText())
        next(button for button in box.buttons() if button.text() == answer).click()

    QTimer.singleShot(0, reply)
    late = LateStore(path)
    opened = app._open_store(late, desk.window)
    assert f"{path} is damaged" in asked[0]
    assert "labels-20260304T120000Z.sqlite, made on 04 March 2026" in asked[0]
    put = answer.startswith("Put")
    assert opened is put
    if put:
        (aside,) = path.parent.glob("labels.sqlite.until-*")
        assert aside.read_bytes() == b"\0" * 8192
        assert len(path.read_bytes()) == len(sound)
        assert str(aside) in desk.window.notice.text.text()
        late.close()
    else:
        assert path.read_bytes() == b"\0" * 8192


def test_where_there_is_no_backup_the_sentence_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels(desk).write_bytes(b"\0" * 8192)
    told: list[str] = []
    monkeypatch.setattr(dialogs, "tell", lambda _, title, text: told.append(text))
    assert not app._open_store(LateStore(labels(desk)), desk.window)
    assert told[0].endswith("There is no backup of it.")
