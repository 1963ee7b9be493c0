"""The label export of Lightbox, and plain COCO: annotations.json with the images beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from detector.dataset.sample import Dataset, LabelledBox, Sample
from detector.types import Box, DatasetError, ToneCurve

_ANNOTATIONS = "annotations.json"


def find_annotations(folder: Path) -> Path | None:
    """``annotations.json``, or else the only ``*.json`` of the folder."""
    if (folder / _ANNOTATIONS).is_file():
        return folder / _ANNOTATIONS
    files = sorted(folder.glob("*.json"))
    return files[0] if len(files) == 1 else None


def read_coco(path: Path) -> Dataset:
    """Read one COCO file.

    An image with ``"review": "partial"`` is known inside its decided boxes only; any other image
    is complete for every category that the file names. ``rejected_annotations`` are hard
    negatives. Detections (with a ``score``) and crowds are no labels and are reported.

    Raises
    ------
    DatasetError
        Where the file is not COCO.
    """
    document = _document(path)
    problems: list[str] = []
    try:
        names = {int(c["id"]): str(c["name"]) for c in document["categories"]}
        images = {int(i["id"]): i for i in document["images"]}
        annotations = list(document["annotations"])
        rejected = list(document.get("rejected_annotations", []))
    except (KeyError, TypeError, ValueError) as e:
        raise DatasetError(f"{path.name} is not a COCO file: {e!r}.") from e
    objects = _boxes(annotations, names, images, problems)
    negatives = _boxes(rejected, names, images, problems)
    samples = []
    for number, image in images.items():
        sample = _sample(
            path.parent, image,
            objects=tuple(objects.get(number, ())), rejected=tuple(negatives.get(number, ())),
            categories=frozenset(names.values()), problems=problems,
        )  # fmt: skip
        if sample is not None:
            samples.append(sample)
    categories = tuple(names[k] for k in sorted(names))
    return Dataset(path.parent.name, tuple(samples), categories, tuple(problems))


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise DatasetError(f"{path.name} cannot be read as JSON: {e}") from e
    if not isinstance(document, dict):
        raise DatasetError(f"{path.name} is not a COCO file: it needs images and annotations.")
    return document


def _boxes(
    annotations: list[dict[str, Any]],
    names: Mapping[int, str],
    images: Mapping[int, dict[str, Any]],
    problems: list[str],
) -> dict[int, list[LabelledBox]]:
    """Usable boxes by image number; what is not usable goes to `problems`, one sentence each."""
    result: dict[int, list[LabelledBox]] = {}
    for annotation in annotations:
        try:
            which = f"Annotation {annotation['id']}"
            image = images[int(annotation["image_id"])]
            category = names[int(annotation["category_id"])]
            x, y, width, height = map(float, annotation["bbox"])
            columns, rows = int(image["width"]), int(image["height"])
        except (KeyError, TypeError, ValueError) as e:
            problems.append(f"An annotation was left out: {e!r} is missing or wrong.")
            continue
        if "score" in annotation or annotation.get("iscrowd"):
            problems.append(f"{which} was left out: it is a detection or a crowd, no finding.")
            continue
        try:
            box = Box.from_xywh(x, y, width, height)
            clipped = box.clipped(columns, rows)
        except ValueError:
            problems.append(f"{which} was left out: its box is empty or outside the image.")
            continue
        if clipped.area < 0.99 * box.area:
            problems.append(f"{which} was cut to the image: its box reaches outside.")
        result.setdefault(int(image["id"]), []).append(LabelledBox(clipped, category))
    return result


def _sample(
    folder: Path,
    image: Mapping[str, Any],
    *,
    objects: tuple[LabelledBox, ...],
    rejected: tuple[LabelledBox, ...],
    categories: frozenset[str],
    problems: list[str],
) -> Sample | None:
    """One image, or None with a problem where its file is not there or its values not known."""
    try:
        name = str(image["file_name"])
        mapping = image.get("value_mapping") or {}
        curve = image.get("tone_curve")
        path = _inside(folder, name)
        if path is None:
            problems.append(f"The image {name} is missing.")
            return None
        return Sample(
            path=path,
            patient=str(image.get("patient_key") or image.get("patient") or name),
            objects=objects,
            rejected=rejected,
            complete=frozenset() if image.get("review") == "partial" else categories,
            view=str(image.get("view") or ""),
            slope=float(mapping.get("slope", 1.0)),
            intercept=float(mapping.get("intercept", 0.0)),
            tone_curve=None if curve is None else ToneCurve.from_json(curve),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        problems.append(f"Image {image.get('id')} was left out: {e}")
        return None


def _inside(folder: Path, name: str) -> Path | None:
    """The image file, never one outside the data folder; ``images/`` may be left unsaid."""
    root = folder.resolve()
    for candidate in (folder / name, folder / "images" / name):
        if candidate.is_file() and candidate.resolve().is_relative_to(root):
            return candidate
    return None
