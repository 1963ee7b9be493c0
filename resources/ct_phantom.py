"""A computed tomogram of a chest that nobody ever had, in calibrated Hounsfield units.

A body of simple solids lies on a pad with four rods of known value, as in bone densitometry. The
rods and the air around are free of noise, so a reader can check the scale with the cursor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from resources.chest_vessels import Growth, grow
from resources.projection import FloatArray, FloatTable

SIZE = 512
PIXEL_MM = 0.78125  # 400 mm across
SLICES = 32
SLICE_MM = 7.5

AIR, LUNG, FAT, WATER, MUSCLE, BLOOD, LIVER = -1000, -850, -95, 0, 45, 42, 58
MARROW, COMPACT = 190, 850
PAD = 120  # the plastic that holds the rods
ROD_RADIUS_MM = 9.0
PAD_MIDDLE_MM = 142.0
RODS = {"air": (-45.0, AIR), "water": (-15.0, WATER), "soft": (15.0, 50), "bone": (45.0, 400)}

NOISE_HU = 7.0
VESSELS = Growth(16, (2.6, 4.6), 0.7, 0.009, 16.0)
# height of the slices on the scale of the radiograph's phantom, where 60 is the top of the lungs
FIRST_MM = 82.0


@dataclass(frozen=True, eq=False)
class _Patch:
    """A shape in a window of the slice: 1 inside, 0 outside, in between on the edge."""

    window: tuple[slice, slice]
    inside: FloatArray


@dataclass(frozen=True, eq=False)
class _Slice:
    """The axial plane at one height: x to the patient's left, y to the back, in mm."""

    x: FloatArray  # (1, SIZE)
    y: FloatArray  # (SIZE, 1)
    height: float
    values: FloatArray

    def fill(self, patch: _Patch, value: float) -> None:
        """Put a material into a shape; an edge pixel holds its part of both."""
        part = self.values[patch.window]
        part += (np.float32(value) - part) * patch.inside

    def ellipse(
        self, centre: tuple[float, float], radii: tuple[float, float], power: float = 2.0
    ) -> _Patch:
        """A (super)ellipse, its edge spread over a pixel."""
        window = _window(np.array([centre]), max(radii[0], 0.1) + 1, max(radii[1], 0.1) + 1)
        u = np.abs(self.x[:, window[1]] - np.float32(centre[0])) / np.float32(max(radii[0], 0.1))
        v = np.abs(self.y[window[0]] - np.float32(centre[1])) / np.float32(max(radii[1], 0.1))
        distance = (u ** np.float32(power) + v ** np.float32(power)) ** np.float32(1 / power)
        edge = (1 - distance) * np.float32(min(radii) / PIXEL_MM) + np.float32(0.5)
        return _Patch(window, np.clip(edge, 0, 1))

    def lines(self, lines: Sequence[FloatTable], width_mm: Sequence[float]) -> _Patch:
        """Lines through (k, 2) x and y in mm, each as thick as asked."""
        reach = max(width_mm) / 2 + 2
        window = _window(np.concatenate(lines), reach, reach)
        rows, columns = window
        picture = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
        corner = np.array([columns.start, rows.start])
        for line, width in zip(lines, width_mm, strict=True):
            at = np.round((line / PIXEL_MM + (SIZE - 1) / 2 - corner) * 16).astype(np.int32)
            thick = max(1, round(width / PIXEL_MM))
            cv2.polylines(picture, [at], False, 255, thick, cv2.LINE_AA, shift=4)
        return _Patch(window, np.asarray(picture, np.float32) / np.float32(255))

    def whole(self, patch: _Patch) -> FloatArray:
        """The shape on the whole slice."""
        full = np.zeros((SIZE, SIZE), np.float32)
        full[patch.window] = patch.inside
        return full


