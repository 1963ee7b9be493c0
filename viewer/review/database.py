"""Opening the label database, and its transactions: where SQLAlchemy's errors end.

What is special to SQLite is in this file. It runs with a rollback journal and synchronous FULL: a
commit that has returned survives the loss of power. Write-ahead logging is left alone, since a
corruption with two connections was only mended in SQLite 3.51.3.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event as sa_event
from sqlalchemy.engine import Connection, Engine

from viewer.errors import StoreError
from viewer.review import schema

BUSY_SECONDS = 10
"""How long a writer waits for another process to finish its transaction."""


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that sees one state of the database."""
    with _border("The label database cannot be read"), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction; what it wrote is on the disk when the block has ended."""
    with (
        _border("The label database cannot be written"),
        engine.connect().execution_options(lightbox_write=True) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def _border(what_failed: str) -> Iterator[None]:
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        raise StoreError(f"{what_failed}: {cause}.") from error
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{what_failed}: {error}.") from error
    except (ValueError, KeyError, TypeError) as error:  # a row that holds no such value
        raise StoreError(f"{what_failed}: a record in it is damaged ({error}).") from error


def open_database(path: Path) -> tuple[Engine, bytes]:
    """The database at ``path`` with its secret; it is made where there is none.

    Raises
    ------
    StoreError
        The file is damaged, is something else, was written by a newer version, or cannot be
        written. It is left as it is.
    """
    path = path.absolute()
    if not os.path.lexists(path):
        _create(path)
    engine = _engine(path)
    try:
        return engine, _check(engine, path)
    except BaseException:
        engine.dispose()
        raise


def _engine(path: Path) -> Engine:
    def connect() -> sqlite3.Connection:
        # mode=rw: SQLite shall never put an empty database where one has vanished.
        return sqlite3.connect(
            f"{path.as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS, check_same_thread=False
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
        json_serializer=_json,
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


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False)


def _set_up_connection(connection: sqlite3.Connection) -> None:
    # The driver would start transactions late and leave reads out of them: we say BEGIN ourselves.
    connection.isolation_level = None
    for pragma in ("synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _create(path: Path) -> None:
    """Make a new database whole under another name first: a crash leaves none or all of it."""
    failed = f"No label database can be made in {path.parent}"
    journal = path.with_name(f"{path.name}-journal")
    if journal.exists():
        raise StoreError(
            f"The label database {path} is gone but its journal is still there; restore the "
            "database beside it, or move the journal away to start a new one."
        )
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with _border(failed):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            _fill(new)
            _publish(new, path)
        finally:
            new.unlink(missing_ok=True)


def _fill(path: Path) -> None:
    engine = _engine(path)
    try:
        with writing(engine) as connection:
            schema.metadata.create_all(connection)
            now = datetime.now(UTC).isoformat()
            values = {
                "schema_version": str(schema.SCHEMA_VERSION),
                "secret": secrets.token_hex(32),
                "created_at": now,
                "opened_at": now,
            }
            connection.execute(
                sa.insert(schema.meta), [{"key": k, "value": v} for k, v in values.items()]
            )
    finally:
        engine.dispose()


def _publish(new: Path, path: Path) -> None:
    """Give the finished file its name, unless another process was first: then theirs is used."""
    try:
        os.link(new, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not path.exists():
            new.rename(path)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _check(engine: Engine, path: Path) -> bytes:
    """Refuse what is not a sound label database of this version; else return its secret."""
    with _border(f"The label database {path} cannot be opened"):
        connection = engine.raw_connection()
        try:
            verdict = [row[0] for row in connection.cursor().execute("PRAGMA quick_check(3)")]
        finally:
            connection.close()
    if verdict != ["ok"]:
        raise StoreError(
            f"The label database {path} is damaged ({verdict[0]}); it is left as it is."
        )
    version, secret = _meta(engine, path)
    if version > schema.SCHEMA_VERSION:
        raise StoreError(
            f"The label database {path} was written by a newer Lightbox (schema {version}, this "
            f"one knows {schema.SCHEMA_VERSION})."
        )
    with _border(f"The label database {path} cannot be written"):
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA journal_mode = DELETE")
        finally:
            connection.close()
    if version < schema.SCHEMA_VERSION:
        _bring_up_to_date(engine)
    # A disk that is full or a folder that is read-only is told now, not at the first decision.
    with writing(engine) as written:
        written.execute(
            sa.update(schema.meta)
            .where(schema.meta.c.key == "opened_at")
            .values(value=datetime.now(UTC).isoformat())
        )
    return secret


def _bring_up_to_date(engine: Engine) -> None:
    """Add what earlier versions had not, in one transaction.

    Version 3 needs no change of the tables. It keeps those away that would take a measurement
    among the events for damage.
    """
    with writing(engine) as connection:
        for table in (schema.runs, schema.events):
            _add_columns(connection, table)
        _put_into_logs(connection)
        for index in schema.events.indexes:
            index.create(connection, checkfirst=True)
        connection.execute(
            sa.update(schema.meta)
            .where(schema.meta.c.key == "schema_version")
            .values(value=str(schema.SCHEMA_VERSION))
        )


def _add_columns(connection: Connection, table: sa.Table) -> None:
    there = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
    for column in table.c:
        if column.name not in there:  # another window may have been quicker
            definition = sa.schema.CreateColumn(column).compile(dialect=connection.dialect)
            connection.execute(sa.text(f"ALTER TABLE {table.name} ADD COLUMN {definition}"))


def _put_into_logs(connection: Connection) -> None:
    """Give the events of before version 4 their places in the logs of their readers."""
    events, images = schema.events, schema.images
    last: dict[tuple[str, str, str], int] = {}
    patients = {
        (row.uid, row.frame_number): row.patient_key
        for row in connection.execute(
            sa.select(images.c.uid, images.c.frame_number, images.c.patient_key)
        )
    }
    rows = connection.execute(
        sa.select(events).where(events.c.revision == 0).order_by(events.c.sequence)
    ).all()
    for row in rows:
        covered = ((key["uid"], key["frame_number"]) for key in row.covers)
        about = next(covered, None) if row.image_uid is None else (row.image_uid, row.frame_number)
        patient = "" if about is None else patients.get(about, "")
        log = row.study_uid, patient, row.reader
        last[log] = last.get(log, 0) + 1
        connection.execute(
            sa.update(events)
            .where(events.c.sequence == row.sequence)
            .values(patient_key=patient, log=row.reader, revision=last[log])
        )


def _meta(engine: Engine, path: Path) -> tuple[int, bytes]:
    with reading(engine) as connection:
        if not sa.inspect(connection).has_table(schema.meta.name):
            raise StoreError(f"{path} is not a Lightbox label database; it is left as it is.")
        table = schema.meta
        values = {row.key: row.value for row in connection.execute(sa.select(table))}
    with suppress(KeyError, ValueError):
        return int(values["schema_version"]), bytes.fromhex(values["secret"])
    raise StoreError(f"{path} is not a Lightbox label database; it is left as it is.")
