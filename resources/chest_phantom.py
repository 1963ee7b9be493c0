"""A chest radiograph that nobody ever stood for.

An imagined chest is put together from solids (chest_anatomy, chest_bones, chest_vessels), its
attenuation summed along the rays, exposed with scatter and quantum noise, and processed to a
12-bit picture the way a detector's console does it. No image of a person goes into it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from detector.types import Box
from resources.chest_anatomy import LEFT, RIGHT, Build, Torso, breasts, torso
from resources.chest_bones import bones
from resources.chest_vessels import airways, vessels, windpipe
from resources.projection import FIELD_MM, FloatArray, Plane, as_float

LARGEST_VALUE = 4095
WATER_PER_MM = 0.0175  # attenuation of water in a filtered 120 kV beam
MODEL_SIZE = 1024  # the solids are summed at 0.42 mm, noise and blur come at full resolution


@dataclass(frozen=True, eq=False)
class Opacity:
    """A consolidation: how much of the air along each ray it has replaced."""

    path: FloatArray  # mm of water
    seen: npt.NDArray[np.bool_]  # where a reader would say it is


def chest_radiograph(
    seed: int, opacity: bool, size: int = 2048
) -> tuple[npt.NDArray[np.uint16], Box | None]:
    """Make a posteroanterior chest radiograph.

    Parameters
    ----------
    seed : the person and the exposure; the same seed gives the same pixels.
    opacity : whether one lung holds a patchy consolidation. Everything else stays the same.
    size : rows and columns, at least 256.

    Returns
    -------
    (size, size) uint16 with values 0..4095, bright where dense (MONOCHROME2), and the box around
    the opacity in its pixels, None without one.
    """
    if size < 256:
        raise ValueError(f"a radiograph of {size} pixels would show nothing; 256 is the least")
    plane = Plane(min(size, MODEL_SIZE))
    streams = {name: np.random.default_rng([seed, index]) for index, name in enumerate(
        ("build", "bones", "vessels", "tissue", "opacity", "posture", "noise"))}  # fmt: skip
    build = Build.random(streams["build"])
    parts = torso(plane, build)
    consolidation = _consolidation(plane, parts, streams["opacity"]) if opacity else None
    path = _water_path(plane, build, parts, consolidation, streams)
    posture = _posture(size, plane.size, streams["posture"])
    exposed = _expose(_move(path, posture), build, streams["noise"])
    if consolidation is None:
        return exposed, None
    moved = _move(consolidation.seen.astype(np.float32), posture) > 0.5
    rows, columns = np.flatnonzero(moved.any(axis=1)), np.flatnonzero(moved.any(axis=0))
    box = Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    return exposed, box


def _water_path(
    plane: Plane,
    build: Build,
    parts: Torso,
    consolidation: Opacity | None,
    streams: dict[str, np.random.Generator],
) -> FloatArray:
    """Sum of everything along the rays, as mm of water."""
    tissue = streams["tissue"]
    air = np.float32(1 - build.lung_density)
    # lungs are denser towards their bases, and never even
    weave = 0.010 * plane.clouds(tissue, 9) + 0.012 * plane.clouds(tissue, 4)
    weave += 0.020 * plane.clouds(tissue, 40) + 0.05 * (0.45 - plane.z / FIELD_MM)
    lungs = parts.lungs * (air + weave * np.clip(parts.lungs / 80, 0, 1))
    blood = np.minimum(vessels(plane, parts, streams["vessels"]) * 1.7 * air, 0.8 * lungs)
    if consolidation is not None:
        filled = consolidation.path / np.maximum(lungs, 1)
        blood *= np.clip(1 - 1.1 * filled, 0, 1)
        lungs = lungs - consolidation.path
    flesh = parts.body * (1 + 0.018 * plane.clouds(tissue, 60) + 0.010 * plane.clouds(tissue, 14))
    total = flesh + breasts(plane, build) + bones(plane, build, parts, streams["bones"])
    total += blood - lungs - 1.15 * windpipe(plane) - parts.gas
    total += 0.6 * plane.clouds(tissue, 5) * np.clip(parts.body / 60, 0, 1)
    return as_float(np.maximum(total, 0) * (parts.body > 1) + _marker(plane, build))


def _marker(plane: Plane, build: Build) -> FloatArray:
    """The lead letter that tells the patient's right, in the corner of the picture."""
    letter = np.zeros((plane.size, plane.size), np.uint8)
    at = plane.pixels(np.array([build.marker_mm]))[0]
    scale = plane.size / 1024
    place = (round(at[0]), round(at[1]))
    cv2.putText(letter, "R", place, cv2.FONT_HERSHEY_SIMPLEX, 1.3 * scale, 255,
                max(1, round(5 * scale)), cv2.LINE_AA)  # fmt: skip
    return as_float(letter) * np.float32(600 / 255)


