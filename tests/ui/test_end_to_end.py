"""The main job on real files: drop, boxes, decide, sign, reopen, export, train, detect."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from detector.types import Box
from resources.sample_study import write_sample_study
from tests.dicom_factory import make_dicom
from tests.ui.window_fixtures import Desk
from viewer import app
from viewer.dicom.voi import picture
from viewer.home import Home
from viewer.review.finding import Finding, Status
from viewer.review.store import Store
from viewer.settings import Settings

ROOT = Path(__file__).parent.parent.parent
CONTROL = Qt.KeyboardModifier.ControlModifier


@contextmanager
def whole_window(home: Home, qtbot: QtBot) -> Iterator[Desk]:
    """The window as ``main.py`` makes it, with its own child processes and the bundled model."""
    workers, store = app.Workers(), Store.open(home.database)
    window = app.make_window(workers, store, home, Settings.load(home.settings))
    window.resize(1280, 800)
    window.show()
    window.activateWindow()
    qtbot.waitActive(window)
    try:
        yield Desk(window, home, None, qtbot)  # type: ignore[arg-type]
    finally:
        window.close()
        workers.close()
        store.close()
        window.deleteLater()


@pytest.fixture
def home(tmp_path: Path, qapp: QApplication) -> Home:
    home = Home(tmp_path / "home")
    home.path.mkdir()
    return home


def run(home: Home, *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "main.py", "--home", str(home.path), *map(str, words)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result


def findings(desk: Desk) -> tuple[Finding, ...]:
    session = desk.window.reading.session
    assert session is not None
    return session.findings()


def boxed_radiograph(data_folder: Path) -> Path:
    """A radiograph on which radiologists drew an opacity."""
    with (data_folder / "cxr" / "boxes.csv").open(encoding="utf-8") as table:
        name = next(row["image"] for row in csv.DictReader(table) if row["source"] == "RSNA2018")
    return data_folder / "cxr" / "images" / name


@pytest.mark.timeout(1200)
def test_from_a_drop_to_the_next_model(
    data_folder: Path, home: Home, tmp_path: Path, qtbot: QtBot
) -> None:
    file = boxed_radiograph(data_folder)
    with whole_window(home, qtbot) as desk:
        desk.open(file)
        desk.qtbot.waitUntil(
            lambda: "Analysed" in desk.window.panel.state.title.text(), timeout=240_000
        )
        desk.window.reading.set_threshold(0.02)
        open_ones = [f for f in findings(desk) if f.status is Status.OPEN]
        assert len(open_ones) >= 3
        assert all(0 <= f.box.x_min < f.box.x_max <= 768 for f in open_ones)

        desk.key(Qt.Key.Key_N)
        desk.key(Qt.Key.Key_Return)  # accept the best, go on
        desk.key(Qt.Key.Key_X)  # reject the second, go on
        third = desk.window.deciding.selected
        assert third is not None
        box = desk.window.reading.session.finding(third).box  # type: ignore[union-attr]
        desk.drag((box.x_max, box.y_max), (box.x_max - 20, box.y_max - 20))  # correct the third
        desk.key(Qt.Key.Key_B)
        desk.drag((300, 300), (400, 380))  # add one
        desk.window.reading.set_threshold(1.0)
        desk.key(Qt.Key.Key_Return, CONTROL)  # sign
        desk.until(lambda: "sign" in desk.verbs())
        assert desk.verbs() == ["accept", "reject", "correct", "add", "sign"]
        before = [f for f in findings(desk) if f.status is not Status.OPEN]

    with whole_window(home, qtbot) as desk:  # another day: everything is as it was left
        desk.open(file)
        desk.until(lambda: desk.window.reading.session is not None)
        after = [f for f in findings(desk) if f.status is not Status.OPEN]
        assert {f.id: f for f in after} == {f.id: f for f in before}
        assert desk.window.reading.session.signed  # type: ignore[union-attr]

    exported = tmp_path / "labels"
    run(home, "export", "--format", "coco", "--out", exported)
    document = json.loads((exported / "annotations.json").read_text(encoding="utf-8"))
    assert [image["review"] for image in document["images"]] == ["complete"]
    statuses = sorted(one["status"] for one in document["annotations"])
    assert statuses == ["accepted", "added", "corrected"]
    assert [one["status"] for one in document["rejected_annotations"]] == ["rejected"]
    kept = cv2.imread(str(exported / document["images"][0]["file_name"]), cv2.IMREAD_UNCHANGED)
    original = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    assert kept is not None
    assert np.array_equal(kept, original)
    added = next(one for one in document["annotations"] if one["status"] == "added")
    assert Box.from_xywh(*added["bbox"]).iou(Box(300, 300, 400, 380)) > 0.9

    run(home, "train", "--data", exported, "--out", home.models, "--epochs", 1, "--device", "cpu")
    (card,) = home.models.glob("*/card.json")
    name = json.loads(card.read_text(encoding="utf-8"))["name"]
    results = tmp_path / "results.json"
    run(home, "detect", file, "--model", name, "--out", results, "--device", "cpu")
    answer = json.loads(results.read_text(encoding="utf-8"))
    assert answer["annotations"]
    assert answer["info"]["model"]["name"] == name


def detect_each(home: Home, out: Path, *files: Path) -> dict[str, list[dict[str, Any]]]:
    """Annotations by file name, of one run over several files."""
    run(home, "detect", *files, "--out", out, "--floor", "0.15", "--device", "cpu")
    answer = json.loads(out.read_text(encoding="utf-8"))
    assert answer["skipped"] == []
    names = {image["id"]: Path(image["file_name"]).name for image in answer["images"]}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names.values()}
    for one in answer["annotations"]:
        found[names[one["image_id"]]].append(one)
    return found


def test_one_radiograph_as_png_dicom_and_monochrome1_gives_the_same_boxes(
    data_folder: Path, home: Home, tmp_path: Path
) -> None:
    original = data_folder / "cxr" / "original" / "00001301_039.png"  # a reader boxed opacities
    grey = cv2.imread(str(original), cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    twelve = 500 + grey.astype(np.uint16) * 12
    window = {"WindowCenter": 500 + 1530.5, "WindowWidth": 3061.0, "BitsStored": 12, "HighBit": 11}
    plain = tmp_path / "plain.png"
    assert cv2.imwrite(str(plain), grey)
    dicom = make_dicom(tmp_path / "twelve.dcm", twelve, **window)
    window["WindowCenter"] = 4095 - 500 - 1530 + 0.5
    flipped = make_dicom(
        tmp_path / "flipped.dcm",
        (4095 - twelve).astype(np.uint16),
        PhotometricInterpretation="MONOCHROME1",
        SOPInstanceUID="2.25.4711",
        **window,
    )
    found = detect_each(home, tmp_path / "results.json", plain, dicom, flipped)
    assert len(found["plain.png"]) >= 2
    for other in ("twelve.dcm", "flipped.dcm"):
        assert len(found[other]) == len(found["plain.png"])
        for one in found["plain.png"]:
            box = Box.from_xywh(*one["bbox"])
            assert any(
                box.iou(Box.from_xywh(*its["bbox"])) >= 0.9
                and abs(its["score"] - one["score"]) <= 0.05
                for its in found[other]
            )


@pytest.mark.timeout(600)
def test_the_sample_study_opens_is_marked_and_reads_in_hu(
    home: Home, tmp_path: Path, qtbot: QtBot
) -> None:
    sample = tmp_path / "sample"
    write_sample_study(sample)
    with whole_window(home, qtbot) as desk:
        desk.open(sample)
        (study,) = desk.window.browser.studies.studies()
        assert [series.header.modality for series in study.series] == ["DX", "CT"]
        desk.qtbot.waitUntil(
            lambda: "Analysed" in desk.window.panel.state.title.text(), timeout=240_000
        )
        assert desk.rows(), "the detector marks the phantom's opacity at its default threshold"

        desk.key(Qt.Key.Key_Right)  # the CT series
        desk.until(lambda: desk.window.reading.image.series.modality == "CT")  # type: ignore[union-attr]
        assert "not modality CT" in desk.window.panel.state.detail.text()
        loaded = desk.window.reading.loaded
        assert loaded is not None
        frame = loaded.frame
        assert frame.unit == "HU"
        assert abs(np.median(frame.values[:8, :8]) + 1000) <= 5  # air in the corner
        assert picture(frame, frame.vois[0]).std() > 10
