"""Small labelled data sets and models, made in code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from detector.architectures import build
from detector.model_store import save
from detector.types import ModelCard

ROOT = Path(__file__).parents[2]
SIZE = 128


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def reference(data_folder: Path) -> Path:
    """The reference chest X-rays."""
    return data_folder / "cxr"


@pytest.fixture
def bundled() -> Path:
    """The model that ships."""
    folder = ROOT / "models" / "chest-xray"
    assert (folder / "card.json").is_file(), "the bundled model is missing"
    return folder


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


@pytest.fixture
def tiny_export(tmp_path: Path) -> Path:
    """Three images of three patients: a finding, a signed negative, a rejected box."""
    return write_export(
        tmp_path / "export",
        [
            {"name": "a.png", "picture": radiograph(1, (30, 40, 40, 50)),
             "boxes": [(1, 30, 40, 40, 50)]},
            {"name": "b.png", "picture": radiograph(2), "reviewed_negative": True},
            {"name": "c.png", "picture": radiograph(3, (70, 20, 30, 30)), "review": "partial",
             "boxes": [(1, 70, 20, 30, 30)], "rejected": [(1, 5, 80, 40, 40)]},
        ],
    )  # fmt: skip


def model_card(**changes: Any) -> ModelCard:
    fields: dict[str, Any] = {
        "name": "small", "version": "1", "architecture": "csp_nano",
        "architecture_options": {"levels": [16, 32], "image_classes": ["Mass"]},
        "categories": ("opacity", "effusion"), "input_size": SIZE, "weights_sha256": "",
        "modalities": ("DX",), "body_parts": ("CHEST",), "views": ("PA", "AP"),
        "default_threshold": 0.4, "description": "untrained",
    }  # fmt: skip
    return ModelCard(**(fields | changes))


@pytest.fixture
def small_model(tmp_path: Path) -> Path:
    """An untrained model on disk."""
    torch.manual_seed(0)
    card = model_card()
    folder = tmp_path / "models" / "small"
    save(card, build(card.architecture, card.architecture_options, card.categories), folder)
    return folder
