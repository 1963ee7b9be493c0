"""Branching trees inside the lungs of the chest phantom: vessels and airways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resources.chest_anatomy import LEFT, RIGHT, Torso
from resources.projection import FloatArray, FloatTable, Plane, Tubes, smooth_curve

Inside = Callable[[FloatTable], npt.NDArray[np.bool_]]  # (k, 3) mm to k answers

HILUM = {RIGHT: (-38.0, 196.0), LEFT: (40.0, 188.0)}  # x, z in mm
HIDDEN_MM = 34.0  # so near the hilum a branch may pass behind the mediastinum


@dataclass(frozen=True)
class Growth:
    """How a tree grows."""

    trunks: int
    trunk_radius: tuple[float, float]  # mm
    least_radius: float
    taper: float  # share of the radius lost per mm
    fork_mm: float  # mean way to the next fork


VESSELS = Growth(26, (2.2, 4.4), 0.30, 0.0065, 14.0)
AIRWAYS = Growth(7, (2.2, 3.0), 0.8, 0.006, 20.0)


def vessels(plane: Plane, torso: Torso, generator: np.random.Generator) -> FloatArray:
    """Path through blood in the lungs, mm."""
    tubes = Tubes(plane, (0.3, 0.6, 1.0, 1.6, 2.4, 3.6, 5.0))
    for side in (RIGHT, LEFT):
        for starts, ends in grow(VESSELS, side, _within(plane, torso, side), generator):
            tubes.add_pieces(starts, ends)
        x, z = HILUM[side]
        stem = [(side * 18, 0, z - 14), (x, 0, z - 4), (x + side * 6, 0, z + 14),
                (x + side * 7, 0, z + 44)]  # fmt: skip
        tubes.add(smooth_curve(stem), np.linspace(7.0, 3.2, 60), 0.75)
    return tubes.path()


def airways(plane: Plane, torso: Torso, generator: np.random.Generator) -> FloatArray:
    """Path through the air of bronchi beyond the hila, mm."""
    tubes = Tubes(plane, (0.8, 1.6, 3.0))
    for side in (RIGHT, LEFT):
        for starts, ends in grow(AIRWAYS, side, _within(plane, torso, side), generator):
            tubes.add_pieces(starts, ends)
    return tubes.path()


def windpipe(plane: Plane) -> FloatArray:
    """Path through the air of the trachea and the main bronchi, mm."""
    tubes = Tubes(plane, (5.0, 7.0, 9.0))
    tubes.add(smooth_curve([(0, 20, -10), (0, 15, 60), (-4, 5, 120), (-4, 0, 166)]), 8.4)
    for side in (RIGHT, LEFT):
        x, z = HILUM[side]
        knots = [(-4, 0, 164), (side * 14, 0, 176), (x, 0, z + 2)]
        tubes.add(smooth_curve(knots), np.linspace(6.6, 5.0, 60), np.linspace(1.0, 0.9, 60))
    return tubes.path()


def grow(
    growth: Growth, side: int, inside: Inside, generator: np.random.Generator
) -> Iterator[tuple[FloatTable, FloatTable]]:
    """Grow one lung's tree from its hilum until the twigs are thin or leave the lung.

    Yields straight pieces, generation by generation, as ``Tubes.add_pieces`` takes them.
    """
    x, z = HILUM[side]
    count = growth.trunks
    # fan from straight up, round the outer side, to straight down: more below, as blood is
    fan = (np.arange(count) + generator.uniform(0, 1, count)) / count
    fan = np.radians(np.interp(fan, [0, 0.4, 1], [-80, -5, 84]))
    heading = np.stack([side * np.cos(fan), generator.uniform(-0.7, 0.7, count), np.sin(fan)], 1)
    heading /= np.linalg.norm(heading, axis=1, keepdims=True)
    start = np.stack([np.full(count, x - side * 6), np.zeros(count), z + 26 * np.sin(fan)], 1)
    radius = generator.uniform(*growth.trunk_radius, count)
    while len(start):
        length = growth.fork_mm * generator.uniform(0.5, 1.6, len(start))
        turned = _unit(heading + generator.normal(0, 0.18, heading.shape))
        thin = radius * np.exp(-growth.taper * length)
        before = np.column_stack([start, radius, np.ones(len(start))])
        for t in (1 / 3, 2 / 3, 1.0):
            way = heading * t + (turned - heading) * t**2 / 2
            after = np.column_stack(
                [start + length[:, None] * way, radius + (thin - radius) * t, np.ones(len(start))]
            )
            near = np.hypot(after[:, 0] - x, after[:, 2] - z) < HIDDEN_MM
            within = near | inside(after[:, :3])
            yield before[within], after[within]
            before = after
        grown = within & (thin > growth.least_radius)
        start, heading, radius = _fork(before[grown, :3], turned[grown], thin[grown], generator)
        thick = radius > growth.least_radius
        start, heading, radius = start[thick], heading[thick], radius[thick]


def _unit(vectors: FloatTable) -> FloatTable:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _fork(
    point: FloatTable, heading: FloatTable, radius: FloatTable, generator: np.random.Generator
) -> tuple[FloatTable, FloatTable, FloatTable]:
    """The main branch goes on nearly straight, a thinner one leaves it (Murray's cubes)."""
    share = generator.uniform(0.12, 0.5, len(point))
    across = _unit(np.cross(heading, generator.standard_normal(heading.shape)))
    children = []
    for part, turn in ((1 - share, 0.42 * share + 0.08), (share, 0.8 * share - 0.95)):
        direction = heading * np.cos(turn)[:, None] + across * np.sin(turn)[:, None]
        children.append((point, direction, radius * np.cbrt(part)))
    first, second = children
    return (
        np.concatenate([first[0], second[0]]),
        np.concatenate([first[1], second[1]]),
        np.concatenate([first[2], second[2]]),
    )


def _within(plane: Plane, torso: Torso, side: int) -> Inside:
    lung = torso.right_lung if side == RIGHT else torso.left_lung

    def inside(points: FloatTable) -> npt.NDArray[np.bool_]:
        at = np.clip(np.round(plane.pixels(points[:, [0, 2]])), 0, plane.size - 1).astype(int)
        path = lung[at[:, 1], at[:, 0]]
        return np.asarray((path > 12) & (np.abs(points[:, 1]) < path / 2 + 6))

    return inside
