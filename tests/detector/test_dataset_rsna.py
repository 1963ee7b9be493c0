"""The RSNA challenge of 2018, stage 2, in its published form."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.dataset.sources import read_dataset
from detector.dataset.vocabulary import READ_OPACITY
from detector.types import Box, DatasetError, ImageInput, ToneCurve
from tests.detector.labelled_images import radiograph

HEADER = "patientId,x,y,width,height,Target\n"


def write_rsna(folder: Path, rows: str, classes: str | None = None) -> Path:
    images = folder / "stage_2_train_images"
    images.mkdir(parents=True)
    (folder / "stage_2_train_labels.csv").write_text(HEADER + rows)
    if classes is not None:
        (folder / "stage_2_detailed_class_info.csv").write_text("patientId,class\n" + classes)
    for name in {line.split(",")[0] for line in rows.splitlines()}:
        (images / f"{name}.dcm").write_text(f"the bytes of {name}")
    return folder


def decode(path: Path) -> ImageInput:
    return ImageInput(np.full((4, 4), len(path.stem), np.uint16), ToneCurve((0, 9), (0, 1)))


def test_opacities_normals_and_the_rest(tmp_path: Path) -> None:
    folder = write_rsna(
        tmp_path,
        "sick,264.0,152.0,213.0,379.0,1\nsick,562.0,152.0,256.0,453.0,1\nwell,,,,,0\nother,,,,,0\n",
        "sick,Lung Opacity\nsick,Lung Opacity\nwell,Normal\nother,No Lung Opacity / Not Normal\n",
    )
    data = read_dataset(folder, decode)
    assert data.problems == ()
    assert data.categories == ("opacity",)
    sick, well, other = data.samples
    assert sick.boxes_of("opacity") == (Box(264, 152, 477, 531), Box(562, 152, 818, 605))
    assert (sick.complete, other.complete) == ({"opacity"}, {"opacity"})
    assert well.complete == {"opacity", "effusion"}
    assert [s.image_classes[READ_OPACITY] for s in data.samples] == [True, False, False]
    image = sick.load()
    assert image.values[0, 0] == 4
    assert image.tone_curve == ToneCurve((0, 9), (0, 1))


def test_without_a_decoder_dicom_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"sick.dcm is a DICOM file, which cannot be decoded"):
        read_dataset(write_rsna(tmp_path, "sick,,,,,0\n"))


def test_pictures_of_another_size_get_scaled_boxes(tmp_path: Path) -> None:
    folder = write_rsna(tmp_path, "a,256,128,512,64,1\n")
    (folder / "stage_2_train_images" / "a.dcm").unlink()
    cv2.imwrite(str(folder / "a.png"), cv2.resize(radiograph(1), (512, 256)))
    (sample,) = read_dataset(folder).samples
    assert sample.boxes_of("opacity") == (Box(128, 32, 384, 48),)
    assert sample.load().values.shape == (256, 512)


def test_what_is_malformed_is_said(tmp_path: Path) -> None:
    folder = write_rsna(
        tmp_path,
        "a,1,2,,4,1\nb,1,2,3,4,2\nc,900,900,200,200,1\nd,1100,9,50,50,1\n"
        "e,1,1,9,9,1\ne,1,1,9,9,1\ngone,,,,,0\n",
    )
    (folder / "stage_2_train_images" / "gone.dcm").unlink()
    data = read_dataset(folder, decode)
    a, b, c, d, e = data.samples
    assert {s.complete for s in (a, b, d)} == {frozenset()}
    assert READ_OPACITY not in a.image_classes
    assert c.boxes_of("opacity") == (Box(900, 900, 1024, 1024),)
    assert len(e.objects) == 1
    said = "\n".join(data.problems)
    for words in ("Line 2 of stage_2_train_labels.csv was left out: width is ''", "Target is '2'",
                  "Line 4 of stage_2_train_labels.csv was cut", "Line 5 of", "there twice",
                  "1 images of stage_2_train_labels.csv are missing, as gone"):  # fmt: skip
        assert words in said, words
