from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QImage, QPainter, QWheelEvent
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from detector.types import Box
from viewer.dicom.model import (
    Frame,
    Image,
    Patient,
    SeriesHeader,
    Spacing,
    SpacingSource,
    StudyHeader,
    Voi,
    VoiTable,
    VoiWindow,
)
from viewer.dicom.spacing import Scale
from viewer.dicom.voi import auto_window, picture
from viewer.review.finding import Status
from viewer.ui import corner_text
from viewer.ui.corner_text import CornerText
from viewer.ui.marks import Mark
from viewer.ui.picture_layer import PictureLayer, reduced
from viewer.ui.tools import Tool, equivalent_window
from viewer.ui.view_transform import ViewTransform
from viewer.ui.viewport import Viewport

LEFT = Qt.MouseButton.LeftButton
MIDDLE = Qt.MouseButton.MiddleButton
RIGHT = Qt.MouseButton.RightButton
WINDOW = VoiWindow(2000.0, 3000.0)


def image_of(values: npt.NDArray[Any], spacing: Spacing | None = None) -> Image:
    return Image(
        path=Path("x.dcm"),
        member="",
        uid="1.2.3",
        frame_number=1,
        number_of_frames=1,
        rows=values.shape[0],
        columns=values.shape[1],
        samples_per_pixel=3 if values.ndim == 3 else 1,
        photometric_interpretation="RGB" if values.ndim == 3 else "MONOCHROME2",
        study=StudyHeader("1.2", Patient()),
        series=SeriesHeader("1.2.1"),
        spacing=spacing or Spacing(),
    )


def frame_of(values: npt.NDArray[Any], *vois: Voi, inverted: bool = False, unit: str = "") -> Frame:
    return Frame(values, "hash", unit, vois or (WINDOW,), inverted)


def noise(rows: int = 300, columns: int = 400) -> npt.NDArray[np.uint16]:
    return np.random.default_rng(7).integers(0, 4096, (rows, columns)).astype(np.uint16)


@pytest.fixture
def viewport(qtbot: QtBot) -> Viewport:
    """500 x 400, fitted: a frame of 400 x 300 is shown at 125 % from (0, 12)."""
    widget = Viewport()
    qtbot.addWidget(widget)
    widget.resize(500, 400)
    with qtbot.waitExposed(widget):
        widget.show()
    # The cursor may stand where the last test left it: no value is shown under it.
    QApplication.sendEvent(widget, QEvent(QEvent.Type.Leave))
    return widget


@pytest.fixture
def shown(viewport: Viewport) -> Viewport:
    values = noise()
    viewport.show_frame(image_of(values), frame_of(values))
    return viewport


def drag(
    widget: Viewport,
    button: Qt.MouseButton,
    start: QPoint,
    end: QPoint,
    *,
    release: bool = True,
) -> None:
    QTest.mousePress(widget, button, pos=start)
    for part in (0.3, 0.7, 1.0):
        to = start + QPoint(
            round(part * (end.x() - start.x())), round(part * (end.y() - start.y()))
        )
        QTest.mouseMove(widget, to)
    if release:
        QTest.mouseRelease(widget, button, pos=end)


