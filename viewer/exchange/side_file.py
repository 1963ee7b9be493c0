"""What lightbox.json knows of the labels beside it.

The labels win: a box that is not in them any more is not imported, and one that was moved or added
since is the importing reader's own. What the labels cannot hold comes from the side file: exact
corners, status, reader, time and model of a box that still stands, and the rejected and uncertain
boxes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from viewer.exchange import coco_document
from viewer.exchange.dataset import SIDE_FILE
from viewer.exchange.labels import LabelBox, LabelDocument, LabelImage, by_image, in_pixels
from viewer.review.finding import Status

_MOVED = 1.0
"""Pixels below which a corner has not been moved: what the coarsest format rounds off."""


def read(folder: Path) -> LabelDocument | None:
    """The side file of a folder; None where there is none.

    Raises
    ------
    ExchangeError
        It is there, and wrong.
    """
    file = folder / SIDE_FILE
    return coco_document.read_file(file) if file.is_file() else None


def joined(document: LabelDocument, side: LabelDocument | None) -> LabelDocument:
    """The labels with what the side file knows of the images and boxes that are in them."""
    if side is None:
        return document
    known = {image.file_name: image for image in side.images}
    own, beside = by_image(document.boxes), by_image(side.boxes)
    images: list[LabelImage] = []
    boxes: list[LabelBox] = []
    for image in document.images:
        entry, drawn = known.get(image.file_name), own.get(image.id, [])
        if entry is None:
            images.append(image)
            boxes += drawn
            continue
        images.append(replace(entry, id=image.id, content=image.content))
        size = entry.width, entry.height
        placed = [replace(box, box=in_pixels(box.box, image.drawn_on, size)) for box in drawn]
        found = _joined_boxes(placed, beside.get(entry.id, []))
        boxes += [replace(box, image_id=image.id) for box in found]
    return replace(document, images=tuple(images), boxes=tuple(boxes))


def _joined_boxes(own: list[LabelBox], beside: list[LabelBox]) -> list[LabelBox]:
    plain = [box for box in beside if not _is_apart(box)]
    result = []
    for box in own:
        same = min((each for each in plain if _is_same(box, each)), default=None, key=_off(box))
        if same is None:
            result.append(box)
        else:
            plain.remove(same)
            result.append(same)
    # What somebody has drawn there since is no word of the side file any more.
    apart = [each for each in beside if _is_apart(each)]
    return result + [each for each in apart if not any(_is_same(box, each) for box in own)]


def _is_apart(box: LabelBox) -> bool:
    """Whether only the side file may have it."""
    return box.uncertain or box.status is Status.REJECTED


def _is_same(box: LabelBox, known: LabelBox) -> bool:
    # Some formats take the blanks off the ends of a name.
    return box.category.strip() == known.category.strip() and _off(box)(known) <= _MOVED


def _off(box: LabelBox) -> Callable[[LabelBox], float]:
    """How far another box's corners are from this one's, at most."""

    def off(known: LabelBox) -> float:
        ours, theirs = box.box, known.box
        return max(
            abs(ours.x_min - theirs.x_min),
            abs(ours.y_min - theirs.y_min),
            abs(ours.x_max - theirs.x_max),
            abs(ours.y_max - theirs.y_max),
        )

    return off
