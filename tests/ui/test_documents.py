"""Reports and documents in a whole window: read, leafed through, and never analysed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pydicom
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from tests.object_factory import (
    code,
    item,
    make_encapsulated_pdf,
    make_presentation_state,
    make_report,
    pdf_bytes,
    reference,
)
from tests.ui.objects_on_screen import pane, show, shown_kind, wait_for_state
from tests.ui.window_fixtures import Desk, radiograph
from viewer.dicom.model import Kind
from viewer.ui.wording import series_line, series_title

# --- reports -------------------------------------------------------------------------------------


def test_a_report_is_read_in_the_pictures_place(desk: Desk, tmp_path: Path) -> None:
    image = radiograph(tmp_path / "image.dcm")
    content = item(
        RelationshipType="CONTAINS",
        ValueType="TEXT",
        ConceptNameCodeSequence=[code("121073", "DCM", "Impression")],
        TextValue="Nodule <b>in</b> the left lung.",
        ContentSequence=[
            item(
                RelationshipType="INFERRED FROM",
                ValueType="IMAGE",
                ReferencedSOPSequence=[reference(pydicom.dcmread(image))],
            )
        ],
    )
    report = make_report(tmp_path / "report.dcm", image, [content], SeriesNumber=0)
    desk.open(image, report)
    assert shown_kind(desk) is Kind.IMAGE  # the picture comes first, whatever the series numbers

    show(desk, Kind.REPORT)
    view = pane(desk).report
    desk.until(lambda: "Impression" in view.toPlainText())
    text = view.toPlainText()
    assert "Doe, Jane" in text  # whose report it is
    assert "Impression: Nodule <b>in</b> the left lung." in text  # never taken for HTML
    assert "inferred from image 1 of series 1" in text
    assert "complete" in text
    assert "unverified" in text
    assert view.isReadOnly()
    assert desk.window.reading.key is None
    assert not desk.window.actions_table["box"].isEnabled()
    assert not desk.window.actions_table["analyse"].isEnabled()

    assert desk.window.focusWidget() is view
    view.selectAll()
    desk.key(Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier, widget=view)
    assert "Impression" in QGuiApplication.clipboard().text()
    desk.key(Qt.Key.Key_Right, widget=view)
    desk.until(lambda: shown_kind(desk) is Kind.IMAGE)
    assert desk.window.focusWidget() is desk.window.viewport


def test_a_long_report_is_scrolled_by_keys(desk: Desk, tmp_path: Path) -> None:
    image = radiograph(tmp_path / "image.dcm")
    long = [
        item(
            RelationshipType="CONTAINS",
            ValueType="TEXT",
            ConceptNameCodeSequence=[code("1", "99TEST", "Line")],
            TextValue=f"number {number}",
        )
        for number in range(200)
    ]
    desk.drop([make_report(tmp_path / "report.dcm", image, long)])
    view = pane(desk).report
    desk.until(lambda: "number 199" in view.toPlainText())
    bar = view.verticalScrollBar()
    assert bar.value() == 0
    assert bar.maximum() > 1000
    desk.key(Qt.Key.Key_Down, widget=view)
    assert bar.value() > 0
    pane(desk).refresh_appearance()  # what comes in the background does not move it
    assert bar.value() > 0


def test_a_report_alone_comes_up_by_itself(desk: Desk, tmp_path: Path) -> None:
    image = radiograph(tmp_path / "image.dcm")
    report = make_report(tmp_path / "report.dcm", image, [])
    desk.drop([report])
    desk.until(lambda: "has no content" in pane(desk).report.toPlainText())
    assert not pane(desk).report.isHidden()
    series = desk.window.reading.position.series  # type: ignore[union-attr]
    assert series_title(series) == "90 · Imaging Measurement Report"
    assert series_line(series) == "SR · 1 report"


def test_real_reports(desk: Desk, data_folder: Path) -> None:
    path = data_folder / "dicom" / "objects" / "test_SR.dcm"
    desk.drop([path])
    view = pane(desk).report
    desk.until(lambda: "Diagnosis" in view.toPlainText())
    text = view.toPlainText()
    assert "Riesmeier, Jörg" in text
    assert "Diameter: 3 cm" in text
    assert "CT Image, frames 5, 2 (not open)" in text


# --- documents -----------------------------------------------------------------------------------


def test_a_document_is_leafed_through_and_never_analysed(
    make_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = make_desk(analyse_on_opening=True)
    path = make_encapsulated_pdf(tmp_path / "letter.dcm", pdf_bytes(3), BodyPartExamined="CHEST")
    desk.drop([path])
    desk.until(lambda: desk.window.reading.loaded is not None)
    corner = desk.window.viewport._corners.bottom_right
    assert corner == ("Discharge letter", "Page 1/3")
    desk.key(Qt.Key.Key_Down)
    desk.until(lambda: desk.window.viewport._corners.bottom_right[-1] == "Page 2/3")
    table = desk.window.actions_table
    assert table["zoom_in"].isEnabled()
    assert not table["box"].isEnabled()
    assert not table["analyse"].isEnabled()
    desk.window.analysis.run()
    desk.window.reading.sessions.keep_all()
    assert desk.puppet.calls == []
    with sqlite3.connect(desk.home.database) as connection:
        (kept,) = connection.execute("SELECT count(*) FROM images").fetchone()
    connection.close()
    assert kept == 0  # nothing to export as an image


def test_a_damaged_document_is_named(desk: Desk, tmp_path: Path) -> None:
    path = make_encapsulated_pdf(tmp_path / "letter.dcm", b"%PDF-1.7 cut")
    desk.drop([path])
    desk.until(lambda: bool(desk.window.opening.skipped))
    (skipped,) = desk.window.opening.skipped
    assert skipped.reason == "The PDF document inside is damaged."


def test_closing_a_study_lets_go_of_its_objects(desk: Desk, tmp_path: Path) -> None:
    image = radiograph(tmp_path / "image.dcm")
    state = make_presentation_state(tmp_path / "state.dcm", [image])
    desk.open(image, state)
    wait_for_state(desk, "as read")
    assert desk.window.objects._contents
    desk.key("w", Qt.KeyboardModifier.ControlModifier)
    desk.until(lambda: desk.window.reading.position is None)
    assert not desk.window.objects._contents
