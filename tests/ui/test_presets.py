"""The windows on the keys 1 to 9."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.dicom_factory import make_ct_series
from tests.ui.test_viewport import frame_of, image_of, noise
from tests.ui.window_fixtures import Desk, radiograph
from viewer.dicom.model import Frame, Image, SeriesHeader, VoiTable, VoiWindow
from viewer.dicom.voi import auto_window
from viewer.ui.presets import preset, preset_names


def of(modality: str, frame: Frame) -> tuple[Image, Frame]:
    image = replace(image_of(frame.values), series=SeriesHeader("1.2.1", modality=modality))
    return image, frame


def widths(image: Image, frame: Frame) -> list[tuple[float, float] | None]:
    """Width and level on each key."""
    found = [preset(image, frame, number) for number in range(1, 10)]
    return [(voi.width, voi.center) if isinstance(voi, VoiWindow) else None for voi in found]


def test_ct_has_the_usual_windows_and_then_those_of_the_file() -> None:
    own = VoiWindow(45, 350, explanation="NATIVE"), VoiWindow(300, 1800)
    ct = of("CT", frame_of(noise(), *own, unit="HU"))
    assert widths(*ct) == [
        (1500, -600),
        (2000, 350),
        (80, 40),
        (400, 40),
        (400, 80),
        (150, 90),
        (350, 45),
        (1800, 300),
        None,
    ]
    assert preset_names(*ct) == (
        "lung  1500 / -600",
        "bone  2000 / 350",
        "brain  80 / 40",
        "soft tissue  400 / 40",
        "mediastinum  400 / 80",
        "liver  150 / 90",
        "of the file  NATIVE  350 / 45",
        "of the file  1800 / 300",
    )


def test_values_that_are_no_hounsfield_units_have_no_window_of_ct() -> None:
    image, frame = of("CT", frame_of(noise(), VoiWindow(40, 400)))
    assert widths(image, frame)[0] == (400, 40)
    assert preset_names(image, frame) == ("of the file  400 / 40", "automatic")


def test_a_projection_has_the_windows_of_the_file_and_then_one_by_its_values() -> None:
    table = VoiTable(0, tuple(range(256)), 8, "contrast")
    image, frame = of("DX", frame_of(noise(), VoiWindow(2000, 3000), table))
    assert preset(image, frame, 1) == VoiWindow(2000, 3000)
    assert preset(image, frame, 2) is table
    assert preset(image, frame, 3) == auto_window(frame)
    assert preset(image, frame, 4) is None
    assert preset_names(image, frame)[1:] == ("of the file  contrast", "automatic")
    none = replace(frame, vois=())
    assert preset(image, none, 1) == auto_window(none)


def test_no_more_than_nine_and_none_for_colour() -> None:
    many = frame_of(noise(), *(VoiWindow(n, 100) for n in range(20)), unit="HU")
    assert len(preset_names(*of("CT", many))) == 9
    assert widths(*of("CT", many))[8] == (100, 2)
    colour = of("US", frame_of(np.zeros((4, 4, 3), np.uint8)))
    assert preset_names(*colour) == ()
    assert widths(*colour) == [None] * 9


def test_the_keys_set_them_and_the_menu_and_the_corner_say_them(desk: Desk, tmp_path: Path) -> None:
    make_ct_series(tmp_path / "ct", slices=2)
    desk.open(tmp_path / "ct")
    viewport, table = desk.window.viewport, desk.window.actions_table
    own = viewport.voi
    desk.key("1")
    assert viewport.voi == VoiWindow(-600, 1500, explanation="lung")
    assert viewport._shown is not None
    assert viewport._own_text(viewport._shown)[-1] == "W 1500  L -600  lung"
    assert table["preset_1"].text() == "lung  1500 / -600"
    assert table["preset_1"].isVisible()
    assert "1  lung  1500 / -600<br>2  bone" in table["window"].toolTip()
    assert not table["preset_9"].isVisible()
    desk.key("6")
    assert viewport.voi == VoiWindow(90, 150, explanation="liver")
    desk.key("9")  # stands for nothing
    assert viewport.voi == VoiWindow(90, 150, explanation="liver")
    desk.key("7")
    assert viewport.voi == own
    desk.open(radiograph(tmp_path / "a.dcm"))
    desk.until(lambda: not table["preset_4"].isVisible())
    assert table["preset_2"].isVisible() != (table["preset_1"].text() == "automatic")


def test_what_a_file_calls_its_window_is_shown_as_it_is(desk: Desk, tmp_path: Path) -> None:
    name = "<b>A&B</b>"
    desk.open(
        radiograph(
            tmp_path / "a.dcm",
            WindowCenter="2000",
            WindowWidth="3000",
            WindowCenterWidthExplanation=name,
        )
    )
    table = desk.window.actions_table
    assert table["preset_1"].text() == "of the file  <b>A&&B</b>  3000 / 2000"
    assert "&lt;b&gt;A&amp;B&lt;/b&gt;" in table["window"].toolTip()
