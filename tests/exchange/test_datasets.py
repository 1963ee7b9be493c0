"""Every format for training: written, read by others, and read back into an empty store."""

from __future__ import annotations

import csv
import json
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from detector.dataset.sources import read_dataset
from detector.types import RESEARCH_USE_ONLY, Box, DatasetError, Detection, Detections
from tests.dicom_factory import make_dicom
from tests.exchange.journeys import DATASETS, Load, OpenFile, essence, export, findings, import_
from viewer.dicom.model import ImageKey
from viewer.errors import ExchangeError
from viewer.exchange.cells import harmless, plain
from viewer.review.finding import Status
from viewer.review.session import ReviewSession
from viewer.review.store import Store

SIDED = DATASETS[1:]
ROWS, COLUMNS = 60, 90
ODD = (
    "opacity",
    'a "b" \\ c',
    "it's, so",
    "=1+1",
    "Ödem ＝ 肺",
    "two  words #3",
    "<&>",
    "@x",
    "'=y",
)


def chest(number: int, **tags: Any) -> dict[str, Any]:
    pixels = np.random.default_rng(number).integers(0, 4096, (ROWS, COLUMNS)).astype(np.uint16)
    return {
        "pixels": pixels,
        "PatientID": f"P{number}",
        "StudyInstanceUID": f"2.25.{number}",
    } | tags


