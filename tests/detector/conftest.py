"""Fixtures: small labelled data sets and models."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from detector.model_store import save
from detector.networks.architectures import build
from tests.detector.labelled_images import model_card, radiograph, write_export

ROOT = Path(__file__).parents[2]


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


@pytest.fixture
def small_model(tmp_path: Path) -> Path:
    """An untrained model on disk."""
    torch.manual_seed(0)
    card = model_card()
    folder = tmp_path / "models" / "small"
    save(card, build(card.architecture, card.architecture_options, card.categories), folder)
    return folder
