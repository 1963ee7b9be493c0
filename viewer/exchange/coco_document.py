"""A COCO file from anywhere, checked entry by entry before anything is made of it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from detector.types import Box
from viewer.errors import ExchangeError
from viewer.exchange.entries import text_of, wrong_at
from viewer.exchange.labels import LabelBox, LabelDocument, LabelImage, ModelName, fitted
from viewer.exchange.options import PARTS
from viewer.review.finding import Mode, Reason, Status

_T = TypeVar("_T")


def read(path: Path) -> LabelDocument:
    """Read and check a whole COCO file, or the one of a folder, or those of its split.

    Raises
    ------
    ExchangeError
        It cannot be read, or an entry is wrong; the sentence names file and entry.
    """
    if not path.is_dir():
        return read_file(path)
    names = ("annotations.json", *(f"{part}.json" for part in PARTS))
    files = [path / name for name in names if (path / name).is_file()]
    if not files:
        raise ExchangeError(f"{path.name} has no {names[0]} and no {names[1]}; name the file.")
    documents = [read_file(file) for file in files]
    return documents[0] if len(documents) == 1 else joined(documents)


def joined(documents: Sequence[LabelDocument]) -> LabelDocument:
    """The files of one data set as one document: each counts its images from 1."""
    images: list[LabelImage] = []
    boxes: list[LabelBox] = []
    for document in documents:
        ids = {image.id: len(images) + n for n, image in enumerate(document.images, start=1)}
        images += [replace(image, id=ids[image.id]) for image in document.images]
        boxes += [replace(box, image_id=ids[box.image_id]) for box in document.boxes]
    return replace(documents[0], images=tuple(images), boxes=tuple(boxes))


def read_file(file: Path) -> LabelDocument:
    """Read and check one COCO file."""
    try:
        root = json.loads(text_of(file), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ExchangeError(f"{file.name} cannot be read as JSON: {error}.") from error
    with wrong_at(f"{file.name}: the file"):
        if not isinstance(root, dict):
            raise TypeError("it is not a JSON object")
    images = tuple(_entries(file, root, "images", _image))
    _refuse_twice(file, images)
    by_id = {image.id: image for image in images}
    categories = dict(_entries(file, root, "categories", _category))

    def to_box(entry: dict[str, Any]) -> LabelBox:
        return _box(entry, by_id, categories)

    def to_rejected(entry: dict[str, Any]) -> LabelBox:
        return _box({"status": "rejected"} | entry, by_id, categories)

    def to_uncertain(entry: dict[str, Any]) -> LabelBox:
        return _box(entry, by_id, categories, uncertain=True)

    boxes = (
        *_entries(file, root, "annotations", to_box),
        *_entries(file, root, "rejected_annotations", to_rejected),
        *_entries(file, root, "uncertain_annotations", to_uncertain),
    )
    with wrong_at(f"{file.name}: info"):
        info = root.get("info") or {}
        return LabelDocument(
            file.absolute().parent,
            images,
            boxes,
            _model(info.get("model")),
            _text(info, "device") or "imported",
            _optional_number(info, "floor") or 0.0,
        )


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _entries(
    file: Path, root: dict[str, Any], name: str, read: Callable[[dict[str, Any]], _T]
) -> Iterator[_T]:
    needed = name in ("images", "annotations", "categories")
    with wrong_at(f"{file.name}: the file"):
        entries = root[name] if needed else root.get(name, [])
    with wrong_at(f"{file.name}: {name}"):
        if not isinstance(entries, list):
            raise TypeError("it is not a list")
    for number, each in enumerate(entries):
        with wrong_at(f"{file.name}: {name}[{number}]"):
            if not isinstance(each, dict):
                raise TypeError("it is not an object")
            yield read(each)


def _refuse_twice(file: Path, images: tuple[LabelImage, ...]) -> None:
    seen: set[int] = set()
    for number, image in enumerate(images):
        if image.id in seen:
            raise ExchangeError(f"{file.name}: images[{number}] has the id of an earlier image.")
        seen.add(image.id)


def _image(entry: dict[str, Any]) -> LabelImage:
    width, height = _whole(entry, "width"), _whole(entry, "height")
    if width <= 0 or height <= 0:
        raise ValueError("its width and height must be positive")
    return LabelImage(
        id=_whole(entry, "id"),
        file_name=_text(entry, "file_name"),
        width=width,
        height=height,
        frame_number=_whole({"frame_number": 1} | entry, "frame_number"),
        uid=_text(entry, "sop_instance_uid"),
        pixel_sha256=_text(entry, "pixel_sha256"),
        patient_key=_text(entry, "patient_key"),
    )


def _category(entry: dict[str, Any]) -> tuple[int, str]:
    name = _text(entry, "name")
    if not name:
        raise ValueError("it has no name")
    return _whole(entry, "id"), name


def _box(
    entry: dict[str, Any],
    images: dict[int, LabelImage],
    categories: dict[int, str],
    *,
    uncertain: bool = False,
) -> LabelBox:
    image_id, category_id = _whole(entry, "image_id"), _whole(entry, "category_id")
    if image_id not in images:
        raise ValueError(f"there is no image with the id {image_id}")
    if category_id not in categories:
        raise ValueError(f"there is no category with the id {category_id}")
    score = _optional_number(entry, "score")
    if score is not None and not 0.0 <= score <= 1.0:
        raise ValueError("its score is not between 0 and 1")
    visible = entry.get("ai_visible", False)
    if not isinstance(visible, bool):
        raise TypeError("'ai_visible' is neither true nor false")
    status = Status(_text(entry, "status") or "accepted")
    if status is Status.OPEN and not uncertain:
        raise ValueError("an open candidate has a score, not a status")
    return LabelBox(
        image_id=image_id,
        box=_rectangle(entry, images[image_id]),
        category=categories[category_id],
        score=score,
        status=status,
        reader=_text(entry, "reader"),
        decided_at=_time(entry),
        threshold=_optional_number(entry, "threshold"),
        ai_visible=visible,
        model=_model(entry.get("model")),
        model_score=_optional_number(entry, "model_score"),
        reason=Reason(_text(entry, "reason")) if entry.get("reason") is not None else None,
        uncertain=uncertain,
        mode=Mode(_text(entry, "mode") or Mode.CONCURRENT),
    )


def _rectangle(entry: dict[str, Any], image: LabelImage) -> Box:
    bbox = entry["bbox"]
    if not isinstance(bbox, list) or len(bbox) != 4:
        raise TypeError("'bbox' is not a list of four numbers")
    x, y, width, height = (_number(value, "bbox") for value in bbox)
    if width <= 0 or height <= 0:
        raise ValueError("the width and height of its 'bbox' must be positive")
    return fitted(Box.from_xywh(x, y, width, height), image.width, image.height)


def _time(entry: dict[str, Any]) -> datetime | None:
    text = _text(entry, "decided_at")
    if not text:
        return None
    time = datetime.fromisoformat(text)
    return (time.replace(tzinfo=UTC) if time.tzinfo is None else time).astimezone(UTC)


def _model(entry: Any) -> ModelName | None:
    if entry is None:
        return None
    if not isinstance(entry, dict):
        raise TypeError("'model' is not an object")
    return ModelName(_text(entry, "name"), _text(entry, "version"), _text(entry, "weights_sha256"))


def _text(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(f"'{name}' is not a text")
    return value


def _whole(entry: dict[str, Any], name: str) -> int:
    value = entry[name]
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**53:
        raise TypeError(f"'{name}' is not a whole number")
    return value


def _optional_number(entry: dict[str, Any], name: str) -> float | None:
    value = entry.get(name)
    return None if value is None else _number(value, name)


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"'{name}' is not a number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"'{name}' is not a finite number")
    return number
