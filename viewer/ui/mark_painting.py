"""How marks look: every status has its own line and glyph, never a colour alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPainterPath, QPen

from detector.types import Box
from viewer.review.finding import Status
from viewer.ui import theme
from viewer.ui.marks import Mark, handle_points, place_tag
from viewer.ui.view_transform import ViewTransform

_COLOURS = {
    Status.OPEN: theme.MARK_OPEN,
    Status.ACCEPTED: theme.MARK_ACCEPTED,
    Status.CORRECTED: theme.MARK_CORRECTED,
    Status.REJECTED: theme.MARK_REJECTED,
    Status.ADDED: theme.MARK_ADDED,
}
_LINE, _SELECTED_LINE, _REJECTED_LINE = 2.0, 3.0, 1.0
_DASHES = [4.0, 2.5]  # in widths of the line
_SHORT_DASHES = [1.5, 1.0]  # of a box too small for the others
_SMALL = 28.0
_PROPOSAL_LINE = 1.0
_PROPOSAL_DASHES = [2.0, 4.0]
_TAG_MARGIN = 4  # to the edge of the viewport
_TAG_GAP, _SELECTED_TAG_GAP = 4.0, 7.0
_GLYPH = 9.0
_PAD_X, _PAD_Y = 5, 1
_HANDLE = 7.0


@dataclass(frozen=True, slots=True)
class Tag:
    """The tag of a mark, on the screen."""

    mark_id: str
    place: Box
    text: str


def tag_text(mark: Mark) -> str:
    """Owner, category and score as the tag gives them, with a question mark where uncertain."""
    owner = "" if mark.look is None else f"{mark.look.owner} "
    score = "" if mark.score is None else f" {mark.score:.2f}"
    return f"{owner}{mark.category}{score}{' ?' if mark.uncertain else ''}"


def lay_out_tags(
    marks: Sequence[Mark],
    view: ViewTransform,
    metrics: QFontMetrics,
    taken: Sequence[Box],
) -> tuple[Tag, ...]:
    """Tags for the marks in view, the selected one's first, since it gets the best place."""
    margin = _TAG_MARGIN
    bounds = Box(
        margin,
        margin,
        max(view.width - margin, margin + 1),
        max(view.height - margin, margin + 1),
    )
    boxes = {mark.id: view.box_to_screen(mark.box) for mark in marks}
    standing = list(taken)
    tags: list[Tag] = []
    for mark in sorted(marks, key=lambda mark: not mark.selected):
        own = boxes[mark.id]
        if not _in_view(own, bounds):
            continue
        text = metrics.elidedText(
            tag_text(mark), Qt.TextElideMode.ElideRight, int(bounds.width) - 2 * _PAD_X - 14
        )
        size = (
            metrics.horizontalAdvance(text) + 2 * _PAD_X + _GLYPH + 4,
            float(metrics.height() + 2 * _PAD_Y),
        )
        others = [box for mark_id, box in boxes.items() if mark_id != mark.id]
        place = place_tag(
            size,
            own,
            others,
            standing,
            bounds=bounds,
            gap=_SELECTED_TAG_GAP if mark.selected else _TAG_GAP,
        )
        standing.append(place)
        tags.append(Tag(mark.id, place, text))
    return tuple(tags)


def paint_marks(
    painter: QPainter,
    marks: Sequence[Mark],
    view: ViewTransform,
    tags: Sequence[Tag],
    hovered: str | None,
) -> None:
    """Draw the boxes, then the tags, then the handles; the selected mark above the others."""
    in_order = sorted(marks, key=lambda mark: mark.selected)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for mark in in_order:
        _paint_box(painter, mark, view.box_to_screen(mark.box), view.ratio, mark.id == hovered)
    by_id = {mark.id: mark for mark in marks}
    painter.setFont(theme.tag_font(painter.font()))
    for tag in reversed(tags):
        if tag.mark_id in by_id:
            _paint_tag(painter, by_id[tag.mark_id], tag)
    for mark in in_order:
        if mark.selected:
            _paint_handles(painter, view.box_to_screen(mark.box), mark_colour(mark))


def paint_proposals(painter: QPainter, boxes: Sequence[Box], view: ViewTransform) -> None:
    """Thin, grey and dotted: where the detector looked, which is no finding."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    pen = QPen(theme.PROPOSAL, _PROPOSAL_LINE)
    pen.setDashPattern(_PROPOSAL_DASHES)
    for box in boxes:
        _outline(painter, _aligned(view.box_to_screen(box), view.ratio, _PROPOSAL_LINE), pen)


def paint_draft(painter: QPainter, screen: Box, ratio: float, size: str, new: bool) -> None:
    """Draw a box that the reader is drawing or changing: its size, and its outline if new."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if new:
        _outline(painter, _aligned(screen, ratio, _LINE), QPen(theme.MARK_ADDED, _LINE))
    painter.setFont(theme.tag_font(painter.font()))
    metrics = QFontMetrics(painter.font(), painter.device())
    width = metrics.horizontalAdvance(size)
    viewport = painter.viewport()
    x = max(9, min(round(screen.x_min) + _PAD_X, viewport.width() - width - 9))
    y = min(round(screen.y_max) + 8 + metrics.ascent(), viewport.height() - 8)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.HALO)
    painter.drawRoundedRect(
        QRectF(x - _PAD_X, y - metrics.ascent() - 1, width + 2 * _PAD_X, metrics.height() + 2), 3, 3
    )
    painter.setPen(theme.PICTURE_TEXT)
    painter.drawText(QPoint(x, y), size)


