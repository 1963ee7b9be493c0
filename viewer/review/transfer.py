"""All rows from one database into another: how a server is backed up, and a backup put on one."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from viewer.errors import StoreError
from viewer.review import postgres, schema, sqlite
from viewer.review.database import border, reading
from viewer.review.place import Server

_AT_ONCE = 1000  # rows in memory


def server_to_file(engine: Engine, out: Path) -> None:
    """Copy what a server has at one moment to an SQLite file that is not there yet.

    Raises
    ------
    StoreError
        It cannot be read or written; then there is no file.
    """
    with border(f"The label database cannot be copied to {out}"):
        out.parent.mkdir(parents=True, exist_ok=True)
        with sqlite.unnamed(out) as new:
            sqlite.make(new, lambda connection: _fill_from(engine, connection))
            sqlite.publish(new, out)


def file_to_server(engine: Engine, place: Server) -> None:
    """Put all rows of an SQLite database on a server that has none yet.

    Raises
    ------
    StoreError
        There are labels on it already; or it cannot be read or written, then nothing was.
    """

    def fill(connection: Connection) -> None:
        _fill_from(engine, connection)
        postgres.settle(connection)

    server = postgres.engine_of(place)
    try:
        with border(f"The label database {place} cannot be written"):
            if not postgres.create(server, place, fill):
                raise StoreError(
                    f"The database {place} holds labels already: a backup is only put into an "
                    "empty one."
                )
    finally:
        server.dispose()


def _fill_from(source: Engine, connection: Connection) -> None:
    schema.metadata.create_all(connection)
    with reading(source) as there:
        for table in schema.metadata.sorted_tables:
            # The order of the keys: an event comes after the one that it undoes.
            query = sa.select(table).order_by(*table.primary_key.columns)
            rows = there.execute(query, execution_options={"yield_per": _AT_ONCE}).mappings()
            for some in rows.partitions():
                connection.execute(sa.insert(table), [dict(row) for row in some])
