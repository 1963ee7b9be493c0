"""The window as a whole: keys, states, sizes, closing; a real radiograph with the real model."""

from __future__ import annotations

import csv
import multiprocessing
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from detector.types import RESEARCH_USE_ONLY, Box
from tests.dicom_factory import make_ct_series
from tests.ui.window_fixtures import (
    CARD,
    WAIT,
    Desk,
    radiograph,
)
from viewer import app
from viewer.errors import InputError
from viewer.home import Home, bundled_models
from viewer.review.store import Store
from viewer.settings import Settings
from viewer.ui.action_table import TABLE
from viewer.ui.actions import page_of_keys
from viewer.ui.dialogs import KeysDialog

SHIFT = Qt.KeyboardModifier.ShiftModifier


def test_no_key_stands_for_two_things() -> None:
    keys = [key for row in TABLE for key in row.keys]
    assert len(keys) == len(set(keys))
    assert len({row.id for row in TABLE}) == len(TABLE)


def test_the_page_of_keys_names_every_action_that_has_one(desk: Desk) -> None:
    dialog = KeysDialog(desk.window, page_of_keys())
    shown = {dialog.table.item(row, 1).text() for row in range(dialog.table.rowCount())}  # type: ignore[union-attr]
    assert {row.text for row in TABLE if row.keys} <= shown
    dialog.deleteLater()


def test_every_action_is_in_a_menu(desk: Desk) -> None:
    in_menus = {
        action.text()
        for menu in desk.window.menuBar().actions()
        for action in menu.menu().actions()
    }
    assert {row.text for row in TABLE} <= in_menus


def test_keys_work_wherever_the_focus_is_but_not_while_a_number_is_typed(
    desk: Desk, tmp_path: Path
) -> None:
    desk.puppet.answers[100] = [(Box(20, 20, 60, 60), 0.9, "opacity")]
    desk.open(radiograph(tmp_path / "a.dcm", first=100))
    desk.wait_analysed()
    number = desk.window.bar.number
    QTest.mouseClick(number, Qt.MouseButton.LeftButton)
    assert number.hasFocus()
    number.selectAll()
    for key in "0.3":
        desk.key(key, widget=number)  # 0 is auto window elsewhere
    desk.key(Qt.Key.Key_X, widget=number)
    desk.key(Qt.Key.Key_Return, widget=number)
    assert desk.window.reading.thresholds.default == pytest.approx(0.3)
    assert desk.verbs() == []
    assert desk.window.viewport.hasFocus()
    QTest.mouseClick(
        desk.window.panel.list.viewport(),
        Qt.MouseButton.LeftButton,
        pos=desk.window.panel.list.visualRect(desk.window.panel.model.index(0)).center(),
    )
    assert desk.window.deciding.selected is not None
    desk.key(Qt.Key.Key_Return, widget=desk.window.panel.list)
    assert desk.verbs() == ["accept"]


def test_a_refused_image_says_why_and_can_be_run_all_the_same(desk: Desk, tmp_path: Path) -> None:
    make_ct_series(tmp_path / "ct", slices=3)
    desk.open(tmp_path / "ct")
    state = desk.window.panel.state
    assert "not modality CT" in state.detail.text()
    assert "not modality CT" in desk.window.status.machine.text()
    assert desk.puppet.calls == []
    assert state.button.text() == "Run all the same"
    QTest.mouseClick(state.button, Qt.MouseButton.LeftButton)
    desk.wait_analysed()
    assert len(desk.puppet.calls) == 1


def test_marks_of_another_model_get_no_words_of_this_one_while_it_runs_or_fails(
    desk: Desk, tmp_path: Path
) -> None:
    desk.puppet.answers[100] = [(Box(2, 2, 20, 20), 0.9, "opacity")]
    desk.open(radiograph(tmp_path / "a.dcm", first=100))
    desk.wait_analysed()
    words, analysis = desk.window.bar.words, desk.window.analysis
    present = analysis.model
    assert present is not None
    assert "of findings at 2.0 false marks" in words.text()
    analysis.use(replace(present, card=replace(present.card, weights_sha256="cd" * 32)))
    assert "not measured" in words.text()
    desk.puppet.gate.clear()
    desk.puppet.failure = InputError("The model file is damaged.")
    analysis.run()
    assert desk.rows(), "the marks of the run before"
    assert "not measured" in words.text()
    desk.puppet.gate.set()
    desk.until(lambda: desk.window.panel.state.title.text() == "Analysis failed")
    assert desk.rows()
    assert "not measured" in words.text()


def test_a_failed_analysis_says_so_and_can_be_tried_again(desk: Desk, tmp_path: Path) -> None:
    desk.puppet.failure = InputError("The model file is damaged.")
    desk.open(radiograph(tmp_path / "a.dcm"))
    state = desk.window.panel.state
    desk.until(lambda: state.title.text() == "Analysis failed")
    assert state.detail.text() == "The model file is damaged."
    desk.puppet.failure = None
    assert state.button.text() == "Retry"
    QTest.mouseClick(state.button, Qt.MouseButton.LeftButton)
    desk.wait_analysed()


def test_an_analysis_can_be_cancelled_and_is_then_not_analysed(desk: Desk, tmp_path: Path) -> None:
    desk.puppet.gate.clear()
    desk.open(radiograph(tmp_path / "a.dcm"))
    state = desk.window.panel.state
    desk.until(lambda: "Reading the image" in state.detail.text())
    assert state.button.text() == "Cancel"
    QTest.mouseClick(state.button, Qt.MouseButton.LeftButton)
    desk.qtbot.waitUntil(lambda: state.title.text() == "Not analysed", timeout=500)
    assert "not analysed" in desk.window.status.machine.text()
    desk.puppet.gate.set()
    desk.key(Qt.Key.Key_F5)
    desk.wait_analysed()


