"""Copies of the label database, whole or absent, and which of them is the newest.

A copy is an SQLite file that can be opened like the database itself. Its name says when it was
made, in UTC, so that it can be told from the others wherever it was moved to.
"""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from viewer.errors import StoreError
from viewer.review import sqlite
from viewer.review.database import border

FOLDER = "backups"
"""Beside the database: where the copies of every day are."""

_PAGES_AT_ONCE = 512  # 2 MiB: a writer waits no longer than for that
_BREATH_SECONDS = 0.002

_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"-(\d{8}T\d{6}Z)\.sqlite$")


def name_for(database: Path, now: datetime, version: int | None = None) -> str:
    """The name of a copy; ``version`` is that of the schema it keeps, before a newer one."""
    of_version = "" if version is None else f"-schema-{version}"
    return f"{database.stem}{of_version}-{now.astimezone(UTC).strftime(_STAMP)}.sqlite"


def made_at(copy: Path) -> datetime | None:
    """When a copy was made, by its name; None where this is no name of one."""
    match = _NAME.search(copy.name)
    if match is None:
        return None
    try:
        return datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC)
    except ValueError:
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


def copy_file(database: Path, out: Path) -> None:
    """Copy an SQLite database, while others may write to it, to a file that is not there yet.

    Raises
    ------
    StoreError
        It cannot be read or written, or the copy is not sound; then there is none.
    """
    with border(f"The label database {database} cannot be copied to {out}"):
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.exists():
            raise StoreError(f"{out} is there already; a backup never replaces a file.")
        with sqlite.new_file(out) as new:
            source = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
            with closing(source), closing(sqlite3.connect(new)) as target:
                source.backup(
                    target,
                    pages=_PAGES_AT_ONCE,
                    # Else the lock would be taken again before a writer can have it.
                    progress=lambda *_: time.sleep(_BREATH_SECONDS),
                )
                verdict = target.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise StoreError(f"The label database {database} is damaged ({verdict}).")
