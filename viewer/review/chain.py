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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from viewer.review import schema

EVENTS = "chain_of_events"
RUNS = "chain_of_runs"
"""Keys in ``meta``. On PostgreSQL a writer locks the row of the events: see ``postgres.py``."""

_UNHASHED = ("sequence", "hash")
_AT_ONCE = 1000  # rows in memory

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


def events(connection: Connection) -> Iterator[Row]:
    """The rows of all events in the order of the chain."""
    return _rows(connection, sa.select(schema.events).order_by(schema.events.c.sequence))


def runs(
    connection: Connection,
) -> Iterator[tuple[Row, Sequence[Row]]]:
    """The rows of all runs in the order of the chain, each with those of its candidates."""
    run, candidate = schema.runs, schema.candidates
    found = groupby(
        _rows(
            connection,
            sa.select(run.c.sequence, candidate)
            .join(run, candidate.c.run_id == run.c.id)
            .order_by(run.c.sequence, candidate.c.position),
        ),
        lambda row: row["sequence"],
    )
    sequence, candidates = next(found, (None, ()))
    for row in _rows(connection, sa.select(run).order_by(run.c.sequence)):
        if row["sequence"] != sequence:
            yield row, ()
            continue
        yield row, tuple(candidates)
        sequence, candidates = next(found, (None, ()))


def _rows(connection: Connection, query: sa.Select[Any]) -> Iterator[Row]:
    yield from connection.execute(query, execution_options={"yield_per": _AT_ONCE}).mappings()


def event_content(row: Row) -> dict[str, Any]:
    """What is hashed of an event."""
    return _content(schema.events, row)


def run_content(run: Row, candidates: Iterable[Row]) -> dict[str, Any]:
    """What is hashed of a run, with its candidates in the order of their positions."""
    found = [_content(schema.candidates, candidate) for candidate in candidates]
    return _content(schema.runs, run) | {"candidates": found}


def _content(table: sa.Table, row: Row) -> dict[str, Any]:
    return {column.name: row[column.name] for column in table.c if column.name not in _UNHASHED}
