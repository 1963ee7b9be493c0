"""What stands beside a measurement."""

from __future__ import annotations

from collections.abc import Sequence

from detector.types import Box
from viewer.dicom.model import Frame, Image
from viewer.dicom.region import Values, values_inside
from viewer.dicom.spacing import MILLIMETRES, PIXELS, Scale, scale_at
from viewer.review import figures
from viewer.review.measurement import Point, Shape, bounds
from viewer.ui.corner_text import value_text

_ELSEWHERE = Scale(1.0, 1.0, PIXELS, "across regions of different scale")


def measurement_lines(
    shape: Shape, points: Sequence[Point], image: Image, frame: Frame
) -> tuple[str, ...]:
    """The figures of a measurement in lines of text, in millimetres where they are known."""
    if shape is Shape.POINT:
        (x, y) = points[0]
        rows, columns = frame.values.shape[:2]
        return (value_text(frame, min(int(x), columns - 1), min(int(y), rows - 1)),)
    scale = _scale(image, points)
    pixel = scale.x, scale.y
    if shape is Shape.LENGTH:
        return _said(f"{_number(figures.length(points, pixel))} {scale.unit}", scale)
    if shape is Shape.ANGLE:
        # Of pixels of unknown size the form may be known; the axes of a spectrum have no angle.
        form = pixel if scale.unit == MILLIMETRES else (1.0, image.spacing.aspect)
        figure = f"{figures.angle(points, form):.1f}°"
        return _said(figure, scale) if image.acquisition.regions else (figure,)
    size = f"Area {_number(figures.area(shape, points, pixel))} {scale.unit}²"
    return (*_said(size, scale), *_value_lines(_values(shape, points, frame), frame))


def _scale(image: Image, points: Sequence[Point]) -> Scale:
    """The scale at the points; regions of an ultrasound picture have each their own."""
    first, *others = (scale_at(image, x, y) for x, y in points)
    return first if all(other == first for other in others) else _ELSEWHERE


def _values(shape: Shape, points: Sequence[Point], frame: Frame) -> Values | None:
    x_min, y_min, x_max, y_max = bounds(*points)
    if x_min == x_max or y_min == y_max:
        return None
    box = Box(x_min, y_min, x_max, y_max)
    return values_inside(frame, box, oval=shape is Shape.ELLIPSE)


def _said(figure: str, scale: Scale) -> tuple[str, ...]:
    return (figure, scale.words) if scale.words else (figure,)


def _value_lines(values: Values | None, frame: Frame) -> tuple[str, ...]:
    if frame.is_colour:
        return ()
    if values is None:
        return ("no pixel inside",)
    unit = f" {frame.unit}" if frame.unit else ""
    whole = frame.values.dtype.kind in "iu"
    mean, deviation = (
        f"{value:.1f}" if whole else f"{value:.4g}" for value in (values.mean, values.deviation)
    )
    least, greatest = (
        f"{value:.0f}" if whole else f"{value:.4g}" for value in (values.least, values.greatest)
    )
    return (f"Mean {mean}  SD {deviation}{unit}", f"Min {least}  Max {greatest}{unit}")


def _number(value: float) -> str:
    return f"{value:.{2 if value < 10 else 1}f}"
