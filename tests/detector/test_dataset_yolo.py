"""YOLO text labels in the layouts of Ultralytics and Roboflow."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from detector.dataset.sources import read_dataset
from detector.types import Box, DatasetError
from tests.detector.labelled_images import radiograph


def write_yolo(folder: Path, name: str, text: str | None, split: str = "{}/train") -> None:
    for kind in ("images", "labels"):
        (folder / split.format(kind)).mkdir(parents=True, exist_ok=True)
    picture = cv2.resize(radiograph(sum(map(ord, name))), (200, 100))
    cv2.imwrite(str(folder / split.format("images") / f"{name}.jpg"), picture)
    if text is not None:
        (folder / split.format("labels") / f"{name}.txt").write_text(text)


NAMES = "names:\n  0: wart\n  1: mole\n"


@pytest.mark.parametrize("split", ["{}/train", "train/{}", "{}"])
def test_boxes_negatives_and_what_nobody_read(tmp_path: Path, split: str) -> None:
    (tmp_path / "data.yaml").write_text(f"path: ../elsewhere\ntrain: images/train\n{NAMES}")
    write_yolo(tmp_path, "a", "1 0.5 0.5 0.25 0.5\n\n0 0.1 0.2 0.1 0.2\n", split)
    write_yolo(tmp_path, "b", "", split)
    write_yolo(tmp_path, "c", None, split)
    data = read_dataset(tmp_path)
    assert data.categories == ("wart", "mole")
    found, negative = data.samples
    assert found.boxes_of("mole") == (Box(75, 25, 125, 75),)
    assert found.boxes_of("wart")[0].xywh() == pytest.approx((10, 10, 20, 20))
    assert found.complete == negative.complete == {"wart", "mole"}
    assert negative.objects == ()
    assert data.problems == ("1 images without a text file were left out: nobody read them.",)


@pytest.mark.parametrize("text", [
    "names: [wart, 'a mole']\nnc: 2\n",
    "nc: 2\nnames:\n- wart   # rough\n- a mole\n",
    "names:\n  0: wart\n\n  1: \"a mole\"\ntrain: x\n",
    "names: {0: wart, 1: a mole}\n",
    "names: [\n  'wart',\n  'a mole',\n]\n",
])  # fmt: skip
def test_every_way_of_writing_the_names(tmp_path: Path, text: str) -> None:
    (tmp_path / "dataset.yaml").write_text(text)
    write_yolo(tmp_path, "a", "1 0.5 0.5 0.25 0.5")
    data = read_dataset(tmp_path)
    assert data.categories == ("wart", "a mole")
    assert data.samples[0].objects[0].category == "a mole"


@pytest.mark.parametrize("text", [
    "nc: 2\n", "names: []\n", "names: wart\n", "names: [a, [b]]\n", "names: ['a, b\n",
    "names:\n  0: a\n  0: b\n", "names:\n  wart\n", "names: *anchor\n",
])  # fmt: skip
def test_names_that_cannot_be_read_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "data.yaml").write_text(text)
    write_yolo(tmp_path, "a", "0 0.5 0.5 0.25 0.5")
    with pytest.raises(DatasetError, match=r"data.yaml (has no names|names)"):
        read_dataset(tmp_path)


def test_what_is_malformed_is_said(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text(NAMES)
    write_yolo(tmp_path, "a", "1 0.5 0.5 0.25\n0 1.4 0.5 0.1 0.1\n0 0.95 0.5 0.2 0.2\n")
    write_yolo(tmp_path, "b", "7 0.5 0.5 0.25 0.5\n0 nan 0.5 0.1 0.1\n")
    write_yolo(tmp_path, "d", "0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8\n")
    write_yolo(tmp_path, "e", "")
    (tmp_path / "images" / "train" / "e.jpg").write_bytes(b"no picture")
    (tmp_path / "labels" / "train" / "gone.txt").write_text("")
    data = read_dataset(tmp_path)
    a, b, d = data.samples
    assert a.boxes_of("wart") == (Box(170, 40, 200, 60),)
    assert a.complete == b.complete == set()
    assert d.complete == {"mole"}
    said = "\n".join(data.problems)
    for words in ("Line 1 of a.txt was left out: it is not class, cx", "Line 2 of a.txt was left",
                  "Line 3 of a.txt was cut", "Line 1 of b.txt was left out: 7 is no class",
                  "Line 2 of b.txt was left out: it is empty", "Line 1 of d.txt",
                  "e.jpg cannot be read", "1 text files have no image"):  # fmt: skip
        assert words in said, words
