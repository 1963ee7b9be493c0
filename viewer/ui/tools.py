"""What the mouse does: each drag is a pure function from where it began to what is seen now."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

import numpy as np
from PySide6.QtCore import Qt

from detector.types import Box
from viewer.dicom.model import Frame, Voi, VoiTable, VoiWindow
from viewer.review.measurement import Measurement, Shape
from viewer.ui import marks
from viewer.ui.measurement_shapes import Grip, Sketch, into_frame, moved_within, reshaped
from viewer.ui.view_transform import ViewTransform

LEAST_BOX = 4.0  # screen pixels: a smaller box is a slip of the hand
SCROLL_STEP = 4.0  # screen pixels for each image that the scroll tool goes on
_SAMPLES = 1 << 16


class Tool(StrEnum):
    """What a drag with the left button does."""

    WINDOW = "window"
    PAN = "pan"
    ZOOM = "zoom"
    SCROLL = "scroll"
    BOX = "box"
    LENGTH = "length"
    ANGLE = "angle"
    RECTANGLE = "rectangle"
    ELLIPSE = "ellipse"
    PROBE = "probe"
    MAGNIFIER = "magnifier"


SHAPES = {
    Tool.LENGTH: Shape.LENGTH,
    Tool.ANGLE: Shape.ANGLE,
    Tool.RECTANGLE: Shape.RECTANGLE,
    Tool.ELLIPSE: Shape.ELLIPSE,
    Tool.PROBE: Shape.POINT,
}
"""What each measuring tool makes."""

TOOL_CURSORS = {
    Tool.WINDOW: Qt.CursorShape.ArrowCursor,
    Tool.PAN: Qt.CursorShape.OpenHandCursor,
    Tool.ZOOM: Qt.CursorShape.SizeVerCursor,
    Tool.SCROLL: Qt.CursorShape.SizeVerCursor,
    Tool.BOX: Qt.CursorShape.CrossCursor,
    Tool.MAGNIFIER: Qt.CursorShape.CrossCursor,
    **dict.fromkeys(SHAPES, Qt.CursorShape.CrossCursor),
}

_HANDLE_CURSORS = {
    (1, 1): Qt.CursorShape.SizeFDiagCursor,
    (-1, -1): Qt.CursorShape.SizeFDiagCursor,
    (1, -1): Qt.CursorShape.SizeBDiagCursor,
    (-1, 1): Qt.CursorShape.SizeBDiagCursor,
    (0, -1): Qt.CursorShape.SizeVerCursor,
    (0, 1): Qt.CursorShape.SizeVerCursor,
    (-1, 0): Qt.CursorShape.SizeHorCursor,
    (1, 0): Qt.CursorShape.SizeHorCursor,
}


def target_cursor(target: marks.Target) -> Qt.CursorShape:
    """The cursor over a part of the selected box."""
    if target.handle is None:
        return Qt.CursorShape.SizeAllCursor
    return _HANDLE_CURSORS[target.handle.value]


@dataclass(frozen=True, slots=True)
class Draft:
    """A box while it is drawn (``mark_id`` None) or while a mark's box is changed."""

    box: Box
    mark_id: str | None = None


@dataclass(frozen=True, slots=True)
class ViewState:
    """All that a drag can change; going back to the one before undoes it.

    Attributes
    ----------
    voi_chosen : the reader set the window, which then stays for the series.
    sketch : a measurement that is drawn or changed.
    lens : the screen point that the magnifier is over.
    """

    transform: ViewTransform
    voi: Voi
    voi_chosen: bool = False
    draft: Draft | None = None
    sketch: Sketch | None = None
    lens: tuple[float, float] | None = None


class Drag(Protocol):
    """A drag under way."""

    @property
    def start(self) -> ViewState: ...

    @property
    def cursor(self) -> Qt.CursorShape: ...

    def moved(self, x: float, y: float) -> ViewState:
        """What is seen with the cursor at a screen point."""


@dataclass(frozen=True, slots=True)
class PanDrag:
    start: ViewState
    x: float
    y: float
    cursor: Qt.CursorShape = Qt.CursorShape.ClosedHandCursor

    def moved(self, x: float, y: float) -> ViewState:
        return replace(self.start, transform=self.start.transform.panned(x - self.x, y - self.y))


@dataclass(frozen=True, slots=True)
class ZoomDrag:
    """Up magnifies around the point where the drag began; 100 pixels are a factor of e."""

    start: ViewState
    x: float
    y: float
    cursor: Qt.CursorShape = Qt.CursorShape.SizeVerCursor

    def moved(self, x: float, y: float) -> ViewState:  # noqa: ARG002  (a Drag's own form)
        factor = math.exp((self.y - y) / 100)
        return replace(self.start, transform=self.start.transform.zoomed(factor, self.x, self.y))


@dataclass(frozen=True, slots=True)
class WindowDrag:
    """Right widens the window, up makes the picture brighter, whichever way it is inverted."""

    start: ViewState
    x: float
    y: float
    window: VoiWindow
    step: float  # modality values for each screen pixel
    least_width: float
    dark_is_high: bool
    cursor: Qt.CursorShape = Qt.CursorShape.SizeAllCursor

    def moved(self, x: float, y: float) -> ViewState:
        width = max(self.least_width, self.window.width + (x - self.x) * self.step)
        up = (self.y - y) * self.step
        center = self.window.center + (up if self.dark_is_high else -up)
        window = replace(self.window, center=center, width=width, explanation="")
        return replace(self.start, voi=window, voi_chosen=True)


