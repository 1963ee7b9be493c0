"""Which form a data folder is in, and its samples."""

from __future__ import annotations

from pathlib import Path

from detector.dataset.coco import find_annotations, read_coco
from detector.dataset.reference import is_reference, read_reference
from detector.dataset.sample import Dataset
from detector.types import DatasetError


def read_dataset(folder: Path) -> Dataset:
    """Read a folder in whichever of the known forms it is.

    The label export of Lightbox or plain COCO (``annotations.json``, or the one ``*.json``,
    with the images beside it), or ``images.csv`` + ``boxes.csv`` + ``images/``.

    Raises
    ------
    DatasetError
        Where the folder is none of them, or holds no usable image.
    """
    annotations = find_annotations(folder)
    if is_reference(folder):
        data = read_reference(folder)
    elif annotations is not None:
        data = read_coco(annotations)
    else:
        raise DatasetError(
            f"{folder.name or folder} is no labelled data: it needs annotations.json (COCO), "
            "or images.csv, boxes.csv and images/."
        )
    if not data.samples:
        first = " ".join(data.problems[:3])
        raise DatasetError(f"{data.name} holds no usable image. {first}".strip())
    return data
