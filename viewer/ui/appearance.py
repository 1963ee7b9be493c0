"""How a frame is to appear beyond what its own file says."""

from __future__ import annotations

from dataclasses import dataclass, replace

from viewer.dicom.model import Frame, Voi
from viewer.dicom.objects import DisplayedArea, SizeMode, Softcopy
from viewer.ui.layer import Layer
from viewer.ui.view_transform import MAX_ZOOM, ViewTransform
from viewer.ui.viewport import Viewport

_MIN_ZOOM = 0.01


@dataclass(frozen=True, eq=False, slots=True)
class Appearance:
    """What is put on a viewport after its frame.

    Attributes
    ----------
    softcopy : the presentation state in force, or None.
    inverted : black and white are exchanged, on top of the frame's own MONOCHROME1.
    layers : the lowest first.
    lines : what the corner of the picture says of it.
    """

    softcopy: Softcopy | None = None
    inverted: bool = False
    layers: tuple[Layer, ...] = ()
    lines: tuple[str, ...] = ()

    @property
    def voi(self) -> Voi | None:
        """The window that it asks for; None where the frame's own counts."""
        return None if self.softcopy is None else self.softcopy.voi

    def put_on(self, viewport: Viewport, before: Appearance) -> None:
        """Show it on a frame that appeared as ``before`` until now.

        Place, turn and inversion are left to the reader where both ask for the same.
        """
        viewport.set_layers(self.layers)
        if self.inverted != before.inverted:
            viewport.toggle_inverted()
        if viewport.view is not None and self._placing != before._placing:
            viewport.set_view(self.placed(viewport.view))

    @property
    def _placing(self) -> tuple[object, ...]:
        softcopy = self.softcopy
        if softcopy is None:
            return None, 0, False
        return softcopy.area, softcopy.quarter_turns, softcopy.mirrored

    def placed(self, view: ViewTransform) -> ViewTransform:
        """Where the presentation state wants the picture to lie in the viewport of ``view``."""
        view = view.upright().fit()
        if self.softcopy is None:
            return view
        # The state turns first and mirrors then (PS3.3 C.10.6), as both methods do.
        view = view.turned(self.softcopy.quarter_turns)
        if self.softcopy.mirrored:
            view = view.flipped()
        area = self.softcopy.area
        return view.fit() if area is None else _showing_area(view.fit(), area)


def inverted_by(softcopy: Softcopy | None, frame: Frame) -> bool:
    """Whether the picture is to be inverted on top of the frame's own MONOCHROME1.

    Under a presentation state only its INVERSE counts (PS3.4 N.2.1).
    """
    if softcopy is None or softcopy.voi is None:
        return False
    return frame.inverted != softcopy.inverse


def _showing_area(view: ViewTransform, area: DisplayedArea) -> ViewTransform:
    """The displayed area as large as it goes, or at its own magnification (PS3.3 C.10.4)."""
    whole = (
        area.left <= 0
        and area.top <= 0
        and area.right >= view.columns - 1
        and area.bottom >= view.rows - 1
    )
    if area.mode is SizeMode.MAGNIFY:
        zoom = area.magnification
    elif whole:
        return view
    else:
        columns, rows = max(1, round(area.right - area.left)), max(1, round(area.bottom - area.top))
        zoom = replace(view, columns=columns, rows=rows).fit().zoom
    # A damaged area lies anywhere: what is shown stays on the picture.
    x = min(max((area.left + area.right) / 2, 0.0), float(view.columns))
    y = min(max((area.top + area.bottom) / 2, 0.0), float(view.rows))
    zoom = min(max(zoom, _MIN_ZOOM), MAX_ZOOM)
    return replace(view, zoom=zoom, centre_x=x, centre_y=y, fitted=False)
