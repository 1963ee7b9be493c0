"""How measurements look: a thin line on a dark one, and the figures beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPainterPath, QPen, QPolygonF

from detector.types import Box
from viewer.review.measurement import Measurement, Point, Shape
from viewer.ui import theme
from viewer.ui.corner_text import halo_text
from viewer.ui.marks import place_tag
from viewer.ui.measurement_shapes import CROSS, Sketch, handles, outline
from viewer.ui.view_transform import ViewTransform

_LINE, _SELECTED_LINE = 1.5, 2.0
_TICK = 5.0  # screen pixels from a length's line to the end of the tick across it
_ARC = 18.0  # radius of an angle's arc in screen pixels
_HANDLE = 7.0
_GAP = 6.0
_MARGIN = 6  # to the edge of the viewport


@dataclass(frozen=True, slots=True)
class Label:
    """The figures of a measurement, on the screen."""

    measurement_id: str
    place: Box
    lines: tuple[str, ...]


def lay_out_labels(
    measurements: Sequence[Measurement],
    lines_of: Callable[[Measurement], tuple[str, ...]],
    view: ViewTransform,
    metrics: QFontMetrics,
    taken: Sequence[Box],
) -> tuple[Label, ...]:
    """Where the figures stand: beside their shape, over no corner text, tag or other figures."""
    limits = Box(_MARGIN, _MARGIN, max(view.width - _MARGIN, 7.0), max(view.height - _MARGIN, 7.0))
    around = {each.id: _screen_box(each.points, view) for each in measurements}
    standing = list(taken)
    labels: list[Label] = []
    for each in measurements:
        own = around[each.id]
        if not _in_view(own, limits):
            continue
        lines = lines_of(each)
        others = [box for other, box in around.items() if other != each.id]
        place = place_tag(_size(lines, metrics), own, others, standing, bounds=limits, gap=_GAP)
        standing.append(place)
        labels.append(Label(each.id, place, lines))
    return tuple(labels)


def paint_measurements(
    painter: QPainter,
    measurements: Sequence[Measurement],
    labels: Sequence[Label],
    view: ViewTransform,
    *,
    selected: str | None,
    hovered: str | None,
) -> None:
    """Draw the shapes, then the figures; the selected one with its handles."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for each in measurements:
        bright = each.id in (selected, hovered)
        _paint_shape(painter, each.shape, each.points, view, bright)
        if each.id == selected:
            _paint_handles(painter, handles(each.shape, each.points), view)
    painter.setFont(theme.tag_font(painter.font()))
    for label in labels:
        bright = label.measurement_id in (selected, hovered)
        _paint_lines(painter, label.lines, label.place, _colour(bright))


def paint_sketch(
    painter: QPainter, sketch: Sketch, lines: tuple[str, ...], view: ViewTransform
) -> None:
    """Draw a measurement that is being made or changed, its figures below and right of its end."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _paint_shape(painter, sketch.shape, sketch.points, view, True)
    painter.setFont(theme.tag_font(painter.font()))
    if lines:
        width, height = _size(lines, QFontMetrics(painter.font(), painter.device()))
        end = _screen_box(sketch.points, view)
        x = max(_MARGIN, min(end.x_max + _GAP, view.width - _MARGIN - width))
        y = max(_MARGIN, min(end.y_max + _GAP, view.height - _MARGIN - height))
        _paint_lines(painter, lines, Box.from_xywh(x, y, width, height), _colour(True))


def _colour(bright: bool) -> QColor:
    return theme.MEASUREMENT.lighter(125) if bright else theme.MEASUREMENT


def _paint_shape(
    painter: QPainter, shape: Shape, points: Sequence[Point], view: ViewTransform, bright: bool
) -> None:
    path = _path(shape, points, view)
    width = _SELECTED_LINE if bright else _LINE
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(theme.LINE_HALO, width + 2), QPen(_colour(bright), width)):
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.drawPath(path)


def _path(shape: Shape, points: Sequence[Point], view: ViewTransform) -> QPainterPath:
    path = QPainterPath()
    if shape is Shape.POINT:
        x, y = view.to_screen(*points[0])
        for dx, dy in ((1, 0), (0, 1)):
            # Open in the middle, so that the pixel itself stays to be seen.
            for side in (-1, 1):
                path.moveTo(x + side * dx * 2, y + side * dy * 2)
                path.lineTo(x + side * dx * CROSS, y + side * dy * CROSS)
        return path
    path.addPolygon(QPolygonF([QPointF(*view.to_screen(*at)) for at in outline(shape, points)]))
    screen = [view.to_screen(*point) for point in points]
    if shape is Shape.LENGTH:
        _add_ticks(path, screen[0], screen[1])
    elif shape is Shape.ANGLE and len(screen) == 3:
        _add_arc(path, *screen)
    return path


def _add_ticks(path: QPainterPath, start: Point, end: Point) -> None:
    length = math.dist(start, end)
    if length == 0:
        return
    across = (start[1] - end[1]) / length * _TICK, (end[0] - start[0]) / length * _TICK
    for x, y in (start, end):
        path.moveTo(x - across[0], y - across[1])
        path.lineTo(x + across[0], y + across[1])


def _add_arc(path: QPainterPath, first: Point, vertex: Point, last: Point) -> None:
    """Between the arms, on the side of the smaller angle."""
    if min(math.dist(vertex, first), math.dist(vertex, last)) < _ARC:
        return
    # Qt's angles go against the clock, the screen's rows downwards.
    begin, end = (-math.degrees(math.atan2(y - vertex[1], x - vertex[0])) for x, y in (first, last))
    sweep = (end - begin + 180) % 360 - 180
    place = QRectF(vertex[0] - _ARC, vertex[1] - _ARC, 2 * _ARC, 2 * _ARC)
    path.arcMoveTo(place, begin)
    path.arcTo(place, begin, sweep)


def _paint_handles(painter: QPainter, points: Sequence[Point], view: ViewTransform) -> None:
    painter.setPen(QPen(theme.HALO, 1.5))
    painter.setBrush(_colour(True))
    for point in points:
        x, y = view.to_screen(*point)
        painter.drawRect(QRectF(x - _HANDLE / 2, y - _HANDLE / 2, _HANDLE, _HANDLE))


def _paint_lines(painter: QPainter, lines: Sequence[str], place: Box, colour: QColor) -> None:
    metrics = QFontMetrics(painter.font(), painter.device())
    for number, line in enumerate(lines):
        y = round(place.y_min) + number * metrics.height() + metrics.ascent()
        halo_text(painter, QPoint(round(place.x_min), y), line, colour)


def _size(lines: Sequence[str], metrics: QFontMetrics) -> tuple[float, float]:
    width = max((metrics.horizontalAdvance(line) for line in lines), default=0)
    return max(1.0, width), max(1.0, len(lines) * metrics.height())


def _screen_box(points: Sequence[Point], view: ViewTransform) -> Box:
    screen = [view.to_screen(*point) for point in points]
    xs, ys = [x for x, _ in screen], [y for _, y in screen]
    return Box(min(xs) - 1, min(ys) - 1, max(xs) + 1, max(ys) + 1)


def _in_view(box: Box, limits: Box) -> bool:
    return (
        box.x_max > limits.x_min
        and box.x_min < limits.x_max
        and box.y_max > limits.y_min
        and box.y_min < limits.y_max
    )
