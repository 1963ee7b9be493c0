"""CSV in the form of two public sets at once: NIH ChestX-ray14 and RSNA 2018, stage 2.

BBox_List_2017.csv
    Every certain box, whatever its category, in pixels of the picture in images/. It claims
    nothing of what it does not list, so images that were not reviewed completely are in it, too.
Data_Entry_2017.csv
    The images that were reviewed completely, with their categories or "No Finding".
stage_2_train_labels.csv, stage_2_detailed_class_info.csv
    Those same images, asked the one question of that set: is there a lung opacity, and where.
    Boxes of the category "opacity" have Target 1, an image without any has one empty row. What it
    does hold then is its class: "Normal" without any finding, "No Lung Opacity / Not Normal" with
    others.
train_list.txt, val_list.txt, test_list.txt
    The images reviewed completely by part, where the export is split.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from detector.dataset.pictures import DICOM_SUFFIXES, PICTURE_SUFFIXES, files_below
from detector.types import Box
from viewer.errors import ExchangeError
from viewer.exchange import dataset, side_file
from viewer.exchange.cells import plain, table
from viewer.exchange.dataset import Item
from viewer.exchange.entries import number_of, text_of, wrong_at
from viewer.exchange.export import Export, Written
from viewer.exchange.labels import LabelBox, LabelDocument, LabelImage
from viewer.exchange.options import Pictures
from viewer.exchange.pictures import write_durably

BOX_LIST, ENTRIES = "BBox_List_2017.csv", "Data_Entry_2017.csv"
LABELS, CLASSES = "stage_2_train_labels.csv", "stage_2_detailed_class_info.csv"
BOX_LIST_HEADER = "Image Index,Finding Label,Bbox [x,y,w,h],,,"  # as it is published
LABELS_HEADER = "patientId,x,y,width,height,Target"
OPACITY = "opacity"

_PICTURES = PICTURE_SUFFIXES | DICOM_SUFFIXES
_PUBLISHED = (1024.0, 1024.0)  # the size of every picture of both sets

_ENTRIES_HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
)
_ABOUT = f"""\
CSV. {BOX_LIST} and {ENTRIES} have the form of NIH ChestX-ray14, {LABELS} and {CLASSES} that of
RSNA 2018, stage 2. Boxes are in pixels of the pictures in images/: left, top, width, height. The
box list has every box; the other three name only images that were reviewed completely, and the
RSNA form knows one category, {OPACITY}. Patient ID is a keyed hash. A cell that a spreadsheet
would compute has an apostrophe before it.
"""


def write(work: Export) -> Written:
    """Write a data set of tables."""
    ids = dataset.category_ids(work)
    (work.folder / "images").mkdir()
    placed: list[tuple[Item, str]] = []
    for item, picture in dataset.items(work, Pictures.PNG8):
        path = f"images/{item.name}"
        write_durably(work.folder / path, picture.content)
        placed.append((item, path))
    items = [item for item, _ in placed]
    complete = [item for item in items if item.page.exhaustive]
    for name, content in (
        (BOX_LIST, table(_box_list(items), BOX_LIST_HEADER)),
        (ENTRIES, table(map(_entry, complete), _ENTRIES_HEADER)),
        (LABELS, table((row for item in complete for row in _labels(item)), LABELS_HEADER)),
        (CLASSES, table((row for item in complete for row in _classes(item)), "patientId,class")),
    ):
        write_durably(work.folder / name, content)
    if work.options.split:
        for part in work.options.parts:
            names = "".join(f"{item.name}\n" for item in complete if item.part == part)
            write_durably(work.folder / f"{part}_list.txt", names.encode("ascii"))
    dataset.write_side_files(work, placed, ids, _ABOUT)
    return dataset.written(work, items)


def _box_list(items: Sequence[Item]) -> Iterator[list[str | float]]:
    for item in items:
        for finding, _ in item.page.certain:
            yield [item.name, finding.category, *finding.box.xywh(), "", "", ""]


def _entry(item: Item) -> list[str | float]:
    found = dict.fromkeys(finding.category.replace("|", "/") for finding, _ in item.page.certain)
    size = item.entry["width"], item.entry["height"]
    return [
        item.name, "|".join(found) or "No Finding", "", item.entry["patient_key"], "", "",
        item.entry["view"], *size, "", "",
    ]  # fmt: skip


def _labels(item: Item) -> list[list[str | float]]:
    """A row for each box; one empty row where there is none."""
    name = PurePath(item.name).stem
    boxes = [f.box.xywh() for f, _ in item.page.certain if f.category == OPACITY]
    return [[name, *box, 1] for box in boxes] or [[name, "", "", "", "", 0]]


def _classes(item: Item) -> list[list[str | float]]:
    """As published, one row for each row of the other table."""
    rows = _labels(item)
    if rows[0][-1] == 1:
        said = "Lung Opacity"
    else:
        said = "No Lung Opacity / Not Normal" if item.page.certain else "Normal"
    return [[row[0], said] for row in rows]


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of a table: an image, and a box on it where the line has one."""

    image: str
    category: str = ""
    box: Box | None = None
    where: str = ""


