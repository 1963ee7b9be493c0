"""VinDr-CXR (Nguyen et al., Scientific Data 2022): several readers, one row a box."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from detector.dataset.boxes import ImageBoxes
from detector.dataset.pictures import (
    DICOM_SUFFIXES,
    PICTURE_SUFFIXES,
    LoadDicom,
    decoder_of,
    picture_size,
    pictures_by_stem,
)
from detector.dataset.sample import Dataset, LabelledBox, Sample
from detector.dataset.tables import numbers, read_table
from detector.dataset.vocabulary import CATEGORIES, CATEGORY_OF, VINDR
from detector.types import Box, DatasetError

_TABLES = ("annotations_train.csv", "annotations_test.csv", "train.csv")
_COLUMNS = ("image_id", "class_name", "x_min", "y_min", "x_max", "y_max")
_CONSENSUS = "consensus"
_NOTHING = "no finding"

SAME_FINDING = 0.4
"""IoU from which on boxes are of one finding: two readers of one opacity have a median IoU of
0.49, so that 0.5 would count half of what they agree on twice."""

Row = dict[str, str]


@dataclass
class Finding:
    """Boxes of one finding by one reader or several."""

    category: str
    boxes: list[Box] = field(default_factory=list)
    readers: set[str] = field(default_factory=set)

    def mean(self) -> Box:
        corners = [(b.x_min, b.y_min, b.x_max, b.y_max) for b in self.boxes]
        return Box(*map(float, np.mean(corners, axis=0)))


def find_tables(folder: Path) -> tuple[Path, ...]:
    """The published tables that are there, those of another origin passed over."""
    found = []
    for path in (folder / name for name in _TABLES):
        if path.is_file():
            with path.open(encoding="utf-8-sig", errors="replace") as file:
                header = file.readline(1000).strip().split(",")
            if {"image_id", "class_name"} <= set(header):
                found.append(path)
    return tuple(found)


def read_vindr(
    folder: Path, tables: Sequence[Path], load_dicom: LoadDicom | None = None
) -> Dataset:
    """Read VinDr-CXR and the DICOM files or pictures at any depth.

    Every reader looked for every finding, so an image is complete for all categories that the
    tables name. Boxes of one category with an IoU of `SAME_FINDING` or more are one finding, with
    the mean of their corners: weighted boxes fusion (Solovyev et al. 2021) with equal weights.
    It counts where at least half of the image's readers drew it; otherwise it is neither an
    object nor proven absent, and the image is not complete for that category. A row without a
    reader is the consensus of the test set. Pictures must have the pixels of the DICOM files.

    Raises
    ------
    DatasetError
        Where a table is of another form, or the DICOM files cannot be decoded.
    """
    problems: list[str] = []
    pictures = pictures_by_stem(folder, problems, PICTURE_SUFFIXES | DICOM_SUFFIXES)
    by_image: dict[str, list[tuple[str, Row]]] = {}
    for table in tables:
        for line, row in enumerate(read_table(table, _COLUMNS), start=2):
            by_image.setdefault(row["image_id"], []).append((f"Line {line} of {table.name}", row))
    named = {row["class_name"] for rows in by_image.values() for _, row in rows}
    present = {CATEGORY_OF[VINDR, n] for n in named if (VINDR, n) in CATEGORY_OF}
    reading = _Reading(frozenset(present), problems)
    samples = []
    for name in (n for n in by_image if n in pictures):
        decoder = decoder_of(pictures[name], load_dicom)
        try:
            size = None if decoder else picture_size(pictures[name])
        except DatasetError as e:
            problems.append(str(e))
            continue
        samples.append(reading.sample(pictures[name], size, by_image[name], decoder))
    absent = [n for n in by_image if n not in pictures]
    if absent:
        problems.append(f"{len(absent)} images of {folder.name} are missing, as {absent[0]}.")
    reading.tell()
    categories = tuple(c for c in CATEGORIES if c in present)
    return Dataset(folder.name, tuple(samples), categories, tuple(problems))


class _Reading:
    """Turns the rows of one image after the other into samples, and counts what was left out."""

    def __init__(self, categories: frozenset[str], problems: list[str]) -> None:
        self._categories = categories
        self._problems = problems
        self._without_category: Counter[str] = Counter()
        self._minority: Counter[str] = Counter()

    def sample(
        self,
        path: Path,
        size: tuple[int, int] | None,
        rows: Sequence[tuple[str, Row]],
        decoder: LoadDicom | None,
    ) -> Sample:
        # By name too: one reader often gives one place two names that are one category here.
        named: dict[tuple[str, str], ImageBoxes] = {}
        for which, row in rows:
            key = row.get("rad_id") or _CONSENSUS, row["class_name"]
            boxes = named.setdefault(key, ImageBoxes(size, self._problems))
            self._add(boxes, row, which)
        readers = {reader for reader, _ in named}
        doubtful = {c for boxes in named.values() for c in boxes.doubtful}
        objects = []
        for finding in merged([(key[0], o) for key in sorted(named) for o in named[key].objects]):
            if 2 * len(finding.readers) >= len(readers):
                objects.append(LabelledBox(finding.mean(), finding.category))
            else:
                self._minority[finding.category] += 1
                doubtful.add(finding.category)
        return Sample(
            path, path.stem, tuple(objects), complete=self._categories - doubtful,
            load_dicom=decoder,
        )  # fmt: skip

    def _add(self, boxes: ImageBoxes, row: Row, which: str) -> None:
        name = row["class_name"]
        category = CATEGORY_OF.get((VINDR, name))
        if category is None:
            self._without_category[name] += name.lower() != _NOTHING
            return
        try:
            corners = numbers(row, _COLUMNS[2:])
        except ValueError as e:
            boxes.leave_out(category, f"{which} was left out: {e}.")
            return
        boxes.add(category, corners, which)

    def tell(self) -> None:
        """Say what was left out on purpose, in one sentence a name."""
        for name, count in sorted((+self._without_category).items()):
            self._problems.append(f"{count} boxes of {name!r} were left out: no category here.")
        for category, count in sorted(self._minority.items()):
            self._problems.append(
                f"{count} boxes ({category}) that fewer than half of an image's readers drew were "
                "left out; those images are not complete for it."
            )


def merged(boxes: Sequence[tuple[str, LabelledBox]]) -> list[Finding]:
    """One finding for each group of boxes of one category with an IoU of `SAME_FINDING`.

    Parameters
    ----------
    boxes : reader and box; each box joins the finding whose mean box it overlaps most.
    """
    findings: list[Finding] = []
    for reader, item in boxes:
        near = [f for f in findings if f.category == item.category]
        best = max(near, default=None, key=lambda f: f.mean().iou(item.box))
        if best is None or best.mean().iou(item.box) < SAME_FINDING:
            best = Finding(item.category)
            findings.append(best)
        best.boxes.append(item.box)
        best.readers.add(reader)
    return findings
