"""YOLO text labels: data.yaml, images/ and labels/ (the layout of Ultralytics)."""

from __future__ import annotations

import re
from pathlib import Path

from detector.dataset.boxes import ImageBoxes
from detector.dataset.pictures import PICTURE_SUFFIXES, files_below, picture_size
from detector.dataset.sample import Dataset, Sample
from detector.types import DatasetError

_NAMES_FILES = ("data.yaml", "dataset.yaml", "data.yml", "dataset.yml")
_NAME = r"""(?P<name>'[^']*'|"[^"]*"|[^\s'"\[\]{},#][^'"\[\]{},#]*)"""
_LINE = re.compile(rf"(?:-\s+|(?P<number>\d+)\s*:\s+){_NAME}")
_ITEM = re.compile(rf"\s*(?:(?P<number>\d+)\s*:\s+)?{_NAME}\s*(?:,|$)")


def find_names(folder: Path) -> Path | None:
    """The YAML file that names the classes."""
    return next((folder / n for n in _NAMES_FILES if (folder / n).is_file()), None)


def read_yolo(folder: Path, names_file: Path) -> Dataset:
    """Read ``images/**`` with ``labels/**/*.txt``, or the same two in a folder for each split.

    A line is ``class cx cy w h``, the last four as shares of the image. A text file is one image
    read in full for every category; an empty one is a reviewed negative. A picture without a
    text file was not read and is left out. The paths in the YAML file are not followed.

    Raises
    ------
    DatasetError
        Where the names cannot be read.
    """
    names = _read_names(names_file)
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
        samples.append(Sample(
            picture, picture.relative_to(folder).as_posix(), tuple(boxes.objects),
            complete=frozenset(names.values()) - boxes.doubtful,
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


def _read_names(path: Path) -> dict[int, str]:
    """Class number to name, of the ways in which YOLO files write ``names:``.

    A list or table in brackets, one "- name" a line, or one "number: name" a line. Everything
    else in the file is passed over.
    """
    try:
        lines = [_without_comment(s) for s in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as e:
        raise DatasetError(f"{path.name} cannot be read: {e}") from e
    start = next((i for i, s in enumerate(lines) if s.startswith("names:")), None)
    if start is None:
        raise DatasetError(f"{path.name} has no names.")
    rest = lines[start].removeprefix("names:").strip()
    below = _indented(lines[start + 1 :])
    entries = _in_brackets(" ".join([rest, *below])) if rest else map(_LINE.fullmatch, below)
    names: dict[int, str] = {}
    for entry in entries:
        if entry is None:
            raise DatasetError(f"{path.name} names its classes in a way that cannot be read.")
        number = len(names) if entry["number"] is None else int(entry["number"])
        if number in names:
            raise DatasetError(f"{path.name} names class {number} twice.")
        names[number] = _plain(entry["name"])
    if not names:
        raise DatasetError(f"{path.name} has no names.")
    return names


def _indented(lines: list[str]) -> list[str]:
    """The lines up to the next key of the file; list entries need no indent in YAML."""
    result: list[str] = []
    for line in lines:
        if line and not line.startswith((" ", "\t", "- ", "]", "}")):
            break
        if line.strip():
            result.append(line.strip())
    return result


def _in_brackets(text: str) -> list[re.Match[str] | None]:
    """The items of ``[a, 'b']`` or ``{0: a, 1: b}``; a None where one cannot be read."""
    if text[0] + text[-1] not in ("[]", "{}"):
        return [None]
    inner = text[1:-1].rstrip().removesuffix(",")
    items: list[re.Match[str] | None] = []
    place = 0
    while place < len(inner):
        item = _ITEM.match(inner, place)
        items.append(item)
        if item is None:
            break
        place = item.end()
    return items


def _plain(text: str) -> str:
    text = text.strip()
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1] if quoted else text


def _without_comment(line: str) -> str:
    return re.sub(r"(^|\s)#.*", "", line).rstrip()
