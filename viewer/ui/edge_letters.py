"""The orientation letters at the edges of the picture."""

from __future__ import annotations

from PySide6.QtGui import QFontMetrics, QPainter

from viewer.dicom.model import Image
from viewer.dicom.planes import edge_letters
from viewer.ui.corner_text import MARGIN, Line
from viewer.ui.view_transform import ViewTransform


def lay_out(
    painter: QPainter, image: Image, view: ViewTransform, text: tuple[Line, ...]
) -> tuple[Line, ...]:
    """Where the patient's left, head and so on lie, in the middle of each edge.

    A letter gives way to corner text: at the top and the bottom towards the middle; at the sides
    it is left out where there is no room for both.
    """
    letters = edge_letters(image, view.direction_to_image(1, 0), view.direction_to_image(0, 1))
    metrics = QFontMetrics(painter.font(), painter.device())
    height = metrics.height()
    middle, right = (int(view.height) - height) // 2, int(view.width) - MARGIN
    placed: list[Line] = []
    for word, left_edge in ((letters.left, True), (letters.right, False)):
        width = metrics.horizontalAdvance(word)
        line = Line(word, MARGIN if left_edge else right - width, middle, width, height)
        if word and not any(_meet(line, other) for other in text):
            placed.append(line)
    for word, y, step in (
        (letters.top, MARGIN, 1),
        (letters.bottom, int(view.height) - MARGIN - height, -1),
    ):
        width = metrics.horizontalAdvance(word)
        line = Line(word, (int(view.width) - width) // 2, y, width, height)
        while any(_meet(line, other) for other in text) and 0 <= line.y <= view.height:
            line = Line(word, line.x, line.y + step * height, width, height)
        if word:
            placed.append(line)
    return tuple(placed)


def _meet(one: Line, other: Line) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )
