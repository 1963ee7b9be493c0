"""A picture of which a part is missing: the reader is told, and the detector never sees it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from tests.dicom_factory import make_dicom
from tests.ui.window_fixtures import Desk
from viewer.dicom.model import Frame
from viewer.engine import client
from viewer.engine.host import Worker
from viewer.errors import InputError
from viewer.ui import theme


def cut_radiograph(path: Path) -> Path:
    pixels = np.random.default_rng(3).integers(0, 4096, (128, 96)).astype(np.uint16)
    make_dicom(path, pixels, WindowCenter=2048, WindowWidth=4096)
    data = path.read_bytes()
    path.write_bytes(data[: -pixels.nbytes // 2])
    return path


def test_the_corner_says_incomplete_and_nothing_is_analysed(
    desk: Desk, qtbot: QtBot, tmp_path: Path
) -> None:
    desk.open(cut_radiograph(tmp_path / "a.dcm"))
    window = desk.window
    picture = window.viewport.grab().toImage()
    warning = theme.WARNING.rgb()
    half = picture.height() // 2
    drawn = [
        (x, y)
        for y in range(half, picture.height())
        for x in range(picture.width())
        if picture.pixel(x, y) == warning
    ]
    assert len(drawn) > 50
    state = window.panel.state
    assert state.title.text() == "Not analysed"
    assert "incomplete" in state.detail.text()
    assert "incomplete" in window.status.machine.text()
    assert not state.button.isVisible()
    window.analysis.run()
    qtbot.wait(50)
    assert desk.puppet.calls == []


def test_a_whole_picture_warns_of_nothing(desk: Desk, tmp_path: Path) -> None:
    desk.open(make_dicom(tmp_path / "a.dcm", np.zeros((64, 64), np.uint16)))
    picture = desk.window.viewport.grab().toImage()
    colours = {picture.pixel(x, y) for x in range(picture.width()) for y in range(picture.height())}
    assert theme.WARNING.rgb() not in colours


def test_the_detector_refuses_an_incomplete_frame(tmp_path: Path) -> None:
    values = np.zeros((8, 8), np.uint8)
    worker = Worker("model")
    with pytest.raises(InputError, match="incomplete"):
        client.detect(worker, Frame(values, "", "", (), False, incomplete=True), tmp_path, 0, "cpu")
    assert worker.pid is None
