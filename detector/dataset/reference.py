"""The project's reference chest X-rays: images.csv, boxes.csv and images/."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from detector.dataset.sample import Dataset, LabelledBox, Sample
from detector.types import Box, DatasetError

OPACITY, EFFUSION = "opacity", "effusion"

BOX_CATEGORIES: Mapping[tuple[str, str], str] = {
    ("RSNA2018", "Lung Opacity"): OPACITY,
    ("ChestX-Det", "Consolidation"): OPACITY,
    ("NIH-BBox2017", "Pneumonia"): OPACITY,
    ("NIH-BBox2017", "Infiltrate"): OPACITY,
    ("ChestX-Det", "Effusion"): EFFUSION,
    ("NIH-BBox2017", "Effusion"): EFFUSION,
}
"""(source, name in the source) to category: the one table of what the readers' words mean here."""

SOURCE_ORDER = ("RSNA2018", "ChestX-Det", "NIH-BBox2017")
"""Where two sources boxed one opacity, the box of the source that stands first is kept."""

SAME_FINDING = 0.5
"""Shared area over the smaller box: from here on two sources' boxes are the same finding."""

NIH_CLASSES = (
    "Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Effusion", "Emphysema", "Fibrosis",
    "Hernia", "Infiltration", "Mass", "Nodule", "Pleural_Thickening", "Pneumonia", "Pneumothorax",
)  # fmt: skip
READ_OPACITY = "read_opacity"
"""Image-level class: a radiologist who looked for opacities boxed one; unknown where none did."""

IMAGE_CLASSES = (*NIH_CLASSES, READ_OPACITY)


def is_reference(folder: Path) -> bool:
    return (folder / "images.csv").is_file() and (folder / "boxes.csv").is_file()


def read_reference(folder: Path) -> Dataset:
    """Read ``images.csv`` and ``boxes.csv``, the form of the project's reference chest X-rays."""
    problems: list[str] = []
    rows = _rows(folder / "images.csv", ("image", "patient", "view", "nih_labels", "rsna_class",
                                         "chestxdet", "negative_tier"))  # fmt: skip
    boxes: dict[str, list[tuple[str, LabelledBox]]] = {}
    for row in _rows(folder / "boxes.csv", ("image", "source", "label", "x", "y", "w", "h")):
        category = BOX_CATEGORIES.get((row["source"], row["label"]))
        if category is None:
            continue  # of the source's other classes there are too few boxes to measure
        try:
            box = Box.from_xywh(*(float(row[k]) for k in ("x", "y", "w", "h")))
        except ValueError as e:
            problems.append(f"A box of {row['image']} is not a box: {e}")
            continue
        boxes.setdefault(row["image"], []).append((row["source"], LabelledBox(box, category)))
    samples = []
    for row in rows:
        path = folder / "images" / row["image"]
        if not path.is_file():
            problems.append(f"The image {row['image']} is missing.")
            continue
        samples.append(_reference_sample(path, row, boxes.get(row["image"], [])))
    return Dataset(folder.name, tuple(samples), (OPACITY, EFFUSION), tuple(problems))


def _reference_sample(
    path: Path, row: Mapping[str, str], boxes: list[tuple[str, LabelledBox]]
) -> Sample:
    objects = _merged(boxes)
    boxed = {o.category for o in objects}
    chestxdet_read = row["chestxdet"] in ("boxes", "none")
    normal = row["rsna_class"] == "Normal"
    no_opacity = row["rsna_class"].startswith("No Lung Opacity")
    expert_negative = row["negative_tier"][:1] in ("A", "B")
    found = set(row["nih_labels"].split("|"))
    complete = set(boxed)
    if chestxdet_read or normal or no_opacity or expert_negative:
        complete.add(OPACITY)
    # RSNA readers looked for opacities; of their images only the normals are free of effusion.
    if chestxdet_read or (normal and "Effusion" not in found):
        complete.add(EFFUSION)
    image_classes = {name: name in found for name in NIH_CLASSES}
    if OPACITY in complete:
        image_classes[READ_OPACITY] = OPACITY in boxed
    return Sample(path, row["patient"], objects, (), frozenset(complete), image_classes,
                  row["view"])  # fmt: skip


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


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = [c for c in columns if c not in (reader.fieldnames or [])]
            if missing:
                raise DatasetError(f"{path.name} has no column {', '.join(missing)}.")
            return [{k: v or "" for k, v in row.items() if k} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise DatasetError(f"{path.name} cannot be read: {e}") from e
