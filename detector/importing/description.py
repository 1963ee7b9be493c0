"""What a person must say of a model that is brought along. Read without torch or onnxruntime."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

STYLES = ("yolo", "ssd", "retinanet", "detr")
"""How a detector in ONNX may answer; `detector.inference.onnx_outputs` reads them."""

UNMEASURED = "Imported; nobody here has measured it."


@dataclass(frozen=True, slots=True)
class Description:
    """All that goes into the card of an imported model. None or empty: not said yet.

    Attributes
    ----------
    output : one of `STYLES`; ONNX alone.
    input_size : pixels of the square that the network sees.
    channels : 1 where it reads grey pictures, 3 where it reads colour.
    scale : brightness 1 becomes this number, 1 or 255, before `mean` and `std`.
    mean, std : one number for each plane of the input, in units of `scale`.
    order : "rgb" or "bgr".
    first_label : what the first category is called in answers of the style retinanet.
    architecture, options : of a safetensors file, as `detector.networks.architectures` knows them.
    """

    name: str = ""
    output: str = ""
    categories: tuple[str, ...] = ()
    input_size: int | None = None
    modalities: tuple[str, ...] = ("CR", "DX", "RG")
    body_parts: tuple[str, ...] = ("CHEST", "THORAX")
    views: tuple[str, ...] = ("PA", "AP")
    channels: int | None = None
    scale: float | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    order: str = ""
    first_label: int = 1
    threshold: float = 0.3
    architecture: str = ""
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inspection:
    """A description with what the file says of itself filled in.

    Attributes
    ----------
    missing : the fields of the description that a person has to give still, the first one first.
    category_count : how many categories the file answers for; None where it does not tell.
    """

    description: Description
    missing: tuple[str, ...]
    category_count: int | None = None
