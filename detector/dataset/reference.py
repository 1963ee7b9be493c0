"""The project's reference chest X-rays: images.csv, boxes.csv and images/."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from detector.dataset.boxes import ImageBoxes
from detector.dataset.pictures import picture_size
from detector.dataset.sample import Dataset, LabelledBox, Sample
from detector.dataset.tables import numbers, read_table
from detector.dataset.vocabulary import (
    CATEGORIES,
    CATEGORY_OF,
    CHESTX_DET,
    EFFUSION,
    NIH,
    NIH_CLASSES,
    NO_FINDING,
    OPACITY,
    READ_OPACITY,
    REPORT_NEGATIVE,
    RSNA,
    RSNA_OPACITY,
)
from detector.types import Box, DatasetError

_COLUMNS = (
    "image", "patient", "view", "nih_labels", "rsna_class", "chestxdet", "negative_tier",
)  # fmt: skip

SOURCE_ORDER = (RSNA, CHESTX_DET, NIH)
"""Where two sources boxed one finding, the box of the source that stands first is kept."""

SAME_FINDING = 0.5
"""Shared area over the smaller box: from here on two sources' boxes are the same finding."""


def is_reference(folder: Path) -> bool:
    return (folder / "images.csv").is_file() and (folder / "boxes.csv").is_file()


def read_reference(folder: Path) -> Dataset:
    """Read ``images.csv`` and ``boxes.csv``, the form of the project's reference chest X-rays.

    ChestX-Det read its images for every category. Opacity is also complete where an RSNA reader
    or an expert panel looked, or where anybody boxed one; effusion on RSNA normals whose report
    has none. Nobody boxed and "No Finding" in the report: everything else is weakly absent.
    """
    problems: list[str] = []
    rows = read_table(folder / "images.csv", _COLUMNS)
    table = read_table(folder / "boxes.csv", ("image", "source", "label", "x", "y", "w", "h"))
    boxes: dict[str, list[tuple[str, dict[str, str]]]] = {}
    for line, row in enumerate(table, start=2):
        boxes.setdefault(row["image"], []).append((f"Line {line} of boxes.csv", row))
    samples = []
    for row in rows:
        path = folder / "images" / row["image"]
        found = boxes.pop(row["image"], [])
        if not path.is_file():
            problems.append(f"The image {row['image']} is missing.")
            continue
        try:
            by_source = _by_source(path, found, problems)
        except DatasetError as e:
            problems.append(str(e))
            continue
        samples.append(_reference_sample(path, row, by_source))
    for name, left in boxes.items():
        problems.append(f"{len(left)} boxes are of {name}, which images.csv does not name.")
    return Dataset(folder.name, tuple(samples), CATEGORIES, tuple(problems))


def _by_source(
    path: Path, rows: list[tuple[str, dict[str, str]]], problems: list[str]
) -> dict[str, ImageBoxes]:
    size = picture_size(path) if rows else None
    result: dict[str, ImageBoxes] = {}
    for which, row in rows:
        category = CATEGORY_OF.get((row["source"], row["label"]))
        if category is None or row["source"] not in SOURCE_ORDER:
            problems.append(f"{which} was left out: {row['source']} {row['label']} is not known.")
            continue
        boxes = result.setdefault(row["source"], ImageBoxes(size, problems))
        try:
            x, y, width, height = numbers(row, "xywh")
        except ValueError as e:
            boxes.leave_out(category, f"{which} was left out: {e}.")
            continue
        boxes.add(category, (x, y, x + width, y + height), which)
    return result


def _reference_sample(
    path: Path, row: Mapping[str, str], by_source: Mapping[str, ImageBoxes]
) -> Sample:
    objects = _merged([(source, o) for source, b in by_source.items() for o in b.objects])
    boxed = {o.category for o in objects}
    doubtful = {c for boxes in by_source.values() for c in boxes.doubtful}
    chestxdet_read = row["chestxdet"] in ("boxes", "none")
    normal = row["rsna_class"] == "Normal"
    no_opacity = row["rsna_class"].startswith("No Lung Opacity")
    expert_negative = row["negative_tier"][:1] in ("A", "B")
    found = set(row["nih_labels"].split("|"))
    complete = set(CATEGORIES) if chestxdet_read else boxed & {OPACITY, EFFUSION}
    if normal or no_opacity or expert_negative:
        complete.add(OPACITY)
    # RSNA readers looked for opacities; of their images only the normals are free of effusion.
    if normal and "Effusion" not in found:
        complete.add(EFFUSION)
    complete -= doubtful
    image_classes = {name: name in found for name in NIH_CLASSES}
    if OPACITY in complete:
        image_classes[READ_OPACITY] = OPACITY in boxed
    if row["rsna_class"] in ("Lung Opacity", "Normal"):
        image_classes[RSNA_OPACITY] = not normal
    weak = found == {NO_FINDING} and not by_source
    return Sample(
        path, row["patient"], objects, complete=frozenset(complete),
        image_classes=image_classes, view=row["view"],
        weak={c: REPORT_NEGATIVE for c in CATEGORIES if weak and c not in complete},
    )  # fmt: skip


def _merged(boxes: list[tuple[str, LabelledBox]]) -> tuple[LabelledBox, ...]:
    """One box a finding: see `SOURCE_ORDER` and `SAME_FINDING`."""
    kept: list[tuple[str, LabelledBox]] = []
    for source, item in sorted(boxes, key=lambda b: SOURCE_ORDER.index(b[0])):
        if not any(
            other_source != source
            and other.category == item.category
            and _shared_of_smaller(other.box, item.box) >= SAME_FINDING
            for other_source, other in kept
        ):
            kept.append((source, item))
    return tuple(item for _, item in kept)


def _shared_of_smaller(a: Box, b: Box) -> float:
    width = min(a.x_max, b.x_max) - max(a.x_min, b.x_min)
    height = min(a.y_max, b.y_max) - max(a.y_min, b.y_min)
    return max(0.0, width) * max(0.0, height) / min(a.area, b.area)
