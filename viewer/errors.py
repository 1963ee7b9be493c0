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
    what : the sentence without the offer of the backup.
    backup : the newest backup that could be put in its place, None where there is none.
    made : when that was made, on the clock of this computer.
    """

    def __init__(self, what: str, backup: Path | None, made: str) -> None:
        self.what = what
        self.backup = backup
        self.made = made
        offer = "There is no backup of it."
        if backup is not None:
            offer = (
                f"`backup --restore {backup}` puts the newest backup of it in its place, made on "
                f"{made}."
            )
        super().__init__(f"{what} {offer}")


class ConflictError(StoreError):
    """Another desk has decided on the same thing in the meantime; nothing was kept of this one."""


class ExchangeError(ViewerError):
    """Findings that cannot be exported or imported."""
