from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.dicom_factory import make_ct_series, make_dicom
from tests.ui.window_fixtures import Desk, radiograph
from viewer.dicom.cutting import Plane, Projection, Slab
from viewer.dicom.model import VoiWindow
from viewer.dicom.planes import EdgeLetters, edge_letters
from viewer.ui.crosshair import Crosshair, Hold
from viewer.ui.mpr_plane import COLOURS, MprPlane
from viewer.ui.mpr_view import MprView
from viewer.ui.tools import Tool
from viewer.ui.view_transform import ViewTransform

SLICES, SIDE = 20, 48
HEIGHT, PIXEL = 2.5, 0.7  # mm


def values() -> npt.NDArray[np.int16]:
    """HU of the series below, (images, rows, columns): each voxel is told from the others."""
    images, rows, columns = np.indices((SLICES, SIDE, SIDE))
    return (images * 100 + rows * 2 - columns).astype(np.int16)


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """A CT series whose file order runs against its positions."""
    folder = tmp_path / "ct"
    for index, path in enumerate(make_ct_series(folder, SLICES, SIDE, SIDE, spacing=HEIGHT)):
        height = HEIGHT * (SLICES - 1 - index)
        make_again(path, values()[SLICES - 1 - index], height, index + 1)
    return folder


def make_again(path: Path, hu: npt.NDArray[np.int16], height: float, number: int) -> None:
    """Write a slice of the one CT series of these tests."""
    make_dicom(
        path,
        (hu + 1024).astype(np.uint16),
        SOPClassUID="1.2.840.10008.5.1.4.1.1.2",
        SOPInstanceUID=f"1.2.3.{number}",
        StudyInstanceUID="1.2.3",
        SeriesInstanceUID="1.2.3.4",
        FrameOfReferenceUID="1.2.3.5",
        Modality="CT",
        InstanceNumber=number,
        ImagePositionPatient=[-10.0, 5.0, height],
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        PixelSpacing=[PIXEL, PIXEL],
        ImagerPixelSpacing=None,
        RescaleSlope=1,
        RescaleIntercept=-1024,
        RescaleType="HU",
        WindowCenter=40,
        WindowWidth=400,
        ViewPosition=None,
    )


@pytest.fixture
def page(desk: Desk, series: Path) -> Callable[[], MprView]:
    """Opens the MPR of the series."""

    def open_page() -> MprView:
        desk.open(series)
        desk.key(Qt.Key.Key_M, Qt.KeyboardModifier.ShiftModifier)
        desk.until(lambda: desk.window.mpr.page is not None)
        found = desk.window.mpr.page
        assert found is not None
        settle(desk, found)
        return found

    return open_page


def settle(desk: Desk, page: MprView) -> None:
    """Wait until all planes show the point."""
    desk.until(lambda: not page._cutting and not page._stale and len(page._cuts) == 3)


def shown(view: MprPlane) -> npt.NDArray[np.int16]:
    assert view._shown is not None
    found: npt.NDArray[np.int16] = view._shown.frame.values
    return found


def voxel(page: MprView) -> tuple[int, int, int]:
    """Image, row and column of the point where the planes meet."""
    x, y, z = (page.point - (-10.0, 5.0, 0.0)) / (PIXEL, PIXEL, HEIGHT)
    return round(z), round(y), round(x)


def test_the_planes_are_those_of_the_patient(desk: Desk, page: Callable[[], MprView]) -> None:
    opened = page()
    assert desk.window.centre.currentWidget() is opened
    image, row, column = voxel(opened)
    whole = values()
    np.testing.assert_array_equal(shown(opened.planes[Plane.AXIAL]), whole[image])
    np.testing.assert_array_equal(shown(opened.planes[Plane.CORONAL]), whole[::-1, row])
    np.testing.assert_array_equal(shown(opened.planes[Plane.SAGITTAL]), whole[::-1, :, column])
    # It begins at the image that was on the screen.
    position = desk.window.reading.position
    assert position is not None
    assert image == position.index


