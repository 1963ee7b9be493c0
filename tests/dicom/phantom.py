"""A volume whose every value is known: a function of the place in the patient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.dicom.made_images import AXIAL, Directions, placed
from viewer.dicom.model import Frame, Image, Series, SeriesHeader, Spacing, SpacingSource
from viewer.dicom.volume import Volume, build_volume

Field = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
SLOPES, AT_ORIGIN = np.array((3.0, -2.0, 5.0)), 40.0
HEADER = SeriesHeader("R", 1, modality="CT")


def linear(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A field that trilinear interpolation gives back exactly, at points (..., 3) in mm."""
    return points @ SLOPES + AT_ORIGIN


def make_stack(
    field: Field = linear,
    *,
    corner: tuple[float, float, float] = (-20.0, 10.0, 100.0),
    directions: Directions = AXIAL,
    step: tuple[float, float, float] = (0.0, 0.0, 2.5),
    shape: tuple[int, int, int] = (12, 16, 20),
    spacing: tuple[float, float] = (0.8, 0.7),
    dtype: npt.DTypeLike = np.float32,
) -> tuple[Series, list[Frame]]:
    """A stack (images, rows, columns) with its frames, the field sampled at each voxel."""
    count, rows, columns = shape
    right, down = (np.array(direction) for direction in directions)
    images: list[Image] = []
    frames: list[Frame] = []
    for index in range(count):
        position = np.array(corner) + index * np.array(step)
        grid = (
            position
            + np.arange(rows)[:, None, None] * spacing[0] * down
            + np.arange(columns)[None, :, None] * spacing[1] * right
        )
        image = placed(f"{index}", tuple(position.tolist()), directions, index + 1)
        images.append(
            replace(
                image,
                rows=rows,
                columns=columns,
                series=HEADER,
                spacing=Spacing(*spacing, SpacingSource.PIXEL_SPACING),
            )
        )
        frames.append(Frame(field(grid).astype(dtype), f"{index}", "HU", (), False))
    return Series(HEADER, tuple(images)), frames


def make_volume(**how: Any) -> Volume:
    series, frames = make_stack(**how)
    return build_volume(series, frames.__getitem__, lambda _index, _frame: None)
