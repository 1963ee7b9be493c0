"""YOLO text labels: data.yaml, images/ and labels/ (the layout of Ultralytics)."""

from __future__ import annotations

from pathlib import Path

from detector.dataset.boxes import ImageBoxes
from detector.dataset.lightbox import known_pictures
from detector.dataset.pictures import PICTURE_SUFFIXES, files_below, picture_size
from detector.dataset.sample import Dataset, Sample
from detector.dataset.yolo_names import read_names
from detector.types import DatasetError


def read_yolo(folder: Path, names_file: Path) -> Dataset:
    """Read ``images/**`` with ``labels/**/*.txt``, or the same two in a folder for each split.

    A line is ``class cx cy w h``, the last four as shares of the image. A text file is one image
    read in full for every category; an empty one is a reviewed negative. A picture without a
    text file was not read and is left out. The paths in the YAML file are not followed. An
    export of Lightbox says besides whose images these are, and which were not read in full.

    Raises
    ------
    DatasetError
        Where the names cannot be read.
    """
    names = read_names(names_file)
    known = known_pictures(folder)
    problems: list[str] = []
    samples: list[Sample] = []
    unread, used = 0, set()
    for picture in files_below(folder, PICTURE_SUFFIXES):
        labels = _labels_of(picture.relative_to(folder))
        if labels is None:
            continue
        if not (folder / labels).is_file():
            unread += 1
            continue
        used.add(folder / labels)
        try:
            boxes = _boxes(folder / labels, picture, names, problems)
        except DatasetError as e:
            problems.append(str(e))
            continue
        ours = known.get(picture)
        read = frozenset() if ours and ours.partial else frozenset(names.values())
        samples.append(Sample(
            picture, ours.patient if ours else picture.relative_to(folder).as_posix(),
            tuple(boxes.objects), complete=read - boxes.doubtful,
        ))  # fmt: skip
    if unread:
        problems.append(f"{unread} images without a text file were left out: nobody read them.")
    spare = sum(
        p not in used and "labels" in p.relative_to(folder).parts and p.name != "classes.txt"
        for p in files_below(folder, {".txt"})
    )
    if spare:
        problems.append(f"{spare} text files have no image and were left out.")
    categories = tuple(dict.fromkeys(names[k] for k in sorted(names)))
    return Dataset(folder.name, tuple(samples), categories, tuple(problems))


def _labels_of(picture: Path) -> Path | None:
    """``images/a/b.png`` to ``labels/a/b.txt``; None where no folder is called images."""
    parts = list(picture.with_suffix(".txt").parts)
    for place in reversed(range(len(parts) - 1)):
        if parts[place] == "images":
            parts[place] = "labels"
            return Path(*parts)
    return None


def _boxes(path: Path, picture: Path, names: dict[int, str], problems: list[str]) -> ImageBoxes:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as e:
        raise DatasetError(f"{path.name} cannot be read: {e}") from e
    columns, rows = picture_size(picture)
    boxes = ImageBoxes((columns, rows), problems)
    for number, line in enumerate(lines, start=1):
        which, fields = f"Line {number} of {path.name}", line.split()
        if not fields:
            continue
        category = names.get(int(fields[0])) if fields[0].isdecimal() else None
        if category is None:
            problems.append(f"{which} was left out: {fields[0]} is no class of the data set.")
            boxes.doubtful.update(names.values())
            continue
        try:
            x, y, width, height = map(float, fields[1:])
        except ValueError:
            boxes.leave_out(category, f"{which} was left out: it is not class, cx, cy, w, h.")
            continue
        corners = (
            (x - width / 2) * columns, (y - height / 2) * rows,
            (x + width / 2) * columns, (y + height / 2) * rows,
        )  # fmt: skip
        boxes.add(category, corners, which)
    return boxes
