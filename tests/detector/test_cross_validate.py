"""The folds keep their patients apart, and the card carries their figures."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest
import torch

from detector import model_store
from detector.dataset.sources import read_dataset
from detector.measuring import cross_validate
from detector.measuring.cross_validate import (
    ALL_PATIENTS,
    FOLDS,
    Plan,
    out_of_fold,
    run,
    weights_path,
)
from detector.measuring.evaluate import format_table, measure
from detector.measuring.publish import default_threshold, publish
from detector.training.fitting import Recipe
from tests.detector.labelled_images import radiograph

RECIPE = Recipe(input_size=64, epochs=1, images_per_epoch=4, batch=4)


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    """Twelve patients of two images: six with an opacity, two of them with an effusion too."""
    folder = tmp_path / "r"
    (folder / "images").mkdir(parents=True)
    images = ["image,patient,view,age,sex,nih_labels,rsna_class,chestxdet,negative_tier"]
    boxes = ["image,patient,source,label,x,y,w,h"]
    for patient in range(12):
        for number in range(2):
            name = f"{patient}_{number}.png"
            boxed = patient < 6
            picture = radiograph(patient, (20, 30, 50, 40) if boxed else None)
            cv2.imwrite(str(folder / "images" / name), picture)
            images.append(f"{name},{patient},PA,50,F,No Finding,,{'boxes' if boxed else 'none'},")
            if boxed:
                boxes.append(f"{name},{patient},ChestX-Det,Consolidation,20,30,50,40")
            if patient < 2:
                boxes.append(f"{name},{patient},ChestX-Det,Effusion,80,90,30,30")
    (folder / "images.csv").write_text("\n".join(images) + "\n")
    (folder / "boxes.csv").write_text("\n".join(boxes) + "\n")
    return folder


def test_from_folds_to_a_published_model(
    patients: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    trained: list[set[str]] = []
    real = cross_validate.fit

    def watch(network: torch.nn.Module, prepared: list, *rest: object, **more: object) -> object:
        trained.append({p.sample.patient for p in prepared})
        return real(network, prepared, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(cross_validate, "fit", watch)
    plan = Plan(patients, work, RECIPE, None)
    run(plan, [*range(FOLDS), ALL_PATIENTS], lambda _: None)
    held_out = []
    for fold, names in zip(range(FOLDS), trained, strict=False):
        rows = json.loads((work / f"fold{fold}.json").read_text())["rows"]
        tested = {row["image"].split("_")[0] for row in rows}
        assert tested
        assert not tested & names
        held_out += [row["image"] for row in rows]
    assert len(held_out) == len(set(held_out)) == 24
    assert len(trained[FOLDS]) == 12
    run(plan, range(FOLDS), lambda _: None)
    assert len(trained) == FOLDS + 1  # what is done is not done again

    seen, done = out_of_fold(patients, work)
    assert (len(seen), done) == (24, 5)
    report = measure(seen, ("opacity", "effusion"), rounds=20)
    assert report["categories"]["opacity"]["objects"] == 12
    assert report["categories"]["effusion"]["objects"] == 4
    assert report["categories"]["opacity"]["ap"]["0.4"]["prior"] > 0.4  # half of the images
    assert "difference" in format_table(report)

    state = torch.load(weights_path(work, ALL_PATIENTS), weights_only=True)
    card = publish(
        state, RECIPE, read_dataset(patients), report | {"folds_done": done},
        categories=("opacity",), out=tmp_path / "models" / "chest", version="9",
    )  # fmt: skip
    loaded = model_store.load(tmp_path / "models" / "chest")
    assert loaded.card.weights_sha256 == card.weights_sha256
    assert card.categories == ("opacity",)
    key = "heads.0.category.weight"
    assert torch.equal(loaded.network.state_dict()[key], state[key][:1])
    assert card.training["patients"] == 12
    assert any("non-commercial" in term for term in card.training["terms"])


def test_the_default_threshold_is_the_lowest_that_keeps_false_marks_down() -> None:
    points = [(0.1, 3.0), (0.2, 0.6), (0.3, 0.5), (0.4, 0.2)]
    report = {"operating_points": [
        {"threshold": t, "sensitivity": 0.5, "false_marks_per_image": f} for t, f in points
    ]}  # fmt: skip
    assert default_threshold(report) == 0.3
