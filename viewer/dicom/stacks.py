"""One series -> the stacks that a reader scrolls through, each in order. Pure: no file is touched.

A series is divided by what cannot lie in one stack: orientation, frame of reference, size, Stack
ID, localizer or not. What is left is divided further (echo, b-value, phase, kind of image) only
where several images lie at one position and that explains them: a trigger time that differs from
image to image of a simple stack is no reason to take it apart.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from viewer.dicom.model import Image, PlaneGeometry, Series
from viewer.dicom.planes import normal_of
from viewer.dicom.stack_geometry import SAME_DIRECTION, measure, notes_on, positions_along

_PLANE_NAMES = ("sagittal", "coronal", "axial")
_OBLIQUE = np.cos(np.radians(5))
_BETWEEN = np.cos(np.radians(35))  # farther from every axis there is no plane to be named after
_TURNING = 3  # more single images, each turned against the others, are one rotating view
_MOST_ORIENTATIONS = 100  # more of them are no stacks


@dataclass(frozen=True, slots=True)
class _Trait:
    """One way to tell images apart, and how the reader is told."""

    of: Callable[[Image], Hashable]
    words: Callable[[Image, Sequence[Image]], str]


def split_stacks(images: Iterable[Image]) -> tuple[Series, ...]:
    """The stacks of one series, each in reading order: along the normal where there is one.

    Images at one position come by time, echo and b-value, then by number; those without a
    position by number, then path.
    """
    ordered = sorted(images, key=_number_key)
    stacks: list[Series] = []
    for group, words in _divide(ordered, [_orientation(ordered), *_ALWAYS]):
        for part, more in _explain(group, _PHASES):
            in_order = _in_order(part)
            geometry = measure(in_order)
            stacks.append(
                Series(
                    header=in_order[0].series,
                    images=tuple(in_order),
                    stack=", ".join(filter(None, words + more)),
                    notes=notes_on(geometry, in_order[0].series.modality) if geometry else (),
                )
            )
    return _told_apart(stacks)


def natural_key(text: str) -> tuple[Any, ...]:
    """Sorts "I2" before "I10"."""
    parts = re.split(r"(\d+)", text.casefold())
    return tuple((int(p), "") if p.isdecimal() else (-1, p) for p in parts if p), text


def plane_name(plane: PlaneGeometry) -> str:
    """Axial, coronal or sagittal, with "oblique" before it where it is more than 5 degrees off."""
    sizes = np.abs(normal_of(plane))
    axis = int(sizes.argmax())
    if sizes[axis] < _BETWEEN:
        return "oblique"
    return _PLANE_NAMES[axis] if sizes[axis] >= _OBLIQUE else f"oblique {_PLANE_NAMES[axis]}"


# --- dividing ------------------------------------------------------------------------------------


def _orientation(images: Sequence[Image]) -> _Trait:
    """Images of one orientation; -1 for those without, and for views that turn about an axis."""
    found: list[np.ndarray[Any, np.dtype[np.float64]]] = []
    numbers: dict[int, int] = {}
    for image in images:
        if image.geometry is not None:
            own = np.array((*image.geometry.row_direction, *image.geometry.column_direction))
            near = (n for n, one in enumerate(found) if np.abs(one - own).max() <= SAME_DIRECTION)
            number = next(near, len(found))
            if number == len(found):
                found.append(own)
            numbers[id(image)] = number
            if len(found) > _MOST_ORIENTATIONS:
                break
    if len(found) == len(numbers) > _TURNING or len(found) > _MOST_ORIENTATIONS:
        numbers = {id(image): 0 for image in images if image.geometry is not None}
    return _Trait(lambda image: numbers.get(id(image), -1), _orientation_words)


def _orientation_words(image: Image, _among: Sequence[Image]) -> str:
    return "no position" if image.geometry is None else plane_name(image.geometry)


def _if_placed(of: Callable[[Image], Hashable]) -> Callable[[Image], Hashable]:
    """Radiographs and the like may differ in size and still be read one after the other."""
    return lambda image: None if image.geometry is None else of(image)


_ALWAYS = (
    _Trait(
        lambda image: "LOCALIZER" in image.acquisition.image_type,
        lambda image, _: "localizer" if "LOCALIZER" in image.acquisition.image_type else "",
    ),
    _Trait(_if_placed(lambda image: image.acquisition.frame_of_reference), lambda *_: ""),
    _Trait(
        _if_placed(lambda image: (image.rows, image.columns)),
        lambda image, _: "" if image.geometry is None else f"{image.columns} × {image.rows}",
    ),
    _Trait(
        _if_placed(lambda image: image.is_colour),
        lambda image, _: "colour" if image.is_colour else "",
    ),
    _Trait(
        lambda image: image.acquisition.stack_id,
        lambda image, _: f"stack {image.acquisition.stack_id}",
    ),
)


def _divide(images: list[Image], traits: Sequence[_Trait]) -> list[tuple[list[Image], list[str]]]:
    """Groups that agree in all traits, with the words for those in which groups differ."""
    groups = _grouped(images, lambda image: tuple(trait.of(image) for trait in traits))
    differing = [trait for trait in traits if len({trait.of(each[0]) for each in groups}) > 1]
    return [(group, [trait.words(group[0], images) for trait in differing]) for group in groups]


def _explain(images: list[Image], traits: Sequence[_Trait]) -> list[tuple[list[Image], list[str]]]:
    """Take apart what lies at the same positions, by the first trait that explains it."""
    most = _most_at_one_position(images)
    for number, trait in enumerate(traits):
        if most < 2:
            break
        parts = _grouped(images, trait.of)
        if 1 < len(parts) <= most and all(_most_at_one_position(part) < most for part in parts):
            return [
                (found, [trait.words(part[0], images), *words])
                for part in parts
                for found, words in _explain(part, traits[number + 1 :])
            ]
    return _by_trigger(images, most)


def _by_trigger(images: list[Image], most: int) -> list[tuple[list[Image], list[str]]]:
    """Phases by their rank at each position, where each has trigger times of its own."""
    if most < 2 or any(image.acquisition.trigger_time is None for image in images):
        return [(images, [])]
    positions = positions_along(images)
    assert positions is not None
    places: dict[float, list[Image]] = {}
    for position, image in zip(positions.tolist(), images, strict=True):
        places.setdefault(position, []).append(image)
    if any(len(there) != most for there in places.values()):
        return [(images, [])]
    ranked = [sorted(there, key=_time_key) for there in places.values()]
    return [
        ([there[rank] for there in ranked], [f"phase {rank + 1} of {most}"]) for rank in range(most)
    ]


def _most_at_one_position(images: Sequence[Image]) -> int:
    """How many images share a position, at most; 1 where all of them do, as in a cine loop."""
    positions = positions_along(images)
    if positions is None:
        return 1
    counts = Counter(positions.tolist())
    return max(counts.values()) if len(counts) > 1 else 1


def _grouped(images: Sequence[Image], of: Callable[[Image], Hashable]) -> list[list[Image]]:
    groups: dict[Hashable, list[Image]] = {}
    for image in images:
        groups.setdefault(of(image), []).append(image)
    return list(groups.values())


# --- what explains several images at one position ------------------------------------------------


def _kind_words(image: Image, among: Sequence[Image]) -> str:
    """Values 3 and later of Image Type, without those that all have: "M", "ADC", "WATER"."""
    shared = set(image.acquisition.image_type[2:])
    for other in among:
        shared &= set(other.acquisition.image_type[2:])
    return " ".join(part for part in image.acquisition.image_type[2:] if part not in shared)


def _echo_words(image: Image, _among: Sequence[Image]) -> str:
    number, time = image.acquisition.echo_number, image.acquisition.echo_time
    parts = [
        "" if number is None else f"echo {number}",
        "" if time is None else f"TE {time:.4g} ms",
    ]
    return ", ".join(filter(None, parts))


def _b_words(image: Image, _among: Sequence[Image]) -> str:
    value = image.acquisition.b_value
    return "no b-value" if value is None else f"b {value:.4g}"


def _phase_words(of: Callable[[Image], float | None]) -> Callable[[Image, Sequence[Image]], str]:
    def words(image: Image, among: Sequence[Image]) -> str:
        values = sorted({value for value in map(of, among) if value is not None})
        own = of(image)
        return "no phase" if own is None else f"phase {values.index(own) + 1} of {len(values)}"

    return words


_PHASES = (
    _Trait(lambda image: image.acquisition.image_type[2:], _kind_words),
    _Trait(lambda image: (image.acquisition.echo_number, image.acquisition.echo_time), _echo_words),
    _Trait(lambda image: image.acquisition.b_value, _b_words),
    _Trait(
        lambda image: image.acquisition.temporal_position,
        _phase_words(lambda image: image.acquisition.temporal_position),
    ),
    _Trait(
        lambda image: image.acquisition.trigger_time,
        _phase_words(lambda image: image.acquisition.trigger_time),
    ),
    _Trait(
        lambda image: image.acquisition.number,
        lambda image, _: f"acquisition {image.acquisition.number}",
    ),
)


# --- order ---------------------------------------------------------------------------------------


def _number_key(image: Image) -> tuple[Any, ...]:
    number = image.instance_number
    return (
        number is None,
        number or 0,
        natural_key(str(image.path)),
        natural_key(image.member),
        image.frame_number,
    )


def _in_order(images: list[Image]) -> list[Image]:
    positions = positions_along(images)
    if positions is None:
        return images
    places = positions.tolist()
    order = sorted(range(len(images)), key=lambda i: (places[i], _time_key(images[i]), i))
    return [images[i] for i in order]


def _time_key(image: Image) -> tuple[float, ...]:
    own = image.acquisition
    values = (own.temporal_position, own.trigger_time, own.echo_time, own.b_value)
    return tuple(-1.0 if value is None else value for value in values)


def _told_apart(stacks: list[Series]) -> tuple[Series, ...]:
    """Stacks that no words tell apart are numbered."""
    counts = Counter(stack.stack for stack in stacks)
    seen: Counter[str] = Counter()
    named = []
    for stack in stacks:
        seen[stack.stack] += 1
        if counts[stack.stack] > 1:
            number = f"stack {seen[stack.stack]}"
            words = f"{stack.stack}, {number}" if stack.stack else number
            named.append(replace(stack, stack=words))
        else:
            named.append(stack)
    return tuple(named)
