"""A PostgreSQL of the benchmark's own, where one is installed; it writes through to the disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.review.postgres_server import PostgresAbsentError, PostgresServer
from viewer.review.place import Server


@contextmanager
def started() -> Iterator[Server | str]:
    """An empty database on it, or why there is none."""
    try:
        server = PostgresServer(fsync=True)
    except PostgresAbsentError as reason:
        yield str(reason)
        return
    try:
        yield server.new_database()
    finally:
        server.stop()
