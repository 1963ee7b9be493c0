"""What is special to PostgreSQL: several desks on one server that may go away and come back.

A writer locks the one row that the chain of events hangs on, and works in READ COMMITTED: every
statement after the lock sees what the writer before has committed. A reader sees one state
(REPEATABLE READ). No desk holds the others up for longer than the time-outs below.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event as sa_event
from sqlalchemy.engine import Connection, Engine

from viewer.errors import StoreError
from viewer.review import chain, database, schema
from viewer.review.database import to_json
from viewer.review.place import Server

_CONNECT_SECONDS = 5
_STATEMENT_SECONDS = 60
_SILENT_SECONDS = 30
"""A desk that hangs in mid-transaction loses it, and with it the lock."""

_KEEPALIVE = {"keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 3}
"""A server that is cut off is noticed after half a minute, not after two hours."""

_CREATE_LOCK = 0x4C49_4748_5442_4F58
"""Of those who would make the tables at the same time."""


def engine_of(server: Server) -> Engine:
    """The way to a database on a server; nothing is connected yet.

    Raises
    ------
    StoreError
        The driver does not understand the URL.
    """
    try:
        engine = sa.create_engine(
            server.url,
            pool_size=1,  # one thread at a time
            max_overflow=0,
            pool_pre_ping=True,  # the server may have restarted since
            json_serializer=to_json,
            connect_args={"connect_timeout": _CONNECT_SECONDS, **_KEEPALIVE},
        )
    except (sa.exc.SQLAlchemyError, ValueError) as error:
        raise StoreError(
            f"The label database {server} cannot be opened: {server.without_password(str(error))}."
        ) from None  # the cause may hold the password
    sa_event.listen(engine, "connect", _set_up_connection)
    sa_event.listen(engine, "begin", _begin)
    return engine


def _set_up_connection(connection: Any, _record: Any) -> None:
    limits = {
        "lock_timeout": database.BUSY_SECONDS,
        "statement_timeout": _STATEMENT_SECONDS,
        "idle_in_transaction_session_timeout": _SILENT_SECONDS,
    }
    with connection.cursor() as cursor:
        for name, seconds in limits.items():
            cursor.execute(f"SET {name} = {round(seconds * 1000)}")
        cursor.execute("SET synchronous_commit = on")  # a commit that returned is on the disk
    connection.commit()


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("lightbox_create", False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_CREATE_LOCK})")
    elif options.get("lightbox_write", False):
        connection.execute(
            sa.select(schema.meta.c.value)
            .where(schema.meta.c.key == chain.EVENTS)
            .with_for_update()
        )
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def create(engine: Engine, server: Server, fill: Callable[[Connection], None]) -> bool:
    """Have ``fill`` make the tables where there are none, once, whoever else is at it.

    Returns
    -------
    bool
        True where it did, False where there were tables of a label database already.

    Raises
    ------
    StoreError
        Tables of another program are in their place.
    """
    with (
        engine.connect().execution_options(lightbox_create=True) as connection,
        connection.begin(),
    ):
        there = set(sa.inspect(connection).get_table_names())
        if schema.meta.name in there:
            return False
        foreign = there & set(schema.metadata.tables)
        if foreign:
            raise StoreError(
                f"The database {server} has a table {min(foreign)} of another program; the labels "
                "need a database of their own."
            )
        fill(connection)
    return True


def settle(connection: Connection) -> None:
    """After rows came with their numbers: the next ones get higher ones, and are found fast."""
    for table in schema.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            highest = connection.scalar(sa.select(sa.func.max(column)))
            if highest is not None:
                counter = sa.func.pg_get_serial_sequence(table.name, column.name)
                connection.execute(sa.select(sa.func.setval(counter, highest)))
    connection.exec_driver_sql("ANALYZE")  # else it searches whole tables until it does so itself
