"""The chain that lets tampering show: each event carries a hash of itself and of all before it.

The hash of an event is SHA-256 over the hash of the event before it and its own fields as canonical
JSON, in the order of the sequence numbers, over all logs. How many there are and the last hash are
kept beside, so that a tail that was cut off shows, too. The runs with their candidates have a chain
of their own. Whoever can write the database can compute a chain anew: one that is to be held
against him needs its last hash kept elsewhere, as `verify` prints it and a backup keeps it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from viewer.review import schema

EVENTS = "chain_of_events"
RUNS = "chain_of_runs"
"""Keys in ``meta``. On PostgreSQL a writer locks the row of the events: see ``postgres.py``."""

_UNHASHED = ("sequence", "hash")
AT_ONCE = 500  # fewer than the variables that any SQLite takes in one statement

Row = Mapping[Any, Any]
"""Column name to value, as it is inserted or read."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: how many are in it, and the hash of the last one."""

    count: int = 0
    hash: str = "0" * 64

    def then(self, content: Mapping[str, Any]) -> Head:
        """The end of the chain after one more."""
        # Null is left out: a column that comes later is null in what was hashed without it.
        known = {name: value for name, value in content.items() if value is not None}
        text = json.dumps(known, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return Head(
            self.count + 1, hashlib.sha256(f"{self.hash}\n{text}".encode("ascii")).hexdigest()
        )

    def __str__(self) -> str:
        return f"{self.count} {self.hash}"


def head(connection: Connection, chain: str) -> Head:
    """The end of a chain as it is kept.

    Raises
    ------
    ValueError
        It is not there, or no such thing.
    """
    table = schema.meta
    text = connection.scalar(sa.select(table.c.value).where(table.c.key == chain))
    count, _, last = (text or "").partition(" ")
    if not count.isdigit() or len(last) != 64:
        raise ValueError(f"{chain} is not there")
    return Head(int(count), last)


def put_head(connection: Connection, chain: str, end: Head) -> bool:
    """Keep the end of a chain; False where none was kept before."""
    table = schema.meta
    changed = sa.update(table).where(table.c.key == chain).values(value=str(end))
    return connection.execute(changed).rowcount == 1


def events(connection: Connection, after: int) -> Sequence[sa.Row[Any]]:
    """The rows of the next events in the order of the chain, behind a sequence number."""
    return _next(connection, schema.events, after)


def runs(connection: Connection, after: int) -> Sequence[tuple[Row, Sequence[Row]]]:
    """The rows of the next runs in the order of the chain, each with those of its candidates."""
    found = [row._mapping for row in _next(connection, schema.runs, after)]
    table = schema.candidates
    query = (
        sa.select(table)
        .where(table.c.run_id.in_([run["id"] for run in found]))
        .order_by(table.c.run_id, table.c.position)
    )
    candidates: dict[str, list[Row]] = {}
    for row in connection.execute(query).mappings():
        candidates.setdefault(row["run_id"], []).append(row)
    return [(run, candidates.get(run["id"], ())) for run in found]


def _next(connection: Connection, table: sa.Table, after: int) -> Sequence[sa.Row[Any]]:
    query = (
        sa.select(table).where(table.c.sequence > after).order_by(table.c.sequence).limit(AT_ONCE)
    )
    return connection.execute(query).all()


def event_content(row: Row) -> dict[str, Any]:
    """What is hashed of an event."""
    return _content(schema.events, row)


def run_content(run: Row, candidates: Iterable[Row]) -> dict[str, Any]:
    """What is hashed of a run, with its candidates in the order of their positions."""
    found = [_content(schema.candidates, candidate) for candidate in candidates]
    return _content(schema.runs, run) | {"candidates": found}


def _content(table: sa.Table, row: Row) -> dict[str, Any]:
    return {column.name: row[column.name] for column in table.c if column.name not in _UNHASHED}
