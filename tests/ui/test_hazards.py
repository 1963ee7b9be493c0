"""What must never happen to a reader in a hurry: a decision on the wrong patient, or lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMenu

from detector.types import Box
from tests.dicom_factory import make_ct_series
from tests.ui.window_fixtures import Desk, export_into, radiograph, undecodable
from viewer.dicom.model import Skipped
from viewer.exchange.formats import FORMATS
from viewer.exchange.options import Options
from viewer.review.store import Store
from viewer.ui.dialogs import OpenReport
from viewer.ui.exchange_dialogs import ImportDialog
from viewer.ui.position import Position, study_key

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def go(desk: Desk, patient: str) -> None:
    """Click the study of a patient in the browser."""
    study = next(
        study
        for study in desk.window.browser.studies.studies()
        if study.header.patient.id == patient
    )
    desk.window.browser.chosen.emit(Position(study, study.series[0], 0))
    desk.until(lambda: desk.window.reading.position.study == study)  # type: ignore[union-attr]
    desk.wait_analysed()


def exported(desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The document of an export of the study on the screen."""
    folder.mkdir()
    export_into(folder, monkeypatch)
    desk.key(Qt.Key.Key_E, CONTROL)
    desk.until(lambda: any(folder.glob("lightbox-coco-*/annotations.json")))
    desk.until(lambda: not desk.window.exchanging.busy)
    (out,) = folder.glob("lightbox-coco-*")
    return json.loads((out / "annotations.json").read_text())  # type: ignore[no-any-return]


@pytest.fixture
def two_images(desk: Desk, tmp_path: Path) -> Desk:
    """A study of two radiographs, one box on each; the first is on the screen."""
    folder = tmp_path / "study"
    folder.mkdir()
    shared = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4"}
    for number, first in ((1, 11), (2, 22)):
        radiograph(folder / f"{number}.dcm", first=first, InstanceNumber=number, **shared)
    desk.puppet.answers = {
        11: [(Box(10, 10, 30, 30), 0.8, "opacity")],
        22: [(Box(90, 90, 120, 120), 0.7, "nodule")],
    }
    desk.open(folder)
    desk.wait_analysed()
    desk.key(Qt.Key.Key_Down)
    desk.until(lambda: len(desk.rows()) == 2)
    desk.key(Qt.Key.Key_Up)
    desk.until(lambda: desk.window.reading.position.index == 0)  # type: ignore[union-attr]
    return desk


def test_two_patients_under_one_study_uid_never_share_a_decision(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for patient, first in (("P-1", 11), ("P-2", 22)):
        radiograph(
            tmp_path / f"{patient}.dcm",
            first=first,
            PatientID=patient,
            PatientName=f"{patient}^A",
            StudyInstanceUID="1.2.3",
        )
        desk.puppet.answers[first] = [(Box(10, 10, 60, 60), 0.9, "opacity")]
    desk.open(tmp_path)
    go(desk, "P-1")
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_Return)
    assert desk.rows() == ["1 opacity 0.90, accepted"]
    go(desk, "P-2")
    assert desk.rows() == ["1 opacity 0.90, to decide"]
    assert not desk.window.actions_table["undo"].isEnabled()
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_X)
    desk.key(Qt.Key.Key_Return, CONTROL)
    assert desk.window.panel.signature.text().startswith("✓ Signed")
    (image,) = exported(desk, tmp_path / "out-2", monkeypatch)["images"]  # type: ignore[misc,attr-defined]
    assert image["review"] == "complete"
    with Store.open(desk.home.database) as store:
        assert image["patient_key"] == store.patient_key(desk.window.reading.position.study.header)  # type: ignore[union-attr]
    go(desk, "P-1")
    assert desk.rows() == ["1 opacity 0.90, accepted"]
    assert desk.window.panel.signature.text() == "Not signed"
    (other,) = exported(desk, tmp_path / "out-1", monkeypatch)["images"]  # type: ignore[misc,attr-defined]
    assert other["review"] == "partial"
    assert other["patient_key"] != image["patient_key"]
    browser = desk.window.browser.studies
    notes = {
        study.header.patient.id: browser.notes[study_key(study)] for study in browser.studies()
    }
    assert notes == {"P-1": "• analysed", "P-2": "✓ signed"}


