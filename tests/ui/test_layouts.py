"""Several viewports: which one is active, what hangs where, and on whose image a decision lands."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from detector.types import Box
from tests.dicom_factory import make_ct_series
from tests.ui.window_fixtures import Desk, radiograph
from viewer.dicom.model import Study
from viewer.ui.grid import GridLayout
from viewer.ui.pane import Pane
from viewer.ui.position import Position
from viewer.ui.series_drag import SeriesData

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
TWO_PATIENTS = (("P-1", 11, "20240131"), ("P-2", 22, "20230131"))


def study_of(desk: Desk, patient: str, date: str = "") -> Study:
    return next(
        study
        for study in desk.window.browser.studies.studies()
        if study.header.patient.id == patient and study.header.date.startswith(date)
    )


def shows(pane: Pane, study: Study) -> bool:
    position = pane.showing.position
    return position is not None and position.study.header == study.header


def drop_series(desk: Desk, study: Study, pane: Pane) -> None:
    """Drag the first series of a study from the browser onto a pane and let it go there."""
    data = SeriesData(Position(study, study.series[0], 0))
    handle = desk.window.windowHandle()
    point = pane.mapTo(desk.window, pane.rect().center())
    copy = Qt.DropAction.CopyAction
    for event in (
        QDragEnterEvent(point, copy, data, LEFT, NONE),
        QDragMoveEvent(point, copy, data, LEFT, NONE),
        QDropEvent(QPointF(point), copy, data, LEFT, NONE),
    ):
        QApplication.sendEvent(handle, event)
        assert event.isAccepted()


def wheel(pane: Pane, notches: int) -> None:
    middle = QPointF(pane.viewport.rect().center())
    event = QWheelEvent(
        middle,
        pane.viewport.mapToGlobal(middle),
        QPoint(),
        QPoint(0, -120 * notches),
        Qt.MouseButton.NoButton,
        NONE,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(pane.viewport, event)


def drag(pane: Pane, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag with the left button between two points of the image in a pane."""
    view = pane.viewport.view
    assert view is not None
    a, b = (QPoint(*(round(v) for v in view.to_screen(*at))) for at in (start, end))
    QTest.mousePress(pane.viewport, LEFT, pos=a)
    for step in range(1, 6):
        QTest.mouseMove(pane.viewport, a + (b - a) * step / 5)
    QTest.mouseRelease(pane.viewport, LEFT, pos=b)


@pytest.fixture
def beside(desk: Desk, tmp_path: Path) -> Desk:
    """Two patients beside each other, both analysed; the first is in the active viewport."""
    for patient, first, date in TWO_PATIENTS:
        radiograph(
            tmp_path / f"{patient}.dcm",
            first=first,
            PatientID=patient,
            PatientName=f"{patient}^A",
            StudyDate=date,
        )
        desk.puppet.answers[first] = [(Box(20, 20, 80, 80), 0.9, "opacity")]
    desk.open(tmp_path)
    desk.until(lambda: len(desk.window.browser.studies.studies()) == 2)
    desk.key("2", CONTROL)
    left, right = desk.window.grid.in_sight
    for patient, pane in (("P-2", right), ("P-1", left)):
        study = study_of(desk, patient)
        drop_series(desk, study, pane)
        desk.until(lambda pane=pane, study=study: shows(pane, study))  # type: ignore[misc]
        desk.wait_analysed()
    assert desk.window.grid.active is left
    return desk


def test_keys_choose_the_layout_and_only_its_viewports_are_in_sight(desk: Desk) -> None:
    grid = desk.window.grid
    for key, count in (("2", 2), ("4", 4), ("1", 1)):
        desk.key(key, CONTROL)
        assert [pane.isVisible() for pane in grid.panes].count(True) == count
        assert grid.active.isVisible()
    assert desk.window.actions_table["one"].isChecked()
    assert not desk.window.actions_table["two"].isChecked()


