"""A regular stack as a volume in patient space. Pure: frames are brought by whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.dicom import limits
from viewer.dicom.model import Frame, Series, SpacingSource
from viewer.dicom.planes import Vector
from viewer.dicom.stack_geometry import StackGeometry, measure
from viewer.errors import InputError

_FEWEST = 3  # images

Affine = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Volume:
    """Voxels with their place in the patient.

    Attributes
    ----------
    values : (images, rows, columns), modality values.
    affine : (4, 4), from voxel (image, row, column, 1) to patient (x, y, z, 1) in mm. It follows
        from PS3.3 C.7.6.2.1.1 and the step from image to image; a tilted stack is sheared, so
        that what is straight in the patient stays straight.
    lowest : the lowest value, which is shown beside the volume.
    incomplete : how many of its images have pixel data that ended early.
    """

    values: npt.NDArray[Any]
    affine: Affine
    lowest: float
    incomplete: int = 0

    @property
    def centre(self) -> Vector:
        """The middle of the volume, mm."""
        return self.to_patient((np.array(self.values.shape) - 1) / 2)

    @property
    def voxel_size(self) -> Vector:
        """Millimetres from one voxel to the next along images, rows and columns."""
        return np.asarray(np.linalg.norm(self.affine[:3, :3], axis=0), np.float64)

    def to_patient(self, voxel: npt.ArrayLike) -> Vector:
        place: Vector = self.affine[:3, :3] @ np.asarray(voxel, np.float64) + self.affine[:3, 3]
        return place

    def to_voxel(self, point: npt.ArrayLike) -> Vector:
        return self.turn_to_voxels(np.asarray(point, np.float64) - self.affine[:3, 3])

    def turn_to_voxels(self, way: npt.ArrayLike) -> Vector:
        """A way in the patient, mm, as a way in voxels."""
        solved = np.linalg.solve(self.affine[:3, :3], np.asarray(way, np.float64))
        return np.asarray(solved, np.float64)

    def nearest_inside(self, point: npt.ArrayLike) -> Vector:
        """The point itself, or where the volume comes nearest to it along its own axes."""
        last = np.array(self.values.shape) - 1.0
        return self.to_patient(np.clip(self.to_voxel(point), 0.0, last))

    def nearest_voxel(self, point: npt.ArrayLike) -> Vector:
        """The middle of the voxel that is nearest to a point."""
        return self.nearest_inside(self.to_patient(np.rint(self.to_voxel(point))))


def volume_geometry(series: Series) -> StackGeometry:
    """Make sure that a stack can be a volume, and return what was measured of it.

    Raises
    ------
    InputError
        It is no regular stack; the sentence says why. Nothing is ever filled in.
    """
    geometry = measure(series.images)
    first = series.images[0]
    if geometry is None or geometry.positions < _FEWEST:
        raise InputError(f"MPR needs a stack of at least {_FEWEST} parallel images.")
    if first.is_colour:
        raise InputError("MPR is for grey images.")
    if first.spacing.source is SpacingSource.UNCALIBRATED:
        raise InputError("MPR needs the pixel spacing, which these images do not have.")
    if len(series.images) > geometry.positions:
        raise InputError("MPR needs one image at each position; here some share a position.")
    if geometry.gaps:
        count = "1 image is" if geometry.missing == 1 else f"{geometry.missing} images are"
        raise InputError(f"MPR needs all images of the stack; {count} missing.")
    if geometry.uneven is not None:
        least, most = geometry.uneven
        raise InputError(
            f"MPR needs evenly spaced images; these are {least:.4g} to {most:.4g} mm apart."
        )
    if geometry.sideways or geometry.pixel_sizes > 1:
        raise InputError("MPR needs images that lie straight behind each other, of one scale.")
    return geometry


def build_volume(
    series: Series, decode: Callable[[int], Frame], told: Callable[[int, Frame], None]
) -> Volume:
    """Bring the frames of a stack together; each is copied once, into its place.

    Parameters
    ----------
    decode : the frame of an image by its index; called once for each, in order.
    told : called with each frame as it then is; where types agree, its values are the volume's.

    Raises
    ------
    InputError
        As `volume_geometry`, or what ``decode`` raises, or a frame of another size.
    """
    volume_geometry(series)
    first = series.images[0]
    whole = (len(series.images), first.rows, first.columns)
    values: npt.NDArray[Any] | None = None
    lowest = np.inf
    incomplete = 0
    for index in range(len(series.images)):
        frame = decode(index)
        if frame.values.shape != whole[1:]:
            raise InputError("MPR needs grey images of one size.")
        if values is None:
            limits.VOLUME_BYTES.check(int(np.prod(whole)) * frame.values.itemsize)
            values = np.empty(whole, frame.values.dtype)
        kind = np.result_type(values.dtype, frame.values.dtype)
        if kind != values.dtype:  # each image of a PET series may have its own rescale slope
            values = values.astype(kind)
        values[index] = frame.values
        lowest = min(lowest, float(np.fmin.reduce(frame.values, axis=None)))
        incomplete += frame.incomplete
        told(index, _placed(frame, values[index]) if kind == frame.values.dtype else frame)
    assert values is not None
    return Volume(values, _affine(series), lowest, incomplete)


def _placed(frame: Frame, values: npt.NDArray[Any]) -> Frame:
    view = values.view()
    view.flags.writeable = False
    return replace(frame, values=view)


def _affine(series: Series) -> Affine:
    first, last = series.images[0], series.images[-1]
    plane, end = first.geometry, last.geometry
    assert plane is not None
    assert end is not None
    affine = np.eye(4)
    start = np.array(plane.position)
    affine[:3, 0] = (np.array(end.position) - start) / (len(series.images) - 1)
    affine[:3, 1] = np.array(plane.column_direction) * first.spacing.row
    affine[:3, 2] = np.array(plane.row_direction) * first.spacing.column
    affine[:3, 3] = start
    return affine
