"""What the tests of presentation states, segmentations and documents see of the window."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from tests.ui.window_fixtures import Desk
from viewer.dicom.model import Kind
from viewer.ui.pane import Pane


def pane(desk: Desk) -> Pane:
    return desk.window.grid.active


def lines(desk: Desk) -> list[str]:
    """What the top right corner says."""
    return list(desk.window.viewport._corners.top_right)


def show(desk: Desk, kind: Kind) -> None:
    """Click the first series of a kind in the browser."""
    studies = desk.window.browser.studies
    for number in range(studies.rowCount()):
        row = studies.row(number)
        if row.series is not None and row.series.images[0].kind is kind:
            browser = desk.window.browser
            index = studies.index(number)
            browser.scrollTo(index)
            place = browser.visualRect(index).center()
            QTest.mouseClick(browser.viewport(), Qt.MouseButton.LeftButton, pos=place)
            return
    raise AssertionError(f"no {kind} in the browser")


def shown_kind(desk: Desk) -> Kind | None:
    image = desk.window.reading.image
    return None if image is None else image.kind


def colour_at(desk: Desk, x: float, y: float) -> tuple[int, int, int]:
    """What the screen shows at a point of the image."""
    viewport = desk.window.viewport
    assert viewport.view is not None
    grabbed = viewport.grab().toImage()
    ratio = grabbed.devicePixelRatio()
    point = QPoint(*(round(part * ratio) for part in viewport.view.to_screen(x, y)))
    return grabbed.pixelColor(point).getRgb()[:3]  # type: ignore[return-value]


def wait_for_state(desk: Desk, name: str) -> None:
    desk.until(lambda: any(name in line for line in lines(desk)))
