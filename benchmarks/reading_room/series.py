"""A CT of 300 images in the real window: how soon, how smooth, how large."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pydicom
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from benchmarks.reading_room.figures import Absent, Figure, Line, ms
from benchmarks.reading_room.synthetic import ct_series, radiograph
from viewer.app import Workers, application, make_window
from viewer.engine import client
from viewer.errors import ViewerError
from viewer.home import Home
from viewer.review.store import Store
from viewer.settings import Settings
from viewer.ui.main_window import MainWindow

_SLICES = 300
_STUDIES = 50
_TICK_MS = 5
_PATIENCE_S = 240.0


class Room:
    """A window over real workers, and the means to wait in its event loop."""

    def __init__(self, folder: Path) -> None:
        self.app = application()
        self.home = Home(folder / "home")
        self.home.path.mkdir()
        self.workers = Workers(self.home.measured_speeds)
        self.store = Store.open(self.home.database)
        settings = Settings.load(self.home.settings)
        self.window: MainWindow = make_window(self.workers, self.store, self.home, settings)
        self.window.resize(1500, 950)
        self.window.show()
        self._pulse = QTimer(interval=10)  # what is waited for need not come with an event
        self._pulse.start()
        self.settle()

    def close(self) -> None:
        self.window.close()
        self.workers.close()
        self.store.close()

    def until(self, fact: Callable[[], bool], what: str) -> float:
        """Run the event loop until ``fact``; seconds that it took."""
        began = time.monotonic()
        while not fact():
            self.app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
            if time.monotonic() - began > _PATIENCE_S:
                raise TimeoutError(f"waited too long for {what}")
        return time.monotonic() - began

    def settle(self, seconds: float = 0.5) -> None:
        began = time.monotonic()
        self.until(lambda: time.monotonic() - began > seconds, "nothing")

    def warm(self) -> None:
        """Have the child processes up, as they are in a window that somebody uses."""
        for worker in (self.workers.scan, self.workers.thumbnails, *self.workers.frames.workers):
            client.scan(worker, (), lambda _: None)

    def computed(self) -> float:
        """Seconds that this process and its decoding children have computed so far."""
        workers = (self.workers.scan, self.workers.thumbnails, *self.workers.frames.workers)
        ticks = 0
        for pid in (os.getpid(), *(worker.pid for worker in workers if worker.pid)):
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
            user, system = stat.rpartition(")")[2].split()[11:13]
            ticks += int(user) + int(system)
        return ticks / os.sysconf("SC_CLK_TCK")

    @property
    def frames_here(self) -> int:
        return len(self.window.frames._cache._frames)

    def open(self, *paths: Path) -> float:
        """Open files; seconds until a picture of theirs is on the screen."""
        began = time.monotonic()
        self.window.open_paths(list(paths))
        self.until(lambda: self.window.reading.loaded is not None, "the first picture")
        self.window.grid.viewport.repaint()
        return time.monotonic() - began

    def close_study(self) -> None:
        self.until(lambda: not self.window.opening.busy, "the end of the scan")
        self.window.close_study()


class Stalls:
    """How long the event loop was away from a timer of 5 ms."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self._timer = QTimer(interval=_TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._last = time.perf_counter()
        self._timer.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.late.append(max(0.0, now - self._last - _TICK_MS / 1000) * 1000)
        self._last = now

    def stop(self) -> None:
        self._timer.stop()


def measure() -> Iterator[Line]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        room = Room(folder)
        try:
            room.warm()
            room.settle()
            yield from _ct(room, folder / "ct", ExplicitVRLittleEndian, "uncompressed")
            yield from _ct(room, folder / "j2k", JPEG2000Lossless, "JPEG 2000")
            yield from _memory_of_studies(room, folder / "many")
            yield from _stalls(room, folder)
        finally:
            room.close()


