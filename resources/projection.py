"""Ray sums of simple solids on the image plane of a radiograph.

Everything is measured in millimetres on a plane of ``FIELD_MM`` squared: x runs from -FIELD_MM / 2
(image left, the patient's right) to +FIELD_MM / 2, z from 0 at the top edge down. y, along the
beam, exists only as path length. A solid is a map of the millimetres that a ray spends inside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

FIELD_MM = 430.08  # 2048 pixels of 0.21 mm: a 43 cm detector

FloatArray = npt.NDArray[np.float32]
FloatTable = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Plane:
    """A square sampling of the image plane."""

    size: int
    x: FloatArray = field(init=False)  # (1, size), mm
    z: FloatArray = field(init=False)  # (size, 1), mm

    def __post_init__(self) -> None:
        centres = (np.arange(self.size, dtype=np.float32) + 0.5) * np.float32(self.pixel_mm)
        object.__setattr__(self, "x", (centres - np.float32(FIELD_MM / 2))[None, :])
        object.__setattr__(self, "z", centres[:, None])

    @property
    def pixel_mm(self) -> float:
        return FIELD_MM / self.size

    def empty(self) -> FloatArray:
        return np.zeros((self.size, self.size), np.float32)

    def along_z(self, knots: Sequence[tuple[float, float]], smooth_mm: float = 10.0) -> FloatArray:
        """A smooth function of z through (z, value) knots, as a (size, 1) column."""
        at, value = np.asarray(knots, np.float64).T
        margin = 4 * smooth_mm
        fine = np.arange(-margin, FIELD_MM + margin, 0.5)
        rough = np.interp(fine, at, value).astype(np.float32)[:, None]
        smooth = cv2.GaussianBlur(rough, (1, 0), sigmaX=0.01, sigmaY=smooth_mm / 0.5)
        return as_float(np.interp(self.z[:, 0], fine, smooth.ravel()))[:, None]

    def pixels(self, points: FloatTable) -> FloatTable:
        """(k, 2) x and z in mm to (k, 2) columns and rows, pixel centres at integers."""
        return np.asarray((points + np.array([FIELD_MM / 2, 0.0])) / self.pixel_mm - 0.5)

    def blur(self, picture: FloatArray, sigma_mm: float) -> FloatArray:
        """Gaussian blur; a wide one works on a reduced copy, to the same effect."""
        reduction = max(1, int(sigma_mm / self.pixel_mm / 4))
        if reduction == 1:
            return as_float(cv2.GaussianBlur(picture, (0, 0), sigma_mm / self.pixel_mm))
        small = max(8, self.size // reduction)
        reduced = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
        blurred = cv2.GaussianBlur(
            reduced, (0, 0), sigma_mm * small / FIELD_MM, borderType=cv2.BORDER_REPLICATE
        )
        return as_float(cv2.resize(blurred, picture.shape[::-1], interpolation=cv2.INTER_CUBIC))

    def clouds(self, generator: np.random.Generator, scale_mm: float) -> FloatArray:
        """Smooth noise of mean 0 and about unit deviation, with lumps of roughly ``scale_mm``."""
        cells = int(np.clip(round(FIELD_MM / scale_mm * 2), 4, self.size))
        coarse = generator.standard_normal((cells, cells)).astype(np.float32)
        coarse = cv2.GaussianBlur(coarse, (0, 0), 1.0) * 3.5  # 2 sqrt(pi) restores the deviation
        return as_float(cv2.resize(coarse, (self.size, self.size), interpolation=cv2.INTER_CUBIC))


@dataclass(eq=False)
class Tubes:
    """Solid round tubes along curves in space, summed on the plane.

    A curve is laid on the plane as its length in each pixel; filtering that with a disc of the
    tube's radius gives, for a straight tube, exactly the chord of a cylinder, and the right longer
    path where the tube runs along the beam.
    """

    plane: Plane
    radii: tuple[float, ...]  # mm, rising; a radius between two is shared out between them
    _pieces: list[FloatTable] = field(default_factory=list, init=False)

    def add(
        self,
        points: FloatTable,
        radius: FloatTable | float,
        weight: FloatTable | float = 1.0,
    ) -> None:
        """Lay a curve of (k, 3) x, y, z in mm; radius and weight for each point or for all."""
        count = len(points)
        rows = np.column_stack(
            [points, np.broadcast_to(radius, count), np.broadcast_to(weight, count)]
        )
        self.add_pieces(rows[:-1], rows[1:])

    def add_pieces(self, starts: FloatTable, ends: FloatTable) -> None:
        """Lay many straight pieces at once: (k, 5) rows of x, y, z, radius, weight."""
        self._pieces.append(np.hstack([starts, ends]))

    def _sheets(self) -> list[FloatArray]:
        """Millimetres of curve in each pixel, a sheet for each radius."""
        pieces = np.vstack(self._pieces)
        starts, ends = pieces[:, :5], pieces[:, 5:]
        length = np.linalg.norm(ends[:, :3] - starts[:, :3], axis=1)
        count = np.ceil(length / (0.6 * self.plane.pixel_mm)).astype(int) + 1
        which = np.repeat(np.arange(len(pieces)), count)
        ordinal = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        t = ((ordinal + 0.5) / count[which])[:, None]
        dots = starts[which] * (1 - t) + ends[which] * t
        amount = (length / count)[which] * dots[:, 4]
        where = self.plane.pixels(dots[:, [0, 2]])
        classes = np.interp(dots[:, 3], self.radii, np.arange(len(self.radii)))
        return [
            _lay(self.plane.size, where[near], (amount * share)[near])
            for share in (np.maximum(1 - np.abs(classes - k), 0) for k in range(len(self.radii)))
            for near in (share > 0,)
        ]

    def path(self, shrink_mm: float = 0.0, rise_mm: float = 0.0) -> FloatArray:
        """Millimetres inside the tubes, thinned by ``shrink_mm`` and moved up by ``rise_mm``."""
        total = self.plane.empty()
        for radius, sheet in zip(self.radii, self._sheets(), strict=True):
            if radius > shrink_mm:
                kernel = _disc((radius - shrink_mm) / self.plane.pixel_mm)
                total += cv2.filter2D(sheet, cv2.CV_32F, kernel, borderType=cv2.BORDER_CONSTANT)
        if rise_mm:
            shift = np.array([[1, 0, 0], [0, 1, -rise_mm / self.plane.pixel_mm]], np.float32)
            return as_float(cv2.warpAffine(total, shift, total.shape[::-1]))
        return total


def ellipsoid(
    plane: Plane,
    centre: tuple[float, float],
    radii: tuple[float, float],
    half_depth: float,
    turn_degrees: float = 0.0,
) -> FloatArray:
    """Path through an ellipsoid whose axes in the plane are turned clockwise as seen."""
    turn = np.radians(turn_degrees)
    x = plane.x - np.float32(centre[0])
    z = plane.z - np.float32(centre[1])
    along = (x * np.float32(np.cos(turn)) + z * np.float32(np.sin(turn))) / np.float32(radii[0])
    across = (z * np.float32(np.cos(turn)) - x * np.float32(np.sin(turn))) / np.float32(radii[1])
    inside = np.maximum(1 - along * along - across * across, 0)
    return as_float(np.sqrt(inside) * np.float32(2 * half_depth))


def slab(
    offset: FloatArray, half_width: FloatArray, half_depth: FloatArray, power: float
) -> FloatArray:
    """Path through a superelliptic cross-section, ``offset`` mm from its middle, row by row."""
    ratio = np.abs(offset) / np.maximum(half_width, np.float32(0.01))
    inside = np.maximum(1 - ratio ** np.float32(power), 0)
    return as_float(inside ** np.float32(1 / power) * (2 * half_depth))


def polygon(plane: Plane, corners: Sequence[tuple[float, float]]) -> FloatArray:
    """1 inside the outline through (x, z) corners in mm, 0 outside, smooth at the edge."""
    points = plane.pixels(np.asarray(corners, np.float64))
    picture = np.zeros((plane.size, plane.size), np.uint8)
    fixed = np.round(points * 16).astype(np.int32)
    cv2.fillPoly(picture, [fixed], 255, lineType=cv2.LINE_AA, shift=4)
    return as_float(picture) / np.float32(255)


def smooth_curve(knots: Sequence[Sequence[float]], count: int = 60) -> FloatTable:
    """``count`` points of a Catmull-Rom curve through (x, y, z) knots."""
    given = np.asarray(knots, np.float64)
    padded = np.vstack([2 * given[0] - given[1], given, 2 * given[-1] - given[-2]])
    position = np.linspace(0, len(given) - 1, count)
    start = np.minimum(position.astype(int), len(given) - 2)
    t = (position - start)[:, None]
    before, here, there, after = (padded[start + shift] for shift in range(4))
    return np.asarray(
        0.5
        * (
            2 * here
            + (there - before) * t
            + (2 * before - 5 * here + 4 * there - after) * t**2
            + (3 * here - before - 3 * there + after) * t**3
        )
    )


def union(*paths: FloatArray) -> FloatArray:
    """Path through solids that may overlap, blended softly where they meet."""
    total = np.zeros_like(paths[0])
    for path in paths:
        total += path * path * path
    return as_float(np.cbrt(total))


def _lay(size: int, where: FloatTable, amount: FloatTable) -> FloatArray:
    """Share each amount between the four pixels around its place; outside the plane is lost."""
    corner = np.floor(where).astype(np.int64)
    part = where - corner
    sheet = np.zeros(size * size)
    for right in (0, 1):
        for down in (0, 1):
            column, row = corner[:, 0] + right, corner[:, 1] + down
            share = np.abs(1 - right - part[:, 0]) * np.abs(1 - down - part[:, 1])
            keep = (column >= 0) & (column < size) & (row >= 0) & (row < size)
            place = row[keep] * size + column[keep]
            sheet += np.bincount(place, (amount * share)[keep], size * size)
    return as_float(sheet.reshape(size, size))


def _disc(radius: float) -> FloatArray:
    """A disc of ``radius`` pixels as a filter, each pixel holding the part of it inside."""
    fine = 5
    reach = int(np.ceil(radius + 0.5))
    axis = (np.arange((2 * reach + 1) * fine) + 0.5) / fine - reach - 0.5
    inside = (axis[None, :] ** 2 + axis[:, None] ** 2) <= radius**2
    count = 2 * reach + 1
    return as_float(inside.reshape(count, fine, count, fine).mean(axis=(1, 3)))


def as_float(array: npt.NDArray[Any] | cv2.typing.MatLike) -> FloatArray:
    """The same numbers as float32; free where they are already."""
    return np.asarray(array, np.float32)
