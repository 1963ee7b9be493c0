"""Reading what others have written: each thing that is wrong is said with its file and line."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from viewer.errors import ExchangeError

MOST_BYTES = 512 * 1024 * 1024
"""Of one file of labels, which is held in memory as a whole."""


@contextmanager
def wrong_at(where: str) -> Iterator[None]:
    """Turn what is wrong with an entry into a sentence that begins with its place."""
    try:
        yield
    except KeyError as error:
        raise ExchangeError(f"{where} has no {error}.") from error
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ExchangeError(f"{where} is wrong: {error}.") from error


def bytes_of(path: Path) -> bytes:
    """What a file holds.

    Raises
    ------
    ExchangeError
        It cannot be read, or is too large.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ExchangeError(f"{path.name} is above the limit of {MOST_BYTES >> 20} MiB.")
        return path.read_bytes()
    except OSError as error:
        raise ExchangeError(f"{path.name} cannot be read: {error.strerror}.") from error


def text_of(path: Path) -> str:
    """The text of a file in UTF-8; raises as ``bytes_of``, and where it is no such text."""
    try:
        return bytes_of(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ExchangeError(f"{path.name} is no text in UTF-8: {error}.") from error


def lines_of(path: Path) -> list[str]:
    """Its lines, without their ends; only what a text editor takes for the end of a line is one."""
    return re.split(r"\r\n|\n|\r", text_of(path))


def number_of(text: str) -> float:
    """A finite number; ValueError names what is none."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"'{text}' is no number")
    return number
