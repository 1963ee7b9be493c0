"""Small pictures to train on, made in code."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from detector.dataset.sample import Dataset
from detector.dataset.sources import read_dataset
from detector.training.augment import Prepared, prepare
from detector.training.fitting import Recipe
from tests.detector.labelled_images import radiograph, write_export

SHORT = Recipe(input_size=128, epochs=2, images_per_epoch=8, batch=4)
"""Two epochs of two steps."""


def patches(folder: Path, count: int) -> Path:
    """An export of so many patients: of three, two have a bright patch and one has none."""
    random = np.random.default_rng(0)
    images = []
    for i in range(count):
        x, y, w, h = (int(v) for v in (*random.integers(10, 60, 2), *random.integers(30, 50, 2)))
        image = {"name": f"{i}.png", "picture": radiograph(i, (x, y, w, h) if i % 3 else None)}
        if i % 3:
            image["boxes"] = [(1, x, y, w, h)]
        else:
            image["reviewed_negative"] = True
        images.append(image)
    return write_export(folder, images)


def material(folder: Path, count: int = 12, size: int = 128) -> tuple[Dataset, list[Prepared]]:
    data = read_dataset(patches(folder, count))
    return data, prepare(data.samples, size, lambda _: None)
