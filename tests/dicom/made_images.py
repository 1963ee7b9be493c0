"""Images without files, for tests of order and geometry."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from viewer.dicom.model import (
    Acquisition,
    Image,
    Patient,
    PlaneGeometry,
    SeriesHeader,
    Spacing,
    SpacingSource,
    StudyHeader,
)

AXIAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
CORONAL = ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0))
SAGITTAL = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))

Directions = tuple[tuple[float, float, float], tuple[float, float, float]]


def placed(
    name: str,
    position: tuple[float, float, float],
    directions: Directions = AXIAL,
    number: int | None = None,
    **fields: Any,
) -> Image:
    """An image at a place; fields of `Acquisition` and of `Image` by their names."""
    own = {key: fields.pop(key) for key in list(fields) if key in Acquisition.__slots__}
    own.setdefault("frame_of_reference", "F")
    made = Image(
        path=Path(name),
        member="",
        uid=name,
        frame_number=1,
        number_of_frames=1,
        rows=10,
        columns=20,
        samples_per_pixel=1,
        photometric_interpretation="MONOCHROME2",
        study=StudyHeader("S", Patient(id="1")),
        series=SeriesHeader("R", 1, modality="CT"),
        instance_number=number,
        spacing=Spacing(2.0, 1.0, SpacingSource.PIXEL_SPACING),
        geometry=PlaneGeometry(position, *directions),
        acquisition=Acquisition(**own),
    )
    return replace(made, **fields)


def unplaced(name: str, number: int | None = None, **fields: Any) -> Image:
    """An image without a position, as a radiograph."""
    return replace(placed(name, (0, 0, 0), number=number, **fields), geometry=None)
