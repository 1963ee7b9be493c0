"""Segments over the picture: half transparent, outlined, with their names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen, QTransform

from viewer.dicom.segment_places import PlacedMask
from viewer.ui import theme
from viewer.ui.layer import image_to_screen
from viewer.ui.softcopy_layers import paint_words
from viewer.ui.view_transform import ViewTransform

_OPACITY = 0.35
_OUTLINE = 1.5  # logical pixels
_HALF = 128  # of a mask's values: where the outline of a fractional one runs
_SWATCH = 10
_MARGIN = 12
_OWN_TEXT = 110  # logical pixels at the bottom left that belong to the viewport's own text


@dataclass(frozen=True, slots=True)
class NamedColour:
    """A segment as it is listed and drawn."""

    name: str
    colour: QColor


class SegmentLayer:
    """All masks of one frame, and the list of the segments that they belong to."""

    has_words = False

    def __init__(
        self, masks: tuple[tuple[PlacedMask, QColor], ...], legend: tuple[NamedColour, ...]
    ) -> None:
        self._masks = masks
        self._legend = legend
        self._drawn: list[_DrawnMask] | None = None

    def paint(self, painter: QPainter, view: ViewTransform) -> None:
        if self._drawn is None:  # only once the frame is on the screen: scrolling makes many
            self._drawn = [_DrawnMask(placed, colour) for placed, colour in self._masks]
        to_screen = image_to_screen(view)
        for mask in self._drawn:
            mask.fill(painter, to_screen)
        for mask in self._drawn:
            mask.outline(painter, to_screen)
        self._paint_legend(painter, view)

    def _paint_legend(self, painter: QPainter, view: ViewTransform) -> None:
        """Below the middle of the left edge, where no corner and no letter stands."""
        painter.setFont(theme.tag_font(painter.font()))
        line = QFontMetricsF(painter.font()).height() + 3
        top = view.height / 2 + 28
        room = max(1, int((view.height - top - _OWN_TEXT) / line))
        shown = self._legend if len(self._legend) <= room else self._legend[: room - 1]
        for number, entry in enumerate(shown):
            y = top + number * line
            swatch = QRectF(_MARGIN, y + (line - _SWATCH) / 2, _SWATCH, _SWATCH)
            painter.fillRect(swatch.adjusted(-1, -1, 1, 1), theme.HALO)
            painter.fillRect(swatch, entry.colour)
            self._paint_line(painter, view, y, entry.name)
        if len(shown) < len(self._legend):
            more = f"and {len(self._legend) - len(shown)} more segments"
            self._paint_line(painter, view, top + len(shown) * line, more)

    def _paint_line(self, painter: QPainter, view: ViewTransform, y: float, words: str) -> None:
        metrics = QFontMetricsF(painter.font())
        left = _MARGIN + _SWATCH + 6
        elided = metrics.elidedText(words, Qt.TextElideMode.ElideRight, view.width / 3)
        place = QRectF(left, y, metrics.horizontalAdvance(elided) + 4, metrics.height() + 3)
        paint_words(painter, place, Qt.AlignmentFlag.AlignVCenter, elided, theme.PICTURE_TEXT)


class _DrawnMask:
    """One mask as an image and as lines along the edges of its pixels."""

    def __init__(self, placed: PlacedMask, colour: QColor) -> None:
        values = placed.mask.values
        rows, columns = values.shape
        alpha = values.astype(np.float32) * _OPACITY
        inks = np.array((colour.blue(), colour.green(), colour.red(), 255), np.float32) / 255
        self._buffer = np.ascontiguousarray(np.rint(alpha[..., None] * inks).astype(np.uint8))
        self._image = QImage(
            self._buffer.data,
            columns,
            rows,
            4 * columns,
            QImage.Format.Format_ARGB32_Premultiplied,
        )
        self._lines = edge_lines(values >= _HALF)
        self._pen = QPen(colour, _OUTLINE)
        self._pen.setCosmetic(True)
        self._to_image = QTransform(*placed.across, *placed.down, *placed.origin)

    def fill(self, painter: QPainter, to_screen: QTransform) -> None:
        painter.save()
        painter.setTransform(self._to_image * to_screen, combine=True)
        painter.drawImage(0, 0, self._image)
        painter.restore()

    def outline(self, painter: QPainter, to_screen: QTransform) -> None:
        painter.save()
        painter.setTransform(self._to_image * to_screen, combine=True)
        painter.setPen(self._pen)
        painter.drawLines(self._lines)
        painter.restore()


def edge_lines(mask: npt.NDArray[np.bool_]) -> list[QLineF]:
    """The border of a mask, (rows, columns), along the outer edges of its pixels."""
    padded = np.pad(mask, 1)
    across = [
        QLineF(start, row, end, row)
        for row, start, end in _runs(padded[1:, 1:-1] != padded[:-1, 1:-1])
    ]
    down = [
        QLineF(column, start, column, end)
        for column, start, end in _runs((padded[1:-1, 1:] != padded[1:-1, :-1]).T)
    ]
    return across + down


def _runs(edges: npt.NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """Line number, first and one past the last place of each run of edges."""
    changes = np.diff(np.pad(edges, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    starts, ends = np.argwhere(changes == 1), np.argwhere(changes == -1)
    return [
        (int(line), int(start), int(end))
        for (line, start), (_, end) in zip(starts.tolist(), ends.tolist(), strict=True)
    ]
