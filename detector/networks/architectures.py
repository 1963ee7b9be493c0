"""The networks that a model card may name, built in torch. Imported where a model runs, only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from detector.networks.anchor_detector import retinanet, ssdlite
from detector.networks.csp_ensemble import CspEnsemble, places
from detector.networks.csp_nano import CspDetector
from detector.networks.faster_rcnn import FasterRcnn
from detector.networks.fcos import Fcos
from detector.networks.network import DetectionNetwork
from detector.networks.options import NetworkOptions, check
from detector.types import ModelError

Builder = Callable[[dict[str, Any], int], DetectionNetwork]


def _csp_nano(options: dict[str, Any], categories: int) -> DetectionNetwork:
    check(options, ("channels", "image_classes", "levels"))
    classes = len(options.get("image_classes", ()))
    return CspDetector(categories, classes, _csp_levels(options), options.get("channels", 1))


def _csp_ensemble(options: dict[str, Any], categories: int) -> DetectionNetwork:
    check(options, ("channels", "image_classes", "levels", "sizes", "places", "mirrored"))
    sizes, levels, mirrored = options.get("sizes"), _csp_levels(options), options.get("mirrored")
    if not sizes or any(not isinstance(s, int) or s % 32 or not 32 <= s <= 4096 for s in sizes):
        raise ModelError(f"The option sizes of csp_ensemble is {sizes!r}, not multiples of 32.")
    if mirrored not in (None, True, False):
        raise ModelError(f"The option mirrored of csp_ensemble is {mirrored!r}, not true or false.")
    if options.get("places") != places(sizes, levels, bool(mirrored)):
        raise ModelError("The option places of csp_ensemble does not follow from its sizes.")
    classes = len(options.get("image_classes", ()))
    return CspEnsemble(
        categories, classes, levels, sizes,
        channels=options.get("channels", 1), mirrored=bool(mirrored),
    )  # fmt: skip


def _csp_levels(options: dict[str, Any]) -> list[int]:
    levels = options.get("levels", [8, 16, 32])
    if not isinstance(levels, list | tuple) or not set(levels) <= {8, 16, 32} or not levels:
        raise ModelError(f"The option levels is {levels!r}, not out of 8, 16 and 32.")
    return list(levels)


def _on_backbone(architecture: Callable[[NetworkOptions, int], DetectionNetwork]) -> Builder:
    return lambda options, categories: architecture(NetworkOptions.from_card(options), categories)


BUILDERS: dict[str, Builder] = {
    "csp_ensemble": _csp_ensemble,
    "csp_nano": _csp_nano,
    "faster_rcnn": _on_backbone(FasterRcnn),
    "fcos": _on_backbone(Fcos),
    "retinanet": _on_backbone(retinanet),
    "ssdlite": _on_backbone(ssdlite),
}


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
        Where no architecture has that name, or it does not know an option or its value.
    """
    builder = BUILDERS.get(architecture)
    if builder is None:
        raise ModelError(
            f"This version of Lightbox does not know the model architecture {architecture!r}; "
            f"it knows {', '.join(sorted(BUILDERS))}."
        )
    return builder(options, len(categories))
