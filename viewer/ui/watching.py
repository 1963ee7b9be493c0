"""A folder that feeds the worklist: looked at every few seconds, since shares send no notices."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from viewer.dicom.model import Image, ScanUpdate
from viewer.errors import InputError, ViewerError
from viewer.review.late_store import LateStore
from viewer.review.place import Place
from viewer.ui.jobs import Jobs, Report

SLOT = "watch"

LOOK_MS = 4000

Stamp = tuple[int, int]
"""Size and time of the last change: a file that keeps both from one look to the next is whole."""


class WatchedFolder(QObject):
    """Looks into one folder, and gives the images of files that are new and finished."""

    found = Signal(object)  # tuple[Image, ...]
    failed = Signal(str)

    def __init__(
        self,
        jobs: Jobs,
        place: Place,
        scan: Callable[[tuple[Path, ...], Callable[[ScanUpdate], None]], int],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._place = place
        self._scan = scan
        self._folder: Path | None = None
        self._told = ""
        # Both belong to the thread of the job.
        self._known: set[str] | None = None  # files that were taken in, at any time
        self._stamps: dict[str, Stamp] = {}  # of those that may still be written
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)

    def watch(self, folder: str) -> None:
        """Watch this folder from now on; none where it is empty."""
        path = Path(folder).expanduser() if folder else None
        if path != self._folder:
            self._folder, self._told = path, ""
            if path is None:
                self._timer.stop()
            else:
                self._timer.start()

    def look(self) -> None:
        """Look once, unless the last look is still under way."""
        folder = self._folder
        if folder is not None and not self._jobs.busy(SLOT):
            self._jobs.submit(SLOT, lambda report: self._work(folder, report), self._done, self._no)

    def _done(self, images: tuple[Image, ...]) -> None:
        self._told = ""
        if images:
            self.found.emit(images)

    def _no(self, error: ViewerError) -> None:
        if str(error) != self._told:  # said once, not every few seconds
            self._told = str(error)
            self.failed.emit(str(error))

    # --- in the thread of the job ----------------------------------------------------------------

    def _work(self, folder: Path, report: Report) -> tuple[Image, ...]:
        if self._known is None:
            store = LateStore(self._place)
            try:
                self._known = store.worklist.files()
            finally:
                store.close()
        stamps = dict(_stamps(folder, self._known, report))
        whole = [Path(path) for path, stamp in stamps.items() if self._stamps.get(path) == stamp]
        self._stamps = stamps
        images: list[Image] = []
        if whole:
            self._scan(tuple(whole), lambda update: images.extend(update.images))
            self._known |= {str(path) for path in whole}
        return tuple(images)


def _stamps(folder: Path, known: set[str], report: Report) -> Iterator[tuple[str, Stamp]]:
    """The files under a folder that are not known, each with its stamp."""
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise InputError(
            f"The watched folder {folder} cannot be read: {error.strerror}."
        ) from error
    waiting = [str(folder.absolute())]
    while waiting:
        report.check()
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue  # it went away, or is not for us
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.path not in known and entry.is_file():
                    status = entry.stat()
                    yield entry.path, (status.st_size, status.st_mtime_ns)
            except OSError:
                continue
