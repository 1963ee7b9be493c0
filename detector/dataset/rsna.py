"""The RSNA Pneumonia Detection Challenge, stage 2 (Shih et al., Radiology: AI 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from detector.dataset.boxes import ImageBoxes
from detector.dataset.pictures import (
    DICOM_SUFFIXES,
    PICTURE_SUFFIXES,
    LoadDicom,
    decoder_of,
    picture_size,
    pictures_by_stem,
)
from detector.dataset.sample import Dataset, Sample
from detector.dataset.tables import numbers, read_table
from detector.dataset.vocabulary import CATEGORY_OF, EFFUSION, READ_OPACITY, RSNA
from detector.types import DatasetError

_BOXES = "stage_2_train_labels.csv"
_CLASSES = "stage_2_detailed_class_info.csv"
_ORIGINAL = 1024
"""Every published image is 1024 x 1024, and the boxes are in its pixels."""

_OPACITY = CATEGORY_OF[RSNA, "Lung Opacity"]

Row = dict[str, str]


def is_rsna(folder: Path) -> bool:
    return (folder / _BOXES).is_file()


def read_rsna(folder: Path, load_dicom: LoadDicom | None = None) -> Dataset:
    """Read ``stage_2_train_labels.csv`` and the DICOM files or pictures at any depth.

    Its radiologists looked for lung opacities: every image is complete for them, and those they
    called Normal (``stage_2_detailed_class_info.csv``, where it is there) are free of effusion
    too. The set numbers its images, not its patients: each image is a patient of its own.

    Raises
    ------
    DatasetError
        Where a table is of another form, or the DICOM files cannot be decoded.
    """
    table = read_table(folder / _BOXES, ("patientId", "x", "y", "width", "height", "Target"))
    by_image: dict[str, list[tuple[str, Row]]] = {}
    for line, row in enumerate(table, start=2):
        by_image.setdefault(row["patientId"], []).append((f"Line {line} of {_BOXES}", row))
    normal = _normal(folder / _CLASSES)
    problems: list[str] = []
    pictures = pictures_by_stem(folder, problems, PICTURE_SUFFIXES | DICOM_SUFFIXES)
    samples = []
    for name in (n for n in by_image if n in pictures):
        decoder = decoder_of(pictures[name], load_dicom)
        try:
            size = (_ORIGINAL, _ORIGINAL) if decoder else picture_size(pictures[name])
        except DatasetError as e:
            problems.append(str(e))
            continue
        boxes = _boxes(ImageBoxes(size, problems), by_image[name])
        samples.append(_sample(pictures[name], boxes, name in normal, decoder))
    absent = [n for n in by_image if n not in pictures]
    if absent:
        problems.append(f"{len(absent)} images of {_BOXES} are missing, as {absent[0]}.")
    return Dataset(folder.name, tuple(samples), (_OPACITY,), tuple(problems))


def _boxes(boxes: ImageBoxes, rows: Sequence[tuple[str, Row]]) -> ImageBoxes:
    across, down = (length / _ORIGINAL for length in boxes.size)
    for which, row in rows:
        if row["Target"] == "0":
            continue
        try:
            x, y, width, height = numbers(row, ("x", "y", "width", "height"))
            if row["Target"] != "1":
                raise ValueError(f"Target is {row['Target']!r}, neither 0 nor 1")
        except ValueError as e:
            boxes.leave_out(_OPACITY, f"{which} was left out: {e}.")
            continue
        corners = (x * across, y * down, (x + width) * across, (y + height) * down)
        boxes.add(_OPACITY, corners, which)
    return boxes


def _sample(path: Path, boxes: ImageBoxes, normal: bool, decoder: LoadDicom | None) -> Sample:
    complete = {_OPACITY, EFFUSION} if normal else {_OPACITY}
    known = _OPACITY not in boxes.doubtful
    return Sample(
        path,
        path.stem,
        tuple(boxes.objects),
        complete=frozenset(complete - boxes.doubtful),
        image_classes={READ_OPACITY: bool(boxes.objects)} if known else {},
        load_dicom=decoder,
    )


def _normal(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    rows = read_table(path, ("patientId", "class"))
    return {row["patientId"] for row in rows if row["class"] == "Normal"}
