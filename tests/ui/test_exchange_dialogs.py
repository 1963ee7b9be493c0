"""Labels out and in from the window, through the dialogs themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QDialogButtonBox

from detector.types import Box
from tests.ui.window_fixtures import Desk, radiograph
from viewer.errors import ExchangeError
from viewer.exchange.formats import FORMATS
from viewer.exchange.options import Options, Pictures, Split
from viewer.review.store import Store
from viewer.settings import Settings
from viewer.ui.exchange_dialogs import ExportDialog, ImportDialog

CONTROL = Qt.KeyboardModifier.ControlModifier
OK = QDialogButtonBox.StandardButton.Ok


def when_open(kind: type[QDialog], do: Callable[[QDialog], None]) -> None:
    """Do something with a dialog as soon as it is on the screen."""

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, kind):
            do(dialog)
        else:
            QTimer.singleShot(20, look)

    QTimer.singleShot(20, look)


def press_ok(dialog: ExportDialog | ImportDialog) -> None:
    QTest.mouseClick(dialog.buttons.button(OK), Qt.MouseButton.LeftButton)


@pytest.fixture
def decided(desk: Desk, tmp_path: Path) -> Desk:
    desk.puppet.answers[100] = [(Box(20, 20, 60, 60), 0.9, "opacity")]
    desk.open(radiograph(tmp_path / "in.dcm", 100))
    desk.wait_analysed()
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_Return)
    return desk


def test_an_export_of_the_study_as_yolo_and_back(decided: Desk, tmp_path: Path) -> None:
    desk = decided

    def answer(dialog: QDialog) -> None:
        assert isinstance(dialog, ExportDialog)
        assert dialog.what.currentText() == "this study"
        dialog.format.setCurrentIndex(dialog.format.findData("yolo"))
        assert dialog.about.text() == FORMATS["yolo"].writes
        dialog.split.setCurrentText("80/20")
        dialog.folder.setText(str(tmp_path))
        press_ok(dialog)

    when_open(ExportDialog, answer)
    desk.key(Qt.Key.Key_E, CONTROL)
    desk.until(lambda: "Exported 1 image, 1 finding" in desk.window.notice.text.text())
    assert "Divided by patient: train" in desk.window.notice.text.text()
    (out,) = tmp_path.glob("lightbox-yolo-*")
    assert (out / "data.yaml").is_file()

    def again(dialog: QDialog) -> None:
        """The last answers are there."""
        assert isinstance(dialog, ExportDialog)
        assert dialog.row.name == "yolo"
        assert dialog.split.currentText() == "80/20"
        assert dialog.folder.text() == str(tmp_path)
        assert dialog.what.currentText() == "everything that was reviewed"
        dialog.reject()

    when_open(ExportDialog, again)
    desk.window.actions_table["export_all"].trigger()
    assert len(list(tmp_path.glob("lightbox-*"))) == 1

    def take(dialog: QDialog) -> None:
        assert isinstance(dialog, ImportDialog)
        assert not dialog.buttons.button(OK).isEnabled()
        dialog.path.setText(str(out))
        dialog.format.setCurrentIndex(dialog.format.findData("yolo"))
        press_ok(dialog)

    when_open(ImportDialog, take)
    desk.window.actions_table["import"].trigger()
    desk.until(lambda: "Imported" in desk.window.notice.text.text())
    assert "0 candidates, 0 findings" in desk.window.notice.text.text()  # they came from here


def test_an_import_shows_what_is_wrong_and_changes_nothing(
    decided: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "BBox_List_2017.csv"
    file.write_text("Image Index,Finding Label,Bbox [x,y,w,h],,,\nin.dcm,opacity,1,2,x,4,,,\n")

    def take(dialog: QDialog) -> None:
        assert isinstance(dialog, ImportDialog)
        dialog.path.setText(str(file))
        dialog.format.setCurrentIndex(dialog.format.findData("csv"))
        press_ok(dialog)

    before = decided.verbs()
    when_open(ImportDialog, take)
    decided.key(Qt.Key.Key_I, CONTROL)
    decided.until(decided.window.notice.isVisible)
    assert "BBox_List_2017.csv, line 2 is wrong: 'x' is no number" in (
        decided.window.notice.text.text()
    )
    assert decided.verbs() == before


class TestFields:
    @pytest.fixture
    def settings(self, tmp_path: Path) -> Settings:
        settings = Settings.load(tmp_path / "settings.json")
        settings.change(reader_name="Dr. Own", export_folder=str(tmp_path))
        return settings

    @pytest.fixture
    def dialog(self, decided: Desk, settings: Settings) -> ExportDialog:
        return ExportDialog(decided.window, settings, 3, everything=False)

    def test_what_cannot_be_done_is_said_and_cannot_be_pressed(self, dialog: ExportDialog) -> None:
        assert dialog.buttons.button(OK).isEnabled()
        assert dialog.what.itemText(0) == "the 3 studies that are picked"
        for split in ("80/30", "a/b", "1", "-1/2"):
            dialog.split.setCurrentText(split)
            assert not dialog.buttons.button(OK).isEnabled()
            assert "split" in dialog.problem.text()
        dialog.split.setCurrentText("none")
        dialog.folder.setText("/nowhere/at/all")
        assert dialog.problem.text() == "There is no folder /nowhere/at/all."
        with pytest.raises(ExchangeError):
            dialog.choice()

    def test_the_answers_become_options(self, dialog: ExportDialog) -> None:
        assert dialog.choice().options == Options(None, Pictures.PNG16, None)
        dialog.whose.setCurrentIndex(1)
        assert "Dr. Own" in dialog.whose.currentText()
        dialog.pictures.setCurrentIndex(1)
        dialog.split.setCurrentText("0.7/0.2/0.1")
        assert dialog.choice().options == Options("Dr. Own", Pictures.PNG8, Split.of("70/20/10"))

    def test_each_format_offers_the_pictures_that_it_has(self, dialog: ExportDialog) -> None:
        assert not dialog.choice().options.identity
        for number in range(dialog.format.count()):
            dialog.format.setCurrentIndex(number)
            row = dialog.row
            offered = [dialog.pictures.itemData(n) for n in range(dialog.pictures.count())]
            assert offered == list(row.pictures)
            assert dialog.form.isRowVisible(dialog.split) == row.splits
            assert dialog.form.isRowVisible(dialog.identity) == row.identity
            dialog.identity.setCurrentIndex(1)
            assert dialog.choice().options.identity == row.identity


def test_labels_of_another_reader_go_into_that_readers_log(
    decided: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(decided.home.database) as store:
        (uid,) = store.study_uids()
        image = store.load(uid).images[0].image
    file = tmp_path / "labels.json"
    entry = {"id": 1, "width": image.columns, "height": image.rows, "sop_instance_uid": image.uid}
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [20, 20, 40, 40]}
    document = {
        "images": [entry],
        "categories": [{"id": 1, "name": "opacity"}],
        "annotations": [box | {"reader": "Dr. Other"}],
    }
    file.write_text(json.dumps(document))

    def take(dialog: QDialog) -> None:
        assert isinstance(dialog, ImportDialog)
        dialog.path.setText(str(file))
        press_ok(dialog)

    when_open(ImportDialog, take)
    decided.key(Qt.Key.Key_I, CONTROL)
    decided.until(lambda: "Imported" in decided.window.notice.text.text())
    assert "of Dr. Other" in decided.window.notice.text.text()
    with Store.open(decided.home.database) as store:
        events = store.load(uid).events
    # The same box as the reader's own accepted one: it counts all the same, in the other log.
    assert [event.reader for event in events] == ["Dr Test", "Dr. Other"]
