"""NIH ChestX-ray14 as it is published (Wang et al., CVPR 2017)."""

from __future__ import annotations

import csv
from pathlib import Path

from detector.dataset.boxes import ImageBoxes
from detector.dataset.pictures import picture_size, pictures_by_stem
from detector.dataset.sample import Dataset, Sample
from detector.dataset.tables import numbers, read_table
from detector.dataset.vocabulary import (
    CATEGORY_OF,
    NIH,
    NIH_CLASSES,
    NO_FINDING,
    REPORT_NEGATIVE,
    categories_of,
)
from detector.types import DatasetError

_BOXES = "BBox_List_2017.csv"
_ORIGINAL = 1024.0
"""The boxes are in pixels of the published 1024 x 1024 PNG, whatever the size here."""

_FOUND_HERE = categories_of(NIH)


def is_nih(folder: Path) -> bool:
    return (folder / _BOXES).is_file()


def read_nih(folder: Path) -> Dataset:
    """Read ``BBox_List_2017.csv``, ``Data_Entry_2017*.csv`` and the pictures at any depth.

    A boxed image is complete for the categories of its boxes alone: who drew them did not look
    for the others. The 14 report labels are image-level classes; "No Finding" on an image without
    boxes makes every category weakly absent. Pictures of another size than 1024 get scaled boxes.

    Raises
    ------
    DatasetError
        Where a table is missing or of another form.
    """
    entries = sorted(folder.glob("Data_Entry_2017*.csv"))
    if not entries:
        raise DatasetError(f"{folder.name} has {_BOXES} but no Data_Entry_2017*.csv beside it.")
    table = read_table(entries[0], ("Image Index", "Finding Labels", "Patient ID", "View Position"))
    problems: list[str] = []
    pictures = pictures_by_stem(folder, problems)
    boxed = _boxed(folder / _BOXES)
    samples: dict[str, Sample] = {}
    absent = []
    for row in table:
        stem = Path(row["Image Index"]).stem
        if stem in samples:
            problems.append(f"{entries[0].name} names {stem} twice: the first entry counts.")
        elif stem not in pictures:
            absent.append(stem)
        else:
            try:
                boxes = _boxes(pictures[stem], boxed.pop(stem, []), problems)
            except DatasetError as e:
                problems.append(str(e))
                continue
            samples[stem] = _sample(pictures[stem], row, boxes)
    if absent:
        problems.append(f"{len(absent)} images of {entries[0].name} are missing, as {absent[0]}.")
    if boxed:
        problems.append(f"{len(boxed)} boxed images are missing or unlisted, as {min(boxed)}.")
    return Dataset(folder.name, tuple(samples.values()), _FOUND_HERE, tuple(problems))


def _sample(path: Path, row: dict[str, str], boxes: ImageBoxes) -> Sample:
    found = set(row["Finding Labels"].split("|"))
    boxed = {o.category for o in boxes.objects} | boxes.doubtful
    weak = found == {NO_FINDING} and not boxed
    return Sample(
        path,
        row["Patient ID"] or path.stem,
        tuple(boxes.objects),
        complete=frozenset(boxed - boxes.doubtful),
        image_classes={name: name in found for name in NIH_CLASSES},
        view=row["View Position"],
        weak=dict.fromkeys(_FOUND_HERE, REPORT_NEGATIVE) if weak else {},
    )


def _boxes(path: Path, rows: list[tuple[str, list[str]]], problems: list[str]) -> ImageBoxes:
    """The boxes of one picture; the file of a picture without any is not opened."""
    size = picture_size(path) if rows else None
    boxes = ImageBoxes(size, problems)
    for which, row in rows:
        category = CATEGORY_OF.get((NIH, row[1].strip()))
        if category is None:
            problems.append(f"{which} was left out: {row[1]!r} is no finding of this set.")
            continue
        try:
            x, y, width, height = numbers(dict(zip("xywh", row[2:6], strict=True)), "xywh")
        except ValueError as e:
            boxes.leave_out(category, f"{which} was left out: {e}.")
            continue
        across, down = (length / _ORIGINAL for length in boxes.size)
        corners = (x * across, y * down, (x + width) * across, (y + height) * down)
        boxes.add(category, corners, which)
    return boxes


def _boxed(path: Path) -> dict[str, list[tuple[str, list[str]]]]:
    """The rows by image, each with the words for its place.

    The header is ``Image Index,Finding Label,Bbox [x,y,w,h],,,``: one name for four columns, so
    that cells are known by their place alone.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header, *rows = list(csv.reader(file)) or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise DatasetError(f"{path.name} cannot be read: {e}") from e
    if header[:2] != ["Image Index", "Finding Label"]:
        raise DatasetError(f"{path.name} does not begin with Image Index, Finding Label.")
    result: dict[str, list[tuple[str, list[str]]]] = {}
    for line, row in enumerate(rows, start=2):
        if any(row):
            cells = (row + [""] * 6)[:6]
            named = f"Line {line} of {path.name}", cells
            result.setdefault(Path(cells[0]).stem, []).append(named)
    return result
