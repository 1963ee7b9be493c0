"""Training images: kept at the working size, varied anew each time they are drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from detector.dataset.sample import LabelledBox, Sample
from detector.networks.network import Target
from detector.preprocess import Geometry, to_square
from detector.training.distributed import ALONE, Team
from detector.training.squares import MOST_IN_MEMORY, Square, SquareFile

Progress = Callable[[str], None]
AUGMENTATIONS = ("mild", "strong")
_LEAST_VISIBLE = 0.25
"""A box of which less is left inside the picture after a shift or zoom is no longer an object."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A sample as the network sees it.

    Attributes
    ----------
    pixels : (size, size) uint8, or (size, size, 3) where the network reads colour.
    geometry : how the square lies in the frame.
    """

    sample: Sample
    pixels: npt.NDArray[np.uint8]
    geometry: Geometry


def prepare(
    samples: Sequence[Sample],
    size: int,
    progress: Progress,
    *,
    channels: int = 1,
    folder: Path | None = None,
    team: Team = ALONE,
) -> list[Prepared]:
    """Decode and reduce each image once.

    Parameters
    ----------
    folder : where the squares go that are too many for memory, or that a team shares; None keeps
        them in memory.

    Raises
    ------
    DatasetError
        Where a file cannot be read.
    DetectorError
        Where `folder` cannot be written.
    """
    shape = (size, size) if channels == 1 else (size, size, channels)

    def make(sample: Sample) -> tuple[Square, Geometry]:
        square, geometry = to_square(sample.load(), size, channels)
        return np.round(square * 255.0).astype(np.uint8), geometry

    def tell(count: int) -> None:
        if count % 100 == 0 or count == len(samples):
            progress(f"images read: {count} of {len(samples)}")

    large = len(samples) * math.prod(shape) > MOST_IN_MEMORY
    if folder is None or not (large or team.size > 1):
        prepared = []
        for count, sample in enumerate(samples, start=1):
            prepared.append(Prepared(sample, *make(sample)))
            tell(count)
        return prepared
    file = SquareFile(folder, samples, shape)
    if team.first:
        file.filled(make, tell)
    team.from_first(None)  # the others wait
    squares, geometries = file.read()
    return [Prepared(*item) for item in zip(samples, squares, geometries, strict=True)]


def as_images(prepared: Sequence[Prepared], device: str = "cpu") -> Tensor:
    """(B, channels, S, S) float32 in 0..1, unchanged, as a network wants them."""
    images = torch.stack([_image(item.pixels) for item in prepared]).to(device)
    return images.contiguous(memory_format=torch.channels_last)


def _image(pixels: Square) -> Tensor:
    """(channels, S, S) float32 in 0..1."""
    planes = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, 2, 0)
    return torch.from_numpy(planes.astype(np.float32)) / 255.0


def _mild() -> tuple[v2.Transform, v2.Transform]:
    """Changes of the place, which take the boxes along, and changes of the tone."""
    geometric = v2.Compose([
        v2.RandomHorizontalFlip(0.5),
        v2.RandomAffine(
            degrees=7, translate=(0.08, 0.08), scale=(0.85, 1.2),
            interpolation=v2.InterpolationMode.BILINEAR,
        ),
    ])  # fmt: skip
    return geometric, v2.ColorJitter(brightness=0.15, contrast=0.25)


def _strong() -> tuple[v2.Transform, v2.Transform]:
    geometric = v2.Compose([
        v2.RandomHorizontalFlip(0.5),
        v2.RandomAffine(
            degrees=10, translate=(0.1, 0.1), scale=(0.75, 1.35),
            interpolation=v2.InterpolationMode.BILINEAR,
        ),
    ])  # fmt: skip
    tonal = v2.Compose(
        [
            v2.ColorJitter(brightness=0.2, contrast=0.35),
            v2.RandomApply([v2.GaussianBlur(3, (0.3, 1.2))], p=0.2),
            v2.RandomApply([v2.GaussianNoise(mean=0.0, sigma=0.03)], p=0.2),
        ]
    )
    return geometric, tonal


class Augmenter:
    """Flip, shift, zoom, small rotation, contrast and gamma, the boxes going along.

    Parameters
    ----------
    categories, image_classes : the order in which the network answers.
    augmentation : one of `AUGMENTATIONS`; "strong" goes further and adds blur and noise.
    """

    def __init__(
        self, categories: Sequence[str], image_classes: Sequence[str], augmentation: str = "mild"
    ):
        self._categories = tuple(categories)
        self._image_classes = tuple(image_classes)
        self._geometric, self._tonal = _strong() if augmentation == "strong" else _mild()

    def __call__(self, item: Prepared, generator: torch.Generator) -> tuple[Tensor, Target]:
        """(channels, S, S) float32 in 0..1 and what is on it, after a random change."""
        image = _image(item.pixels)
        sample, size = item.sample, image.shape[-1]
        count = len(sample.objects)
        boxes = tv_tensors.BoundingBoxes(
            self._corners(item, (*sample.objects, *sample.rejected)),
            format=tv_tensors.BoundingBoxFormat.XYXY, canvas_size=(size, size),
            clamping_mode=None,
        )  # fmt: skip
        image, moved = self._geometric(tv_tensors.Image(image), boxes)
        gamma = float(2.0 ** (torch.rand((), generator=generator) * 1.2 - 0.6))
        image = self._tonal(image).as_subclass(Tensor).clamp(0.0, 1.0) ** gamma
        corners, kept = _inside(moved.as_subclass(Tensor), size)
        names = torch.tensor(
            [self._categories.index(o.category) for o in (*sample.objects, *sample.rejected)],
            dtype=torch.int64,
        )
        known = [sample.image_classes.get(name) for name in self._image_classes]
        target = Target(
            corners[:count][kept[:count]], names[:count][kept[:count]],
            corners[count:][kept[count:]], names[count:][kept[count:]],
            torch.tensor([sample.weight_of(c) for c in self._categories]),
            torch.tensor([float("nan") if k is None else float(k) for k in known]),
        )  # fmt: skip
        return image, target

    @staticmethod
    def _corners(item: Prepared, boxes: Sequence[LabelledBox]) -> Tensor:
        corners = [item.geometry.to_input(b.box) for b in boxes]
        return torch.tensor(corners, dtype=torch.float32).reshape(-1, 4)


def _inside(corners: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """The boxes clipped to the picture, and which of them still show enough."""
    clipped = corners.clamp(0.0, float(size))
    area = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    left = (clipped[:, 2] - clipped[:, 0]) * (clipped[:, 3] - clipped[:, 1])
    return clipped, (left >= _LEAST_VISIBLE * area) & (left > 4.0)


def draw(prepared: Sequence[Prepared], count: int, generator: torch.Generator) -> list[int]:
    """Which images the next epoch shows: `count` indices.

    45 % show objects, 30 % are read and free of them, 25 % have image-level classes alone; the
    share of a kind that is absent goes to the others. Each kind is gone through in full before
    it is shuffled again.
    """
    kinds: dict[str, list[int]] = {"objects": [], "negative": [], "weak": []}
    for index, item in enumerate(prepared):
        sample = item.sample
        read = bool(sample.complete) or bool(sample.rejected)
        kinds["objects" if sample.objects else "negative" if read else "weak"].append(index)
    shares = {"objects": 0.45, "negative": 0.30, "weak": 0.25}
    present = {kind: members for kind, members in kinds.items() if members}
    total = sum(shares[kind] for kind in present)
    chosen: list[int] = []
    for kind, members in present.items():
        last = kind == list(present)[-1]  # which takes what rounding left
        wanted = count - len(chosen) if last else round(count * shares[kind] / total)
        while wanted > 0:
            order = torch.randperm(len(members), generator=generator).tolist()[:wanted]
            chosen.extend(members[i] for i in order)
            wanted -= len(order)
    return [chosen[i] for i in torch.randperm(len(chosen), generator=generator).tolist()]
