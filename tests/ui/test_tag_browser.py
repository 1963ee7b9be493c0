"""The DICOM tags of the active viewport: found, copied, never those of another image."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from tests.ui.window_fixtures import Desk, radiograph
from viewer.dicom.tag_row import TagRow
from viewer.ui.tag_browser import TagBrowser
from viewer.ui.tag_model import TagModel, found

CONTROL = Qt.KeyboardModifier.ControlModifier

ROWS = (
    TagRow(0, "(0008,1115)", "SQ", "ReferencedSeriesSequence", "1 item"),
    TagRow(1, "", "", "Item 1", ""),
    TagRow(2, "(0020,000E)", "UI", "SeriesInstanceUID", "1.2.3"),
    TagRow(2, "(0008,1199)", "SQ", "ReferencedSOPSequence", "1 item"),
    TagRow(3, "", "", "Item 1", ""),
    TagRow(4, "(0008,1155)", "UI", "ReferencedSOPInstanceUID", "1.2.4"),
    TagRow(0, "(0010,0010)", "PN", "PatientName", "Doe^Jane"),
)


def keywords(rows: tuple[TagRow, ...]) -> list[str]:
    return [row.keyword for row in rows]


def shown(browser: TagBrowser) -> dict[str, str]:
    """Keyword and value of the elements of the data set itself."""
    model = browser.model
    rows = [model.row_of(model.index(number, 0)) for number in range(model.rowCount())]
    return {row.keyword: row.value for row in rows}


def open_tags(desk: Desk) -> TagBrowser:
    desk.key("t", CONTROL)
    browser = desk.window.tags
    assert browser.isVisible()
    desk.until(lambda: browser.model.rowCount() > 0)
    return browser


def test_a_search_keeps_what_lies_around_and_in_what_was_found() -> None:
    assert found(ROWS, "  ") == ROWS
    assert keywords(found(ROWS, "patientname")) == ["PatientName"]
    assert keywords(found(ROWS, "1.2.4")) == [
        "ReferencedSeriesSequence",
        "Item 1",
        "ReferencedSOPSequence",
        "Item 1",
        "ReferencedSOPInstanceUID",
    ]
    assert found(ROWS, "1115") == ROWS[:6], "a sequence comes with its items"
    assert found(ROWS, "00081155") == found(ROWS, "(0008,1155)") == found(ROWS, "1.2.4")
    assert keywords(found(ROWS, "jane pn")) == ["PatientName"], "every word, in any order"
    assert found(ROWS, "jane sq") == ()


def test_rows_become_a_tree(qapp: object) -> None:
    holder = QLabel()
    model = TagModel(holder)
    model.set_rows(ROWS)
    assert model.rowCount() == 2
    sequence = model.index(0, 0)
    item = model.index(0, 0, sequence)
    assert model.row_of(item).keyword == "Item 1"
    assert model.rowCount(item) == 2
    nested = model.index(1, 2, item)
    assert model.data(nested) == "ReferencedSOPSequence"
    assert model.parent(nested) == item
    assert model.parent(item) == sequence
    assert model.parent(sequence) == QModelIndex()
    assert not model.index(2, 0).isValid()
    holder.deleteLater()


def test_a_search_of_a_large_file_is_done_between_two_keys() -> None:
    rows = [TagRow(0, "(0040,A730)", "SQ", "ContentSequence", "9999 items")]
    for number in range(9999):
        rows.append(TagRow(1, "", "", f"Item {number}", ""))
        rows.append(TagRow(2, "(0040,A160)", "UT", "TextValue", f"value {number} " + "x" * 200))
    began = time.perf_counter()
    assert len(found(rows, "value 77")) > 3
    assert time.perf_counter() - began < 0.25


def test_the_tags_of_the_active_image_can_be_searched_and_copied(
    desk: Desk, tmp_path: Path
) -> None:
    desk.open(radiograph(tmp_path / "a.dcm", StationName="ROOM 3"))
    browser = open_tags(desk)
    assert shown(browser)["StationName"] == "ROOM 3"
    assert browser.search.hasFocus()
    QTest.keyClicks(browser.search, "station")
    assert shown(browser) == {"StationName": "ROOM 3"}
    browser.tree.setCurrentIndex(browser.model.index(0, 0))
    browser.tree.setFocus()
    QTest.keyClick(browser.tree, Qt.Key.Key_C, CONTROL)
    assert QGuiApplication.clipboard().text() == "ROOM 3"
    QTest.keyClicks(browser.search, "zzz")
    assert "Nothing found" in browser.words.text()


def test_the_tags_follow_the_active_viewport(desk: Desk, tmp_path: Path) -> None:
    for number in (1, 2):
        radiograph(
            tmp_path / f"{number}.dcm",
            StudyInstanceUID="1.2.3",
            SeriesInstanceUID=f"1.2.3.{number}",
            SeriesNumber=number,
        )
    desk.open(tmp_path)
    desk.key("2", CONTROL)
    _, right = desk.window.grid.in_sight
    desk.until(lambda: right.showing.position is not None)
    browser = open_tags(desk)
    assert shown(browser)["SeriesNumber"] == "1"
    assert "Series 1" in browser.windowTitle()
    QTest.mouseClick(right.viewport, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    desk.until(lambda: shown(browser).get("SeriesNumber") == "2")
    assert "Series 2" in browser.windowTitle()


def test_nothing_of_a_patient_stays_behind_a_closed_window(desk: Desk, tmp_path: Path) -> None:
    desk.open(radiograph(tmp_path / "a.dcm"))
    browser = open_tags(desk)
    browser.close()
    assert browser.model.rowCount() == 0
    assert browser._rows == ()


def test_a_plain_image_has_no_tags(desk: Desk, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((40, 40), np.uint8))
    desk.open(tmp_path / "a.png")
    assert not desk.window.actions_table["tags"].isEnabled()


def test_a_file_that_is_gone_is_said(desk: Desk, tmp_path: Path) -> None:
    file = radiograph(tmp_path / "a.dcm")
    desk.open(file)
    file.unlink()
    desk.key("t", CONTROL)
    desk.until(lambda: "no such file" in desk.window.tags.words.text())
    assert desk.window.tags.model.rowCount() == 0
