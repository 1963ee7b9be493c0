"""The log: what the program did, for whoever has to find a fault. No patient, no path.

Only our own loggers (``viewer.*``) write to it: libraries put file names and tag values into
their messages.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

from viewer.errors import InputError

FILE_NAME = "lightbox.log"
_MEGABYTE = 1 << 20


@contextmanager
def written_to(folder: Path) -> Iterator[None]:
    """Write the log into a folder meanwhile: five files of a megabyte at most.

    Raises
    ------
    InputError
        The folder or the file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            folder / FILE_NAME, maxBytes=_MEGABYTE, backupCount=4, encoding="utf-8"
        )
    except OSError as error:
        raise InputError(f"The log in {folder} cannot be written: {error.strerror}.") from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    ours = logging.getLogger("viewer")
    ours.setLevel(logging.INFO)
    ours.addHandler(handler)
    try:
        yield
    finally:
        ours.removeHandler(handler)
        handler.close()


def describe(error: BaseException) -> str:
    """Where an error came up, without its message: that may hold a path or a patient's name."""
    places = [
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return f"{type(error).__name__} at {' > '.join(places[-8:])}"
