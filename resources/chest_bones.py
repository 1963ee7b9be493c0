"""Ribs, collar bones, shoulder blades and spine of the chest phantom, as extra path of bone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from resources.chest_anatomy import LEFT, RIGHT, Build, Torso
from resources.projection import FloatArray, Plane, Tubes, polygon, smooth_curve

RIBS = 12
FIRST_VERTEBRA_MM = 53.0
CORTEX_MM = 1.0
CORTICAL, SPONGY = 2.6, 0.62  # extra attenuation over water, per mm of water


def bones(plane: Plane, build: Build, torso: Torso, generator: np.random.Generator) -> FloatArray:
    """Extra water-equivalent path of the skeleton, mm."""
    flat = Tubes(plane, (4.0, 5.5, 7.0, 9.0))
    _ribs(flat, build, torso, plane, generator)
    round_ = Tubes(plane, (2.0, 4.0, 6.0, 8.0, 12.0))
    plates = plane.empty()
    for side in (RIGHT, LEFT):
        _collar_bone(round_, build, side, generator)
        plates += _shoulder(round_, plane, build, side, generator)
    _processes(round_, generator)
    ribs = 0.66 * _shell(flat, rise_mm=0.35)
    total = ribs + _shell(round_) + plates + _vertebrae(plane, generator) + _breastbone(plane)
    return np.asarray(total * build.bone, np.float32)


def rib_points(
    number: int, side: int, build: Build, torso: Torso, plane: Plane
) -> npt.NDArray[np.float64]:
    """Centre line of one rib in mm, from the spine round to its cartilage; (k, 3) x, y, z."""
    start = FIRST_VERTEBRA_MM + 23.6 * (number - 1) + 0.35 * (build.domes[0] - 296)
    drop = build.rib_slope * float(np.interp(number, [1, 2, 4, 8, 12], [34, 52, 74, 96, 92]))
    at = start + drop / 2
    half = float(np.interp(at, plane.z[:, 0], torso.lateral[:, 0])) - 1.5
    deep = 4.0 + float(np.interp(at, plane.z[:, 0], torso.depth[:, 0]))
    end = float(np.interp(number, [1, 2, 6, 9, 10, 11, 12], [150, 146, 134, 122, 116, 88, 62]))
    angle = np.radians(np.linspace(np.degrees(np.arcsin(17 / half)), end, 90))
    x = half * np.sin(angle) ** 0.92
    height = start + drop * (1 - np.cos(angle)) / 2 + 5 * np.sin(angle) ** 2 - 5 * np.sin(2 * angle)
    return np.stack([side * x, -deep * np.cos(angle), height], axis=1)


def _ribs(
    tubes: Tubes, build: Build, torso: Torso, plane: Plane, generator: np.random.Generator
) -> None:
    for side in (RIGHT, LEFT):
        for number in range(1, RIBS + 1):
            points = rib_points(number, side, build, torso, plane)
            points[:, 2] += generator.normal(0, 1.2)
            points[:, 2] += generator.normal(0, 1.0) * np.sin(np.linspace(0, 3 * np.pi, 90))
            along = np.linspace(0, 1, 90)
            radius = np.interp(along, [0, 0.1, 0.4, 0.62, 0.85, 1], [4.6, 5.6, 4.8, 4.0, 6.4, 7.2])
            if number == 1:
                radius = radius + 1.6
            if number > 10:
                radius = radius * 0.85
            # towards the cartilage the bone thins out
            weight = np.interp(along, [0, 0.06, 0.62, 0.9, 1], [0.7, 1.0, 0.92, 0.55, 0.15])
            tubes.add(points, radius, weight)


def _collar_bone(tubes: Tubes, build: Build, side: int, generator: np.random.Generator) -> None:
    lift = generator.normal(0, 4)
    w = build.width
    knots = [
        (side * 17, 60, 98),
        (side * 42 * w, 66, 93 + 0.2 * lift),
        (side * 80 * w, 62, 84 + 0.6 * lift),
        (side * 118 * w, 40, 71 + lift),
        (side * 152 * w, 18, 66 + lift),
        (side * 182 * w, 8, 72 + lift),
    ]
    radius = np.interp(np.linspace(0, 1, 60), [0, 0.12, 0.5, 0.85, 1], [8.0, 6.2, 5.2, 6.0, 6.5])
    tubes.add(smooth_curve(knots), radius, 1.0)


def _shoulder(
    tubes: Tubes, plane: Plane, build: Build, side: int, generator: np.random.Generator
) -> FloatArray:
    """Shoulder blade and head of the humerus; the flat of the blade comes back as a plate."""
    out = 8 * (build.width - 1) * 12 + generator.normal(-7, 5)
    corner = {
        "upper": (side * (124 + out), 84.0),
        "lower": (side * (150 + out), 232.0),
        "socket": (side * (178 + out), 128.0),
        "neck": (side * (166 + out), 104.0),
        "spine": (side * (134 + out), 118.0),
        "roof": (side * (200 + out), 76.0),
        "beak": (side * (162 + out), 92.0),
    }
    blade = [corner[name] for name in ("upper", "neck", "socket", "lower")]
    bend = [(side * (126 + out), 150.0), (side * (138 + out), 200.0)]
    inner = [corner["upper"], *bend, corner["lower"]]
    lines: list[tuple[list[tuple[float, float]], float, float]] = [
        (inner, 2.2, 0.45),
        ([corner["lower"], (side * (164 + out), 176.0), corner["socket"]], 3.4, 0.55),
        ([corner["upper"], corner["neck"]], 2.4, 0.4),
        ([corner["spine"], corner["neck"], corner["roof"]], 4.5, 0.5),
        ([corner["neck"], corner["beak"]], 5.5, 0.6),
        ([corner["neck"], corner["socket"]], 4.5, 0.6),
    ]
    for knots, radius, weight in lines:
        tubes.add(smooth_curve([(x, -60.0, z) for x, z in knots]), radius, weight)
    head = side * (203 + out)
    shaft = [(head, 108), (head + side * 6, 128), (head + side * 16, 200), (head + side * 26, 330)]
    tubes.add(smooth_curve([(x, 0, z) for x, z in shaft]), 12.0, 0.45)
    plate = plane.blur(polygon(plane, blade), 0.6) * np.float32(4.0)
    radius = np.hypot(plane.x - np.float32(head), plane.z - np.float32(112))
    ball = np.sqrt(np.maximum(23.0**2 - radius**2, 0)) * 2 * 0.22
    rim = np.exp(-(((radius - 22.2) / 1.0) ** 2)) * 4.0 * (plane.z < 128)
    return np.asarray(plate + ball + rim, np.float32)


def _vertebrae(plane: Plane, generator: np.random.Generator) -> FloatArray:
    """Bodies with their end plates, arch roots as rings, and the spinous processes."""
    total = plane.empty()
    sway = generator.normal(0, 2.0)
    near = np.flatnonzero(np.abs(plane.x[0]) < 40)
    columns = slice(near[0], near[-1] + 1)
    for number in range(-1, 17):
        centre = FIRST_VERTEBRA_MM + 4 + 23.6 * (number - 1)
        rows = slice(*np.searchsorted(plane.z[:, 0], [centre - 25, centre + 25]))
        x = plane.x[:, columns] - np.float32(sway * np.sin(centre / 120))
        z = plane.z[rows] - np.float32(centre)
        half = float(np.interp(number, [-1, 1, 12, 16], [14, 15, 20, 22]))
        total[rows, columns] += _vertebra(np.abs(x), z, half)
    return plane.blur(total, 0.5)


def _vertebra(across: FloatArray, z: FloatArray, half: float) -> FloatArray:
    """One vertebra around its middle; ``across`` is the distance from the midline, mm."""
    tall = 9.2
    waist = half - 2.0 * np.clip(1 - (z / tall) ** 2, 0, 1)
    inside = np.clip((waist - across) / 1.5 + 0.5, 0, 1) * np.clip((tall - abs(z)) / 2 + 0.5, 0, 1)
    plates = np.exp(-(((abs(z) - tall) / 1.1) ** 2)) * np.clip((half + 1 - across) / 1.5, 0, 1)
    sides = np.exp(-(((across - waist) / 1.1) ** 2)) * np.clip((tall - abs(z)) / 1.5, 0, 1)
    ring = np.hypot((across - 0.62 * half) / 0.8, z + 3)
    spinous = np.hypot(across / 0.6, (z - 12) / 1.4)
    bone = 5.0 * inside + 3.0 * plates + 3.0 * sides
    bone = bone + 4.0 * np.exp(-(((ring - 4.4) / 1.2) ** 2))
    return np.asarray(bone + 6.0 * np.clip((4.6 - spinous) / 1.5, 0, 1), np.float32)


def _processes(tubes: Tubes, generator: np.random.Generator) -> None:
    for side in (RIGHT, LEFT):
        for number in range(0, RIBS + 3):
            centre = FIRST_VERTEBRA_MM + 23.6 * (number - 1)
            reach = float(np.interp(number, [0, 1, 12], [26, 32, 24])) + generator.normal(0, 1)
            knots = [(side * 9, -40, centre + 1), (side * reach, -55, centre - 4)]
            tubes.add(smooth_curve(knots), 4.4, 0.6)


def _breastbone(plane: Plane) -> FloatArray:
    """The manubrium, all that is seen of the breastbone from the front."""
    outline = [(-26, 92), (-8, 97), (8, 97), (26, 92), (24, 112), (15, 148), (-15, 148), (-24, 112)]
    return np.asarray(plane.blur(polygon(plane, outline), 1.0) * 2.5, np.float32)


def _shell(tubes: Tubes, rise_mm: float = 0.0) -> FloatArray:
    """Compact bone around spongy bone; the marrow a little high, the lower rim thicker."""
    outer = tubes.path()
    inner = np.minimum(tubes.path(CORTEX_MM, rise_mm), outer)
    return np.asarray(CORTICAL * (outer - inner) + SPONGY * inner, np.float32)