def mark_colour(mark: Mark) -> QColor:
    """The colour of a mark's look or status, brighter when it is selected."""
    colour = _COLOURS[mark.status] if mark.look is None else QColor(mark.look.colour)
    return colour.lighter(118) if mark.selected else colour


def _paint_box(painter: QPainter, mark: Mark, screen: Box, ratio: float, hovered: bool) -> None:
    width = _REJECTED_LINE if mark.status is Status.REJECTED else _LINE
    if mark.selected:
        width = _SELECTED_LINE
    colour = mark_colour(mark)
    pen = QPen(colour.lighter(125) if hovered else colour, width)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    if mark.status is Status.OPEN if mark.look is None else mark.look.dashed:
        small = min(screen.width, screen.height) < _SMALL
        pen.setDashPattern(_SHORT_DASHES if small else _DASHES)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    rect = _aligned(screen, ratio, width)
    _outline(painter, rect, pen)
    if mark.status is Status.REJECTED:
        for line_pen in (QPen(theme.LINE_HALO, width + 2), pen):
            painter.setPen(line_pen)
            painter.drawLine(rect.bottomLeft(), rect.topRight())


def _outline(painter: QPainter, rect: QRectF, pen: QPen) -> None:
    """A rectangle on a dark line, so that it shows on white as well as on black."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    dark = QPen(theme.LINE_HALO, pen.widthF() + 2)
    dark.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    painter.setPen(dark)
    painter.drawRect(rect)
    painter.setPen(pen)
    painter.drawRect(rect)


def _paint_tag(painter: QPainter, mark: Mark, tag: Tag) -> None:
    place = tag.place
    rect = QRectF(round(place.x_min), round(place.y_min), place.width, place.height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.HALO)
    painter.drawRoundedRect(rect, 3, 3)
    colour = mark_colour(mark)
    if mark.selected:
        painter.setPen(QPen(colour, 1.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
    glyph = QRectF(rect.x() + _PAD_X, rect.center().y() - _GLYPH / 2, _GLYPH, _GLYPH)
    paint_glyph(painter, glyph, mark.status, colour)
    metrics = QFontMetrics(painter.font(), painter.device())
    painter.setPen(colour)
    baseline = QPointF(glyph.right() + 4, rect.y() + _PAD_Y + metrics.ascent())
    painter.drawText(baseline, tag.text)
    if mark.status is Status.REJECTED:
        middle = baseline.y() - metrics.strikeOutPos()
        painter.drawLine(QPointF(baseline.x(), middle), QPointF(rect.right() - _PAD_X, middle))


def paint_glyph(painter: QPainter, rect: QRectF, status: Status, colour: QColor) -> None:
    """The sign of a status: ring, tick, pencil, cross or plus."""
    pen = QPen(colour, max(1.4, rect.width() / 6))
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.translate(rect.topLeft())
    painter.drawPath(_glyph_path(status, rect.width()))
    painter.restore()


def _glyph_path(status: Status, side: float) -> QPainterPath:
    path = QPainterPath()
    if status is Status.OPEN:
        path.addEllipse(QRectF(0.12 * side, 0.12 * side, 0.76 * side, 0.76 * side))
        return path
    strokes = {
        Status.ACCEPTED: (((0.08, 0.55), (0.38, 0.85), (0.95, 0.15)),),
        Status.CORRECTED: (
            ((0.05, 0.95), (0.15, 0.6), (0.7, 0.05), (0.95, 0.3), (0.4, 0.85), (0.05, 0.95)),
        ),
        Status.REJECTED: (((0.12, 0.12), (0.88, 0.88)), ((0.12, 0.88), (0.88, 0.12))),
        Status.ADDED: (((0.5, 0.05), (0.5, 0.95)), ((0.05, 0.5), (0.95, 0.5))),
    }[status]
    for first, *rest in strokes:
        path.moveTo(first[0] * side, first[1] * side)
        for x, y in rest:
            path.lineTo(x * side, y * side)
    return path


def _paint_handles(painter: QPainter, screen: Box, colour: QColor) -> None:
    painter.setPen(QPen(theme.HALO, 1.5))
    painter.setBrush(colour)
    for x, y in handle_points(screen).values():
        painter.drawRect(QRectF(x - _HANDLE / 2, y - _HANDLE / 2, _HANDLE, _HANDLE))


def _aligned(screen: Box, ratio: float, line: float) -> QRectF:
    """The box on whole device pixels for a line of that width: sharp on all sides."""
    odd = 0.5 if round(line * ratio) % 2 else 0.0

    def snap(value: float) -> float:
        return (round(value * ratio - odd) + odd) / ratio

    left, top = snap(screen.x_min), snap(screen.y_min)
    return QRectF(left, top, snap(screen.x_max) - left, snap(screen.y_max) - top)


def _in_view(box: Box, bounds: Box) -> bool:
    return (
        box.x_max > bounds.x_min
        and box.x_min < bounds.x_max
        and box.y_max > bounds.y_min
        and box.y_min < bounds.y_max
    )
