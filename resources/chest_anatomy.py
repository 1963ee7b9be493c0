"""The proportions of one imagined chest, and the shapes of its soft parts.

All numbers are those of a textbook adult; nothing is measured on, or fitted to, anyone's images.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from resources.projection import FloatArray, Plane, as_float, ellipsoid, slab, union

RIGHT, LEFT = -1, 1  # the patient's sides as signs of x: the right is on the left of the picture


@dataclass(frozen=True)
class Build:
    """What differs from one imagined person, and one exposure, to the next."""

    width: float  # 1 is the textbook adult
    heart: float
    knob: float
    depth: float  # of the body, front to back
    domes: tuple[float, float]  # height of the right and left diaphragm, z in mm
    rib_slope: float
    bone: float
    breast_mm: float  # 0 for a flat chest
    lung_density: float
    stomach: float  # size of the gas bubble, 0 for none
    apex: float  # z of the lung tops, mm
    spread: float  # how far the arms are held off
    contrast: float
    brightness: float
    marker_mm: tuple[float, float]  # x, z of the lead letter

    @staticmethod
    def random(generator: np.random.Generator) -> Build:
        def about(middle: float, deviation: float) -> float:
            return middle + deviation * float(np.clip(generator.standard_normal(), -1.8, 1.8))

        dome = about(296, 9)
        return Build(
            width=about(1.0, 0.035),
            heart=about(1.0, 0.06),
            knob=about(1.0, 0.12),
            depth=about(1.0, 0.05),
            domes=(dome, dome + about(11, 4)),
            rib_slope=about(1.0, 0.12),
            bone=about(1.0, 0.12),
            breast_mm=float(generator.choice([0.0, generator.uniform(22, 40)])),
            lung_density=about(0.25, 0.015),
            stomach=float(generator.choice([0.0, generator.uniform(0.6, 1.2)])),
            apex=about(60, 3),
            spread=about(0.0, 6.0),
            contrast=about(1.0, 0.07),
            brightness=about(0.0, 0.02),
            marker_mm=(about(-168, 5), about(52, 4)),
        )


@dataclass(frozen=True, eq=False)
class Torso:
    """Paths of one ray field through the soft parts, in mm."""

    body: FloatArray
    lungs: FloatArray  # both, what mediastinum and diaphragm leave of them
    right_lung: FloatArray
    left_lung: FloatArray
    lateral: FloatArray  # (size, 1): half-width of the rib cage, mm
    depth: FloatArray  # (size, 1): half-depth of the rib cage, mm
    gas: FloatArray  # trachea is with the airways; this is gas in the stomach


def rib_cage(plane: Plane, build: Build) -> tuple[FloatArray, FloatArray]:
    """Half-width and half-depth of the rib cage by height, mm, (size, 1) each."""
    w, top = build.width, build.apex
    lateral = plane.along_z(
        [(top - 14, 56), (top, 72 * w), (top + 16, 87 * w), (top + 38, 103 * w),
         (top + 70, 117 * w), (180, 127 * w), (240, 134 * w), (300, 138 * w), (350, 141 * w),
         (430, 141 * w)], 7
    )  # fmt: skip
    depth = plane.along_z(
        [(top, 30), (90, 52), (130, 72), (190, 87), (270, 94), (340, 94), (430, 90)], 14
    )
    return lateral, depth * np.float32(build.depth)


def torso(plane: Plane, build: Build) -> Torso:
    lateral, depth = rib_cage(plane, build)
    middle = mediastinum(plane, build)
    sides = {}
    for side in (RIGHT, LEFT):
        full = _lung_space(plane, build, side, lateral, depth)
        below = _below_dome(plane, build, side, full)
        above = full - union(middle * _above_dome(plane, build, side), below)
        sides[side] = np.maximum(above, 0)
    return Torso(
        body=_body(plane, build),
        lungs=sides[RIGHT] + sides[LEFT],
        right_lung=sides[RIGHT],
        left_lung=sides[LEFT],
        lateral=lateral,
        depth=depth,
        gas=_stomach(plane, build),
    )


def mediastinum(plane: Plane, build: Build) -> FloatArray:
    """Great vessels, heart and the tissue around the spine, mm."""
    h, k, w = build.heart, build.knob, build.width
    half = plane.along_z(
        [(40, 40), (62, 35), (85, 31), (110, 29), (150, 27), (260, 27), (320, 30), (430, 34)], 12
    )  # fmt: skip
    half *= np.float32(w)
    lean = plane.along_z([(60, 0), (120, -2), (200, -3), (330, 2), (430, 2)], 12)
    core = slab(plane.x - lean, half, np.full_like(half, 84.0), 1.5)
    foot = 0.35 * (sum(build.domes) / 2 - 300)
    return union(
        core,
        ellipsoid(plane, (20, 143), (24 * k, 21 * k), 30),  # aortic knob
        ellipsoid(plane, (20, 190), (29 * w, 40), 42, 12),  # pulmonary trunk
        ellipsoid(plane, (-20, 150), (18 * w, 80), 30, 0),  # superior vena cava
        ellipsoid(plane, (28 * w, 264 + foot), (80 * h, 56 * h), 70, 36),  # ventricles
        ellipsoid(plane, (-6, 256 + foot), (41 * h, 50 * h), 60, 8),  # right atrium
        ellipsoid(plane, (16, 236 + foot), (46 * h, 52 * h), 64, 40),  # left atrium, appendage
        ellipsoid(plane, (-18, 312 + foot), (24, 44), 36, -12),  # inferior vena cava
    )


def dome_height(plane: Plane, build: Build, side: int) -> FloatArray:
    """z of the top of the diaphragm at each x, (1, size) mm."""
    top = build.domes[0] if side == RIGHT else build.domes[1]
    offset = plane.x * np.float32(side) - np.float32(68 * build.width)
    outer = 44 * (np.maximum(offset, 0) / (70 * build.width)) ** 2.3
    inner = 15 * (np.minimum(offset, 0) / 60) ** 2
    return np.asarray(top + outer + inner, np.float32)


def _lung_space(
    plane: Plane, build: Build, side: int, lateral: FloatArray, depth: FloatArray
) -> FloatArray:
    """Path through the half of the rib cage that a lung would fill alone."""
    inner = plane.along_z([(build.apex, 24), (90, 19), (120, 13), (180, 9), (430, 8)], 8)
    outer = lateral - np.float32(3.0)
    centre, half = as_float((outer + inner) / 2), (outer - inner) / 2
    # the tops are domes: no lung above the apex, and a round end to it
    below_apex = as_float(np.clip((plane.z - np.float32(build.apex)) / np.float32(36), 0, 1))
    crown = np.sqrt(np.maximum(1 - (1 - below_apex) ** 2, 0))
    half *= crown**0.9
    return slab(plane.x * np.float32(side) - centre, as_float(half), as_float(depth * crown), 2.5)


def _below_dome(plane: Plane, build: Build, side: int, full: FloatArray) -> FloatArray:
    """Path through the diaphragm and what lies under it, within the lung's space.

    The dome falls away to the front and the back, so that lung remains before and behind it and
    its shadow begins at a sharp line and deepens below.
    """
    depth = np.maximum(plane.z - dome_height(plane, build, side), 0)
    # medially it is the flat middle part that meets the heart: no gutter there
    steep = np.interp(plane.x * side, [15, 55, 90], [14.0, 40.0, 62.0]).astype(np.float32)
    half = np.sqrt(depth / steep) * np.float32(88.0)
    return as_float(np.minimum(2 * half, full))


def _above_dome(plane: Plane, build: Build, side: int) -> FloatArray:
    """1 above the diaphragm, fading to 0 below it, where the heart has ended."""
    depth = plane.z - dome_height(plane, build, side)
    return as_float(np.sqrt(np.clip(1 - depth / np.float32(26), 0, 1)))


def _body(plane: Plane, build: Build) -> FloatArray:
    """Path through neck, trunk and arms as if they were all soft tissue, mm."""
    w, d = build.width, build.depth
    half = plane.along_z(
        [(0, 62), (26, 66), (44, 86), (58, 130), (70, 190), (84, 236), (120, 262), (150, 240 * w),
         (190, 184 * w), (250, 170 * w), (330, 166 * w), (430, 170 * w)], 8
    )  # fmt: skip
    deep = plane.along_z(
        [(0, 56), (50, 60), (90, 72), (140, 96), (220, 110), (320, 114), (430, 116)], 14
    )  # fmt: skip
    trunk = slab(plane.x, half, as_float(deep * np.float32(d)), 2.5)
    arms = plane.empty()
    for side in (RIGHT, LEFT):
        line = plane.along_z([(120, 226), (430, 244 + build.spread)], 16)
        thick = plane.along_z([(100, 0), (160, 50), (300, 46), (430, 44)], 10)
        arms = np.maximum(arms, slab(plane.x * np.float32(side) - line, thick, thick, 2.0))
    return np.asarray(np.maximum(trunk, arms) + 0.35 * np.minimum(trunk, arms), np.float32)


def breasts(plane: Plane, build: Build) -> FloatArray:
    """Path through the breasts, mm: fading in from above, ending at a round lower edge."""
    total = plane.empty()
    if not build.breast_mm:
        return total
    for side in (RIGHT, LEFT):
        centre = (side * 88 * build.width, max(build.domes) - 26.0 + 2.0 * side)
        shape = ellipsoid(plane, centre, (60, 56), build.breast_mm / 2)
        total += shape * np.clip((plane.z - np.float32(centre[1] - 60)) / 70, 0, 1)
    return total


def _stomach(plane: Plane, build: Build) -> FloatArray:
    if not build.stomach:
        return plane.empty()
    top = build.domes[1] + 16 + 14 * build.stomach
    bubble = ellipsoid(plane, (72, top), (30 * build.stomach, 15 * build.stomach), 26, 8)
    level = np.clip((np.float32(top + 9 * build.stomach) - plane.z) / 1.5, 0, 1)
    return np.asarray(bubble * level, np.float32)
