"""What is drawn over the picture for a presentation state, and DICOM overlay planes."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPainterPath, QTransform

from viewer.dicom.model import OverlayPlane
from viewer.dicom.objects import (
    Colour,
    DisplayedArea,
    GraphicLayer,
    Shutter,
    Text,
    Units,
)
from viewer.ui import theme
from viewer.ui.graphic_painting import DrawnGraphic, stroke
from viewer.ui.layer import image_to_screen
from viewer.ui.view_transform import ViewTransform

_ALIGNMENTS = {
    "LEFT": Qt.AlignmentFlag.AlignLeft,
    "RIGHT": Qt.AlignmentFlag.AlignRight,
    "CENTER": Qt.AlignmentFlag.AlignHCenter,
}


class ShutterLayer:
    """Covers what a presentation state shuts out (PS3.3 C.7.6.11)."""

    has_words = False

    def __init__(self, shutter: Shutter) -> None:
        self._shutter = shutter
        bitmap = shutter.bitmap
        self._bitmap = None if bitmap is None else PlanePainter(bitmap)

    def paint(self, painter: QPainter, view: ViewTransform) -> None:
        cover = QPainterPath()
        cover.addRect(QRectF(0, 0, view.columns, view.rows))
        open_part = QPainterPath(cover)
        for shape in _shapes(self._shutter):
            open_part = open_part.intersected(shape)
        grey = QColor(self._shutter.grey, self._shutter.grey, self._shutter.grey)
        to_screen = image_to_screen(view)
        painter.fillPath(to_screen.map(cover.subtracted(open_part)), grey)
        if self._bitmap is not None:
            self._bitmap.paint(painter, view, grey)


def _shapes(shutter: Shutter) -> Iterable[QPainterPath]:
    """The parts that each shape of a shutter leaves open, in pixels of the image."""
    path = QPainterPath()
    if shutter.rectangle is not None:
        left, top, right, bottom = shutter.rectangle
        path.addRect(QRectF(QPointF(left, top), QPointF(right, bottom)))
        yield path
    if shutter.circle is not None:
        x, y, radius = shutter.circle
        path = QPainterPath()
        path.addEllipse(QPointF(x, y), radius, radius)
        yield path
    if shutter.polygon:
        path = QPainterPath(QPointF(*shutter.polygon[0]))
        for corner in shutter.polygon[1:]:
            path.lineTo(QPointF(*corner))
        path.closeSubpath()
        yield path


class PlanePainter:
    """Paints one plane of marked pixels in a colour; keeps the copy for the last zoom."""

    def __init__(self, plane: OverlayPlane) -> None:
        self._plane = plane
        self._made_of: tuple[int, QColor] | None = None
        self._image: QImage | None = None
        self._buffer: npt.NDArray[np.uint8] | None = None

    def paint(self, painter: QPainter, view: ViewTransform, colour: QColor) -> None:
        rows, columns = self._plane.plane.shape
        factor = max(1, int(1 / max(view.device_scale)))
        if self._made_of != (factor, colour):
            self._make(factor, colour)
            self._made_of = factor, colour
        assert self._image is not None
        painter.save()
        painter.setTransform(image_to_screen(view), combine=True)
        smooth = max(view.device_scale) < 1
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        target = QRectF(self._plane.column, self._plane.row, columns, rows)
        painter.drawImage(target, self._image, QRectF(0, 0, columns / factor, rows / factor))
        painter.restore()

    def _make(self, factor: int, colour: QColor) -> None:
        """Reduced so that a line of one pixel is still seen where the picture is minified."""
        marked = self._plane.plane.astype(np.uint8)
        if factor > 1:
            # The kernel's anchor is its first pixel: each pixel that is kept stands for a block.
            kernel = np.ones((factor, factor), np.uint8)
            marked = np.asarray(cv2.dilate(marked, kernel, anchor=(0, 0)), np.uint8)
            marked = marked[::factor, ::factor]
        inks = np.array((colour.blue(), colour.green(), colour.red(), 255), np.uint8)
        self._buffer = np.ascontiguousarray(marked[..., None] * inks)
        height, width = marked.shape
        form = QImage.Format.Format_ARGB32_Premultiplied
        self._image = QImage(self._buffer.data, width, height, 4 * width, form)


class OverlayLayer:
    """The DICOM overlay planes of the frame (PS3.3 C.9.2)."""

    has_words = True

    def __init__(self, planes: tuple[OverlayPlane, ...], colour: QColor = theme.OVERLAY) -> None:
        self._planes = tuple(PlanePainter(plane) for plane in planes)
        self._colour = colour

    def paint(self, painter: QPainter, view: ViewTransform) -> None:
        for plane in self._planes:
            plane.paint(painter, view, self._colour)


class AnnotationLayer:
    """The graphics and texts of one graphic layer of a presentation state (PS3.3 C.10.5)."""

    has_words = True

    def __init__(self, layer: GraphicLayer, area: DisplayedArea | None) -> None:
        self._layer = layer
        self._area = area
        self._drawn: list[DrawnGraphic] | None = None

    def paint(self, painter: QPainter, view: ViewTransform) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        places = {
            Units.PIXEL: image_to_screen(view),
            Units.DISPLAY: _display_to_screen(view, self._area),
        }
        if self._drawn is None:
            self._drawn = [
                DrawnGraphic(graphic, self._colour(graphic.colour))
                for graphic in self._layer.graphics
            ]
        for drawn in self._drawn:
            drawn.paint(painter, places[drawn.units])
        painter.setFont(theme.picture_font(painter.font()))
        for text in self._layer.texts:
            self._paint_text(painter, text, places)

    def _paint_text(self, painter: QPainter, text: Text, places: dict[Units, QTransform]) -> None:
        metrics = QFontMetricsF(painter.font())
        align = _ALIGNMENTS.get(text.justification, Qt.AlignmentFlag.AlignLeft)
        size = metrics.boundingRect(QRectF(0, 0, 4000, 4000), 0, text.words).size()
        anchor = None
        if text.anchor is not None:
            anchor = places[text.anchor_units].map(QPointF(*text.anchor))
        if text.box is not None:
            place = places[text.box_units]
            box = QRectF(*(place.map(QPointF(*corner)) for corner in text.box)).normalized()
            # Words are never cut: the box says where, the screen how large (PS3.3 C.10.5.1.1).
            left = {
                Qt.AlignmentFlag.AlignLeft: box.left(),
                Qt.AlignmentFlag.AlignRight: box.right() - size.width(),
                Qt.AlignmentFlag.AlignHCenter: box.center().x() - size.width() / 2,
            }[align]
            target = QRectF(QPointF(left, box.top()), size)
        else:
            assert anchor is not None
            target = QRectF(anchor + QPointF(8, -size.height() - 4), size)
        colour = self._colour(text.colour)
        if anchor is not None and text.anchor_visible:
            path = QPainterPath(_nearest_on(target, anchor))
            path.lineTo(anchor)
            stroke(painter, path, colour)
        paint_words(painter, target, align, text.words, colour)

    def _colour(self, own: Colour | None) -> QColor:
        found = own or self._layer.colour
        return theme.PICTURE_TEXT if found is None else QColor(*found)


def paint_words(
    painter: QPainter, target: QRectF, align: Qt.AlignmentFlag, words: str, colour: QColor
) -> None:
    """Text that can be read on black and on white."""
    # Dark words, which a layer for white paper may ask for, get a light halo.
    halo = theme.HALO if colour.lightness() > 96 else QColor(255, 255, 255, 190)
    target = target.adjusted(-1, -1, 2, 2)
    painter.setPen(halo)
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (1, 1), (-1, 1), (1, -1)):
        painter.drawText(target.translated(dx, dy), align, words)
    painter.setPen(colour)
    painter.drawText(target, align, words)


def _nearest_on(box: QRectF, point: QPointF) -> QPointF:
    return QPointF(
        min(max(point.x(), box.left()), box.right()), min(max(point.y(), box.top()), box.bottom())
    )


def _display_to_screen(view: ViewTransform, area: DisplayedArea | None) -> QTransform:
    """Fractions of the displayed area, as it lies on the screen, to logical screen pixels."""
    edges = (0.0, 0.0, float(view.columns), float(view.rows))
    if area is not None:
        edges = area.left, area.top, area.right, area.bottom
    shown = image_to_screen(view).mapRect(
        QRectF(QPointF(edges[0], edges[1]), QPointF(edges[2], edges[3]))
    )
    return QTransform(shown.width(), 0, 0, shown.height(), shown.left(), shown.top())
