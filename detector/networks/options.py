"""What a card may ask of an architecture, checked before anything is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from detector.types import ModelError

LEVELS = (4, 8, 16, 32, 64)
"""Strides that a feature level may have, in pixels of the input."""

_CHOICES: dict[str, tuple[Any, ...]] = {
    "backbone": ("resnet18", "mobilenet_v3"),
    "norm": ("group", "batch"),
    "channels": (1, 3),
}


@dataclass(frozen=True)
class NetworkOptions:
    """The ``architecture_options`` of a card.

    The defaults are for chest radiographs at 448 px.

    Attributes
    ----------
    backbone : "resnet18" or "mobilenet_v3" (large).
    norm : "group" where a step sees few images, "batch" where it sees 16 or more: batch norm is
        the faster of the two.
    channels : 1 grey, 3 colour.
    image_classes : names of the image-level classes, in the order of `image_logits`.
    levels : strides that carry a head: neighbours out of `LEVELS`, 32 among them. Level 4 costs as
        much as all the others together; below 1024 px findings of a fortieth of the input need it.
    width : channels of the feature pyramid and the heads, a multiple of 32.
    """

    backbone: str = "resnet18"
    norm: str = "group"
    channels: int = 1
    image_classes: tuple[str, ...] = ()
    levels: tuple[int, ...] = (4, 8, 16, 32)
    width: int = 96

    @staticmethod
    def from_card(options: Mapping[str, Any]) -> NetworkOptions:
        """The options of a card, the absent ones by default.

        Raises
        ------
        ModelError
            Where an option is not known or has a value that is not possible.
        """
        check(options, [field.name for field in fields(NetworkOptions)])
        given = {name: _frozen(value) for name, value in options.items()}
        _check_levels(given.get("levels", NetworkOptions.levels))
        width = given.get("width", NetworkOptions.width)
        if not isinstance(width, int) or not 32 <= width <= 512 or width % 32:
            raise ModelError(
                f"The architecture option width is {width!r}; "
                "it must be a multiple of 32 from 32 to 512."
            )
        return NetworkOptions(**given)


def check(options: Mapping[str, Any], names: Sequence[str]) -> None:
    """Refuse an option that is not among `names`, and values that no architecture has.

    Raises
    ------
    ModelError
        Where there is such a one.
    """
    for name, value in options.items():
        if name not in names:
            raise ModelError(
                f"The architecture option {name!r} is not known; known are {', '.join(names)}."
            )
        choices = _CHOICES.get(name)
        if choices and value not in choices:
            raise ModelError(
                f"The architecture option {name} is {value!r}; "
                f"it can be {' or '.join(map(str, choices))}."
            )
    classes = options.get("image_classes", ())
    if not isinstance(classes, list | tuple) or not all(isinstance(n, str) for n in classes):
        raise ModelError("The architecture option image_classes is not a list of names.")


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _check_levels(levels: Any) -> None:
    runs = [LEVELS[a:b] for a in range(len(LEVELS)) for b in range(a + 1, len(LEVELS) + 1)]
    if levels not in runs or 32 not in levels:
        raise ModelError(
            f"The architecture option levels is {levels!r}; it must be neighbours out of "
            f"{', '.join(map(str, LEVELS))} with 32 among them."
        )
