"""Keeping one decision, beside the bare insert of one row that is written through to the disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.reading_room.figures import Absent, Figure, Line, medians, ms
from benchmarks.review import department, server
from tests.review.postgres_server import connect_to
from viewer.review import opening, transfer
from viewer.review.place import Place, Server
from viewer.review.session import ReviewSession
from viewer.review.store import Store

_TIMES = 60
_ROW = "x" * 1500  # as long as an event
_TABLE = "CREATE TABLE bare (id {0}, text TEXT NOT NULL)"


def measure() -> Iterator[Line]:
    with TemporaryDirectory() as folder:
        path = Path(folder, "labels.sqlite")
        with Store.open(path) as store:
            department.fill(store, 2000)
        with closing(sqlite3.connect(Path(folder, "bare.sqlite"), isolation_level=None)) as bare:
            bare.execute("PRAGMA synchronous = FULL")
            bare.execute(_TABLE.format("INTEGER PRIMARY KEY AUTOINCREMENT"))

            def insert() -> None:
                bare.execute("BEGIN IMMEDIATE")
                bare.execute("INSERT INTO bare (text) VALUES (?)", (_ROW,))
                bare.execute("COMMIT")

            yield from _decided("SQLite", path, insert)
        with server.started() as place:
            if isinstance(place, Server):
                with opening.of_this_version(path) as engine:
                    transfer.file_to_server(engine, place)
                with connect_to(place) as connection:
                    connection.execute(_TABLE.format("SERIAL PRIMARY KEY"))

                    def insert_there() -> None:
                        connection.execute("INSERT INTO bare (text) VALUES (%s)", (_ROW,))

                    yield from _decided("PostgreSQL", place, insert_there)
            else:
                yield Absent("a decision, kept, PostgreSQL", place)


def _decided(words: str, place: Place, insert: Callable[[], None]) -> Iterator[Line]:
    """In turns, each time on a study that was not decided on before."""
    with Store.open(place) as store:
        sessions = iter(
            [
                ReviewSession(store, department.study_uid(number), department.READER)
                for number in range(_TIMES)
            ]
        )

        def ours() -> None:
            session = next(sessions)
            session.doubt(session.findings()[0].id)

        mine, theirs = medians((ours, insert), _TIMES)
    yield Figure(f"a decision, kept, {words}", mine * 1000, "ms", 50)
    detail = f"{ms(mine)} to {ms(theirs)}"
    # To a server each of the dozen statements goes and comes back for itself.
    limit = 3 if words == "SQLite" else 10
    yield Figure("the same beside one row inserted", mine / theirs, "bare SQL", limit, detail)
