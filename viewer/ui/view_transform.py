"""Where the picture lies in the viewport: a frozen mapping between image and screen. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace

from detector.types import Box

MAX_ZOOM = 64.0
_COMFORT = 0.08  # of the viewport: nearer to its edge a box does not count as comfortably in view
_TINY = 32.0  # screen pixels: a box below this on both sides is zoomed in on
_TINY_TO = 0.2  # of the viewport's shorter side
_TINY_MAX_ZOOM = 4.0


@dataclass(frozen=True, slots=True)
class ViewTransform:
    """One view of one frame.

    Image coordinates are those of `Box`: (0, 0) is the outer corner of the first pixel. Screen
    coordinates are logical pixels from the viewport's top left corner.

    Attributes
    ----------
    columns, rows : size of the frame in pixels.
    width, height : size of the viewport in logical pixels.
    ratio : device pixels for each logical pixel.
    aspect : height of a pixel over its width, in millimetres; 1 where unknown.
    zoom : device pixels for each image pixel along its shorter side, so that 1 shows every pixel.
    centre_x, centre_y : the image point in the middle of the viewport.
    fitted : the whole frame fills the viewport, and goes on doing so when it is resized.
    mirrored : left and right of the frame are exchanged, before it is turned.
    turns : quarter turns clockwise, 0 to 3.
    """

    columns: int
    rows: int
    width: float
    height: float
    ratio: float = 1.0
    aspect: float = 1.0
    zoom: float = 1.0
    centre_x: float = 0.0
    centre_y: float = 0.0
    fitted: bool = False
    mirrored: bool = False
    turns: int = 0

    @property
    def device_scale(self) -> tuple[float, float]:
        """Device pixels for each image pixel, along a row of the frame and along a column."""
        return self.zoom * max(1.0, 1 / self.aspect), self.zoom * max(1.0, self.aspect)

    @property
    def scale(self) -> tuple[float, float]:
        """Logical screen pixels for each image pixel, along a row and along a column."""
        x, y = self.device_scale
        return x / self.ratio, y / self.ratio

    @property
    def device_origin(self) -> tuple[int, int]:
        """Where image (0, 0) lies, in whole device pixels: so that 1:1 is exact."""
        scale_x, scale_y = self.device_scale
        x, y = self.direction_to_screen(self.centre_x * scale_x, self.centre_y * scale_y)
        return round(self.width * self.ratio / 2 - x), round(self.height * self.ratio / 2 - y)

    def direction_to_screen(self, x: float, y: float) -> tuple[float, float]:
        """A direction of the frame as it lies on the screen, its length kept."""
        if self.mirrored:
            x = -x
        for _ in range(self.turns % 4):
            x, y = -y, x
        return x, y

    def direction_to_image(self, x: float, y: float) -> tuple[float, float]:
        """A direction on the screen as it lies in the frame, its length kept.

        So (1, 0) gives the direction of the frame that points to the right edge of the viewport.
        """
        for _ in range(self.turns % 4):
            x, y = y, -x
        return (-x, y) if self.mirrored else (x, y)

    def to_screen(self, x: float, y: float) -> tuple[float, float]:
        """The screen point of an image point."""
        left, top = self.device_origin
        scale_x, scale_y = self.scale
        dx, dy = self.direction_to_screen(x * scale_x, y * scale_y)
        return left / self.ratio + dx, top / self.ratio + dy

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        """The image point under a screen point, also outside the frame."""
        left, top = self.device_origin
        return self.offset_to_image(x - left / self.ratio, y - top / self.ratio)

    def offset_to_image(self, dx: float, dy: float) -> tuple[float, float]:
        """How far a way on the screen, in logical pixels, leads in the frame."""
        x, y = self.direction_to_image(dx, dy)
        scale_x, scale_y = self.scale
        return x / scale_x, y / scale_y

    def box_to_screen(self, box: Box) -> Box:
        """A box in screen pixels."""
        return _box_around(
            self.to_screen(box.x_min, box.y_min), self.to_screen(box.x_max, box.y_max)
        )

    def pixel_at(self, x: float, y: float) -> tuple[int, int] | None:
        """Column and row, from 0, of the pixel under a screen point; None beside the picture."""
        column, row = self.to_image(x, y)
        if 0 <= column < self.columns and 0 <= row < self.rows:
            return int(column), int(row)
        return None

    def visible(self) -> tuple[int, int, int, int] | None:
        """The part of the frame in view: first column, first row, and one past the last ones."""
        view = _box_around(self.to_image(0, 0), self.to_image(self.width, self.height))
        x0, y0 = max(0, int(view.x_min)), max(0, int(view.y_min))
        x1, y1 = min(self.columns, int(view.x_max) + 1), min(self.rows, int(view.y_max) + 1)
        return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None

    def fit(self) -> ViewTransform:
        """The whole frame, as large as the viewport allows."""
        return replace(
            self,
            zoom=self._fitting_zoom(),
            centre_x=self.columns / 2,
            centre_y=self.rows / 2,
            fitted=True,
        )

    def resized(self, width: float, height: float, ratio: float) -> ViewTransform:
        """The same view in a viewport of another size: what was in the middle stays there."""
        zoom = self.zoom * ratio / self.ratio
        moved = replace(self, width=width, height=height, ratio=ratio, zoom=zoom)
        return moved.fit() if self.fitted else moved

    def panned(self, dx: float, dy: float) -> ViewTransform:
        """The picture moved by screen pixels; its middle of view stays on the frame."""
        x, y = self.offset_to_image(dx, dy)
        return self._looking_at(self.centre_x - x, self.centre_y - y)

    def zoomed(
        self, factor: float, x: float | None = None, y: float | None = None
    ) -> ViewTransform:
        """Magnified by ``factor``, the image point under screen point (x, y) staying there."""
        x = self.width / 2 if x is None else x
        y = self.height / 2 if y is None else y
        least = min(self._fitting_zoom(), 1.0) / 4
        zoom = min(max(self.zoom * factor, least), MAX_ZOOM)
        scaled = replace(self, zoom=zoom, fitted=False)
        # From the middle, not from the origin, whose rounding would move the picture at each step.
        from_middle = x - self.width / 2, y - self.height / 2
        (old_x, old_y), (new_x, new_y) = (
            view.offset_to_image(*from_middle) for view in (self, scaled)
        )
        return scaled._looking_at(self.centre_x + old_x - new_x, self.centre_y + old_y - new_y)

    def turned(self, turns: int) -> ViewTransform:
        """Turned by quarters on the screen, clockwise; its middle stays where it is."""
        return self._laid(self.mirrored, self.turns + turns)

    def flipped(self) -> ViewTransform:
        """Left and right exchanged as they are on the screen."""
        return self._laid(not self.mirrored, -self.turns)

    def upright(self) -> ViewTransform:
        """As the frame is stored, neither turned nor mirrored."""
        return self._laid(False, 0)

    def actual_size(self) -> ViewTransform:
        """One image pixel for each device pixel, the middle of the view staying there."""
        return self.zoomed(1.0 / self.zoom)

    def showing(self, box: Box) -> ViewTransform:
        """A view in which ``box`` is comfortably seen; this one where it is so already."""
        screen = self.box_to_screen(box)
        longest = max(screen.width, screen.height)
        room = 1 - 2 * _COMFORT
        # How far the box overfills the room for it: above 1 it has to be zoomed out.
        excess = max(screen.width / (self.width * room), screen.height / (self.height * room))
        factor = 1.0
        if excess > 1 + 1e-9:
            factor = 1 / excess
        elif longest < _TINY:
            wanted = _TINY_TO * min(self.width, self.height) / longest
            factor = max(1.0, min(wanted, _TINY_MAX_ZOOM / self.zoom))
        if factor == 1.0 and self._comfortable(screen):
            return self
        return self.zoomed(factor)._looking_at(
            (box.x_min + box.x_max) / 2, (box.y_min + box.y_max) / 2
        )

    def _comfortable(self, screen: Box) -> bool:
        x, y = self.width * _COMFORT, self.height * _COMFORT
        if self.fitted:  # the whole picture is in view: nowhere better to go
            x = y = -1.0
        return (
            screen.x_min >= x
            and screen.y_min >= y
            and screen.x_max <= self.width - x
            and screen.y_max <= self.height - y
        )

    def _fitting_zoom(self) -> float:
        stretch_x, stretch_y = max(1.0, 1 / self.aspect), max(1.0, self.aspect)
        width, height = (abs(side) for side in self.direction_to_image(self.width, self.height))
        across = width * self.ratio / (self.columns * stretch_x)
        down = height * self.ratio / (self.rows * stretch_y)
        return min(max(min(across, down), 1e-3), MAX_ZOOM)

    def _laid(self, mirrored: bool, turns: int) -> ViewTransform:
        laid = replace(self, mirrored=mirrored, turns=turns % 4)
        return laid.fit() if self.fitted else laid

    def _looking_at(self, x: float, y: float) -> ViewTransform:
        x = min(max(x, 0.0), float(self.columns))
        y = min(max(y, 0.0), float(self.rows))
        return replace(self, centre_x=x, centre_y=y, fitted=False)


def _box_around(first: tuple[float, float], second: tuple[float, float]) -> Box:
    (x_min, x_max), (y_min, y_max) = (sorted(ends) for ends in zip(first, second, strict=True))
    return Box(x_min, y_min, x_max, y_max)