def wheel(
    widget: Viewport,
    turned: int,
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    at: QPointF | None = None,
) -> None:
    at = at or QPointF(250, 200)
    event = QWheelEvent(
        at,
        widget.mapToGlobal(at),
        QPoint(),
        QPoint(0, turned),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def grabbed(widget: Viewport) -> npt.NDArray[np.uint8]:
    """The viewport's pixels, RGB."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def clear_of_text(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The rows between the corner texts."""
    return pixels[100:-100]


def points(widget: Viewport, box: Box) -> tuple[QPoint, QPoint]:
    """The screen points of a box's corners."""
    assert widget.view is not None
    screen = widget.view.box_to_screen(box)
    return (
        QPoint(round(screen.x_min), round(screen.y_min)),
        QPoint(round(screen.x_max), round(screen.y_max)),
    )


def mark(mark_id: str, box: Box, selected: bool = False) -> Mark:
    return Mark(mark_id, box, "opacity", Status.OPEN, 0.5, selected)


LARGE = Box(100, 80, 300, 240)
SMALL = Box(160, 120, 200, 160)


# The picture


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("signed", [False, True])
def test_at_actual_size_the_pixels_are_those_of_the_picture(
    viewport: Viewport, signed: bool, inverted: bool
) -> None:
    values: npt.NDArray[Any] = noise(900, 1200)
    if signed:
        values = values.astype(np.int16) - 1024
    frame = frame_of(values, VoiWindow(900, 1500))
    viewport.show_frame(image_of(values), frame)
    if inverted:
        viewport.toggle_inverted()
    viewport.actual_size()
    expected = picture(frame, VoiWindow(900, 1500), inverted)[250:650, 350:850]
    got = grabbed(viewport)
    assert viewport.devicePixelRatioF() == 1.0
    for channel in range(3):
        assert np.array_equal(clear_of_text(got[..., channel]), clear_of_text(expected))


def test_colour_at_actual_size_and_inverted(viewport: Viewport) -> None:
    values = np.random.default_rng(1).integers(0, 256, (401, 503, 3)).astype(np.uint8)
    viewport.show_frame(image_of(values), frame_of(values))
    viewport.actual_size()
    assert viewport.view is not None
    left, top = viewport.view.device_origin
    expected = values[-top : 400 - top, -left : 500 - left]
    assert np.array_equal(clear_of_text(grabbed(viewport)), clear_of_text(expected))
    viewport.toggle_inverted()
    assert np.array_equal(clear_of_text(grabbed(viewport)), 255 - clear_of_text(expected))


def test_panning_at_actual_size_keeps_the_pixels_exact(viewport: Viewport) -> None:
    values = noise(1500, 2000)
    frame = frame_of(values)
    viewport.show_frame(image_of(values), frame)
    viewport.actual_size()
    drag(viewport, MIDDLE, QPoint(250, 200), QPoint(20, 390))
    assert viewport.view is not None
    left, top = viewport.view.device_origin
    assert (left, top) == (-750 - 230, -550 + 190)
    expected = picture(frame, WINDOW)[-top : 400 - top, -left : 500 - left]
    assert np.array_equal(clear_of_text(grabbed(viewport)[..., 0]), clear_of_text(expected))


@pytest.mark.parametrize("ratio", [1.25, 1.5, 2.0])
def test_a_dense_screen_shows_each_pixel_too(qtbot: QtBot, ratio: float) -> None:
    values = noise(900, 1200)
    frame = frame_of(values)
    view = ViewTransform(1200, 900, 400, 300, ratio).fit().actual_size()
    size = (round(300 * ratio), round(400 * ratio))
    target = QImage(size[1], size[0], QImage.Format.Format_RGB32)
    target.setDevicePixelRatio(ratio)
    painter = QPainter(target)
    PictureLayer().paint(painter, frame, WINDOW, False, view)
    painter.end()
    grey = target.convertToFormat(QImage.Format.Format_Grayscale8)
    got = np.frombuffer(grey.constBits(), np.uint8).reshape(size[0], -1)[:, : size[1]]
    left, top = view.device_origin
    expected = picture(frame, WINDOW)[-top : size[0] - top, -left : size[1] - left]
    assert np.array_equal(got, expected)


def test_from_400_percent_pixels_are_squares_of_one_grey(viewport: Viewport) -> None:
    values = noise()
    frame = frame_of(values)
    viewport.show_frame(image_of(values), frame)
    viewport.actual_size()
    viewport.zoom_by(4.0)
    assert viewport.view is not None
    got = grabbed(viewport)[..., 0]
    left, top = viewport.view.device_origin
    column, row = 200, 150
    x, y = left + 4 * column, top + 4 * row
    expected = np.kron(picture(frame, WINDOW)[row : row + 8, column : column + 8], np.ones((4, 4)))
    assert np.array_equal(got[y : y + 32, x : x + 32], expected)


def test_a_fine_line_survives_minification(viewport: Viewport) -> None:
    values = np.zeros((3000, 3000), np.uint16)
    for column in range(100, 3000, 100):
        values[:, column] = 4095
    viewport.show_frame(image_of(values), frame_of(values, VoiWindow(2048, 4096)))
    row = grabbed(viewport)[200, :, 0].astype(int)
    lines = [
        row[round(50 + (c + 0.5) / 7.5) - 3 : round(50 + (c + 0.5) / 7.5) + 4].sum()
        for c in range(100, 3000, 100)
    ]
    assert min(lines) > 12  # each line is there
    assert max(lines) < 1.6 * min(lines)  # and none is much brighter than another


@pytest.mark.parametrize("size", [(333, 250), (1000, 750), (1600, 999), (1, 1), (2999, 2999)])
def test_reduction_keeps_the_mean(size: tuple[int, int]) -> None:
    whole = (noise(3000, 3000) // 16).astype(np.uint8)
    small = reduced(whole, *size)
    assert small.shape == size[::-1]
    assert float(small.mean()) == pytest.approx(float(whole.mean()), abs=1.0)


def test_pixels_that_are_not_square_are_drawn_in_true_proportion(viewport: Viewport) -> None:
    values = np.full((200, 400), 4095, np.uint16)
    spacing = Spacing(row=2.0, column=1.0, source=SpacingSource.PIXEL_SPACING)
    viewport.show_frame(image_of(values, spacing), frame_of(values, VoiWindow(1000, 1000)))
    lit = grabbed(viewport)[..., 0] > 128
    lit_columns = np.flatnonzero(lit[200])
    lit_rows = np.flatnonzero(lit[:, 250])
    assert len(lit_columns) == pytest.approx(400, abs=1)
    assert len(lit_rows) == pytest.approx(400, abs=1)


def test_the_picture_is_made_only_when_it_has_to_be(shown: Viewport) -> None:
    layer = shown._layer
    grabbed(shown)
    before = layer.renderings
    shown.zoom_by(0.7)  # smaller: the same picture, reduced once more
    grabbed(shown)
    shown.set_marks((mark("a", LARGE),))
    grabbed(shown)
    shown.set_corner_text(CornerText(("Doe",)))
    grabbed(shown)
    before_window = layer.renderings
    for step in range(20):  # without a paint in between
        shown.set_voi(VoiWindow(1000 + step, 500))
    grabbed(shown)
    assert before_window - before <= 1
    assert layer.renderings == before_window + 1
    shown.toggle_inverted()
    grabbed(shown)
    assert layer.renderings == before_window + 2


def test_another_frame_shows_other_pixels(viewport: Viewport) -> None:
    values = noise()
    viewport.show_frame(image_of(values), frame_of(values))
    before = grabbed(viewport)
    other = values[::-1].copy()
    viewport.show_frame(image_of(other), frame_of(other), same_series=True)
    assert not np.array_equal(before, grabbed(viewport))


def test_a_message_takes_the_picture_away(shown: Viewport) -> None:
    shown.set_marks((mark("a", LARGE),))
    shown.show_message("No study open", "Drop files here.")
    got = grabbed(shown)
    assert shown.view is None
    assert shown.voi is None
    assert not got[:150].any()
    assert got[150:250].any()  # the text, in the middle


# Series


def test_the_view_and_a_chosen_window_stay_within_a_series(shown: Viewport) -> None:
    values = noise()
    own = VoiWindow(100, 200)
    shown.show_frame(image_of(values), frame_of(values, own), same_series=True)
    assert shown.voi == own  # nothing was chosen: each image has its own window
    shown.set_voi(VoiWindow(40, 400))
    shown.zoom_by(3)
    shown.toggle_inverted()
    view = shown.view
    shown.show_frame(image_of(values), frame_of(values, own), same_series=True)
    assert (shown.voi, shown.view, shown.inverted) == (VoiWindow(40, 400), view, True)
    shown.show_frame(image_of(values), frame_of(values, own))
    assert (shown.voi, shown.inverted) == (own, False)
    assert shown.view is not None
    assert shown.view.fitted


def test_auto_window_and_fit(shown: Viewport) -> None:
    shown.auto_window()
    values = noise()
    assert shown.voi == auto_window(frame_of(values))
    shown.zoom_by(2)
    QTest.mouseDClick(shown, LEFT, pos=QPoint(200, 200))
    assert shown.view is not None
    assert shown.view.fitted


# Dragging


def test_a_left_drag_changes_the_window(shown: Viewport) -> None:
    changes = QSignalSpy(shown.voi_changed)
    drag(shown, LEFT, QPoint(200, 200), QPoint(300, 150))
    voi = shown.voi
    assert isinstance(voi, VoiWindow)
    assert voi.width == pytest.approx(3000 + 100 * 10)
    assert voi.center == pytest.approx(2000 - 50 * 10)
    assert changes.count() == 3
    assert changes.at(2)[0] == voi


@pytest.mark.parametrize("monochrome1", [False, True])
@pytest.mark.parametrize("inverted", [False, True])
def test_dragging_up_always_brightens(
    viewport: Viewport, monochrome1: bool, inverted: bool
) -> None:
    values = noise()
    viewport.show_frame(image_of(values), frame_of(values, inverted=monochrome1))
    if inverted:
        viewport.toggle_inverted()
    before = grabbed(viewport).mean()
    drag(viewport, LEFT, QPoint(200, 200), QPoint(200, 140))
    assert grabbed(viewport).mean() > before + 10


def test_the_window_never_closes(shown: Viewport) -> None:
    drag(shown, LEFT, QPoint(490, 200), QPoint(-4000, 200))
    assert isinstance(shown.voi, VoiWindow)
    assert shown.voi.width == 1.0
    drag(shown, LEFT, QPoint(10, 200), QPoint(310, 200))
    assert shown.voi.width > 100  # and it opens again


def test_a_drag_from_a_table_goes_on_from_the_window_nearest_to_it(viewport: Viewport) -> None:
    ramp = tuple(int(v) for v in np.clip((np.arange(4096) - 1000) * 4095 / 1000, 0, 4095))
    table = VoiTable(0, ramp, 12)
    window = equivalent_window(table)
    assert (window.center, window.width) == pytest.approx((1500, 960), abs=5)
    values = noise()
    viewport.show_frame(image_of(values), frame_of(values, table))
    drag(viewport, LEFT, QPoint(200, 200), QPoint(230, 200))
    assert isinstance(viewport.voi, VoiWindow)
    assert viewport.voi.width == pytest.approx(window.width * 1.1, rel=0.02)


def test_colour_has_no_window_to_drag(viewport: Viewport) -> None:
    values = np.zeros((300, 400, 3), np.uint8)
    viewport.show_frame(image_of(values), frame_of(values))
    before = viewport.voi
    drag(viewport, LEFT, QPoint(200, 200), QPoint(300, 100))
    assert viewport.voi == before


def test_escape_takes_a_drag_back(shown: Viewport) -> None:
    assert not shown.cancel_drag()
    drag(shown, LEFT, QPoint(200, 200), QPoint(300, 150), release=False)
    assert shown.voi != WINDOW
    clicks = QSignalSpy(shown.background_clicked)
    assert shown.cancel_drag()
    assert shown.voi == WINDOW
    QTest.mouseMove(shown, QPoint(350, 100))
    QTest.mouseRelease(shown, LEFT, pos=QPoint(350, 100))
    assert shown.voi == WINDOW
    assert clicks.count() == 0
    assert not shown.cancel_drag()
    values = noise()
    shown.show_frame(image_of(values), frame_of(values, VoiWindow(1, 2)), same_series=True)
    assert shown.voi == VoiWindow(1, 2)  # the window taken back counts as never chosen


@pytest.mark.parametrize(
    ("button", "tool"), [(MIDDLE, Tool.WINDOW), (LEFT, Tool.PAN), (MIDDLE, Tool.BOX)]
)
def test_panning(shown: Viewport, button: Qt.MouseButton, tool: Tool) -> None:
    shown.zoom_by(3)
    shown.set_tool(tool)
    assert shown.view is not None
    x, y = shown.view.to_screen(200, 150)
    drag(shown, button, QPoint(200, 200), QPoint(260, 170))
    assert shown.view.to_screen(200, 150) == pytest.approx((x + 60, y - 30), abs=1)


@pytest.mark.parametrize(("button", "tool"), [(RIGHT, Tool.WINDOW), (LEFT, Tool.ZOOM)])
def test_zooming_by_drag(shown: Viewport, button: Qt.MouseButton, tool: Tool) -> None:
    menus = QSignalSpy(shown.context_menu_requested)
    shown.set_tool(tool)
    assert shown.view is not None
    zoom, point = shown.view.zoom, shown.view.to_image(300, 250)
    drag(shown, button, QPoint(300, 250), QPoint(300, 150))
    assert shown.view.zoom == pytest.approx(zoom * np.e)
    assert shown.view.to_screen(*point) == pytest.approx((300, 250), abs=1)
    assert menus.count() == 0


def test_wheel_scrolls_and_with_control_zooms(shown: Viewport) -> None:
    scrolled = QSignalSpy(shown.scroll_requested)
    wheel(shown, -120)
    wheel(shown, 120)
    for _ in range(4):
        wheel(shown, -30)  # a touch pad
    assert [scrolled.at(index)[0] for index in range(scrolled.count())] == [1, -1, 1]
    assert shown.view is not None
    zoom, point = shown.view.zoom, shown.view.to_image(100, 300)
    wheel(shown, 120, Qt.KeyboardModifier.ControlModifier, QPointF(100, 300))
    assert shown.view.zoom == pytest.approx(zoom * 1.2)
    assert shown.view.to_screen(*point) == pytest.approx((100, 300), abs=1)
    assert scrolled.count() == 3


# Marks


def test_a_click_chooses_the_smallest_mark_and_beside_them_none(shown: Viewport) -> None:
    clicked, beside = QSignalSpy(shown.mark_clicked), QSignalSpy(shown.background_clicked)
    shown.set_marks((mark("small", SMALL), mark("large", LARGE)))
    start, _ = points(shown, SMALL)
    QTest.mouseClick(shown, LEFT, pos=start + QPoint(20, 20))
    assert [clicked.at(0)[0], beside.count()] == ["small", 0]
    start, _ = points(shown, LARGE)
    QTest.mouseClick(shown, LEFT, pos=start + QPoint(10, 10))
    assert clicked.at(1)[0] == "large"
    QTest.mouseClick(shown, LEFT, pos=start - QPoint(40, -60))
    assert [clicked.count(), beside.count()] == [2, 1]


def test_a_click_on_a_tag_chooses_its_mark(shown: Viewport) -> None:
    clicked = QSignalSpy(shown.mark_clicked)
    shown.set_marks((mark("large", LARGE),))
    grabbed(shown)
    (tag,) = shown._tags
    at = QPoint(round(tag.place.x_min + 10), round(tag.place.y_min + 8))
    QTest.mouseClick(shown, LEFT, pos=at)
    assert clicked.count() == 1


def test_a_trembling_hand_still_clicks(shown: Viewport) -> None:
    clicked = QSignalSpy(shown.mark_clicked)
    shown.set_marks((mark("large", LARGE),))
    start, _ = points(shown, LARGE)
    inside = start + QPoint(30, 30)
    drag(shown, LEFT, inside, inside + QPoint(2, 2))
    assert clicked.count() == 1
    assert shown.voi == WINDOW


def test_an_unselected_box_lets_the_drag_through(shown: Viewport) -> None:
    edited = QSignalSpy(shown.box_edited)
    shown.set_marks((mark("large", LARGE),))
    start, _ = points(shown, LARGE)
    drag(shown, LEFT, start + QPoint(30, 30), start + QPoint(90, 60))
    assert shown.voi != WINDOW
    assert edited.count() == 0


def test_the_body_of_the_selected_box_moves_it(shown: Viewport) -> None:
    edited = QSignalSpy(shown.box_edited)
    shown.set_marks((mark("large", LARGE), mark("small", SMALL)))
    shown.select("large")
    start, _ = points(shown, LARGE)
    drag(shown, LEFT, start + QPoint(40, 30), start + QPoint(65, 80))
    mark_id, box = edited.at(0)
    assert mark_id == "large"
    assert box.xywh() == pytest.approx((120, 120 - 0, 200, 160), abs=0.01)
    assert shown.voi == WINDOW


def test_a_handle_resizes_and_the_box_stays_in_the_frame(shown: Viewport) -> None:
    edited = QSignalSpy(shown.box_edited)
    shown.set_marks((mark("large", LARGE, selected=True),))
    _, end = points(shown, LARGE)
    drag(shown, LEFT, end, QPoint(499, 399))
    assert edited.at(0)[0] == "large"
    box = edited.at(0)[1]
    assert (box.x_min, box.y_min) == (100, 80)
    assert box.x_max == pytest.approx(300 + (499 - end.x()) / 1.25)
    assert box.y_max == 300


def test_a_cancelled_edit_changes_nothing(shown: Viewport) -> None:
    edited = QSignalSpy(shown.box_edited)
    shown.set_marks((mark("large", LARGE, selected=True),))
    before = grabbed(shown)
    start, _ = points(shown, LARGE)
    drag(shown, LEFT, start, start + QPoint(50, 50), release=False)
    assert not np.array_equal(before, grabbed(shown))
    assert shown.cancel_drag()
    QTest.mouseRelease(shown, LEFT, pos=start + QPoint(50, 50))
    QApplication.sendEvent(shown, QEvent(QEvent.Type.Leave))
    assert np.array_equal(before, grabbed(shown))
    assert edited.count() == 0


def test_a_mark_that_goes_away_ends_its_drag(shown: Viewport) -> None:
    edited = QSignalSpy(shown.box_edited)
    shown.set_marks((mark("large", LARGE, selected=True),))
    start, _ = points(shown, LARGE)
    drag(shown, LEFT, start, start + QPoint(50, 50), release=False)
    shown.set_marks(())
    QTest.mouseRelease(shown, LEFT, pos=start + QPoint(50, 50))
    assert edited.count() == 0


def test_the_box_tool_draws_a_box_also_over_marks(shown: Viewport) -> None:
    drawn = QSignalSpy(shown.box_drawn)
    shown.set_marks((mark("large", LARGE, selected=True),))
    shown.set_tool(Tool.BOX)
    start, end = points(shown, SMALL)
    drag(shown, LEFT, end, start)
    assert drawn.at(0)[0].xywh() == pytest.approx(SMALL.xywh(), abs=0.5)
    drag(shown, LEFT, QPoint(1, 1), QPoint(40, 60))
    box = drawn.at(1)[0]
    assert (box.x_min >= 0, box.y_min) == (True, 0)
    assert shown.voi == WINDOW


def test_a_slip_of_the_hand_draws_nothing(shown: Viewport) -> None:
    drawn = QSignalSpy(shown.box_drawn)
    shown.set_tool(Tool.BOX)
    drag(shown, LEFT, QPoint(200, 200), QPoint(240, 203))
    drag(shown, LEFT, QPoint(200, 200), QPoint(260, 260), release=False)
    assert shown.cancel_drag()
    QTest.mouseRelease(shown, LEFT, pos=QPoint(260, 260))
    assert drawn.count() == 0


def test_the_context_menu_of_a_mark_and_of_the_picture(shown: Viewport) -> None:
    menus = QSignalSpy(shown.context_menu_requested)
    shown.set_marks((mark("small", SMALL), mark("large", LARGE)))
    start, _ = points(shown, SMALL)
    at = start + QPoint(10, 10)
    QTest.mouseClick(shown, RIGHT, pos=at)
    assert menus.at(0) == ["small", shown.mapToGlobal(at)]
    QTest.mouseClick(shown, RIGHT, pos=QPoint(20, 200))
    assert menus.at(1)[0] == ""
    shown.select("large")
    middle = QPoint(250, 200)
    key = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, middle, shown.mapToGlobal(middle))
    QApplication.sendEvent(shown, key)
    assert menus.at(2)[0] == "large"


def test_cursors_say_what_a_drag_will_do(shown: Viewport) -> None:
    shown.set_marks((mark("large", LARGE, selected=True),))
    start, _ = points(shown, LARGE)
    QTest.mouseMove(shown, start)
    assert shown.cursor().shape() is Qt.CursorShape.SizeFDiagCursor
    QTest.mouseMove(shown, start + QPoint(60, 60))
    assert shown.cursor().shape() is Qt.CursorShape.SizeAllCursor
    shown.set_tool(Tool.BOX)
    assert shown.cursor().shape() is Qt.CursorShape.CrossCursor
    shown.set_tool(Tool.PAN)
    shown.set_marks(())
    assert shown.cursor().shape() is Qt.CursorShape.OpenHandCursor


def test_without_a_picture_the_mouse_does_nothing(viewport: Viewport) -> None:
    spies = [
        QSignalSpy(signal)
        for signal in (
            viewport.mark_clicked,
            viewport.background_clicked,
            viewport.scroll_requested,
            viewport.context_menu_requested,
            viewport.voi_changed,
        )
    ]
    drag(viewport, LEFT, QPoint(10, 10), QPoint(90, 90))
    QTest.mouseClick(viewport, LEFT, pos=QPoint(30, 30))
    QTest.mouseClick(viewport, RIGHT, pos=QPoint(30, 30))
    wheel(viewport, 120)
    viewport.fit()
    viewport.auto_window()
    assert [spy.count() for spy in spies] == [0] * 5


def test_the_view_goes_to_a_box(shown: Viewport) -> None:
    shown.zoom_by(6)
    shown.centre_on(Box(10, 10, 40, 40))
    assert shown.view is not None
    screen = shown.view.box_to_screen(Box(10, 10, 40, 40))
    assert screen.clipped(500, 400) == screen
    view = shown.view
    shown.centre_on(Box(12, 12, 38, 38))
    assert shown.view == view


# Corner text


def test_the_value_under_the_cursor_is_shown(shown: Viewport) -> None:
    values = noise().astype(np.int16) - 1024
    frame = frame_of(values, unit="HU")
    assert corner_text.value_text(frame, 7, 3) == f"(7, 3)  {values[3, 7]} HU"
    shown.show_frame(image_of(values), frame)
    QTest.mouseMove(shown, QPoint(250, 200))
    inside = grabbed(shown)[-70:, :160]
    QApplication.sendEvent(shown, QEvent(QEvent.Type.Leave))
    assert not np.array_equal(inside, grabbed(shown)[-70:, :160])


def test_value_and_window_texts() -> None:
    values = np.array([[1.23456789, 2.0]], np.float32)
    assert corner_text.value_text(frame_of(values, unit="SUV"), 0, 0) == "(0, 0)  1.2346 SUV"
    colour = np.array([[[1, 2, 3]]], np.uint8)
    assert corner_text.value_text(frame_of(colour), 0, 0) == "(0, 0)  RGB 1 2 3"
    assert corner_text.window_text(frame_of(colour), WINDOW, False) == ""
    lung = replace(VoiWindow(-600, 1500), explanation="LUNG")
    assert corner_text.window_text(frame_of(values), lung, True) == "W 1500  L -600  LUNG  inverted"
    assert corner_text.window_text(frame_of(values), VoiWindow(-0.2, 100), False) == "W 100  L 0"
    assert corner_text.window_text(frame_of(values), VoiWindow(0.5, 1), False) == "W 1.00  L 0.50"


def test_box_sizes_say_where_millimetres_were_measured() -> None:
    assert corner_text.size_text(10.2, 20, Scale(1, 1, "px", "uncalibrated")) == "10 × 20 px"
    known = Scale(0.25, 0.5, "mm", "")
    assert corner_text.size_text(10, 20, known) == "10 × 20 px, 2.5 × 10.0 mm"
    detector = replace(known, words="at the detector")
    assert corner_text.size_text(10, 20, detector).endswith("10.0 mm, at the detector")


@pytest.mark.parametrize("width", [300, 340, 500, 900])
@pytest.mark.parametrize("height", [120, 200, 700])
def test_corner_texts_never_meet_nor_leave(width: int, height: int) -> None:
    corners = CornerText(
        ("A very long name of a patient^With a middle name", "ID 0123456789", "Thorax"),
        ("University Hospital of a Town with a Long Name", "2024-01-01  12:00", "Series 3"),
        ("Image 17/204", "Position -123.5 mm"),
    )

    def measure(text: str) -> int:
        return 7 * len(text)

    def elide(text: str, room: int) -> str:
        return text[: max(0, room // 7 - 1)] + "…"

    lines = corner_text.lay_out(
        corners,
        ("(1000, 1000)  -1000 HU", "Zoom 100 %", "W 1500  L -600  LUNG  inverted"),
        (width, height),
        row=17,
        measure=measure,
        elide=elide,
    )
    boxes = [Box.from_xywh(line.x, line.y, line.width, line.height) for line in lines]
    assert boxes
    assert all(box.clipped(width, height) == box for box in boxes)
    assert all(a.iou(b) == 0 for i, a in enumerate(boxes) for b in boxes[i + 1 :])
    assert any(line.text.startswith("W 1500") for line in lines)


def test_corner_text_is_read_on_white(viewport: Viewport) -> None:
    values = np.full((400, 500), 4095, np.uint16)
    viewport.show_frame(image_of(values), frame_of(values, VoiWindow(1000, 1000)))
    viewport.set_corner_text(CornerText(("Doe",)))
    corner = grabbed(viewport)[5:35, 5:60, 0]
    assert (corner < 90).sum() > 60  # the halo
    assert (corner > 200).sum() > 60
