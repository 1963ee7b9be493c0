"""The figures of a reader's measurements, with their units."""

from __future__ import annotations

from dataclasses import dataclass

from detector.types import Box
from viewer.dicom.allowed import term
from viewer.dicom.model import Frame, Image
from viewer.dicom.region import values_inside
from viewer.dicom.reported import Concept
from viewer.dicom.spacing import MILLIMETRES, PIXELS, Scale, scale_at
from viewer.exchange import concepts
from viewer.review import figures
from viewer.review.measurement import Measurement, Shape, bounds

_SHORT = {concepts.DEVIATION: "SD", concepts.LEAST: "Min", concepts.GREATEST: "Max"}
_MIXED = Scale(1.0, 1.0, PIXELS, "across regions of different scale")


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a measurement.

    Attributes
    ----------
    name : what was measured.
    derivation : which figure of many values it is, such as their mean; None for one value.
    caveat : what must be said beside a length or an area, such as "at the detector".
    """

    name: Concept
    value: float
    unit: str
    derivation: Concept | None = None
    caveat: str = ""

    @property
    def words(self) -> str:
        """For a person, such as ``Length 48.5 mm, at the detector``."""
        concept = self.derivation or self.name
        name = _SHORT.get(concept, concept.meaning)
        number = f"{self.value:.{2 if abs(self.value) < 10 else 1}f}"
        said = f"{name} {number}{'' if self.unit == '°' else ' '}{self.unit}".strip()
        return f"{said}, {self.caveat}" if self.caveat else said


def figures_of(measurement: Measurement, image: Image, frame: Frame) -> tuple[Figure, ...]:
    """In millimetres where the image is calibrated at all its points, else in pixels."""
    points = measurement.points
    if measurement.shape is Shape.POINT:
        return _value_at(points[0], frame)
    first, *others = (scale_at(image, x, y) for x, y in points)
    scale = first if all(other == first for other in others) else _MIXED
    pixel = scale.x, scale.y
    if measurement.shape is Shape.LENGTH:
        length = figures.length(points, pixel)
        return (Figure(concepts.LENGTH, length, scale.unit, caveat=scale.words),)
    if measurement.shape is Shape.ANGLE:
        form = pixel if scale.unit == MILLIMETRES else (1.0, image.spacing.aspect)
        caveat = scale.words if image.acquisition.regions else ""
        return (Figure(concepts.ANGLE, figures.angle(points, form), "°", caveat=caveat),)
    area = figures.area(measurement.shape, points, pixel)
    size = Figure(concepts.AREA, area, f"{scale.unit}²", caveat=scale.words)
    return (size, *_values_in(measurement, frame))


def _value_at(point: tuple[float, float], frame: Frame) -> tuple[Figure, ...]:
    rows, columns = frame.values.shape[:2]
    x, y = int(point[0]), int(point[1])
    if frame.is_colour or not (0 <= x < columns and 0 <= y < rows):
        return ()
    return (Figure(_quantity(frame), float(frame.values[y, x]), _unit(frame)),)


def _values_in(measurement: Measurement, frame: Frame) -> tuple[Figure, ...]:
    x_min, y_min, x_max, y_max = bounds(*measurement.points)
    if x_min == x_max or y_min == y_max:
        return ()
    box = Box(x_min, y_min, x_max, y_max)
    found = values_inside(frame, box, oval=measurement.shape is Shape.ELLIPSE)
    if found is None:
        return ()
    return tuple(
        Figure(_quantity(frame), value, _unit(frame), derivation)
        for derivation, value in (
            (concepts.MEAN, found.mean),
            (concepts.DEVIATION, found.deviation),
            (concepts.LEAST, found.least),
            (concepts.GREATEST, found.greatest),
        )
    )


def _quantity(frame: Frame) -> Concept:
    return concepts.ATTENUATION if frame.unit == "HU" else concepts.VALUE


def _unit(frame: Frame) -> str:
    """Rescale Type may hold any text: what is no unit stays behind."""
    return term("RescaleType", frame.unit)
