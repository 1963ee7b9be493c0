"""Measuring with a real mouse on a viewport: what is drawn, told, changed, shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.test_viewport import drag, frame_of, grabbed, image_of, noise, wheel
from viewer.dicom.model import (
    Acquisition,
    Image,
    ImageKey,
    SeriesHeader,
    Spacing,
    SpacingSource,
    UltrasoundRegion,
)
from viewer.review.measurement import Measurement, Point, Shape
from viewer.ui.magnifier import lens_view
from viewer.ui.measurement_words import measurement_lines
from viewer.ui.tools import SHAPES, Tool
from viewer.ui.viewport import Viewport

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
KEY = ImageKey("1.2.3", 1, "hash")
MM = Spacing(0.5, 0.25, SpacingSource.PIXEL_SPACING)


@pytest.fixture
def viewport(qtbot: QtBot) -> Viewport:
    """500 x 400 with a frame of 400 x 300 at one screen pixel a pixel, from (50, 50)."""
    widget = Viewport()
    qtbot.addWidget(widget)
    widget.resize(500, 400)
    with qtbot.waitExposed(widget):
        widget.show()
    # The cursor may stand where the last test left it: no value is shown under it.
    QApplication.sendEvent(widget, QEvent(QEvent.Type.Leave))
    values = noise()
    widget.show_frame(image_of(values), frame_of(values))
    widget.actual_size()
    return widget


def told(spy: QSignalSpy) -> list[Any]:
    return [spy.at(i) for i in range(spy.count())]


def click(viewport: Viewport, x: int, y: int) -> None:
    QTest.mouseMove(viewport, QPoint(x, y))
    QTest.mouseClick(viewport, LEFT, pos=QPoint(x, y))


def measured(shape: Shape, *points: Point, name: str = "m") -> Measurement:
    return Measurement(name, KEY, shape, points)


# Drawing


def test_a_length_is_drawn_by_a_drag_or_by_two_clicks(viewport: Viewport) -> None:
    spy = QSignalSpy(viewport.measured)
    viewport.set_tool(Tool.LENGTH)
    drag(viewport, LEFT, QPoint(100, 100), QPoint(180, 140))
    click(viewport, 200, 210)
    QTest.mouseMove(viewport, QPoint(240, 250))
    assert spy.count() == 1
    click(viewport, 260, 230)
    assert told(spy) == [
        [Shape.LENGTH, ((50, 50), (130, 90))],
        [Shape.LENGTH, ((150, 160), (210, 180))],
    ]


@pytest.mark.parametrize("way", ["clicks", "drag and click", "two drags"])
def test_an_angle_takes_three_points(viewport: Viewport, way: str) -> None:
    spy = QSignalSpy(viewport.measured)
    viewport.set_tool(Tool.ANGLE)
    if way == "clicks":
        click(viewport, 100, 100)
        click(viewport, 200, 100)
        click(viewport, 200, 200)
    elif way == "drag and click":
        drag(viewport, LEFT, QPoint(100, 100), QPoint(200, 100))
        QTest.mouseMove(viewport, QPoint(250, 150))
        click(viewport, 200, 200)
    else:
        drag(viewport, LEFT, QPoint(100, 100), QPoint(200, 100))
        drag(viewport, LEFT, QPoint(210, 110), QPoint(200, 200))
    assert told(spy) == [[Shape.ANGLE, ((50, 50), (150, 50), (150, 150))]]


@pytest.mark.parametrize("tool", [Tool.RECTANGLE, Tool.ELLIPSE])
def test_a_region_is_drawn_from_corner_to_corner(viewport: Viewport, tool: Tool) -> None:
    spy = QSignalSpy(viewport.measured)
    viewport.set_tool(tool)
    drag(viewport, LEFT, QPoint(300, 260), QPoint(120, 90))
    assert told(spy) == [[SHAPES[tool], ((250, 210), (70, 40))]]


def test_the_probe_shows_its_value_with_the_press_and_stays_where_it_is_released(
    viewport: Viewport,
) -> None:
    spy = QSignalSpy(viewport.measured)
    viewport.set_tool(Tool.PROBE)
    before = grabbed(viewport)
    QTest.mousePress(viewport, LEFT, pos=QPoint(100, 120))
    assert not np.array_equal(grabbed(viewport)[100:140, 90:200], before[100:140, 90:200])
    QTest.mouseMove(viewport, QPoint(140, 130))
    QTest.mouseRelease(viewport, LEFT, pos=QPoint(140, 130))
    click(viewport, 300, 222)
    assert told(spy) == [[Shape.POINT, ((90, 80),)], [Shape.POINT, ((250, 172),)]]


def test_points_stay_in_the_frame_and_slips_measure_nothing(viewport: Viewport) -> None:
    spy = QSignalSpy(viewport.measured)
    viewport.set_tool(Tool.LENGTH)
    drag(viewport, LEFT, QPoint(100, 100), QPoint(499, 10))
    assert told(spy) == [[Shape.LENGTH, ((50, 50), (400, 0))]]
    click(viewport, 200, 210)
    click(viewport, 201, 211)  # a double click, more or less
    QTest.mouseDClick(viewport, LEFT, pos=QPoint(201, 211))
    viewport.set_tool(Tool.RECTANGLE)
    drag(viewport, LEFT, QPoint(100, 100), QPoint(200, 101))  # no area
    assert spy.count() == 1
    assert viewport.view is not None
    assert not viewport.view.fitted


def test_escape_and_another_tool_give_up_what_is_half_drawn(viewport: Viewport) -> None:
    spy = QSignalSpy(viewport.measured)
    clean = grabbed(viewport)
    viewport.set_tool(Tool.ANGLE)
    for give_up in (viewport.cancel_drag, lambda: viewport.set_tool(Tool.WINDOW)):
        viewport.set_tool(Tool.ANGLE)
        drag(viewport, LEFT, QPoint(100, 100), QPoint(200, 100))
        QTest.mouseMove(viewport, QPoint(200, 150))
        give_up()
        click(viewport, 10, 10)
    viewport.leaveEvent(None)  # type: ignore[arg-type]  # no value under the cursor
    viewport.cancel_drag()
    assert spy.count() == 0
    viewport.set_tool(Tool.LENGTH)
    assert not viewport.cancel_drag()
    np.testing.assert_array_equal(grabbed(viewport)[60:340], clean[60:340])


def test_the_picture_can_be_moved_between_two_points(viewport: Viewport) -> None:
    spy = QSignalSpy(viewport.measured)
    viewport.set_tool(Tool.LENGTH)
    click(viewport, 100, 100)
    drag(viewport, Qt.MouseButton.MiddleButton, QPoint(300, 300), QPoint(310, 320))
    wheel(viewport, 120, Qt.KeyboardModifier.ControlModifier)
    assert viewport.view is not None
    x, y = (round(value) for value in viewport.view.to_screen(150, 90))
    click(viewport, x, y)
    ((_, points),) = told(spy)
    assert points[0] == (50, 50)
    assert points[1] == pytest.approx((150, 90), abs=1)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turned_and_mirrored_the_points_are_those_under_the_mouse(
    viewport: Viewport, turns: int
) -> None:
    spy = QSignalSpy(viewport.measured)
    viewport.turn(turns)
    viewport.flip()
    viewport.set_tool(Tool.LENGTH)
    drag(viewport, LEFT, QPoint(150, 120), QPoint(260, 230))
    assert viewport.view is not None
    ((_, points),) = told(spy)
    assert [viewport.view.to_screen(*point) for point in points] == [
        pytest.approx((150, 120)),
        pytest.approx((260, 230)),
    ]


# Choosing and changing


LINE = measured(Shape.LENGTH, (50, 50), (150, 50), name="line")
BOX = measured(Shape.RECTANGLE, (200, 100), (300, 200), name="box")
OVAL = measured(Shape.ELLIPSE, (40, 120), (140, 220), name="oval")
POINT = measured(Shape.POINT, (350, 250), name="point")


@pytest.mark.parametrize(
    ("x", "y", "name"),
    [
        (150, 103, "line"),
        (250, 200, "box"),
        (300, 248, "box"),
        (190, 220, "oval"),
        (400, 304, "point"),
        (300, 200, None),  # inside the box: the picture
        (96, 176, None),  # at the corner of the oval's box, not on its line
    ],
)
def test_a_click_on_the_line_chooses(viewport: Viewport, x: int, y: int, name: str | None) -> None:
    viewport.set_measurements((LINE, BOX, OVAL, POINT))
    chosen, beside = (
        QSignalSpy(viewport.measurement_clicked),
        QSignalSpy(viewport.background_clicked),
    )
    click(viewport, x, y)
    assert told(chosen) == ([[name]] if name else [])
    assert beside.count() == (0 if name else 1)


@pytest.mark.parametrize(
    ("measurement", "start", "points"),
    [
        (LINE, (200, 100), ((50, 50), (160, 65))),  # an end
        (LINE, (150, 101), ((60, 65), (160, 65))),  # the line
        (BOX, (350, 150), ((200, 115), (310, 200))),  # its upper right corner
        (BOX, (300, 150), ((210, 115), (310, 215))),  # its upper side moves all of it
        (OVAL, (190, 220), ((40, 120), (150, 220))),  # its right end
        (OVAL, (140, 170), ((40, 135), (140, 220))),  # its upper end
        (POINT, (400, 300), ((360, 265),)),
    ],
)
def test_the_chosen_one_is_changed_by_its_handles_and_moved_by_its_line(
    viewport: Viewport, measurement: Measurement, start: tuple[int, int], points: tuple[Point, ...]
) -> None:
    viewport.set_measurements((measurement,), measurement.id)
    spy = QSignalSpy(viewport.measurement_edited)
    at = QPoint(*start)
    drag(viewport, LEFT, at, at + QPoint(10, 15))
    assert told(spy) == [[measurement.id, points]]


def test_one_that_is_not_chosen_lets_the_drag_through(viewport: Viewport) -> None:
    viewport.set_measurements((LINE,))
    edited, voi = QSignalSpy(viewport.measurement_edited), viewport.voi
    drag(viewport, LEFT, QPoint(150, 100), QPoint(190, 130))
    assert edited.count() == 0
    assert viewport.voi != voi


def test_a_move_stops_at_the_edge_and_a_cancelled_one_changes_nothing(viewport: Viewport) -> None:
    viewport.set_measurements((BOX,), "box")
    spy = QSignalSpy(viewport.measurement_edited)
    drag(viewport, LEFT, QPoint(300, 150), QPoint(490, 390))
    assert told(spy) == [["box", ((300, 200), (400, 300))]]
    drag(viewport, LEFT, QPoint(300, 150), QPoint(320, 170), release=False)
    assert viewport.cancel_drag()
    QTest.mouseRelease(viewport, LEFT, pos=QPoint(320, 170))
    assert spy.count() == 1
    drag(viewport, LEFT, QPoint(300, 150), QPoint(320, 170), release=False)
    viewport.set_measurements(())  # taken back meanwhile
    QTest.mouseRelease(viewport, LEFT, pos=QPoint(320, 170))
    assert spy.count() == 1


def test_a_right_click_chooses_before_its_menu(viewport: Viewport) -> None:
    viewport.set_measurements((LINE,))
    chosen, menu = (
        QSignalSpy(viewport.measurement_clicked),
        QSignalSpy(viewport.context_menu_requested),
    )
    QTest.mouseClick(viewport, RIGHT, pos=QPoint(150, 100))
    assert told(chosen) == [["line"]]
    assert menu.count() == 1


def test_measurements_go_with_their_frame(viewport: Viewport) -> None:
    clean = grabbed(viewport)
    viewport.set_measurements((LINE, BOX))
    assert not np.array_equal(grabbed(viewport), clean)
    values = noise()
    viewport.show_frame(image_of(values), frame_of(values), same_series=True)
    np.testing.assert_array_equal(grabbed(viewport), clean)


# What it says


def lines_of(shape: Shape, *points: Point, image: Image | None = None, **frame: Any) -> list[str]:
    values = np.arange(1200, dtype=np.int16).reshape(30, 40)
    made = frame_of(values, **frame)
    return list(measurement_lines(shape, points, image or image_of(values, MM), made))


def projection(spacing: Spacing, modality: str = "DX") -> Image:
    image = image_of(np.zeros((30, 40)), spacing)
    return replace(image, series=SeriesHeader("1.2.1", modality=modality))


def test_figures_are_in_millimetres_of_the_pixels_as_they_are() -> None:
    assert lines_of(Shape.LENGTH, (0, 0), (12, 8)) == ["5.00 mm"]  # 3 mm across, 4 mm down
    assert lines_of(Shape.ANGLE, (0, 0), (0, 8), (16, 8)) == ["90.0°"]
    assert lines_of(Shape.ANGLE, (4, 0), (4, 8), (12, 4)) == ["45.0°"]
    rectangle = lines_of(Shape.RECTANGLE, (1, 1), (5, 3), unit="HU")
    assert rectangle == ["Area 1.00 mm²", "Mean 62.5  SD 20.0 HU", "Min 41  Max 84 HU"]
    assert lines_of(Shape.POINT, (39.9, 29.9), unit="HU") == ["(39, 29)  1199 HU"]
    assert lines_of(Shape.POINT, (40, 30)) == ["(39, 29)  1199"]


def test_where_the_millimetres_come_from_is_said() -> None:
    length = Shape.LENGTH, (0, 0), (20, 0)
    unknown = lines_of(*length, image=projection(Spacing()))
    assert unknown == ["20.0 px", "uncalibrated"]
    imager = Spacing(0.2, 0.2, SpacingSource.IMAGER_PIXEL_SPACING)
    assert lines_of(*length, image=projection(imager)) == ["4.00 mm", "at the detector"]
    magnified = replace(imager, magnification=1.25)
    found = lines_of(*length, image=projection(magnified))
    assert found == ["3.20 mm", "magnification 1.25 taken out"]
    area = lines_of(Shape.ELLIPSE, (0, 0), (20, 20), image=projection(Spacing()))
    assert area[:2] == ["Area 314.2 px²", "uncalibrated"]


def test_an_angle_needs_the_form_of_the_pixels_alone() -> None:
    high = projection(Spacing(ratio=2.0))
    assert lines_of(Shape.ANGLE, (4, 0), (4, 8), (12, 4), image=high) == ["45.0°"]
    assert lines_of(Shape.ANGLE, (4, 0), (4, 8), (12, 0), image=projection(Spacing())) == ["45.0°"]


def test_regions_of_an_ultrasound_picture_have_each_their_scale() -> None:
    regions = UltrasoundRegion(0, 0, 19, 29, 0.1, 0.1), UltrasoundRegion(20, 0, 39, 29, 0.2, 0.2)
    image = replace(projection(Spacing(), "US"), acquisition=Acquisition(regions=regions))
    assert lines_of(Shape.LENGTH, (1, 1), (11, 1), image=image) == ["1.00 mm"]
    assert lines_of(Shape.LENGTH, (25, 1), (35, 1), image=image) == ["2.00 mm"]
    across = lines_of(Shape.LENGTH, (5, 1), (35, 1), image=image)
    assert across == ["30.0 px", "across regions of different scale"]


def test_of_colour_only_the_area_is_known() -> None:
    values = np.zeros((30, 40, 3), np.uint8)
    found = measurement_lines(
        Shape.RECTANGLE, ((0, 0), (4, 4)), image_of(values, MM), frame_of(values)
    )
    assert found == ("Area 2.00 mm²",)


def test_a_large_region_is_measured_well_within_a_frame_of_the_screen(
    viewport: Viewport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its values are looked at once for each shape, not with each repaint."""
    calls: list[Shape] = []

    def counted(shape: Shape, *rest: Any) -> tuple[str, ...]:
        calls.append(shape)
        return measurement_lines(shape, *rest)

    monkeypatch.setattr("viewer.ui.graphics_view.measurement_lines", counted)
    viewport.set_measurements((BOX, OVAL))
    for x in range(20):
        QTest.mouseMove(viewport, QPoint(20 + x, 300))
        grabbed(viewport)
    assert sorted(calls) == [Shape.ELLIPSE, Shape.RECTANGLE]


