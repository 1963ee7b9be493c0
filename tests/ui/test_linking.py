"""Viewports that follow: to the same place in the patient, under the same window."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from tests.dicom_factory import make_ct_series
from tests.ui.window_fixtures import Desk, radiograph
from viewer.dicom.model import VoiWindow
from viewer.ui.pane import Pane
from viewer.ui.position import Position

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def place(pane: Pane) -> float:
    """Where in the patient a pane is."""
    image = pane.showing.image
    assert image is not None
    assert image.geometry is not None
    return image.geometry.position[2]


@pytest.fixture
def thick_and_thin(desk: Desk, tmp_path: Path) -> Desk:
    """One patient cut at 2.5 mm in the left viewport, at 5 mm from elsewhere in the right one."""
    shared = {"StudyInstanceUID": "1.2.3", "FrameOfReferenceUID": "1.2.3.9"}
    make_ct_series(tmp_path / "1 thin", 9, SeriesNumber=1, **shared)  # 0 to 20 mm
    make_ct_series(tmp_path / "2 thick", 5, spacing=5.0, SeriesNumber=2, **shared)  # 0 to 20 mm
    desk.open(tmp_path)
    desk.until(lambda: not desk.window.opening.busy)
    desk.key("2", CONTROL)
    right = desk.window.grid.in_sight[1]
    desk.until(lambda: right.showing.position is not None)
    return desk


def test_scrolling_takes_the_other_viewport_to_the_same_place(thick_and_thin: Desk) -> None:
    desk = thick_and_thin
    left, right = desk.window.grid.in_sight
    desk.key(Qt.Key.Key_Down)
    desk.until(lambda: place(left) == 2.5)
    assert place(right) == 0.0, "not linked yet"
    desk.key("l")
    for _ in range(3):
        desk.key(Qt.Key.Key_Down)
    desk.until(lambda: place(left) == 10.0)
    desk.until(lambda: place(right) == 10.0)
    assert right.showing.position.index == 2  # type: ignore[union-attr]
    assert desk.window.grid.active is left
    desk.window.grid.activate(right)
    desk.key(Qt.Key.Key_End, widget=right.viewport)
    desk.until(lambda: place(left) == 20.0)
    desk.key("l", widget=right.viewport)
    desk.key(Qt.Key.Key_Home, widget=right.viewport)
    desk.until(lambda: place(right) == 0.0)
    assert place(left) == 20.0


def test_another_frame_of_reference_does_not_follow(desk: Desk, tmp_path: Path) -> None:
    make_ct_series(tmp_path / "a", 5, PatientID="P-1", FrameOfReferenceUID="1.2.1")
    make_ct_series(tmp_path / "b", 5, PatientID="P-2", FrameOfReferenceUID="1.2.2")
    desk.open(tmp_path)
    desk.until(lambda: len(desk.window.browser.studies.studies()) == 2)
    desk.key("2", CONTROL)
    left, right = desk.window.grid.in_sight
    desk.window.grid.activate(right)
    other = next(
        study
        for study in desk.window.browser.studies.studies()
        if study.header != left.showing.position.study.header  # type: ignore[union-attr]
    )
    desk.window.browser.chosen.emit(Position(other, other.series[0], 0))
    desk.until(lambda: right.showing.position is not None)
    desk.window.grid.activate(left)
    desk.key("l")
    desk.key(Qt.Key.Key_End)
    desk.until(lambda: place(left) == 10.0)
    assert place(right) == 0.0


def test_a_linked_window_is_that_of_the_active_viewport(thick_and_thin: Desk) -> None:
    desk = thick_and_thin
    left, right = desk.window.grid.in_sight
    lung = VoiWindow(-600, 1500)
    left.viewport.set_voi(lung)
    assert right.viewport.voi != lung
    desk.key("l", SHIFT)
    assert right.viewport.voi == lung
    bone = VoiWindow(350, 2000)
    left.viewport.set_voi(bone)
    assert right.viewport.voi == bone
    right.showing.step(1)
    desk.until(lambda: right.showing.position.index == 1)  # type: ignore[union-attr]
    assert right.viewport.voi == bone
    desk.key("l", SHIFT)
    left.viewport.set_voi(lung)
    assert right.viewport.voi == bone


def test_a_window_in_hu_means_nothing_to_a_radiograph(desk: Desk, tmp_path: Path) -> None:
    make_ct_series(tmp_path / "ct", 3, StudyInstanceUID="1.2.3", SeriesNumber=1)
    radiograph(tmp_path / "dx.dcm", StudyInstanceUID="1.2.3", SeriesNumber=2)
    desk.open(tmp_path)
    desk.key("2", CONTROL)
    left, right = desk.window.grid.in_sight
    desk.until(lambda: right.showing.position is not None)
    before = right.viewport.voi
    desk.key("l", SHIFT)
    left.viewport.set_voi(VoiWindow(-600, 1500))
    assert right.viewport.voi == before
