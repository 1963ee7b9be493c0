"""Pascal VOC, by hand and by the detector."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from detector.dataset.sources import read_dataset
from detector.types import Box
from tests.dicom_factory import make_dicom
from tests.exchange.journeys import (
    COLUMNS,
    ODD,
    ROWS,
    OpenFile,
    chest,
    export,
    keys,
)
from viewer.dicom.model import ImageKey
from viewer.errors import ExchangeError
from viewer.review.store import Store


class TestVoc:
    def test_a_hand_parser_and_the_detector_read_it(
        self, store: Store, odd_labels: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        export(store, out, "voc")
        lists = {path.stem: path.read_text().split() for path in (out / "ImageSets/Main").iterdir()}
        assert {name: len(stems) for name, stems in lists.items()} == {"train": 2, "partial": 2}
        boxes: dict[str, list[tuple[int, ...]]] = {}
        for stem in lists["train"] + lists["partial"]:
            root = ElementTree.parse(out / "Annotations" / f"{stem}.xml").getroot()
            assert (out / "JPEGImages" / root.findtext("filename", "")).is_file()
            size = [root.findtext(f"size/{side}") for side in ("width", "height", "depth")]
            assert size == [str(COLUMNS), str(ROWS), "1"]
            for item in root.findall("object"):
                sides = ("xmin", "ymin", "xmax", "ymax")
                corners = tuple(int(item.findtext(f"bndbox/{side}", "")) for side in sides)
                assert 1 <= corners[0] <= corners[2] <= COLUMNS
                assert 1 <= corners[1] <= corners[3] <= ROWS
                boxes.setdefault(item.findtext("name", ""), []).append(corners)
        assert set(boxes) == {*ODD, "nodule"}
        assert (1, 1, COLUMNS, ROWS) in boxes["opacity"]
        assert (COLUMNS, ROWS, COLUMNS, ROWS) in boxes["opacity"]  # one pixel at the border
        assert (11, 31, 11, 50) in boxes["opacity"]  # thinner than one
        data = read_dataset(out)
        assert data.problems == ()
        assert sum(len(sample.objects) for sample in data.samples) == len(ODD) + 4 + 2
        assert sorted(bool(sample.complete) for sample in data.samples) == [False] * 2 + [True] * 2
        assert {sample.patient for sample in data.samples} == keys(store)

    def test_a_category_that_xml_cannot_hold_is_told(
        self, store: Store, open_file: OpenFile, tmp_path: Path
    ) -> None:
        session, [(image, frame)] = open_file(store, make_dicom(tmp_path / "a.dcm", **chest(1)))
        key = ImageKey(image.uid, 1, frame.pixel_sha256)
        session.add(key, Box(1, 1, 9, 9), "bell \x07")
        with pytest.raises(ExchangeError, match="XML cannot hold"):
            export(store, tmp_path / "out", "voc")
        assert not (tmp_path / "out").exists()
