"""Taking a model in: what is asked, what is refused, what lies in the folder afterwards."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector import model_store
from detector.importing.add import add, inspect
from detector.importing.description import UNMEASURED, Description
from detector.types import ModelError
from tests.model_factory import make_model
from tests.onnx_factory import make_onnx, yolo_answer

NAMED = Description(categories=("opacity", "effusion"))


@pytest.fixture
def yolo(tmp_path: Path) -> Path:
    return make_onnx(tmp_path / "my yolo (2).onnx", {"output": yolo_answer(7, boxes=252)})


def test_the_file_tells_all_but_its_categories(yolo: Path) -> None:
    found = inspect(yolo, Description())
    assert found.missing == ("categories",)
    assert found.category_count == 2
    assert found.description.name == "my-yolo-2"
    assert (found.description.output, found.description.input_size) == ("yolo", 64)


def test_ultralytics_names_its_categories_and_size(tmp_path: Path) -> None:
    metadata = {"names": "{0: 'nodule', 1: 'mass'}", "imgsz": "[64, 64]"}
    shape = ("batch", 3, "height", "width")
    file = make_onnx(
        tmp_path / "a.onnx", {"output0": yolo_answer(7, boxes=252)}, shape=shape, metadata=metadata
    )
    found = inspect(file, Description())
    assert found.missing == ()
    assert found.description.categories == ("nodule", "mass")
    assert found.description.input_size == 64


@pytest.mark.parametrize("names", ["__import__('os')", "{0: 'a', 2: 'b'}", "[" * 5000, "3"])
def test_odd_names_are_asked_for_instead(tmp_path: Path, names: str) -> None:
    file = make_onnx(
        tmp_path / "a.onnx", {"output0": yolo_answer(7, boxes=252)}, metadata={"names": names}
    )
    assert inspect(file, Description()).missing == ("categories",)


def test_a_free_input_size_is_asked_for_first(tmp_path: Path) -> None:
    shape = ("batch", 3, "height", "width")
    file = make_onnx(tmp_path / "a.onnx", {"output0": yolo_answer(7, boxes=252)}, shape=shape)
    assert inspect(file, Description()).missing == ("input_size", "categories")


def test_two_tables_without_names_are_asked_about(tmp_path: Path) -> None:
    tables = {
        "first": np.full((1, 5, 4), 0.5, np.float32),
        "second": np.zeros((1, 5, 3), np.float32),
    }
    file = make_onnx(tmp_path / "a.onnx", tables)
    assert inspect(file, NAMED).missing == ("output",)
    assert inspect(file, Description(categories=("a", "b"), output="detr")).missing == ()
    with pytest.raises(ModelError, match="style ssd or detr, not yolo"):
        inspect(file, Description(output="yolo"))


def test_an_answer_of_no_known_kind_is_described(tmp_path: Path) -> None:
    file = make_onnx(tmp_path / "a.onnx", {"classes": np.zeros((1, 1000), np.float32)})
    with pytest.raises(ModelError, match="classes 1x1000"):
        inspect(file, Description())


def test_the_folder_is_whole_and_the_card_says_that_nobody_measured(
    yolo: Path, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    card = add(yolo, models, NAMED)
    assert [path.name for path in models.iterdir()] == ["my-yolo-2"]
    assert sorted(path.name for path in (models / "my-yolo-2").iterdir()) == [
        "card.json",
        "model.onnx",
    ]
    assert (models / "my-yolo-2" / "model.onnx").read_bytes() == yolo.read_bytes()
    assert model_store.read_card(models / "my-yolo-2") == card
    assert (card.architecture, card.description, card.evaluation) == ("onnx", UNMEASURED, {})
    assert (card.channels, card.input_size, card.categories) == (3, 64, NAMED.categories)


def test_a_wrong_number_of_categories_is_told(yolo: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="answers for 2 categories, but 5 were named"):
        add(yolo, tmp_path / "models", Description(categories=tuple("abcde")))


def test_a_name_that_is_taken_or_leads_elsewhere_is_refused(yolo: Path, tmp_path: Path) -> None:
    add(yolo, tmp_path / "models", NAMED)
    with pytest.raises(ModelError, match="already"):
        add(yolo, tmp_path / "models", NAMED)
    for name in ("../outside", ".hidden", "a/b", "a" * 65, "con\n"):
        with pytest.raises(ModelError, match="no name for a model"):
            add(yolo, tmp_path / "models", Description(name=name, categories=NAMED.categories))
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["my-yolo-2"]


@pytest.mark.parametrize(
    "suffix", [".pt", ".pth", ".pkl", ".ckpt", ".bin", ".onnx", ".safetensors"]
)
def test_a_pickle_is_never_opened(tmp_path: Path, suffix: str) -> None:
    """Whatever it is called: the trap inside would leave a file behind."""
    trap = tmp_path / "sprung"

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return Path.touch, (trap,)

    file = tmp_path / f"model{suffix}"
    file.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ModelError, match=r"pickle.*torch\.onnx\.export.*safetensors"):
        inspect(file, NAMED)
    file.write_bytes(b"PK\x03\x04 as torch.save writes it")
    with pytest.raises(ModelError, match="pickle"):
        add(file, tmp_path / "models", NAMED)
    assert not trap.exists()


@pytest.mark.parametrize("name", ["model.txt", "model", "absent.onnx"])
def test_other_files_are_a_sentence(tmp_path: Path, name: str) -> None:
    if not name.startswith("absent"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ModelError, match=r"neither an ONNX|cannot be read"):
        inspect(tmp_path / name, NAMED)


# --- safetensors and folders ---------------------------------------------------------------------


def test_safetensors_of_a_named_architecture(tmp_path: Path) -> None:
    made = make_model(tmp_path / "trained")
    card = model_store.read_card(made)
    weights = made / "weights.safetensors"
    assert inspect(weights, Description()).missing == ("architecture", "categories", "input_size")
    said = Description(
        name="mine",
        architecture=card.architecture,
        options=card.architecture_options,
        categories=card.categories,
        input_size=320,
    )
    added = add(weights, tmp_path / "models", said)
    assert (added.name, added.weights_sha256) == ("mine", card.weights_sha256)
    assert (added.architecture, added.channels) == (card.architecture, 1)
    with pytest.raises(ModelError, match="do not fit"):
        add(weights, tmp_path / "other", replace(said, categories=("a", "b")))
    assert list((tmp_path / "other").iterdir()) == []


def test_a_folder_as_train_writes_it(tmp_path: Path) -> None:
    made = make_model(tmp_path / "trained")
    card = add(made, tmp_path / "models", Description())
    assert card == model_store.read_card(made)
    assert model_store.load(tmp_path / "models" / "random").card == card


def test_a_damaged_folder_is_refused(tmp_path: Path) -> None:
    made = make_model(tmp_path / "trained")
    with (made / "weights.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    with pytest.raises(ModelError, match="SHA-256"):
        add(made, tmp_path / "models", Description())
    card = json.loads((made / "card.json").read_text())
    (made / "card.json").write_text(json.dumps(card | {"exports": {"../../x.onnx": "0"}}))
    with pytest.raises(ModelError, match="lists"):
        add(made, tmp_path / "models", Description())
    assert not (tmp_path / "models").exists() or list((tmp_path / "models").iterdir()) == []


def test_a_size_that_is_not_the_files_is_told(yolo: Path) -> None:
    with pytest.raises(ModelError, match="reads 64 x 64 pixels, not 640 x 640"):
        inspect(yolo, Description(input_size=640))
