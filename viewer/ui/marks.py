"""The marks on a picture: their geometry and what lies under the cursor. Pure, no Qt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from detector.types import Box
from viewer.review.finding import Status
from viewer.ui.view_transform import ViewTransform

MOUSE_REACH = 6.0  # screen pixels around a handle's middle that take hold of it
TOUCH_REACH = 10.0
HANDLE_SPAN = 30.0  # handles stand at least so far apart, so that the body between can be grabbed
EDGE_REACH = 3.0  # a click so near to a box's line still means the box


@dataclass(frozen=True, slots=True)
class Look:
    """How a mark is drawn where several have made them, or several runs.

    Attributes
    ----------
    owner : whose it is; its tag begins with it, since colour alone tells nothing.
    colour : as #rrggbb.
    dashed : drawn with a broken line.
    """

    owner: str
    colour: str
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A finding as it is drawn: box in pixels of the original frame.

    Attributes
    ----------
    look : None: as its status says.
    """

    id: str
    box: Box
    category: str
    status: Status
    score: float | None
    selected: bool = False
    uncertain: bool = False
    look: Look | None = None


class Handle(Enum):
    """A handle of the selected box; its value says which sides it moves, across and down."""

    TOP_LEFT = (-1, -1)
    TOP = (0, -1)
    TOP_RIGHT = (1, -1)
    RIGHT = (1, 0)
    BOTTOM_RIGHT = (1, 1)
    BOTTOM = (0, 1)
    BOTTOM_LEFT = (-1, 1)
    LEFT = (-1, 0)


@dataclass(frozen=True, slots=True)
class Target:
    """What of a mark is under the cursor: a handle, or its body where ``handle`` is None.

    The handle is the one at that place on the screen, however the frame is turned.
    """

    mark_id: str
    handle: Handle | None = None


def handle_points(screen: Box) -> dict[Handle, tuple[float, float]]:
    """Where the handles of a box on the screen stand: on it, or around it where it is tiny."""
    grow_x = max(0.0, HANDLE_SPAN - screen.width) / 2
    grow_y = max(0.0, HANDLE_SPAN - screen.height) / 2
    across = (screen.x_min - grow_x, (screen.x_min + screen.x_max) / 2, screen.x_max + grow_x)
    down = (screen.y_min - grow_y, (screen.y_min + screen.y_max) / 2, screen.y_max + grow_y)
    return {handle: (across[handle.value[0] + 1], down[handle.value[1] + 1]) for handle in Handle}


def handle_in_frame(handle: Handle, view: ViewTransform) -> Handle:
    """The handle by the sides of the box in the frame that one on the screen moves."""
    x, y = view.direction_to_image(*handle.value)
    return Handle((round(x), round(y)))


def mark_at(marks: Iterable[Mark], view: ViewTransform, x: float, y: float) -> str | None:
    """The id of the smallest box under a screen point, where a click goes."""
    under = [mark for mark in marks if _holds(view.box_to_screen(mark.box), x, y, EDGE_REACH)]
    return min(under, key=lambda mark: mark.box.area).id if under else None


def grab_at(
    marks: Sequence[Mark], view: ViewTransform, x: float, y: float, reach: float = MOUSE_REACH
) -> Target | None:
    """What a drag from a screen point takes hold of: a handle or the body of the selected box.

    Boxes that are not selected let the drag through.
    """
    for mark in marks:
        if not mark.selected:
            continue
        screen = view.box_to_screen(mark.box)
        near = [
            (max(abs(x - handle_x), abs(y - handle_y)), handle)
            for handle, (handle_x, handle_y) in handle_points(screen).items()
        ]
        distance, handle = min(near, key=lambda item: item[0])
        if distance <= reach:
            return Target(mark.id, handle)
        if _holds(screen, x, y, 0.0):
            return Target(mark.id)
    return None


def moved(box: Box, dx: float, dy: float, *, within: tuple[int, int]) -> Box:
    """``box`` moved by image pixels, whole inside a frame of ``within`` columns and rows."""
    dx = min(max(dx, -box.x_min), within[0] - box.x_max)
    dy = min(max(dy, -box.y_min), within[1] - box.y_max)
    return Box(box.x_min + dx, box.y_min + dy, box.x_max + dx, box.y_max + dy)