def _window(points: FloatTable, reach_x: float, reach_y: float) -> tuple[slice, slice]:
    """Rows and columns that hold all within reach of (k, 2) points in mm."""
    reach = np.array([reach_x, reach_y])
    first = np.floor((points.min(axis=0) - reach) / PIXEL_MM + SIZE / 2).astype(int)
    last = np.ceil((points.max(axis=0) + reach) / PIXEL_MM + SIZE / 2).astype(int)
    (left, top), (right, bottom) = np.clip([first, last], 0, SIZE).tolist()
    return slice(top, bottom), slice(left, right)


def ct_series(seed: int) -> tuple[npt.NDArray[np.int16], tuple[float, float, float]]:
    """Make a chest CT.

    Parameters
    ----------
    seed : the vessels, the shape and the noise; the same seed gives the same voxels.

    Returns
    -------
    (SLICES, SIZE, SIZE) int16 in Hounsfield units, from head to foot, rows front to back, columns
    from the patient's right to left; and the distances between slices, rows and columns in mm.
    """
    generator = np.random.default_rng([seed, 100])
    wide = 1 + 0.03 * float(np.clip(generator.standard_normal(), -2, 2))
    vessels = _vessels(generator)
    volume = np.empty((SLICES, SIZE, SIZE), np.int16)
    axis = ((np.arange(SIZE) - (SIZE - 1) / 2) * PIXEL_MM).astype(np.float32)
    for index in range(SLICES):
        blank = np.full((SIZE, SIZE), AIR, np.float32)
        plane = _Slice(axis[None, :], axis[:, None], FIRST_MM + SLICE_MM * index, blank)
        body = _body(plane, wide)
        _lungs(plane, wide, vessels)
        _middle(plane)
        _skeleton(plane, wide)
        noise = generator.standard_normal((SIZE, SIZE), dtype=np.float32)
        grain = cv2.GaussianBlur(noise, (0, 0), 0.8) * np.float32(2.8 * NOISE_HU)
        plane.values[:] += grain * (body > 0.99)
        _pad(plane)
        volume[index] = np.clip(np.rint(plane.values), -1024, 3071)
    return volume, (SLICE_MM, PIXEL_MM, PIXEL_MM)


def rod_centre(name: str) -> tuple[int, int]:
    """Row and column of the middle of a calibration rod, the same in every slice."""
    x = RODS[name][0]
    return round(PAD_MIDDLE_MM / PIXEL_MM + (SIZE - 1) / 2), round(x / PIXEL_MM + (SIZE - 1) / 2)


def _body(plane: _Slice, wide: float) -> FloatArray:
    """Skin, fat, muscle; returns where the body is."""
    h = plane.height
    half = float(np.interp(h, [60, 90, 130, 320], [178, 172, 164, 160])) * wide
    deep = float(np.interp(h, [60, 110, 200, 330], [92, 106, 114, 117]))
    body = plane.ellipse((0, 8), (half, deep), 2.5)
    plane.fill(body, MUSCLE)  # skin
    plane.fill(plane.ellipse((0, 8), (half - 1.8, deep - 1.8), 2.5), FAT)
    plane.fill(plane.ellipse((0, 10), (half - 17, deep - 15), 2.4), MUSCLE)
    for side in (-1, 1):  # the long muscles of the back, and breast muscle above
        plane.fill(plane.ellipse((side * 32, 98), (26, 15), 2.0), MUSCLE)
        chest = float(np.interp(h, [90, 150, 210], [1, 0.8, 0]))
        if chest > 0.05:
            plane.fill(plane.ellipse((side * 82, -68), (58 * chest, 13), 2.0), MUSCLE)
    return plane.whole(body)


def _cage(height: float, wide: float) -> tuple[float, float]:
    """Half-width and half-depth of the inside of the ribs, mm."""
    half = np.interp(height, [50, 60, 76, 98, 130, 180, 300], [40, 62, 84, 101, 116, 127, 134])
    return float(half) * wide, float(
        np.interp(height, [60, 90, 130, 190, 270], [34, 56, 72, 84, 88])
    )