# Magnifier and scrolling


def test_the_lens_is_there_while_the_button_is_held(viewport: Viewport) -> None:
    """Inside it, the picture is the one of a view that is zoomed in at that place."""
    viewport.leaveEvent(None)  # type: ignore[arg-type]  # no value under the cursor
    before, view = grabbed(viewport), viewport.view
    assert view is not None
    viewport.set_tool(Tool.MAGNIFIER)
    QTest.mousePress(viewport, LEFT, pos=QPoint(230, 190))
    QTest.mouseMove(viewport, QPoint(250, 200))
    held = grabbed(viewport)
    QTest.mouseRelease(viewport, LEFT, pos=QPoint(250, 200))
    viewport.leaveEvent(None)  # type: ignore[arg-type]
    np.testing.assert_array_equal(grabbed(viewport), before)
    viewport.set_view(lens_view(view, 250, 200))
    inside, near = held[130:270, 180:320], grabbed(viewport)[130:270, 180:320]
    np.testing.assert_array_equal(inside, near)
    np.testing.assert_array_equal(held[110:290, 60:130], before[110:290, 60:130])
    assert not np.array_equal(inside, before[130:270, 180:320])


@pytest.mark.parametrize("zoom", [0.1, 0.5, 1.0, 3.0])
def test_a_reduced_picture_shows_every_pixel_in_the_lens(viewport: Viewport, zoom: float) -> None:
    assert viewport.view is not None
    view = viewport.view.turned(1).zoomed(zoom / viewport.view.zoom)
    lens = lens_view(view, 340, 220)
    assert lens.zoom == pytest.approx(max(2 * view.zoom, 1.0))
    assert lens.to_image(340, 220) == pytest.approx(view.to_image(340, 220), abs=0.51 / lens.zoom)
    assert lens.turns == 1


def test_the_scroll_tool_goes_through_the_series_and_outlives_the_images(
    viewport: Viewport,
) -> None:
    steps: list[int] = []
    values = noise()

    def scroll(by: int) -> None:
        steps.append(by)
        viewport.show_frame(image_of(values), frame_of(values), same_series=True)

    viewport.scroll_requested.connect(scroll)
    viewport.set_tool(Tool.SCROLL)
    QTest.mousePress(viewport, LEFT, pos=QPoint(200, 200))
    for y in (206, 212, 220, 212):
        QTest.mouseMove(viewport, QPoint(200, y))
    view = viewport.view
    QTest.mouseRelease(viewport, LEFT, pos=QPoint(200, 212))
    assert steps == [1, 2, 2, -2]
    assert viewport.view == view
