"""The threshold bar in a whole window: counts, operating point, categories, the way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.ui.test_review_verbs import FOUND
from tests.ui.window_fixtures import CARD, Desk, radiograph
from viewer.review.thresholds import Thresholds
from viewer.ui.analysis import Model

SHIFT = Qt.KeyboardModifier.ShiftModifier

TABLE = [
    {"threshold": 0.0, "sensitivity": 1.0, "false_marks_per_image": 2.0},
    {"threshold": 1.0, "sensitivity": 0.0, "false_marks_per_image": 0.0},
]
MEASURED = replace(
    CARD,
    evaluation=CARD.evaluation
    | {
        "what": "Pooled out-of-fold predictions.",
        "categories": {
            "opacity": {"images": 498, "patients": 426, "objects": 30, "operating_points": TABLE}
        },
    },
)


@pytest.fixture
def open_desk(make_desk: Callable[..., Desk], tmp_path: Path) -> Desk:
    desk = make_desk(MEASURED)
    desk.puppet.answers[100] = FOUND
    desk.open(radiograph(tmp_path / "chest.dcm", first=100))
    desk.wait_analysed()
    return desk


def words(desk: Desk) -> str:
    return desk.window.bar.words.text().replace("\N{NO-BREAK SPACE}", " ")


def test_it_names_the_set_that_was_measured(open_desk: Desk) -> None:
    assert words(open_desk) == (
        "At 0.50: finds 50 % of findings at 2.0 false marks an image, measured on 498 images of "
        "426 patients, out of fold."
    )


def test_a_category_gets_its_own_threshold_by_a_click_and_gives_it_back(open_desk: Desk) -> None:
    desk, bar = open_desk, open_desk.window.bar
    assert not bar.categories.isVisible()
    QTest.mouseClick(bar.disclosure, Qt.MouseButton.LeftButton)
    assert bar.categories.isVisible()
    nodule = bar.categories.rows["nodule"]
    assert not nodule.follow.isVisible()
    QTest.mouseClick(nodule.field.number, Qt.MouseButton.LeftButton)
    nodule.field.number.selectAll()
    QTest.keyClicks(nodule.field.number, "0.85")
    QTest.keyClick(nodule.field.number, Qt.Key.Key_Return)
    assert desk.rows() == ["1 opacity 0.90, to decide", "2 opacity 0.60, to decide"]
    assert bar.count.text() == "2 shown · 2 hidden"
    assert "(1 differs)" in bar.disclosure.text()
    assert "not measured" in words(desk)  # of nodules nothing was measured
    assert desk.window.reading.thresholds == Thresholds(0.5, {"nodule": 0.85})
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_Return)
    assert desk.events()[0]["thresholds"] == '{"nodule": 0.85}'
    desk.key(Qt.Key.Key_BracketLeft)  # moves the others only
    assert desk.window.reading.thresholds == Thresholds(0.45, {"nodule": 0.85})
    QTest.mouseClick(nodule.follow, Qt.MouseButton.LeftButton)
    assert desk.window.reading.thresholds == Thresholds(0.45)
    assert len(desk.rows()) == 3


def test_each_category_says_what_was_measured_of_it_or_nothing(open_desk: Desk) -> None:
    rows = open_desk.window.bar.categories.rows
    assert rows["opacity"]._words.text().replace("\N{NO-BREAK SPACE}", " ") == (
        "50 % at 1.0 false mark an image"
    )
    assert rows["nodule"]._words.text() == ""


def test_one_button_and_one_key_lead_back_to_the_models_own(open_desk: Desk) -> None:
    desk, bar = open_desk, open_desk.window.bar
    assert not bar.reset.isVisible()
    for way_back in (
        lambda: QTest.mouseClick(bar.reset, Qt.MouseButton.LeftButton),
        lambda: desk.key(Qt.Key.Key_T, SHIFT),
    ):
        desk.key(Qt.Key.Key_BracketRight)
        desk.window.reading.set_threshold(0.2, "nodule")
        assert bar.reset.text() == "Back to 0.50"
        assert bar.reset.isVisible()
        way_back()
        assert desk.window.reading.thresholds == Thresholds(0.5)
        assert not bar.reset.isVisible()


def test_another_model_brings_its_own_threshold_and_says_so(
    open_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk
    desk.window.reading.set_threshold(0.2, "nodule")
    other = replace(CARD, name="other", version="3.0", default_threshold=0.31)
    monkeypatch.setattr(
        "viewer.ui.model_choice.installed.model_in_use",
        lambda *_: (Model(Path(), other), ""),
    )
    desk.window.models.follow_settings()
    assert desk.window.reading.thresholds == Thresholds(0.31)
    assert desk.window.notice.text.text() == (
        "other 3.0 analyses now; the threshold went back to its own, 0.31."
    )


def test_a_run_keeps_the_threshold_of_its_model(open_desk: Desk) -> None:
    session = open_desk.window.reading.session
    assert session is not None
    key = open_desk.window.reading.key
    assert key is not None
    run = session.analysed(key.uid, key.frame_number)
    assert run is not None
    assert run.threshold == 0.5
