"""Labels come in whole, and what cannot be used is said."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.dataset.reference import READ_OPACITY
from detector.dataset.sample import LabelledBox, Sample, patient_folds
from detector.dataset.sources import read_dataset
from detector.preprocess import brightness
from detector.types import Box, DatasetError
from tests.detector.labelled_images import radiograph, write_export


def test_the_export_of_lightbox(tiny_export: Path) -> None:
    data = read_dataset(tiny_export)
    assert data.problems == ()
    assert data.categories == ("opacity", "effusion")
    found, negative, partial = data.samples
    assert found.boxes_of("opacity") == (Box(30, 40, 70, 90),)
    assert found.complete == negative.complete == {"opacity", "effusion"}
    assert negative.objects == ()
    assert partial.complete == frozenset()
    assert partial.boxes_of("opacity") == (Box(70, 20, 100, 50),)
    assert [r.box for r in partial.rejected] == [Box(5, 80, 45, 120)]
    assert (found.patient, found.view) == ("a.png", "PA")


def test_sixteen_bits_with_mapping_and_curve_look_like_the_eight_bits(tmp_path: Path) -> None:
    eight = radiograph(5, (20, 20, 50, 60))
    stored = (eight.astype(np.uint16) * 16 + 100).astype(np.uint16)
    low, high = 100 * 2.0 - 1000, (255 * 16 + 100) * 2.0 - 1000
    folder = write_export(tmp_path / "e", [
        {"name": "s.png", "picture": stored,
         "value_mapping": {"slope": 2, "intercept": -1000},
         "tone_curve": {"values": [low, high], "outputs": [1, 0]}},
        {"name": "e.png", "picture": 255 - eight},
    ])  # fmt: skip
    sixteen, plain = (brightness(s.load()) for s in read_dataset(folder).samples)
    assert np.abs(sixteen - plain).max() < 0.01


def test_plain_coco_without_the_fields_of_lightbox(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "x.png"), radiograph(0))
    document = {
        "categories": [{"id": 7, "name": "nodule"}],
        "images": [{"id": 3, "file_name": "x.png", "width": 128, "height": 128}],
        "annotations": [{"id": 1, "image_id": 3, "category_id": 7, "bbox": [1, 2, 30, 40]}],
    }
    (tmp_path / "instances.json").write_text(json.dumps(document))
    data = read_dataset(tmp_path)
    assert data.categories == ("nodule",)
    assert data.samples[0].boxes_of("nodule") == (Box(1, 2, 31, 42),)
    assert data.samples[0].complete == {"nodule"}


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    folder = write_export(tmp_path / "e", [
        {"name": "a.png", "picture": radiograph(1),
         "boxes": [(1, 200, 10, 20, 20), (1, 100, 100, 60, 60), (1, 5, 5, 0, 9), (9, 1, 1, 2, 2)]},
        {"name": "gone.png", "picture": radiograph(2)},
        {"name": "curve.png", "picture": radiograph(2),
         "tone_curve": {"values": [3, 1], "outputs": [0, 1]}},
    ])  # fmt: skip
    (folder / "images" / "gone.png").unlink()
    document = json.loads((folder / "annotations.json").read_text())
    document["annotations"].append(
        {"id": 50, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5], "score": 0.4}
    )
    (folder / "annotations.json").write_text(json.dumps(document))
    data = read_dataset(folder)
    assert [s.path.name for s in data.samples] == ["a.png"]
    assert data.samples[0].boxes_of("opacity") == (Box(100, 100, 128, 128),)
    said = " ".join(data.problems)
    assert len(data.problems) == 7
    for words in ("outside the image", "cut to the image", "is missing", "9", "detection",
                  "must rise"):  # fmt: skip
        assert words in said, words


def test_an_image_outside_the_folder_is_not_read(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "secret.png"), radiograph(0))
    folder = write_export(tmp_path / "e", [{"name": "a.png", "picture": radiograph(1)}])
    text = (folder / "annotations.json").read_text().replace("images/a.png", "../secret.png")
    (folder / "annotations.json").write_text(text)
    with pytest.raises(DatasetError, match=r"no usable image.*secret.png is missing"):
        read_dataset(folder)


@pytest.mark.parametrize("content", ["{", "[]", '{"images": []}', '{"images": 3}'])
def test_a_file_that_is_no_coco_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "annotations.json").write_text(content)
    with pytest.raises(DatasetError, match=r"annotations.json"):
        read_dataset(tmp_path)


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no labelled data"):
        read_dataset(tmp_path)


def reference_folder(folder: Path, images: str, boxes: str) -> Path:
    (folder / "images").mkdir(parents=True)
    header = "image,patient,view,age,sex,nih_labels,rsna_class,chestxdet,negative_tier\n"
    (folder / "images.csv").write_text(header + images)
    (folder / "boxes.csv").write_text("image,patient,source,label,x,y,w,h\n" + boxes)
    for line in images.splitlines():
        cv2.imwrite(str(folder / "images" / line.split(",")[0]), radiograph(0))
    return folder


def test_who_looked_for_what_decides_what_is_complete(tmp_path: Path) -> None:
    data = read_dataset(reference_folder(
        tmp_path / "r",
        "weak.png,1,PA,50,F,Mass,,,\n"
        "normal.png,2,PA,50,F,No Finding,Normal,,A_radiologist_normal\n"
        "normal_effusion.png,2,PA,50,F,Effusion,Normal,,\n"
        "other.png,3,AP,50,F,Nodule,No Lung Opacity / Not Normal,,\n"
        "report.png,4,PA,50,F,No Finding,,,C_report_no_finding\n"
        "panel.png,5,PA,50,F,No Finding,,,B_google_all_no\n"
        "read.png,6,PA,50,F,Effusion,,boxes,\n"
        "boxed.png,7,AP,50,F,Pneumonia,Lung Opacity,,\n",
        "boxed.png,7,RSNA2018,Lung Opacity,10,10,40,60\n"
        "boxed.png,7,ChestX-Det,Nodule,90,10,10,10\n"
        "read.png,6,ChestX-Det,Effusion,5,80,40,30\n",
    ))  # fmt: skip
    complete = {s.path.stem: set(s.complete) for s in data.samples}
    assert complete == {
        "weak": set(), "report": set(), "normal": {"opacity", "effusion"},
        "normal_effusion": {"opacity"}, "other": {"opacity"}, "panel": {"opacity"},
        "read": {"opacity", "effusion"}, "boxed": {"opacity"},
    }  # fmt: skip
    known = {s.path.stem: s.image_classes.get(READ_OPACITY) for s in data.samples}
    assert (known["weak"], known["normal"], known["boxed"]) == (None, False, True)
    assert data.samples[0].image_classes["Mass"] is True


def test_two_sources_on_one_opacity_count_once(tmp_path: Path) -> None:
    data = read_dataset(reference_folder(
        tmp_path / "r", "a.png,1,PA,50,F,Pneumonia,Lung Opacity,boxes,\n",
        "a.png,1,ChestX-Det,Consolidation,12,12,38,50\n"
        "a.png,1,RSNA2018,Lung Opacity,10,10,40,60\n"
        "a.png,1,RSNA2018,Lung Opacity,20,20,40,60\n"
        "a.png,1,ChestX-Det,Consolidation,80,10,30,60\n",
    ))  # fmt: skip
    assert data.samples[0].boxes_of("opacity") == (
        Box(10, 10, 50, 70), Box(20, 20, 60, 80), Box(80, 10, 110, 70),
    )  # fmt: skip


def test_the_reference_data(reference: Path) -> None:
    data = read_dataset(reference)
    assert len(data.samples) == 1191
    assert data.problems == ()
    assert sum(bool(s.boxes_of("opacity")) for s in data.samples) == 181
    assert sum(bool(s.boxes_of("effusion")) for s in data.samples) == 46


def test_folds_hold_each_patient_once_and_share_the_boxed_ones() -> None:
    box = LabelledBox(Box(1, 1, 9, 9), "opacity")
    samples = [
        Sample(Path(f"{i}.png"), f"p{i // 2}", objects=() if i % 3 else (box,)) for i in range(200)
    ]
    fold_of = patient_folds(samples, 5)
    assert set(fold_of) == {s.patient for s in samples}
    boxed = {s.patient for s in samples if s.objects}
    counts = [sum(fold_of[p] == k for p in boxed) for k in range(5)]
    assert max(counts) - min(counts) <= 1
    assert patient_folds(reversed(samples), 5) == fold_of
