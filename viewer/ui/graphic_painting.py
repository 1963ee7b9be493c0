"""Single graphics of a presentation state as lines on the screen (PS3.3 C.10.5)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from PySide6.QtCore import QLineF, QPointF
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QTransform

from viewer.dicom.objects import Graphic, GraphicType, Point
from viewer.ui import theme

_LINE = 1.5  # logical pixels
_POINT = 4.0  # half of the cross that marks a point
_SMOOTH = 200  # points through which a curve is laid; more of them look smooth by themselves
_PLAIN_FROM = 20_000  # lines: from here without a halo, so that they are drawn at once


class DrawnGraphic:
    """One graphic, its shape kept from one painting to the next.

    Long lines are painted segment by segment: Qt takes 25 ms for a stroke of 2,000 points, whose
    segments it has to unite, and 1 ms for as many lines.
    """

    def __init__(self, graphic: Graphic, colour: QColor) -> None:
        self.units = graphic.units
        self._graphic = graphic
        self._colour = colour
        self._path = graphic_path(graphic)
        self._lines: list[QLineF] = []
        dense = graphic.type is GraphicType.INTERPOLATED and len(graphic.points) > _SMOOTH
        if graphic.type is GraphicType.POLYLINE or dense:
            points = [QPointF(*point) for point in graphic.points]
            self._lines = [QLineF(*ends) for ends in pairwise(points)]

    def paint(self, painter: QPainter, place: QTransform) -> None:
        """Draw it where ``place`` takes its units to the screen."""
        if self._graphic.type is GraphicType.POINT:
            points = (place.map(QPointF(*point)) for point in self._graphic.points)
            stroke(painter, _crosses(points), self._colour)
            return
        if self._graphic.filled:
            painter.fillPath(place.map(self._path), self._colour)
        if self._lines:
            self._paint_lines(painter, place)
        else:
            stroke(painter, place.map(self._path), self._colour)

    def _paint_lines(self, painter: QPainter, place: QTransform) -> None:
        painter.save()
        painter.setTransform(place, combine=True)
        inks = [(theme.LINE_HALO, _LINE + 2), (self._colour, _LINE)]
        if len(self._lines) > _PLAIN_FROM:
            inks = [(self._colour, 1.0)]
        for ink, width in inks:
            pen = QPen(ink, width)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawLines(self._lines)
        painter.restore()


def stroke(painter: QPainter, path: QPainterPath, colour: QColor) -> None:
    """A line that is seen on black and on white."""
    for ink, width in ((theme.LINE_HALO, _LINE + 2), (colour, _LINE)):
        painter.strokePath(path, QPen(ink, width))


def graphic_path(graphic: Graphic) -> QPainterPath:
    """The outline of a graphic in its own units; nothing for single points."""
    points = [QPointF(*point) for point in graphic.points]
    path = QPainterPath(points[0])
    match graphic.type:
        case GraphicType.POLYLINE:
            for point in points[1:]:
                path.lineTo(point)
        case GraphicType.INTERPOLATED:
            _curve(path, graphic.points)
        case GraphicType.CIRCLE:
            offset = points[1] - points[0]
            radius = float(np.hypot(offset.x(), offset.y()))
            path = QPainterPath()
            path.addEllipse(points[0], radius, radius)
        case GraphicType.ELLIPSE:
            path = _ellipse(graphic.points)
        case GraphicType.POINT:
            path = QPainterPath()
    return path


def _curve(path: QPainterPath, points: tuple[Point, ...]) -> None:
    """A smooth line through all points, closed where the last is the first (Catmull-Rom)."""
    around = np.array(points)
    closed = len(points) > 2 and points[0] == points[-1]
    before = around[-2:-1] if closed else around[:1]
    after = around[1:2] if closed else around[-1:]
    around = np.concatenate([before, around, after])
    for index in range(1, len(points)):
        p0, p1, p2, p3 = around[index - 1 : index + 3]
        first, second = p1 + (p2 - p0) / 6, p2 - (p3 - p1) / 6
        path.cubicTo(QPointF(*first), QPointF(*second), QPointF(*p2))


def _ellipse(points: tuple[Point, ...]) -> QPainterPath:
    """By the ends of its axes (PS3.3 C.10.5.1.2)."""
    major_0, major_1, minor_0, minor_1 = np.array(points[:4])
    centre = (major_0 + major_1) / 2
    along = (major_1 - major_0) / 2
    across = np.linalg.norm(minor_1 - minor_0) / 2
    turn = QTransform()
    turn.translate(*map(float, centre))
    turn.rotate(float(np.degrees(np.arctan2(along[1], along[0]))))
    path = QPainterPath()
    path.addEllipse(QPointF(0, 0), float(np.linalg.norm(along)), float(across))
    return turn.map(path)


def _crosses(points: Iterable[QPointF]) -> QPainterPath:
    path = QPainterPath()
    for point in points:
        for way in (QPointF(_POINT, 0), QPointF(0, _POINT)):
            path.moveTo(point - way)
            path.lineTo(point + way)
    return path