def test_letters_and_positions(page: Callable[[], MprView]) -> None:
    opened = page()
    letters = {}
    for plane, view in opened.planes.items():
        assert view._shown is not None
        letters[plane] = edge_letters(view._shown.image)
    assert letters == {
        Plane.AXIAL: EdgeLetters("R", "L", "A", "P"),
        Plane.CORONAL: EdgeLetters("R", "L", "H", "F"),
        Plane.SAGITTAL: EdgeLetters("A", "P", "H", "F"),
    }
    image, row, _ = voxel(opened)
    assert opened.planes[Plane.AXIAL]._corners.bottom_right == (
        f"Position {image * HEIGHT:.1f} mm",
    )
    assert opened.planes[Plane.CORONAL]._corners.bottom_right == (
        f"Position {5 + row * PIXEL:.1f} mm",
    )


def drag(view: MprPlane, start: tuple[float, float], end: tuple[float, float]) -> None:
    """With the left button between two points of the plane's image."""
    assert view.view is not None
    a, b = (QPoint(*(round(part) for part in view.view.to_screen(*each))) for each in (start, end))
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=a)
    for step in range(1, 6):
        QTest.mouseMove(view, a + (b - a) * step / 5)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=b)


def test_a_drag_of_the_crosshair_moves_the_other_planes(
    desk: Desk, page: Callable[[], MprView]
) -> None:
    opened = page()
    axial = opened.planes[Plane.AXIAL]
    image, row, column = voxel(opened)
    before = shown(axial)
    drag(axial, (column + 0.5, row + 0.5), (10.5, 30.5))
    settle(desk, opened)
    assert voxel(opened) == (image, 30, 10)
    assert shown(axial) is before  # its own plane stays
    np.testing.assert_array_equal(shown(opened.planes[Plane.CORONAL]), values()[::-1, 30])
    np.testing.assert_array_equal(shown(opened.planes[Plane.SAGITTAL]), values()[::-1, :, 10])


def test_a_click_brings_the_crosshair_there(desk: Desk, page: Callable[[], MprView]) -> None:
    opened = page()
    coronal = opened.planes[Plane.CORONAL]
    _, row, _ = voxel(opened)
    assert coronal.view is not None
    at = QPoint(*(round(part) for part in coronal.view.to_screen(7.5, 3.5)))
    QTest.mouseClick(coronal, Qt.MouseButton.LeftButton, pos=at)
    settle(desk, opened)
    assert voxel(opened) == (SLICES - 1 - 3, row, 7)
    QTest.mouseClick(coronal, Qt.MouseButton.LeftButton, pos=QPoint(3, 3))  # beside the picture
    assert voxel(opened) == (SLICES - 1 - 3, row, 7)


def test_a_line_is_dragged_across_itself_only(desk: Desk, page: Callable[[], MprView]) -> None:
    opened = page()
    sagittal = opened.planes[Plane.SAGITTAL]
    image, row, column = voxel(opened)
    from_top = SLICES - 1 - image
    # Its level line is the axial plane: held far from the middle, it moves up and down alone.
    drag(sagittal, (row + 20.5, from_top + 0.5), (row + 3.5, 4.5))
    settle(desk, opened)
    assert voxel(opened) == (SLICES - 1 - 4, row, column)
    np.testing.assert_array_equal(shown(opened.planes[Plane.AXIAL]), values()[SLICES - 1 - 4])


def test_beside_the_crosshair_the_tool_works_and_the_window_is_one(
    desk: Desk, page: Callable[[], MprView]
) -> None:
    opened = page()
    coronal = opened.planes[Plane.CORONAL]
    point = opened.point
    drag(coronal, (4.5, 2.5), (12.5, 2.5))
    np.testing.assert_array_equal(opened.point, point)
    window = coronal.voi
    assert isinstance(window, VoiWindow)
    assert window.width > 400
    assert {view.voi for view in opened.planes.values()} == {window}
    coronal.toggle_inverted()
    assert all(view.inverted for view in opened.planes.values())


def test_the_window_of_the_images_is_taken_along(desk: Desk, series: Path) -> None:
    desk.open(series)
    lung = VoiWindow(-600, 1500)
    desk.window.viewport.set_voi(lung)
    desk.window.mpr.toggle()
    desk.until(lambda: desk.window.mpr.page is not None)
    page = desk.window.mpr.page
    assert page is not None
    settle(desk, page)
    assert {view.voi for view in page.planes.values()} == {lung}


