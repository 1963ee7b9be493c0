"""A scripted reader: 100 studies with 2 candidates each, by the keyboard alone, in the real window.

python -m benchmarks.review.reading [--studies N]

The studies were analysed before, as a batch over night would have done it. The reader accepts the
first candidate, rejects the second, signs and goes on: N, Enter, X, Ctrl+Enter, U. Nothing is
waited for but what must be on the screen before a key makes sense.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from benchmarks.review.radiographs import analysed_studies, card
from viewer.app import Workers, application
from viewer.home import Home
from viewer.review.store import Store
from viewer.settings import Settings
from viewer.ui.analysis import Model
from viewer.ui.main_window import MainWindow

_PATIENCE_S = 60


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.review.reading")
    parser.add_argument("--studies", type=int, default=100)
    options = parser.parse_args(arguments)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with TemporaryDirectory() as temporary:
        home = Home.resolve(Path(temporary, "home"))
        with Store.open(home.database) as store:
            analysed_studies(store, Path(temporary, "files"), options.studies)
        seconds = _read(home, options.studies)
    total = sum(seconds)
    print(
        f"{options.studies} studies, {2 * options.studies} candidates: {total:.1f} s in all, "
        f"{statistics.median(seconds) * 1000:.0f} ms a study (median), "
        f"{max(seconds[1:]) * 1000:.0f} ms the longest but the first, "
        f"{seconds[0]:.1f} s the first, whose processes start"
    )
    return 0


def _read(home: Home, studies: int) -> list[float]:
    app = application()
    settings = Settings.load(home.settings)
    settings.change(reader_name="Dr Bench")
    workers = Workers()
    try:
        with Store.open(home.database) as store:
            window = MainWindow(
                jobs=workers.jobs(),
                engine=workers.engine(),
                store=store,
                home=home,
                settings=settings,
                model=Model(home.path, card()),
                sample=None,
            )
            window.resize(1440, 900)
            window.show()
            window.activateWindow()
            workers.start()
            seconds = _Reader(app, window).read(studies)
            window.close()
    finally:
        workers.close()
    return seconds


class _Reader:
    """Looks and presses keys."""

    def __init__(self, app: QApplication, window: MainWindow) -> None:
        self._app = app
        self._window = window

    def read(self, studies: int) -> list[float]:
        window = self._window
        window.worklist.load()
        self._until(lambda: window.worklist.loaded)
        seconds = []
        seen: set[str] = set()
        for _ in range(studies):
            began = time.perf_counter()
            self._key(Qt.Key.Key_U)
            self._until(lambda: self._study() not in seen and self._candidates_in_sight())
            seen.add(self._study())
            self._decide()
            seconds.append(time.perf_counter() - began)
        return seconds

    def _candidates_in_sight(self) -> bool:
        """Both on the picture, and the picture known to be the one that they were found on."""
        found = self._window.deciding.listed()
        return len(found) == 2 and all(one.image == self._window.reading.key for one in found)

    def _study(self) -> str:
        reading = self._window.reading
        if reading.position is None or reading.key is None:
            return ""
        return reading.position.study.header.uid

    def _decide(self) -> None:
        session = self._window.reading.session
        assert session is not None
        self._key(Qt.Key.Key_N)
        self._key(Qt.Key.Key_Return)
        self._key(Qt.Key.Key_X)
        self._until(lambda: not session.undecided())
        self._key(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        self._until(lambda: session.signed)

    def _key(
        self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
    ) -> None:
        QTest.keyClick(self._window.viewport, key, modifier)

    def _until(self, fact: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not fact():
            if time.monotonic() > deadline:
                raise TimeoutError(self._window.notice.text.text() or "the window gave no answer")
            self._app.processEvents()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
