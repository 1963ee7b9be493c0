"""Blind first, in a whole window: nothing of the detector is seen before the first read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMessageBox, QWidget

from detector.types import Box, Detections, ImageFinding, Proposal
from tests.ui.test_review_verbs import FOUND, meet
from tests.ui.window_fixtures import Desk, radiograph
from viewer.settings import Settings

CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier

MakeDesk = Callable[..., Desk]


@pytest.fixture
def blind(make_desk: MakeDesk, tmp_path: Path) -> Desk:
    """A study on which the detector found three marks, opened by one who reads blind first."""
    desk = make_desk(reading_mode="blind")
    desk.puppet.answers[100] = FOUND
    plain = desk.puppet.detect

    def detect(*asked: object) -> Detections:
        from dataclasses import replace

        found = plain(*asked)  # type: ignore[arg-type]
        return replace(
            found,
            image_findings=(ImageFinding("Edema", 0.87),),
            proposals=(Proposal(Box(1, 1, 30, 30), 0.9),),
        )

    desk.window.analysis._detect = detect
    desk.open(radiograph(tmp_path / "chest.dcm", first=100))
    desk.until(lambda: desk.window.panel.state.title.text() == "AI marks are hidden")
    return desk


def press(text: str) -> Callable[[QWidget], None]:
    def do(box: QWidget) -> None:
        assert isinstance(box, QMessageBox)
        next(button for button in box.buttons() if button.text() == text).click()

    return do


def sign_first_read(desk: Desk) -> None:
    meet(QMessageBox, press("Sign first read"))
    desk.key(Qt.Key.Key_Return, CONTROL)


def words_on_the_screen(desk: Desk) -> str:
    labels = desk.window.findChildren(QLabel)
    return "\n".join(label.text() for label in labels if label.isVisible())


def test_nothing_of_the_detector_is_seen_before_the_first_read(blind: Desk) -> None:
    desk = blind
    assert len(desk.window.reading.session.state.findings) == 4  # type: ignore[union-attr]
    for key in (Qt.Key.Key_G, Qt.Key.Key_P, Qt.Key.Key_N, Qt.Key.Key_BracketLeft):
        desk.key(key)
        assert desk.rows() == []
        assert desk.window.viewport._marks == ()
        assert desk.window.viewport._proposals == ()
    words = words_on_the_screen(desk)
    for told in ("shown", "hidden,", "candidate", "nothing found", "edema", "87", "finds"):
        assert told not in words.lower(), told
    assert desk.window.bar.blind.isVisible()
    assert not desk.window.bar.content.isVisible()
    assert "until you sign your first read" in desk.window.notice.text.text()
    assert not desk.window.actions_table["negative"].isEnabled()
    assert not desk.window.actions_table["marks"].isChecked()
    assert desk.verbs() == []


def test_the_first_read_is_asked_about_then_the_marks_appear(blind: Desk) -> None:
    desk = blind
    desk.key(Qt.Key.Key_B)
    desk.drag((60, 70), (90, 95))
    meet(QMessageBox, press("Read on"))
    desk.key(Qt.Key.Key_Return, CONTROL)
    assert desk.verbs() == ["add"]
    sign_first_read(desk)
    assert desk.verbs() == ["add", "first-read"]
    assert len(desk.rows()) == 4
    assert len(desk.window.viewport._marks) == 4
    assert desk.window.bar.count.text() == "3 shown · 1 hidden"
    assert "edema 87" in desk.window.panel.image_findings.text()
    desk.key(Qt.Key.Key_Z, CONTROL)
    desk.key(Qt.Key.Key_Z, CONTROL)
    assert desk.verbs() == ["add", "first-read"]  # undo does not go behind it
    desk.key(Qt.Key.Key_X, SHIFT)
    desk.key(Qt.Key.Key_Return, CONTROL)
    assert desk.verbs()[2:] == ["reject", "reject", "reject", "sign"]
    events = desk.events()
    assert {event["mode"] for event in events} == {"blind"}
    assert [bool(event["ai_visible"]) for event in events] == [False, False] + [True] * 4
    assert [len(json.loads(event["visible"])) for event in events[:3]] == [0, 1, 4]
    words = desk.window.panel.signature.text()
    assert words.startswith("✓ Signed by Dr Test")
    assert "First read signed" in words


def test_in_the_next_sitting_the_reading_goes_on_as_it_was_begun(
    make_desk: MakeDesk, blind: Desk, tmp_path: Path
) -> None:
    blind.key(Qt.Key.Key_B)
    blind.drag((60, 70), (90, 95))
    blind.window.close()
    later = make_desk(reading_mode="concurrent")
    later.open(tmp_path / "chest.dcm")
    later.until(lambda: later.window.panel.state.title.text() == "AI marks are hidden")
    assert later.rows() == ["1 opacity, added by reader"]
    sign_first_read(later)
    assert len(later.rows()) == 4


def test_a_study_that_was_read_with_marks_stays_so(
    make_desk: MakeDesk, desk: Desk, tmp_path: Path
) -> None:
    path = radiograph(tmp_path / "chest.dcm", first=100)
    desk.puppet.answers[100] = FOUND
    desk.open(path)
    desk.wait_analysed()
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_Return)
    desk.window.close()
    later = make_desk(reading_mode="blind")
    later.open(path)
    later.wait_analysed()
    assert len(later.rows()) == 3


def test_the_key_counts_from_the_next_study_on(desk: Desk, tmp_path: Path) -> None:
    desk.puppet.answers = {100: FOUND, 200: FOUND}
    desk.open(radiograph(tmp_path / "a.dcm", first=100))
    desk.wait_analysed()
    desk.key(Qt.Key.Key_G, CONTROL)
    assert "from the next study" in desk.window.notice.text.text()
    assert Settings.load(desk.home.settings).text("reading_mode") == "blind"
    assert len(desk.rows()) == 3  # what was seen cannot be unseen
    desk.key(Qt.Key.Key_W, CONTROL)
    desk.until(lambda: desk.window.reading.position is None)
    desk.open(tmp_path / "a.dcm")
    desk.wait_analysed()
    assert len(desk.rows()) == 3
    other = radiograph(tmp_path / "b.dcm", first=200, StudyInstanceUID="1.2.9", PatientID="B")
    desk.drop([other])
    desk.until(lambda: desk.window.panel.state.title.text() == "AI marks are hidden")
    assert desk.rows() == []
    desk.key(Qt.Key.Key_G, CONTROL)  # given up before anything was said
    assert len(desk.rows()) == 3
    assert desk.verbs() == []


def test_the_action_says_what_it_signs(blind: Desk) -> None:
    sign = blind.window.actions_table["sign"]
    assert sign.text() == "Sign your first read…"
    sign_first_read(blind)
    assert sign.text() == "Sign the study"
    QTest.qWait(0)
