"""A folder or file that is written whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from viewer.errors import ExchangeError


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` to write into, which gets its name when the block has ended well.

    Raises
    ------
    ExchangeError
        ``out`` is there already and no empty folder, or it cannot be written. Nothing is left.
    """
    _refuse_occupied(out)
    out = out.absolute()
    partial = out.with_name(f".{out.name}.{secrets.token_hex(4)}.partial")
    try:
        partial.mkdir(parents=True)
        yield partial
        _publish(partial, out)
    except OSError as error:
        raise ExchangeError(f"The folder {out} cannot be written: {error}.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _refuse_occupied(out: Path) -> None:
    try:
        occupied = os.path.lexists(out) and (not out.is_dir() or any(out.iterdir()))
    except OSError as error:
        raise ExchangeError(f"The folder {out} cannot be used: {error}.") from error
    if occupied:
        raise ExchangeError(f"{out} is there already and not an empty folder; choose another.")


def _publish(partial: Path, out: Path) -> None:
    """Give the finished folder its name in one step."""
    if os.name == "posix":
        for folder, _, _ in os.walk(partial):
            _sync_folder(Path(folder))
    if out.is_dir():
        out.rmdir()  # empty, else this fails
    partial.rename(out)
    if os.name == "posix":
        _sync_folder(out.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