def _consolidation(plane: Plane, parts: Torso, generator: np.random.Generator) -> Opacity:
    """A patchy consolidation of one lung: soft edges, lumps, airways still open inside."""
    lung = parts.right_lung if generator.random() < 0.55 else parts.left_lung
    side = RIGHT if lung is parts.right_lung else LEFT
    wide, tall = generator.uniform(42, 58), generator.uniform(48, 74)
    x, z = _clear_place(plane, lung, side, generator)
    turn = generator.uniform(-30, 30)
    u = (plane.x - x) * np.cos(np.radians(turn)) + (plane.z - z) * np.sin(np.radians(turn))
    v = (plane.z - z) * np.cos(np.radians(turn)) - (plane.x - x) * np.sin(np.radians(turn))
    distance = np.sqrt((u / wide) ** 2 + (v / tall) ** 2)
    distance = distance + 0.16 * plane.clouds(generator, 34) + 0.07 * plane.clouds(generator, 12)
    # a dense middle fading into haze, as infection spreads from lobule to lobule
    body = np.clip((1.1 - distance) / 0.95, 0, 1)
    body = body * body * (3 - 2 * body)
    lumps = 0.88 + 0.12 * plane.clouds(generator, 15) + 0.11 * plane.clouds(generator, 6)
    filled = np.clip(body * np.clip(lumps, 0.25, 1.2) * generator.uniform(0.48, 0.70), 0, 0.9)
    path = filled * lung * 0.75
    open_airways = airways(plane, parts, generator)
    path = np.maximum(path - 0.8 * open_airways * (filled > 0.1), 0.25 * path)
    path = plane.blur(np.asarray(path, np.float32), 0.7)
    broad = plane.blur(path, 3.0)
    return Opacity(path, broad > 0.28 * np.percentile(broad[broad > 1], 95))


def _clear_place(
    plane: Plane, lung: FloatArray, side: int, generator: np.random.Generator
) -> tuple[float, float]:
    """A middle for the opacity, x and z in mm: the airiest of a few, not one behind the heart."""
    upper, lower = ((118, 168), (190, 272))[int(generator.random() < 0.7)]
    places = [(side * generator.uniform(64, 94), generator.uniform(upper, lower)) for _ in range(4)]
    air = plane.blur(lung, 25.0)
    columns, rows = np.round(plane.pixels(np.array(places))).astype(int).T
    return places[int(np.argmax(air[rows, columns]))]


def _posture(size: int, model_size: int, generator: np.random.Generator) -> tuple[FloatArray, ...]:
    """Where each pixel of the picture comes from: a small turn, shift and unevenness.

    Real people do not stand in front of the detector as drawings do.
    """
    turn = np.radians(generator.normal(0, 0.8))
    shift = generator.normal(0, 4, 2) * size / FIELD_MM
    grid = (np.arange(size, dtype=np.float32) - np.float32((size - 1) / 2)).reshape(1, -1)
    scale = model_size / size / generator.uniform(1.06, 1.16)  # nearer than the whole plane
    cells = (5, 5)
    bend = [
        cv2.resize(
            generator.normal(0, 2.6, cells).astype(np.float32) * np.float32(size / FIELD_MM),
            (size, size), interpolation=cv2.INTER_CUBIC,
        )
        for _ in range(2)
    ]  # fmt: skip
    x = np.cos(turn) * grid - np.sin(turn) * grid.T + shift[0] + bend[0]
    y = np.sin(turn) * grid + np.cos(turn) * grid.T + shift[1] + bend[1]
    middle = (model_size - 1) / 2
    return (x * scale + middle).astype(np.float32), (y * scale + middle).astype(np.float32)


def _move(picture: FloatArray, posture: tuple[FloatArray, ...]) -> FloatArray:
    moved = cv2.remap(
        picture, posture[0], posture[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return as_float(moved)


def _expose(
    path: FloatArray, build: Build, generator: np.random.Generator
) -> npt.NDArray[np.uint16]:
    """From water path to the picture: beam, scatter, quanta, and the console's processing."""
    plane = Plane(path.shape[0])
    primary = as_float(cv2.exp(-WATER_PER_MM * np.maximum(path, 0)))
    received = primary + 0.30 * plane.blur(primary, 22.0)
    quanta = 9000.0 * (2048 / plane.size) ** 2  # in a pixel of open beam
    noise = generator.standard_normal(path.shape, dtype=np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 0.6) * np.float32(1.6)
    signal = as_float(-cv2.log(received)) + noise / as_float(cv2.sqrt(received * quanta))
    low, high = np.percentile(signal[::8, ::8], (12, 92))
    signal = as_float((signal - np.float32(low)) / np.float32(high - low))
    # consoles flatten the large steps and sharpen the small ones
    broad = plane.blur(signal, 28.0)
    fine = signal - plane.blur(signal, 2.5)
    tone = 0.80 * broad + 1.0 * (signal - broad) + 0.45 * fine
    curve = 1 / (1 + cv2.exp(-4.6 * build.contrast * (tone - 0.43 + build.brightness)))
    return np.asarray(np.clip(np.rint(curve * LARGEST_VALUE), 0, LARGEST_VALUE), np.uint16)
