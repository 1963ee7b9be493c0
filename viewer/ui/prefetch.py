"""The next studies of the list, made ready while the reader looks at this one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from viewer.dicom import voi
from viewer.dicom.model import Frame, Image, Kind, ScanUpdate
from viewer.dicom.studies import build_studies
from viewer.errors import EngineError, InputError, ViewerError
from viewer.ui.frames import Loaded
from viewer.ui.jobs import Jobs, Report
from viewer.ui.position import first_of

SLOT = "prefetch"


@dataclass(frozen=True)
class Wanted:
    """A study that will be wanted soon: its row, its files, and which of their images are its."""

    id: int
    files: tuple[Path, ...]
    is_own: Callable[[Image], bool]


@dataclass(frozen=True, eq=False)
class Prepared:
    """The image that comes up first when a study is opened."""

    id: int
    image: Image
    loaded: Loaded


class Prefetch(QObject):
    """Brings the first image of a few studies, one after the other, by a process of its own."""

    prepared = Signal(object)  # Prepared

    def __init__(
        self,
        jobs: Jobs,
        scan: Callable[[tuple[Path, ...], Callable[[ScanUpdate], None]], int],
        decode: Callable[[Image], Frame],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._scan = scan
        self._decode = decode
        self._ids: tuple[int, ...] = ()  # what is ready or under way

    def prepare(self, wanted: Sequence[Wanted]) -> None:
        """Make these ready, the first one first; what was under way and is not among them stops."""
        ids = tuple(each.id for each in wanted)
        missing = [each for each in wanted if each.id not in self._ids]
        if self._jobs.busy(SLOT) and ids != self._ids[: len(ids)]:
            self._jobs.cancel(SLOT)
            missing = list(wanted)
        self._ids = ids
        if missing:
            self._jobs.submit(
                SLOT,
                lambda report: self._work(missing, report),
                lambda _: None,
                self._stopped,
                self.prepared.emit,
            )

    def _work(self, wanted: Sequence[Wanted], report: Report) -> None:
        for study in wanted:
            report.check()
            try:
                found = self._first_image(study)
            except (InputError, EngineError):
                continue  # told when the reader opens it
            if found is not None:
                report(Prepared(study.id, *found))

    def _first_image(self, study: Wanted) -> tuple[Image, Loaded] | None:
        images: list[Image] = []
        self._scan(study.files, lambda update: images.extend(filter(study.is_own, update.images)))
        if not images:
            return None
        image = first_of(build_studies(images)[0]).image
        if image.kind is not Kind.IMAGE:
            return None
        frame = self._decode(image)
        return image, Loaded(frame, None if frame.is_colour else voi.default_voi(frame))

    def _stopped(self, _error: ViewerError) -> None:
        self._ids = ()