def test_going_back_to_the_pixels_that_were_judged_brings_their_decisions_back(
    desk: Desk, tmp_path: Path
) -> None:
    shared = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.4", "SOPInstanceUID": "1.2.9"}
    for number, first in ((1, 11), (2, 22)):
        radiograph(tmp_path / f"{number}.dcm", first=first, InstanceNumber=number, **shared)
        desk.puppet.answers[first] = [(Box(10, 10, 60, 60), 0.9, "opacity")]
    desk.open(tmp_path / "1.dcm")
    desk.wait_analysed()
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_Return)
    note = desk.window.panel.note
    assert not note.isVisible()
    desk.drop([tmp_path / "2.dcm"])
    desk.until(lambda: not desk.window.opening.busy)
    desk.key(Qt.Key.Key_End)
    desk.until(lambda: desk.window.reading.position.index == 1)  # type: ignore[union-attr]
    desk.until(note.isVisible)
    desk.wait_analysed()
    assert desk.rows() == ["1 opacity 0.90, to decide"]
    desk.key(Qt.Key.Key_Up)
    desk.until(lambda: desk.window.reading.position.index == 0)  # type: ignore[union-attr]
    desk.until(lambda: desk.rows() == ["1 opacity 0.90, accepted"])
    assert not note.isVisible()
    desk.key(Qt.Key.Key_B)
    desk.drag((100, 100), (140, 140))
    assert desk.verbs() == ["accept", "add"]


def test_a_quick_key_does_not_decide_on_what_is_not_on_the_screen_yet(two_images: Desk) -> None:
    desk = two_images
    desk.window.frames._cache._frames.clear()  # so that the second image has to be decoded
    desk.key(Qt.Key.Key_N)
    desk.window.actions_table["next"].trigger()
    for name in ("accept", "reject"):
        desk.window.actions_table[name].trigger()
    assert desk.verbs() == []
    desk.until(lambda: desk.window.reading.position.index == 1)  # type: ignore[union-attr]
    desk.key(Qt.Key.Key_Return)
    assert desk.verbs() == ["accept"]
    assert desk.rows()[1] == "2 nodule 0.70, accepted"


def test_undo_goes_to_the_image_that_it_changes(two_images: Desk) -> None:
    desk = two_images
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_Return)  # and over to the second image
    desk.until(lambda: desk.window.reading.position.index == 1)  # type: ignore[union-attr]
    desk.key(Qt.Key.Key_Z, CONTROL)
    desk.until(lambda: desk.window.reading.position.index == 0)  # type: ignore[union-attr]
    desk.key(Qt.Key.Key_End)
    desk.until(lambda: desk.window.reading.position.index == 1)  # type: ignore[union-attr]
    desk.key(Qt.Key.Key_Z, CONTROL | SHIFT)
    desk.until(lambda: desk.window.reading.position.index == 0)  # type: ignore[union-attr]
    assert desk.verbs() == ["accept", "undo", "redo"]


