"""Frames in several lanes: what is wanted first, the rest of the series after it, once each."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from viewer.dicom.model import Frame, Image, Patient, SeriesHeader, StudyHeader, VoiWindow
from viewer.dicom.pixel_hash import hash_pixels
from viewer.errors import InputError, ViewerError
from viewer.ui import frames as frames_module
from viewer.ui.frames import LANES, Frames, Loaded
from viewer.ui.jobs import Jobs


def make_images(count: int, rows: int = 8, columns: int = 8) -> tuple[Image, ...]:
    first = Image(
        path=Path("0"),
        member="",
        uid="1",
        frame_number=1,
        number_of_frames=1,
        rows=rows,
        columns=columns,
        samples_per_pixel=1,
        photometric_interpretation="MONOCHROME2",
        study=StudyHeader("1", Patient()),
        series=SeriesHeader("1.1"),
    )
    return tuple(replace(first, path=Path(str(n)), uid=f"1.{n}") for n in range(count))


class Decoder:
    """Stands where the pool of children stands: counts, and waits while it is held."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.lots: list[list[str]] = []  # what was asked for together
        self.leaves_hash = False
        self.at_once = self.most_at_once = 0
        self.gate = threading.Event()
        self.gate.set()
        self.broken: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, images: Sequence[Image]) -> list[Frame | ViewerError]:
        with self._lock:
            self.lots.append([image.path.name for image in images])
            self.asked += self.lots[-1]
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.gate.wait(10)
        with self._lock:
            self.at_once -= 1
        return list(map(self._frame, images))

    def _frame(self, image: Image) -> Frame | ViewerError:
        if image.path.name in self.broken:
            return InputError("The picture cannot be decoded.")
        values = np.full((image.rows, image.columns), int(image.path.name), np.uint16)
        pixel_sha256 = "" if self.leaves_hash else image.uid
        return Frame(values, pixel_sha256, "", (VoiWindow(1, 2),), False)


class Room:
    """Frames over a decoder, and what they told."""

    def __init__(self, qtbot: QtBot) -> None:
        self.decoder = Decoder()
        self.jobs = Jobs()
        for lane in LANES:
            self.jobs.add_slot(lane)
        self.frames = Frames(self.jobs, self.decoder, self.jobs)
        self.arrived: list[str] = []
        self.frames.loaded.connect(lambda image, _: self.arrived.append(image.path.name))
        self._qtbot = qtbot

    def until_quiet(self) -> None:
        self._qtbot.waitUntil(
            lambda: not any(self.jobs.busy(lane) for lane in LANES), timeout=10_000
        )


