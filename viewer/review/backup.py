"""Copies of the label database, whole or absent, and putting one in its place.

A copy is an SQLite file that can be opened like the database itself. Its name says when it was
made, in UTC, so that it can be told from the others wherever it was moved to.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from viewer.errors import StoreError
from viewer.review import sqlite
from viewer.review.database import border

FOLDER = "backups"
"""Beside the database: where the copies of every day are."""

KEPT = 14
"""Copies of every day that are kept."""

_PAGES_AT_ONCE = 512  # 2 MiB: a writer waits no longer than for that
_BREATH_SECONDS = 0.002

_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"-(\d{8}T\d{6}Z)\.sqlite$")


def name_for(stem: str, now: datetime, version: int | None = None) -> str:
    """The name of a copy; ``version`` is that of the schema it keeps, before a newer one."""
    of_version = "" if version is None else f"-schema-{version}"
    return f"{stem}{of_version}-{_stamp(now)}.sqlite"


def _stamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime(_STAMP)


def made_at(copy: Path) -> datetime | None:
    """When a copy was made, by its name; None where this is no name of one."""
    match = _NAME.search(copy.name)
    with suppress(ValueError):
        if match is not None:
            return datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC)
    return None


def copies(database: Path) -> list[Path]:
    """The copies of a database in its folder of backups and beside it, the newest first."""
    found = {
        path: at
        for folder in (database.parent / FOLDER, database.parent)
        for path in folder.glob(f"{database.stem}-*.sqlite")
        if (at := made_at(path)) is not None
    }
    return sorted(found, key=lambda path: (found[path], path.name), reverse=True)


def copy_file(database: Path, out: Path, check: Callable[[], None] = lambda: None) -> None:
    """Copy an SQLite database, while others may write to it, to a file that is not there yet.

    Parameters
    ----------
    check : called again and again meanwhile; it may raise to stop the copying.

    Raises
    ------
    StoreError
        It cannot be read or written, or is not sound; then there is no copy.
    """
    with border(f"The label database {database} cannot be copied to {out}"):
        out.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with sqlite.unnamed(out) as new:
            _copy_pages(database, new, check)
            sqlite.publish(new, out)


def keep_version(database: Path, version: int, now: datetime) -> None:
    """Copy a database beside itself, before a newer schema comes into it.

    Raises
    ------
    StoreError
    """
    out = database.with_name(name_for(database.stem, now, version))
    with (
        border(f"The label database {database} cannot be copied to {out}"),
        suppress(FileExistsError),  # another window made the same copy in this second
        sqlite.unnamed(out) as new,
    ):
        _copy_pages(database, new, lambda: None)
        sqlite.publish(new, out)


def _copy_pages(database: Path, new: Path, check: Callable[[], None]) -> None:
    def breathe(*_: int) -> None:
        check()
        time.sleep(_BREATH_SECONDS)  # else the lock is taken again before a writer can have it

    with closing(sqlite.connect_to(database)) as source, closing(sqlite3.connect(new)) as target:
        source.backup(target, pages=_PAGES_AT_ONCE, progress=breathe)
        verdict = target.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise StoreError(f"The label database {database} is damaged ({verdict}).")


def daily(database: Path, now: datetime, check: Callable[[], None] = lambda: None) -> Path | None:
    """Copy a database into its folder of backups, unless that was done on this day (UTC).

    Of the copies of every day the newest are kept. None where there was nothing to do.

    Raises
    ------
    StoreError
    """
    folder = database.parent / FOLDER
    pattern = re.compile(rf"{re.escape(database.stem)}{_NAME.pattern}")
    with border(f"The backups in {folder} cannot be read"):
        present = sorted(path for path in folder.glob("*") if pattern.fullmatch(path.name))
    newest = made_at(present[-1]) if present else None
    if newest is not None and newest.date() >= now.astimezone(UTC).date():
        return None
    out = folder / name_for(database.stem, now)
    copy_file(database, out, check)
    for old in [*present, out][:-KEPT]:
        with suppress(OSError):  # the next day tries again
            old.unlink(missing_ok=True)
    return out


def put_in_place(database: Path, copy: Path, now: datetime) -> Path | None:
    """Make a database what a copy of it is; what is there now is kept aside.

    The caller has found that ``copy`` is a sound label database.

    Returns
    -------
    Where the present file is now, None where there was none.

    Raises
    ------
    StoreError
        It cannot be read or written, or another process is writing to the database.
    """
    aside = database.with_name(f"{database.name}.until-{_stamp(now)}")
    with (
        border(f"The backup {copy} cannot be put in the place of {database}"),
        sqlite.unnamed(database) as new,
    ):
        _copy_pages(copy, new, lambda: None)
        present = database.exists()
        if present:
            sqlite.move_aside(database, aside)
        sqlite.publish(new, database)
    return aside if present else None
