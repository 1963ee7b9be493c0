"""What is painted over a picture for presentation states, segments and overlay planes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from viewer.dicom.model import OverlayPlane, Spacing
from viewer.dicom.objects import (
    DisplayedArea,
    Graphic,
    GraphicLayer,
    GraphicType,
    SegmentMask,
    Shutter,
    Text,
    Units,
)
from viewer.dicom.segment_places import PlacedMask
from viewer.ui.graphic_painting import graphic_path
from viewer.ui.layer import Layer
from viewer.ui.segment_layer import NamedColour, SegmentLayer, edge_lines
from viewer.ui.softcopy_layers import AnnotationLayer, OverlayLayer, ShutterLayer
from viewer.ui.view_transform import ViewTransform

RED, WHITE = QColor(255, 0, 0), (255, 255, 255)


@pytest.fixture(autouse=True)
def application(qapp: QApplication) -> None:
    """Text needs one."""


def view_of(columns: int, rows: int, zoom: float = 1.0, ratio: float = 1.0) -> ViewTransform:
    """A viewport as large as the frame at this zoom."""
    width, height = columns * zoom / ratio, rows * zoom / ratio
    return ViewTransform(columns, rows, width, height, ratio, zoom=zoom).fit()


def painted(layer: Layer, view: ViewTransform) -> npt.NDArray[np.uint8]:
    """The layer on mid grey, (rows, columns, 3) in device pixels."""
    width, height = round(view.width * view.ratio), round(view.height * view.ratio)
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(view.ratio)
    image.fill(QColor(100, 100, 100))
    painter = QPainter(image)
    layer.paint(painter, view)
    painter.end()
    raw = np.frombuffer(image.constBits(), np.uint8).reshape(height, width, 4)
    return raw[..., 2::-1].copy()


def test_a_shutter_covers_all_but_what_every_shape_leaves_open() -> None:
    shutter = Shutter(rectangle=(2, 1, 10, 9), circle=(6.0, 5.0, 5.0), grey=7)
    picture = painted(ShutterLayer(shutter), view_of(12, 10, 10))
    covered = (picture == 7).all(axis=2)
    y, x = np.mgrid[:100, :120] / 10 + 0.05
    expected = (x < 2) | (x > 10) | (y < 1) | (y > 9) | (np.hypot(x - 6, y - 5) > 5)
    border = np.abs(np.hypot(x - 6, y - 5) - 5) < 0.15
    assert np.array_equal(covered[~border], expected[~border])


def test_a_polygonal_and_a_bitmap_shutter() -> None:
    plane = np.zeros((10, 12), np.bool_)
    plane[4, 6] = True
    shutter = Shutter(polygon=((1, 1), (11, 1), (11, 9), (1, 9)), bitmap=OverlayPlane(plane))
    covered = (painted(ShutterLayer(shutter), view_of(12, 10, 10)) == 0).all(axis=2)
    expected = np.ones((100, 120), np.bool_)
    expected[10:90, 10:110] = False
    expected[40:50, 60:70] = True
    assert np.array_equal(covered, expected)


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_overlay_planes_lie_on_their_pixels(ratio: float) -> None:
    plane = np.zeros((4, 5), np.bool_)
    plane[1, 2] = plane[3, 4] = True
    layer = OverlayLayer((OverlayPlane(plane, row=2, column=-1),), RED)
    marked = (painted(layer, view_of(8, 8, 6, ratio)) == (255, 0, 0)).all(axis=2)
    expected = np.zeros((48, 48), np.bool_)
    expected[18:24, 6:12] = expected[30:36, 18:24] = True
    assert np.array_equal(marked, expected)


def test_a_line_of_one_pixel_is_seen_in_a_small_picture() -> None:
    plane = np.zeros((900, 900), np.bool_)
    plane[451] = True
    layer = OverlayLayer((OverlayPlane(plane),), RED)
    picture = painted(layer, view_of(900, 900, 0.1))
    assert (picture[:, :, 0] > 200).any(axis=0).all()


def test_overlay_planes_follow_a_turned_view() -> None:
    plane = np.zeros((2, 3), np.bool_)
    plane[0, 2] = True
    layer = OverlayLayer((OverlayPlane(plane),), RED)
    view = replace(view_of(3, 2, 10), width=20.0, height=30.0).fit().turned(1)
    marked = (painted(layer, view) == (255, 0, 0)).all(axis=2)
    expected = np.zeros((30, 20), np.bool_)
    expected[20:30, 10:20] = True  # top right, turned clockwise, is bottom right
    assert np.array_equal(marked, expected)


def ink(layer: GraphicLayer, area: DisplayedArea | None = None) -> npt.NDArray[np.bool_]:
    picture = painted(AnnotationLayer(layer, area), view_of(100, 100))
    return np.asarray((picture > 180).all(axis=2))


def near(marked: npt.NDArray[np.bool_], points: Sequence[tuple[float, float]]) -> bool:
    """Whether all points, (x, y), are drawn, within a pixel."""
    return all(marked[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2].any() for x, y in points)


def test_graphics_in_pixels_and_in_fractions_of_the_displayed_area() -> None:
    pixel = Graphic(GraphicType.POLYLINE, ((10, 20), (60, 20)), Units.PIXEL)
    marked = ink(GraphicLayer("A", WHITE, (pixel,)))
    assert near(marked, [(12, 20), (35, 20), (58, 20)])
    assert not marked[30:].any()
    fraction = Graphic(GraphicType.POLYLINE, ((0.0, 0.5), (1.0, 0.5)), Units.DISPLAY)
    marked = ink(GraphicLayer("A", WHITE, (fraction,)), DisplayedArea(20, 40, 60, 80))
    assert near(marked, [(22, 60), (40, 60), (58, 60)])
    assert not marked[:, 64:].any()
    assert not marked[:, :17].any()


def test_circles_ellipses_points_and_fills() -> None:
    circle = Graphic(GraphicType.CIRCLE, ((30, 30), (30, 40)), Units.PIXEL)
    ellipse = Graphic(
        GraphicType.ELLIPSE, ((60, 40), (80, 60), (65, 55), (75, 45)), Units.PIXEL
    )  # its longer axis lies on the diagonal
    point = Graphic(GraphicType.POINT, ((10, 80),), Units.PIXEL)
    filled = Graphic(
        GraphicType.POLYLINE, ((30, 70), (50, 70), (50, 90), (30, 90), (30, 70)), Units.PIXEL, True
    )
    marked = ink(GraphicLayer("A", WHITE, (circle, ellipse, point, filled)))
    assert near(marked, [(40, 30), (20, 30), (30, 20), (30, 40)])
    assert near(marked, [(60, 40), (80, 60), (65, 55), (75, 45)])
    assert not near(marked, [(78, 42)])
    assert near(marked, [(10, 80), (13, 80), (10, 77)])
    assert marked[72:88, 32:48].all()
    assert not marked[25:35, 25:35].any()


def test_a_smooth_line_goes_through_all_its_points() -> None:
    points = ((10.0, 10.0), (40.0, 60.0), (70.0, 20.0), (90.0, 90.0))
    path = graphic_path(Graphic(GraphicType.INTERPOLATED, points, Units.PIXEL))
    ends = [(path.elementAt(i).x, path.elementAt(i).y) for i in range(0, path.elementCount(), 3)]  # type: ignore[attr-defined]
    assert np.allclose(ends, points)


def test_a_long_contour_is_painted_at_once() -> None:
    """A detector's contour of 2,000 points, four times: well below one frame of the screen."""
    angle = np.linspace(0, 60, 2000)
    points = tuple(
        (float(50 + r * np.cos(a)), float(50 + r * np.sin(a)))
        for a, r in zip(angle, angle / 60 * 45, strict=True)
    )
    graphics = (Graphic(GraphicType.POLYLINE, points, Units.PIXEL),) * 4
    layer = AnnotationLayer(GraphicLayer("A", WHITE, graphics), None)
    view = view_of(100, 100, 8)
    painted(layer, view)
    started = time.process_time()
    picture = painted(layer, view)
    assert time.process_time() - started < 0.1  # as strokes it takes 0.24 s
    assert (picture > 180).all(axis=2).mean() > 0.02