def _lungs(plane: _Slice, wide: float, vessels: FloatTable) -> None:
    """Lungs with their vessels, and the liver and stomach that rise into their space."""
    h = plane.height
    half, deep = _cage(h, wide)
    chest = plane.whole(plane.ellipse((0, 6), (half, deep), 2.3))
    lungs, liver = np.zeros_like(chest), np.zeros_like(chest)
    for side, dome in ((-1, 292.0), (1, 304.0)):
        inner = float(np.interp(h, [60, 100, 200], [24, 16, 9]))
        middle, radius = (half + inner) / 2, (half - inner) / 2
        lung = chest * plane.whole(plane.ellipse((side * middle, 6), (radius, deep), 2.6))
        lungs += lung
        below = h - dome
        if below > -3:  # the dome's cross-section grows down the slices
            grown = float(np.sqrt(np.clip((below + 3) / 62, 0.002, 1)))
            liver += lung * plane.whole(plane.ellipse((side * 62, 2), (74 * grown, 84 * grown)))
    everywhere = (slice(0, SIZE), slice(0, SIZE))
    plane.fill(_Patch(everywhere, lungs), LUNG)
    near = vessels[np.abs((vessels[:, 2] + vessels[:, 7]) / 2 - h) < SLICE_MM / 2]
    if len(near):
        pieces = [np.array([piece[[0, 1]], piece[[5, 6]]]) for piece in near]
        blood = plane.lines(pieces, (2 * near[:, 3]).tolist())
        plane.fill(_Patch(blood.window, blood.inside * lungs[blood.window]), BLOOD)
    plane.fill(_Patch(everywhere, np.clip(liver, 0, 1)), LIVER)
    if h > 318:
        plane.fill(plane.ellipse((68, -18), (26, 22)), AIR)  # gas in the stomach


def _middle(plane: _Slice) -> None:
    """Mediastinum: fat, great vessels, heart, trachea, gullet."""
    h = plane.height
    upper = float(np.interp(h, [60, 110, 160, 200], [34, 32, 36, 30]))
    if h < 300:
        plane.fill(plane.ellipse((0, 0), (upper, 62), 2.4), MUSCLE if h < 96 else FAT)
    if 170 < h < 190:
        plane.fill(plane.ellipse((6, -20), (40, 15)), BLOOD)  # pulmonary arteries
    heart = (h - 238) / 64
    if abs(heart) < 1:
        size = float(np.sqrt(1 - heart**2))
        plane.fill(plane.ellipse((24, -28), (66 * size, 50 * size), 2.2), FAT)
        plane.fill(plane.ellipse((24, -26), (62 * size, 46 * size), 2.2), BLOOD)
    if 132 < h < 152:
        arch = np.array([(-8.0, -34.0), (12.0, -12.0), (26.0, 18.0), (25.0, 36.0)])
        plane.fill(plane.lines([arch], [25]), BLOOD)
    if h >= 140:
        plane.fill(plane.ellipse((24, 40), (12.5, 12.5)), BLOOD)  # descending aorta
    if 140 <= h < 200:
        plane.fill(plane.ellipse((-8, -34), (15, 15)), BLOOD)  # ascending aorta
    if h < 132:
        for x, y in ((-20, -22), (-4, -24), (18, -4), (-26, -4)):
            plane.fill(plane.ellipse((x, y), (5.5, 5.5)), BLOOD)
    elif h < 210:
        plane.fill(plane.ellipse((-25, -18), (9, 9)), BLOOD)  # superior vena cava
    plane.fill(plane.ellipse((6, 30), (8, 5)), MUSCLE)
    if h < 168:
        plane.fill(plane.ellipse((-2, 12), (10.5, 10.5)), MUSCLE)
        plane.fill(plane.ellipse((-2, 12), (8.8, 8.8)), AIR)
    elif h < 196:
        apart = 10 + 0.9 * (h - 168)
        for side in (-1, 1):
            plane.fill(plane.ellipse((side * apart - 2, 12), (8.5, 7.5)), MUSCLE)
            plane.fill(plane.ellipse((side * apart - 2, 12), (7, 6)), AIR)


