"""Spacing, plane geometry and functional groups of one frame."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, lru_cache
from typing import TypeVar

import numpy as np
from pydicom.dataset import Dataset

from viewer.dicom.attributes import integer, items, number, numbers, text
from viewer.dicom.calibration import read_regions, read_spacing
from viewer.dicom.cine import read_frame_rate
from viewer.dicom.model import Acquisition, PlaneGeometry, Spacing

_T = TypeVar("_T")

_FARTHEST = 1e6  # mm from the origin: a kilometre is nobody's position

# Diffusion b-values where scanners wrote them before there was an attribute for it: group, private
# creator, element.
_PRIVATE_B_VALUES = ((0x0019, "SIEMENS MR HEADER", 0x0C), (0x0043, "GEMS_PARM_01", 0x39))
_GE_FLAG = 1_000_000_000  # added to the b-value by some versions of General Electric's software

_FRAME_TYPES = (
    "MRImageFrameTypeSequence",
    "CTImageFrameTypeSequence",
    "PETFrameTypeSequence",
    "XRay3DFrameTypeSequence",
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
        self._offsets = numbers(dataset, "GridFrameOffsetVector")
        self._regions = read_regions(dataset)
        self._frame_rate = read_frame_rate(dataset)

    def macro(self, sequence: str, frame_number: int) -> Dataset:
        """The macro's item for a frame, counted from 1, or the data set where there is none."""
        groups = self._per_frame[frame_number - 1 : frame_number] + self._shared
        for group in groups:
            found = items(group, sequence)
            if found:
                return found[0]
        return self._dataset

    @cached_property
    def _of_all(self) -> tuple[Spacing, PlaneGeometry | None, Acquisition]:
        """What all frames have in common where none has a group of its own: read once."""
        return self._spacing(1), self._plane(1), self._acquisition(1)

    def spacing(self, frame_number: int) -> Spacing:
        return self._spacing(frame_number) if self._per_frame else self._of_all[0]

    def _spacing(self, frame_number: int) -> Spacing:
        return read_spacing(self.macro("PixelMeasuresSequence", frame_number), self._dataset)

    def geometry(self, frame_number: int) -> PlaneGeometry | None:
        plane = self._plane(frame_number) if self._per_frame else self._of_all[1]
        if plane is None or len(self._offsets) < frame_number:
            return plane
        return _dose_plane(plane, self._offsets[frame_number - 1], self._offsets[0])

    def _plane(self, frame_number: int) -> PlaneGeometry | None:
        position = self.macro("PlanePositionSequence", frame_number)
        orientation = self.macro("PlaneOrientationSequence", frame_number)
        return plane(
            numbers(position, "ImagePositionPatient"),
            numbers(orientation, "ImageOrientationPatient"),
        )

    def acquisition(self, frame_number: int) -> Acquisition:
        """What tells a frame from its neighbours: of its own groups first, as everything here."""
        acquisition = self._acquisition(frame_number) if self._per_frame else self._of_all[2]
        if acquisition.temporal_position is not None:
            return acquisition
        return replace(acquisition, temporal_position=self._time_in_file(frame_number))

    def _acquisition(self, frame_number: int) -> Acquisition:
        dataset, content = self._dataset, self.macro("FrameContentSequence", frame_number)
        echo = self.macro("MREchoSequence", frame_number)
        diffusion = self.macro("MRDiffusionSequence", frame_number)
        cardiac = self.macro("CardiacSynchronizationSequence", frame_number)
        orientation = text(dataset, "PatientOrientation").upper().split("\\")
        return Acquisition(
            image_type=self._image_type(frame_number),
            frame_of_reference=text(dataset, "FrameOfReferenceUID"),
            patient_orientation=tuple(orientation) if len(orientation) == 2 else (),
            gantry_tilt=number(dataset, "GantryDetectorTilt") or 0.0,
            echo_number=integer(echo, "EchoNumbers"),
            echo_time=_first(number(echo, "EffectiveEchoTime"), number(echo, "EchoTime")),
            temporal_position=_first(
                integer(content, "TemporalPositionIndex"),
                integer(content, "TemporalPositionIdentifier"),
            ),
            trigger_time=_first(
                number(cardiac, "NominalCardiacTriggerDelayTime"), number(cardiac, "TriggerTime")
            ),
            b_value=_first(number(diffusion, "DiffusionBValue"), _private_b_value(dataset)),
            number=_first(
                integer(content, "FrameAcquisitionNumber"), integer(content, "AcquisitionNumber")
            ),
            stack_id=text(content, "StackID"),
            regions=self._regions,
            frame_rate=self._frame_rate,
        )

    def _image_type(self, frame_number: int) -> tuple[str, ...]:
        for sequence in _FRAME_TYPES:
            found = text(self.macro(sequence, frame_number), "FrameType")
            if found:
                return tuple(part.strip() for part in found.upper().split("\\"))
        found = text(self._dataset, "ImageType").upper()
        return tuple(part.strip() for part in found.split("\\")) if found else ()

    def _time_in_file(self, frame_number: int) -> int | None:
        """Frames without a position of their own follow each other in time, as in a cine loop."""
        return frame_number if self._is_cine else None

    @cached_property
    def _is_cine(self) -> bool:
        frames = integer(self._dataset, "NumberOfFrames") or 1
        return frames > 1 and not self._per_frame and not self._offsets


def plane(position: tuple[float, ...], orientation: tuple[float, ...]) -> PlaneGeometry | None:
    """Image Position and Orientation (Patient) as a plane; None where they make none."""
    directions = _directions(orientation)
    if directions is None or len(position) != 3 or max(map(abs, position)) > _FARTHEST:
        return None
    return PlaneGeometry((position[0], position[1], position[2]), *directions)


_Direction = tuple[float, float, float]


@lru_cache(maxsize=64)  # all images of a stack have the same
def _directions(orientation: tuple[float, ...]) -> tuple[_Direction, _Direction] | None:
    """Unit vectors of the row and the column."""
    if len(orientation) != 6:
        return None
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    # Directions are unit vectors at right angles (PS3.3 C.7.6.2.1.1); a damaged pair has no plane.
    if min(lengths) < 0.5 or max(lengths) > 2 or abs(row @ column) > 0.01 * lengths[0] * lengths[1]:
        return None
    row, column = row / lengths[0], column / lengths[1]
    return (
        (float(row[0]), float(row[1]), float(row[2])),
        (float(column[0]), float(column[1]), float(column[2])),
    )


def _dose_plane(plane: PlaneGeometry, offset: float, first: float) -> PlaneGeometry:
    """Where a frame of a dose grid lies (PS3.3 C.8.8.3.2).

    Offsets run along the normal where the first one is 0, else they are z coordinates themselves.
    """
    x, y, z = plane.position
    if first != 0:
        return replace(plane, position=(x, y, offset))
    nx, ny, nz = np.cross(plane.row_direction, plane.column_direction).tolist()
    return replace(plane, position=(x + nx * offset, y + ny * offset, z + nz * offset))


def _private_b_value(dataset: Dataset) -> float | None:
    for group, creator, element in _PRIVATE_B_VALUES:
        try:
            value = dataset.private_block(group, creator)[element].value
            return float(value if isinstance(value, str | int | float) else value[0]) % _GE_FLAG
        except (KeyError, TypeError, ValueError, IndexError, OverflowError):
            continue
    return None


def _first(*values: _T | None) -> _T | None:
    return next((value for value in values if value is not None), None)
