"""Makes a small model folder with random weights, for tests that need a real model to run."""

from __future__ import annotations

from pathlib import Path


def make_model(folder: Path, name: str = "random", seed: int = 0) -> Path:
    """Write ``folder/name``: a chest radiograph model that scores everything at random."""
    import torch

    from detector import model_store
    from detector.networks.architectures import build
    from detector.types import ModelCard

    torch.manual_seed(seed)
    options = {"levels": [16, 32], "image_classes": []}
    network = build("csp_nano", options, ("opacity",))
    card = ModelCard(
        name=name,
        version="1",
        architecture="csp_nano",
        architecture_options=options,
        categories=("opacity",),
        input_size=320,
        weights_sha256="",
        modalities=("CR", "DX"),
        body_parts=("CHEST",),
        views=("PA", "AP"),
        default_threshold=0.3,
        description="Random weights.",
    )
    model_store.save(card, network, folder / name)
    return folder / name
