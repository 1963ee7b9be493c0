"""How a measurement is drawn: by dragging from point to point, or by a click for each. Pure."""

from __future__ import annotations

from dataclasses import replace

from viewer.review.measurement import Shape
from viewer.ui.measurement_shapes import Sketch, into_frame
from viewer.ui.tools import ViewState
from viewer.ui.view_transform import ViewTransform


def begun(shape: Shape, view: ViewTransform, x: float, y: float) -> Sketch:
    """A measurement whose first point is placed at a screen point."""
    (start,) = into_frame((view.to_image(x, y),), view)
    return Sketch(shape, (start,) if shape is Shape.POINT else (start, start))


def placed(state: ViewState) -> tuple[ViewState, Sketch | None]:
    """The last point of the sketch stays where it is.

    Returns
    -------
    What is seen then, and the sketch if it was its last point. A point beside the one before is a
    slip of the hand: it is not placed, and a sketch that began with it is given up.
    """
    sketch = state.sketch
    if sketch is None:
        return state, None
    if sketch.too_small(state.transform):
        return replace(state, sketch=sketch if len(sketch.points) > 2 else None), None
    if sketch.complete:
        return replace(state, sketch=None), sketch
    return replace(state, sketch=sketch.continued()), None