def read(path: Path) -> LabelDocument:
    """Read a box list of NIH or the labels of RSNA: the file, or the one that a folder has.

    Of both in one folder the box list is read: it has every box. In the sets as they are published
    the boxes are in pixels of 1024 x 1024 pictures, whatever the size of those beside; in our
    export they are in pixels of the pictures.

    Raises
    ------
    ExchangeError
        Something is wrong; the sentence names file and line.
    """
    file = path
    if path.is_dir():
        places = [path / name for name in (BOX_LIST, LABELS) if (path / name).is_file()]
        if not places:
            raise ExchangeError(f"{path.name} has no {BOX_LIST} and no {LABELS}.")
        file = places[0]
    rows = _rows(file)
    side = side_file.read(file.parent)
    # The tables cannot name an image without a box of theirs; the side file can.
    beside = [] if side is None else [Path(image.file_name).name for image in side.images]
    stems = dict.fromkeys(Path(name).stem for name in (*beside, *(row.image for row in rows)))
    found = {picture.stem: picture for picture in files_below(file.parent, _PICTURES)}
    images = {
        stem: LabelImage(
            number,
            found[stem].relative_to(file.parent).as_posix() if stem in found else stem,
            0,
            0,
            drawn_on=_PUBLISHED if side is None else None,
        )
        for number, stem in enumerate(stems, start=1)
    }
    boxes = tuple(
        LabelBox(images[Path(row.image).stem].id, row.box, row.category, where=row.where)
        for row in rows
        if row.box is not None
    )
    return side_file.joined(LabelDocument(file.parent, tuple(images.values()), boxes), side)


def _rows(file: Path) -> list[_Row]:
    """Every line of a table in one of the two forms, known by its header."""
    lines = csv.reader(io.StringIO(text_of(file), newline=""))
    header = next(lines, [])
    if header[:2] == BOX_LIST_HEADER.split(",")[:2]:
        parse = _box_list_row
    elif header == LABELS_HEADER.split(","):
        parse = _labels_row
    else:
        raise ExchangeError(
            f"{file.name}, line 1 is no header of the box list of NIH ({BOX_LIST_HEADER}) and none "
            f"of the labels of RSNA ({LABELS_HEADER})."
        )
    result = []
    try:
        for cells in lines:
            if any(cells):
                where = f"{file.name}, line {lines.line_num}"
                with wrong_at(where):
                    result.append(replace(parse([plain(cell) for cell in cells]), where=where))
    except csv.Error as error:
        raise ExchangeError(f"{file.name}, line {lines.line_num} is wrong: {error}.") from error
    return result


def _box_list_row(cells: list[str]) -> _Row:
    if len(cells) < 6 or not all(cells[:6]):
        raise ValueError("it is not image, finding, x, y, width, height")
    return _Row(cells[0], cells[1], _rectangle(cells[2:6]))


def _labels_row(cells: list[str]) -> _Row:
    if len(cells) != 6 or not cells[0] or cells[5] not in ("0", "1"):
        raise ValueError("it is not patientId, x, y, width, height and a Target of 0 or 1")
    return _Row(cells[0], OPACITY, _rectangle(cells[1:5]) if cells[5] == "1" else None)


def _rectangle(cells: list[str]) -> Box:
    x, y, width, height = map(number_of, cells)
    if width <= 0 or height <= 0:
        raise ValueError("the width and height of its box must be positive")
    return Box.from_xywh(x, y, width, height)
