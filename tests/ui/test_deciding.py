"""The whole path by hand: boxes come, the reader decides by keys and mouse, the database knows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from detector.types import Box
from tests.ui.window_fixtures import (
    CARD,
    Desk,
    export_into,
    radiograph,
)
from viewer.review.finding import Status

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier

FOUND = [
    (Box(20, 20, 60, 60), 0.9, "opacity"),
    (Box(100, 30, 150, 90), 0.6, "opacity"),
    (Box(30, 100, 60, 130), 0.2, "nodule"),
]


@pytest.fixture
def open_desk(desk: Desk, tmp_path: Path) -> Desk:
    desk.puppet.answers[100] = FOUND
    desk.open(radiograph(tmp_path / "chest.dcm", first=100))
    desk.wait_analysed()
    return desk


def test_the_detectors_boxes_appear_above_the_threshold(open_desk: Desk) -> None:
    assert open_desk.rows() == ["1 opacity 0.90, to decide", "2 opacity 0.60, to decide"]
    assert open_desk.window.bar.count.text() == "2 shown · 1 hidden"
    words = open_desk.window.bar.words.text().replace("\N{NO-BREAK SPACE}", " ")
    assert words == "At 0.50: finds 50 % of findings at 2.0 false marks an image."
    line = open_desk.window.status.machine.text()
    assert line == "AI: chest-xray 1.0.0 on CPU · 2 shown, 1 hidden · 0.4 s"


def test_the_threshold_hides_and_shows_without_the_model(open_desk: Desk) -> None:
    calls = len(open_desk.puppet.calls)
    for _ in range(7):
        open_desk.key("[")
    assert open_desk.window.bar.number.value() == pytest.approx(0.15)
    assert len(open_desk.rows()) == 3
    open_desk.window.bar.slider.setValue(70)
    assert open_desk.rows() == ["1 opacity 0.90, to decide"]
    open_desk.key("{", SHIFT)
    assert open_desk.window.reading.thresholds.default == pytest.approx(0.69)
    assert len(open_desk.puppet.calls) == calls


def test_accept_reject_correct_and_add_are_in_the_database(open_desk: Desk) -> None:
    desk = open_desk
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_Return)  # accepts the first, goes to the second
    desk.key(Qt.Key.Key_X)  # rejects the second: none is left to decide
    assert desk.verbs() == ["accept", "reject"]
    assert desk.rows() == ["1 opacity 0.90, accepted"]
    desk.click(40, 40)
    assert desk.window.deciding.selected is not None
    desk.drag((60, 60), (80, 70))  # the handle at the lower right corner
    assert desk.verbs()[-1] == "correct"
    box = desk.window.deciding.finding().box  # type: ignore[union-attr]
    assert (box.x_min, box.y_min) == (20, 20)
    assert box.x_max == pytest.approx(80, abs=1.5)
    assert box.y_max == pytest.approx(70, abs=1.5)
    assert desk.rows() == ["1 opacity 0.90, corrected"]
    desk.key(Qt.Key.Key_B)
    desk.drag((120, 100), (160, 140))
    assert desk.verbs()[-1] == "add"
    assert desk.rows()[-1] == "2 opacity, added by reader"
    event = desk.events()[0]
    assert event["reader"] == "Dr Test"
    assert event["threshold"] == pytest.approx(0.5)
    assert event["ai_visible"] in (1, True)
    assert event["weights_sha256"] == CARD.weights_sha256


def test_undo_and_redo_go_all_the_way(open_desk: Desk) -> None:
    desk = open_desk
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_Return)
    desk.key(Qt.Key.Key_Return)
    assert [row.rsplit(", ")[1] for row in desk.rows()] == ["accepted", "accepted"]
    desk.key(Qt.Key.Key_Z, CONTROL)
    desk.key(Qt.Key.Key_Z, CONTROL)
    assert [row.rsplit(", ")[1] for row in desk.rows()] == ["to decide", "to decide"]
    desk.key(Qt.Key.Key_Z, CONTROL | SHIFT)
    assert [row.rsplit(", ")[1] for row in desk.rows()] == ["accepted", "to decide"]
    assert desk.verbs() == ["accept", "accept", "undo", "undo", "redo"]


def test_a_drag_on_a_box_that_is_not_selected_windows_the_picture(open_desk: Desk) -> None:
    before = open_desk.window.viewport.voi
    open_desk.drag((40, 40), (55, 55))
    assert open_desk.window.viewport.voi != before
    assert open_desk.verbs() == []


def test_escape_takes_the_drag_back_first_then_the_selection(open_desk: Desk) -> None:
    desk = open_desk
    desk.click(40, 40)
    assert desk.window.deciding.selected is not None
    view = desk.window.viewport.view
    assert view is not None
    start = QPoint(*(round(v) for v in view.to_screen(40, 40)))
    QTest.mousePress(desk.window.viewport, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(desk.window.viewport, start + QPoint(40, 40))
    desk.key(Qt.Key.Key_Escape)
    QTest.mouseRelease(desk.window.viewport, Qt.MouseButton.LeftButton, pos=start + QPoint(40, 40))
    assert desk.verbs() == []
    assert desk.window.deciding.selected is not None
    desk.key(Qt.Key.Key_Escape)
    assert desk.window.deciding.selected is None


def test_hidden_ai_marks_are_hidden_everywhere_and_said(open_desk: Desk) -> None:
    desk = open_desk
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_Return)
    desk.key(Qt.Key.Key_G)
    assert desk.rows() == ["1 opacity 0.90, accepted"]
    assert "AI marks hidden" in desk.window.status.machine.text()
    desk.key(Qt.Key.Key_G)
    assert len(desk.rows()) == 2


def test_rejected_are_shown_on_demand(open_desk: Desk) -> None:
    desk = open_desk
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_Delete)
    assert len(desk.rows()) == 1
    desk.key(Qt.Key.Key_G, SHIFT)
    assert "1 opacity 0.90, rejected" in desk.rows()
    assert desk.window.panel.rejected.isChecked()


def test_the_category_can_be_corrected_from_the_menu(open_desk: Desk) -> None:
    desk = open_desk
    desk.key(Qt.Key.Key_N)

    def pick() -> None:
        menu = QApplication.activePopupWidget()
        assert menu is not None
        action = next(a for a in menu.actions() if a.text() == "nodule")
        action.trigger()
        menu.close()

    QTimer.singleShot(100, pick)
    desk.key(Qt.Key.Key_E)
    assert desk.rows()[0] == "1 nodule 0.90, corrected"
    assert desk.verbs() == ["correct"]


def answer(button_text: str, asked: list[str], tries: int = 100) -> None:
    """Answer the message box that is about to come, as a person would."""

    def press() -> None:
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox):
            asked.append(box.text())
            next(button for button in box.buttons() if button.text() == button_text).click()
        elif tries:
            answer(button_text, asked, tries - 1)

    QTimer.singleShot(50, press)


def test_signing_asks_about_what_is_undecided(open_desk: Desk) -> None:
    asked: list[str] = []
    answer("Review them", asked)
    open_desk.key(Qt.Key.Key_Return, CONTROL)
    assert asked == ["Sign with 2 undecided?"]
    assert open_desk.verbs() == []
    assert open_desk.window.deciding.selected is not None


def test_who_signed_is_shown_until_the_next_decision(open_desk: Desk) -> None:
    asked: list[str] = []
    answer("Sign", asked)
    open_desk.key(Qt.Key.Key_Return, CONTROL)
    assert asked == ["Sign with 2 undecided?"]
    assert open_desk.verbs() == ["sign"]
    assert open_desk.window.panel.signature.text().startswith("✓ Signed by Dr Test")
    open_desk.window.actions_table["next"].trigger()
    open_desk.window.actions_table["accept"].trigger()
    words = open_desk.window.panel.signature.text()
    assert words.startswith("Signed ")
    assert words.endswith(" UTC · amended since, not signed again")


def test_a_negative_study_is_signed_without_a_question(desk: Desk, tmp_path: Path) -> None:
    desk.open(radiograph(tmp_path / "clear.dcm", first=7))
    desk.wait_analysed()
    assert desk.window.panel.state.title.text() == "Analysed: nothing found"
    desk.key(Qt.Key.Key_Return, CONTROL)
    assert desk.verbs() == ["sign"]


def test_late_results_go_to_their_own_image(desk: Desk, tmp_path: Path) -> None:
    """The reader scrolls on while the detector works: its boxes stay with what it looked at."""
    folder = tmp_path / "study"
    folder.mkdir()
    shared = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4"}
    for number, first in ((1, 11), (2, 22)):
        radiograph(folder / f"{number}.dcm", first=first, InstanceNumber=number, **shared)
    desk.puppet.answers = {
        11: [(Box(10, 10, 30, 30), 0.8, "opacity")],
        22: [(Box(90, 90, 120, 120), 0.7, "nodule"), (Box(1, 1, 9, 9), 0.6, "nodule")],
    }
    desk.puppet.gate.clear()
    desk.open(folder)
    desk.until(lambda: desk.puppet.calls == [11])
    desk.key(Qt.Key.Key_Down)
    desk.until(lambda: desk.window.reading.position.index == 1)  # type: ignore[union-attr]
    assert desk.window.panel.state.title.text() == "Analysing…"
    desk.puppet.gate.set()
    desk.wait_analysed()
    desk.until(lambda: desk.puppet.calls == [11, 22])
    desk.until(lambda: len(desk.rows()) == 3)
    session = desk.window.reading.session
    assert session is not None
    for first, image in zip((11, 22), desk.window.reading.position.series.images, strict=True):  # type: ignore[union-attr]
        boxes = {finding.box for finding in session.findings(image.uid, 1)}
        assert boxes == {box for box, _, _ in desk.puppet.answers[first]}
    marks = {mark.box for mark in desk.window.viewport._marks}
    assert marks == {box for box, _, _ in desk.puppet.answers[22]}
    desk.key(Qt.Key.Key_N)  # over to the first image, whose finding comes first
    desk.until(lambda: desk.window.reading.position.index == 0)  # type: ignore[union-attr]


def test_a_second_sitting_shows_the_same_state_and_runs_nothing(
    make_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    path = radiograph(tmp_path / "chest.dcm", first=100)
    first = make_desk()
    first.puppet.answers[100] = FOUND
    first.open(path)
    first.wait_analysed()
    first.key(Qt.Key.Key_N)
    first.key(Qt.Key.Key_Return)
    first.window.close()
    second = make_desk()
    second.open(path)
    second.wait_analysed()
    assert second.rows() == ["1 opacity 0.90, accepted", "2 opacity 0.60, to decide"]
    assert second.puppet.calls == []
    second.key(Qt.Key.Key_F5)  # again on request: decisions stay
    second.puppet.answers[100] = FOUND
    second.until(lambda: second.puppet.calls == [100])
    second.wait_analysed()
    assert second.rows()[0] == "1 opacity 0.90, accepted"
    assert second.verbs() == ["accept"]


def test_the_export_holds_what_was_decided(
    open_desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_Return)
    desk.key(Qt.Key.Key_X)
    export_into(tmp_path, monkeypatch)
    desk.key(Qt.Key.Key_E, CONTROL)
    desk.until(desk.window.notice.isVisible)
    assert "Exported 1 image, 1 finding, 1 rejected" in desk.window.notice.text.text()
    (out,) = tmp_path.glob("lightbox-coco-*")
    document = json.loads((out / "annotations.json").read_text())
    (annotation,) = document["annotations"]
    assert annotation["bbox"] == [20, 20, 40, 40]
    assert annotation["status"] == "accepted"
    assert annotation["reader"] == "Dr Test"
    assert len(document["rejected_annotations"]) == 1
    assert document["images"][0]["review"] == "partial"
    assert (out / document["images"][0]["file_name"]).is_file()


def test_a_decision_that_cannot_be_kept_is_told_and_not_shown(open_desk: Desk) -> None:
    desk = open_desk
    desk.key(Qt.Key.Key_N)
    blocker = sqlite3.connect(desk.home.database, isolation_level=None)
    blocker.execute("DROP TABLE events")
    blocker.close()
    desk.key(Qt.Key.Key_Return)
    assert desk.window.notice.isVisible()
    assert "cannot be written" in desk.window.notice.text.text()
    assert desk.rows()[0].endswith("to decide")


def test_other_pixels_under_the_same_uid_get_no_decision(
    make_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    shared = {
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.3.4",
        "SOPInstanceUID": "1.2.9",
    }
    first = make_desk()
    first.puppet.answers[100] = FOUND
    first.open(radiograph(tmp_path / "a.dcm", first=100, **shared))
    first.wait_analysed()
    first.key(Qt.Key.Key_N)
    first.key(Qt.Key.Key_Return)
    first.window.close()
    second = make_desk()
    second.open(radiograph(tmp_path / "b.dcm", first=101, **shared))
    second.wait_analysed()
    assert second.rows() == []
    assert second.window.panel.note.isVisible()


def test_signed_studies_are_marked_in_the_browser_of_the_next_sitting(
    make_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    path = radiograph(tmp_path / "clear.dcm", first=7)
    first = make_desk()
    first.open(path)
    first.wait_analysed()
    first.key(Qt.Key.Key_Return, CONTROL)
    first.window.close()
    second = make_desk(replace(CARD, modalities=("XX",)))
    second.open(path)
    studies = second.window.browser.studies
    second.until(lambda: studies.note(studies.row(0)) == "✓ signed")
    assert second.window.deciding.listed() == ()
    assert Status.OPEN not in {f.status for f in second.window.deciding.listed()}


def test_signing_before_the_detector_is_done_asks_first(desk: Desk, tmp_path: Path) -> None:
    desk.puppet.gate.clear()
    desk.open(radiograph(tmp_path / "chest.dcm", first=100))
    desk.until(lambda: desk.window.panel.state.title.text() == "Analysing…")
    asked: list[str] = []
    answer("Wait", asked)
    desk.key(Qt.Key.Key_Return, CONTROL)
    assert asked == ["Sign before the analysis is done?"]
    assert desk.verbs() == []
    desk.puppet.gate.set()
    desk.wait_analysed()
