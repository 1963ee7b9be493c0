"""YOLO: data.yaml, images/ and labels/ with a folder for each part of the split.

A label file says that nothing else is on its image. Images that were not reviewed completely
therefore lie in ``images/partial`` and ``labels/partial``, which data.yaml does not name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from detector.dataset.pictures import PICTURE_SUFFIXES, files_below
from detector.dataset.yolo_names import find_names, read_names
from detector.types import RESEARCH_USE_ONLY, Box, DatasetError
from viewer.errors import ExchangeError
from viewer.exchange import dataset, side_file
from viewer.exchange.dataset import PARTIAL, Item
from viewer.exchange.entries import lines_of, number_of, wrong_at
from viewer.exchange.export import Export, Written
from viewer.exchange.labels import LabelBox, LabelDocument, LabelImage, fitted
from viewer.exchange.options import Pictures
from viewer.exchange.pictures import write_durably

_ABOUT = """\
YOLO: in labels/, a line for each box: class, centre x and y, width and height, as shares of the
picture. data.yaml names the classes. images/partial and labels/partial hold the images that were
not reviewed completely; data.yaml does not lead there.
"""


def write(work: Export) -> Written:
    """Write a YOLO data set."""
    ids = dataset.category_ids(work)
    parts = work.options.parts
    for kind in ("images", "labels"):
        for part in (*parts, PARTIAL):
            (work.folder / kind / part).mkdir(parents=True)
    placed: list[tuple[Item, str]] = []
    for item, picture in dataset.items(work, Pictures.PNG8):
        path = f"images/{item.place}/{item.name}"
        write_durably(work.folder / path, picture.content)
        labels = work.folder / "labels" / item.place / item.name
        lines = [
            _line(ids[finding.category] - 1, finding.box, (picture.width, picture.height))
            for finding, _ in item.page.certain
        ]
        write_durably(labels.with_suffix(".txt"), "".join(lines).encode("ascii"))
        placed.append((item, path))
    write_durably(work.folder / "data.yaml", _yaml(parts, ids).encode("utf-8"))
    dataset.write_side_files(work, placed, ids, _ABOUT)
    return dataset.written(work, [item for item, _ in placed])


def _line(number: int, box: Box, size: tuple[int, int]) -> str:
    columns, rows = size
    shares = (
        (box.x_min + box.x_max) / 2 / columns,
        (box.y_min + box.y_max) / 2 / rows,
        box.width / columns,
        box.height / rows,
    )
    return f"{number} {' '.join(f'{share:.9f}' for share in shares)}\n"


def _yaml(parts: Sequence[str], ids: dict[str, int]) -> str:
    """Paths are relative to the file; a text in JSON is one in YAML, too."""
    lines = [f"# {RESEARCH_USE_ONLY}"]
    lines += [f"{part}: images/{part}" for part in parts]
    if len(parts) == 1:
        lines.append(f"val: images/{parts[0]}  # not split; most programs want this line")
    lines.append("names:")
    lines += [f"  {number - 1}: {_quoted(name)}" for name, number in ids.items()]
    return "\n".join(lines) + "\n"


def _quoted(name: str) -> str:
    """As JSON, which is YAML, too, but for what YAML does not take as it stands (YAML 1.2, 5.1)."""
    text = json.dumps(name, ensure_ascii=False)
    return re.sub("[\x7f-\x9f\u2028\u2029\ufeff]", lambda match: f"\\u{ord(match[0]):04x}", text)


def read(path: Path) -> LabelDocument:
    """Read a YOLO folder, or the one that a data.yaml lies in.

    A picture without a label file was read by nobody and is left out; the paths in data.yaml are
    not followed.

    Raises
    ------
    ExchangeError
        Something is wrong; the sentence names file and line.
    """
    folder = path if path.is_dir() else path.parent
    side = side_file.read(folder)
    names_file = find_names(folder) if path.is_dir() else path
    if names_file is None:
        raise ExchangeError(f"{folder.name} has no data.yaml that names the classes.")
    try:
        names = read_names(names_file)
    except DatasetError as error:
        raise ExchangeError(str(error)) from error
    images: list[LabelImage] = []
    boxes: list[LabelBox] = []
    for picture in files_below(folder, PICTURE_SUFFIXES):
        labels = _labels_of(picture, folder)
        if labels is not None:
            name = picture.relative_to(folder).as_posix()
            images.append(LabelImage(len(images) + 1, name, 0, 0, drawn_on=(1.0, 1.0)))
            boxes += _boxes(labels, labels.relative_to(folder).as_posix(), names, len(images))
    if not images:
        raise ExchangeError(f"{folder.name} has no pictures in images/ with a file in labels/.")
    return side_file.joined(LabelDocument(folder, tuple(images), tuple(boxes)), side)


def _labels_of(picture: Path, folder: Path) -> Path | None:
    """``images/a/b.png`` to ``labels/a/b.txt`` where that is there."""
    parts = list(picture.relative_to(folder).with_suffix(".txt").parts)
    for place in reversed(range(len(parts) - 1)):
        if parts[place] == "images":
            labels = folder.joinpath(*parts[:place], "labels", *parts[place + 1 :])
            return labels if labels.is_file() else None
    return None


def _boxes(path: Path, name: str, names: dict[int, str], image_id: int) -> Iterator[LabelBox]:
    for number, line in enumerate(lines_of(path), start=1):
        if fields := line.split():
            with wrong_at(f"{name}, line {number}"):
                if len(fields) != 5:
                    raise ValueError("it is not class, centre x, centre y, width, height")
                if not fields[0].isdecimal() or int(fields[0]) not in names:
                    raise ValueError(f"data.yaml names no class {fields[0]}")
                x, y, width, height = (number_of(field) for field in fields[1:])
                box = Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
                yield LabelBox(
                    image_id,
                    fitted(box, 1, 1),
                    names[int(fields[0])],
                    where=f"{name}, line {number}",
                )
