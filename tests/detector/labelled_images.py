"""Pictures, label exports and cards, made in code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from detector.types import ModelCard

SIZE = 128


def radiograph(seed: int, box: tuple[int, int, int, int] | None = None) -> np.ndarray:
    """A noisy grey picture, (128, 128) uint8, with a bright patch in `box` (x, y, w, h)."""
    random = np.random.default_rng(seed)
    picture = random.normal(90, 12, (SIZE, SIZE))
    if box is not None:
        x, y, w, h = box
        picture[y : y + h, x : x + w] += 90
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 1), 0, 255).astype(np.uint8)


def write_export(folder: Path, images: list[dict[str, Any]], **more: Any) -> Path:
    """The label export of Lightbox with these images.

    Each image: name, picture, boxes (list of category id and x y w h), rejected (same), and any
    field of the export's image entry.
    """
    (folder / "images").mkdir(parents=True)
    document: dict[str, Any] = {
        "info": {"description": "Lightbox labels", "version": "1"},
        "categories": [{"id": 1, "name": "opacity"}, {"id": 2, "name": "effusion"}],
        "images": [],
        "annotations": [],
        "rejected_annotations": [],
    }
    number = 0
    for place, image in enumerate(images, start=1):
        picture = image.pop("picture")
        name = image.pop("name")
        cv2.imwrite(str(folder / "images" / name), picture)
        for key, source in (("annotations", "boxes"), ("rejected_annotations", "rejected")):
            for category, *bbox in image.pop(source, []):
                number += 1
                document[key].append({
                    "id": number, "image_id": place, "category_id": category, "bbox": bbox,
                    "area": bbox[2] * bbox[3], "iscrowd": 0,
                })  # fmt: skip
        document["images"].append({
            "id": place, "file_name": f"images/{name}", "width": picture.shape[1],
            "height": picture.shape[0], "frame_number": 1, "patient_key": name,
            "value_mapping": {"slope": 1, "intercept": 0}, "tone_curve": None,
            "review": "complete", "view": "PA",
        } | image)  # fmt: skip
    (folder / "annotations.json").write_text(json.dumps(document | more))
    return folder


def model_card(**changes: Any) -> ModelCard:
    fields: dict[str, Any] = {
        "name": "small", "version": "1", "architecture": "csp_nano",
        "architecture_options": {"levels": [16, 32], "image_classes": ["Mass"]},
        "categories": ("opacity", "effusion"), "input_size": SIZE, "weights_sha256": "",
        "modalities": ("DX",), "body_parts": ("CHEST",), "views": ("PA", "AP"),
        "default_threshold": 0.4, "description": "untrained",
    }  # fmt: skip
    return ModelCard(**(fields | changes))