def test_new_viewports_are_filled_with_the_series_that_follow(desk: Desk, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        radiograph(
            tmp_path / f"{number}.dcm",
            first=number,
            StudyInstanceUID="1.2.3",
            SeriesInstanceUID=f"1.2.3.{number}",
            SeriesNumber=number,
        )
    desk.open(tmp_path)
    desk.key("4", CONTROL)
    panes = desk.window.grid.in_sight
    desk.until(lambda: panes[2].showing.position is not None)
    numbers = [
        None if pane.showing.image is None else pane.showing.image.series.number for pane in panes
    ]
    assert numbers == [1, 2, 3, None]
    desk.key("1", CONTROL)
    desk.key("4", CONTROL)
    again = [pane.showing.image is not None for pane in desk.window.grid.in_sight]
    assert again == [True, True, True, False], "what was there before is there again"


def test_a_series_dropped_on_a_viewport_opens_there_and_makes_it_active(beside: Desk) -> None:
    left, right = beside.window.grid.in_sight
    assert shows(left, study_of(beside, "P-1"))
    assert shows(right, study_of(beside, "P-2"))
    drop_series(beside, study_of(beside, "P-1"), right)
    beside.until(lambda: shows(right, study_of(beside, "P-1")))
    assert beside.window.grid.active is right
    assert shows(left, study_of(beside, "P-1")), "the other one is left alone"


def test_files_dropped_on_a_viewport_open_there(beside: Desk, tmp_path: Path) -> None:
    right = beside.window.grid.in_sight[1]
    file = radiograph(tmp_path / "new.dcm", first=33, PatientID="P-3")
    beside.drop([file], at=right)
    beside.until(lambda: right.showing.image is not None and right.showing.image.path == file)
    assert beside.window.grid.active is right


def test_a_series_is_dragged_out_of_the_browser_with_the_mouse(
    beside: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Position] = []
    monkeypatch.setattr(
        "viewer.ui.study_browser.drag_series",
        lambda _source, position, _pixmap: taken.append(position),
    )
    browser = beside.window.browser
    row = next(
        number
        for number in range(browser.studies.rowCount())
        if browser.studies.row(number).series is not None
    )
    start = browser.visualRect(browser.studies.index(row)).center()
    QTest.mousePress(browser.viewport(), LEFT, pos=start)
    QTest.mouseMove(browser.viewport(), start + QPoint(3, 0))
    assert not taken, "a shaking hand is no drag"
    QTest.mouseMove(browser.viewport(), start + QPoint(40, 0))
    QTest.mouseRelease(browser.viewport(), LEFT, pos=start + QPoint(40, 0))
    (position,) = taken
    assert position.series == browser.studies.row(row).series


def test_a_decision_lands_on_the_active_image_and_on_no_other(beside: Desk) -> None:
    left, right = beside.window.grid.in_sight
    first, second = left.showing.key, right.showing.key
    assert first is not None
    assert second is not None
    beside.key("n")
    beside.key(Qt.Key.Key_Return)
    assert beside.finding_after()["image"]["uid"] == first.uid
    QTest.mouseClick(right.viewport, LEFT, pos=QPoint(5, 5))
    assert beside.window.grid.active is right
    assert beside.window.deciding.selected is None
    assert beside.rows() == ["1 opacity 0.90, to decide"]
    assert not beside.window.actions_table["undo"].isEnabled(), "the other study's is not its own"
    beside.key("n", widget=right.viewport)
    beside.key("x", widget=right.viewport)
    assert beside.finding_after()["image"]["uid"] == second.uid
    assert beside.verbs() == ["accept", "reject"]
    assert len({event["study_uid"] for event in beside.events()}) == 2


def test_a_box_belongs_to_the_image_on_which_it_was_drawn(beside: Desk) -> None:
    """The tool is taken up over one patient, the box drawn over the other."""
    right = beside.window.grid.in_sight[1]
    beside.key("b")
    drag(right, (110, 90), (150, 140))
    key = right.showing.key
    assert key is not None
    assert beside.verbs() == ["add"]
    assert beside.finding_after()["image"]["uid"] == key.uid
    assert beside.finding_after()["image"]["pixel_sha256"] == key.pixel_sha256


def test_a_measurement_belongs_to_the_image_on_which_it_was_made(beside: Desk) -> None:
    left, right = beside.window.grid.in_sight
    beside.key("d")
    drag(right, (110, 90), (150, 140))
    made = beside.window.measuring.made_on
    (measurement,) = made(right.showing)
    assert measurement.image == right.showing.key
    assert made(left.showing) == ()


def test_a_drag_under_way_ends_when_another_viewport_becomes_active(beside: Desk) -> None:
    left = beside.window.grid.in_sight[0]
    beside.key("b")
    QTest.mousePress(left.viewport, LEFT, pos=QPoint(100, 200))
    QTest.mouseMove(left.viewport, QPoint(160, 260))
    beside.key(Qt.Key.Key_Tab, CONTROL)
    assert beside.window.grid.active is not left
    QTest.mouseRelease(left.viewport, LEFT, pos=QPoint(170, 270))
    assert beside.verbs() == []


def test_the_other_viewport_shows_its_own_marks_under_the_same_threshold(beside: Desk) -> None:
    left, right = beside.window.grid.in_sight
    assert [mark.category for mark in right.viewport._marks] == ["opacity"]
    assert [mark.category for mark in left.viewport._marks] == ["opacity"]
    ids = {mark.id for pane in (left, right) for mark in pane.viewport._marks}
    assert len(ids) == 2
    beside.window.reading.set_threshold(0.95)
    assert left.viewport._marks == ()
    assert right.viewport._marks == ()


def test_a_click_on_a_mark_of_the_other_viewport_selects_it_there(beside: Desk) -> None:
    right = beside.window.grid.in_sight[1]
    (mark,) = right.viewport._marks
    view = right.viewport.view
    assert view is not None
    point = QPoint(*(round(v) for v in view.to_screen(20, 50)))
    QTest.mouseClick(right.viewport, LEFT, pos=point)
    assert beside.window.deciding.selected == mark.id
    beside.key(Qt.Key.Key_Return, widget=right.viewport)
    key = right.showing.key
    assert key is not None
    assert beside.finding_after()["image"]["uid"] == key.uid


def test_a_series_on_its_way_arrives_where_it_was_dropped(beside: Desk) -> None:
    """The reader clicks back before the frame is there: it must not land under the next key."""
    left, right = beside.window.grid.in_sight
    beside.window.frames.forget(study_of(beside, "P-1").series[0].images)
    drop_series(beside, study_of(beside, "P-1"), right)
    QTest.mouseClick(left.viewport, LEFT, pos=QPoint(5, 5))
    beside.until(lambda: shows(right, study_of(beside, "P-1")))
    assert beside.window.grid.active is left
    assert shows(left, study_of(beside, "P-1"))


def test_two_patients_beside_each_other_are_said(beside: Desk) -> None:
    left, right = beside.window.grid.in_sight
    assert (left.caption, right.caption) == ("", "another patient")
    beside.window.grid.activate(right)
    assert (left.caption, right.caption) == ("another patient", "")


def test_the_wheel_scrolls_the_viewport_under_it_and_makes_it_active(
    desk: Desk, tmp_path: Path
) -> None:
    make_ct_series(tmp_path, slices=4)
    desk.open(tmp_path)
    desk.key("2", CONTROL)
    left, right = desk.window.grid.in_sight
    drop_series(desk, desk.window.browser.studies.studies()[0], right)
    desk.until(lambda: right.showing.position is not None)
    desk.window.grid.activate(left)
    wheel(right, 2)
    assert desk.window.grid.active is right
    desk.until(lambda: right.showing.position.index == 2)  # type: ignore[union-attr]
    assert left.showing.position.index == 0  # type: ignore[union-attr]


def test_closing_a_study_empties_every_viewport_that_shows_it(beside: Desk) -> None:
    left, right = beside.window.grid.in_sight
    drop_series(beside, study_of(beside, "P-1"), right)
    beside.until(lambda: shows(right, study_of(beside, "P-1")))
    beside.window.grid.activate(left)
    beside.key("w", CONTROL)
    beside.until(lambda: shows(left, study_of(beside, "P-2")))
    assert right.showing.position is None
    assert right.viewport.view is None


def test_a_page_in_place_of_the_pictures_takes_the_keys_that_decide(beside: Desk) -> None:
    page = QLabel("a page")
    beside.window.centre.addWidget(page)
    beside.key("n")
    beside.window.centre.setCurrentWidget(page)
    beside.key("x", widget=beside.window)
    beside.key(Qt.Key.Key_Return, widget=beside.window)
    assert beside.verbs() == []
    beside.window.centre.setCurrentWidget(beside.window.grid)
    beside.key("x")
    assert beside.verbs() == ["reject"]


def test_the_next_finding_on_an_image_beside_it_moves_to_that_viewport(
    desk: Desk, tmp_path: Path
) -> None:
    for number in (1, 2):
        radiograph(
            tmp_path / f"{number}.dcm",
            first=number,
            StudyInstanceUID="1.2.3",
            SeriesInstanceUID=f"1.2.3.{number}",
            SeriesNumber=number,
        )
        desk.puppet.answers[number] = [(Box(20, 20, 80, 80), 0.9, f"found {number}")]
    desk.open(tmp_path)
    desk.wait_analysed()
    desk.key("2", CONTROL)
    left, right = desk.window.grid.in_sight
    desk.until(lambda: right.showing.position is not None)
    desk.window.grid.activate(right)
    desk.until(lambda: len(desk.rows()) == 2)
    desk.key("n", widget=right.viewport)
    assert desk.window.grid.active is left, "the first finding is there"
    desk.key("n")
    assert desk.window.grid.active is right
    assert [pane.showing.image.series.number for pane in (left, right)] == [1, 2]  # type: ignore[union-attr]


# --- the prior study -----------------------------------------------------------------------------


def test_the_prior_stands_beside_the_current_and_says_so(desk: Desk, tmp_path: Path) -> None:
    for name, patient, date in (
        ("a", "P-1", "20230506"),
        ("b", "P-1", "20190301"),
        ("c", "P-1", "20210210"),
        ("d", "P-9", "20220101"),
    ):
        radiograph(tmp_path / f"{name}.dcm", PatientID=patient, StudyDate=date)
    desk.open(tmp_path)
    desk.until(lambda: len(desk.window.browser.studies.studies()) == 4)
    study = study_of(desk, "P-1", "2023")
    desk.window.browser.chosen.emit(Position(study, study.series[0], 0))
    desk.until(lambda: shows(desk.window.grid.active, study))
    desk.key("p", SHIFT)
    assert desk.window.grid.grid_layout is GridLayout.TWO
    left, right = desk.window.grid.in_sight
    desk.until(lambda: shows(right, study_of(desk, "P-1", "2021")))
    assert (left.caption, right.caption) == ("current, 2023-05-06", "prior, 2021-02-10")
    assert desk.window.grid.active is left, "decisions stay with the current study"
    assert shows(left, study)


def test_no_prior_is_said_plainly(desk: Desk, tmp_path: Path) -> None:
    desk.open(radiograph(tmp_path / "a.dcm", StudyDate="20230506"))
    desk.key("p", SHIFT)
    assert (
        "No earlier study of this patient with DX chest is open" in desk.window.notice.text.text()
    )
    assert desk.window.grid.grid_layout is GridLayout.ONE
