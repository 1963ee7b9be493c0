"""The copy of the label database that is made once a day, beside the window."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from viewer.errors import Cancelled, ViewerError
from viewer.review.place import Place
from viewer.ui.jobs import Jobs, Report

SLOT = "backup"


class BackingUp(QObject):
    """Copies a database that is a file; whoever runs a server backs it up there."""

    failed = Signal(str)

    def __init__(self, jobs: Jobs, database: Place, parent: QObject) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._database = database

    def start(self) -> None:
        """Make the copy of this day, unless it is there."""
        database = self._database
        if not isinstance(database, Path):
            return

        def work(report: Report) -> None:
            # SQLAlchemy: not while the window starts.
            from viewer.review import backup  # noqa: PLC0415

            backup.daily(database, datetime.now(UTC), report.check)

        self._jobs.submit(SLOT, work, lambda _: None, self._failed)

    def _failed(self, error: ViewerError) -> None:
        if not isinstance(error, Cancelled):
            self.failed.emit(f"Today's backup was not made. {error}")
