"""The view as a picture: what is on the screen, stamped, and nobody's name where none is wanted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage

from detector.types import Box
from tests.ui.window_fixtures import Desk, radiograph
from viewer.ui import theme
from viewer.ui.view_picture import stamped

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
STAMP = 26  # rows below the picture


def values(image: QImage) -> npt.NDArray[np.uint8]:
    """(rows, columns, 3) RGB."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    flat = np.frombuffer(image.constBits(), np.uint8)
    rows = flat.reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def picture_of(desk: Desk, *, identity: bool) -> QImage:
    image = desk.window.reading.image
    assert image is not None
    return stamped(desk.window.viewport, image, identity=identity)


@pytest.fixture
def analysed(desk: Desk, tmp_path: Path) -> Desk:
    desk.puppet.answers[100] = [(Box(60, 60, 120, 120), 0.9, "opacity")]
    desk.open(radiograph(tmp_path / "a.dcm", PatientName="SECRET^NAME", PatientID="HIDDEN-7"))
    desk.wait_analysed()
    return desk


def test_with_identity_it_is_the_screen_and_the_stamp(analysed: Desk) -> None:
    viewport = analysed.window.viewport
    screen = values(viewport.grab().toImage())
    got = values(picture_of(analysed, identity=True))
    ratio = viewport.devicePixelRatioF()
    assert got.shape[0] == screen.shape[0] + round(STAMP * ratio)
    np.testing.assert_array_equal(got[: screen.shape[0]], screen)
    below = got[screen.shape[0] :]
    assert (below == np.array(theme.PICTURE_TEXT.getRgb()[:3])).all(axis=2).any(), "the stamp"


def test_without_identity_the_marks_stay_and_the_corners_go(analysed: Desk) -> None:
    viewport = analysed.window.viewport
    screen = values(viewport.grab().toImage())
    got = values(picture_of(analysed, identity=False))[: screen.shape[0]]
    rows, columns = screen.shape[:2]
    ink = np.array(theme.PICTURE_TEXT.getRgb()[:3])
    name = np.s_[: rows // 6, : columns // 3]
    assert (screen[name] == ink).all(axis=2).any(), "a name is on the screen"
    assert not (got[name] == ink).all(axis=2).any()
    mark = (screen == np.array(theme.MARK_OPEN.getRgb()[:3])).all(axis=2)
    assert mark.any()
    np.testing.assert_array_equal(got[mark], screen[mark])
    np.testing.assert_array_equal(
        values(viewport.grab().toImage()), screen, "the screen is as it was"
    )


def test_no_text_of_the_patient_is_painted_without_identity(
    analysed: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted: list[str] = []
    monkeypatch.setattr(
        "viewer.ui.corner_text.halo_text", lambda _painter, _at, text, *_more: painted.append(text)
    )
    picture_of(analysed, identity=True)
    assert any("SECRET" in text for text in painted), "else this test sees nothing"
    painted.clear()
    picture_of(analysed, identity=False)
    words = " ".join(painted)
    for hidden in ("SECRET", "HIDDEN", "1960", "2024", "Chest", "Doe"):
        assert hidden not in words
    assert "DX CHEST PA" in words


@pytest.mark.parametrize("identity", [False, True])
def test_it_is_copied(analysed: Desk, identity: bool) -> None:
    expected = picture_of(analysed, identity=identity)
    analysed.key("c", CONTROL | SHIFT if identity else CONTROL)
    copied = QGuiApplication.clipboard().image()
    np.testing.assert_array_equal(values(copied), values(expected))
    words = "with identity" if identity else "without identity"
    assert words in analysed.window.notice.text.text()


@pytest.mark.parametrize("identity", [False, True])
def test_it_is_saved_under_a_name_without_a_patient(
    analysed: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, identity: bool
) -> None:
    proposed: list[Path] = []

    def choose(_parent: object, path: Path) -> Path:
        proposed.append(path)
        return tmp_path / "out.png"

    monkeypatch.setattr("viewer.ui.dialogs.choose_picture", choose)
    expected = values(picture_of(analysed, identity=identity))
    analysed.key("s", CONTROL | SHIFT if identity else CONTROL)
    analysed.until(lambda: "Saved as" in analysed.window.notice.text.text())
    (name,) = (path.name for path in proposed)
    assert name.startswith("lightbox-")
    assert "SECRET" not in name
    saved = QImage(str(tmp_path / "out.png"))
    np.testing.assert_array_equal(values(saved), expected)
    assert b"SECRET" not in (tmp_path / "out.png").read_bytes()


def test_a_file_that_cannot_be_written_is_said(
    analysed: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "no such folder" / "out.png"
    monkeypatch.setattr("viewer.ui.dialogs.choose_picture", lambda *_args: target)
    analysed.key("s", CONTROL)
    analysed.until(lambda: "cannot be written" in analysed.window.notice.text.text())


def test_without_a_picture_there_is_nothing_to_save(desk: Desk) -> None:
    for name in ("save_view", "save_view_identity", "copy_view", "copy_view_identity"):
        assert not desk.window.actions_table[name].isEnabled()
