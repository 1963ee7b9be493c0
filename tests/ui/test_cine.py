"""Cine over the real path of frames: speed, dropped frames, what ends it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt

from tests.dicom_factory import make_ct_series, make_dicom
from tests.ui.window_fixtures import Desk, radiograph
from viewer.dicom.model import Image
from viewer.ui.grid import GridLayout


def index_of(desk: Desk) -> int:
    position = desk.window.reading.position
    return -1 if position is None else position.index


def loop(path: Path, frames: int = 12, **elements: object) -> Path:
    pixels = np.random.default_rng(1).integers(0, 4000, (frames, 32, 32)).astype(np.uint16)
    return make_dicom(path, pixels, Modality="XA", **elements)


def played(desk: Desk, seconds: float) -> list[tuple[float, int]]:
    """When which image came on the screen."""
    came: list[tuple[float, int]] = []
    desk.window.reading.image_shown.connect(lambda: came.append((time.monotonic(), index_of(desk))))
    desk.qtbot.wait(round(1000 * seconds))
    return came


def test_it_plays_round_and_round_at_the_speed_of_the_file(desk: Desk, tmp_path: Path) -> None:
    desk.open(loop(tmp_path / "a.dcm", FrameTime="50"))
    cine = desk.window.cine
    desk.key("C")
    assert (cine.playing, cine.rate) == (True, 20.0)
    assert desk.window.actions_table["cine"].isChecked()
    played(desk, 1.0)  # the frames come in
    came = played(desk, 1.5)
    steps = [(b - a) % 12 for (_, a), (_, b) in pairwise(came)]
    assert sum(steps) == pytest.approx(30, abs=4)
    assert {index for _, index in came} == set(range(12))
    desk.key(Qt.Key.Key_Space)
    assert not cine.playing
    stopped = index_of(desk)
    desk.qtbot.wait(200)
    assert index_of(desk) == stopped


@pytest.mark.parametrize(
    ("elements", "rate"),
    [
        ({"RecommendedDisplayFrameRate": "25", "FrameTime": "100"}, 25.0),
        ({"CineRate": "12"}, 12.0),
        ({"FrameTime": "33.3"}, pytest.approx(30.03, abs=0.01)),
        ({"FrameTimeVector": [0.0] + [40.0] * 11}, 25.0),
        ({"FrameTime": "0.5"}, 15.0),  # 2,000 frames a second are none
        ({"FrameTime": "4"}, 60.0),  # no more than a screen shows
        ({}, 15.0),
    ],
)
def test_the_speed_is_what_the_file_recommends(
    desk: Desk, tmp_path: Path, elements: dict[str, object], rate: float
) -> None:
    desk.open(loop(tmp_path / "a.dcm", 3, **elements))
    desk.key("C")
    assert desk.window.cine.rate == rate


def test_the_keys_change_the_speed_and_the_picture_says_it(desk: Desk, tmp_path: Path) -> None:
    desk.open(loop(tmp_path / "a.dcm", FrameTime="50"))
    viewport, cine = desk.window.viewport, desk.window.cine
    desk.key(".")  # does nothing while nothing plays
    desk.key("C")
    assert cine.rate == 20.0
    desk.key(".")
    desk.key(".")
    assert cine.rate == 30.0
    assert viewport._shown is not None
    assert "Cine 30 frames/s" in viewport._own_text(viewport._shown)
    for _ in range(20):
        desk.key(",")
    assert cine.rate == 1.0
    desk.key("C")
    assert not any("Cine" in line for line in viewport._own_text(viewport._shown))
    desk.key("C")
    assert cine.rate == 1.0  # of this series


def test_frames_that_come_too_late_are_passed_over(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.open(loop(tmp_path / "a.dcm", 40, RecommendedDisplayFrameRate="50"))
    frames = desk.window.frames
    decode = frames._decode

    def slowly(images: Sequence[Image]) -> object:
        time.sleep(0.1 * len(images))  # ten a second; fifty are wanted
        return decode(images)

    monkeypatch.setattr(frames, "_decode", slowly)
    position = desk.window.reading.position
    assert position is not None
    frames.forget(position.series.images)  # some came ahead of time while the window opened
    start = index_of(desk)
    desk.key("C")
    came = played(desk, 2.0)
    desk.key("C")
    last, at = came[-1][1], came[-1][0]
    assert len(came) < 60
    # What is on the screen is the frame whose time it is, within what one frame takes to come.
    lag = (50 * (at - desk.window.cine._began) + start - last) % 40
    assert min(lag, 40 - lag) < 20


def test_another_series_viewport_or_study_ends_it(desk: Desk, tmp_path: Path) -> None:
    make_ct_series(tmp_path / "ct", slices=4)
    desk.open(tmp_path / "ct", radiograph(tmp_path / "a.dcm"))
    cine, window = desk.window.cine, desk.window
    studies = window.browser.studies
    if window.reading.position is not None and len(window.reading.position.series.images) == 1:
        there = studies.neighbour(1) or studies.neighbour(-1)
        assert there is not None
        window.reading.open(there)
        desk.until(lambda: len(window.reading.position.series.images) == 4)  # type: ignore[union-attr]
    desk.key("C")
    assert cine.playing
    window.hanging.choose(GridLayout.TWO)
    window.grid.activate(window.grid.in_sight[1])
    desk.until(lambda: not cine.playing)
    window.grid.activate(window.grid.in_sight[0])
    desk.key("C")
    assert cine.playing
    assert window.reading.position is not None
    window.close_study()
    desk.until(lambda: not cine.playing)


def test_one_image_does_not_play(desk: Desk, tmp_path: Path) -> None:
    desk.open(radiograph(tmp_path / "a.dcm"))
    desk.key("C")
    desk.window.cine.toggle()
    assert not desk.window.cine.playing
