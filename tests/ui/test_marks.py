from __future__ import annotations

import pytest
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter
from pytestqt.qtbot import QtBot

from detector.types import Box
from viewer.review.finding import Status
from viewer.ui import mark_painting, theme
from viewer.ui.mark_painting import lay_out_tags, paint_marks
from viewer.ui.marks import (
    Handle,
    Mark,
    Target,
    drawn,
    grab_at,
    handle_points,
    mark_at,
    moved,
    place_tag,
    resized,
)
from viewer.ui.view_transform import ViewTransform

VIEW = ViewTransform(200, 200, 400, 400).fit()  # two screen pixels a pixel
FRAME = (200, 200)


def mark(mark_id: str, box: Box, selected: bool = False, status: Status = Status.OPEN) -> Mark:
    return Mark(mark_id, box, "opacity", status, 0.5, selected)


LARGE = mark("large", Box(20, 20, 180, 180))
SMALL = mark("small", Box(80, 80, 120, 120))


def test_a_click_means_the_smallest_box() -> None:
    assert mark_at((SMALL, LARGE), VIEW, 200, 200) == "small"
    assert mark_at((LARGE, SMALL), VIEW, 200, 200) == "small"
    assert mark_at((LARGE, SMALL), VIEW, 60, 60) == "large"
    assert mark_at((LARGE, SMALL), VIEW, 20, 20) is None


def test_only_the_selected_box_can_be_grabbed() -> None:
    assert grab_at((LARGE, SMALL), VIEW, 200, 200) is None
    chosen = mark("large", LARGE.box, selected=True)
    assert grab_at((chosen, SMALL), VIEW, 200, 200) == Target("large")
    assert grab_at((chosen, SMALL), VIEW, 20, 200) is None


@pytest.mark.parametrize("handle", Handle)
def test_each_handle_is_hit_within_its_reach(handle: Handle) -> None:
    chosen = mark("large", LARGE.box, selected=True)
    x, y = handle_points(VIEW.box_to_screen(LARGE.box))[handle]
    outward_x, outward_y = handle.value
    assert grab_at((chosen,), VIEW, x + 4, y - 4) == Target("large", handle)
    assert grab_at((chosen,), VIEW, x + 9 * outward_x, y + 9 * outward_y) is None
    assert grab_at((chosen,), VIEW, x + 9 * outward_x, y + 9 * outward_y, 10.0) == Target(
        "large", handle
    )


def test_a_tiny_selected_box_can_still_be_moved() -> None:
    tiny = mark("tiny", Box(100, 100, 104, 104), selected=True)
    assert grab_at((tiny,), VIEW, 204, 204) == Target("tiny")


def test_a_moved_box_stays_whole_inside_the_frame() -> None:
    assert moved(SMALL.box, 500, -500, within=FRAME) == Box(160, 0, 200, 40)


@pytest.mark.parametrize("handle", Handle)
def test_a_handle_moves_its_own_sides_only(handle: Handle) -> None:
    across, down = handle.value
    box = resized(SMALL.box, handle, 5, 7, within=FRAME, least=(2, 2))
    assert box == Box(
        85 if across < 0 else 80,
        87 if down < 0 else 80,
        125 if across > 0 else 120,
        127 if down > 0 else 120,
    )


def test_a_resized_box_stays_inside_and_never_turns_over() -> None:
    assert resized(SMALL.box, Handle.TOP_LEFT, -999, 999, within=FRAME, least=(2, 3)) == Box(
        0, 117, 120, 120
    )
    small = Box(10, 10, 11, 11)
    assert resized(small, Handle.RIGHT, -5, 0, within=FRAME, least=(2, 2)) == small


def test_drawing_works_in_each_direction_and_leaves_out_slips() -> None:
    wanted = Box(10, 0, 50, 60)
    assert drawn((50, 60), (10, -30), within=FRAME, least=(2, 2)) == wanted
    assert drawn((10, -30), (50, 60), within=FRAME, least=(2, 2)) == wanted
    assert drawn((10, 10), (50, 11), within=FRAME, least=(2, 2)) is None
    assert drawn((-20, 10), (-1, 90), within=FRAME, least=(2, 2)) is None


BOUNDS = Box(0, 0, 400, 400)


