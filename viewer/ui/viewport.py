"""The picture of one image under the reader's mouse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QPoint, QPointF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QMouseEvent,
    QPointingDevice,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from viewer.dicom.model import Frame, Image, Voi
from viewer.review.measurement import Measurement
from viewer.ui import sketching, tools
from viewer.ui.graphics_view import GraphicsView
from viewer.ui.marks import MOUSE_REACH, TOUCH_REACH, Mark, grab_at
from viewer.ui.measurement_shapes import Grip, grip_at
from viewer.ui.pointer import Pointer
from viewer.ui.tools import Drag, Tool, ViewState
from viewer.ui.view_transform import ViewTransform

_NOTCH = 120  # of QWheelEvent.angleDelta
_NOTCH_ZOOM = 1.2
_AT_ONCE = frozenset((Tool.MAGNIFIER, Tool.PROBE))  # show with the press, before any move


class Viewport(GraphicsView):
    """A picture that the reader windows, moves, zooms and marks with the mouse.

    Keys are not handled here but in the window's table of actions.

    Signals
    -------
    mark_clicked : id of the smallest mark under a click.
    background_clicked : a click beside all marks.
    box_drawn : the new `Box` that the box tool drew.
    box_edited : id of the selected mark, and the `Box` that its handles or body were dragged to.
    measured : the `Shape` and the points of a new measurement.
    measurement_edited : id of the selected measurement and its new points.
    measurement_clicked : id of the measurement under a click.
    scroll_requested : 1 for the next image, -1 for the one before.
    context_menu_requested : id of the mark under the cursor or "", and the global position.
    voi_changed : the window in force.
    """

    mark_clicked = Signal(str)
    background_clicked = Signal()
    box_drawn = Signal(object)
    box_edited = Signal(str, object)
    measured = Signal(object, object)
    measurement_edited = Signal(str, object)
    measurement_clicked = Signal(str)
    scroll_requested = Signal(int)
    context_menu_requested = Signal(str, QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self._tool = Tool.WINDOW
        self._pointer = Pointer()
        self._turned = 0  # of the wheel, less than a notch
        self._scrolled = 0  # images, by the scroll drag under way

    @property
    def tool(self) -> Tool:
        return self._tool

    def set_tool(self, tool: Tool) -> None:
        """What the left button does from now on; a measurement half drawn is given up."""
        if tool is not self._tool:
            self._give_up_sketch()
        self._tool = tool
        self._update_cursor()

    def show_frame(
        self, image: Image, frame: Frame, voi: Voi | None = None, *, same_series: bool = False
    ) -> None:
        if not isinstance(self._pointer.drag, tools.ScrollDrag):
            self.cancel_drag()
        super().show_frame(image, frame, voi, same_series=same_series)
        self._update_cursor()

    def show_message(self, title: str, detail: str = "") -> None:
        self.cancel_drag()
        super().show_message(title, detail)
        self._update_cursor()

    def set_marks(self, marks: tuple[Mark, ...]) -> None:
        drag = self._pointer.drag
        if isinstance(drag, tools.EditDrag) and drag.mark.id not in {mark.id for mark in marks}:
            self.cancel_drag()
        super().set_marks(marks)
        self._update_cursor()

    def set_view(self, view: ViewTransform) -> None:
        if self._pointer.pressed:  # a measurement that is drawn click by click goes on
            self.cancel_drag()
        super().set_view(view)

    def set_measurements(
        self, measurements: tuple[Measurement, ...], selected: str | None = None
    ) -> None:
        drag = self._pointer.drag
        if isinstance(drag, tools.ReshapeDrag) and drag.measurement not in measurements:
            self.cancel_drag()
        super().set_measurements(measurements, selected)
        self._update_cursor()

    def cancel_drag(self) -> bool:
        """Take back the drag under way or the points placed so far; False where there are none."""
        drag = self._pointer.cancel()
        if drag is None:
            return self._give_up_sketch()
        if not isinstance(drag, tools.ScrollDrag):
            # The viewport may have been resized meanwhile, which is not the drag's to take back.
            self._set_state(drag.start)
            self._follow_size()
        self._update_cursor()
        return True

    def _give_up_sketch(self) -> bool:
        if self._shown is None or self._shown.state.sketch is None:
            return False
        self._set_state(replace(self._shown.state, sketch=None))
        return True

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._shown is None:
            return
        at = event.position()
        touch = event.pointingDevice().type() is QPointingDevice.DeviceType.TouchScreen
        reach = TOUCH_REACH if touch else MOUSE_REACH
        starts: dict[Qt.MouseButton, Callable[[], Drag | None]] = {
            Qt.MouseButton.LeftButton: lambda: self._left_drag(at, reach),
            Qt.MouseButton.MiddleButton: lambda: self._tool_drag(Tool.PAN, at),
            Qt.MouseButton.RightButton: lambda: self._tool_drag(Tool.ZOOM, at),
        }
        if event.button() in starts:
            self._pointer.press(event.button(), at.x(), at.y(), starts[event.button()])
            self._scrolled = 0
        left = event.button() is Qt.MouseButton.LeftButton
        if left and self._tool in _AT_ONCE and self._under(at)[0] is None:
            state = self._pointer.begin()
            if state is not None:
                self._set_state(state)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        self._cursor_at = (at.x(), at.y())
        state = self._pointer.move(at.x(), at.y())
        if isinstance(self._pointer.drag, tools.ScrollDrag):
            images = self._pointer.drag.images(at.y())
            by, self._scrolled = images - self._scrolled, images
            if by:
                self.scroll_requested.emit(by)
        elif state is not None:
            self._set_state(state)
        elif self._shown is not None and self._shown.state.sketch and not self._pointer.pressed:
            sketch = self._shown.state.sketch
            self._set_state(tools.SketchDrag(self._shown.state, sketch).moved(at.x(), at.y()))
        self._update_cursor()
        self.update()  # the value under the cursor

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        ended = self._pointer.release(event.button(), at.x(), at.y())
        self._update_cursor()
        if ended is None or self._shown is None:
            return
        if ended.drag is not None:
            self._drop(ended.drag)
        elif event.button() is Qt.MouseButton.RightButton:
            measurement, mark = self._under(at)
            if measurement is not None:
                self.measurement_clicked.emit(measurement)
            self.context_menu_requested.emit(mark or "", event.globalPosition().toPoint())
        elif event.button() is Qt.MouseButton.LeftButton:
            self._click(at)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self._tool not in tools.SHAPES:
            self.fit()
        else:
            self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.accept()
        if self._shown is None or self._pointer.drag is not None:
            return
        turned = event.angleDelta().y()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            at = event.position()
            factor = _NOTCH_ZOOM ** (turned / _NOTCH)
            self.set_view(self._shown.state.transform.zoomed(factor, at.x(), at.y()))
            return
        if turned * self._turned < 0:
            self._turned = 0
        self._turned += turned  # a touch pad sends parts of a notch
        while abs(self._turned) >= _NOTCH:
            step = 1 if self._turned < 0 else -1
            self._turned += step * _NOTCH
            self.scroll_requested.emit(step)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu key; the right button opens its menu when it is released without a drag."""
        event.accept()
        if event.reason() is QContextMenuEvent.Reason.Mouse or self._shown is None:
            return
        chosen = next((mark for mark in self._marks if mark.selected), None)
        at = QPoint(self.width() // 2, self.height() // 2)
        if chosen is not None:
            screen = self._shown.state.transform.box_to_screen(chosen.box)
            at = QPoint(
                min(max(0, round(screen.x_min)), self.width()),
                min(max(0, round(screen.y_max)), self.height()),
            )
        self.context_menu_requested.emit(chosen.id if chosen else "", self.mapToGlobal(at))

    def _left_drag(self, at: QPointF, reach: float) -> Drag | None:
        """The left button changes the selected box where it takes hold of it, else it is a tool."""
        if self._shown is None:
            return None
        state = self._shown.state
        if state.sketch is not None:
            return tools.SketchDrag(state, state.sketch)
        held = self._held(at, reach)
        if held is not None:
            return tools.ReshapeDrag(state, at.x(), at.y(), *held)
        target = grab_at(self._marks, state.transform, at.x(), at.y(), reach)
        if target is not None and (target.handle is not None or self._tool is not Tool.BOX):
            mark = next(mark for mark in self._marks if mark.id == target.mark_id)
            return tools.EditDrag(state, at.x(), at.y(), mark, target)
        return self._tool_drag(self._tool, at)

    def _tool_drag(self, tool: Tool, at: QPointF) -> Drag | None:
        if self._shown is None:
            return None
        shown = self._shown
        if tool is Tool.WINDOW:
            if shown.frame.is_colour:  # a window has no meaning there
                return None
            return tools.window_drag(shown.state, at.x(), at.y(), shown.frame, shown.inverted)
        if tool in tools.SHAPES:
            view = shown.state.transform
            sketch = sketching.begun(tools.SHAPES[tool], view, at.x(), at.y())
            return tools.SketchDrag(shown.state, sketch)
        return tools.SIMPLE_DRAGS[tool](shown.state, at.x(), at.y())

    def _click(self, at: QPointF) -> None:
        """A click without a drag: it places a point, or chooses what lies under it."""
        if self._shown is None:
            return
        state = self._shown.state
        measurement, mark = self._under(at)
        if state.sketch is not None:
            self._place(tools.SketchDrag(state, state.sketch).moved(at.x(), at.y()))
        elif measurement is not None:
            self.measurement_clicked.emit(measurement)
        elif self._tool in tools.SHAPES:
            sketch = sketching.begun(tools.SHAPES[self._tool], state.transform, at.x(), at.y())
            self._set_state(replace(state, sketch=sketch))
        elif mark is not None:
            self.mark_clicked.emit(mark)
        else:
            self.background_clicked.emit()

    def _place(self, state: ViewState) -> None:
        """Place the last point of the sketch, and tell it if it was the last one."""
        state, finished = sketching.placed(state)
        self._set_state(state)
        if finished is not None:
            self.measured.emit(finished.shape, finished.points)

    def _drop(self, drag: Drag) -> None:
        """A drag has ended: what it drew or changed is told, and no longer drawn from here."""
        if self._shown is None:
            return
        state = self._shown.state
        if isinstance(drag, tools.SketchDrag):
            self._place(state)
        elif isinstance(drag, tools.ReshapeDrag) and state.sketch is not None:
            self._set_state(replace(state, sketch=None))
            self.measurement_edited.emit(drag.measurement.id, state.sketch.points)
        elif state.lens is not None:
            self._set_state(replace(state, lens=None))
        if self._shown.state.draft is None:
            return
        draft = self._shown.state.draft
        self._set_state(replace(self._shown.state, draft=None))
        if draft.mark_id is None:
            self.box_drawn.emit(draft.box)
        else:
            self.box_edited.emit(draft.mark_id, draft.box)

    def _hovered(self) -> tuple[str | None, str | None]:
        if self._cursor_at is None or self._pointer.pressed:
            return None, None
        return self._under(QPointF(*self._cursor_at))

    def _held(self, at: QPointF, reach: float) -> tuple[Measurement, Grip] | None:
        """What of the selected measurement a drag from a screen point takes hold of."""
        if self._shown is None:
            return None
        for each in self._measurements:
            if each.id == self._chosen:
                grip = grip_at(each, self._shown.state.transform, at.x(), at.y(), reach)
                return None if grip is None else (each, grip)
        return None

    def _update_cursor(self) -> None:
        shape = Qt.CursorShape.ArrowCursor
        if self._pointer.drag is not None:
            shape = self._pointer.drag.cursor
        elif self._shown is not None:
            shape = tools.TOOL_CURSORS[self._tool]
            if self._cursor_at is not None:
                target = grab_at(self._marks, self._shown.state.transform, *self._cursor_at)
                if self._held(QPointF(*self._cursor_at), MOUSE_REACH) is not None:
                    shape = Qt.CursorShape.SizeAllCursor
                elif target is not None and (target.handle or self._tool is not Tool.BOX):
                    shape = tools.target_cursor(target)
        if self.cursor().shape() is not shape:
            self.setCursor(shape)
