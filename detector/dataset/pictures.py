"""Picture files: where they are, their size, and their pixels within a limit."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image

from detector.types import DatasetError, ImageInput

LoadDicom = Callable[[Path], ImageInput]
"""Decodes one DICOM file. The caller of `read_dataset` brings it: no pydicom in the detector."""

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
DICOM_SUFFIXES = frozenset({".dcm", ".dicom"})

MOST_PIXELS = 100_000_000
"""A picture that claims more is refused before it is decoded: a decompression bomb."""


def picture_size(path: Path) -> tuple[int, int]:
    """(columns, rows) from the header of a picture file.

    Raises
    ------
    DatasetError
        Where it is no picture, or above `MOST_PIXELS`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)
            with PIL.Image.open(path) as picture:
                columns, rows = picture.size
    except PIL.Image.DecompressionBombError as e:
        raise DatasetError(f"The image {path.name} is too large: {e}") from e
    except (OSError, ValueError, SyntaxError) as e:  # what Pillow raises for damaged headers
        raise DatasetError(f"The image {path.name} cannot be read.") from e
    if columns * rows > MOST_PIXELS:
        raise DatasetError(
            f"The image {path.name} is too large: {columns} x {rows} pixels, "
            f"above {MOST_PIXELS // 1_000_000} megapixels."
        )
    return columns, rows


def read_picture(path: Path) -> npt.NDArray[Any]:
    """The stored values, (rows, columns) as the file has them, or (rows, columns, 3) uint8 RGB.

    Raises
    ------
    DatasetError
        As `picture_size`, or where the pixels are damaged.
    """
    picture_size(path)
    try:
        stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    except cv2.error as e:
        raise DatasetError(f"The image {path.name} cannot be read.") from e
    if stored is None:
        raise DatasetError(f"The image {path.name} cannot be read.")
    if stored.ndim == 2:
        grey: npt.NDArray[Any] = stored
        return grey
    if stored.dtype == np.uint16:
        stored = np.right_shift(stored, 8).astype(np.uint8)
    colour: npt.NDArray[Any] = np.ascontiguousarray(stored[:, :, 2::-1])
    return colour


def pictures_by_stem(
    folder: Path, problems: list[str], suffixes: Iterable[str] = PICTURE_SUFFIXES
) -> dict[str, Path]:
    """Files at any depth, by their names without suffix; the first of a name counts."""
    found: dict[str, Path] = {}
    for path in files_below(folder, suffixes):
        first = found.setdefault(path.stem, path)
        if first != path:
            problems.append(
                f"The image {path.stem} is there twice: {path.relative_to(folder)} was left out "
                f"for {first.relative_to(folder)}."
            )
    return found


def decoder_of(path: Path, load_dicom: LoadDicom | None) -> LoadDicom | None:
    """What `Sample.load_dicom` is for this file: None for a picture.

    Raises
    ------
    DatasetError
        For a DICOM file, where there is nothing that decodes it.
    """
    if path.suffix.lower() not in DICOM_SUFFIXES:
        return None
    if load_dicom is None:
        raise DatasetError(f"{path.name} is a DICOM file, which cannot be decoded here.")
    return load_dicom


def files_below(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """The files at any depth with one of the suffixes (lower case), sorted."""
    wanted = frozenset(suffixes)
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in wanted and p.is_file())