def test_findings_of_images_that_are_not_open_are_not_decided_blindly(
    two_images: Desk, make_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    two_images.window.close()
    later = make_desk()
    later.open(tmp_path / "study" / "2.dcm")
    later.wait_analysed()
    assert later.rows() == ["1 nodule 0.70, to decide"]
    later.key(Qt.Key.Key_N)
    later.key(Qt.Key.Key_Return)
    later.key(Qt.Key.Key_Return)
    assert later.verbs() == ["accept"]


def test_a_study_of_which_nothing_could_be_shown_is_not_signed(desk: Desk, tmp_path: Path) -> None:
    path = undecodable(tmp_path / "broken.dcm")
    desk.drop([path])
    desk.until(lambda: desk.window.reading.position is not None)
    desk.key(Qt.Key.Key_Return, CONTROL)
    assert "nothing to sign" in desk.window.notice.text.text()
    assert desk.verbs() == []


def test_signing_a_long_series_keeps_all_images_seen_at_once(desk: Desk, tmp_path: Path) -> None:
    make_ct_series(tmp_path / "ct", slices=30)
    desk.open(tmp_path / "ct")
    reading = desk.window.reading
    for number in range(1, 30):
        desk.key(Qt.Key.Key_Down)
        desk.until(lambda number=number: reading.position.index == number)  # type: ignore[union-attr]
    desk.key(Qt.Key.Key_Return, CONTROL)
    assert len(json.loads(desk.events()[0]["covers"])) == 30


def test_files_that_vanish_are_told_and_cost_no_decision(two_images: Desk, tmp_path: Path) -> None:
    desk = two_images
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_Return)
    desk.until(lambda: desk.window.reading.position.index == 1)  # type: ignore[union-attr]
    desk.window.frames._cache._frames.clear()
    for path in (tmp_path / "study").iterdir():
        path.unlink()
    desk.key(Qt.Key.Key_Up)
    desk.until(lambda: bool(desk.window.reading.trouble))
    assert "no such file" in desk.window.reading.trouble
    desk.key(Qt.Key.Key_X)  # nothing on the screen, nothing to decide
    assert desk.verbs() == ["accept"]


def test_a_database_that_is_taken_away_is_told_and_nothing_is_shown_as_kept(
    two_images: Desk,
) -> None:
    desk = two_images
    away = desk.home.database.with_suffix(".away")
    desk.home.database.rename(away)
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_Return)
    assert "label database" in desk.window.notice.text.text()
    assert desk.rows()[0] == "1 opacity 0.80, to decide"
    away.rename(desk.home.database)
    desk.key(Qt.Key.Key_Return)
    assert desk.verbs() == ["accept"]


def test_a_closed_study_is_gone_from_the_window_and_comes_back_as_it_was(
    desk: Desk, tmp_path: Path
) -> None:
    first, second = tmp_path / "a.dcm", tmp_path / "b.dcm"
    radiograph(first, first=11, PatientID="P-1")
    radiograph(second, first=22, PatientID="P-2")
    desk.puppet.answers[11] = [(Box(10, 10, 60, 60), 0.9, "opacity")]
    desk.open(first, second)
    go(desk, "P-1")
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_Return)
    desk.key(Qt.Key.Key_W, CONTROL)
    reading, browser = desk.window.reading, desk.window.browser.studies
    desk.until(lambda: reading.image is not None and reading.image.path == second)
    assert [study.header.patient.id for study in browser.studies()] == ["P-2"]
    assert desk.rows() == []
    desk.key(Qt.Key.Key_W, CONTROL)
    assert browser.rowCount() == 0
    assert reading.key is None
    assert desk.window.viewport.view is None
    assert desk.window.windowTitle() == "Lightbox"
    assert not desk.window.actions_table["sign"].isEnabled()
    desk.open(first)
    desk.wait_analysed()
    assert desk.rows() == ["1 opacity 0.90, accepted"]
    assert browser.rowCount() == 2  # heading and series: the other study stays closed


def test_what_looks_like_html_in_a_file_is_shown_as_it_is(desk: Desk, tmp_path: Path) -> None:
    name = "<b>x</b><img>"
    folder = tmp_path / "<i>50% & more</i>".replace("/", "")
    folder.mkdir()
    desk.puppet.answers[100] = [(Box(10, 10, 60, 60), 0.9, "opacity")]
    desk.open(radiograph(folder / "ä & ü %s.dcm", first=100, PatientName=name))
    desk.wait_analysed()
    browser = desk.window.browser.studies
    tip = str(browser.data(browser.index(0), Qt.ItemDataRole.ToolTipRole))
    assert "&lt;b&gt;x&lt;/b&gt;&lt;img&gt;" in tip
    assert name in desk.window.windowTitle()
    report = OpenReport(desk.window, [Skipped(name, "<u>no</u>")])
    assert "&lt;b&gt;" in report.table.item(0, 0).toolTip()  # type: ignore[union-attr]
    report.deleteLater()
    window = desk.window
    labels = (
        window.notice.text,
        window.panel.state.detail,
        window.panel.signature,
    )
    assert {label.textFormat() for label in labels} == {Qt.TextFormat.PlainText}
    window.status.show_reader("<b>A</b> & B")
    assert window.status.reader.text() == "Reader: <b>A</b> && B"
    desk.key(Qt.Key.Key_N)
    desk.window.deciding.change_category("a & b")
    menu = QMenu()
    desk.window.finding_menus._fill_categories(menu, "a & b")
    assert "a && b" in [action.text() for action in menu.actions()]
    menu.deleteLater()
    QApplication.processEvents()
    assert all("<b>" not in label.toolTip() for label in window.findChildren(QLabel))


