"""What other rooms draw over the picture and below the marks."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtGui import QPainter, QTransform

from viewer.ui.view_transform import ViewTransform


class Layer(Protocol):
    """Graphics that belong to the frame on the screen: segments, a presentation state, a crosshair.

    A layer is set with `PictureView.set_layers` and goes when another frame is shown.

    Attributes
    ----------
    has_words : a file may have written a name in it: left out of a picture without identity.
    """

    has_words: bool

    def paint(self, painter: QPainter, view: ViewTransform) -> None:
        """Draw in logical screen pixels; what is changed in the painter is put back afterwards.

        Parameters
        ----------
        view : where the frame lies. `ViewTransform.to_screen` places a point;
            `image_to_screen` lets a painter work in image coordinates.
        """


def image_to_screen(view: ViewTransform) -> QTransform:
    """Image coordinates as logical screen pixels, with zoom, pan, turns and mirroring."""
    (x0, y0), (x1, y1), (x2, y2) = (view.to_screen(*point) for point in ((0, 0), (1, 0), (0, 1)))
    return QTransform(x1 - x0, y1 - y0, x2 - x0, y2 - y0, x0, y0)