def _ct(room: Room, folder: Path, syntax: UID, form: str) -> Iterator[Line]:
    paths = ct_series(folder, _SLICES, syntax=syntax)
    before, peer_computed = _sequentially(paths)
    gc.collect()
    room.settle()
    empty = _resident()
    computed, began = room.computed(), time.monotonic()
    first = room.open(folder)
    at_first = room.frames_here
    room.until(lambda: room.frames_here >= _SLICES, "the whole series")
    whole, computed = time.monotonic() - began, room.computed() - computed
    peer = (before + _sequentially(paths)[0]) / 2  # around ours: other work comes and goes
    yield Figure(
        f"CT {form}: decoded at the first picture",
        100 * at_first / _SLICES,
        "% of the series",
        5,
        f"after {ms(first)}",
    )
    yield Figure(
        f"CT {form}: whole series, from the drop",
        whole / peer,
        "pydicom one after the other",
        0.7,
        f"{whole:.2f} s to {peer:.2f} s, {os.cpu_count()} cores; "
        f"computing {computed:.2f} s to {peer_computed:.2f} s",
    )
    yield _scrolling(room, form)
    gc.collect()
    voxels = _SLICES * 512 * 512 * 2
    grown = _resident() - empty
    yield Figure(
        f"CT {form}: memory of the window",
        grown / voxels,
        "its voxels",
        1.3,
        f"{grown / 2**20:.0f} MiB to {voxels / 2**20:.0f} MiB",
    )
    room.close_study()
    room.settle()
    shutil.rmtree(folder)


def _sequentially(paths: list[Path]) -> tuple[float, float]:
    """Seconds by the clock, and of computing."""
    began, computed = time.monotonic(), time.process_time()
    for path in paths:
        _ = pydicom.dcmread(path).pixel_array
    return time.monotonic() - began, time.process_time() - computed


def _scrolling(room: Room, form: str) -> Line:
    reading, viewport = room.window.reading, room.window.grid.viewport
    reading.step(-_SLICES)
    room.settle(0.1)
    shown = 0
    began = time.perf_counter()
    for _ in range(_SLICES - 1):
        reading.step(1)
        viewport.repaint()
        QApplication.processEvents()
        shown += 1
    rate = shown / (time.perf_counter() - began)
    return Figure(f"CT {form}: scrolling, once loaded", rate, "frames a second", 60, at_least=True)


def _memory_of_studies(room: Room, folder: Path) -> Iterator[Line]:
    for number in range(_STUDIES):
        ct_series(folder / f"{number:02}", 6)
    gc.collect()
    room.settle()
    before = _resident()
    room.open(folder)
    room.until(lambda: not room.window.opening.busy, "the end of the scan")
    for _ in range(_STUDIES):
        room.until(lambda: room.window.reading.loaded is not None, "a picture of each study")
        room.settle(0.1)
        room.close_study()
    shutil.rmtree(folder)
    gc.collect()
    room.settle(1.0)
    after = _resident()
    yield Figure(
        f"memory after closing {_STUDIES} studies",
        100 * (after / before - 1),
        "% above the time before",
        5,
        f"{after / 2**20:.0f} MiB to {before / 2**20:.0f} MiB",
    )


def _stalls(room: Room, folder: Path) -> Iterator[Line]:
    """While a series loads and the detector runs on all cores."""
    model = room.window.analysis.model
    if model is None:
        yield Absent("stall of the event loop", "no model is bundled")
        return
    image_file = radiograph(folder / "dx.dcm")
    series = folder / "ct"
    ct_series(series, _SLICES, syntax=JPEG2000Lossless)
    room.open(image_file)
    loaded = room.window.reading.loaded
    assert loaded is not None
    engine, ended, runs = room.workers.engine(), threading.Event(), itertools.count(1)
    done = [0]

    def detect() -> None:
        while not ended.is_set():
            try:
                engine.detect(loaded.frame, model.folder, 0.01, "cpu", lambda _: None, 0)
            except ViewerError:
                return
            done[0] = next(runs)

    detecting = threading.Thread(target=detect)
    detecting.start()
    room.until(lambda: done[0] > 0, "the first run of the detector")
    before = room.frames_here
    stalls = Stalls()
    room.window.open_paths([series])
    room.until(lambda: room.frames_here >= before + _SLICES, "the whole series")
    room.settle(1.0)
    stalls.stop()
    ended.set()
    room.workers.model.cancel()
    detecting.join()
    detail = f"{len(stalls.late)} ticks, {done[0]} runs of the detector"
    yield Figure("stall of the event loop, p99", float(np.percentile(stalls.late, 99)), "ms", 50)
    yield Figure("stall of the event loop, longest", max(stalls.late), "ms", 200, detail)


def _resident() -> int:
    """Bytes of this process in memory, shared blocks with them."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
