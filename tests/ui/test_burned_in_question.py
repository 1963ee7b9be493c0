"""The question before pictures go out that may show who the patient is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QMessageBox

from detector.types import Box
from tests.dicom_factory import make_dicom
from tests.ui.test_exchange_dialogs import CONTROL, press_ok, when_open
from tests.ui.window_fixtures import Desk
from viewer.ui.exchange_dialogs import ExportDialog


@pytest.fixture
def decided(desk: Desk, tmp_path: Path) -> Desk:
    desk.puppet.answers[100] = [(Box(20, 20, 60, 60), 0.9, "opacity")]
    pixels = np.full((100, 100), 100, np.uint8)
    desk.open(make_dicom(tmp_path / "in.dcm", pixels, BurnedInAnnotation="YES"))
    desk.wait_analysed()
    desk.key(Qt.Key.Key_N)
    desk.key(Qt.Key.Key_Return)
    return desk


def ask_for_coco(folder: Path) -> Callable[[QDialog], None]:
    def answer(dialog: QDialog) -> None:
        assert isinstance(dialog, ExportDialog)
        dialog.format.setCurrentIndex(dialog.format.findData("coco"))
        dialog.folder.setText(str(folder))
        press_ok(dialog)

    return answer


def click(word: str) -> Callable[[QDialog], None]:
    def answer(dialog: QDialog) -> None:
        assert isinstance(dialog, QMessageBox)
        assert dialog.text() == "1 image may show the patient's identity in the picture."
        (button,) = (each for each in dialog.buttons() if each.text().replace("&", "") == word)
        button.click()

    return answer


def export(desk: Desk, folder: Path, word: str) -> None:
    when_open(ExportDialog, ask_for_coco(folder))
    when_open(QMessageBox, click(word))
    desk.key(Qt.Key.Key_E, CONTROL)


def test_export_them_too(decided: Desk, tmp_path: Path) -> None:
    export(decided, tmp_path, "Export them, too")
    decided.until(lambda: "Exported 1 image" in decided.window.notice.text.text())
    assert len(list(tmp_path.glob("lightbox-coco-*"))) == 1


def test_leave_them_out(decided: Desk, tmp_path: Path) -> None:
    export(decided, tmp_path, "Leave them out")
    decided.until(lambda: "None of the 1 images" in decided.window.notice.text.text())
    assert list(tmp_path.glob("lightbox-coco-*")) == []


def test_cancel_writes_nothing(decided: Desk, tmp_path: Path) -> None:
    asked: list[bool] = []

    def cancel(dialog: QDialog) -> None:
        asked.append(True)
        click("Cancel")(dialog)

    when_open(ExportDialog, ask_for_coco(tmp_path))
    when_open(QMessageBox, cancel)
    decided.key(Qt.Key.Key_E, CONTROL)
    decided.until(lambda: bool(asked) and not decided.window.exchanging.busy)
    assert list(tmp_path.glob("lightbox-coco-*")) == []
