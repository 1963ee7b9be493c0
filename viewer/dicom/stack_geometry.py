"""How regular a stack is: its step, tilt, gaps and repetitions, and the words for them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from viewer.dicom.model import GeometryNote, Image
from viewer.dicom.planes import normal_of

SAME_POSITION = 0.01  # mm along the normal: nearer than any two cuts that were meant to differ
SAME_DIRECTION = 5e-3  # of unit vectors: about 0.3 degrees
_STEP_TOLERANCE = 0.02  # of the usual step; headers round to a hundredth of a millimetre
_LEAST_TOLERANCE = 0.02  # mm
_FEW_GAPS = 0.2  # of all steps; more of them, and the stack was made with several spacings
_LEAN = 0.5  # degrees between the step and the normal: below it is rounding
_SIDEWAYS = 0.2  # mm off the line through the stack
_NAMED_GAPS = 4

Positions = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StackGeometry:
    """What was measured on a stack in reading order.

    Attributes
    ----------
    step : millimetres along the normal from one image to the next, as a rule; 0 for one position.
    lean : degrees between the direction of the stack and the normal of its images.
    gaps : (index of the image before, how many are missing after it).
    uneven : the least and the largest step where they follow no rule, else None.
    sideways : some images lie off the straight line of the others.
    repeated : indices of images at the position of the one before, with nothing to tell them apart.
    positions : how many different positions there are.
    pixel_sizes : how many different pixel spacings.
    header_tilt : Gantry/Detector Tilt of the header, degrees.
    """

    step: float = 0.0
    lean: float = 0.0
    gaps: tuple[tuple[int, int], ...] = ()
    uneven: tuple[float, float] | None = None
    sideways: bool = False
    repeated: tuple[int, ...] = ()
    positions: int = 1
    pixel_sizes: int = 1
    header_tilt: float = 0.0

    @property
    def missing(self) -> int:
        return sum(count for _, count in self.gaps)


def positions_along(images: Sequence[Image]) -> Positions | None:
    """Millimetres of each image along the common normal.

    None where there is no such normal: an image has no geometry, or directions differ.
    """
    planes = [image.geometry for image in images if image.geometry is not None]
    if not planes or len(planes) < len(images):
        return None
    directions = np.array([(*plane.row_direction, *plane.column_direction) for plane in planes])
    if np.abs(directions - directions[0]).max() > SAME_DIRECTION:
        return None
    along = np.array([plane.position for plane in planes]) @ normal_of(planes[0])
    return _merged(along)


def _merged(along: Positions) -> Positions:
    """The same number for positions that differ by rounding only."""
    order = np.argsort(along, kind="stable")
    ranked = along[order]
    starts = np.concatenate(([True], np.diff(ranked) > SAME_POSITION))
    merged = np.empty_like(along)
    merged[order] = ranked[starts][np.cumsum(starts) - 1]
    return merged


def measure(images: Sequence[Image]) -> StackGeometry | None:
    """Measure a stack that is in reading order; None where its images share no normal."""
    along = positions_along(images)
    if along is None:
        return None
    steps = np.diff(along)
    distinct = np.flatnonzero(steps > 0)
    repeated = tuple(int(i) + 1 for i in np.flatnonzero(steps == 0) if _alike(images, int(i)))
    sizes = Counter((round(i.spacing.row, 4), round(i.spacing.column, 4)) for i in images)
    common = StackGeometry(
        repeated=repeated,
        positions=len(distinct) + 1,
        pixel_sizes=len(sizes),
        header_tilt=images[0].acquisition.gantry_tilt,
    )
    if not len(distinct):
        return common
    return _measure_steps(images, along, distinct, common)


def _alike(images: Sequence[Image], index: int) -> bool:
    """Nothing but original or derived tells this image from the next."""
    one, following = (
        replace(image.acquisition, image_type=image.acquisition.image_type[2:])
        for image in images[index : index + 2]
    )
    return one == following


def _measure_steps(
    images: Sequence[Image], along: Positions, distinct: npt.NDArray[np.intp], common: StackGeometry
) -> StackGeometry:
    steps = np.diff(along)[distinct]
    usual = float(np.sort(steps)[(len(steps) - 1) // 2])
    tolerance = max(_LEAST_TOLERANCE, _STEP_TOLERANCE * usual)
    times = np.rint(steps / usual)
    fits = np.abs(steps - times * usual) <= tolerance * np.maximum(times, 1)
    wide = (times > 1) & fits
    gaps: tuple[tuple[int, int], ...] = ()
    uneven = None
    many = wide.sum() > max(1, _FEW_GAPS * len(steps)) or times.sum() > 2 * len(steps) + 1
    if not fits.all() or many:
        uneven = (float(steps.min()), float(steps.max()))
    else:
        gaps = tuple((int(distinct[i]), int(times[i]) - 1) for i in np.flatnonzero(wide))
        usual = float((along[-1] - along[0]) / times.sum())
    corners = np.array([image.geometry.position for image in images if image.geometry is not None])
    assert images[0].geometry is not None
    normal = normal_of(images[0].geometry)
    whole = corners[-1] - corners[0]
    across = whole - normal * (whole @ normal)
    line = corners[0] + np.outer((along - along[0]) / (along[-1] - along[0]), whole)
    return replace(
        common,
        step=usual,
        lean=float(np.degrees(np.arctan2(np.linalg.norm(across), abs(whole @ normal)))),
        gaps=gaps,
        uneven=uneven,
        sideways=bool(np.linalg.norm(corners - line, axis=1).max() > _SIDEWAYS),
    )


def notes_on(geometry: StackGeometry, modality: str) -> tuple[GeometryNote, ...]:
    """What the reader must be told, the gravest first."""
    if modality == "SEG":  # its frames are segments, which share their places by nature
        return ()
    found = (
        _missing(geometry),
        _uneven(geometry),
        _tilt(geometry, modality),
        _sideways(geometry),
        _repeated(geometry),
        _pixel_sizes(geometry),
    )
    return tuple(note for note in found if note is not None)


def _missing(geometry: StackGeometry) -> GeometryNote | None:
    if not geometry.gaps:
        return None
    verb = "1 image missing" if geometry.missing == 1 else f"{geometry.missing} images missing"
    places = [f"{count} after image {index + 1}" for index, count in geometry.gaps[:_NAMED_GAPS]]
    more = len(geometry.gaps) - _NAMED_GAPS
    if more > 0:
        places.append(f"and at {more} more places")
    return GeometryNote(verb, f"{verb}: {', '.join(places)}. The gaps are not filled.")


def _uneven(geometry: StackGeometry) -> GeometryNote | None:
    if geometry.uneven is None:
        return None
    least, largest = geometry.uneven
    return GeometryNote(
        f"Irregular spacing {least:.4g} to {largest:.4g} mm",
        f"The distance from image to image varies from {least:.4g} to {largest:.4g} mm. "
        "Nothing is filled in between.",
    )


def _tilt(geometry: StackGeometry, modality: str) -> GeometryNote | None:
    if geometry.lean >= _LEAN:
        name = "Gantry tilt" if modality == "CT" else "Sheared stack"
        return GeometryNote(
            f"{name} {geometry.lean:.1f}°",
            f"{name} of {geometry.lean:.1f}°: each image is shifted against the next. "
            "The images are shown as they are.",
        )
    if abs(geometry.header_tilt) >= _LEAN:
        tilt = f"{abs(geometry.header_tilt):.1f}°"
        return GeometryNote(
            f"Gantry tilt {tilt}",
            f"The header tells of a gantry tilt of {tilt}; the positions show no shift.",
        )
    return None


def _sideways(geometry: StackGeometry) -> GeometryNote | None:
    if not geometry.sideways:
        return None
    return GeometryNote(
        "Images shifted sideways", "The images do not lie on one straight line behind each other."
    )


def _repeated(geometry: StackGeometry) -> GeometryNote | None:
    count = len(geometry.repeated)
    if not count:
        return None
    first = geometry.repeated[0] + 1
    verb = "1 position repeated" if count == 1 else f"{count} positions repeated"
    return GeometryNote(
        verb,
        f"{verb}: nothing in the headers tells image {first} from the one before"
        + (", nor others." if count > 1 else "."),
    )


def _pixel_sizes(geometry: StackGeometry) -> GeometryNote | None:
    if geometry.pixel_sizes < 2:
        return None
    return GeometryNote(
        "Pixel spacing differs", "The images have different pixel spacings; each has its own scale."
    )
