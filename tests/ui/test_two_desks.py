"""Two windows on one label database: the slower one is told, and shows what there is now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt

from detector.types import Box
from tests.ui.window_fixtures import Desk, radiograph

FOUND = [(Box(20, 20, 60, 60), 0.9, "opacity"), (Box(100, 30, 150, 90), 0.6, "opacity")]


def test_the_slower_desk_is_told_and_sees_what_was_decided(
    make_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    chest = radiograph(tmp_path / "chest.dcm", first=100)
    desks = []
    for _ in range(2):
        desk = make_desk()
        desk.puppet.answers[100] = FOUND
        desk.open(chest)
        desk.wait_analysed()
        desk.key(Qt.Key.Key_N)
        desks.append(desk)
    here, there = desks
    here.key(Qt.Key.Key_Return)
    assert here.verbs() == ["accept"]
    there.key(Qt.Key.Key_X)
    assert there.verbs() == ["accept"]
    assert "changed at another desk" in there.window.notice.text.text()
    assert not there.window.notice.isHidden()
    assert there.rows()[0].endswith("accepted")
    there.key(Qt.Key.Key_X)  # decided upon what is shown now
    assert there.verbs()[-1] == "reject"
