"""Reads what a header says about the size of a pixel."""

from __future__ import annotations

from pydicom.dataset import Dataset

from viewer.dicom.attributes import integer, items, number, numbers, text
from viewer.dicom.model import Spacing, SpacingSource, UltrasoundRegion

_LEAST, _MOST = 1e-7, 1e5  # mm a pixel: beyond, it is damage
_CENTIMETRES = 3  # Physical Units X/Y Direction (0018,6024), (0018,6026)
_MOST_MAGNIFIED = 20.0  # above it the distances are not what they claim to be


def read_spacing(measures: Dataset, dataset: Dataset) -> Spacing:
    """The best spacing that there is.

    Calibrated comes before detector plane comes before digitiser (PS3.3 10.7.1.3). A Pixel Spacing
    that only repeats the Imager Pixel Spacing was not calibrated: it lies at the detector.

    Parameters
    ----------
    measures : Pixel Measures of one frame, or the data set where there is no such macro.
    """
    own = _pair(measures, "PixelSpacing") or _pair(dataset, "PixelSpacing")
    imager = _pair(dataset, "ImagerPixelSpacing")
    calibration = text(dataset, "PixelSpacingCalibrationType").upper()
    if own and (calibration or own != imager):
        return Spacing(*own, SpacingSource.PIXEL_SPACING, calibration)
    if imager:
        magnification = _magnification(dataset)
        return Spacing(*imager, SpacingSource.IMAGER_PIXEL_SPACING, magnification=magnification)
    nominal = _pair(dataset, "NominalScannedPixelSpacing")
    if nominal:
        return Spacing(*nominal, SpacingSource.NOMINAL_SCANNED)
    height, width = _pair(dataset, "PixelAspectRatio") or (1.0, 1.0)
    return Spacing(ratio=height / width)


def read_regions(dataset: Dataset) -> tuple[UltrasoundRegion, ...]:
    """Sequence of Ultrasound Regions (0018,6011); of two that overlap the first one counts.

    Bit 0 of Region Flags says that the pixels of a region give way to those of another one
    (PS3.3 C.8.5.5.1.3). Where a region reaches beyond the picture, somebody has resized it and
    left the regions as they were: then none of them is right, and none is returned.
    """
    columns, rows = integer(dataset, "Columns") or 0, integer(dataset, "Rows") or 0
    found: list[tuple[int, UltrasoundRegion]] = []
    for item in items(dataset, "SequenceOfUltrasoundRegions"):
        corners = [
            integer(item, f"RegionLocation{name}") for name in ("MinX0", "MinY0", "MaxX1", "MaxY1")
        ]
        x_min, y_min, x_max, y_max = corners
        if x_min is None or y_min is None or x_max is None or y_max is None:
            continue
        if x_max > columns or y_max > rows:
            return ()
        x_mm, y_mm = (_millimetres(item, axis) for axis in "XY")
        region = UltrasoundRegion(x_min, y_min, x_max, y_max, x_mm, y_mm)
        found.append(((integer(item, "RegionFlags") or 0) & 1, region))
    found.sort(key=lambda each: each[0])
    return tuple(region for _, region in found)


def _millimetres(region: Dataset, axis: str) -> float:
    if integer(region, f"PhysicalUnits{axis}Direction") != _CENTIMETRES:
        return 0.0
    return 10 * abs(number(region, f"PhysicalDelta{axis}") or 0.0)


def _pair(dataset: Dataset, keyword: str) -> tuple[float, float] | None:
    found = numbers(dataset, keyword)
    sane = len(found) == 2 and min(found) > _LEAST and max(found) < _MOST
    return (found[0], found[1]) if sane else None


def _magnification(dataset: Dataset) -> float:
    """How far the shadow on the detector is magnified; 0 where the header does not say.

    Estimated Radiographic Magnification Factor (0018,1114), or Distance Source to Detector over
    Distance Source to Patient.
    """
    factor = number(dataset, "EstimatedRadiographicMagnificationFactor") or 0.0
    if factor == 0.0:
        to_detector = number(dataset, "DistanceSourceToDetector") or 0.0
        to_patient = number(dataset, "DistanceSourceToPatient") or 0.0
        factor = to_detector / to_patient if to_patient > 0 else 0.0
    return factor if 1.0 <= factor <= _MOST_MAGNIFIED else 0.0
