"""VinDr-CXR: three readers an image in training, their consensus in the test set."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.dataset.sources import read_dataset
from detector.types import Box, DatasetError, ImageInput
from tests.detector.labelled_images import radiograph

KAGGLE = "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\n"


def write_vindr(folder: Path, rows: str, table: str = "train.csv", header: str = KAGGLE) -> Path:
    images = folder / table.removeprefix("annotations_").removesuffix(".csv")
    images.mkdir(parents=True)
    (folder / table).write_text(header + rows)
    for seed, name in enumerate({line.split(",")[0]: None for line in rows.splitlines()}):
        cv2.imwrite(str(images / f"{name}.png"), radiograph(seed))
    return folder


def test_readers_are_merged_and_a_minority_leaves_it_open(tmp_path: Path) -> None:
    data = read_dataset(write_vindr(
        tmp_path,
        "a,Lung Opacity,7,R1,10,10,50,50\n"
        "a,Consolidation,4,R1,10,10,50,50\n"  # R1's second name for the same place
        "a,Infiltration,6,R2,14,10,54,50\n"
        "a,Nodule/Mass,8,R2,90,90,99,99\n"
        "a,Pleural effusion,10,R1,10,60,50,90\n"
        "a,Pleural effusion,10,R3,12,60,52,90\n"
        "a,Pleural effusion,10,R2,80,60,120,90\n"
        "b,No finding,14,R1,,,,\nb,No finding,14,R2,,,,\nb,No finding,14,R3,,,,\n",
    ))  # fmt: skip
    assert data.categories == ("opacity", "effusion", "nodule")
    a, b = data.samples
    corners = (10 + 4 / 3, 10, 50 + 4 / 3, 50)
    (opacity,) = a.boxes_of("opacity")
    assert opacity.xywh() == pytest.approx(Box(*corners).xywh())
    assert a.boxes_of("effusion") == (Box(11, 60, 51, 90),)
    assert a.boxes_of("nodule") == ()
    assert a.complete == {"opacity"}
    assert b.objects == ()
    assert b.complete == {"opacity", "effusion", "nodule"}
    assert [p.split(" that ")[0] for p in data.problems] == [
        "1 boxes (effusion)", "1 boxes (nodule)",
    ]  # fmt: skip


def test_the_test_set_is_one_consensus(tmp_path: Path) -> None:
    data = read_dataset(write_vindr(
        tmp_path, "a,Rib fracture,10,10,50,50\na,ILD,1,1,9,9\nb,No finding,,,,\n",
        "annotations_test.csv", "image_id,class_name,x_min,y_min,x_max,y_max\n",
    ))  # fmt: skip
    assert data.samples[0].boxes_of("fracture") == (Box(10, 10, 50, 50),)
    assert {s.complete for s in data.samples} == {frozenset({"fracture"})}
    assert data.problems == ("1 boxes of 'ILD' were left out: no category here.",)


def test_dicom_goes_through_the_decoder(tmp_path: Path) -> None:
    folder = write_vindr(tmp_path, "a,Cardiomegaly,3,R1,1000,1000,2000,1900\n")
    (folder / "train" / "a.png").unlink()
    (folder / "train" / "a.dicom").write_bytes(b"coded")
    with pytest.raises(DatasetError, match=r"a.dicom is a DICOM file"):
        read_dataset(folder)
    (sample,) = read_dataset(folder, lambda p: ImageInput(np.ones((3, 2)))).samples
    assert sample.boxes_of("cardiomegaly") == (Box(1000, 1000, 2000, 1900),)
    assert sample.load().values.shape == (3, 2)


def test_what_is_malformed_is_said(tmp_path: Path) -> None:
    folder = write_vindr(
        tmp_path,
        "a,Cardiomegaly,3,R1,10,x,20,20\na,Atelectasis,1,R1,120,120,140,140\n"
        "a,Calcification,2,R1,20,20,10,10\na,Emphysema,2,R1,1,1,9,9\na,Emphysema,2,R1,1,1,9,9\n"
        "z,No finding,14,R1,,,,\n",
    )
    (folder / "train" / "z.png").unlink()
    data = read_dataset(folder)
    (a,) = data.samples
    assert a.complete == {"atelectasis", "emphysema"}
    assert a.boxes_of("atelectasis") == (Box(120, 120, 128, 128),)
    assert len(a.boxes_of("emphysema")) == 1
    said = "\n".join(data.problems)
    for words in ("Line 2 of train.csv was left out: y_min is 'x'", "Line 3 of train.csv was cut",
                  "Line 4 of train.csv was left out: it is empty", "the same box is there twice",
                  "1 images of"):  # fmt: skip
        assert words in said, words


def test_another_table_called_train_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DatasetError, match="no labelled data"):
        read_dataset(tmp_path)
    (tmp_path / "train.csv").write_text("image_id,class_name\n1,2\n")
    with pytest.raises(DatasetError, match="no column x_min"):
        read_dataset(tmp_path)
