"""From predictions to the report: its figures, its table, its files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from detector.dataset.sample import LabelledBox, Sample
from detector.measuring.evaluate import evaluate
from detector.measuring.figures import FALSE_MARKS, measure
from detector.measuring.report import format_table, refuse_occupied, write_report
from detector.measuring.seen import Seen
from detector.model_store import save
from detector.networks.architectures import build
from detector.types import RESEARCH_USE_ONLY, Box, DatasetError, Detection, DetectorError
from tests.detector.labelled_images import model_card, radiograph, write_export

OBJECT, FAR = Box(10, 10, 50, 50), Box(60, 60, 90, 90)


def seen_images(patients: int = 24) -> list[Seen]:
    """A third of the images with an object that is found at 0.9; every second has a false mark.

    A false mark scores 0.3. The image-level class is there where the object is, and its score
    says so.
    """
    seen = []
    for number in range(patients):
        there = number % 3 == 0
        found = [Detection(OBJECT, 0.9, "opacity")] * there
        found += [Detection(FAR, 0.3, "opacity")] * (number % 2 == 0)
        sample = Sample(
            Path(f"{number}.png"), f"p{number}",
            (LabelledBox(OBJECT, "opacity"),) if there else (),
            complete=frozenset({"opacity"}), image_classes={"Edema": there, "Mass": False},
            view="PA" if number < patients // 2 else "AP",
        )  # fmt: skip
        seen.append(Seen(sample, 100, 100, tuple(found), {"Edema": 0.2 + 0.5 * there, "Mass": 0.1}))
    return seen


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return measure(seen_images(), ("opacity", "effusion"), rounds=100)


def test_every_figure_of_a_model_that_finds_everything(report: dict[str, Any]) -> None:
    figures = report["categories"]["opacity"]
    assert (report["images"], report["patients"]) == (24, 24)
    assert (figures["images"], figures["images_with_objects"], figures["objects"]) == (24, 8, 8)
    for iou in ("0.3", "0.4", "0.5"):
        assert figures["ap"][iou]["value"] == pytest.approx(1.0)
        assert figures["ap"][iou]["interval"] == pytest.approx([1.0, 1.0])
    assert figures["coco_ap"]["value"] == pytest.approx(1.0)
    assert figures["coco_ap"]["ap_medium"] == pytest.approx(1.0)
    assert figures["coco_ap"]["ap_small"] is None  # not NaN, which JSON does not have
    assert [row["false_marks_per_image"] for row in figures["froc"]] == list(FALSE_MARKS)
    assert [row["sensitivity"] for row in figures["froc"]] == [1.0] * 7
    assert figures["froc"][0]["threshold"] == 0.9  # 0.3 would give half a false mark an image
    assert figures["froc"][3]["threshold"] == 0.3
    assert figures["cpm"]["value"] == 1.0
    assert figures["image_auc"]["value"] == 1.0
    assert set(figures["views"]) == {"PA", "AP"}
    assert figures["sizes"]["over 1/4"]["objects"] == 8
    assert figures["calibration"]["all"]["hits"] == 8
    assert "effusion" not in report["categories"]  # nobody looked for it


def test_false_marks_are_counted_on_all_images_normals_included(report: dict[str, Any]) -> None:
    points = {p["threshold"]: p for p in report["categories"]["opacity"]["operating_points"]}
    assert points[0.3]["false_marks_per_image"] == 0.5  # 12 on 24 images, 8 of them on normals
    assert points[0.32]["false_marks_per_image"] == 0.0
    assert points[0.9]["sensitivity"] == 1.0
    assert points[0.92]["sensitivity"] == 0.0
    assert report["operating_points"] == report["categories"]["opacity"]["operating_points"]


def test_the_prior_boxes_stand_beside(report: dict[str, Any]) -> None:
    """On every image the one box: 8 hits among 24 equal scores, in the order of the images."""
    row = report["categories"]["opacity"]["ap"]["0.4"]
    assert 0.2 < row["prior"] < 0.6
    assert row["difference"] == pytest.approx(row["value"] - row["prior"])
    assert row["difference_interval"][0] > 0


def test_image_level_classes_say_whether_they_are_reported(report: dict[str, Any]) -> None:
    assert set(report["image_classes"]) == {"Edema"}  # Mass is on no image
    row = report["image_classes"]["Edema"]
    assert (row["value"], row["positives"], row["reported"]) == (1.0, 8, True)


def test_the_report_is_json_with_the_notice(report: dict[str, Any]) -> None:
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert report["notice"] == RESEARCH_USE_ONLY


def test_the_table_says_what_the_threshold_means(report: dict[str, Any]) -> None:
    facts = {
        "model": {"name": "small", "version": "3"}, "data": ["d"], "device": "cpu",
        "precision": "bf16", "default_threshold": 0.3, "warnings": ["d: one thing."],
    }  # fmt: skip
    table = format_table(report | facts)
    assert "small 3 on d (cpu, bf16)" in table
    assert "! d: one thing." in table
    assert "opacity at 0.3: finds 100%, 0.5 false marks an image" in table
    assert "AP at IoU 0.50:0.95       1.000" in table
    assert table.endswith(RESEARCH_USE_ONLY)


@pytest.fixture
def model_with_classes(tmp_path: Path) -> Path:
    """An untrained model with two image-level classes, of which its card reports none."""
    torch.manual_seed(0)
    options = {"levels": [16, 32], "image_classes": ["Edema", "Mass"]}
    card = replace(model_card(), architecture_options=options)
    folder = tmp_path / "models" / "classes"
    save(card, build(card.architecture, options, card.categories), folder)
    return folder


def test_evaluate_writes_a_folder_of_figures(
    tiny_export: Path, model_with_classes: Path, tmp_path: Path
) -> None:
    lines: list[str] = []
    report = evaluate(
        model_with_classes, [tiny_export], lines.append, device="cpu", precision="fp32",
        robustness=True, rounds=10,
    )  # fmt: skip
    assert (report["precision"], report["device"], report["data"]) == ("fp32", "cpu", ["export"])
    assert set(report["robustness"]) >= {"plain", "noise", "+5 degrees"}
    plain = report["robustness"]["plain"]["opacity"]
    assert plain["cpm"]["value"] == report["categories"]["opacity"]["cpm"]["value"]
    assert "images analysed: 2 of 2" in lines
    assert "images analysed, blur: 2 of 2" in lines
    assert "half resolution" in format_table(report)
    files = write_report(report, tmp_path / "out")
    assert sorted(f.name for f in files) == [
        "froc.png", "precision_recall.png", "reliability.png", "report.json", "robustness.png",
    ]  # fmt: skip
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == report
    for file in files[1:]:
        picture = cv2.imread(str(file))
        assert min(picture.shape[:2]) > 700
        assert picture.mean() > 200  # on white
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20


def test_every_class_of_the_network_is_measured_whatever_its_card_reports(
    model_with_classes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = write_export(tmp_path / "e", [
        {"name": "a.png", "picture": radiograph(1), "boxes": [(1, 30, 40, 40, 50)]},
        {"name": "b.png", "picture": radiograph(2), "reviewed_negative": True},
    ])  # fmt: skip
    from detector.measuring import evaluate as module

    real = module.read_dataset

    def with_classes(folder: Path, *rest: Any) -> Any:
        data = real(folder, *rest)
        return replace(data, samples=tuple(
            replace(s, image_classes={"Edema": bool(s.objects)}) for s in data.samples
        ))  # fmt: skip

    monkeypatch.setattr(module, "read_dataset", with_classes)
    report = evaluate(model_with_classes, export, device="cpu", rounds=10)
    row = report["image_classes"]["Edema"]
    assert (row["images"], row["positives"], row["reported"]) == (2, 1, False)
    assert row["value"] in (0.0, 0.5, 1.0)


def test_a_folder_that_holds_something_is_refused(report: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("kept")
    with pytest.raises(DetectorError, match="is there already"):
        write_report(report, tmp_path / "full")
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["x"]
    with pytest.raises(DetectorError, match="is there already"):
        refuse_occupied(tmp_path / "full" / "x")
    with pytest.raises(DetectorError, match="cannot be written"):
        write_report(report, tmp_path / "full" / "x" / "deeper")
    (tmp_path / "empty").mkdir()
    refuse_occupied(tmp_path / "empty")


def test_a_model_that_finds_nothing_the_data_knows_is_told(
    small_model: Path, tmp_path: Path
) -> None:
    export = write_export(
        tmp_path / "e", [{"name": "a.png", "picture": radiograph(1)}],
        categories=[{"id": 1, "name": "fracture"}],
    )  # fmt: skip
    with pytest.raises(DatasetError, match="opacity, effusion"):
        evaluate(small_model, export, device="cpu")
