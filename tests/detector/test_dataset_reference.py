"""The reference chest X-rays: three groups of readers, one set of categories."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2

from detector.dataset.folds import patient_folds
from detector.dataset.sample import LabelledBox
from detector.dataset.sources import read_dataset
from detector.dataset.vocabulary import CATEGORIES, EFFUSION, OPACITY, READ_OPACITY
from detector.types import Box
from tests.detector.labelled_images import radiograph


def reference_folder(folder: Path, images: str, boxes: str) -> Path:
    (folder / "images").mkdir(parents=True)
    header = "image,patient,view,age,sex,nih_labels,rsna_class,chestxdet,negative_tier\n"
    (folder / "images.csv").write_text(header + images)
    (folder / "boxes.csv").write_text("image,patient,source,label,x,y,w,h\n" + boxes)
    for seed, line in enumerate(images.splitlines()):
        cv2.imwrite(str(folder / "images" / line.split(",")[0]), radiograph(seed))
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
    complete = {s.path.stem: set(s.complete) & {OPACITY, EFFUSION} for s in data.samples}
    assert complete == {
        "weak": set(), "report": set(), "normal": {"opacity", "effusion"},
        "normal_effusion": {"opacity"}, "other": {"opacity"}, "panel": {"opacity"},
        "read": {"opacity", "effusion"}, "boxed": {"opacity"},
    }  # fmt: skip
    others = {s.path.stem for s in data.samples if s.complete - {OPACITY, EFFUSION}}
    assert others == {"read"}  # ChestX-Det alone looked for everything
    known = {s.path.stem: s.image_classes.get(READ_OPACITY) for s in data.samples}
    assert (known["weak"], known["normal"], known["boxed"]) == (None, False, True)
    assert data.samples[0].image_classes["Mass"] is True


def test_a_report_without_finding_is_weak_evidence(tmp_path: Path) -> None:
    report, panel, boxed, other = read_dataset(reference_folder(
        tmp_path / "r",
        "report.png,4,PA,50,F,No Finding,,,C_report_no_finding\n"
        "panel.png,5,PA,50,F,No Finding,,,B_google_all_no\n"
        "boxed.png,7,AP,50,F,No Finding,,,C_report_no_finding\n"
        "other.png,8,AP,50,F,Hernia,,,\n",
        "boxed.png,7,NIH-BBox2017,Nodule,90,10,10,10\n",
    )).samples  # fmt: skip
    assert {report.weight_of(c) for c in CATEGORIES} == {0.3}
    assert panel.weight_of("opacity") == 1.0
    assert panel.weight_of("fracture") == 0.3
    assert boxed.boxes_of("nodule") == (Box(90, 10, 100, 20),)
    assert {s.weight_of(c) for s in (boxed, other) for c in CATEGORIES} == {0.0}


def test_boxes_that_cannot_be_used_are_said_and_open_their_category(tmp_path: Path) -> None:
    data = read_dataset(reference_folder(
        tmp_path / "r", "a.png,1,PA,50,F,Pneumonia,,boxes,\n",
        "a.png,1,ChestX-Det,Fibrosis,ten,12,38,50\n"
        "a.png,1,ChestX-Det,Mass,200,12,38,50\n"
        "a.png,1,ChestX-Det,Fracture,100,12,56,50\n"
        "a.png,1,ChestX-Det,Wart,12,12,38,50\n"
        "b.png,1,ChestX-Det,Mass,12,12,38,50\n",
    ))  # fmt: skip
    (sample,) = data.samples
    assert sample.objects == (LabelledBox(Box(100, 12, 128, 62), "fracture"),)
    assert set(CATEGORIES) - sample.complete == {"fibrosis", "nodule"}
    assert data.problems == (
        "Line 2 of boxes.csv was left out: x is 'ten', no number.",
        "Line 3 of boxes.csv was left out: it is empty or outside the image.",
        "Line 4 of boxes.csv was cut to the image: it reaches outside.",
        "Line 5 of boxes.csv was left out: ChestX-Det Wart is not known.",
        "1 boxes are of b.png, which images.csv does not name.",
    )


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
    assert data.problems == (
        "The image 00002658_002.jpg (0 boxes) is the same picture as 00002658_001.jpg.",
    )
    assert data.categories == CATEGORIES
    assert sum(bool(s.boxes_of("opacity")) for s in data.samples) == 181
    assert sum(bool(s.boxes_of("effusion")) for s in data.samples) == 46
    assert sum(len(s.objects) for s in data.samples) == 489
    assert sum(len(s.boxes_of("nodule")) for s in data.samples) == 29
    assert sum("nodule" in s.complete for s in data.samples) == 119
    assert sum(bool(s.weak) for s in data.samples) == 429


def test_the_folds_of_the_reference_data_stay(reference: Path) -> None:
    """As they were when only opacity and effusion were read: trainings lie in these folds."""
    folds = patient_folds(read_dataset(reference).samples, 5, (OPACITY, EFFUSION))
    assert len(folds) == 948
    assert [folds[p] for p in ("17", "1543", "3392", "1992", "10012", "10120")] == [
        2, 4, 2, 1, 3, 0,
    ]  # fmt: skip
    lines = "\n".join(f"{p} {k}" for p, k in sorted(folds.items()))
    assert hashlib.sha256(lines.encode()).hexdigest() == (
        "12e9a1e5976baa4658e7aad49fe27d360776b9acf5d25b777c785b86f60c3136"
    )
