"""Pascal VOC as the challenge, LabelImg and Roboflow lay it out."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from detector.dataset.sources import read_dataset
from detector.types import Box, DatasetError
from tests.detector.labelled_images import radiograph


def thing(name: str, *corners: object, **flags: int) -> str:
    sides = zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True)
    box = "".join(f"<{side}>{value}</{side}>" for side, value in sides)
    more = "".join(f"<{flag}>{value}</{flag}>" for flag, value in flags.items())
    return f"<object><name>{name}</name>{more}<bndbox>{box}</bndbox></object>"


def write_voc(folder: Path, name: str, *things: str, images: str = "JPEGImages") -> None:
    where = folder / ("Annotations" if images else "")
    for place in (where, folder / images):
        place.mkdir(parents=True, exist_ok=True)
    seed = sum(map(ord, name))
    cv2.imwrite(str(folder / images / f"{name}.png"), radiograph(seed))
    (where / f"{name}.xml").write_text(
        f"<annotation><filename>{name}.png</filename>{''.join(things)}</annotation>"
    )


def test_voc_counts_from_one_and_includes_both_corners(tmp_path: Path) -> None:
    write_voc(tmp_path, "a", thing("wart", 1, 1, 128, 128), thing("mole", 11, 21, 30, 60))
    write_voc(tmp_path, "b")
    data = read_dataset(tmp_path)
    assert data.problems == ()
    assert data.categories == ("mole", "wart")
    found, negative = data.samples
    assert found.boxes_of("wart") == (Box(0, 0, 128, 128),)
    assert found.boxes_of("mole") == (Box(10, 20, 30, 60),)
    assert negative.objects == ()
    assert negative.complete == {"mole", "wart"}


def test_difficult_is_open_and_truncated_counts(tmp_path: Path) -> None:
    write_voc(tmp_path, "a", thing("wart", 5, 5, 20, 20, difficult=1),
              thing("mole", 1, 21, 30, 60, truncated=1, difficult=0))  # fmt: skip
    (sample,) = read_dataset(tmp_path).samples
    assert [o.category for o in sample.objects] == ["mole"]
    assert sample.complete == {"mole"}


def test_xml_beside_the_images_of_each_split(tmp_path: Path) -> None:
    write_voc(tmp_path / "train", "a", thing("mole", 11, 21, 30, 60), images="")
    write_voc(tmp_path / "valid", "b", images="")
    (tmp_path / "train" / "a.xml").write_text(
        (tmp_path / "train" / "a.xml").read_text().replace("a.png", r"C:\Users\me\a.png")
    )
    cv2.imwrite(str(tmp_path / "train" / "unread.png"), radiograph(9))
    data = read_dataset(tmp_path)
    assert [s.patient for s in data.samples] == ["train/a.png", "valid/b.png"]
    assert data.problems == ("1 images without XML were left out: nobody read them.",)


def test_a_name_never_leads_out_of_the_folder(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "secret.png"), radiograph(1))
    write_voc(tmp_path / "set", "a")
    xml = tmp_path / "set" / "Annotations" / "a.xml"
    xml.write_text(xml.read_text().replace("a.png", "../../secret.png"))
    (sample,) = read_dataset(tmp_path / "set").samples
    assert sample.path.name == "a.png"


def test_what_is_malformed_is_said(tmp_path: Path) -> None:
    write_voc(tmp_path, "a", thing("mole", 11, 21, "x", 60), thing("mole", 200, 1, 300, 9),
              thing("wart", 101, 101, 160, 160), thing("wart", 1, 1, 9, 9))  # fmt: skip
    write_voc(tmp_path, "b", "<object></object>")
    write_voc(tmp_path, "c")
    (tmp_path / "JPEGImages" / "c.png").unlink()
    (tmp_path / "Annotations" / "d.xml").write_text("<annotation>")
    (tmp_path / "Annotations" / "e.xml").write_text("<html/>")
    data = read_dataset(tmp_path)
    (sample,) = data.samples
    assert sample.boxes_of("wart") == (Box(100, 100, 128, 128), Box(0, 0, 9, 9))
    assert sample.complete == {"wart"}
    said = "\n".join(data.problems)
    for words in ("Object 1 of a.xml was left out: its box is not four numbers",
                  "Object 2 of a.xml was left out: it is empty or outside",
                  "Object 3 of a.xml was cut", "b.xml was left out: object 1 has no name",
                  "c.xml was left out: its image c.png is missing",
                  "d.xml was left out: it cannot be read as XML", "e.xml was left out: it is no",
                  "1 images without XML"):  # fmt: skip
        assert words in said, words


@pytest.mark.parametrize("body", [
    '<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;">]><annotation>&z;</annotation>',
    '<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>',
])  # fmt: skip
def test_a_document_type_is_refused(tmp_path: Path, body: str) -> None:
    (tmp_path / "a.xml").write_text(body)
    with pytest.raises(DatasetError, match="declares a document type"):
        read_dataset(tmp_path)
