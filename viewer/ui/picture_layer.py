"""The picture itself: from modality values to pixels on the screen, no more often than needed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QPointF, QRectF
from PySide6.QtGui import QImage, QPainter

from viewer.dicom.model import Frame, Picture, Voi
from viewer.dicom.voi import picture
from viewer.ui.view_transform import ViewTransform

SHOW_PIXELS_FROM = 4.0  # device pixels a pixel: from here pixels are shown as such, not blended
_TILE = 256
_ROTATIONS = {1: cv2.ROTATE_90_CLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_COUNTERCLOCKWISE}
_Region = tuple[int, int, int, int]  # first column, first row, one past the last ones
_Laid = tuple[int, int, bool, int]  # columns and rows of the reduced copy, mirrored, quarter turns


@dataclass(frozen=True, eq=False, slots=True)
class _Rendered:
    """An image and the buffer that it reads, kept together so that neither dangles."""

    buffer: Picture
    image: QImage


class PictureLayer:
    """Paints a frame; keeps the last picture and its reduced copy.

    The 8-bit picture is made of the whole frame while it is minified, and only of the part in
    view while it is magnified. It is made again when frame, window, inversion or that part
    change, and its reduced copy also when the zoom does.
    """

    def __init__(self) -> None:
        self.renderings = 0
        self._frame: Frame | None = None
        self._made_of: tuple[Voi, bool, _Region] | None = None
        self._picture: Picture | None = None
        self._laid: _Laid | None = None
        self._rendered: _Rendered | None = None

    def paint(
        self, painter: QPainter, frame: Frame, voi: Voi, inverted: bool, view: ViewTransform
    ) -> None:
        """Draw ``frame`` where ``view`` puts it.

        A picture at one device pixel for each pixel is drawn exactly; a smaller one is averaged,
        a larger one interpolated up to `SHOW_PIXELS_FROM` and shown as pixels above.
        """
        region = _needed(view)
        if region is None:
            return
        scale_x, scale_y = view.device_scale
        x0, y0, x1, y1 = region
        width = (x1 - x0) if scale_x >= 1 else max(1, round((x1 - x0) * scale_x))
        height = (y1 - y0) if scale_y >= 1 else max(1, round((y1 - y0) * scale_y))
        laid = (width, height, view.mirrored, view.turns)
        rendered = self._render(frame, (voi, inverted, region), laid)
        place = _place(view, region)
        painter.save()
        painter.scale(1 / view.ratio, 1 / view.ratio)
        if scale_x <= 1 and scale_y <= 1:
            painter.drawImage(QPoint(round(place.x()), round(place.y())), rendered.image)
        else:
            smooth = max(scale_x, scale_y) < SHOW_PIXELS_FROM
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
            painter.drawImage(place, rendered.image, QRectF(rendered.image.rect()))
        painter.restore()

    def _render(self, frame: Frame, made_of: tuple[Voi, bool, _Region], laid: _Laid) -> _Rendered:
        if self._picture is None or self._frame is not frame or self._made_of != made_of:
            voi, inverted, (x0, y0, x1, y1) = made_of
            part = frame
            if (x1 - x0, y1 - y0) != (frame.values.shape[1], frame.values.shape[0]):
                part = replace(frame, values=frame.values[y0:y1, x0:x1])
            self._picture = picture(part, voi, inverted)
            self._frame, self._made_of = frame, made_of
            self._rendered = None
            self.renderings += 1
        if self._rendered is None or self._laid != laid:
            width, height, mirrored, turns = laid
            small = reduced(self._picture, width, height)
            self._rendered = _rendered(_turned(small, mirrored, turns))
            self._laid = laid
        return self._rendered


def reduced(whole: Picture, width: int, height: int) -> Picture:
    """``whole`` made smaller without losing fine lines.

    Halved by averaging while it is twice too large, then interpolated after a blur as wide as
    what is left to reduce: a tenth of the time of one average over uneven areas.
    """
    small: npt.NDArray[Any] = whole
    while small.shape[1] >= 2 * width or small.shape[0] >= 2 * height:
        half = (
            (small.shape[1] + 1) // 2 if small.shape[1] >= 2 * width else small.shape[1],
            (small.shape[0] + 1) // 2 if small.shape[0] >= 2 * height else small.shape[0],
        )
        small = cv2.resize(small, half, interpolation=cv2.INTER_AREA)
    if small.shape[:2] != (height, width):
        across, sigma_x = _blur(small.shape[1] / width)
        down, sigma_y = _blur(small.shape[0] / height)
        small = cv2.GaussianBlur(
            small, (across, down), sigma_x, sigmaY=sigma_y, borderType=cv2.BORDER_REPLICATE
        )
        small = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return small


def _blur(factor: float) -> tuple[int, float]:
    """Length and sigma of the blur before a reduction by 1 to 2: nothing at 1, (1 2 1)/4 at 2."""
    side = 0.25 * (factor - 1)
    if side < 0.01:
        return 1, 1.0
    return 3, math.sqrt(-0.5 / math.log(side / (1 - 2 * side)))


def _turned(pixels: npt.NDArray[Any], mirrored: bool, turns: int) -> npt.NDArray[Any]:
    if mirrored:
        pixels = cv2.flip(pixels, 1)
    return cv2.rotate(pixels, _ROTATIONS[turns]) if turns else pixels


def _rendered(pixels: Picture) -> _Rendered:
    buffer = np.ascontiguousarray(pixels)
    height, width = buffer.shape[:2]
    colour = buffer.ndim == 3
    form = QImage.Format.Format_RGB888 if colour else QImage.Format.Format_Grayscale8
    return _Rendered(buffer, QImage(buffer.data, width, height, buffer.strides[0], form))


def _place(view: ViewTransform, region: _Region) -> QRectF:
    """Where a part of the frame lies, in device pixels of the viewport."""
    left, top = view.device_origin
    scale_x, scale_y = view.device_scale
    x0, y0, x1, y1 = region
    corners = (
        QPointF(*view.direction_to_screen(x * scale_x, y * scale_y))
        for x, y in ((x0, y0), (x1, y1))
    )
    return QRectF(*corners).normalized().translated(left, top)


def _needed(view: ViewTransform) -> _Region | None:
    """The part of the frame to make a picture of, in steps, so that panning reuses it."""
    visible = view.visible()
    if visible is None or min(view.device_scale) < 1:
        return None if visible is None else (0, 0, view.columns, view.rows)
    x0, y0, x1, y1 = visible
    return (
        max(0, (x0 - 1) // _TILE * _TILE),
        max(0, (y0 - 1) // _TILE * _TILE),
        min(view.columns, -(-(x1 + 1) // _TILE) * _TILE),
        min(view.rows, -(-(y1 + 1) // _TILE) * _TILE),
    )