@pytest.fixture
def reviewed(store: Store, open_file: OpenFile, tmp_path: Path) -> Path:
    """A signed image with odd boxes, a signed empty one, an unsigned and an uncertain one."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(1, 5):
        file = make_dicom(folder / f"{number}.dcm", **chest(number))
        session, [(image, frame)] = open_file(store, file)
        key = ImageKey(image.uid, image.frame_number, frame.pixel_sha256)
        if number == 1:
            for place, category in enumerate(ODD):
                x = 1 / 3 + 9 * place
                session.add(key, Box(x, 2 / 3, x + 7.3, 20.2), category)
            boxes = [
                Box(0, 0, COLUMNS, ROWS),
                Box(COLUMNS - 1, ROWS - 1, COLUMNS, ROWS),
                Box(10.2, 30.4, 10.6, 50),  # thinner than a pixel
                Box(0, 20, 1, 21),
                Box(30, 30, 40, 40),  # this one is rejected
            ]
            found = tuple(Detection(b, 0.9 - n / 9, "opacity") for n, b in enumerate(boxes))
            session.add_run(key, Detections(found, "m", "1", "w" * 64, "cpu", 0.01, 0.1))
            *accepted, rejected = session.findings()[: len(boxes)]
            for each in accepted:
                session.accept(each.id)
            session.reject(rejected.id)
        if number == 3:
            session.add(key, Box(5, 5, 15, 15), "nodule")
        if number == 4:
            session.add(key, Box(5, 5, 15, 15), "opacity")
            session.add(key, Box(25, 5, 35, 15), "nodule")
            session.doubt(session.findings()[-1].id)
        if number != 3:
            session.sign()
    return folder


@pytest.mark.parametrize("name", DATASETS)
def test_it_comes_back_into_an_empty_store(
    *, store: Store, other_store: Store, reviewed: Path, load: Load, name: str, tmp_path: Path
) -> None:
    summary = export(store, tmp_path / "out", name)
    assert summary.skipped == ()
    written = summary.written
    assert (written.images, written.rejected, written.uncertain) == (4, 1, 1)
    assert written.findings == len(ODD) + 4 + 1 + 1
    imported = import_(other_store, tmp_path / "out", name, load)
    assert imported.not_found == ()
    assert imported.readers == ("Dr. Who",)
    assert essence(other_store) == essence(store)
    before = essence(other_store)
    assert import_(other_store, tmp_path / "out", name, load).findings == 0  # nothing twice
    assert essence(other_store) == before


@pytest.mark.parametrize("name", DATASETS)
def test_a_candidate_that_is_doubted_makes_its_image_partial(
    *,
    store: Store,
    other_store: Store,
    open_file: OpenFile,
    load: Load,
    tmp_path: Path,
    name: str,
) -> None:
    """It was neither taken nor rejected: nothing says that there is nothing."""
    session, [(image, frame)] = open_file(store, make_dicom(tmp_path / "1.dcm", **chest(1)))
    key = ImageKey(image.uid, 1, frame.pixel_sha256)
    found = (Detection(Box(1, 2, 30, 40), 0.9, "opacity"), Detection(Box(50, 2, 60, 9), 0.8, "x"))
    session.add_run(key, Detections(found, "m", "1", "w" * 64, "cpu", 0.01, 0.1))
    session.doubt(session.findings()[0].id)
    session.sign()
    written = export(store, tmp_path / "out", name).written
    assert (written.findings, written.uncertain) == (0, 1)
    if name in ("coco", "yolo", "voc"):
        (sample,) = read_dataset(tmp_path / "out").samples
        assert not sample.complete
        assert sample.objects == ()
    import_(other_store, tmp_path / "out", name, load)
    (uid,) = other_store.study_uids()
    other = ReviewSession(other_store, uid, "Dr. Who")
    (doubted,) = other.findings()
    assert (doubted.status, doubted.uncertain, doubted.score) == (Status.OPEN, True, 0.9)
    other.accept(doubted.id)
    assert [finding.status for finding in other.findings()] == [Status.ACCEPTED]


@pytest.mark.parametrize("name", SIDED)
def test_without_the_side_file_the_plain_boxes_come_back(
    *, store: Store, other_store: Store, reviewed: Path, load: Load, name: str, tmp_path: Path
) -> None:
    """What any program could have written: boxes within rounding, accepted by who imports."""
    export(store, tmp_path / "out", name)
    (tmp_path / "out" / "lightbox.json").unlink()
    if name == "csv":  # the published sets are 1024 x 1024, whatever lies beside their tables
        scale_box_list(tmp_path / "out" / "BBox_List_2017.csv")
    imported = import_(other_store, tmp_path / "out", name, load, reader="Dr. Import")
    assert imported.readers == ("Dr. Import",)
    ours = [f for f in findings(store) if f.status is not Status.REJECTED and not f.uncertain]
    theirs = findings(other_store)
    assert len(theirs) == len(ours)
    assert {f.status for f in theirs} == {Status.ACCEPTED}
    within = 0.51 if name == "voc" else 1e-3
    for finding in ours:
        assert any(
            other.category == finding.category
            and within_pixels(other.box, finding.box, within, voc=name == "voc")
            for other in theirs
        ), finding


def within_pixels(one: Box, other: Box, most: float, *, voc: bool) -> bool:
    corners = zip(
        (one.x_min, one.y_min, one.x_max, one.y_max),
        (other.x_min, other.y_min, other.x_max, other.y_max),
        strict=True,
    )
    # VOC has whole pixels: one thinner than that grows to it.
    thin = voc and min(other.width, other.height) < 1
    return all(abs(a - b) <= (1 if thin else most) for a, b in corners)


def scale_box_list(path: Path) -> None:
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = list(csv.reader(file))
    scales = [1024 / COLUMNS, 1024 / ROWS] * 2
    for row in rows:
        row[2:6] = [repr(float(c) * s) for c, s in zip(row[2:6], scales, strict=True)]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def test_labels_changed_by_another_program_win_over_the_side_file(
    store: Store, other_store: Store, reviewed: Path, load: Load, tmp_path: Path
) -> None:
    """One format stands for all: the side file is joined by one function."""
    export(store, tmp_path / "out", "yolo")
    (labels,) = (
        path for path in (tmp_path / "out").rglob("*.txt")
        if path.parent.parent.name == "labels" and len(path.read_text().splitlines()) > 5
    )  # fmt: skip
    first, second, *others = labels.read_text().splitlines()
    number, x, y, width, height = second.split()
    moved = f"{number} {float(x) - 0.1} {y} {width} {height}"
    labels.write_text("\n".join([moved, *others]))
    import_(other_store, tmp_path / "out", "yolo", load, reader="Dr. Import")
    readers = Counter(
        event.reader for uid in other_store.study_uids() for event in other_store.load(uid).events
    )
    assert readers["Dr. Import"] == 1  # the box that was moved
    assert len(findings(other_store)) == len(findings(store)) - 1  # one was deleted
    assert first not in labels.read_text()


# --- read by others ------------------------------------------------------------------------------


class TestYolo:
    def test_a_hand_parser_and_the_detector_read_it(
        self, store: Store, reviewed: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        export(store, out, "yolo")
        yaml = (out / "data.yaml").read_text("utf-8")
        assert RESEARCH_USE_ONLY in yaml
        assert "train: images/train\n" in yaml
        assert "partial" not in yaml
        for place in ("train", "partial"):
            pictures = sorted(path.stem for path in (out / "images" / place).iterdir())
            assert pictures == sorted(path.stem for path in (out / "labels" / place).iterdir())
            assert len(pictures) == 2
        lines = [
            line.split()
            for path in (out / "labels" / "train").iterdir()
            for line in path.read_text().splitlines()
        ]
        assert len(lines) == len(ODD) + 4
        assert ["0", "0.500000000", "0.500000000", "1.000000000", "1.000000000"] in lines
        data = read_dataset(out)
        assert data.problems == ()
        assert set(data.categories) == {*ODD, "nodule"}
        assert data.categories[0] == "opacity"
        by_boxes = sorted(data.samples, key=lambda sample: len(sample.objects))
        assert [len(sample.objects) for sample in by_boxes] == [0, 1, 1, len(ODD) + 4]
        assert [bool(sample.complete) for sample in by_boxes] == [True, False, False, True]
        assert len({sample.patient for sample in data.samples}) == 4
        assert {sample.patient for sample in data.samples} == keys(store)

    def test_class_numbers_stay_when_findings_are_added(
        self, store: Store, reviewed: Path, open_file: OpenFile, tmp_path: Path
    ) -> None:
        export(store, tmp_path / "a", "yolo")
        export(store, tmp_path / "b", "yolo")
        assert (tmp_path / "a/data.yaml").read_bytes() == (tmp_path / "b/data.yaml").read_bytes()


def keys(store: Store) -> set[str]:
    return {image.patient_key for uid in store.study_uids() for image in store.load(uid).images}


class TestVoc:
    def test_a_hand_parser_and_the_detector_read_it(
        self, store: Store, reviewed: Path, tmp_path: Path
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


class TestCsv:
    def test_both_forms_by_hand(self, store: Store, reviewed: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        export(store, out, "csv")
        raw = (out / "BBox_List_2017.csv").read_text("utf-8").splitlines()
        assert raw[0] == "Image Index,Finding Label,Bbox [x,y,w,h],,,"
        rows = list(csv.reader(raw))[1:]
        assert all((out / "images" / row[0]).is_file() for row in rows)
        assert len(rows) == len(ODD) + 4 + 2  # of partial images, too: the list claims no more
        assert [float(cell) for cell in rows[0][2:6]]
        entries = table(out / "Data_Entry_2017.csv")
        assert len(entries) == 2
        assert [row["Finding Labels"] for row in entries if "|" not in row["Finding Labels"]] == [
            "No Finding"
        ]
        assert {row["Patient ID"] for row in entries} < keys(store)
        labels = table(out / "stage_2_train_labels.csv")
        opacities = [row for row in labels if row["Target"] == "1"]
        (negative,) = [row for row in labels if row["Target"] == "0"]
        assert len(opacities) == 1 + 4
        assert [negative[side] for side in ("x", "y", "width", "height")] == [""] * 4
        classes = table(out / "stage_2_detailed_class_info.csv")
        assert [row["patientId"] for row in classes] == [row["patientId"] for row in labels]
        assert Counter(row["class"] for row in classes) == {"Lung Opacity": 5, "Normal": 1}

    def test_no_cell_is_a_formula(self, store: Store, reviewed: Path, tmp_path: Path) -> None:
        export(store, tmp_path / "out", "csv")
        cells = [
            cell
            for path in (tmp_path / "out").glob("*.csv")
            for row in csv.reader(path.read_text("utf-8").splitlines())
            for cell in row
        ]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
        assert {"'=1+1", "'@x", "''=y"} <= set(cells)

    def test_the_rsna_form_comes_back(
        self, store: Store, other_store: Store, reviewed: Path, load: Load, tmp_path: Path
    ) -> None:
        export(store, tmp_path / "out", "csv")
        file = tmp_path / "out" / "stage_2_train_labels.csv"
        import_(other_store, file, "csv", load)
        certain = [f for f in findings(other_store) if f.status is not Status.REJECTED]
        assert {f.category for f in certain if not f.uncertain} == {"opacity"}
        assert len([f for f in certain if not f.uncertain]) == 1 + 4

    def test_the_detector_does_not_take_it_for_the_published_set(
        self, store: Store, reviewed: Path, tmp_path: Path
    ) -> None:
        """Those boxes are in pixels of 1024 x 1024 pictures; these are not."""
        export(store, tmp_path / "out", "csv")
        with pytest.raises(DatasetError, match="CSV export of Lightbox"):
            read_dataset(tmp_path / "out")


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=", "\r", "\n", "'=", "''=", "＝1",
                                  "", "'", "''", "a'", "'a", "a=1", " =1"])  # fmt: skip
def test_a_cell_comes_back_as_it_was(text: str) -> None:
    assert plain(harmless(text)) == text
    assert not harmless(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))


class TestTfrecord:
    def test_the_tfrecord_package_reads_every_field(
        self, store: Store, reviewed: Path, tmp_path: Path
    ) -> None:
        """In a process of its own: it loads torch."""
        out = tmp_path / "out"
        export(store, out, "tfrecord")
        records = {
            name: read_records(out / f"{name}.tfrecord", tmp_path) for name in ("train", "partial")
        }
        assert {name: len(found) for name, found in records.items()} == {"train": 2, "partial": 2}
        most = max(records["train"], key=lambda record: len(record["label"]))
        texts = bytes.fromhex(most["text"]).decode()
        assert len(most["label"]) == len(ODD) + 4
        assert (most["height"], most["width"]) == ([ROWS], [COLUMNS])
        assert bytes.fromhex(most["format"]) == b"png"
        assert most["filename"] == most["source_id"]
        place = most["xmax"].index(1.0)
        assert (most["xmin"][place], most["ymin"][place], most["ymax"][place]) == (0.0, 0.0, 1.0)
        assert texts.split("|")[place] == "opacity"
        assert most["label"][place] == 1
        assert all(category in texts for category in ODD)
        picture = cv2.imdecode(
            np.frombuffer(bytes.fromhex(most["encoded"]), np.uint8), cv2.IMREAD_UNCHANGED
        )
        assert picture.shape == (ROWS, COLUMNS)
        assert picture.dtype == np.uint8
        empty = min(records["train"], key=lambda record: len(record["label"]))
        assert empty["label"] == empty["xmin"] == []
        label_map = (out / "label_map.pbtxt").read_text("utf-8")
        assert 'name: "opacity"\n  id: 1\n' in label_map
        assert "Ödem ＝ 肺" in label_map

    def test_the_frame_around_each_record(
        self, store: Store, reviewed: Path, tmp_path: Path
    ) -> None:
        """Against another implementation of CRC-32C."""
        export(store, tmp_path / "out", "tfrecord")
        content = (tmp_path / "out" / "train.tfrecord").read_bytes()
        count = place = 0
        while place < len(content):
            (length,) = struct.unpack_from("<Q", content, place)
            (of_length,) = struct.unpack_from("<I", content, place + 8)
            data = content[place + 12 : place + 12 + length]
            (of_data,) = struct.unpack_from("<I", content, place + 12 + length)
            for part, crc in ((content[place : place + 8], of_length), (data, of_data)):
                plain_crc = slow_crc32c(part)
                assert crc == ((plain_crc >> 15 | plain_crc << 17) + 0xA282EAD8) % 2**32
            place += 16 + length
            count += 1
        assert count == 2


def slow_crc32c(content: bytes) -> int:
    """Bit by bit, by the polynomial of RFC 3720, B.4."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


_READER = """
import json, sys, warnings
warnings.simplefilter("ignore")
from tfrecord.reader import tfrecord_loader
result = []
for record in tfrecord_loader(sys.argv[1], None, None):
    fields = {}
    for name, value in record.items():
        short = name.split("/")[-1]
        if isinstance(value, bytes):
            fields[short] = value.hex()
        elif short == "text":
            fields[short] = b"|".join(value.tolist()).hex()
        else:
            fields[short] = value.tolist()
    result.append(fields)
print(json.dumps(result))
"""


def read_records(path: Path, folder: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-c", _READER, str(path)], capture_output=True, text=True, check=True,
        cwd=folder,
    )  # fmt: skip
    return json.loads(done.stdout)  # type: ignore[no-any-return]
