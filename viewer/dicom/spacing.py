"""How many millimetres a pixel is at a place of an image, and what must be said beside it."""

from __future__ import annotations

from dataclasses import dataclass

from viewer.dicom.model import Image, Spacing, SpacingSource, UltrasoundRegion

MILLIMETRES, PIXELS = "mm", "px"

_PROJECTION = frozenset(("CR", "DX", "IO", "MG", "PX", "RF", "RG", "XA"))
_CALIBRATIONS = {
    "FIDUCIAL": "calibrated by an object of known size",
    "GEOMETRY": "corrected for magnification",
}


@dataclass(frozen=True, slots=True)
class Scale:
    """The size of one pixel, across and down, in ``unit``.

    ``words`` stand beside what is measured with it; they are empty where nothing needs saying, as
    in a cut through the body.
    """

    x: float
    y: float
    unit: str
    words: str


def scale_at(image: Image, x: float, y: float) -> Scale:
    """The scale at an image point, as in `Box`: (0, 0) is the outer corner of the first pixel."""
    if image.acquisition.regions:
        return _region_scale(image.acquisition.regions, x, y)
    return _scale(image.spacing, image.series.modality in _PROJECTION)


def _scale(spacing: Spacing, projection: bool) -> Scale:
    match spacing.source:
        case SpacingSource.PIXEL_SPACING:
            unsaid = "calibration not stated" if projection else ""
            words = _CALIBRATIONS.get(spacing.calibration, unsaid)
        case SpacingSource.IMAGER_PIXEL_SPACING if spacing.magnification > 0:
            words = f"magnification {spacing.magnification:#.3g} taken out"
        case SpacingSource.IMAGER_PIXEL_SPACING:
            words = "at the detector"
        case SpacingSource.NOMINAL_SCANNED:
            words = "on the film"
        case SpacingSource.UNCALIBRATED:
            return Scale(1.0, 1.0, PIXELS, "uncalibrated")
    # What lies in the patient throws a larger shadow on the detector (PS3.3 10.7.1.3).
    at_detector = spacing.source is SpacingSource.IMAGER_PIXEL_SPACING
    larger = (at_detector and spacing.magnification) or 1.0
    return Scale(spacing.column / larger, spacing.row / larger, MILLIMETRES, words)


def _region_scale(regions: tuple[UltrasoundRegion, ...], x: float, y: float) -> Scale:
    for region in regions:
        inside = region.x_min <= x < region.x_max + 1 and region.y_min <= y < region.y_max + 1
        if inside and region.x_mm > 0 and region.y_mm > 0:
            return Scale(region.x_mm, region.y_mm, MILLIMETRES, "")
        if inside:
            return Scale(1.0, 1.0, PIXELS, "no lengths in this region")
    return Scale(1.0, 1.0, PIXELS, "outside the calibrated region")
