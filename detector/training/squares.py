"""Images at the working size: in memory, or in a file where they are too many for it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import astuple
from pathlib import Path

import numpy as np
import numpy.typing as npt

from detector.dataset.sample import Sample
from detector.preprocess import Geometry
from detector.types import DatasetError, DetectorError

Square = npt.NDArray[np.uint8]
MOST_IN_MEMORY = 4 * 1024**3
"""Bytes of squares that are held in memory; more go to a file that the system maps."""

_GEOMETRY = np.dtype("<f8")


class SquareFile:
    """Squares of equal shape one after the other, and beside them how each lies in its frame.

    The file grows image by image, so that a stopped reading goes on where it was.

    Parameters
    ----------
    folder : where it is kept; its name is a hash of the images' paths, sizes and dates.
    shape : (size, size) or (size, size, 3) of each square, uint8.
    """

    def __init__(self, folder: Path, samples: Sequence[Sample], shape: tuple[int, ...]):
        self._samples = samples
        self._shape = shape
        name = _fingerprint(samples, shape)
        self._pixels = folder / f"images-{name}.uint8"
        self._places = folder / f"images-{name}.geometry"

    def filled(
        self, make: Callable[[Sample], tuple[Square, Geometry]], progress: Callable[[int], None]
    ) -> None:
        """Append what `make` gives for each image that is not there yet.

        Raises
        ------
        DetectorError
            Where the file cannot be written; what is in it stays, and the next call goes on.
        """
        try:
            self._pixels.parent.mkdir(parents=True, exist_ok=True)
            with self._pixels.open("ab") as pixels, self._places.open("ab") as places:
                done = self._complete()
                pixels.truncate(done * self._pixel_bytes)
                places.truncate(done * self._place_bytes)
                for count, sample in enumerate(self._samples[done:], start=done + 1):
                    square, geometry = make(sample)
                    pixels.write(square.tobytes())
                    places.write(np.array(astuple(geometry), _GEOMETRY).tobytes())
                    progress(count)
        except OSError as e:
            raise DetectorError(
                f"The reduced images cannot be written to {self._pixels.parent.name}: {e.strerror}."
            ) from e

    def read(self) -> tuple[Square, list[Geometry]]:
        """(N, *shape) uint8 mapped from the file, and the geometries."""
        count = len(self._samples)
        squares = np.memmap(self._pixels, np.uint8, "r", shape=(count, *self._shape))
        places = np.fromfile(self._places, _GEOMETRY).reshape(count, -1)
        return squares, [
            Geometry(scale, left, top, int(rows), int(columns))
            for scale, left, top, rows, columns in places.tolist()
        ]

    @property
    def _pixel_bytes(self) -> int:
        return int(np.prod(self._shape))

    @property
    def _place_bytes(self) -> int:
        return len(astuple(Geometry(1.0, 0.0, 0.0, 1, 1))) * _GEOMETRY.itemsize

    def _complete(self) -> int:
        sizes = (self._pixels.stat().st_size, self._places.stat().st_size)
        return min(sizes[0] // self._pixel_bytes, sizes[1] // self._place_bytes)


def _fingerprint(samples: Sequence[Sample], shape: tuple[int, ...]) -> str:
    content = hashlib.sha256(repr(shape).encode())
    for sample in samples:
        try:
            file = sample.path.stat()
        except OSError as e:
            raise DatasetError(f"The image {sample.path.name} cannot be read.") from e
        how = (sample.slope, sample.intercept, sample.tone_curve)
        content.update(repr((str(sample.path), file.st_size, file.st_mtime_ns, how)).encode())
    return content.hexdigest()[:16]
