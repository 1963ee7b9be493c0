"""Run by test_on_screen.py in a process of its own: the real window on a real screen.

``python -m tests.ui.screen_probe FILE OUT.png HOME`` opens FILE, shows it at 1:1 with the AI marks
hidden and writes what the *screen* shows of the viewport, with where the picture lies on stdout.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication

from viewer import app as composition
from viewer.home import Home
from viewer.review.store import Store
from viewer.settings import Settings


def wait_for(app: QApplication, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not ready():
        if time.monotonic() > deadline:
            raise SystemExit("nothing came up on the screen")
        app.processEvents()
        time.sleep(0.01)


def settle(app: QApplication, seconds: float) -> None:
    until = time.monotonic() + seconds
    wait_for(app, lambda: time.monotonic() > until)


def main(file: Path, out: Path, home: Home) -> None:
    app = composition.application()
    settings = Settings.load(home.settings)
    with Store.open(home.database) as store:
        workers = composition.Workers()
        window = composition.make_window(workers, store, home, settings)
        window.reading.toggle_marks()
        window.show()
        window.open_paths([file])
        wait_for(app, lambda: window.reading.loaded is not None)
        viewport = window.viewport
        viewport.actual_size()
        settle(app, 1.0)
        corner = viewport.mapToGlobal(QPoint(0, 0))
        screen = window.screen()
        picture = screen.grabWindow(0, corner.x(), corner.y(), viewport.width(), viewport.height())
        assert picture.save(str(out))
        view = viewport.view
        assert view is not None
        print(json.dumps({"origin": view.device_origin, "zoom": view.zoom}))
        window.close()
        workers.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Home(Path(sys.argv[3])))
