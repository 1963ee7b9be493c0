"""Which masks of a segmentation lie on an image, and where on it. Pure: no file, no pydicom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from viewer.dicom.model import Image, PlaneGeometry
from viewer.dicom.objects import Segmentation, SegmentMask
from viewer.dicom.planes import Vector, normal_of

_SAME_PLANE_MM = 0.1  # least distance that still counts as one plane, for thin slices, too
_SAME_DIRECTION = 0.999  # cosine


@dataclass(frozen=True, eq=False, slots=True)
class PlacedMask:
    """A mask and how its own pixels lie on the image.

    A point (x, y) of the mask's values, (0, 0) the outer corner of the first one, lies on the
    image at ``origin + x * across + y * down``, in pixels of the image.
    """

    mask: SegmentMask
    origin: tuple[float, float]
    across: tuple[float, float] = (1.0, 0.0)
    down: tuple[float, float] = (0.0, 1.0)


class PlacedMasks:
    """The masks of a segmentation by the images that they lie on.

    A mask that names its images belongs to them alone. One without is drawn where the frame of
    reference is the same and the planes coincide (PS3.3 C.8.20.2).
    """

    def __init__(self, segmentation: Segmentation) -> None:
        self.segmentation = segmentation
        self._named: dict[str, list[SegmentMask]] = {}
        self._unnamed: list[SegmentMask] = []
        for mask in segmentation.masks:
            for uid in {source.uid for source in mask.sources}:
                self._named.setdefault(uid, []).append(mask)
            if not mask.sources:
                self._unnamed.append(mask)

    def names_in(self, frame_number: int) -> tuple[str, ...]:
        """What the segments of one of its own frames are called."""
        names = {segment.number: segment.label for segment in self.segmentation.segments}
        numbers = dict.fromkeys(
            mask.segment for mask in self.segmentation.masks if mask.frame_number == frame_number
        )
        return tuple(names.get(number) or f"Segment {number}" for number in numbers)

    def on(self, image: Image) -> tuple[PlacedMask, ...]:
        """Those to draw over an image."""
        candidates = (*self._named.get(image.uid, ()), *self._unnamed)
        placed = (_placed(self.segmentation, mask, image) for mask in candidates)
        return tuple(each for each in placed if each is not None)


def _placed(segmentation: Segmentation, mask: SegmentMask, image: Image) -> PlacedMask | None:
    if mask.sources:
        if not any(source.covers(image.uid, image.frame_number) for source in mask.sources):
            return None
    elif not (
        segmentation.frame_of_reference
        and segmentation.frame_of_reference == image.acquisition.frame_of_reference
    ):
        return None
    if mask.geometry is not None and image.geometry is not None:
        return _by_plane(mask, mask.geometry, image, image.geometry)
    # Made from this image, without a plane: pixel on pixel, if the sizes say so. A mask that
    # names a file of many frames as a whole does not say on which of them it lies.
    size = segmentation.rows, segmentation.columns
    whole = image.number_of_frames > 1 and not any(source.frames for source in mask.sources)
    if not mask.sources or whole or size != (image.rows, image.columns):
        return None
    return PlacedMask(mask, (float(mask.column), float(mask.row)))


def _by_plane(
    mask: SegmentMask, theirs: PlaneGeometry, image: Image, own: PlaneGeometry
) -> PlacedMask | None:
    """Through patient space (PS3.3 C.7.6.2.1.1), where both planes are one."""
    if not mask.spacing.row or not image.spacing.row:
        return None
    normal = normal_of(own)
    offset = np.array(theirs.position) - np.array(own.position)
    if abs(normal_of(theirs) @ normal) < _SAME_DIRECTION or abs(offset @ normal) > _SAME_PLANE_MM:
        return None
    row, column = np.array(own.row_direction), np.array(own.column_direction)

    def on_image(vector: Vector) -> tuple[float, float]:
        return float(vector @ row) / image.spacing.column, float(
            vector @ column
        ) / image.spacing.row

    across = on_image(np.array(theirs.row_direction) * mask.spacing.column)
    down = on_image(np.array(theirs.column_direction) * mask.spacing.row)
    # Positions are those of pixel centres; the mask starts at its own row and column.
    centre = on_image(offset)
    x, y = mask.column - 0.5, mask.row - 0.5
    origin = (
        centre[0] + 0.5 + x * across[0] + y * down[0],
        centre[1] + 0.5 + x * across[1] + y * down[1],
    )
    return PlacedMask(mask, origin, across, down)
