"""The folds keep their patients apart, and the card carries their figures."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
import torch

from detector import model_store
from detector.dataset.sample import LabelledBox, Sample
from detector.dataset.sources import read_dataset
from detector.dataset.vocabulary import IMAGE_CLASSES
from detector.inference.predictor import Predictor
from detector.measuring import folds
from detector.measuring.cross_validate import out_of_fold, predict, variants
from detector.measuring.folds import ALL_PATIENTS, FOLDS, Plan, train_member
from detector.measuring.out_of_fold import out_of_fold_report
from detector.measuring.publish import default_threshold, publish
from detector.measuring.report import format_table
from detector.measuring.seen import Seen
from detector.training.fitting import Recipe
from detector.types import Box, Detection
from tests.detector.labelled_images import radiograph

MEMBERS = [Recipe(input_size=size, epochs=1, images_per_epoch=4, batch=4) for size in (64, 96)]


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
    trained: list[set[str]] = []
    real = folds.fit

    def watch(network: torch.nn.Module, prepared: list, *rest: object, **more: object) -> object:
        trained.append({p.sample.patient for p in prepared})
        return real(network, prepared, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(folds, "fit", watch)
    plan = Plan(read_dataset(patients), tmp_path / "work", MEMBERS)
    for member in range(2):
        train_member(plan, member, [*range(FOLDS), ALL_PATIENTS], lambda _: None)
    held_out: list[str] = []
    for fold in range(FOLDS):
        predict(plan, fold, lambda _: None)
        tested = {s.patient for s in plan.held_out(fold)}
        assert tested
        assert not tested & trained[fold]
        assert not tested & trained[FOLDS + 1 + fold]
        held_out += [s.path.name for s in plan.held_out(fold)]
    assert len(held_out) == len(set(held_out)) == 24
    assert len(trained[FOLDS]) == 12
    train_member(plan, 0, range(FOLDS), lambda _: None)
    assert len(trained) == 2 * (FOLDS + 1)  # what is done is not done again

    seen = {name: out_of_fold(plan, name) for name in variants()}
    assert {len(s) for s in seen.values()} == {24}
    report = out_of_fold_report(seen, rounds=20)
    assert report["categories"]["opacity"]["objects"] == 12
    assert report["categories"]["effusion"]["objects"] == 4
    assert report["categories"]["opacity"]["ap"]["0.4"]["prior"] > 0.4  # half of the images
    assert all(set(s.image_scores) == set(IMAGE_CLASSES) for s in seen["fp32"])
    assert report["robustness"]["plain"]["opacity"]["ap_0.4"]["drop"] == 0
    assert set(report["backends"]) == {"fp32", "bf16"}
    assert "difference" in format_table(report)

    card = publish(plan, report, out=tmp_path / "models" / "chest", version="9")
    loaded = model_store.load(tmp_path / "models" / "chest")
    assert loaded.card.weights_sha256 == card.weights_sha256
    assert card.categories == ("opacity", "effusion")
    assert set(card.exports) == {"model.onnx"}
    key = "heads.0.category.weight"
    state = torch.load(plan.weights(1, ALL_PATIENTS), weights_only=True)
    assert torch.equal(loaded.network.state_dict()[f"members.1.{key}"], state[key][:2])
    assert card.training["patients"] == 12
    assert len(card.training["split_hash"]) == 64
    assert any("non-commercial" in term for term in card.training["terms"])
    answer = Predictor(tmp_path / "models" / "chest", "cpu").predict(plan.held_out(0)[0].load())
    assert all(0 <= d.score <= 1 for d in answer.detections)


def seen_of(scores: list[float], hits: list[bool]) -> list[Seen]:
    """One image and patient for each candidate, with an opacity at one place."""
    there, elsewhere = Box(0, 0, 10, 10), Box(50, 50, 60, 60)
    truth = (LabelledBox(there, "opacity"),)
    return [
        Seen(
            Sample(Path(f"{i}.png"), str(i), truth, complete=frozenset({"opacity"})), 64, 64,
            (Detection(there if hit else elsewhere, score, "opacity"),),
        )
        for i, (score, hit) in enumerate(zip(scores, hits, strict=True))
    ]  # fmt: skip


def test_a_backend_that_finds_less_is_not_allowed() -> None:
    good = seen_of([0.9, 0.8, 0.7, 0.6] * 5, [True, True, True, False] * 5)
    worse = seen_of([0.9, 0.8, 0.7, 0.6] * 5, [True, False, True, False] * 5)
    seen = dict.fromkeys(variants(), good) | {"bf16": worse}
    backends = out_of_fold_report(seen, rounds=10)["backends"]
    assert backends["fp32"]["allowed"]
    assert not backends["bf16"]["allowed"]


def test_the_default_threshold_is_the_lowest_that_keeps_false_marks_down() -> None:
    points = [(0.1, 3.0), (0.2, 0.6), (0.3, 0.5), (0.4, 0.2)]
    report = {"operating_points": [
        {"threshold": t, "sensitivity": 0.5, "false_marks_per_image": f} for t, f in points
    ]}  # fmt: skip
    assert default_threshold(report) == 0.3
