"""Opening the label database: made where there is none, refused where it is not sound.

It is brought up to date where an older version wrote it, and only read where a newer one did.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from viewer.errors import DamagedError, StoreError
from viewer.review import backup, chain, migration, postgres, schema, sqlite
from viewer.review.database import READ_ONLY, border, reading, writing
from viewer.review.place import Place, Server


def open_database(place: Place) -> tuple[Engine, bytes]:
    """The database of a file or a server with its secret; it is made where there is none.

    Raises
    ------
    DamagedError
        The file is damaged, or gone while backups of it are there. It is left as it is.
    StoreError
        It is something else, cannot be written, or its server is away.
    """
    if isinstance(place, Path):
        place = place.absolute()
        if not os.path.lexists(place):
            _refuse_if_lost(place)
            sqlite.create(place, fill)
    with _opened(place, make=True) as engine:
        return _of_this_version(engine, place)


@contextmanager
def existing(place: Place) -> Iterator[tuple[Engine, int]]:
    """A sound database that is there, and the version of its schema; nothing is written to it.

    Raises
    ------
    DamagedError
    StoreError
        There is none, it is something else, or its server is away.
    """
    if isinstance(place, Path) and not place.exists():
        raise StoreError(f"There is no label database {place}.")
    with _opened(place) as engine:
        try:
            yield engine, _meta(engine, place)[0]
        finally:
            engine.dispose()


@contextmanager
def of_this_version(place: Place) -> Iterator[Engine]:
    """The same, where this version of the program knows all that is in it."""
    with existing(place) as (engine, version):
        if version < schema.SCHEMA_VERSION:
            raise StoreError(
                f"The label database {place} was written by an earlier Lightbox; open it once, "
                "which brings it up to date."
            )
        if version > schema.SCHEMA_VERSION:
            raise StoreError(
                f"The label database {place} was written by a newer Lightbox; use that one."
            )
        yield engine


def restore(path: Path, copy: Path) -> Path | None:
    """Make a database what a copy of it is, and keep what is there now aside.

    Returns
    -------
    Where that is now, None where there was none.

    Raises
    ------
    StoreError
        The copy is no sound label database; or it cannot be put there, as ``put_in_place`` says.
    """
    with existing(copy):
        return backup.put_in_place(path, copy, datetime.now(UTC))


@contextmanager
def _opened(place: Place, *, make: bool = False) -> Iterator[Engine]:
    """The way to a sound database; it is closed where the block fails."""
    engine = postgres.engine_of(place) if isinstance(place, Server) else sqlite.engine_of(place)
    try:
        if isinstance(place, Path):
            _refuse_if_damaged(engine, place)
        elif make:
            with border(f"The label database {place} cannot be opened"):
                postgres.create(engine, place, fill)
        yield engine
    except BaseException:
        engine.dispose()
        raise


def fill(connection: Connection) -> None:
    """Make the tables of an empty database."""
    schema.metadata.create_all(connection)
    now = datetime.now(UTC).isoformat()
    values = {
        "schema_version": str(schema.SCHEMA_VERSION),
        "secret": secrets.token_hex(32),
        "created_at": now,
        "opened_at": now,
        chain.EVENTS: str(chain.Head()),
        chain.RUNS: str(chain.Head()),
    }
    connection.execute(sa.insert(schema.meta), [{"key": k, "value": v} for k, v in values.items()])


def _refuse_if_damaged(engine: Engine, path: Path) -> None:
    with border(f"The label database {path} cannot be opened"):
        wrong = "the file is empty" if path.stat().st_size == 0 else sqlite.damage(engine)
    if wrong:
        raise _damaged(path, f"is damaged ({wrong}); it is left as it is")


def _refuse_if_lost(path: Path) -> None:
    """Nobody shall find an empty list in the place of the one that has vanished."""
    if backup.copies(path):
        raise _damaged(path, "is gone, but backups of it are there")


def _damaged(path: Path, what: str) -> DamagedError:
    newest = next(iter(backup.copies(path)), None)
    at = None if newest is None else backup.made_at(newest)
    made = "" if at is None else f"{at.astimezone():%d %B %Y at %H:%M}"
    return DamagedError(f"The label database {path} {what}.", newest, made)


def _of_this_version(engine: Engine, place: Place) -> tuple[Engine, bytes]:
    version, secret = _meta(engine, place)
    if version > schema.SCHEMA_VERSION:
        reason = (
            f"The label database {place} was written by a newer Lightbox (schema {version}, this "
            f"one knows {schema.SCHEMA_VERSION}): it can be read, but nothing can be decided."
        )
        return engine.execution_options(**{READ_ONLY: reason}), secret
    if isinstance(place, Path):
        with border(f"The label database {place} cannot be written"):
            sqlite.keep_rollback_journal(engine)
    if version < schema.SCHEMA_VERSION:
        if isinstance(place, Path):
            backup.keep_version(place, version, datetime.now(UTC))
        migration.bring_up_to_date(engine)
    # A disk that is full or a folder that is read-only is told now, not at the first decision.
    with writing(engine) as connection:
        connection.execute(
            sa.update(schema.meta)
            .where(schema.meta.c.key == "opened_at")
            .values(value=datetime.now(UTC).isoformat())
        )
    return engine, secret


def _meta(engine: Engine, place: Place) -> tuple[int, bytes]:
    with reading(engine) as connection:
        if not sa.inspect(connection).has_table(schema.meta.name):
            raise StoreError(f"{place} is not a Lightbox label database; it is left as it is.")
        table = schema.meta
        values = {row.key: row.value for row in connection.execute(sa.select(table))}
    with suppress(KeyError, ValueError):
        return int(values["schema_version"]), bytes.fromhex(values["secret"])
    raise StoreError(f"{place} is not a Lightbox label database; it is left as it is.")