@dataclass(frozen=True, slots=True)
class BoxDrag:
    """Draws a new box."""

    start: ViewState
    x: float
    y: float
    cursor: Qt.CursorShape = Qt.CursorShape.CrossCursor

    def moved(self, x: float, y: float) -> ViewState:
        view = self.start.transform
        box = marks.drawn(
            view.to_image(self.x, self.y),
            view.to_image(x, y),
            within=(view.columns, view.rows),
            least=_least_box(view),
        )
        return replace(self.start, draft=None if box is None else Draft(box))


@dataclass(frozen=True, slots=True)
class EditDrag:
    """Moves or resizes the selected box."""

    start: ViewState
    x: float
    y: float
    mark: marks.Mark
    target: marks.Target

    @property
    def cursor(self) -> Qt.CursorShape:
        return target_cursor(self.target)

    def moved(self, x: float, y: float) -> ViewState:
        view = self.start.transform
        within = (view.columns, view.rows)
        dx, dy = view.offset_to_image(x - self.x, y - self.y)
        if self.target.handle is None:
            box = marks.moved(self.mark.box, dx, dy, within=within)
        else:
            box = marks.resized(
                self.mark.box,
                marks.handle_in_frame(self.target.handle, view),
                dx,
                dy,
                within=within,
                least=_least_box(view),
            )
        return replace(self.start, draft=Draft(box, self.mark.id))


@dataclass(frozen=True, slots=True)
class SketchDrag:
    """Draws a measurement, or goes on with one of which points are placed already."""

    start: ViewState
    sketch: Sketch
    cursor: Qt.CursorShape = Qt.CursorShape.CrossCursor

    def moved(self, x: float, y: float) -> ViewState:
        view = self.start.transform
        (end,) = into_frame((view.to_image(x, y),), view)
        return replace(self.start, sketch=self.sketch.ending_at(end))


@dataclass(frozen=True, slots=True)
class ReshapeDrag:
    """Moves a measurement or one of its handles."""

    start: ViewState
    x: float
    y: float
    measurement: Measurement
    grip: Grip

    @property
    def cursor(self) -> Qt.CursorShape:
        whole = self.grip.handle is None
        return Qt.CursorShape.SizeAllCursor if whole else Qt.CursorShape.CrossCursor

    def moved(self, x: float, y: float) -> ViewState:
        view, old = self.start.transform, self.measurement
        dx, dy = view.offset_to_image(x - self.x, y - self.y)
        if self.grip.handle is None:
            points = moved_within(old.points, dx, dy, view)
        else:
            points = into_frame(reshaped(old.shape, old.points, self.grip.handle, dx, dy), view)
        return replace(self.start, sketch=Sketch(old.shape, points, old.id))


@dataclass(frozen=True, slots=True)
class LensDrag:
    """Holds the magnifier over the cursor."""

    start: ViewState
    x: float
    y: float
    cursor: Qt.CursorShape = Qt.CursorShape.BlankCursor

    def moved(self, x: float, y: float) -> ViewState:
        return replace(self.start, lens=(x, y))


@dataclass(frozen=True, slots=True)
class ScrollDrag:
    """Down goes on in the series. It outlives the image that it began on, and changes none."""

    start: ViewState
    x: float
    y: float
    cursor: Qt.CursorShape = Qt.CursorShape.SizeVerCursor

    def moved(self, x: float, y: float) -> ViewState:  # noqa: ARG002  (a Drag's own form)
        return self.start

    def images(self, y: float) -> int:
        """How many images on the cursor is at a height of the screen."""
        return int((y - self.y) / SCROLL_STEP)


SIMPLE_DRAGS: dict[Tool, Callable[[ViewState, float, float], Drag]] = {
    Tool.PAN: PanDrag,
    Tool.ZOOM: ZoomDrag,
    Tool.BOX: BoxDrag,
    Tool.SCROLL: ScrollDrag,
    Tool.MAGNIFIER: LensDrag,
}
"""The drags that need nothing but where they begin."""


def window_drag(state: ViewState, x: float, y: float, frame: Frame, inverted: bool) -> WindowDrag:
    """A window drag that moves in steps of the window that it starts from.

    300 pixels double the width; a window far narrower or wider than the values of the frame
    is moved as if it were 1/20 or all of their range, so that it can be brought back.
    """
    window = state.voi if isinstance(state.voi, VoiWindow) else equivalent_window(state.voi)
    spread = value_spread(frame)
    whole = np.issubdtype(frame.values.dtype, np.integer)
    return WindowDrag(
        state,
        x,
        y,
        window,
        step=min(max(window.width, spread / 20), spread) / 300,
        # LINEAR is not defined below a width of 1 (PS3.3 C.11.2.1.2.1).
        least_width=1.0 if whole else spread / 1000,
        dark_is_high=frame.inverted != inverted,
    )


def equivalent_window(table: VoiTable) -> VoiWindow:
    """The window nearest to a table: over the values where its output goes from 2 % to 98 %."""
    entries = np.asarray(table.entries, dtype=np.float64)
    low, high = float(entries.min()), float(entries.max())
    rising = np.flatnonzero(
        (entries > low + 0.02 * (high - low)) & (entries < high - 0.02 * (high - low))
    )
    first, last = (rising[0], rising[-1]) if len(rising) else (0, len(entries) - 1)
    width = max(1.0, float(last - first + 1))
    return VoiWindow(center=table.first + float(first) + width / 2, width=width)


def value_spread(frame: Frame) -> float:
    """How far the values of a frame reach, without the rarest; above 0."""
    values = frame.values
    step = max(1, math.isqrt(values.shape[0] * values.shape[1] // _SAMPLES))
    low, high = np.percentile(values[::step, ::step], (0.5, 99.5))
    return max(float(high - low), 1e-6 if values.dtype.kind == "f" else 1.0)


def _least_box(view: ViewTransform) -> tuple[float, float]:
    scale_x, scale_y = view.scale
    return LEAST_BOX / scale_x, LEAST_BOX / scale_y
