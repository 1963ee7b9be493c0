"""What is special to SQLite: one file, made whole, that never vanishes unnoticed.

It runs with a rollback journal and synchronous FULL: a commit that has returned survives the loss
of power. Write-ahead logging is left alone, since a corruption with two connections was only mended
in SQLite 3.51.3.
"""

from __future__ import annotations

import errno
import os
import random
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event as sa_event
from sqlalchemy.engine import Connection, Engine

from viewer.errors import StoreError
from viewer.review import database
from viewer.review.database import border, to_json, writing

_ASKING_SECONDS = 0.001, 0.006
"""Between two attempts at the lock: a random time, so that each desk gets its turn."""

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def engine_of(path: Path) -> Engine:
    """The way to an existing file."""

    def connect() -> sqlite3.Connection:
        return connect_to(path, check_same_thread=False)

    def set_up(connection: Any, record: Any) -> None:
        _set_up_connection(connection)
        record.info["file"] = _identity(path)

    def begin(connection: Connection) -> None:
        if not connection.get_execution_options().get("lightbox_write", False):
            connection.exec_driver_sql("BEGIN")
            return
        _begin_writing(connection)
        if connection.info["file"] != _identity(path):
            # SQLite would go on writing into the file that has no name any more.
            connection.exec_driver_sql("ROLLBACK")
            raise StoreError(f"The label database {path} was removed or replaced; start again.")

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


def connect_to(path: Path, *, check_same_thread: bool = True) -> sqlite3.Connection:
    """A connection of the driver to an existing file."""
    # mode=rw: SQLite shall never put an empty database where one has vanished.
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=database.BUSY_SECONDS,
        check_same_thread=check_same_thread,
    )


def _code(error: sqlite3.Error) -> int:
    return error.sqlite_errorcode & 0xFF  # the kind of error; the rest says more of it


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


def _begin_writing(connection: Connection) -> None:
    """Take the lock of the one writer.

    At once: asking for it in mid-transaction fails without waiting when another process wants the
    same. SQLite's own waiting asks ever more seldom, up to ten times a second: among several desks
    that write without a pause, one that is late would wait until it gives up.
    """
    driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    until = time.monotonic() + database.BUSY_SECONDS
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(random.uniform(*_ASKING_SECONDS))
            else:
                return
    finally:
        driver.execute(f"PRAGMA busy_timeout = {round(database.BUSY_SECONDS * 1000)}")


def create(path: Path, fill: Callable[[Connection], None]) -> None:
    """Make a new database whole under another name first: a crash leaves none or all of it.

    Raises
    ------
    StoreError
        It cannot be written, or a journal lies there without its database.
    """
    if path.with_name(f"{path.name}-journal").exists():
        raise StoreError(
            f"The label database {path} is gone but its journal is still there; restore the "
            "database beside it, or move the journal away to start a new one."
        )
    with border(f"No label database can be made in {path.parent}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Where another process was first, its database is used.
        with suppress(FileExistsError), unnamed(path) as new:
            make(new, fill)
            publish(new, path)


def make(path: Path, fill: Callable[[Connection], None]) -> None:
    """Have ``fill`` work in the one transaction that makes an empty file a database."""
    engine = engine_of(path)
    try:
        with writing(engine) as connection:
            fill(connection)
    finally:
        engine.dispose()


@contextmanager
def unnamed(path: Path) -> Iterator[Path]:
    """An empty file of its owner alone, beside ``path``; it is gone after the block.

    ``publish`` gives it the name before.
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        yield new
    finally:
        new.unlink(missing_ok=True)


def publish(new: Path, path: Path) -> None:
    """Give a finished file its name.

    Raises
    ------
    FileExistsError
        Another process was first with that name; its file stays.
    """
    try:
        os.link(new, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        new.rename(path)
    sync_folder(path.parent)


def move_aside(path: Path, aside: Path) -> None:
    """Give a database another name, while nobody writes to it.

    Raises
    ------
    sqlite3.OperationalError
        Another process is writing to it, and goes on for longer than one waits.
    """
    connection = connect_to(path)
    try:
        with suppress_damage():
            # Even of a damaged file it first rolls back what a crash has left in the journal.
            connection.execute("BEGIN EXCLUSIVE")
        if os.name == "nt":
            connection.close()  # there an open file keeps its name, in other processes, too
        path.rename(aside)
    finally:
        connection.close()


@contextmanager
def suppress_damage() -> Iterator[None]:
    """Go on behind the block where the file is damaged; other errors are raised."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if _code(error) not in _DAMAGED:
            raise


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
        if _code(error) not in _DAMAGED:
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
