"""Each verb of the review through the keys and clicks of a whole window."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QInputDialog, QMenu, QMessageBox, QWidget

from detector.types import Box
from tests.ui.window_fixtures import Desk, radiograph
from viewer.ui.note_dialog import NoteDialog
from viewer.ui.table_dialog import TableDialog

CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier

FOUND = [
    (Box(20, 20, 60, 60), 0.9, "opacity"),
    (Box(100, 20, 140, 60), 0.8, "nodule"),
    (Box(20, 100, 60, 140), 0.6, "opacity"),
    (Box(100, 100, 140, 140), 0.3, "opacity"),
]


@pytest.fixture
def open_desk(desk: Desk, tmp_path: Path) -> Desk:
    desk.puppet.answers[100] = FOUND
    desk.open(radiograph(tmp_path / "chest.dcm", first=100))
    desk.wait_analysed()
    return desk


def meet(kind: type[QWidget], do: Callable[[QWidget], None], tries: int = 100) -> None:
    """Do something with the dialog or menu that is about to come, as a person would."""

    def look() -> None:
        there = QApplication.activePopupWidget() or QApplication.activeModalWidget()
        if isinstance(there, kind):
            do(there)
        elif tries:
            meet(kind, do, tries - 1)

    QTimer.singleShot(50, look)


def write(text: str) -> Callable[[QWidget], None]:
    def do(dialog: QWidget) -> None:
        assert isinstance(dialog, NoteDialog)
        dialog.field.selectAll()
        QTest.keyClicks(dialog.field, text)
        QTest.keyClick(dialog.field, Qt.Key.Key_Return, CONTROL)

    return do


def statuses(desk: Desk) -> list[str]:
    return [row.split(", ", 1)[1] for row in desk.rows()]


def test_uncertain_is_shown_in_the_row_and_at_the_mark_and_is_passed_by(open_desk: Desk) -> None:
    desk = open_desk
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_Q)
    assert statuses(desk) == ["to decide", "left open, uncertain", "to decide"]
    assert [mark.uncertain for mark in desk.window.viewport._marks] == [False, True, False]
    desk.key(Qt.Key.Key_N, SHIFT)
    desk.key(Qt.Key.Key_Return)  # goes on to the third: the second is not asked about again
    desk.key(Qt.Key.Key_Return)
    assert statuses(desk) == ["accepted", "left open, uncertain", "accepted"]
    desk.key(Qt.Key.Key_Return, CONTROL)  # no question
    assert desk.verbs() == ["doubt", "accept", "accept", "sign"]
    desk.click(120, 40)
    desk.key(Qt.Key.Key_Q)
    assert statuses(desk)[1] == "to decide"


def test_a_reason_is_one_more_key(open_desk: Desk) -> None:
    desk = open_desk
    desk.key(Qt.Key.Key_G, SHIFT)
    desk.key(Qt.Key.Key_N)
    meet(QMenu, lambda menu: QTest.keyClick(menu, Qt.Key.Key_2))
    desk.key(Qt.Key.Key_X, ALT)
    desk.key(Qt.Key.Key_X)  # the next one, without
    assert statuses(desk) == ["rejected: device", "rejected", "to decide"]
    assert [event["verb"] for event in desk.events()] == ["reject", "reject"]
    assert desk.finding_after(0)["reason"] == "device"


def test_the_menu_at_the_mark_offers_reasons_doubt_note_and_history(open_desk: Desk) -> None:
    desk = open_desk
    texts: list[str] = []

    def look(menu: QWidget) -> None:
        assert isinstance(menu, QMenu)
        texts.extend(action.text() for action in menu.actions())
        reasons = next(a.menu() for a in menu.actions() if a.text() == "Reject because")
        assert isinstance(reasons, QMenu)
        next(a for a in reasons.actions() if "duplicate" in a.text()).trigger()
        menu.close()

    view = desk.window.viewport.view
    assert view is not None
    point = QPoint(*(round(value) for value in view.to_screen(40, 40)))
    meet(QMenu, look)
    QTest.mouseClick(desk.window.viewport, Qt.MouseButton.RightButton, pos=point)
    desk.until(lambda: desk.verbs() == ["reject"])
    assert desk.finding_after()["reason"] == "duplicate"
    for text in ("Uncertain, or certain again", "Note on the finding…", "History of the finding…"):
        assert text in texts


def test_notes_on_a_finding_and_on_the_study(open_desk: Desk) -> None:
    desk = open_desk
    desk.key(Qt.Key.Key_N)
    meet(NoteDialog, write("since March"))
    desk.key(Qt.Key.Key_K)
    assert desk.rows()[0] == "1 opacity 0.90, to decide, note: since March"
    meet(NoteDialog, write("rotated"))
    desk.key(Qt.Key.Key_K, SHIFT)
    assert desk.window.panel.study_note.text() == "Note: rotated"
    assert desk.verbs() == ["note", "note"]
    meet(NoteDialog, lambda dialog: QTest.keyClick(dialog, Qt.Key.Key_Escape))
    desk.key(Qt.Key.Key_K)
    desk.key(Qt.Key.Key_Z, CONTROL)
    assert not desk.window.panel.study_note.isVisible()
    desk.key(Qt.Key.Key_Z, CONTROL)
    assert desk.rows()[0] == "1 opacity 0.90, to decide"


def test_all_that_is_shown_is_decided_by_one_key_and_undone_by_one(open_desk: Desk) -> None:
    desk = open_desk
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_Return)
    desk.key(Qt.Key.Key_Q)
    desk.key(Qt.Key.Key_X, SHIFT)
    assert desk.verbs() == ["accept", "doubt", "reject"]
    desk.key(Qt.Key.Key_Z, CONTROL)
    desk.key(Qt.Key.Key_Z, CONTROL)
    desk.key(Qt.Key.Key_Z, CONTROL)
    desk.key(Qt.Key.Key_Return, SHIFT)
    assert statuses(desk) == ["accepted", "accepted", "accepted"]
    steps = {event["step"] for event in desk.events()[-3:]}
    assert len(steps) == 1
    assert steps != {""}
    assert not desk.window.actions_table["accept_all"].isEnabled()
    desk.key(Qt.Key.Key_Z, CONTROL)
    assert statuses(desk) == ["to decide", "to decide", "to decide"]
    desk.key(Qt.Key.Key_Z, CONTROL | SHIFT)
    assert statuses(desk) == ["accepted", "accepted", "accepted"]
    assert json.loads(desk.events()[-1]["visible"]) == [f["id"] for f in _findings(desk)]


def _findings(desk: Desk) -> list[dict[str, str]]:
    return [{"id": entry.finding.id} for entry in desk.window.panel.model.entries]


def test_only_the_image_on_the_screen_is_decided_at_once(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    shared = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4"}
    for number, first in ((1, 11), (2, 22)):
        radiograph(folder / f"{number}.dcm", first=first, InstanceNumber=number, **shared)
    desk.puppet.answers = {11: FOUND[:1], 22: FOUND[1:2]}
    desk.open(folder)
    desk.wait_analysed()
    desk.key(Qt.Key.Key_Down)
    desk.until(lambda: desk.puppet.calls == [11, 22])
    desk.until(lambda: len(desk.rows()) == 2)
    desk.key(Qt.Key.Key_X, SHIFT)
    assert desk.rows() == ["1 opacity 0.90, to decide"]


def test_reviewed_negative_is_one_key_and_one_undo(open_desk: Desk) -> None:
    desk = open_desk
    desk.key(Qt.Key.Key_Return, CONTROL | SHIFT)
    assert desk.verbs() == ["reject", "reject", "reject", "sign"]
    assert desk.window.panel.signature.text().startswith("✓ Signed by Dr Test")
    assert desk.window.notice.text.text() == (
        "Signed as negative, 3 candidates rejected. Ctrl+Z takes it back."
    )
    desk.key(Qt.Key.Key_Z, CONTROL)
    assert statuses(desk) == ["to decide"] * 3
    assert desk.window.panel.signature.text() == "Not signed"


def test_a_study_with_a_finding_is_not_negative(open_desk: Desk) -> None:
    desk = open_desk
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_Return)
    desk.key(Qt.Key.Key_Return, CONTROL | SHIFT)
    assert "A finding stands on this study" in desk.window.notice.text.text()
    assert desk.verbs() == ["accept"]


def test_an_amendment_is_told_asked_about_and_signed(open_desk: Desk) -> None:
    desk = open_desk
    desk.key(Qt.Key.Key_Return, CONTROL | SHIFT)
    desk.key(Qt.Key.Key_G, SHIFT)
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_Return)
    words = desk.window.panel.signature.text()
    assert words.endswith("· amended since, not signed again")
    assert desk.window.actions_table["sign"].text() == "Sign the amendment…"
    meet(QInputDialog, lambda dialog: QTest.keyClick(dialog, Qt.Key.Key_Escape))
    desk.key(Qt.Key.Key_Return, CONTROL)
    assert desk.verbs()[-1] == "accept"

    def say_why(dialog: QWidget) -> None:
        assert isinstance(dialog, QInputDialog)
        dialog.setTextValue("seen on the lateral view")
        dialog.accept()

    meet(QInputDialog, say_why)
    desk.key(Qt.Key.Key_Return, CONTROL)
    assert desk.verbs()[-1] == "sign"
    assert desk.events()[-1]["comment"] == "seen on the lateral view"
    assert "Amends the signature of" in desk.window.panel.signature.text()


def test_the_history_is_shown_on_demand(open_desk: Desk) -> None:
    desk = open_desk
    cells: list[str] = []

    def read(dialog: QWidget) -> None:
        assert isinstance(dialog, TableDialog)
        table = dialog.table
        cells.extend(table.item(row, 2).text() for row in range(table.rowCount()))
        dialog.reject()

    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_Return)
    desk.key(Qt.Key.Key_Z, CONTROL)
    desk.click(40, 40)
    meet(TableDialog, read)
    desk.key(Qt.Key.Key_J)
    assert cells == ["found opacity, score 0.90", "accepted", "taken back: accepted"]


def test_signing_with_undecided_asks_still(open_desk: Desk) -> None:
    desk = open_desk
    meet(QMessageBox, lambda box: QTest.keyClick(box, Qt.Key.Key_Escape))
    desk.key(Qt.Key.Key_Return, CONTROL)
    assert desk.verbs() == []


def test_every_key_stands_for_one_thing() -> None:
    from viewer.ui.action_table import TABLE

    keys = [key for row in TABLE for key in row.keys]
    assert len(keys) == len(set(keys))
