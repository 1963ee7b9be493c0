"""A scan that goes on after the file that its worker did not survive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

from viewer.dicom.model import Earlier, Image, ScanUpdate, Skipped
from viewer.engine.host import Worker, WorkerError
from viewer.engine.messages import ScanAnswer, ScanRequest, Update


class Scanning:
    """Asks for one scan, as often as it takes; remembers what was told already."""

    def __init__(
        self, worker: Worker, paths: tuple[Path, ...], on_update: Callable[[ScanUpdate], None]
    ) -> None:
        self._worker = worker
        self._paths = paths
        self._on_update = on_update
        self._files: dict[tuple[Path, str], Image] = {}  # the first image of each
        self._skipped: set[str] = set()
        self._done = self._total = 0

    def run(self) -> int:
        """Returns how many files were looked at; raises as ``Worker.run`` does."""
        while True:
            earlier = Earlier(tuple(self._files.values()), frozenset(self._skipped))
            try:
                answer = self._worker.run(
                    ScanRequest(self._paths, earlier),
                    cast("Callable[[Update], None]", self._take),
                )
                return cast("ScanAnswer", answer).files_done
            except WorkerError as lost:
                # The same file twice: it is not the file that ends the worker.
                if not lost.part or lost.part in self._skipped:
                    raise
                self._take(ScanUpdate((), (Skipped(lost.part, lost.why),), self._done, self._total))

    def _take(self, update: ScanUpdate) -> None:
        for image in update.images:
            self._files.setdefault((image.path, image.member), image)
        self._skipped.update(skipped.path for skipped in update.skipped)
        self._done, self._total = update.files_done, update.files_total
        self._on_update(update)