def test_a_tag_stands_above_left_where_there_is_room() -> None:
    place = place_tag((80, 16), Box(100, 100, 200, 200), [], [], bounds=BOUNDS, gap=3)
    assert (place.x_min, place.y_max) == (100, 97)


@pytest.mark.parametrize(
    "own", [Box(100, 2, 200, 90), Box(0, 0, 400, 400), Box(390, 390, 399, 399), Box(0, 0, 9, 400)]
)
def test_a_tag_never_leaves_the_viewport(own: Box) -> None:
    place = place_tag((80, 16), own, [], [], bounds=BOUNDS, gap=3)
    assert place.clipped(400, 400) == place
    assert (place.width, place.height) == (80, 16)


def test_tags_cover_neither_other_boxes_nor_each_other(qtbot: QtBot) -> None:
    marks = (
        mark("a", Box(20, 50, 60, 90)),
        mark("b", Box(22, 30, 62, 46)),  # where the tag of a would stand
        mark("c", Box(120, 120, 150, 150)),
        mark("d", Box(121, 121, 151, 151)),
    )
    tags = lay_out_tags(marks, VIEW, QFontMetrics(theme.tag_font(QFont())), [])
    assert {tag.mark_id for tag in tags} == {"a", "b", "c", "d"}
    places = [tag.place for tag in tags]
    boxes = [VIEW.box_to_screen(one.box) for one in marks]
    assert all(first.iou(second) == 0 for first in places for second in places if first != second)
    assert all(place.iou(box) == 0 for place in places for box in boxes)


def test_a_mark_out_of_view_has_no_tag(qtbot: QtBot) -> None:
    far = VIEW.zoomed(4).panned(5000, 5000)
    assert lay_out_tags((LARGE,), far, QFontMetrics(QFont()), [])
    gone = mark("gone", Box(190, 190, 195, 195))
    assert not lay_out_tags((gone,), far, QFontMetrics(QFont()), [])


def painted(status: Status, background: str, selected: bool = False) -> QImage:
    image = QImage(400, 400, QImage.Format.Format_RGB32)
    image.fill(QColor(background))
    one = mark("one", Box(50, 50, 150, 150), selected, status)
    painter = QPainter(image)
    tags = lay_out_tags((one,), VIEW, QFontMetrics(theme.tag_font(painter.font())), [])
    paint_marks(painter, (one,), VIEW, tags, None)
    painter.end()
    return image


def along_the_top(image: QImage) -> list[float]:
    """The lightness of the line at the top of the box, between its handles."""
    return [QColor(image.pixel(x, 100)).lightnessF() for x in range(110, 190)]


def test_statuses_differ_without_colour(qtbot: QtBot) -> None:
    grey = {
        status: painted(status, "black").convertToFormat(QImage.Format.Format_Mono)
        for status in Status
    }
    for one in Status:
        assert all(grey[one] != grey[other] for other in Status if other is not one)
    dashed = along_the_top(painted(Status.OPEN, "black"))
    assert min(dashed) < 0.1
    assert max(dashed) > 0.4
    assert min(along_the_top(painted(Status.ACCEPTED, "black"))) > 0.4
    diagonal = QColor(painted(Status.REJECTED, "black").pixel(200, 200)).lightnessF()
    assert diagonal > 0.3
    assert QColor(painted(Status.ACCEPTED, "black").pixel(200, 200)).lightnessF() == 0


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("selected", [False, True])
def test_a_mark_is_seen_on_black_and_on_white(qtbot: QtBot, status: Status, selected: bool) -> None:
    on_black = painted(status, "black", selected)
    on_white = painted(status, "white", selected)
    column_black = [QColor(on_black.pixel(x, 170)).lightnessF() for x in range(94, 106)]
    column_white = [QColor(on_white.pixel(x, 170)).lightnessF() for x in range(94, 106)]
    if status is Status.OPEN:  # a row may meet a gap between dashes
        for y in range(171, 185):
            column_black += [QColor(on_black.pixel(x, y)).lightnessF() for x in range(94, 106)]
    assert max(column_black) > 0.4
    assert min(column_white) < 0.45


def test_tag_text() -> None:
    assert mark_painting.tag_text(Mark("a", LARGE.box, "opacity", Status.OPEN, 0.806)) == (
        "opacity 0.81"
    )
    assert mark_painting.tag_text(Mark("a", LARGE.box, "nodule", Status.ADDED, None)) == "nodule"
