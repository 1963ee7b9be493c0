"""Every failure that the reader is told about, each with one sentence."""

from __future__ import annotations

from pathlib import Path


class ViewerError(Exception):
    """A failure with one sentence for the reader; ``str(error)`` is that sentence."""


class InputError(ViewerError):
    """A file, folder or frame that cannot be read, decoded or used as asked."""


class EngineError(ViewerError):
    """A child process that died, hung or could not be started."""


class Cancelled(ViewerError):  # noqa: N818  nothing is wrong
    """The reader stopped the work; nothing is wrong."""


class StoreError(ViewerError):
    """The label database cannot be opened, read or written."""


class DamagedError(StoreError):
    """The label database is damaged or gone.

    Attributes
    ----------
    database : the file.
    backup : the newest backup that could be put in its place, None where there is none.
    """

    def __init__(self, sentence: str, database: Path, backup: Path | None) -> None:
        super().__init__(sentence)
        self.database = database
        self.backup = backup


class ConflictError(StoreError):
    """Another desk has decided on the same thing in the meantime; nothing was kept of this one."""


class ExchangeError(ViewerError):
    """Findings that cannot be exported or imported."""
