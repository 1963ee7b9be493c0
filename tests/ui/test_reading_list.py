"""The worklist by its keys: real files, real workers, a real database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from detector.types import Box, Detections
from tests.ui.window_fixtures import Desk, radiograph, undecodable
from viewer.dicom.model import Frame
from viewer.review.worklist import StudyStatus

CTRL = Qt.KeyboardModifier.ControlModifier


def study(folder: Path, number: int, **elements: object) -> Path:
    """A radiograph of a patient of its own, told from others by its first pixel."""
    return radiograph(
        folder / f"{number}.dcm",
        first=100 + number,
        PatientName=f"Doe^{number}",
        PatientID=f"P-{number}",
        StudyInstanceUID=f"1.2.{number}",
        SeriesInstanceUID=f"1.2.{number}.1",
        SOPInstanceUID=f"1.2.{number}.1.1",
        **elements,
    )


def table(desk: Desk) -> list[dict[str, str]]:
    """The rows as they are read on the page."""
    model = desk.window.worklist_panel.model
    titles = [str(model.headerData(n, Qt.Orientation.Horizontal)) for n in range(11)]
    return [
        {title: str(model.data(model.index(row, n))) for n, title in enumerate(titles)}
        for row in range(model.rowCount())
    ]


def show_list(desk: Desk, rows: int) -> None:
    if not desk.window.reading_list.shown:
        desk.key(Qt.Key.Key_F2)
    desk.until(lambda: len(table(desk)) == rows)


def shown_patient(desk: Desk) -> str:
    position = desk.window.reading.position
    return "" if position is None else position.study.header.patient.name


def test_what_is_dropped_is_listed_looked_at_or_not(desk: Desk, tmp_path: Path) -> None:
    desk.open(*(study(tmp_path, number) for number in range(3)))
    show_list(desk, 3)
    assert {row["Patient"] for row in table(desk)} == {"Doe, 0", "Doe, 1", "Doe, 2"}
    desk.key(Qt.Key.Key_Escape, widget=desk.window.worklist_panel.table)
    assert not desk.window.reading_list.shown


def test_the_list_is_there_after_a_restart_and_opens_studies_by_key(
    make_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    first = make_desk()
    first.open(*(study(tmp_path, number) for number in range(2)))
    show_list(first, 2)
    first.window.close()
    second = make_desk()
    show_list(second, 2)
    panel = second.window.worklist_panel
    name = table(second)[1]["Patient"]
    second.key(Qt.Key.Key_Down, widget=panel.table)
    second.key(Qt.Key.Key_Return, widget=panel.table)
    second.until(lambda: shown_patient(second) == name)
    assert not second.window.reading_list.shown


def test_triage_puts_the_likeliest_abnormal_first_and_says_why(desk: Desk, tmp_path: Path) -> None:
    box = Box(20, 20, 60, 60)
    desk.puppet.answers = {
        101: [(box, 0.62, "opacity")],
        102: [(box, 0.91, "nodule"), (Box(80, 20, 120, 60), 0.7, "opacity")],
        103: [(box, 0.2, "opacity")],  # below the model's threshold
    }
    for number in range(1, 4):
        desk.open(study(tmp_path, number))
        desk.until(lambda n=number: shown_patient(desk) == f"Doe, {n}")  # type: ignore[misc]
        desk.wait_analysed()
    desk.window.reading_list.add_paths((study(tmp_path, 4),))
    show_list(desk, 4)
    desk.until(lambda: table(desk)[0]["Patient"] == "Doe, 2")
    assert [(row["Patient"], row["Why"]) for row in table(desk)] == [
        ("Doe, 2", "nodule 0.91, 2 open candidates"),
        ("Doe, 1", "opacity 0.62, 1 open candidate"),
        ("Doe, 4", "not analysed yet"),
        ("Doe, 3", "nothing at the model's threshold"),
    ]
    assert [row["Status"] for row in table(desk)] == ["analysed", "analysed", "new", "analysed"]


def test_u_goes_from_one_unread_study_to_the_next(desk: Desk, tmp_path: Path) -> None:
    for number in range(3):
        study(tmp_path, number)
    desk.window.reading_list.add_paths((tmp_path,))
    desk.until(lambda: not desk.window._jobs.busy("listing"))
    desk.key("U")
    desk.until(lambda: desk.window.reading.key is not None)
    seen = [shown_patient(desk)]
    for _ in range(2):
        desk.wait_analysed()
        desk.window.reviewing.sign()
        desk.key("U")
        desk.until(lambda: shown_patient(desk) not in seen)
        seen.append(shown_patient(desk))
    assert sorted(seen) == ["Doe, 0", "Doe, 1", "Doe, 2"]
    desk.wait_analysed()
    desk.window.reviewing.sign()
    desk.key("U")
    desk.until(lambda: "Nothing unread" in desk.window.notice.text.text())
    show_list(desk, 3)
    desk.until(lambda: {row["Status"] for row in table(desk)} == {"signed"})


def test_the_next_study_is_ready_before_u_is_pressed(desk: Desk, tmp_path: Path) -> None:
    for number in range(3):
        study(tmp_path, number)
    window = desk.window
    window.reading_list.add_paths((tmp_path,))
    desk.until(lambda: not window._jobs.busy("listing"))
    desk.key("U")
    desk.until(lambda: window.reading.key is not None)
    # The two that follow are analysed although nobody has opened them.
    desk.until(lambda: sorted(desk.puppet.calls) == [100, 101, 102])
    desk.until(lambda: not window.analysis.busy)
    desk.key("U")
    desk.until(lambda: shown_patient(desk) != "Doe, 0" and window.reading.key is not None)
    desk.wait_analysed()
    assert sorted(desk.puppet.calls) == [100, 101, 102]
    # Nobody has seen what was only prepared: no signature may cover it.
    window.reviewing.sign()
    with_signature = [event for event in desk.events() if event["verb"] == "sign"]
    assert len(with_signature) == 1


def test_a_prepared_image_never_goes_before_the_readers_own(desk: Desk, tmp_path: Path) -> None:
    for number in range(4):
        study(tmp_path, number)
    window = desk.window
    window.reading_list.add_paths((tmp_path,))
    desk.until(lambda: not window._jobs.busy("listing"))
    desk.puppet.gate.clear()
    desk.key("U")
    desk.until(lambda: len(desk.puppet.calls) == 1)
    desk.until(lambda: len(window.analysis._ahead) == 2)  # they wait
    own = study(tmp_path / "..", 9)
    desk.open(own)
    desk.until(lambda: shown_patient(desk) == "Doe, 9")
    desk.puppet.gate.set()
    desk.until(lambda: len(desk.puppet.calls) >= 2)
    assert desk.puppet.calls[1] == 109


def test_a_file_that_is_gone_is_a_sentence_and_its_row_says_so(desk: Desk, tmp_path: Path) -> None:
    files = [study(tmp_path, number) for number in range(2)]
    desk.window.reading_list.add_paths((tmp_path,))
    show_list(desk, 2)
    files[0].unlink()
    panel = desk.window.worklist_panel
    number = next(n for n, row in enumerate(table(desk)) if row["Patient"] == "Doe, 0")
    panel.table.selectRow(number)
    desk.key(Qt.Key.Key_Return, widget=panel.table)
    desk.until(lambda: any(row["Status"] == "failed" for row in table(desk)))
    failed = next(row for row in table(desk) if row["Status"] == "failed")
    assert failed["Patient"] == "Doe, 0"
    assert "no such file" in failed["Why"]
    assert "Doe, 0 could not be opened" in desk.window.notice.text.text()
    desk.key("U")  # which passes it over
    desk.until(lambda: shown_patient(desk) == "Doe, 1")
    study(tmp_path, 0)  # it is back: opening it clears the failure
    desk.open(files[0])
    desk.until(lambda: shown_patient(desk) == "Doe, 0")
    show_list(desk, 2)
    desk.until(lambda: all(row["Status"] != "failed" for row in table(desk)))


def test_removing_a_row_keeps_its_decisions(desk: Desk, tmp_path: Path) -> None:
    desk.puppet.answers = {101: [(Box(20, 20, 60, 60), 0.9, "opacity")]}
    desk.open(study(tmp_path, 1))
    desk.wait_analysed()
    desk.key(Qt.Key.Key_Return)
    desk.key(Qt.Key.Key_Return)
    desk.until(lambda: desk.verbs() == ["accept"])
    show_list(desk, 1)
    desk.key(Qt.Key.Key_Delete, widget=desk.window.worklist_panel.table)
    desk.until(lambda: table(desk) == [])
    assert desk.verbs() == ["accept"]
    desk.window.open_paths([tmp_path / "1.dcm"])
    desk.until(lambda: not desk.window.reading_list.shown or len(table(desk)) == 1)
    show_list(desk, 1)
    assert table(desk)[0]["Status"] == "in review"


def test_words_status_modality_and_date_filter_the_list(desk: Desk, tmp_path: Path) -> None:
    study(tmp_path, 1, StudyDate="20240101", Modality="CR")
    study(tmp_path, 2, StudyDate="20250601")
    study(tmp_path, 3, StudyDate="20260101", StudyDescription="Thorax")
    desk.window.reading_list.add_paths((tmp_path,))
    show_list(desk, 3)
    panel = desk.window.worklist_panel
    QTest.keyClicks(panel.text, "doe thor")
    desk.until(lambda: [row["Patient"] for row in table(desk)] == ["Doe, 3"])
    panel.text.clear()
    QTest.keyClicks(panel.date_from, "2025-06")
    desk.until(lambda: len(table(desk)) == 2)
    panel.date_from.clear()
    desk.until(lambda: len(table(desk)) == 3)
    panel.modality.setCurrentText("CR")
    panel.modality.activated.emit(panel.modality.currentIndex())
    desk.until(lambda: [row["Patient"] for row in table(desk)] == ["Doe, 1"])
    panel.status.setCurrentIndex(panel.status.findData(StudyStatus.NEW))
    panel.status.activated.emit(panel.status.currentIndex())
    desk.until(lambda: [row["Patient"] for row in table(desk)] == ["Doe, 1"])
    panel.status.setCurrentIndex(panel.status.findData(StudyStatus.SIGNED))
    panel.status.activated.emit(panel.status.currentIndex())
    desk.until(lambda: table(desk) == [])
    assert panel.empty.text() == "No study passes the filter."


def test_a_header_sorts_and_a_second_click_turns_the_order(desk: Desk, tmp_path: Path) -> None:
    for number in (2, 1, 3):
        study(tmp_path, number)
    desk.window.reading_list.add_paths((tmp_path,))
    show_list(desk, 3)
    header = desk.window.worklist_panel.table.horizontalHeader()
    header.sectionClicked.emit(1)
    desk.until(lambda: [row["Patient"][-1] for row in table(desk)] == ["1", "2", "3"])
    header.sectionClicked.emit(1)
    desk.until(lambda: [row["Patient"][-1] for row in table(desk)] == ["3", "2", "1"])


def test_blind_reading_shows_nothing_of_the_detector_in_the_list(
    make_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = make_desk(reading_mode="blind")
    box = Box(20, 20, 60, 60)
    desk.puppet.answers = {101: [(box, 0.2, "opacity")], 102: [(box, 0.97, "nodule")]}
    for number in (1, 2):
        desk.open(study(tmp_path, number))
        desk.until(lambda n=number: shown_patient(desk) == f"Doe, {n}")  # type: ignore[misc]
        desk.until(lambda: len(desk.puppet.calls) >= 1 and not desk.window.analysis.busy)
    desk.until(lambda: len(desk.puppet.calls) == 2 and not desk.window.analysis.busy)
    show_list(desk, 2)
    desk.until(lambda: all(row["Status"] == "analysed" for row in table(desk)))
    text = " ".join(" ".join(row.values()) for row in table(desk))
    assert "0.97" not in text
    assert "nodule" not in text
    assert "candidate" not in text
    # Neither does the order say it: triage leaves them as they were added.
    assert [row["Patient"] for row in table(desk)] == ["Doe, 1", "Doe, 2"]


@pytest.mark.parametrize("whole", [False, True])
def test_a_watched_folder_takes_in_files_once_they_are_written(
    desk: Desk, tmp_path: Path, whole: bool
) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    window = desk.window
    window.watched.watch(str(folder))
    show_list(desk, 0)
    content = study(tmp_path, 1).read_bytes()
    file = folder / "1.dcm"
    file.write_bytes(content[: len(content) // 2])
    window.watched.look()
    desk.until(lambda: not window._jobs.busy("watch"))
    file.write_bytes(content)  # it has grown since: not before the next look
    window.watched.look()
    desk.until(lambda: not window._jobs.busy("watch"))
    assert table(desk) == []
    if whole:
        window.watched.look()
        desk.until(lambda: len(table(desk)) == 1)
        window.watched.look()
        desk.until(lambda: not window._jobs.busy("watch"))
        assert len(table(desk)) == 1


def test_a_watched_folder_that_is_not_there_is_said_once(desk: Desk, tmp_path: Path) -> None:
    window = desk.window
    window.watched.watch(str(tmp_path / "gone"))
    window.watched.look()
    desk.until(lambda: "cannot be read" in window.notice.text.text())
    window.notice.hide()
    window.watched.look()
    desk.until(lambda: not window._jobs.busy("watch"))
    assert window.notice.isHidden()


def test_a_batch_analyses_the_list_and_one_bad_file_costs_that_study_only(
    desk: Desk, tmp_path: Path
) -> None:
    folder = tmp_path / "list"
    folder.mkdir()
    for number in range(1, 4):
        study(folder, number)
    undecodable(
        folder / "bad.dcm", PatientName="Doe^Bad", StudyInstanceUID="1.9", SOPInstanceUID="1.9.1"
    )
    study(folder, 5, Modality="US")
    window = desk.window
    calls: list[int] = []

    def detect(frame: Frame, *rest: Any) -> Detections:
        calls.append(int(frame.values.flat[0]))
        return desk.puppet.detect(frame, *rest)

    object.__setattr__(window.batching._engine, "detect", detect)
    desk.puppet.answers = {103: [(Box(20, 20, 60, 60), 0.8, "opacity")]}
    window.reading_list.add_paths((folder,))
    show_list(desk, 5)
    window.worklist_panel.analyse.click()
    desk.until(lambda: "Analysed" in window.worklist_panel.doing.text())
    assert "Analysed 3 images in 5 studies. Not for this model: 1. Failed: 1" in (
        window.worklist_panel.doing.text()
    )
    desk.until(lambda: table(desk)[0]["Why"] == "opacity 0.80, 1 open candidate")
    by_name = {row["Patient"]: row for row in table(desk)}
    assert by_name["Doe, Bad"]["Status"] == "failed"
    assert by_name["Doe, 5"]["Status"] == "new"
    assert "not modality US" in by_name["Doe, 5"]["Why"]
    assert sorted(calls) == [101, 102, 103]
    window.worklist_panel.analyse.click()  # only what failed is tried again
    desk.until(lambda: "in 1 study" in window.worklist_panel.doing.text())
    assert sorted(calls) == [101, 102, 103]


def test_a_batch_can_be_cancelled_and_keeps_what_it_has(desk: Desk, tmp_path: Path) -> None:
    for number in range(1, 4):
        study(tmp_path, number)
    window = desk.window
    object.__setattr__(window.batching._engine, "detect", desk.puppet.detect)
    window.reading_list.add_paths((tmp_path,))
    show_list(desk, 3)
    desk.puppet.gate.clear()
    window.worklist_panel.analyse.click()
    desk.until(lambda: len(desk.puppet.calls) == 1)
    window.worklist_panel.stop.click()
    desk.puppet.gate.set()
    desk.until(lambda: "Stopped." in window.worklist_panel.doing.text())
    assert not window.batching.busy
