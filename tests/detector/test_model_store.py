"""Models are found, checked against their card, and refused with a sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from detector import model_store
from detector.networks.architectures import build
from detector.types import ModelCard, ModelError
from tests.detector.labelled_images import model_card


def change_card(folder: Path, **changes: Any) -> None:
    path = folder / model_store.CARD
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    card = model_card()
    network = build(card.architecture, card.architecture_options, card.categories)
    saved = model_store.save(card, network, tmp_path / "m")
    loaded = model_store.load(tmp_path / "m")
    assert loaded.card == saved == model_store.read_card(tmp_path / "m")
    assert not loaded.network.training
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.network.state_dict()[name], value), name


def test_one_flipped_byte_of_the_weights_is_refused(small_model: Path) -> None:
    path = small_model / model_store.WEIGHTS
    content = bytearray(path.read_bytes())
    content[-1000] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ModelError, match="SHA-256 differs"):
        model_store.load(small_model)


def test_missing_weights_are_named(small_model: Path) -> None:
    (small_model / model_store.WEIGHTS).unlink()
    with pytest.raises(ModelError, match="no readable weights"):
        model_store.load(small_model)


def test_an_architecture_of_the_future_is_refused(small_model: Path) -> None:
    change_card(small_model, architecture="vision-9000")
    with pytest.raises(ModelError, match="does not know the model architecture 'vision-9000'"):
        model_store.load(small_model)


def test_weights_of_another_shape_are_refused(small_model: Path) -> None:
    change_card(small_model, categories=["opacity", "effusion", "nodule"])
    with pytest.raises(ModelError, match="do not fit its architecture"):
        model_store.load(small_model)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "cannot be read"),
        ("[]", "not complete"),
        ("{}", "not complete"),
        (json.dumps(asdict(model_card()) | {"input_size": 7}), "impossible input size"),
        (json.dumps(asdict(model_card()) | {"categories": []}), "names no category"),
        (json.dumps(asdict(model_card()) | {"default_threshold": "high"}), "not complete"),
        (json.dumps(asdict(model_card()) | {"default_threshold": 1.5}), "between 0 and 1"),
        (json.dumps(asdict(model_card()) | {"image_findings": ["Edema"]}), "does not answer"),
        (
            json.dumps(asdict(model_card()) | {"evaluation": {"operating_points": [{"x": 1}]}}),
            "not complete",
        ),
        (json.dumps(asdict(model_card()) | {"evaluation": {"backends": {"fp32": 3}}}), "complete"),
        (json.dumps(asdict(model_card()) | {"evaluation": 3}), "evaluation is not an object"),
    ],
)
def test_a_damaged_card_is_a_sentence(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / model_store.CARD).write_text(content)
    with pytest.raises(ModelError, match=sentence):
        model_store.read_card(tmp_path / "bad")
    assert model_store.find_models([tmp_path]) == ()
    assert sentence in model_store.problems([tmp_path])[0]


def test_the_first_folder_wins_and_absent_ones_do_not_matter(tmp_path: Path) -> None:
    for place, version in (("user", "2"), ("bundled", "1")):
        write_card(tmp_path / place / "chest", model_card(name="chest", version=version))
    write_card(tmp_path / "bundled" / "foot", model_card(name="foot"))
    folders = [tmp_path / "nowhere", tmp_path / "user", tmp_path / "bundled"]
    found = model_store.find_models(folders)
    assert [(c.name, c.version) for c in found] == [("chest", "2"), ("foot", "1")]
    assert model_store.locate("chest", folders) == tmp_path / "user" / "chest"
    assert model_store.locate(str(tmp_path / "bundled" / "foot"), []).name == "foot"
    with pytest.raises(ModelError, match="no model named 'hand'; the models here are: chest, foot"):
        model_store.locate("hand", folders)


def write_card(folder: Path, card: ModelCard) -> None:
    folder.mkdir(parents=True)
    (folder / model_store.CARD).write_text(json.dumps(asdict(card)))


def test_a_model_is_never_overwritten_unasked(small_model: Path) -> None:
    card = model_card()
    network = build(card.architecture, card.architecture_options, card.categories)
    before = (small_model / model_store.WEIGHTS).read_bytes()
    with pytest.raises(ModelError, match="already"):
        model_store.save(card, network, small_model)
    assert (small_model / model_store.WEIGHTS).read_bytes() == before


def test_listing_cards_does_not_load_torch(small_model: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from detector.model_store import find_models; "
        f"assert len(find_models([Path({str(small_model.parent)!r})])) == 1; "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_the_bundled_model_is_what_its_card_says(bundled: Path) -> None:
    card = model_store.load(bundled).card
    assert card.name == "chest-xray"
    assert card.notice.startswith("Research use only")
    assert card.refusal("DX", "CHEST", "PA", colour=False) is None
    assert card.refusal("", "", "", colour=False) is None
    assert card.refusal("CT", "CHEST", "", colour=False) is not None
    assert (bundled / model_store.WEIGHTS).stat().st_size < 25_000_000


def test_the_bundled_models_figures_beat_the_fixed_boxes(bundled: Path) -> None:
    card = model_store.read_card(bundled)
    figures = card.evaluation["categories"]["opacity"]["ap"]["0.4"]
    assert figures["difference_interval"][0] > 0
    points = card.evaluation["operating_points"]
    assert min(p["threshold"] for p in points) <= card.default_threshold
    at_default = next(p for p in points if p["threshold"] == card.default_threshold)
    assert at_default["false_marks_per_image"] <= 0.5
