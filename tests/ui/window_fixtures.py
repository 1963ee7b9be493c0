"""A whole window over real decode workers and a real database, with a detector on strings."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from detector.types import Box, Detection, Detections, ModelCard
from tests.dicom_factory import make_dataset, make_dicom, write_dataset
from viewer.app import Workers
from viewer.dicom.model import Frame
from viewer.engine.messages import DetectUpdate
from viewer.errors import Cancelled, ViewerError
from viewer.home import Home
from viewer.review.store import Store
from viewer.settings import Settings
from viewer.ui import theme
from viewer.ui.analysis import DetectProgress, Model
from viewer.ui.exchange_dialogs import ExportDialog
from viewer.ui.main_window import MainWindow

WAIT = 30_000  # ms: a child process starts on a busy machine

CARD = ModelCard(
    name="chest-xray",
    version="1.0.0",
    architecture="none",
    architecture_options={},
    categories=("opacity", "nodule"),
    input_size=64,
    weights_sha256="ab" * 32,
    modalities=("CR", "DX"),
    body_parts=("CHEST",),
    views=("PA", "AP"),
    default_threshold=0.5,
    description="",
    evaluation={
        "operating_points": [
            {"threshold": 0.0, "sensitivity": 1.0, "false_marks_per_image": 4.0},
            {"threshold": 1.0, "sensitivity": 0.0, "false_marks_per_image": 0.0},
        ]
    },
)


class Puppet:
    """Stands where the model worker stands: answers what the test told it, when it is told to.

    Attributes
    ----------
    answers : modality value of the frame's first pixel -> (box, score, category) to find.
    gate : while clear, a detection waits.
    """

    def __init__(self) -> None:
        self.answers: dict[int, list[tuple[Box, float, str]]] = {}
        self.failure: ViewerError | None = None
        self.calls: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self._cancelled = threading.Event()

    def detect(  # noqa: PLR0917
        self,
        frame: Frame,
        folder: Path,
        floor: float,
        device: str,
        on_update: DetectProgress,
        proposals: int,
    ) -> Detections:
        first = int(frame.values.flat[0])
        self.calls.append(first)
        self._cancelled.clear()
        on_update(DetectUpdate("reading the image"))
        while not self.gate.wait(0.01):
            if self._cancelled.is_set():
                raise Cancelled("Stopped.")
        if self.failure is not None:
            raise self.failure
        found = sorted(self.answers.get(first, []), key=lambda item: -item[1])
        return Detections(
            tuple(Detection(box, score, category) for box, score, category in found),
            CARD.name,
            CARD.version,
            CARD.weights_sha256,
            "cpu",
            floor,
            0.4,
        )

    def cancel(self) -> None:
        self._cancelled.set()


class Desk:
    """The window as a person meets it: eyes, keys, mouse, and then the database."""

    def __init__(self, window: MainWindow, home: Home, puppet: Puppet, qtbot: QtBot) -> None:
        self.window = window
        self.home = home
        self.puppet = puppet
        self.qtbot = qtbot

    def key(
        self,
        key: Qt.Key | str,
        modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
        widget: QWidget | None = None,
    ) -> None:
        if not self.window.isActiveWindow():  # a dialog was open
            with self.qtbot.waitActive(self.window):
                self.window.activateWindow()
        QTest.keyClick(widget or self.window.viewport, key, modifier)  # type: ignore[call-overload]

    def until(self, fact: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(fact, timeout=WAIT)

    def drag_over(self, paths: Sequence[Path], at: QWidget) -> QMimeData:
        """Hold files over a widget, as the window system tells it."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        handle = self.window.windowHandle()
        point = at.mapTo(self.window, QPoint(at.width() // 2, at.height() // 2))
        copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
        none = Qt.KeyboardModifier.NoModifier
        QApplication.sendEvent(handle, QDragEnterEvent(point, copy, data, left, none))
        QApplication.sendEvent(handle, QDragMoveEvent(point, copy, data, left, none))
        return data

    def drop(self, paths: Sequence[Path], at: QWidget | None = None) -> None:
        """Drop files on a widget of the window."""
        widget = at or self.window.viewport
        data = self.drag_over(paths, widget)
        point = widget.mapTo(self.window, QPoint(widget.width() // 2, widget.height() // 2))
        event = QDropEvent(
            QPointF(point),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(self.window.windowHandle(), event)
        assert event.isAccepted()

    def leave(self) -> None:
        QApplication.sendEvent(self.window.windowHandle(), QDragLeaveEvent())

    def open(self, *paths: Path) -> None:
        """Drop files and wait until one of them is on the screen and all is read."""
        self.drop(list(paths))
        self.until(lambda: not self.window.opening.busy and self.window.reading.key is not None)

    def wait_analysed(self) -> None:
        self.until(lambda: "Analysed" in self.window.panel.state.title.text())

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag with the left button between two points of the image."""
        viewport = self.window.viewport
        view = viewport.view
        assert view is not None
        a, b = (QPoint(*(round(v) for v in view.to_screen(*point))) for point in (start, end))
        QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=a)
        for step in range(1, 6):
            QTest.mouseMove(viewport, a + (b - a) * step / 5)
        QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=b)

    def click(self, x: float, y: float) -> None:
        """Click a point of the image."""
        view = self.window.viewport.view
        assert view is not None
        point = QPoint(*(round(v) for v in view.to_screen(x, y)))
        QTest.mouseClick(self.window.viewport, Qt.MouseButton.LeftButton, pos=point)

    def rows(self) -> list[str]:
        """The list of findings as it is read out."""
        model = self.window.panel.model
        return [str(model.data(model.index(number))) for number in range(model.rowCount())]

    def events(self) -> list[dict[str, Any]]:
        """The decisions in the database file, through another connection."""
        with sqlite3.connect(self.home.database) as connection:
            connection.row_factory = sqlite3.Row
            found = connection.execute("SELECT * FROM events ORDER BY sequence").fetchall()
        connection.close()
        return [dict(row) for row in found]

    def verbs(self) -> list[str]:
        return [event["verb"] for event in self.events()]

    def finding_after(self, number: int = -1) -> dict[str, Any]:
        """What the event made of its finding."""
        after = self.events()[number]["after"]
        return json.loads(after) if isinstance(after, str) else after


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    """One set of child processes for all windows of the tests: starting them takes seconds."""
    workers = Workers()
    yield workers
    workers.close()


@pytest.fixture
def make_desk(
    workers: Workers, tmp_path: Path, qtbot: QtBot, qapp: QApplication
) -> Iterator[Callable[..., Desk]]:
    """Open windows, one after the other, over one home."""
    theme.apply(qapp)
    home = Home(tmp_path / "home")
    home.path.mkdir()
    opened: list[tuple[MainWindow, Store]] = []

    def make(card: ModelCard | None = CARD, **changes: Any) -> Desk:
        puppet = Puppet()
        settings = Settings.load(home.settings)
        settings.change(**{"reader_name": "Dr Test", **changes})
        store = Store.open(home.database)
        jobs = workers.jobs()
        jobs.add_slot("model", puppet.cancel)
        window = MainWindow(
            jobs=jobs,
            engine=replace(workers.engine(), detect=puppet.detect),
            store=store,
            home=home,
            settings=settings,
            model=None if card is None else Model(tmp_path, card),
            sample=None,
        )
        opened.append((window, store))
        window.resize(1280, 800)
        with qtbot.waitActive(window):
            window.show()
            window.activateWindow()
        return Desk(window, home, puppet, qtbot)

    yield make
    for window, store in opened:
        window.close()
        window.deleteLater()
        store.close()
    qapp.processEvents()


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk()


def radiograph(path: Path, first: int = 100, **elements: Any) -> Path:
    """A small chest DX whose first pixel tells it from others."""
    pixels: npt.NDArray[np.uint16] = np.tile(
        np.linspace(200, 3800, 200).astype(np.uint16), (160, 1)
    )
    pixels[0, 0] = first
    return make_dicom(path, pixels, **elements)


def undecodable(path: Path, **elements: Any) -> Path:
    """A radiograph whose header is whole and whose compressed pixels are noise."""
    dataset = make_dataset(np.zeros((160, 200), np.uint16), **elements)
    dataset.PixelData = encapsulate([b"\x17" * 400])
    dataset["PixelData"].VR = "OB"
    return write_dataset(path, dataset, JPEG2000Lossless)


def export_into(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer the export dialog: as it stands, but into this folder."""

    def answer(dialog: ExportDialog) -> int:
        dialog.folder.setText(str(folder))
        return 1

    monkeypatch.setattr(ExportDialog, "exec", answer)