def test_texts_stand_where_their_box_is() -> None:
    words = Text("IIIIIIII", box=((10, 40), (90, 60)), justification="RIGHT")
    marked = ink(GraphicLayer("A", WHITE, texts=(words,)))
    rows, columns = np.flatnonzero(marked.any(1)), np.flatnonzero(marked.any(0))
    assert 40 <= rows[0] <= 50
    assert 78 <= columns[-1] <= 90
    assert columns[0] > 30
    anchored = Text("I", anchor=(20, 80), anchor_visible=True, box=((60, 20), (70, 40)))
    assert near(ink(GraphicLayer("A", WHITE, texts=(anchored,))), [(22, 77)])


def placed(values: npt.NDArray[np.uint8], origin: tuple[float, float]) -> PlacedMask:
    return PlacedMask(SegmentMask(1, values, 0, 0, (), None, Spacing()), origin)


def test_segments_are_half_transparent_with_an_outline() -> None:
    mask = placed(np.full((4, 5), 255, np.uint8), (3, 2))
    layer = SegmentLayer(((mask, RED),), ())
    picture = painted(layer, view_of(20, 20, 10)).astype(int)
    inside, outside, edge = picture[40, 55], picture[40, 120], picture[20, 55]
    assert outside.tolist() == [100, 100, 100]
    assert inside[0] > 140
    assert 50 < inside[1] < 80
    assert edge.tolist() == [255, 0, 0]
    changed = (picture != 100).any(axis=2)
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    assert (columns[0], columns[-1]) in {(29, 80), (30, 80), (29, 79), (29, 81)}
    assert rows[0] in (19, 20)


def test_a_fraction_is_fainter() -> None:
    layer = SegmentLayer(
        (
            (placed(np.full((4, 4), 255, np.uint8), (1, 1)), RED),
            (placed(np.full((4, 4), 60, np.uint8), (10, 1)), RED),
        ),
        (),
    )
    picture = painted(layer, view_of(20, 20, 10)).astype(int)
    assert picture[30, 30, 0] > picture[30, 120, 0] > 100
    assert picture[10, 120].tolist() != [255, 0, 0]  # no outline below one half


def test_the_names_of_the_segments_are_listed() -> None:
    legend = tuple(NamedColour(f"Segment {number}", RED) for number in range(40))
    view = view_of(400, 400)
    few = painted(SegmentLayer((), legend[:2]), view)
    swatches = (few == (255, 0, 0)).all(axis=2)
    assert swatches.sum() == 2 * 10 * 10
    many = painted(SegmentLayer((), legend), view)
    listed = (many == (255, 0, 0)).all(axis=2).sum() // 100
    assert 2 <= listed < 40
    assert not (many != 100).any(axis=2)[300:].any()  # the viewport's own text stands there


def test_outlines_run_along_the_edges_of_pixels() -> None:
    mask = np.zeros((3, 4), np.bool_)
    mask[1, 1:3] = True
    lines = {(line.x1(), line.y1(), line.x2(), line.y2()) for line in edge_lines(mask)}
    assert lines == {(1, 1, 3, 1), (1, 2, 3, 2), (1, 1, 1, 2), (3, 1, 3, 2)}
