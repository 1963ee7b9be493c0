"""Makes a small model folder with random weights, for tests that need a real model to run."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def make_model(folder: Path, name: str = "random", seed: int = 0) -> Path:
    """Write ``folder/name``: a chest radiograph model that scores everything at random."""
    options = {"levels": [16, 32], "image_classes": []}
    return _save(folder / name, "csp_nano", options, 320, seed)


def make_two_stage_model(folder: Path, name: str = "two-stage") -> Path:
    """The same with region proposals."""
    return _save(folder / name, "faster_rcnn", {"backbone": "mobilenet_v3"}, 128, 0)


def _save(
    folder: Path, architecture: str, options: dict[str, Any], input_size: int, seed: int
) -> Path:
    import torch

    from detector import model_store
    from detector.networks.architectures import build
    from detector.types import ModelCard

    torch.manual_seed(seed)
    network = build(architecture, options, ("opacity",))
    card = ModelCard(
        name=folder.name,
        version="1",
        architecture=architecture,
        architecture_options=options,
        categories=("opacity",),
        input_size=input_size,
        weights_sha256="",
        modalities=("CR", "DX"),
        body_parts=("CHEST",),
        views=("PA", "AP"),
        default_threshold=0.3,
        description="Random weights.",
    )
    model_store.save(card, network, folder)
    return folder
