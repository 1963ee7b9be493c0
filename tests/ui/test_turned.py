"""Turned and mirrored: picture, points, marks, handles, letters, in all eight ways."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from detector.types import Box
from tests.ui.test_viewport import (
    WINDOW,
    drag,
    frame_of,
    grabbed,
    image_of,
    mark,
    noise,
    points,
)
from viewer.dicom.model import Acquisition, PlaneGeometry, Spacing, SpacingSource
from viewer.dicom.voi import picture
from viewer.ui.layer import image_to_screen
from viewer.ui.marks import Handle, handle_points
from viewer.ui.picture_layer import PictureLayer
from viewer.ui.tools import Tool
from viewer.ui.view_transform import ViewTransform
from viewer.ui.viewport import Viewport

WAYS = [(mirrored, turns) for mirrored in (False, True) for turns in range(4)]
LEFT = Qt.MouseButton.LeftButton


def laid(view: ViewTransform, way: tuple[bool, int]) -> ViewTransform:
    return replace(view, mirrored=way[0], turns=way[1])


def as_seen(pixels: np.ndarray, way: tuple[bool, int]) -> np.ndarray:
    return np.rot90(pixels[:, ::-1] if way[0] else pixels, -way[1])


@pytest.fixture
def viewport(qtbot: QtBot) -> Viewport:
    widget = Viewport()
    qtbot.addWidget(widget)
    widget.resize(500, 400)
    with qtbot.waitExposed(widget):
        widget.show()
    # The cursor may stand where the last test left it: no value is shown under it.
    QApplication.sendEvent(widget, QEvent(QEvent.Type.Leave))
    values = noise()
    widget.show_frame(image_of(values), frame_of(values))
    return widget


# Where things lie


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
def test_points_and_ways_come_back(way: tuple[bool, int], ratio: float) -> None:
    view = laid(ViewTransform(1000, 500, 800, 600, ratio, aspect=1.7), way).fit()
    view = view.zoomed(3.3, 100, 200).panned(17, -40)
    assert view.to_image(*view.to_screen(123.4, 56.7)) == pytest.approx((123.4, 56.7))
    x, y = view.to_screen(0, 0)
    assert view.to_image(x + 5, y - 9) == pytest.approx(view.offset_to_image(5, -9))
    assert view.direction_to_image(*view.direction_to_screen(2, 3)) == (2, 3)
    box = Box(10, 20, 40, 90)
    screen = view.box_to_screen(box)
    corners = {view.to_screen(x, y) for x in (10, 40) for y in (20, 90)}
    assert {x for x, _ in corners} == {screen.x_min, screen.x_max}
    assert {y for _, y in corners} == {screen.y_min, screen.y_max}
    mapped = image_to_screen(view).map(QPointF(123.4, 56.7))
    assert (mapped.x(), mapped.y()) == pytest.approx(view.to_screen(123.4, 56.7))


@pytest.mark.parametrize("way", WAYS)
def test_fitting_zooming_and_panning_go_by_the_screen(way: tuple[bool, int]) -> None:
    view = laid(ViewTransform(1000, 500, 800, 600), way).fit()
    whole = view.box_to_screen(Box(0, 0, 1000, 500))
    wide = way[1] % 2 == 0
    assert (whole.width, whole.height) == pytest.approx((800, 400) if wide else (300, 600))
    near = view.zoomed(4)
    point = near.to_image(250, 330)
    assert near.zoomed(1.7, 250, 330).to_screen(*point) == pytest.approx((250, 330), abs=1)
    before, after = near.to_screen(500, 250), near.panned(30, -20).to_screen(500, 250)
    assert after == pytest.approx((before[0] + 30, before[1] - 20), abs=1)


def test_flips_and_turns_are_those_of_the_screen_and_come_back() -> None:
    start = ViewTransform(100, 60, 800, 600).fit()
    for turns in range(4):
        view = start.turned(turns)
        x, y = view.to_screen(10, 20)
        assert view.flipped().to_screen(10, 20) == pytest.approx((800 - x, y), abs=1)
        assert view.turned(2).to_screen(10, 20) == pytest.approx((800 - x, 600 - y), abs=1)
        assert view.flipped().flipped() == view
        assert view.flipped().turned(1).flipped().turned(1) == view
        assert view.flipped().upright() == start
    x, y = start.turned(1).to_screen(0, 0)
    assert x > 400  # clockwise: the first pixel goes to the upper right
    assert y < 300


# The picture


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_at_actual_size_every_pixel_is_there(way: tuple[bool, int], ratio: float) -> None:
    values = noise(90, 120)
    frame = frame_of(values)
    size = round(300 * ratio)
    canvas = QImage(size, size, QImage.Format.Format_RGB888)
    canvas.setDevicePixelRatio(ratio)
    canvas.fill(0)
    view = laid(ViewTransform(120, 90, 300, 300, ratio), way).fit().actual_size()
    painter = QPainter(canvas)
    PictureLayer().paint(painter, frame, WINDOW, False, view)
    painter.end()
    drawn = np.frombuffer(canvas.constBits(), np.uint8).reshape(size, -1)[:, : 3 * size : 3]
    wanted = as_seen(picture(frame, WINDOW), way)
    box = view.box_to_screen(Box(0, 0, 120, 90))
    left, top = round(box.x_min * ratio), round(box.y_min * ratio)
    found = drawn[top : top + wanted.shape[0], left : left + wanted.shape[1]]
    np.testing.assert_array_equal(found, wanted)
    assert np.count_nonzero(drawn) == np.count_nonzero(wanted)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("zoom", [0.37, 2.5, 9.0])
def test_the_value_under_a_point_is_the_grey_that_is_drawn_there(
    viewport: Viewport, way: tuple[bool, int], zoom: float
) -> None:
    values = np.repeat(np.repeat(np.arange(12, dtype=np.uint16).reshape(3, 4), 100, 0), 100, 1)
    frame = frame_of(values * 250 + 600)
    viewport.show_frame(image_of(values), frame)
    assert viewport.view is not None
    viewport.set_view(laid(viewport.view, way).zoomed(zoom / viewport.view.zoom))
    view, shades = viewport.view, picture(frame, WINDOW)
    pixels = grabbed(viewport)
    checked = 0
    for row in (50, 150, 250):
        for column in (50, 150, 250, 350):
            x, y = view.to_screen(column, row)
            if 10 <= x < 490 and 110 <= y < 290 and abs(x - 250) > 30:
                assert tuple(pixels[int(y), int(x)]) == (shades[row, column],) * 3
                checked += 1
    assert checked > 0 or zoom > 2


def test_turning_makes_no_new_picture_and_the_series_keeps_it(viewport: Viewport) -> None:
    grabbed(viewport)
    made = viewport._layer.renderings
    viewport.turn(1)
    viewport.flip()
    grabbed(viewport)
    assert viewport._layer.renderings == made
    values = noise(350, 300)  # another size
    viewport.show_frame(image_of(values), frame_of(values), same_series=True)
    assert viewport.view is not None
    assert (viewport.view.mirrored, viewport.view.turns) == (True, 3)
    viewport.reset()
    assert (viewport.view.mirrored, viewport.view.turns) == (False, 0)
    viewport.turn(1)
    viewport.show_frame(image_of(values), frame_of(values))
    assert (viewport.view.mirrored, viewport.view.turns) == (False, 0)


def test_reset_brings_everything_back(viewport: Viewport) -> None:
    before, view, voi = grabbed(viewport), viewport.view, viewport.voi
    viewport.auto_window()
    viewport.toggle_inverted()
    viewport.flip(upside_down=True)
    viewport.zoom_by(3)
    assert not np.array_equal(grabbed(viewport), before)
    viewport.reset()
    assert (viewport.view, viewport.voi, viewport.inverted) == (view, voi, False)
    np.testing.assert_array_equal(grabbed(viewport), before)


class Square:
    """A layer: one corner of the frame in red, and a painter that is left in disorder."""

    def paint(self, painter: QPainter, view: ViewTransform) -> None:
        painter.setTransform(image_to_screen(view), True)
        painter.fillRect(0, 0, 100, 100, Qt.GlobalColor.red)
        painter.setOpacity(0.1)
        painter.translate(1000, 1000)


@pytest.mark.parametrize("way", WAYS)
def test_a_layer_lies_on_its_frame_below_the_marks_and_goes_with_it(
    viewport: Viewport, way: tuple[bool, int]
) -> None:
    assert viewport.view is not None
    viewport.set_view(laid(viewport.view, way).fit())
    viewport.set_layers((Square(),))
    box = Box(20, 20, 80, 80)
    viewport.set_marks((mark("one", box, selected=True),))
    view = viewport.view
    pixels = grabbed(viewport)

    def colour(column: float, row: float) -> tuple[int, ...]:
        x, y = view.to_screen(column, row)
        return tuple(int(part) for part in pixels[int(y), int(x)])

    assert colour(50, 55) == (255, 0, 0)
    assert colour(130, 55)[0] == colour(130, 55)[1]
    orange = (pixels[..., 0] > 200) & (pixels[..., 1] > 120) & (pixels[..., 2] < 90)
    assert np.count_nonzero(orange) > 300  # the mark with its handles, over the red
    values = noise()
    viewport.show_frame(image_of(values), frame_of(values), same_series=True)
    pixels = grabbed(viewport)
    assert colour(50, 55) != (255, 0, 0)


# Marks under the mouse


@pytest.mark.parametrize("way", WAYS)
def test_a_box_is_drawn_where_the_mouse_drew_it(viewport: Viewport, way: tuple[bool, int]) -> None:
    assert viewport.view is not None
    viewport.set_view(laid(viewport.view, way).fit())
    viewport.set_tool(Tool.BOX)
    spy = QSignalSpy(viewport.box_drawn)
    drag(viewport, LEFT, QPoint(200, 150), QPoint(300, 250))
    (box,) = spy.at(0)
    screen = viewport.view.box_to_screen(box)
    assert (screen.x_min, screen.y_min, screen.x_max, screen.y_max) == pytest.approx(
        (200, 150, 300, 250)
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("handle", [Handle.TOP_LEFT, Handle.RIGHT, Handle.BOTTOM])
def test_a_handle_moves_the_side_that_it_stands_on(
    viewport: Viewport, way: tuple[bool, int], handle: Handle
) -> None:
    assert viewport.view is not None
    viewport.set_view(laid(viewport.view, way).fit())
    old = Box(100, 90, 260, 210)
    viewport.set_marks((mark("one", old, selected=True),))
    before = viewport.view.box_to_screen(old)
    at = QPoint(*(round(value) for value in handle_points(before)[handle]))
    spy = QSignalSpy(viewport.box_edited)
    drag(viewport, LEFT, at, at + QPoint(20, 12))
    _, box = spy.at(0)
    after = viewport.view.box_to_screen(box)
    across, down = handle.value
    wanted = (
        before.x_min + 20 * (across < 0),
        before.y_min + 12 * (down < 0),
        before.x_max + 20 * (across > 0),
        before.y_max + 12 * (down > 0),
    )
    assert (after.x_min, after.y_min, after.x_max, after.y_max) == pytest.approx(wanted, abs=0.01)


@pytest.mark.parametrize("way", WAYS)
def test_a_click_finds_the_mark_under_it_and_a_drag_moves_it(
    viewport: Viewport, way: tuple[bool, int]
) -> None:
    assert viewport.view is not None
    viewport.set_view(laid(viewport.view, way).fit())
    box = Box(300, 30, 380, 90)
    viewport.set_marks((mark("one", box),))
    spy = QSignalSpy(viewport.mark_clicked)
    first, last = points(viewport, box)
    QTest.mouseClick(viewport, LEFT, pos=(first + last) / 2)
    assert [spy.at(i)[0] for i in range(spy.count())] == ["one"]
    viewport.select("one")
    edited = QSignalSpy(viewport.box_edited)
    middle = (first + last) / 2
    drag(
        viewport,
        LEFT,
        middle,
        middle + QPoint(-9, 7) if middle.x() > 250 else middle + QPoint(9, 7),
    )
    moved = viewport.view.box_to_screen(edited.at(0)[1])
    assert moved.width == pytest.approx(viewport.view.box_to_screen(box).width)
    assert moved.y_min == pytest.approx(viewport.view.box_to_screen(box).y_min + 7, abs=8)


# Letters


@pytest.mark.parametrize(
    ("turns", "flipped", "letters"),
    [
        (0, False, "RLAP"),
        (1, False, "PARL"),
        (2, False, "LRPA"),
        (3, False, "APLR"),
        (0, True, "LRAP"),
        (1, True, "APRL"),
    ],
)
def test_letters_turn_with_the_picture(
    viewport: Viewport,
    monkeypatch: pytest.MonkeyPatch,
    turns: int,
    flipped: bool,
    letters: str,
) -> None:
    """An axial cut: the patient's right is at the left of the frame, the front at its top."""
    values = noise()
    axial = PlaneGeometry((0, 0, 0), (1, 0, 0), (0, 1, 0))
    spacing = Spacing(1, 1, SpacingSource.PIXEL_SPACING)
    image = replace(
        image_of(values, spacing), geometry=axial, acquisition=Acquisition(frame_of_reference="1")
    )
    viewport.show_frame(image, frame_of(values))
    viewport.turn(turns)
    if flipped:
        viewport.flip()
    drawn: dict[str, tuple[int, int]] = {}

    def note(_painter: QPainter, lines: tuple[object, ...]) -> None:
        for line in lines:
            if len(line.text) == 1:  # type: ignore[attr-defined]
                drawn[line.text] = (line.x + line.width // 2, line.y + line.height // 2)  # type: ignore[attr-defined]

    monkeypatch.setattr("viewer.ui.corner_text.paint", note)
    grabbed(viewport)
    left, right, top, bottom = letters
    assert drawn[left][0] < 40
    assert drawn[right][0] > 460
    assert drawn[top][1] < 60
    assert drawn[bottom][1] > 340
    assert all(abs(drawn[side][1] - 200) < 12 for side in (left, right))
    assert all(abs(drawn[side][0] - 250) < 12 for side in (top, bottom))
