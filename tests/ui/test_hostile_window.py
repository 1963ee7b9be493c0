"""All the hostile files at once on the real window: it stays, and so does the study beside them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer

from tests.dicom_factory import make_ct_series
from tests.hostile import containers, headers, pictures, streams
from tests.hostile.cases import CASES, Refused
from tests.ui.window_fixtures import Desk
from viewer.ui.frames import LANES
from viewer.ui.position import Position

pytestmark = pytest.mark.skipif(os.name == "nt", reason="files that Windows does not have")

SOURCES = (headers, streams, containers, pictures)
SLICES = 12
LONGEST_STALL_S = 2.0  # on a busy machine; the bench measures it


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    folder = tmp_path / "disc"
    assert {case.make.__module__ for case in CASES} == {source.__name__ for source in SOURCES}
    for case in CASES:
        place = folder / case.name
        place.mkdir(parents=True)
        case.make(place)
    make_ct_series(folder / "m_good", slices=SLICES, PatientName="Good^Gwen", PatientID="G-1")
    return folder


def test_the_window_survives_all_of_them(desk: Desk, everything: Path) -> None:
    window = desk.window
    late = [0.0]
    last = [time.monotonic()]

    def tick() -> None:
        now = time.monotonic()
        late[0] = max(late[0], now - last[0])
        last[0] = now

    timer = QTimer(window, interval=10)
    timer.timeout.connect(tick)
    timer.start()
    desk.drop([everything])
    desk.qtbot.waitUntil(lambda: not window.opening.busy, timeout=100_000)
    timer.stop()
    assert late[0] < LONGEST_STALL_S

    studies = {study.header.patient.id: study for study in window.browser.studies.studies()}
    good = studies["G-1"]
    assert len(good.series[0].images) == SLICES
    named = "\n".join(item.path for item in window.opening.skipped)
    for case in CASES:
        if isinstance(case.outcome, Refused):
            assert f"{os.sep}{case.name}{os.sep}" in named or f"{case.name}\n" in named, case.name
    for study in studies.values():
        for series in study.series[:3]:
            for index in (0, len(series.images) - 1):
                here = Position(study, series, index)
                window.reading.open(here)
                desk.qtbot.waitUntil(lambda: is_quiet(desk), timeout=60_000)
    window.reading.open(Position(good, good.series[0], 0))
    desk.until(lambda: window.reading.image == good.series[0].images[0])
    assert window.reading.loaded is not None
    assert "unexpected" not in window.notice.text.text()


def is_quiet(desk: Desk) -> bool:
    return not any(desk.window._jobs.busy(lane) for lane in LANES)