@pytest.fixture
def room(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    room = Room(qtbot)
    yield room
    room.decoder.gate.set()
    room.jobs.close()


def frame_of(room: Room, image: Image) -> Frame:
    (frame,) = room.decoder((image,))
    assert isinstance(frame, Frame)
    return frame


needs_lanes = pytest.mark.skipif(len(LANES) < 2, reason="one processor has one lane")


def test_the_whole_series_comes_each_frame_once_the_wanted_one_first(room: Room) -> None:
    images = make_images(40)
    room.frames.want("viewport", images[7], images[8:] + images[:7])
    room.until_quiet()
    assert "7" in room.decoder.asked[: len(LANES)]
    assert Counter(room.arrived) == Counter(str(n) for n in range(40))
    assert len(room.decoder.asked) == 40
    assert all(room.frames.get(image) is not None for image in images)


@needs_lanes
def test_several_frames_are_decoded_at_once(room: Room) -> None:
    images = make_images(12)
    room.decoder.gate.clear()
    room.frames.want("viewport", images[0], images[1:])
    assert room._qtbot is not None
    room._qtbot.waitUntil(lambda: room.decoder.at_once == len(LANES), timeout=5_000)
    room.decoder.gate.set()
    room.until_quiet()
    assert room.decoder.most_at_once == len(LANES)


@needs_lanes
def test_large_frames_ahead_leave_a_lane_for_what_is_wanted(room: Room) -> None:
    images = make_images(6, 2500, 2000)
    room.decoder.gate.clear()
    room.frames.want("viewport", images[0], images[1:])
    room._qtbot.wait(200)
    assert room.decoder.asked == ["0"]
    room.frames.want("viewport", images[5], ())
    room._qtbot.waitUntil(lambda: room.decoder.asked == ["0", "5"], timeout=5_000)


def test_what_is_wanted_goes_before_what_may_be_wanted(room: Room) -> None:
    images = make_images(30)
    room.decoder.gate.clear()
    room.frames.want("viewport", images[0], images[1:])
    room._qtbot.waitUntil(lambda: len(room.decoder.asked) == len(LANES), timeout=5_000)
    room.frames.want("viewport", images[29], images[1:29])
    room.decoder.gate.set()
    room.until_quiet()
    assert ["29"] in room.decoder.lots[len(LANES) : 2 * len(LANES)]


def test_fetching_ahead_ends_where_the_memory_does(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = make_images(50)
    monkeypatch.setattr(frames_module, "CACHE_BYTES", 10 * 8 * 8 * 4)
    room.frames._cache._limit = 10 * 8 * 8 * 4
    for step in range(3):
        room.frames.want("viewport", images[step], images[step + 1 :])
        room.until_quiet()
    assert len(room.decoder.asked) <= 14  # 11, and one more for each step
    assert len(room.decoder.asked) == len(set(room.decoder.asked))


def test_a_frame_that_cannot_be_decoded_is_told_once_and_not_tried_ahead_again(
    room: Room,
) -> None:
    images = make_images(5)
    room.decoder.broken = {"2"}
    told: list[str] = []
    room.frames.failed.connect(lambda image, _: told.append(image.path.name))
    room.frames.want("viewport", images[0], images[1:])
    room.until_quiet()
    assert told == []
    room.frames.want("viewport", images[2], images[:2])
    room.until_quiet()
    assert told == ["2"]
    assert room.decoder.asked.count("2") == 2
    assert sorted(room.arrived) == ["0", "1", "3", "4"]


def test_what_is_forgotten_takes_no_memory_and_is_not_brought(room: Room) -> None:
    images = make_images(20)
    others = make_images(22)[20:]
    room.frames.keep(others[0], Loaded(frame_of(room, others[0]), None))
    room.decoder.gate.clear()
    room.frames.want("viewport", images[0], images[1:])
    room._qtbot.waitUntil(lambda: room.decoder.at_once == len(LANES), timeout=5_000)
    room.frames.forget(images)
    room.decoder.gate.set()
    room.until_quiet()
    assert room.arrived == []
    assert room.frames._cache.bytes == 8 * 8 * 2  # of the other one
    assert len(room.decoder.asked) == 1 + len(LANES)
    room.frames.want("viewport", images[0], ())  # and it can be opened again
    room.until_quiet()
    assert room.arrived == ["0"]


# --- lots, and hashes that come later ------------------------------------------------------------


def test_small_frames_are_fetched_ahead_in_lots_and_the_wanted_one_alone(room: Room) -> None:
    images = make_images(100)
    room.frames.want("viewport", images[0], images[1:])
    room.until_quiet()
    assert ["0"] in room.decoder.lots[: len(LANES)]
    assert max(map(len, room.decoder.lots)) > 10
    assert Counter(room.arrived) == Counter(str(n) for n in range(100))


def test_a_lot_takes_no_longer_than_what_is_wanted_may_wait(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = room.decoder._frame

    def slowly(image: Image) -> Frame | ViewerError:
        time.sleep(0.015)
        return frame(image)

    monkeypatch.setattr(room.decoder, "_frame", slowly)
    images = make_images(20)
    room.frames.want("viewport", images[0], images[1:])
    room.until_quiet()
    assert max(map(len, room.decoder.lots)) <= 2
    assert len(room.arrived) == 20


def test_one_broken_frame_of_a_lot_leaves_the_others(room: Room) -> None:
    images = make_images(60)
    room.decoder.broken = {"31"}
    room.frames.want("viewport", images[0], images[1:])
    room.until_quiet()
    assert max(map(len, room.decoder.lots)) > 1
    assert sorted(map(int, room.arrived)) == [n for n in range(60) if n != 31]


def test_a_small_frame_gets_its_hash_when_it_is_shown(room: Room) -> None:
    room.decoder.leaves_hash = True
    images = make_images(3)
    room.frames.want("viewport", images[0], images[1:])
    room.until_quiet()
    loaded = room.frames.get(images[1])
    assert loaded is not None
    assert loaded.frame.pixel_sha256 == ""
    known = room.frames.hashed(images[1], loaded)
    assert known.frame.pixel_sha256 == hash_pixels(loaded.frame.values)
    assert known.frame.values is loaded.frame.values
    assert room.frames.get(images[1]) is known
    assert room.frames.hashed(images[1], known) is known


def test_a_large_picture_does_not_wait_for_its_hash(room: Room) -> None:
    room.decoder.leaves_hash = True
    came: list[Loaded] = []
    room.frames.loaded.connect(lambda _, loaded: came.append(loaded))
    (image,) = make_images(1, 1500, 1000)
    room.frames.want("viewport", image)
    room.until_quiet()
    first, last = came
    assert first.frame.pixel_sha256 == ""
    assert last.frame.pixel_sha256 == hash_pixels(first.frame.values)
    assert last.frame.values is first.frame.values
    assert room.frames.get(image) is last


def test_large_frames_ahead_come_once_with_their_hash(room: Room) -> None:
    room.decoder.leaves_hash = True
    images = make_images(4, 1500, 1000)
    room.frames.want("viewport", images[0], images[1:])
    room.until_quiet()
    assert Counter(room.arrived) == {"0": 2, "1": 1, "2": 1, "3": 1}
    for image in images:
        loaded = room.frames.get(image)
        assert loaded is not None
        assert loaded.frame.pixel_sha256 == hash_pixels(loaded.frame.values)


def test_a_hash_that_cannot_be_made_is_told(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_frame: Frame) -> Frame:
        raise InputError("There is not enough memory for this image.")

    monkeypatch.setattr(frames_module, "with_hash", fail)
    room.decoder.leaves_hash = True
    told: list[str] = []
    room.frames.failed.connect(lambda _, sentence: told.append(sentence))
    (image,) = make_images(1, 1500, 1000)
    room.frames.want("viewport", image)
    room.until_quiet()
    assert room.arrived == ["0"]
    assert told == ["There is not enough memory for this image."]
    assert room.frames.get(image) is None
