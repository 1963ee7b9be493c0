"""What is special to SQLite: one file, made whole, that never vanishes unnoticed.

It runs with a rollback journal and synchronous FULL: a commit that has returned survives the loss
of power. Write-ahead logging is left alone, since a corruption with two connections was only mended
in SQLite 3.51.3.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event as sa_event
from sqlalchemy.engine import Connection, Engine

from viewer.errors import StoreError
from viewer.review import database
from viewer.review.database import border, to_json, writing

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def engine_of(path: Path, mode: str = "rw") -> Engine:
    """The way to an existing file; ``mode`` is rw, or ro where nothing may be written."""

    def connect() -> sqlite3.Connection:
        # Never rwc: SQLite shall not put an empty database where one has vanished.
        return sqlite3.connect(
            f"{path.as_uri()}?mode={mode}",
            uri=True,
            timeout=database.BUSY_SECONDS,
            check_same_thread=False,
        )

    def set_up(connection: Any, record: Any) -> None:
        _set_up_connection(connection)
        record.info["file"] = _identity(path)

    def begin(connection: Connection) -> None:
        # A writer takes its lock at once: asking for it in mid-transaction fails without waiting
        # when another process wants the same.
        write = connection.get_execution_options().get("lightbox_write", False)
        if write and connection.info["file"] != _identity(path):
            # SQLite would go on writing into the file that has no name any more.
            raise StoreError(f"The label database {path} was removed or replaced; start again.")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    engine = sa.create_engine(
        "sqlite://",
        creator=connect,
        poolclass=sa.QueuePool,
        pool_size=1,  # one thread at a time
        max_overflow=0,
        json_serializer=to_json,
    )
    sa_event.listen(engine, "connect", set_up)
    sa_event.listen(engine, "begin", begin)
    return engine


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _set_up_connection(connection: sqlite3.Connection) -> None:
    # The driver would start transactions late and leave reads out of them: we say BEGIN ourselves.
    connection.isolation_level = None
    for pragma in ("synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def create(path: Path, fill: Callable[[Connection], None]) -> None:
    """Make a new database whole under another name first: a crash leaves none or all of it.

    Raises
    ------
    StoreError
        It cannot be written, or a journal lies there without its database.
    """
    journal = journal_of(path)
    if journal.exists():
        raise StoreError(
            f"The label database {path} is gone but its journal is still there; restore the "
            "database beside it, or move the journal away to start a new one."
        )
    with border(f"No label database can be made in {path.parent}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with new_file(path) as new:
            engine = engine_of(new)
            try:
                with writing(engine) as connection:
                    fill(connection)
            finally:
                engine.dispose()


def journal_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-journal")


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """An empty file of its owner alone, which gets the name ``path`` when the block has ended.

    Where another process was first with that name, its file stays.
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        yield new
        _publish(new, path)
    finally:
        new.unlink(missing_ok=True)


def _publish(new: Path, path: Path) -> None:
    try:
        os.link(new, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not path.exists():
            new.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, too."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def damage(engine: Engine) -> str:
    """What is wrong with the file, in SQLite's words; empty where it is sound.

    Raises
    ------
    sqlite3.Error
        It cannot be read for another reason.
    """
    try:
        connection = engine.raw_connection()
        try:
            verdict = [row[0] for row in connection.cursor().execute("PRAGMA quick_check(3)")]
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode not in _DAMAGED:
            raise
        return str(error)
    return "" if verdict == ["ok"] else str(verdict[0])


def keep_rollback_journal(engine: Engine) -> None:
    """The journal that this file promises, whoever had the database before."""
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA journal_mode = DELETE")
    finally:
        connection.close()
