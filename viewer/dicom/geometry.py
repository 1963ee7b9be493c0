"""Spacing, plane geometry and functional groups of one frame."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset

from viewer.dicom.attributes import items, numbers
from viewer.dicom.model import PlaneGeometry, Spacing, SpacingSource

_SPACING_ATTRIBUTES = (
    # Calibrated comes before detector plane comes before digitiser (PS3.3 10.7.1.3).
    ("PixelSpacing", SpacingSource.PIXEL_SPACING),
    ("ImagerPixelSpacing", SpacingSource.IMAGER_PIXEL_SPACING),
    ("NominalScannedPixelSpacing", SpacingSource.NOMINAL_SCANNED),
)


class FrameAttributes:
    """Looks up what belongs to one frame: its own group, the shared one, then the top level.

    PS3.3 C.7.6.16: in an enhanced multi-frame image an attribute stands in a macro sequence of
    either the per-frame or the shared functional groups.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._shared = items(dataset, "SharedFunctionalGroupsSequence")[:1]
        self._per_frame = items(dataset, "PerFrameFunctionalGroupsSequence")

    def macro(self, sequence: str, frame_number: int) -> Dataset:
        """The macro's item for a frame, counted from 1, or the data set where there is none."""
        groups = self._per_frame[frame_number - 1 : frame_number] + self._shared
        for group in groups:
            found = items(group, sequence)
            if found:
                return found[0]
        return self._dataset

    def spacing(self, frame_number: int) -> Spacing:
        return _spacing(self.macro("PixelMeasuresSequence", frame_number))

    def geometry(self, frame_number: int) -> PlaneGeometry | None:
        position = self.macro("PlanePositionSequence", frame_number)
        orientation = self.macro("PlaneOrientationSequence", frame_number)
        return _geometry(
            numbers(position, "ImagePositionPatient"),
            numbers(orientation, "ImageOrientationPatient"),
        )


def _spacing(dataset: Dataset) -> Spacing:
    for keyword, source in _SPACING_ATTRIBUTES:
        found = numbers(dataset, keyword)
        if len(found) == 2 and min(found) > 0:
            return Spacing(found[0], found[1], source)
    return Spacing()


def _geometry(position: tuple[float, ...], orientation: tuple[float, ...]) -> PlaneGeometry | None:
    if len(position) != 3 or len(orientation) != 6:
        return None
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    # Directions are unit vectors at right angles (PS3.3 C.7.6.2.1.1); a damaged pair has no plane.
    if min(lengths) < 0.5 or abs(row @ column) > 0.01 * lengths[0] * lengths[1]:
        return None
    row, column = row / lengths[0], column / lengths[1]
    return PlaneGeometry(
        position=(position[0], position[1], position[2]),
        row_direction=(float(row[0]), float(row[1]), float(row[2])),
        column_direction=(float(column[0]), float(column[1]), float(column[2])),
    )
