"""Our own export and plain COCO come in whole, and what cannot be used is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from detector.dataset.sources import read_dataset
from detector.preprocess import to_square
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
    sixteen, plain = (to_square(s.load(), 320)[0] for s in read_dataset(folder).samples)
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


@pytest.mark.parametrize(
    ("broken", "known"),
    [
        ({"bbox": [1, 2, 3]}, {"effusion"}),
        ({"bbox": None}, {"effusion"}),
        ({"category_id": 77}, set()),
    ],
)
def test_a_category_whose_box_cannot_be_read_is_unknown_not_absent(
    tmp_path: Path, broken: dict[str, Any], known: set[str]
) -> None:
    folder = write_export(
        tmp_path / "e",
        [{"name": "a.png", "picture": radiograph(1), "boxes": [(1, 10, 10, 30, 30)]}],
    )
    document = json.loads((folder / "annotations.json").read_text())
    document["annotations"][0] |= broken
    (folder / "annotations.json").write_text(json.dumps(document))
    data = read_dataset(folder)
    assert data.samples[0].complete == known
    assert len(data.problems) == 1


def test_boxes_of_an_image_whose_size_is_not_told_are_read(tmp_path: Path) -> None:
    put(tmp_path / "x.png", 0)
    write_coco(tmp_path / "annotations.json", {3: "x.png"}, [(3, 1, 1, 2, 30, 40)])
    document = json.loads((tmp_path / "annotations.json").read_text())
    del document["images"][0]["width"], document["images"][0]["height"]
    (tmp_path / "annotations.json").write_text(json.dumps(document))
    assert read_dataset(tmp_path).samples[0].boxes_of("cat") == (Box(1, 2, 31, 42),)


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


def write_coco(path: Path, images: dict[int, str], boxes: list[tuple]) -> None:
    """Plain COCO: image id to name; boxes as image id, category id and x y w h."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "images": [
            {"id": i, "file_name": name, "width": 128, "height": 128} for i, name in images.items()
        ],
        "annotations": [
            {"id": n, "image_id": image, "category_id": category, "bbox": bbox}
            for n, (image, category, *bbox) in enumerate(boxes, start=1)
        ],
    }))  # fmt: skip


def put(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), radiograph(seed))


@pytest.mark.parametrize(
    ("jsons", "pictures"),
    [
        (["annotations/instances_train2017.json", "annotations/instances_val2017.json"],
         ["train2017/a.png", "val2017/b.png"]),
        (["annotations/instances_train2017.json", "annotations/instances_val2017.json"],
         ["images/train2017/a.png", "images/val2017/b.png"]),
        (["train.json", "val.json"], ["images/a.png", "images/b.png"]),
        (["train/_annotations.coco.json", "valid/_annotations.coco.json"],
         ["train/a.png", "valid/b.png"]),
    ],
)  # fmt: skip
def test_a_file_for_each_split(tmp_path: Path, jsons: list[str], pictures: list[str]) -> None:
    for number, (file, picture) in enumerate(zip(jsons, pictures, strict=True)):
        put(tmp_path / picture, number)
        name = Path(picture).name
        write_coco(tmp_path / file, {1: name}, [(1, 1, 10, 10, 20 + number, 20)])
    (tmp_path / jsons[0]).with_name("captions_train2017.json").write_text("{}")
    data = read_dataset(tmp_path)
    assert data.problems == ()
    assert [s.path for s in data.samples] == [tmp_path / p for p in pictures]
    assert [s.boxes_of("cat")[0].width for s in data.samples] == [20, 21]


def test_a_crowd_is_no_object_and_leaves_its_category_open(tmp_path: Path) -> None:
    put(tmp_path / "a.png", 1)
    write_coco(tmp_path / "annotations.json", {1: "a.png"}, [(1, 1, 1, 1, 9, 9)])
    document = json.loads((tmp_path / "annotations.json").read_text())
    document["annotations"][0]["iscrowd"] = 1
    (tmp_path / "annotations.json").write_text(json.dumps(document))
    data = read_dataset(tmp_path)
    assert data.samples[0].objects == ()
    assert data.samples[0].complete == {"dog"}
    assert "crowd" in data.problems[0]


def test_twice_is_said_and_the_first_counts(tmp_path: Path) -> None:
    put(tmp_path / "a.png", 1)
    put(tmp_path / "copy.png", 1)
    put(tmp_path / "other.png", 2)
    write_coco(
        tmp_path / "annotations.json", {1: "a.png", 2: "copy.png", 3: "other.png", 4: "other.png"},
        [(1, 1, 10, 10, 20, 20), (1, 1, 10, 10, 20, 20), (1, 2, 10, 10, 20, 20),
         (2, 1, 50, 50, 20, 20), (4, 1, 5, 5, 5, 5)],
    )  # fmt: skip
    data = read_dataset(tmp_path)
    assert [s.path.name for s in data.samples] == ["a.png", "other.png"]
    assert [o.category for o in data.samples[0].objects] == ["cat", "dog"]
    assert data.samples[0].complete == {"cat", "dog"}
    assert data.samples[1].objects == ()
    assert data.problems == (
        "Annotation 2 was left out: the same box is there twice.",
        "The image copy.png (1 box) is the same picture as a.png. The first counts.",
        "The image other.png is named twice, the second time with 1 box. The first counts.",
    )


def test_an_image_that_is_damaged_or_of_another_size_is_left_out(tmp_path: Path) -> None:
    put(tmp_path / "a.png", 1)
    cv2.imwrite(str(tmp_path / "half.png"), radiograph(2)[::2, ::2])
    (tmp_path / "bad.png").write_bytes(b"nothing")
    write_coco(tmp_path / "annotations.json", {1: "a.png", 2: "half.png", 3: "bad.png"}, [])
    data = read_dataset(tmp_path)
    assert [s.path.name for s in data.samples] == ["a.png"]
    assert data.problems == (
        "Image 2 was left out: half.png has 64 x 64 pixels, not 128 x 128.",
        "Image 3 was left out: The image bad.png cannot be read.",
    )


def test_two_images_of_one_id_are_refused(tmp_path: Path) -> None:
    write_coco(tmp_path / "annotations.json", {1: "a.png", 2: "b.png"}, [])
    text = (tmp_path / "annotations.json").read_text().replace('"id": 2, "file', '"id": 1, "file')
    (tmp_path / "annotations.json").write_text(text)
    with pytest.raises(DatasetError, match="id 1 is there twice"):
        read_dataset(tmp_path)


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no labelled data"):
        read_dataset(tmp_path)
