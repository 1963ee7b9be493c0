"""The magnifier: a round lens with the pixels of the frame, larger than in the view around it."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen

from viewer.dicom.model import Frame, Voi
from viewer.ui import theme
from viewer.ui.picture_layer import PictureLayer
from viewer.ui.view_transform import MAX_ZOOM, ViewTransform

RADIUS = 110.0  # logical pixels
_LEAST_GAIN = 2.0


def lens_view(view: ViewTransform, x: float, y: float) -> ViewTransform:
    """What a lens over a screen point shows: twice as large, and never less than every pixel."""
    column, row = view.to_image(x, y)
    near = replace(view, zoom=min(max(_LEAST_GAIN * view.zoom, 1.0), MAX_ZOOM), fitted=False)
    dx, dy = near.offset_to_image(x - view.width / 2, y - view.height / 2)
    return replace(near, centre_x=column - dx, centre_y=row - dy)


class Magnifier:
    """Paints the lens; keeps the last picture made for it."""

    def __init__(self) -> None:
        self._layer = PictureLayer()

    def paint(
        self,
        painter: QPainter,
        frame: Frame,
        voi: Voi,
        inverted: bool,
        view: ViewTransform,
        *,
        at: tuple[float, float],
    ) -> None:
        """Draw the lens around a screen point."""
        middle = QPointF(*at)
        circle = QPainterPath()
        circle.addEllipse(middle, RADIUS, RADIUS)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipPath(circle)
        painter.fillPath(circle, theme.SURROUND)
        self._layer.paint(painter, frame, voi, inverted, lens_view(view, *at))
        painter.setClipping(False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (QPen(theme.LINE_HALO, 4), QPen(theme.PICTURE_TEXT, 1.5)):
            painter.setPen(pen)
            painter.drawEllipse(middle, RADIUS, RADIUS)
        painter.restore()
