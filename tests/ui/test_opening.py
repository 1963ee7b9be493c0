"""Opening as a person does it: dropping files anywhere on the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from tests.dicom_factory import make_ct_series
from tests.ui.window_fixtures import Desk, radiograph, undecodable
from viewer.ui.dialogs import OpenReport


def write_png(path: Path, value: int = 90) -> Path:
    PillowImage.fromarray(np.full((40, 50), value, np.uint8)).save(path)
    return path


def test_a_study_dropped_on_any_part_of_the_window_opens(desk: Desk, tmp_path: Path) -> None:
    window = desk.window
    parts = [window.viewport, window.browser, window.panel, window.bar, window.status]
    for number, part in enumerate(parts):
        path = radiograph(tmp_path / f"{number}.dcm", first=number, PatientName=f"P{number}^A")
        desk.drop([path], part)
        desk.until(
            lambda path=path: (
                window.reading.image is not None
                and window.reading.image.path == path
                and not window.opening.busy
            )
        )
    assert [study.header.patient.name for study in window.browser.studies.studies()] == [
        f"P{number}, A" for number in range(len(parts))
    ]
    assert window.windowTitle().startswith("P4, A")


def test_the_hint_stays_as_long_as_files_are_held_over_the_window(
    desk: Desk, tmp_path: Path
) -> None:
    hint = desk.window.drop_target.hint
    desk.drag_over([tmp_path], desk.window.panel)
    assert hint.isVisible()
    assert hint.size() == desk.window.size()
    desk.leave()
    assert not hint.isVisible()


def test_a_folder_opens_with_its_series_and_says_what_it_left_out(
    desk: Desk, tmp_path: Path
) -> None:
    folder = tmp_path / "cd"
    make_ct_series(folder / "ct", slices=7)
    (folder / "readme.txt").write_text("hello")
    (folder / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 50)
    desk.open(folder)
    window = desk.window
    (study,) = window.browser.studies.studies()
    assert [len(series.images) for series in study.series] == [7]
    position = window.reading.position
    assert position is not None
    assert position.index == 0  # the first of the series, in whatever order the files came
    assert window.status.skipped.isVisible()
    count = len(window.opening.skipped)
    assert window.status.skipped.text().startswith(str(count))
    report = OpenReport(window, window.opening.skipped)
    report.copy()
    copied = QApplication.clipboard().text()
    assert "broken.dcm" in copied
    assert len(copied.splitlines()) == count
    report.deleteLater()


def test_nothing_readable_is_said_plainly_in_the_pictures_place(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no picture")
    shown: list[tuple[str, str]] = []
    real = desk.window.viewport.show_message
    desk.window.viewport.show_message = lambda title, detail="": (  # type: ignore[method-assign]
        shown.append((title, detail)),
        real(title, detail),
    )[1]
    desk.drop([path])
    desk.until(lambda: bool(shown) and shown[-1][0] != "Opening…")
    assert "could not be opened" in shown[-1][0]
    assert "notes.txt" in shown[-1][1]
    assert desk.window.reading.position is None


def test_the_visible_study_stays_until_the_new_one_is_decoded(desk: Desk, tmp_path: Path) -> None:
    good = radiograph(tmp_path / "good.dcm", PatientName="GOOD^A")
    broken = undecodable(tmp_path / "broken.dcm", PatientName="BROKEN^B")
    desk.open(good)
    desk.drop([broken])
    desk.until(lambda: desk.window.notice.isVisible() or desk.window.status.skipped.isVisible())
    image = desk.window.reading.image
    assert image is not None
    assert image.path == good
    assert desk.window.windowTitle().startswith("GOOD")


def test_more_files_join_the_browser_and_none_comes_twice(desk: Desk, tmp_path: Path) -> None:
    first, second = write_png(tmp_path / "a.png"), write_png(tmp_path / "b.png", 120)
    desk.open(first)
    desk.drop([second, first])
    desk.until(
        lambda: not desk.window.opening.busy and len(desk.window.browser.studies.studies()) == 2
    )
    desk.drop([first])
    desk.until(lambda: not desk.window.opening.busy)
    assert desk.window.browser.studies.rowCount() == 2


def test_a_thousand_images_make_only_the_thumbnails_in_sight(
    make_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = make_desk()
    desk.open(write_png(tmp_path / "one.png"))
    browser = desk.window.browser
    (study,) = browser.studies.studies()
    image = study.series[0].images[0]
    copies = []
    for number in range(1000):
        header = replace(study.header, uid=f"sha256:{number}", description=f"{number}.png")
        other = replace(image, uid=header.uid, study=header, path=tmp_path / f"{number}.png")
        series = replace(study.series[0], images=(other,))
        copies.append(replace(study, header=header, series=(series,)))
    asked: set[Path] = set()
    real = browser.studies._thumbnails.get
    browser.studies._thumbnails.get = lambda one: (asked.add(one.path), real(one))[1]  # type: ignore
    browser.studies.add(copies)
    desk.qtbot.wait(100)
    assert browser.studies.rowCount() == 1001
    assert 0 < len(asked) < 30
    browser.scrollToBottom()
    desk.qtbot.wait(100)
    assert tmp_path / "999.png" in asked
    assert len(asked) < 60


def test_scrolling_goes_through_the_series_and_stops_at_its_ends(
    desk: Desk, tmp_path: Path
) -> None:
    make_ct_series(tmp_path / "ct", slices=5)
    desk.open(tmp_path / "ct")
    reading = desk.window.reading
    for number in (1, 2, 3, 4, 4):
        desk.key(Qt.Key.Key_Down)
        desk.until(lambda number=number: reading.position.index == number)  # type: ignore[union-attr]
    desk.window.viewport.scroll_requested.emit(-1)
    desk.until(lambda: reading.position.index == 3)  # type: ignore[union-attr]
    assert any("Image 4/5" in line for line in desk.window.viewport._corners.bottom_right)
