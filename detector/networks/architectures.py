"""The networks that a model card may name, built in torch. Imported where a model runs, only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from detector.networks.csp_nano import CspDetector
from detector.networks.network import DetectionNetwork
from detector.types import ModelError


def _csp_nano(options: dict[str, Any], categories: int) -> DetectionNetwork:
    image_classes = options.get("image_classes", [])
    return CspDetector(categories, len(image_classes), options.get("levels", [8, 16, 32]))


BUILDERS: dict[str, Callable[[dict[str, Any], int], DetectionNetwork]] = {"csp_nano": _csp_nano}


def build(
    architecture: str, options: dict[str, Any], categories: Sequence[str]
) -> DetectionNetwork:
    """A network with fresh weights.

    Parameters
    ----------
    architecture, options, categories : as the model card names them.

    Raises
    ------
    ModelError
        Where no architecture has that name.
    """
    builder = BUILDERS.get(architecture)
    if builder is None:
        raise ModelError(
            f"This version of Lightbox does not know the model architecture {architecture!r}; "
            f"it knows {', '.join(sorted(BUILDERS))}."
        )
    return builder(options, len(categories))
