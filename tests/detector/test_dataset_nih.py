"""NIH ChestX-ray14 in its published form, three commas at the end of the header and all."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.dataset.sources import read_dataset
from detector.types import Box, DatasetError
from tests.detector.labelled_images import radiograph

ENTRIES = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n"
)
BOXES = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"


def entry(name: str, found: str, patient: int = 1) -> str:
    return f"{name},{found},000,{patient},58,M,PA,2682,2749,0.143,0.143,\n"


def write_nih(folder: Path, entries: str, boxes: str, size: int = 1024) -> Path:
    (folder / "images_001" / "images").mkdir(parents=True)
    (folder / "Data_Entry_2017_v2020.csv").write_text(ENTRIES + entries)
    (folder / "BBox_List_2017.csv").write_text(BOXES + boxes)
    for seed, line in enumerate(entries.splitlines()):
        picture = cv2.resize(radiograph(seed), (size, size))
        cv2.imwrite(str(folder / "images_001" / "images" / line.split(",")[0]), picture)
    return folder


@pytest.mark.parametrize("size", [1024, 256])
def test_boxes_reports_and_views(tmp_path: Path, size: int) -> None:
    data = read_dataset(write_nih(
        tmp_path,
        entry("00000001_000.png", "Cardiomegaly|Effusion") + entry("00000002_000.png", "Hernia", 2)
        + entry("00000003_000.png", "No Finding", 3),
        "00000001_000.png,Cardiomegaly,225.5,547,86.5,79,,,\n"
        "00000001_000.png,Infiltrate,100,100,200,300,,,\n",
        size,
    ))  # fmt: skip
    assert data.problems == ()
    assert data.categories == (
        "opacity", "effusion", "nodule", "atelectasis", "cardiomegaly", "pneumothorax",
    )  # fmt: skip
    boxed, report, nothing = data.samples
    scale = size / 1024
    assert boxed.boxes_of("cardiomegaly") == (
        Box(225.5 * scale, 547 * scale, 312 * scale, 626 * scale),
    )
    assert boxed.complete == {"cardiomegaly", "opacity"}  # nobody looked for the others
    assert boxed.weight_of("effusion") == 0.0
    assert (boxed.patient, boxed.view) == ("1", "PA")
    assert len(boxed.image_classes) == 14
    assert {n for n, there in boxed.image_classes.items() if there} == {"Cardiomegaly", "Effusion"}
    assert report.weight_of("opacity") == 0.0
    assert {nothing.weight_of(c) for c in data.categories} == {0.3}
    assert not any(nothing.image_classes.values())


def test_all_eight_classes_have_a_category(tmp_path: Path) -> None:
    names = ("Atelectasis", "Cardiomegaly", "Effusion", "Infiltrate", "Mass", "Nodule",
             "Pneumonia", "Pneumothorax")  # fmt: skip
    boxes = "".join(f"a.png,{n},{10 * i},9,50,50,,,\n" for i, n in enumerate(names))
    (sample,) = read_dataset(write_nih(tmp_path, entry("a.png", "Mass"), boxes)).samples
    assert [o.category for o in sample.objects] == [
        "atelectasis", "cardiomegaly", "effusion", "opacity", "nodule", "nodule", "opacity",
        "pneumothorax",
    ]  # fmt: skip


def test_what_is_malformed_is_said(tmp_path: Path) -> None:
    folder = write_nih(
        tmp_path,
        "".join(entry(f"{n}.png", "No Finding") for n in ("a", "b", "c", "d")) + entry("b.png", ""),
        "a.png,Mass,1,2,x,4,,,\n"
        "a.png,Wart,1,2,3,4,,,\n"
        "a.png,Nodule,10\n"
        "a.png,Effusion,2000,9,50,50,,,\n"
        "a.png,Pneumonia,1000,9,50,50,,,\n"
        "b.png,Mass,10,9,50,50,,,\n"
        "b.png,Mass,10,9,50,50,,,\n"
        "c.png,Mass,10,9,50,50,,,\n"
        "z.png,Mass,10,9,50,50,,,\n",
    )
    images = folder / "images_001" / "images"
    (images / "c.png").write_bytes(b"")
    (images / "d.png").rename(folder / "d.jpeg")
    (images / "b.png").rename(folder / "b.png")
    (folder / "images_002").mkdir()
    cv2.imwrite(str(folder / "images_002" / "d.png"), np.zeros((9, 9), np.uint8))
    (folder / "Data_Entry_2017_v2020.csv").write_text(
        (folder / "Data_Entry_2017_v2020.csv").read_text() + entry("e.png", "Mass")
    )
    data = read_dataset(folder)
    a, b, d = data.samples
    assert [o.category for o in a.objects] == ["opacity"]
    assert a.complete == {"opacity"}
    assert a.weight_of("fracture") == 0.0
    assert len(b.objects) == 1
    assert d.path.name == "d.jpeg"
    said = "\n".join(data.problems)
    for words in ("Line 2 of BBox_List_2017.csv was left out: w is 'x', no number",
                  "Line 3 of BBox_List_2017.csv was left out: 'Wart'",
                  "Line 4 of BBox_List_2017.csv was left out: y is ''",
                  "Line 5 of BBox_List_2017.csv was left out: it is empty or outside",
                  "Line 6 of BBox_List_2017.csv was cut", "Line 8 of BBox_List_2017.csv",
                  "names b twice", "c.png cannot be read", "d is there twice",
                  "1 images of Data_Entry_2017_v2020.csv are missing, as e",
                  "1 boxed images are missing or unlisted, as z"):  # fmt: skip
        assert words in said, words


def test_a_missing_or_wrong_table_is_refused(tmp_path: Path) -> None:
    folder = write_nih(tmp_path, entry("a.png", "Mass"), "")
    (folder / "BBox_List_2017.csv").write_text("image,label\n")
    with pytest.raises(DatasetError, match="does not begin with Image Index"):
        read_dataset(folder)
    (folder / "Data_Entry_2017_v2020.csv").write_text("Image Index\n")
    with pytest.raises(DatasetError, match="has no column Finding Labels"):
        read_dataset(folder)
    (folder / "Data_Entry_2017_v2020.csv").unlink()
    with pytest.raises(DatasetError, match="no Data_Entry_2017"):
        read_dataset(folder)
