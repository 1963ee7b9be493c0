"""The label export of Lightbox, and plain COCO: one JSON file, or one for each split."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from detector.dataset.boxes import ImageBoxes
from detector.dataset.lightbox import SIDE_FILE
from detector.dataset.pictures import LoadDicom, decoder_of, picture_size
from detector.dataset.sample import Dataset, Sample
from detector.types import DatasetError, ToneCurve

_ANNOTATIONS = "annotations.json"
_SPLIT = re.compile(r"(instances_)?(?P<split>(train|valid|val|test)\w*)", re.ASCII)
_BESIDE_SPLIT = ("_annotations.coco.json", _ANNOTATIONS)
_T = TypeVar("_T")


def find_annotations(folder: Path) -> tuple[Path, ...]:
    """The COCO files of a folder, by the first of these rules that finds any.

    ``annotations.json``; the only ``*.json``, not counting our own beside another format;
    ``train.json`` or ``instances_train2017.json`` and the other splits, in the folder or in
    ``annotations/``; ``*/_annotations.coco.json`` or
    ``*/annotations.json`` in a folder for each split.
    """
    if (folder / _ANNOTATIONS).is_file():
        return (folder / _ANNOTATIONS,)
    files = tuple(sorted(p for p in folder.glob("*.json") if p.name != SIDE_FILE))
    if len(files) == 1:
        return files
    for place in (files, tuple(sorted((folder / "annotations").glob("*.json")))):
        splits = tuple(p for p in place if _SPLIT.fullmatch(p.stem))
        if splits:
            return splits
    return tuple(sorted(p for name in _BESIDE_SPLIT for p in folder.glob(f"*/{name}")))


def read_coco(
    folder: Path, files: tuple[Path, ...], load_dicom: LoadDicom | None = None
) -> Dataset:
    """Read the COCO files of a folder as one data set.

    An image with ``"review": "partial"`` is known inside its decided boxes only; any other image
    is complete for every category that its file names, except one of which a box is unusable or
    a crowd. ``rejected_annotations`` are hard negatives. Detections (with a ``score``) are no
    labels and are reported.

    Raises
    ------
    DatasetError
        Where a file is not COCO.
    """
    parts = [_read_file(folder, path, load_dicom) for path in files]
    return Dataset(
        folder.name,
        tuple(s for part in parts for s in part.samples),
        tuple(dict.fromkeys(c for part in parts for c in part.categories)),
        tuple(p for part in parts for p in part.problems),
    )


def _read_file(folder: Path, path: Path, load_dicom: LoadDicom | None) -> Dataset:
    document = _document(path)
    problems: list[str] = []
    try:
        names = _by_id(path, document["categories"], lambda c: str(c["name"]))
        images = _by_id(path, document["images"], lambda i: i)
        annotations = list(document["annotations"])
        rejected = list(document.get("rejected_annotations", []))
    except (KeyError, TypeError, ValueError) as e:
        raise DatasetError(f"{path.name} is not a COCO file: {e!r}.") from e
    found = _boxes(annotations, names, images, problems)
    negatives = _boxes(rejected, names, images, problems)
    places = _places(folder, path)
    samples = []
    for number, image in images.items():
        sample = _sample(
            places, image, found=found.get(number), rejected=negatives.get(number),
            categories=frozenset(names.values()), problems=problems, load_dicom=load_dicom,
        )  # fmt: skip
        if sample is not None:
            samples.append(sample)
    categories = tuple(names[k] for k in sorted(names))
    return Dataset(path.parent.name, tuple(samples), categories, tuple(problems))


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as e:
        raise DatasetError(f"{path.name} cannot be read as JSON: {e}") from e
    if not isinstance(document, dict):
        raise DatasetError(f"{path.name} is not a COCO file: it needs images and annotations.")
    return document


def _by_id(
    path: Path, entries: list[dict[str, Any]], value: Callable[[dict[str, Any]], _T]
) -> dict[int, _T]:
    result: dict[int, _T] = {}
    for entry in entries:
        number = int(entry["id"])
        if number in result:
            raise DatasetError(f"{path.name} is not a COCO file: id {number} is there twice.")
        result[number] = value(entry)
    return result


def _boxes(
    annotations: list[dict[str, Any]],
    names: Mapping[int, str],
    images: Mapping[int, dict[str, Any]],
    problems: list[str],
) -> dict[int, ImageBoxes]:
    """Boxes by image number; what is not usable goes to `problems`, one sentence each."""
    result: dict[int, ImageBoxes] = {}
    for annotation in annotations:
        boxes, unclear = None, set(names.values())  # any category, until it is known which
        try:
            number = int(annotation["image_id"])
            boxes = result.setdefault(number, ImageBoxes(_size(images[number]), problems))
            category = names[int(annotation["category_id"])]
            unclear = {category}
            which = f"Annotation {annotation['id']}"
            x, y, width, height = map(float, annotation["bbox"])
        except (KeyError, TypeError, ValueError, OverflowError) as e:
            problems.append(f"An annotation was left out: {e!r} is missing or wrong.")
            if boxes is not None:
                boxes.doubtful |= unclear
            continue
        if "score" in annotation:
            problems.append(f"{which} was left out: it is a detection, no finding.")
        elif annotation.get("iscrowd"):
            boxes.leave_out(category, f"{which} was left out: it is a crowd, not one finding.")
        else:
            boxes.add(category, (x, y, x + width, y + height), which)
    return result


def _size(image: Mapping[str, Any]) -> tuple[int, int] | None:
    """Columns and rows; None where the file does not say them, as `_sample` accepts."""
    try:
        return int(image["width"]), int(image["height"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _sample(
    places: tuple[Path, ...],
    image: Mapping[str, Any],
    *,
    found: ImageBoxes | None,
    rejected: ImageBoxes | None,
    categories: frozenset[str],
    problems: list[str],
    load_dicom: LoadDicom | None,
) -> Sample | None:
    """One image, or None with a problem where its file is not there or its values not known."""
    try:
        name = str(image["file_name"])
        mapping = image.get("value_mapping") or {}
        curve = image.get("tone_curve")
        path = _inside(places, name)
        if path is None:
            problems.append(f"The image {name} is missing.")
            return None
        said, decoder = (image.get("width"), image.get("height")), decoder_of(path, load_dicom)
        size = said if decoder else picture_size(path)  # of DICOM it is known when it is decoded
        if said not in ((None, None), size):
            raise ValueError(f"{name} has {size[0]} x {size[1]} pixels, not {said[0]} x {said[1]}.")
        known = categories - (found.doubtful if found else set())
        return Sample(
            path=path,
            patient=str(image.get("patient_key") or image.get("patient") or name),
            objects=tuple(found.objects) if found else (),
            rejected=tuple(rejected.objects) if rejected else (),
            complete=frozenset() if image.get("review") == "partial" else known,
            view=str(image.get("view") or ""),
            slope=float(mapping.get("slope", 1.0)),
            intercept=float(mapping.get("intercept", 0.0)),
            tone_curve=None if curve is None else ToneCurve.from_json(curve),
            load_dicom=decoder,
        )
    except (KeyError, TypeError, ValueError, AttributeError, DatasetError) as e:
        problems.append(f"Image {image.get('id')} was left out: {e}")
        return None


def _places(folder: Path, path: Path) -> tuple[Path, ...]:
    """The data folder, then where the images of one COCO file may lie, the likeliest first."""
    split = _SPLIT.fullmatch(path.stem)
    parts: tuple[str, ...] = ("", "images")
    if split:
        parts = (split["split"], f"images/{split['split']}", *parts)
    roots = (path.parent, folder) if path.parent != folder else (folder,)
    return (folder, *(root / part for root in roots for part in parts))


def _inside(places: tuple[Path, ...], name: str) -> Path | None:
    """The image file, never one outside the data folder, which stands first in `places`."""
    root = places[0].resolve()
    for place in places[1:]:
        candidate = place / name
        if candidate.is_file() and candidate.resolve().is_relative_to(root):
            return candidate
    return None
