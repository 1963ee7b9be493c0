"""A large picture comes before its hash: seen at once, decided on a moment later."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt

from detector.types import Box
from tests.dicom_factory import make_dicom
from tests.ui.window_fixtures import Desk
from viewer.dicom.model import Frame
from viewer.dicom.pixel_hash import hash_pixels, with_hash
from viewer.errors import InputError
from viewer.ui import frames as frames_module

PIXELS = np.random.default_rng(4).integers(0, 4096, (1200, 1000)).astype(np.uint16)


class SlowHash:
    """Makes hashes when the test says so."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.failure: InputError | None = None

    def __call__(self, frame: Frame) -> Frame:
        assert threading.current_thread() is not threading.main_thread()
        self.gate.wait(20)
        if self.failure is not None:
            raise self.failure
        return with_hash(frame)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> SlowHash:
    slow = SlowHash()
    monkeypatch.setattr(frames_module, "with_hash", slow)
    return slow


def drop_radiograph(desk: Desk, path: Path) -> None:
    desk.drop([make_dicom(path, PIXELS, WindowCenter=2048, WindowWidth=4096)])
    desk.until(lambda: desk.window.reading.loaded is not None)


def test_the_picture_is_there_before_its_hash_and_nothing_is_decided_until_then(
    desk: Desk, slow: SlowHash, tmp_path: Path
) -> None:
    window = desk.window
    desk.puppet.answers[int(PIXELS[0, 0])] = [(Box(100, 100, 300, 300), 0.9, "opacity")]
    drop_radiograph(desk, tmp_path / "a.dcm")
    assert window.reading.key is None
    assert window.reading.loaded is not None
    np.testing.assert_array_equal(window.reading.loaded.frame.values, PIXELS)
    assert window.viewport.voi is not None, "the picture is painted"
    desk.key("b")
    window.deciding.add(Box(10, 10, 50, 50))
    assert desk.puppet.calls == []
    assert window.deciding.listed() == ()

    slow.gate.set()
    desk.wait_analysed()
    key = window.reading.key
    assert key is not None
    assert key.pixel_sha256 == hash_pixels(PIXELS)
    (found,) = window.deciding.listed()
    assert found.image == key
    desk.key(Qt.Key.Key_Escape)


def test_a_picture_without_a_hash_does_not_stay(desk: Desk, slow: SlowHash, tmp_path: Path) -> None:
    slow.failure = InputError("There is not enough memory for this image.")
    drop_radiograph(desk, tmp_path / "a.dcm")
    slow.gate.set()
    desk.until(lambda: desk.window.reading.loaded is None)
    assert desk.window.reading.trouble == "There is not enough memory for this image."
    assert desk.window.reading.key is None
    assert desk.puppet.calls == []
