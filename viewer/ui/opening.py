"""From a drop to studies: scans one lot of paths after the other and says what it found."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from viewer.dicom.model import Image, ScanUpdate, Skipped, Study
from viewer.dicom.studies import build_studies
from viewer.errors import Cancelled, ViewerError
from viewer.ui.frames import Place, place_of
from viewer.ui.jobs import Jobs, Report

SLOT = "scan"

Scan = Callable[[tuple[Path, ...], Callable[[ScanUpdate], None]], int]


@dataclass(frozen=True, slots=True)
class Found:
    """Studies that are new or have grown, and how far the scan is."""

    studies: tuple[Study, ...]
    skipped: tuple[Skipped, ...]
    files_done: int
    files_total: int


class Catalogue:
    """All images found so far, sorted into studies. Lives in the thread of the scan job."""

    def __init__(self) -> None:
        self._images: dict[str, list[Image]] = {}
        self._places: set[Place] = set()

    def add(self, images: Sequence[Image]) -> tuple[str, ...]:
        """Take images in, each file once; the UIDs of the studies that they belong to."""
        touched: dict[str, None] = {}
        for image in images:
            touched[image.study.uid] = None
            if place_of(image) not in self._places:
                self._places.add(place_of(image))
                self._images.setdefault(image.study.uid, []).append(image)
        return tuple(touched)

    def forget(self, study: Study) -> None:
        """Take a study's images out, as if they had never been found."""
        for series in study.series:
            for image in series.images:
                self._places.discard(place_of(image))
        self._images[study.header.uid] = [
            image
            for image in self._images.get(study.header.uid, [])
            if place_of(image) in self._places
        ]

    def studies(self, uids: Sequence[str]) -> tuple[Study, ...]:
        return tuple(study for uid in uids for study in build_studies(self._images[uid]))


class _Stream:
    """Turns what the scanner says into studies, seldom enough that sorting never holds it up."""

    def __init__(
        self,
        catalogue: Catalogue,
        tell: Callable[[Found], None],
        wanted: Callable[[Image], bool] | None = None,
    ) -> None:
        self.images = 0
        self.all_skipped: list[Skipped] = []
        self._catalogue = catalogue
        self._tell = tell
        self._wanted = wanted
        self._touched: dict[str, None] = {}
        self._skipped: list[Skipped] = []
        self._done = self._total = 0
        self._next_at = 0.0

    def take(self, update: ScanUpdate) -> None:
        images = update.images
        if self._wanted is not None:
            images = tuple(filter(self._wanted, images))
        self.images += len(images)
        self.all_skipped += update.skipped
        self._touched.update(dict.fromkeys(self._catalogue.add(images)))
        self._skipped += update.skipped
        self._done, self._total = update.files_done, update.files_total
        if time.monotonic() >= self._next_at:
            self.flush()

    def flush(self) -> None:
        began = time.monotonic()
        studies = self._catalogue.studies(tuple(self._touched))
        self._tell(Found(studies, tuple(self._skipped), self._done, self._total))
        self._touched.clear()
        self._skipped.clear()
        now = time.monotonic()
        self._next_at = now + 8 * (now - began)


@dataclass(frozen=True, slots=True)
class _Lot:
    """Paths that are read together.

    Attributes
    ----------
    wanted : which images of them are taken in.
    then : told how many these were, and what was skipped.
    """

    paths: tuple[Path, ...]
    wanted: Callable[[Image], bool] | None = None
    then: Callable[[int, tuple[Skipped, ...]], None] | None = None


class Opening(QObject):
    """The opening of files and folders. Lots that come while one is read wait their turn.

    Attributes
    ----------
    skipped : everything that was not opened since the window is up.
    """

    started = Signal()
    found = Signal(object)  # Found
    finished = Signal()
    failed = Signal(str)

    def __init__(self, jobs: Jobs, scan: Scan, parent: QObject) -> None:
        super().__init__(parent)
        self.skipped: tuple[Skipped, ...] = ()
        self._jobs = jobs
        self._scan = scan
        self._catalogue = Catalogue()
        self._waiting: list[_Lot] = []

    @property
    def busy(self) -> bool:
        return self._jobs.busy(SLOT)

    def open(self, paths: Sequence[Path]) -> None:
        if paths:
            self._waiting.append(_Lot(tuple(paths)))
            self._next()

    def open_study(
        self,
        paths: Sequence[Path],
        wanted: Callable[[Image], bool],
        then: Callable[[int, tuple[Skipped, ...]], None],
    ) -> None:
        """Open of these files only the wanted images; ``then`` learns how many there were."""
        self._waiting.append(_Lot(tuple(paths), wanted, then))
        self._next()

    def forget(self, study: Study) -> None:
        """A study was closed; not while files are read, whose thread has the catalogue."""
        assert not self.busy
        self._catalogue.forget(study)

    def cancel(self) -> None:
        """Stop reading; what was found stays."""
        self._waiting.clear()
        self._jobs.cancel(SLOT)

    def _next(self) -> None:
        if self.busy or not self._waiting:
            return
        lot = self._waiting.pop(0)

        def work(report: Report) -> tuple[int, tuple[Skipped, ...]]:
            stream = _Stream(self._catalogue, report, lot.wanted)
            self._scan(lot.paths, stream.take)
            stream.flush()
            return stream.images, tuple(stream.all_skipped)

        def done(outcome: tuple[int, tuple[Skipped, ...]]) -> None:
            if lot.then is not None:
                lot.then(*outcome)
            self._end()

        self._jobs.submit(SLOT, work, done, self._stopped, self._take)
        self.started.emit()

    def _take(self, found: Found) -> None:
        self.skipped += found.skipped
        self.found.emit(found)

    def _end(self) -> None:
        self.finished.emit()
        self._next()

    def _stopped(self, error: ViewerError) -> None:
        if not isinstance(error, Cancelled):
            self.failed.emit(str(error))
        self._end()
