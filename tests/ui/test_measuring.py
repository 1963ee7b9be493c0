"""Measurements in the whole window: kept with the study, undone, back after a restart."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from tests.dicom_factory import make_ct_series
from tests.ui.window_fixtures import Desk, radiograph
from viewer.errors import StoreError
from viewer.review.measurement import Measurement, Shape
from viewer.ui.grid import GridLayout
from viewer.ui.tools import Tool

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def shown(desk: Desk) -> tuple[Measurement, ...]:
    return desk.window.viewport._measurements


def points_of(measurement: Measurement) -> Any:
    return pytest.approx(np.array(measurement.points), abs=0.6)


def drawn(desk: Desk, key: str, start: tuple[float, float], end: tuple[float, float]) -> str:
    """Draw one with the tool of a key; its id."""
    desk.key(key)
    desk.drag(start, end)
    return shown(desk)[-1].id


def test_a_length_is_kept_changed_erased_and_undone(desk: Desk, tmp_path: Path) -> None:
    desk.open(radiograph(tmp_path / "a.dcm"))
    desk.key("D")
    desk.drag((20, 30), (100, 90))
    (made,) = shown(desk)
    assert made.shape is Shape.LENGTH
    assert points_of(made) == np.array([(20, 30), (100, 90)])
    assert desk.verbs() == ["measure"]
    assert json.loads(desk.events()[0]["after"])["points"] == [list(each) for each in made.points]
    assert desk.window.viewport.tool is Tool.LENGTH
    desk.drag((100, 90), (120, 60))  # the new one is selected: its end is taken hold of
    assert desk.verbs() == ["measure", "adjust"]
    assert points_of(shown(desk)[0]) == np.array([(20, 30), (120, 60)])
    desk.key(Qt.Key.Key_Delete)
    assert shown(desk) == ()
    desk.key("Z", CONTROL)
    desk.key("Z", CONTROL)
    assert shown(desk) == (made,)
    desk.key("Z", CONTROL)
    assert shown(desk) == ()
    assert not desk.window.actions_table["undo"].isEnabled()
    for _ in range(2):
        desk.key("Z", CONTROL | SHIFT)
    assert points_of(shown(desk)[0]) == np.array([(20, 30), (120, 60)])
    assert desk.verbs() == ["measure", "adjust", "erase", "undo", "undo", "undo", "redo", "redo"]


def test_measurements_are_there_after_the_window_was_closed(
    make_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    file = radiograph(tmp_path / "a.dcm")
    desk = make_desk()
    desk.open(file)
    drawn(desk, "D", (20, 30), (100, 90))
    drawn(desk, "O", (30, 40), (80, 120))
    drawn(desk, "R", (110, 40), (150, 120))
    desk.key("V")
    desk.click(170, 20)
    desk.key("A")
    desk.drag((20, 140), (60, 140))
    desk.click(60, 100)
    before = shown(desk)
    assert [each.shape.value for each in before] == [
        "length",
        "ellipse",
        "rectangle",
        "point",
        "angle",
    ]
    desk.window.close()
    again = make_desk()
    again.open(file)
    assert shown(again) == before
    again.key("Z", CONTROL)  # also what another sitting did
    assert shown(again) == before[:-1]


def test_they_belong_to_their_image_and_are_listed_nowhere(desk: Desk, tmp_path: Path) -> None:
    make_ct_series(tmp_path / "ct", slices=3, rows=64, columns=64)
    desk.open(tmp_path / "ct")
    desk.until(lambda: desk.window.reading.position.index == 0)  # type: ignore[union-attr]
    drawn(desk, "D", (5, 5), (40, 40))
    desk.key(Qt.Key.Key_Down)
    desk.until(lambda: desk.window.reading.position.index == 1)  # type: ignore[union-attr]
    assert shown(desk) == ()
    assert desk.rows() == []
    assert not desk.window.actions_table["erase"].isEnabled()  # nothing unseen is deleted
    desk.key("Z", CONTROL)  # undo shows what it undoes
    desk.until(lambda: desk.window.reading.position.index == 0)  # type: ignore[union-attr]
    assert shown(desk) == ()
    desk.key("Z", CONTROL | SHIFT)
    assert len(shown(desk)) == 1


def test_a_finding_and_a_measurement_are_never_selected_together(
    desk: Desk, tmp_path: Path
) -> None:
    desk.open(radiograph(tmp_path / "a.dcm"))
    desk.key("B")
    desk.drag((20, 20), (60, 60))
    assert desk.window.deciding.selected is not None
    line = drawn(desk, "D", (100, 100), (150, 140))
    assert desk.window.measuring.selected == line
    assert desk.window.deciding.selected is None
    desk.key(Qt.Key.Key_Escape)  # the tool
    desk.click(40, 20.5)
    assert desk.window.deciding.selected is not None
    assert desk.window.measuring.selected is None
    desk.click(125, 120)
    assert desk.window.measuring.selected == line
    desk.key(Qt.Key.Key_Delete)
    assert desk.verbs() == ["add", "measure", "erase"]
    desk.click(40, 20.5)
    desk.key(Qt.Key.Key_Delete)
    assert desk.verbs() == ["add", "measure", "erase", "remove"]


def test_escape_goes_back_step_by_step(desk: Desk, tmp_path: Path) -> None:
    desk.open(radiograph(tmp_path / "a.dcm"))
    window, viewport = desk.window, desk.window.viewport
    view, voi = viewport.view, viewport.voi
    desk.key(Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    desk.key("H")
    desk.key("I")
    desk.key("0")
    line = drawn(desk, "D", (20, 30), (100, 90))
    desk.click(50, 120)  # begins another
    desk.key(Qt.Key.Key_Escape)
    assert viewport.tool is Tool.LENGTH
    assert len(shown(desk)) == 1
    desk.key(Qt.Key.Key_Escape)
    assert (viewport.tool, window.measuring.selected) == (Tool.WINDOW, line)
    desk.key(Qt.Key.Key_Escape)
    assert window.measuring.selected is None
    assert viewport.view != view
    desk.key(Qt.Key.Key_Escape)
    assert (viewport.view, viewport.voi, viewport.inverted) == (view, voi, False)
    assert len(shown(desk)) == 1


def test_the_same_image_in_two_viewports_shows_the_same_measurements(
    desk: Desk, tmp_path: Path
) -> None:
    desk.open(radiograph(tmp_path / "a.dcm"))
    window = desk.window
    window.hanging.choose(GridLayout.TWO)
    first, second = window.grid.in_sight
    position = window.reading.position
    assert position is not None
    second.showing.open(position)
    desk.until(lambda: second.showing.position is not None)
    drawn(desk, "D", (20, 30), (100, 90))
    assert len(first.viewport._measurements) == 1
    assert second.viewport._measurements == first.viewport._measurements
    assert second.viewport._chosen is None  # keys are for the active one
    desk.key("Z", CONTROL)
    assert second.viewport._measurements == first.viewport._measurements == ()


def test_what_cannot_be_kept_is_told_and_not_shown(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.open(radiograph(tmp_path / "a.dcm"))

    def fail(*_: object, **__: object) -> None:
        raise StoreError("The label database cannot be written: disk full.")

    monkeypatch.setattr("viewer.review.store.Store.append", fail)
    desk.key("D")
    desk.drag((20, 30), (100, 90))
    assert shown(desk) == ()
    assert desk.window.notice.isVisible()
    assert "disk full" in desk.window.notice.text.text()


def test_a_document_is_not_measured_and_the_reader_is_told(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.open(radiograph(tmp_path / "a.dcm"))
    monkeypatch.setattr("viewer.ui.showing.Showing.key", None)
    desk.window.viewport.set_tool(Tool.LENGTH)
    desk.drag((20, 30), (100, 90))
    assert shown(desk) == ()
    assert desk.verbs() == []
    assert "Only an image can be measured" in desk.window.notice.text.text()


def test_a_signed_study_stays_signed_when_something_is_measured(desk: Desk, tmp_path: Path) -> None:
    desk.open(radiograph(tmp_path / "a.dcm"))
    desk.wait_analysed()  # else it is asked first
    desk.key(Qt.Key.Key_Return, CONTROL)
    assert desk.window.reading.session is not None
    assert desk.window.reading.session.signed
    drawn(desk, "D", (20, 30), (100, 90))
    assert desk.window.reading.session.signed
    assert desk.verbs() == ["sign", "measure"]


def test_every_tool_has_its_key(desk: Desk, tmp_path: Path) -> None:
    desk.open(radiograph(tmp_path / "a.dcm"))
    keys = {
        "W": Tool.WINDOW,
        "T": Tool.PAN,
        "Z": Tool.ZOOM,
        "S": Tool.SCROLL,
        "D": Tool.LENGTH,
        "A": Tool.ANGLE,
        "R": Tool.RECTANGLE,
        "O": Tool.ELLIPSE,
        "V": Tool.PROBE,
        "M": Tool.MAGNIFIER,
        "B": Tool.BOX,
    }
    assert set(keys.values()) == set(Tool)
    for key, tool in keys.items():
        desk.key(key)
        assert desk.window.viewport.tool is tool
        checked = [each for each in Tool if desk.window.actions_table[each.value].isChecked()]
        assert checked == [tool]


def test_the_scroll_tool_steps_through_a_series(desk: Desk, tmp_path: Path) -> None:
    make_ct_series(tmp_path / "ct", slices=6, rows=64, columns=64)
    desk.open(tmp_path / "ct")
    reading, viewport = desk.window.reading, desk.window.viewport
    desk.until(lambda: reading.position is not None and reading.position.index == 0)
    desk.key("S")
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    QTest.mouseMove(viewport, QPoint(200, 213))
    desk.until(lambda: reading.position is not None and reading.position.index == 3)
    QTest.mouseMove(viewport, QPoint(200, 204))
    desk.until(lambda: reading.position is not None and reading.position.index == 1)
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=QPoint(200, 204))
    assert desk.verbs() == []


def test_full_screen_shows_the_pictures_alone_and_comes_back(desk: Desk, tmp_path: Path) -> None:
    desk.open(radiograph(tmp_path / "a.dcm"))
    window = desk.window
    desk.key(Qt.Key.Key_F11)
    desk.until(window.isFullScreen)
    assert not window.menuBar().isVisible()
    assert not window.browser.isVisible()
    assert not window.panel.isVisible()
    assert window.viewport.isVisible()
    desk.key("I")  # the keys go on working
    assert window.viewport.inverted
    desk.key(Qt.Key.Key_F11)
    desk.until(lambda: not window.isFullScreen())
    assert window.menuBar().isVisible()
    assert window.browser.isVisible()
    assert window.panel.isVisible()


def test_a_window_that_is_closed_in_full_screen_opens_with_its_panels(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk()
    desk.key(Qt.Key.Key_F11)
    desk.until(desk.window.isFullScreen)
    desk.window.close()
    again = make_desk()
    assert not again.window.isFullScreen()
    assert again.window.browser.isVisible()
    assert again.window.panel.isVisible()
