"""SQL beside the store: what somebody does who does not ask it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.review.postgres_server import connect_to
from viewer.review.place import Place


def run(place: Place, *statements: str) -> list[Sequence[Any]]:
    """Run statements that no rule of the tables stops; the rows of the last one."""
    if isinstance(place, Path):
        with closing(sqlite3.connect(place)) as connection, connection:
            for statement in statements:
                rows = connection.execute(statement).fetchall()
        return rows
    with connect_to(place) as server:
        server.execute("SET session_replication_role = replica")  # no foreign keys
        for statement in statements:
            cursor = server.execute(statement)
        return cursor.fetchall() if cursor.description else []


def columns(place: Place, table: str) -> list[str]:
    if isinstance(place, Path):
        return [row[1] for row in run(place, f"PRAGMA table_info({table})")]
    query = f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'"
    return [row[0] for row in run(place, f"{query} ORDER BY ordinal_position")]
