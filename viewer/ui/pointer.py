"""The mouse as a state machine: a press becomes a click or, once moved, a drag. No widget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt

from viewer.ui.tools import Drag, ViewState

CLICK_SLOP = 3.0  # screen pixels that a click may move


@dataclass(frozen=True, slots=True)
class Released:
    """How a press ended: with the drag that it had become, or as a click where that is None."""

    button: Qt.MouseButton
    x: float
    y: float
    drag: Drag | None


class Pointer:
    """One press at a time; the buttons pressed meanwhile are ignored."""

    def __init__(self) -> None:
        self.drag: Drag | None = None
        self._button: Qt.MouseButton | None = None
        self._start: Callable[[], Drag | None] | None = None
        self._from = (0.0, 0.0)

    @property
    def pressed(self) -> bool:
        return self._button is not None

    def press(
        self, button: Qt.MouseButton, x: float, y: float, start: Callable[[], Drag | None]
    ) -> None:
        """A button went down; ``start`` makes the drag should the mouse move."""
        if self._button is None:
            self._button, self._start, self._from = button, start, (x, y)

    def begin(self) -> ViewState | None:
        """Make the drag of the pressed button without waiting for a move; what is seen now."""
        if self._start is not None:
            self.drag, self._start = self._start(), None
        return None if self.drag is None else self.drag.moved(*self._from)

    def move(self, x: float, y: float) -> ViewState | None:
        """The mouse moved: what is seen now, or None where nothing is dragged."""
        if self._start is not None:
            slop = max(abs(x - self._from[0]), abs(y - self._from[1]))
            if slop < CLICK_SLOP:
                return None
            self.begin()
        return None if self.drag is None else self.drag.moved(x, y)

    def release(self, button: Qt.MouseButton, x: float, y: float) -> Released | None:
        """A button went up; None where it was not the pressed one or its drag was cancelled."""
        if button != self._button:
            return None
        clicked = self._start is not None
        ended = Released(button, x, y, self.drag) if clicked or self.drag else None
        self._button = self._start = self.drag = None
        return ended

    def cancel(self) -> Drag | None:
        """Give up the drag under way, which is returned; the button may stay down."""
        dropped, self.drag, self._start = self.drag, None, None
        return dropped