def test_analysis_on_opening_can_be_switched_off(
    make_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = make_desk(analyse_on_opening=False)
    desk.open(radiograph(tmp_path / "a.dcm"))
    desk.qtbot.wait(100)
    assert desk.puppet.calls == []
    assert desk.window.panel.state.button.text() == "Analyse"


def test_without_a_model_boxes_can_still_be_drawn(
    make_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = make_desk(card=None)
    desk.open(radiograph(tmp_path / "a.dcm"))
    assert desk.window.panel.state.title.text() == "No model installed"
    desk.key(Qt.Key.Key_B)
    desk.drag((50, 50), (90, 90))
    assert desk.verbs() == ["add"]


def test_an_unforeseen_error_becomes_one_sentence(desk: Desk) -> None:
    app._hook(desk.window)(KeyError, KeyError("DOE^JANE"), None)
    text = desk.window.notice.text.text()
    assert "KeyError" in text
    assert "JANE" not in text


@pytest.mark.parametrize("size", [QSize(1280, 800), QSize(1920, 1080)])
def test_nothing_is_clipped(desk: Desk, tmp_path: Path, size: QSize) -> None:
    desk.puppet.answers[100] = [(Box(20, 20, 60, 60), 0.9, "opacity")]
    desk.open(radiograph(tmp_path / "a.dcm", first=100))
    desk.wait_analysed()
    desk.window.resize(size)
    QApplication.processEvents()
    assert desk.window.size() == size
    notice = desk.window.status.notice
    assert notice.isVisible()
    assert notice.text() == RESEARCH_USE_ONLY
    for widget in desk.window.findChildren(QWidget):
        if isinstance(widget, QToolButton | QPushButton) and widget.isVisible() and widget.text():
            assert widget.width() >= widget.sizeHint().width() - 1, widget.text()
            corner = widget.mapTo(desk.window, widget.rect().bottomRight())
            assert desk.window.rect().contains(corner), widget.text()
    assert notice.width() >= notice.sizeHint().width() - 1


def test_size_and_reader_are_remembered(make_desk: Callable[..., Desk]) -> None:
    first = make_desk()
    first.window.resize(1111, 777)
    QApplication.processEvents()
    first.window.close()
    kept = Settings.load(first.home.settings)
    assert kept.reader == "Dr Test"
    assert kept.text("window_geometry")


def test_a_store_that_cannot_be_opened_is_one_clear_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: QApplication
) -> None:
    home = Home(tmp_path)
    home.database.write_bytes(b"this is no database at all" * 100)
    told: list[str] = []
    monkeypatch.setattr("viewer.ui.dialogs.tell", lambda _p, _t, sentence: told.append(sentence))
    assert app.run([], home) == 1
    assert len(told) == 1
    assert "database" in told[0]


def test_closing_in_the_middle_of_everything_leaves_nothing(
    tmp_path: Path, qtbot: QtBot, qapp: QApplication
) -> None:
    make_ct_series(tmp_path / "ct", slices=40)
    home = Home(tmp_path / "home")
    home.path.mkdir()
    before = {child.pid for child in multiprocessing.active_children()}
    own, store = app.Workers(), Store.open(home.database)
    window = app.make_window(own, store, home, Settings.load(home.settings))
    window.show()
    window.open_paths([tmp_path / "ct"])
    qtbot.waitUntil(lambda: bool(window.browser.studies.studies()), timeout=WAIT)
    window.close()
    own.close()
    store.close()
    window.deleteLater()
    assert not [t.name for t in threading.enumerate() if t.name.startswith("jobs-")]
    assert {child.pid for child in multiprocessing.active_children()} <= before


def real_radiograph(data_folder: Path) -> Path:
    """A chest radiograph in which several boxes were drawn."""
    with (data_folder / "cxr" / "boxes.csv").open() as table:
        name = next(csv.DictReader(table))["image"]
    return data_folder / "cxr" / "images" / name


def test_a_real_radiograph_with_the_real_model(
    data_folder: Path, tmp_path: Path, qtbot: QtBot, qapp: QApplication
) -> None:
    """Drop, see the detector's boxes, accept one: it is in the database."""
    if not any(bundled_models().glob("*/card.json")):
        pytest.skip("no model in models/")
    home = Home(tmp_path / "home")
    home.path.mkdir()
    own, store = app.Workers(), Store.open(home.database)
    window = app.make_window(own, store, home, Settings.load(home.settings))
    window.show()
    window.activateWindow()
    qtbot.waitActive(window)
    here = Desk(window, home, None, qtbot)  # type: ignore[arg-type]
    try:
        here.open(real_radiograph(data_folder))
        qtbot.waitUntil(lambda: "Analysed" in window.panel.state.title.text(), timeout=240_000)
        window.reading.set_threshold(0.01)
        assert here.rows()
        assert "on CPU" in window.status.machine.text() or "on GPU" in window.status.machine.text()
        here.key(Qt.Key.Key_N)
        here.key(Qt.Key.Key_Return)
        assert here.verbs() == ["accept"]
        assert here.rows()[0].endswith("accepted")
    finally:
        window.close()
        own.close()
        store.close()
        window.deleteLater()


def test_a_card_that_reads_something_else_leaves_the_image_alone(
    make_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = make_desk(replace(CARD, views=("PA",)))
    desk.open(radiograph(tmp_path / "a.dcm", ViewPosition="LL"))
    assert "not view LL" in desk.window.panel.state.detail.text()