def test_closing_in_the_middle_of_an_export_leaves_no_half_of_it(
    two_images: Desk, tmp_path: Path
) -> None:
    desk = two_images
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_Return)
    (tmp_path / "out").mkdir()
    header = desk.window.reading.position.study.header  # type: ignore[union-attr]
    desk.window.exchanging.export(FORMATS["coco"], tmp_path / "out" / "labels", [header], Options())
    desk.window.close()
    left = sorted((tmp_path / "out").rglob("*"))
    assert left == [] or (tmp_path / "out" / "labels" / "annotations.json") in left


def test_labels_are_imported_from_the_window_onto_the_image_on_the_screen(
    two_images: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = two_images
    file = tmp_path / "labels & more.json"
    entry = {"id": 1, "file_name": "1.dcm", "width": 200, "height": 160, "frame_number": 1}
    box = {"image_id": 1, "category_id": 1, "bbox": [100, 50, 20, 20], "area": 400, "iscrowd": 0}
    document = {
        "images": [entry | {"sop_instance_uid": desk.window.reading.image.uid}],  # type: ignore[union-attr]
        "categories": [{"id": 1, "name": "nodule"}],
        "annotations": [box | {"id": 1}],
    }
    file.write_text(json.dumps(document))

    def answer(dialog: ImportDialog) -> int:
        dialog.path.setText(str(file))
        return 1

    monkeypatch.setattr(ImportDialog, "exec", answer)
    desk.key(Qt.Key.Key_I, CONTROL)
    desk.until(lambda: "Imported" in desk.window.notice.text.text())
    assert any("nodule, accepted" in row for row in desk.rows())
    assert desk.verbs() == ["accept"]


def test_studies_picked_by_ctrl_click_are_exported_together(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3):
        desk.puppet.answers[number] = [(Box(20, 20, 60, 60), 0.9, "opacity")]
        uid = f"2.25.{number}"
        desk.open(radiograph(tmp_path / f"{number}.dcm", number, StudyInstanceUID=uid))
    browser = desk.window.browser
    rows = [n for n in range(browser.studies.rowCount()) if browser.studies.row(n).series]
    for row in rows:
        center = browser.visualRect(browser.studies.index(row)).center()
        QTest.mouseClick(browser.viewport(), Qt.MouseButton.LeftButton, pos=center)
        wanted = browser.studies.row(row).study.header.uid
        desk.until(lambda uid=wanted: desk.window.reading.position.study.header.uid == uid)  # type: ignore[misc]
        desk.wait_analysed()
        desk.key(Qt.Key.Key_N)
        desk.key(Qt.Key.Key_Return)
    assert desk.verbs() == ["accept"] * 3
    shown = desk.window.reading.position.study.header.uid  # type: ignore[union-attr]
    for number in (0, 1):
        heading = browser.studies.index(2 * number)
        center = browser.visualRect(heading).center()
        QTest.mouseClick(browser.viewport(), Qt.MouseButton.LeftButton, CONTROL, center)
    assert desk.window.reading.position.study.header.uid == shown  # type: ignore[union-attr]
    assert len(exported(desk, tmp_path / "out", monkeypatch)["images"]) == 2  # type: ignore[arg-type]
