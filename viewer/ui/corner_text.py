"""The text in the corners of the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter

from viewer.dicom.model import Frame, Voi, VoiWindow
from viewer.dicom.spacing import PIXELS, Scale
from viewer.ui import theme
from viewer.ui.view_transform import ViewTransform

MARGIN = 10
_GAP = 16  # between the texts of two corners
_HALO_AT = ((-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1))


@dataclass(frozen=True, slots=True)
class CornerText:
    """The lines of three corners; the fourth, bottom left, is the viewport's own."""

    top_left: tuple[str, ...] = ()
    top_right: tuple[str, ...] = ()
    bottom_right: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it is drawn: elided, with its left end and the top of its row."""

    text: str
    x: int
    y: int
    width: int
    height: int
    warns: bool = False


def lay_out(
    corners: CornerText,
    bottom_left: tuple[str, ...],
    size: tuple[int, int],
    *,
    row: int,
    measure: Callable[[str], int],
    elide: Callable[[str, int], str],
    warnings: tuple[str, ...] = (),
) -> tuple[Line, ...]:
    """Place the lines so that none overlaps another and none leaves the viewport.

    Two lines of one row that do not fit side by side share its width; where rows are short, the
    bottom corners keep theirs, and the lines furthest from the edge go.

    Parameters
    ----------
    size : width and height of the viewport.
    row : height of a line.
    measure, elide : the width of a text, and a text cut to a width.
    warnings : which of the lines are warnings.
    """
    width, height = size
    rows = max(0, (height - 2 * MARGIN) // row)
    bottom_rows = min(rows, max(len(bottom_left), len(corners.bottom_right)))
    top_rows = min(rows - bottom_rows, max(len(corners.top_left), len(corners.top_right)))
    lines: list[Line] = []

    def place(left: str, right: str, y: int) -> None:
        room = width - 2 * MARGIN
        both = room - _GAP
        left_width, right_width = measure(left), measure(right)
        if left and right and left_width + right_width > both:
            left_room = max(both // 2, both - right_width)
            right_room = max(both // 2, both - left_width)
        else:
            left_room = right_room = room
        for text, limit, right_hand in ((left, left_room, False), (right, right_room, True)):
            shown = text if measure(text) <= limit else elide(text, limit)
            if shown:
                shown_width = measure(shown)
                x = width - MARGIN - shown_width if right_hand else MARGIN
                lines.append(Line(shown, x, y, shown_width, row, text in warnings))

    for index in range(top_rows):
        place(_at(corners.top_left, index), _at(corners.top_right, index), MARGIN + index * row)
    for index in range(bottom_rows):
        place(
            _at(bottom_left, len(bottom_left) - 1 - index),
            _at(corners.bottom_right, len(corners.bottom_right) - 1 - index),
            height - MARGIN - (index + 1) * row,
        )
    return tuple(lines)


def lay_out_text(
    painter: QPainter,
    corners: CornerText,
    bottom_left: tuple[str, ...],
    size: tuple[int, int],
    warnings: tuple[str, ...] = (),
) -> tuple[Line, ...]:
    """`lay_out` in the painter's font."""
    metrics = QFontMetrics(painter.font(), painter.device())
    return lay_out(
        corners,
        bottom_left,
        size,
        row=metrics.height() + 1,
        measure=metrics.horizontalAdvance,
        elide=lambda text, room: metrics.elidedText(text, Qt.TextElideMode.ElideRight, room),
        warnings=warnings,
    )


def paint(painter: QPainter, lines: tuple[Line, ...]) -> None:
    """Draw the lines in the picture's font."""
    painter.setFont(theme.picture_font(painter.font()))
    ascent = QFontMetrics(painter.font(), painter.device()).ascent()
    for line in lines:
        colour = theme.WARNING if line.warns else theme.PICTURE_TEXT
        halo_text(painter, QPoint(line.x, line.y + ascent), line.text, colour)


def halo_text(
    painter: QPainter, baseline: QPoint, text: str, colour: QColor = theme.PICTURE_TEXT
) -> None:
    """One line of text that reads on black and on white."""
    painter.setPen(theme.HALO)
    for dx, dy in _HALO_AT:
        painter.drawText(baseline + QPoint(dx, dy), text)
    painter.setPen(colour)
    painter.drawText(baseline, text)


def window_text(frame: Frame, voi: Voi, inverted: bool) -> str:
    """The window as readers write it; empty for a colour picture."""
    if frame.is_colour:
        return ""
    if isinstance(voi, VoiWindow):
        digits = 0 if voi.width >= 20 else 2
        text = f"W {voi.width:.{digits}f}  L {_rounded(voi.center, digits)}"
    else:
        text = "VOI LUT"
    if voi.explanation:
        text += f"  {voi.explanation}"
    return f"{text}  inverted" if inverted else text


def place_text(view: ViewTransform) -> str:
    """Zoom, and how the picture lies where it does not lie as it is stored."""
    text = f"Zoom {100 * view.zoom:.0f} %"
    if view.turns:
        text += f"  turned {90 * view.turns}°"
    return f"{text}  mirrored" if view.mirrored else text


def value_text(frame: Frame, column: int, row: int) -> str:
    """The value of one pixel with its place, counted from 0."""
    value = frame.values[row, column]
    if frame.is_colour:
        shown = "RGB " + " ".join(str(int(part)) for part in value)
    elif frame.values.dtype.kind == "f":
        shown = f"{float(value):.5g}"
    else:
        shown = str(int(value))
    return f"({column}, {row})  {shown} {'' if frame.is_colour else frame.unit}".rstrip()


def size_text(width: float, height: float, scale: Scale) -> str:
    """The size of a box, given in pixels; in mm, too, where they are known, and how well."""
    text = f"{width:.0f} × {height:.0f} px"
    if scale.unit == PIXELS:
        return text
    said = f", {scale.words}" if scale.words else ""
    return f"{text}, {width * scale.x:.1f} × {height * scale.y:.1f} {scale.unit}{said}"


def _rounded(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


def _at(lines: tuple[str, ...], index: int) -> str:
    return lines[index] if 0 <= index < len(lines) else ""
