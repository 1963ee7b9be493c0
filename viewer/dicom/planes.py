"""Planes in the patient: how far, how near, and where left is. Pure: no file, no pydicom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from viewer.dicom.model import Image, PlaneGeometry, Series

Vector = npt.NDArray[np.float64]

_PARALLEL = np.cos(np.radians(30))  # beyond it, two stacks do not show the same cuts
_SECOND_LETTER = np.sin(np.radians(5))
_AXES = ("LR", "PA", "HF")  # PS3.3 C.7.6.2.1.1: x grows to the left, y to the back, z to the head
_OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A", "H": "F", "F": "H"}


def normal_of(plane: PlaneGeometry) -> Vector:
    """The unit vector across the plane, row direction x column direction."""
    return np.cross(plane.row_direction, plane.column_direction)


def centre_of(image: Image) -> Vector:
    """The middle of an image in patient space, mm; the image has a geometry (PS3.3 C.7.6.2.1.1)."""
    plane = image.geometry
    assert plane is not None
    right = np.array(plane.row_direction) * image.spacing.column * (image.columns - 1) / 2
    down = np.array(plane.column_direction) * image.spacing.row * (image.rows - 1) / 2
    centre: Vector = np.array(plane.position) + right + down
    return centre


def nearest_image(image: Image, series: Series) -> int | None:
    """Which image of another stack shows the same place: for linked scrolling.

    It is the one whose plane is nearest to the middle of ``image``.

    Returns
    -------
    The index in ``series.images``, or None where nothing can be said: another frame of reference
    (another study, as a rule), no geometry, or cuts that lie more than 30 degrees askew.
    """
    plane, reference = image.geometry, image.acquisition.frame_of_reference
    if plane is None or not (reference or image.series.uid == series.header.uid):
        return None
    known = {
        index: other.geometry
        for index, other in enumerate(series.images)
        if other.geometry is not None and other.acquisition.frame_of_reference == reference
    }
    if not known:
        return None
    rows, columns, positions = (
        np.array([getattr(each, name) for each in known.values()])
        for name in ("row_direction", "column_direction", "position")
    )
    across = np.cross(rows, columns)
    distances = np.abs(((centre_of(image) - positions) * across).sum(axis=1))
    distances[np.abs(across @ normal_of(plane)) < _PARALLEL] = np.inf
    nearest = int(distances.argmin())
    return list(known)[nearest] if np.isfinite(distances[nearest]) else None


@dataclass(frozen=True, slots=True)
class EdgeLetters:
    """Which side of the patient each edge of the picture is; empty where it is not known."""

    left: str = ""
    right: str = ""
    top: str = ""
    bottom: str = ""


def edge_letters(
    image: Image, right: tuple[float, float] = (1, 0), down: tuple[float, float] = (0, 1)
) -> EdgeLetters:
    """The letters at the four edges: L R A P H F, two of them where the image lies oblique.

    Parameters
    ----------
    right, down : the direction in the image, (along a row, along a column), that points to the
        right and to the bottom of the screen. (1, 0) and (0, 1) without rotation or flip; a
        picture turned by 90 degrees clockwise has (0, -1) and (1, 0), one flipped from left to
        right has (-1, 0) and (0, 1).

    Without an Image Orientation (Patient) they are taken from Patient Orientation (0020,0020), as
    radiographs have it.
    """
    at_right, at_bottom = (_towards(image, *each) for each in (right, down))
    at_left, at_top = (_towards(image, -each[0], -each[1]) for each in (right, down))
    return EdgeLetters(at_left, at_right, at_top, at_bottom)


def direction_letters(direction: Vector) -> str:
    """The side of the patient that a vector points to: its main axis, then a second one."""
    sizes = np.abs(direction)
    order = np.argsort(-sizes, kind="stable")[:2]
    wanted = [order[0]] + [axis for axis in order[1:] if sizes[axis] >= _SECOND_LETTER]
    return "".join(_AXES[axis][0 if direction[axis] > 0 else 1] for axis in wanted)


def _towards(image: Image, along_row: float, along_column: float) -> str:
    plane = image.geometry
    if plane is not None:
        row, column = np.array(plane.row_direction), np.array(plane.column_direction)
        return direction_letters(along_row * row + along_column * column)
    sides = image.acquisition.patient_orientation
    if len(sides) != 2:
        return ""
    is_row = abs(along_row) >= abs(along_column)
    side, sign = (sides[0], along_row) if is_row else (sides[1], along_column)
    if sign > 0:
        return side
    # Words of another vocabulary, as for animals, have no opposite here.
    return "".join(_OPPOSITE[letter] for letter in side) if set(side) <= set(_OPPOSITE) else ""
