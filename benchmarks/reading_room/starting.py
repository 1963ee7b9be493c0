"""From the start of the process to the window on the screen, beside labelme."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.reading_room.figures import Absent, Figure, Line, ms

LABELME = "LIGHTBOX_BENCH_LABELME"
_TIMES = 7
_ROOT = Path(__file__).resolve().parents[2]

# Both are stopped where their event loop would begin: the window has been shown and painted.
_OURS = """
import json, sys, time
from PySide6.QtWidgets import QApplication
def stop(*_):
    QApplication.processEvents()
    print(json.dumps([time.time(), "torch" in sys.modules]), flush=True)
    return 0
QApplication.exec = stop
from viewer.cli import main
main(["--home", sys.argv[1]])
"""
_LABELME = """
import json, os, sys, time
from PyQt5 import QtWidgets
def stop(*_):
    QtWidgets.QApplication.processEvents()
    print(json.dumps([time.time(), False]), flush=True)
    os._exit(0)
QtWidgets.QApplication.exec = QtWidgets.QApplication.exec_ = stop
from labelme.__main__ import main
sys.argv = ["labelme"]
main()
"""


def measure() -> Iterator[Line]:
    python = _python_of_labelme()
    mine, peer, torch = [], [], False
    with TemporaryDirectory() as home:
        for number in range(_TIMES + 1):
            seconds, loaded = _start([sys.executable, "-c", _OURS, home], home)
            torch = torch or loaded
            if number:  # not the one that compiles
                mine.append(seconds)
            if python is not None:
                seconds, _ = _start([python, "-c", _LABELME], home)
                peer += [seconds] if number else []
    ours = statistics.median(mine)
    if python is None:
        why = f"no labelme on PATH or after --labelme to compare with; ours {ms(ours)}"
        yield Absent("start to window shown", why)
    else:
        theirs = statistics.median(peer)
        detail = f"{ms(ours)} to {ms(theirs)}"
        yield Figure("start to window shown", ours / theirs, "labelme", 0.6, detail)
    yield Figure("torch in the window process", float(torch), "times loaded", 0)


def _python_of_labelme() -> str | None:
    """The interpreter that runs the labelme on PATH, or the one that was named."""
    script = os.environ.get(LABELME) or shutil.which("labelme")
    if not script or not Path(script).is_file():
        return None
    with Path(script).open(encoding="utf-8", errors="replace") as file:
        first = file.readline().strip()
    return first.removeprefix("#!").strip() if first.startswith("#!") else None


def _start(command: list[str], home: str) -> tuple[float, bool]:
    # Compiled once and kept, as in an installed program; what the first run has to do.
    environment = {**os.environ, "HOME": home, "PYTHONPYCACHEPREFIX": f"{home}/compiled"}
    environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if command[0] == sys.executable:
        environment["PYTHONPATH"] = str(_ROOT)
    began = time.time()
    done = subprocess.run(
        command,
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    shown, torch = json.loads(done.stdout.splitlines()[-1])
    return shown - began, torch
