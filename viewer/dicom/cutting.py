"""Axial, coronal and sagittal planes out of a volume, thin or as a slab. Pure.

Where the axes of the volume are those of the patient, a plane is made of the voxels as they are.
Where they are not (an oblique or a tilted stack), it is interpolated on a square grid.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.dicom.model import PlaneGeometry, Spacing, SpacingSource
from viewer.dicom.planes import Vector
from viewer.dicom.volume import Volume

_ALIGNED = np.cos(np.radians(0.5))
_MOST_PIXELS = 1024  # on a side of an interpolated plane

Layer = npt.NDArray[Any]


class Plane(Enum):
    """The planes as they lie on the screen: what points to the right, and down, in the patient."""

    AXIAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    CORONAL = ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0))
    SAGITTAL = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))

    @property
    def right(self) -> Vector:
        return np.array(self.value[0])

    @property
    def down(self) -> Vector:
        return np.array(self.value[1])

    @property
    def normal(self) -> Vector:
        """The patient axis across the plane: to the head, to the back, to the left."""
        return np.abs(np.cross(self.right, self.down))


class Projection(Enum):
    """What a slab shows of the values that lie behind each other."""

    MAXIMUM = "maximum"
    MEAN = "mean"
    MINIMUM = "minimum"


@dataclass(frozen=True, slots=True)
class Slab:
    """How thick a plane is cut, in mm; 0 is a single layer."""

    thickness: float = 0.0
    projection: Projection = Projection.MAXIMUM


@dataclass(frozen=True, eq=False)
class CutPlane:
    """A plane out of a volume.

    Attributes
    ----------
    values : (rows, columns), modality values of the volume's type; float32 for a mean.
    geometry, spacing : as of an image, so that it can be shown as one.
    layers : how many layers of voxels went into it.
    """

    values: Layer
    geometry: PlaneGeometry
    spacing: Spacing
    layers: int


def cut(volume: Volume, plane: Plane, point: Vector, slab: Slab) -> CutPlane:
    """The plane through a point of the patient, mm."""
    axes = _aligned_axes(volume, plane)
    if axes is not None:
        return _pick(volume, axes, point, slab)
    return _interpolate(volume, plane, point, slab)


def is_interpolated(volume: Volume) -> bool:
    """Whether the planes are computed between the voxels, and not the voxels themselves."""
    return any(_aligned_axes(volume, plane) is None for plane in Plane)


def step_across(volume: Volume, plane: Plane) -> float:
    """Millimetres from one layer of voxels to the next, across a plane."""
    return float(1.0 / np.abs(volume.turn_to_voxels(plane.normal)).max())


# --- voxels as they are --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Axis:
    """An axis of the voxels, and whether it runs the way that is asked for or against it."""

    number: int
    forward: bool


def _aligned_axes(volume: Volume, plane: Plane) -> tuple[_Axis, _Axis, _Axis] | None:
    """Which voxel axes run to the right, down and across; None where they run askew."""
    steps = volume.affine[:3, :3] / volume.voxel_size
    found = []
    for direction in (plane.right, plane.down, plane.normal):
        along = direction @ steps
        number = int(np.abs(along).argmax())
        if abs(along[number]) < _ALIGNED:
            return None
        found.append(_Axis(number, bool(along[number] > 0)))
    right, down, across = found
    return right, down, across


def _pick(volume: Volume, axes: tuple[_Axis, _Axis, _Axis], point: Vector, slab: Slab) -> CutPlane:
    right, down, across = axes
    sizes, last = volume.voxel_size, np.array(volume.values.shape) - 1
    at = float(np.clip(volume.to_voxel(point)[across.number], 0, last[across.number]))
    nearest = int(
        np.floor(at + 0.5)
    )  # rint would show one layer twice on the way from half to half
    # Layers whose middle lies in the slab, the nearest one in any case.
    reach = slab.thickness / 2 / sizes[across.number] + 1e-6
    first = max(0, min(nearest, int(np.ceil(at - reach))))
    end = min(int(last[across.number]), max(nearest, int(np.floor(at + reach))))
    order = (across.number, down.number, right.number)
    layers = np.moveaxis(volume.values, order, (0, 1, 2))[first : end + 1]
    laid = _projected(layers, slab.projection, len(layers))
    laid = laid[:: 1 if down.forward else -1, :: 1 if right.forward else -1]
    corner = np.zeros(3)
    corner[across.number] = nearest
    for axis in (right, down):
        corner[axis.number] = 0 if axis.forward else last[axis.number]
    directions = [
        volume.affine[:3, axis.number] / sizes[axis.number] * (1 if axis.forward else -1)
        for axis in (right, down)
    ]
    return CutPlane(
        np.ascontiguousarray(laid),
        _geometry(volume.to_patient(corner), *directions),
        Spacing(float(sizes[down.number]), float(sizes[right.number]), SpacingSource.PIXEL_SPACING),
        len(layers),
    )


# --- interpolated --------------------------------------------------------------------------------


def _interpolate(volume: Volume, plane: Plane, point: Vector, slab: Slab) -> CutPlane:
    """Trilinear on a square grid around the whole volume."""
    ends = np.array(np.meshgrid(*((0, size - 1) for size in volume.values.shape))).reshape(3, 8)
    corners = volume.affine[:3, :3] @ ends + volume.affine[:3, 3:]
    across, down = plane.right @ corners, plane.down @ corners
    extents = float(np.ptp(across)), float(np.ptp(down))
    pixel = max(float(volume.voxel_size.min()), max(extents) / _MOST_PIXELS)
    columns, rows = (int(extent / pixel + 1e-6) + 1 for extent in extents)
    start = (
        plane.right * across.min()
        + plane.down * down.min()
        + plane.normal * float(plane.normal @ point)
    )
    grid = _Grid(start, plane.right * pixel, plane.down * pixel, rows, columns)
    step = step_across(volume, plane)
    beside = min(int(slab.thickness / 2 / step + 1e-6), max(volume.values.shape))
    shifts = [plane.normal * (step * number) for number in range(-beside, beside + 1)]
    sampled = (_sample(volume, grid, shift) for shift in shifts)
    values = _projected(sampled, slab.projection, len(shifts))
    whole = volume.values.dtype.kind in "iu"
    if whole and not (slab.projection is Projection.MEAN and beside):
        values = np.rint(values).astype(volume.values.dtype)
    return CutPlane(
        values,
        _geometry(start, plane.right, plane.down),
        Spacing(pixel, pixel, SpacingSource.PIXEL_SPACING),
        len(shifts),
    )


@dataclass(frozen=True, eq=False)
class _Grid:
    """Points of a plane: the first one, the ways to the next column and row, mm, and how many."""

    start: Vector
    right: Vector
    down: Vector
    rows: int
    columns: int


def _sample(volume: Volume, grid: _Grid, shift: Vector) -> Layer:
    """Trilinear values at the points of a grid; the lowest value where the volume ends."""
    start = volume.to_voxel(grid.start + shift)
    right, down = volume.turn_to_voxels(grid.right), volume.turn_to_voxels(grid.down)
    rows, columns = np.arange(grid.rows)[:, None], np.arange(grid.columns)[None, :]
    places = [start[axis] + down[axis] * rows + right[axis] * columns for axis in range(3)]
    inside = np.ones((grid.rows, grid.columns), np.bool_)
    for place, size in zip(places, volume.values.shape, strict=True):
        inside &= (place >= -0.5) & (place <= size - 0.5)
    sampled = np.full(inside.shape, volume.lowest, np.float32)
    sampled[inside] = _trilinear(volume.values, [place[inside] for place in places])
    return sampled


def _trilinear(values: Layer, places: list[Vector]) -> npt.NDArray[np.float32]:
    """Values at voxel coordinates, each (n,): along columns, then rows, then images."""
    flat = values.reshape(-1)
    strides = (values.shape[1] * values.shape[2], values.shape[2], 1)
    lower = np.zeros(places[0].shape, np.intp)
    weights: list[npt.NDArray[np.float32]] = []
    steps: list[int] = []
    for place, size, stride in zip(places, values.shape, strides, strict=True):
        below = np.clip(place.astype(np.intp), 0, max(0, size - 2))
        lower += below * stride
        weights.append(np.clip(place - below, 0.0, 1.0).astype(np.float32))
        steps.append(stride if size > 1 else 0)

    def along(axis: int, corner: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        if axis == 3:
            return flat[corner].astype(np.float32)
        near, far = along(axis + 1, corner), along(axis + 1, corner + steps[axis])
        mixed: npt.NDArray[np.float32] = near + (far - near) * weights[axis]
        return mixed

    return along(0, lower)


# --- slabs ---------------------------------------------------------------------------------------


def _projected(layers: Iterable[Layer], projection: Projection, count: int) -> Layer:
    """One layer out of many, each looked at once."""
    result: Layer | None = None
    for layer in layers:
        if result is None:
            mean = projection is Projection.MEAN and count > 1
            result = layer.astype(np.float32) if mean else layer.copy()
        elif projection is Projection.MAXIMUM:
            np.maximum(result, layer, out=result)
        elif projection is Projection.MINIMUM:
            np.minimum(result, layer, out=result)
        else:
            result += layer
    assert result is not None
    if projection is Projection.MEAN and count > 1:
        result /= count
    return result


def _geometry(position: Vector, right: Vector, down: Vector) -> PlaneGeometry:
    (a, b, c), (d, e, f), (g, h, i) = (each.tolist() for each in (position, right, down))
    return PlaneGeometry((a, b, c), (d, e, f), (g, h, i))