def _skeleton(plane: _Slice, wide: float) -> None:
    """Spine, breastbone and the pieces of ribs that cross the slice."""
    h = plane.height
    half, deep = _cage(h, wide)
    disc = (h % 23.6) / 23.6 < 0.2
    body = float(np.interp(h, [60, 330], [15, 19]))
    plane.fill(plane.ellipse((0, 64), (body, 15), 2.4), 90 if disc else COMPACT * 0.6)
    plane.fill(plane.ellipse((0, 64), (body - 1.6, 13.4), 2.4), 90 if disc else MARROW)
    arch = np.array([(-12.0, 74.0), (-13.0, 86.0), (0.0, 97.0), (13.0, 86.0), (12.0, 74.0)])
    plane.fill(plane.lines([arch], [5]), COMPACT * 0.6)
    plane.fill(plane.ellipse((0, 86), (8, 7.5)), 25)  # spinal canal
    plane.fill(plane.lines([np.array([(0.0, 97.0), (0.0, 112.0)])], [5]), MARROW + 150)
    if 100 < h < 262:
        plane.fill(plane.ellipse((0, 3 - deep), (19, 6), 2.4), COMPACT * 0.5)
        plane.fill(plane.ellipse((0, 3 - deep), (17, 4.4), 2.4), MARROW - 60)
    angle = np.radians(np.linspace(8, 140, 240))
    for number in range(1, 13):
        drop = float(np.interp(number, [1, 4, 8, 12], [40, 74, 96, 92]))
        at = 46 + 23.6 * (number - 1) + drop * (1 - np.cos(angle)) / 2
        near = np.flatnonzero(np.abs(at - h) < 5.5)
        if len(near) < 2:
            continue
        for side in (-1, 1):
            # the chest wall is an ellipse with its middle 6 mm behind the origin
            x = side * (half + 4.5) * np.sin(angle[near]) ** 0.87
            back = np.cos(angle[near])
            y = 6 + (deep + 4.5) * np.sign(back) * np.abs(back) ** 0.87
            line = np.stack([x, y], axis=1)
            plane.fill(plane.lines([line], [7.5]), COMPACT)
            plane.fill(plane.lines([line], [4.0]), MARROW)


def _pad(plane: _Slice) -> None:
    """The calibration pad under the back, its rods, and the table top."""
    plane.fill(plane.ellipse((0, PAD_MIDDLE_MM), (70, 14), 6.0), PAD)
    for x, value in RODS.values():
        plane.fill(plane.ellipse((x, PAD_MIDDLE_MM), (ROD_RADIUS_MM, ROD_RADIUS_MM)), value)
    table = np.stack([np.linspace(-185, 185, 40), 162 - (np.linspace(-185, 185, 40) / 60) ** 2], 1)
    plane.fill(plane.lines([table], [3.0]), -180)


def _vessels(generator: np.random.Generator) -> FloatTable:
    """Pieces of the vessels of both lungs: (k, 10), two ends of x, y, z, radius, weight."""

    def inside(points: FloatTable) -> npt.NDArray[np.bool_]:
        half = np.interp(points[:, 2], [60, 98, 130, 180, 300], [62, 101, 116, 127, 134]) - 8
        return np.asarray(
            ((points[:, 0] / half) ** 2 + (points[:, 1] / 74) ** 2 < 1) & (points[:, 2] > 64)
        )

    pieces = [
        np.hstack([starts, ends])
        for side in (-1, 1)
        for starts, ends in grow(VESSELS, side, inside, generator)
    ]
    return np.vstack(pieces)