def test_the_wheel_goes_through_each_plane(desk: Desk, page: Callable[[], MprView]) -> None:
    opened = page()
    image, row, column = voxel(opened)
    for plane, turned in ((Plane.AXIAL, -120), (Plane.CORONAL, -120), (Plane.SAGITTAL, -120)):
        view = opened.planes[plane]
        middle = QPointF(view.width() / 2, view.height() / 2)
        event = QWheelEvent(
            middle,
            view.mapToGlobal(middle),
            QPoint(),
            QPoint(0, turned),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(view, event)
    settle(desk, opened)
    assert voxel(opened) == (image + 1, row + 1, column + 1)
    for _ in range(40):  # and no further than the volume
        opened.step(Plane.AXIAL, 1)
    settle(desk, opened)
    assert voxel(opened)[0] == SLICES - 1


def test_keys_are_for_the_plane_that_was_touched(desk: Desk, page: Callable[[], MprView]) -> None:
    opened = page()
    image, row, column = voxel(opened)
    QTest.mouseClick(opened.planes[Plane.CORONAL], Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    desk.key(Qt.Key.Key_Down, widget=opened.planes[Plane.CORONAL])
    settle(desk, opened)
    assert voxel(opened) == (image, row + 1, column)
    desk.key("1", widget=opened.planes[Plane.CORONAL])  # lung, as over the images
    assert opened.planes[Plane.AXIAL].voi == VoiWindow(-600, 1500, explanation="lung")


def test_the_actions_of_the_view_are_for_the_plane_in_use(
    desk: Desk, page: Callable[[], MprView]
) -> None:
    opened = page()
    coronal = opened.planes[Plane.CORONAL]
    QTest.mouseClick(coronal, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    table = desk.window.actions_table
    assert table["turn_right"].isEnabled()
    assert not table["box"].isEnabled()  # no key decides on the image behind the planes
    table["turn_right"].trigger()
    table["invert"].trigger()
    assert coronal.view is not None
    assert coronal.view.turns == 1
    assert all(view.inverted for view in opened.planes.values())
    assert not desk.window.grid.viewport.inverted
    desk.window.mpr.leave()
    assert desk.window.viewport is desk.window.grid.viewport
    assert table["box"].isEnabled()


def test_a_slab_shows_the_highest_mean_or_lowest_value(
    desk: Desk, page: Callable[[], MprView]
) -> None:
    opened = page()
    opened.step(Plane.AXIAL, 8)
    settle(desk, opened)
    image, _, _ = voxel(opened)
    layers = values()[image - 2 : image + 3]  # 10 mm of 2.5 mm layers
    axial = opened.planes[Plane.AXIAL]
    opened.bar.slider.setValue(10)
    settle(desk, opened)
    np.testing.assert_array_equal(shown(axial), layers.max(axis=0))
    assert axial._corners.bottom_right[0] == "MIP 10 mm"
    opened.bar.projections[Projection.MINIMUM].click()
    settle(desk, opened)
    np.testing.assert_array_equal(shown(axial), layers.min(axis=0))
    opened.bar.projections[Projection.MEAN].click()
    settle(desk, opened)
    np.testing.assert_allclose(shown(axial), layers.mean(axis=0), rtol=1e-5)
    assert opened.bar.slab == Slab(10.0, Projection.MEAN)


def test_escape_goes_back_and_lets_the_volume_go(desk: Desk, page: Callable[[], MprView]) -> None:
    opened = page()
    volume = weakref.ref(opened._volume)
    assert np.shares_memory(_cached(desk, 0), opened._volume.values)
    desk.key(Qt.Key.Key_Escape, widget=opened.planes[Plane.AXIAL])
    assert desk.window.centre.currentWidget() is desk.window.grid
    assert desk.window.mpr.page is None
    del opened
    QApplication.sendPostedEvents(None, 52)  # QEvent.DeferredDelete
    gc.collect()
    assert volume() is None
    # The images are there still, each as it was, and are shown at once.
    np.testing.assert_array_equal(_cached(desk, 3), values()[3])
    desk.window.reading.step(3)
    position, loaded = desk.window.reading.position, desk.window.reading.loaded
    assert position is not None
    assert loaded is not None
    np.testing.assert_array_equal(loaded.frame.values, values()[position.index])


def _cached(desk: Desk, index: int) -> npt.NDArray[np.int16]:
    position = desk.window.reading.position
    assert position is not None
    loaded = desk.window.frames.get(position.series.images[index])
    assert loaded is not None
    found: npt.NDArray[np.int16] = loaded.frame.values
    return found


def test_another_series_closes_the_planes(
    desk: Desk, page: Callable[[], MprView], tmp_path: Path
) -> None:
    page()
    desk.drop([radiograph(tmp_path / "chest.dcm")])
    desk.until(lambda: desk.window.mpr.page is None)
    assert desk.window.centre.currentWidget() is desk.window.grid


def test_measuring_tools_are_not_for_planes(desk: Desk, page: Callable[[], MprView]) -> None:
    opened = page()
    desk.window.presentation.use_tool(Tool.PAN)
    assert {view.tool for view in opened.planes.values()} == {Tool.PAN}
    desk.window.presentation.use_tool(Tool.LENGTH)
    assert {view.tool for view in opened.planes.values()} == {Tool.WINDOW}


def test_what_is_no_stack_is_refused_with_a_reason(desk: Desk, tmp_path: Path) -> None:
    desk.open(radiograph(tmp_path / "chest.dcm"))
    desk.key(Qt.Key.Key_M, Qt.KeyboardModifier.ShiftModifier)
    assert "at least 3 parallel images" in desk.window.notice.text.text()
    assert desk.window.mpr.page is None


def test_a_gap_is_told_in_corner_and_list_and_refused(desk: Desk, series: Path) -> None:
    sorted(series.iterdir())[6].unlink()
    desk.open(series)
    assert "1 image missing" in desk.window.viewport._corners.bottom_right
    model = desk.window.browser.studies
    tips = [
        str(model.data(model.index(row), Qt.ItemDataRole.ToolTipRole))
        for row in range(model.rowCount())
    ]
    assert "The gaps are not filled" in tips[1]
    desk.window.guarded(desk.window.mpr.toggle)
    assert "1 image is missing" in desk.window.notice.text.text()


def test_a_reader_who_moves_on_gets_no_planes(desk: Desk, series: Path, tmp_path: Path) -> None:
    desk.open(series)
    first = desk.window.reading.position
    assert first is not None
    desk.open(radiograph(tmp_path / "chest.dcm"))
    desk.until(lambda: not first.same_series(desk.window.reading.position))
    chest = desk.window.reading.position
    assert chest is not None
    desk.window.reading.open(first)
    desk.until(lambda: first.same_series(desk.window.reading.position))
    desk.window.mpr.toggle()
    desk.window.reading.open(chest)
    desk.until(lambda: chest.same_series(desk.window.reading.position))
    desk.until(lambda: not desk.window.status.doing.text())
    assert desk.window.mpr.page is None
    assert desk.window.centre.currentWidget() is desk.window.grid


def test_bringing_the_volume_together_can_be_stopped(desk: Desk, series: Path) -> None:
    desk.open(series)
    desk.window.mpr.toggle()
    desk.window.status.cancelled.emit()
    desk.until(lambda: not desk.window.status.doing.text())
    assert desk.window.mpr.page is None
    assert desk.window.notice.isHidden()


def test_a_tilted_real_series_says_that_it_was_straightened(desk: Desk, data_folder: Path) -> None:
    desk.open(data_folder / "dicom" / "series_ct_philips_tilt_plus16")
    assert "Gantry tilt 16.5°" in desk.window.viewport._corners.bottom_right
    desk.window.mpr.toggle()
    desk.until(lambda: desk.window.mpr.page is not None)
    page = desk.window.mpr.page
    assert page is not None
    assert page.bar.note.text() == "Gantry tilt 16.5°: straightened by interpolation"
    settle(desk, page)


# --- the crosshair alone -------------------------------------------------------------------------


@pytest.mark.parametrize(("mirrored", "turns"), [(False, 0), (True, 0), (False, 1), (True, 3)])
def test_what_a_drag_takes_hold_of(mirrored: bool, turns: int) -> None:
    view = ViewTransform(100, 100, 500, 500, mirrored=mirrored, turns=turns).fit()
    cross = Crosshair(40.0, 60.0, COLOURS[Plane.AXIAL], COLOURS[Plane.CORONAL])

    def held(x: float, y: float) -> Hold | None:
        return cross.hold(view, *view.to_screen(x, y))

    assert held(40.5, 60.5) == Hold(upright=True, level=True)
    assert held(40.5, 20.0) == Hold(upright=True, level=False)
    assert held(90.0, 61.0) == Hold(upright=False, level=True)
    assert held(90.0, 20.0) is None