def resized(
    box: Box,
    handle: Handle,
    dx: float,
    dy: float,
    *,
    within: tuple[int, int],
    least: tuple[float, float],
) -> Box:
    """``box`` with the sides of ``handle`` moved by image pixels.

    The sides stay inside a frame of ``within`` columns and rows, and apart from the opposite
    ones by ``least`` pixels, or by the size that the box has now where it is smaller.
    """
    across, down = handle.value
    x_min, x_max = _stretched((box.x_min, box.x_max), across, dx, within[0], least[0])
    y_min, y_max = _stretched((box.y_min, box.y_max), down, dy, within[1], least[1])
    return Box(x_min, y_min, x_max, y_max)


def drawn(
    start: tuple[float, float],
    end: tuple[float, float],
    *,
    within: tuple[int, int],
    least: tuple[float, float],
) -> Box | None:
    """The box between two image points, cut to a frame of ``within`` columns and rows.

    None where it is smaller than ``least`` pixels across or down.
    """
    x_min, x_max = sorted(min(max(x, 0.0), float(within[0])) for x in (start[0], end[0]))
    y_min, y_max = sorted(min(max(y, 0.0), float(within[1])) for y in (start[1], end[1]))
    if x_max - x_min < least[0] or y_max - y_min < least[1]:
        return None
    return Box(x_min, y_min, x_max, y_max)


def place_tag(
    size: tuple[float, float],
    own: Box,
    others: Sequence[Box],
    taken: Sequence[Box],
    *,
    bounds: Box,
    gap: float,
) -> Box:
    """Where the tag of a mark stands, all on the screen.

    Parameters
    ----------
    size : width and height of the tag.
    own : the mark's box.
    others : the boxes of the other marks, not to be covered where there is another place; those
        far larger around the mark are left out, since their inside is where the tag belongs.
    taken : what must not be covered: tags that stand already, corner text.
    bounds : the part of the viewport for tags.
    gap : between box and tag.

    Returns
    -------
    Box
        Above the box at its left if possible, else below, beside or inside it; always in bounds.
    """
    others = [box for box in others if not _surrounds(box, own)]
    best: tuple[float, Box] | None = None
    for rank, place in enumerate(_tag_places(size, own, bounds, gap)):
        cost = 0.01 * rank + 0.5 * _shared(place, own)
        cost += sum(_shared(place, other) for other in others)
        cost += sum(4 * _shared(place, other) for other in taken)
        if cost <= 0.01 * rank:
            return place
        if best is None or cost < best[0]:
            best = cost, place
    assert best is not None
    return best[1]


def _tag_places(size: tuple[float, float], own: Box, bounds: Box, gap: float) -> list[Box]:
    """The places to try, best first, each pushed inside the bounds."""
    width, height = size
    left, right = own.x_min, own.x_max - width
    above, below = own.y_min - gap - height, own.y_max + gap
    corners = (
        (left, above),
        (left, below),
        (right, above),
        (right, below),
        (own.x_max + gap, own.y_min),
        (own.x_min - gap - width, own.y_min),
        (own.x_max + gap, own.y_max - height),
        (own.x_min - gap - width, own.y_max - height),
        (left + gap, own.y_min + gap),
        (left + gap, own.y_max - gap - height),
    )
    places = []
    for corner_x, corner_y in corners:
        x = max(bounds.x_min, min(corner_x, bounds.x_max - width))
        y = max(bounds.y_min, min(corner_y, bounds.y_max - height))
        places.append(Box.from_xywh(x, y, width, height))
    return places


def _holds(screen: Box, x: float, y: float, reach: float) -> bool:
    return (
        screen.x_min - reach <= x <= screen.x_max + reach
        and screen.y_min - reach <= y <= screen.y_max + reach
    )


def _surrounds(outer: Box, inner: Box) -> bool:
    return (
        outer.area > 16 * inner.area
        and outer.x_min <= inner.x_min
        and outer.y_min <= inner.y_min
        and outer.x_max >= inner.x_max
        and outer.y_max >= inner.y_max
    )


def _shared(first: Box, second: Box) -> float:
    width = min(first.x_max, second.x_max) - max(first.x_min, second.x_min)
    height = min(first.y_max, second.y_max) - max(first.y_min, second.y_min)
    return width * height if width > 0 and height > 0 else 0.0


def _stretched(
    ends: tuple[float, float], side: int, delta: float, limit: int, least: float
) -> tuple[float, float]:
    low, high = ends
    least = min(least, high - low)
    if side < 0:
        low = min(max(low + delta, 0.0), high - least)
    elif side > 0:
        high = max(min(high + delta, float(limit)), low + least)
    return low, high
