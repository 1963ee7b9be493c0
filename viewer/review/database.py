"""The transactions of the label database: where the errors of SQLAlchemy and the drivers end.

There is one writer at a time on SQLite and on PostgreSQL: a writing transaction takes its lock when
it begins (see ``sqlite.py`` and ``postgres.py``), so that what it reads is still so when it writes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from viewer.errors import StoreError

BUSY_SECONDS = 10
"""How long a writer waits for another process to finish its transaction."""

READ_ONLY = "lightbox_read_only"
"""Option of an engine: the sentence that says why nothing can be written."""


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that sees one state of the database."""
    with border("The label database cannot be read"), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction; what it wrote is on the disk when the block has ended."""
    reason = read_only(engine)
    if reason:
        raise StoreError(reason)
    with (
        border("The label database cannot be written"),
        engine.connect().execution_options(lightbox_write=True) as connection,
        connection.begin(),
    ):
        yield connection


def read_only(engine: Engine) -> str:
    """Why nothing can be written, in a sentence; empty where it can."""
    return str(engine.get_execution_options().get(READ_ONLY, ""))


@contextmanager
def border(what_failed: str) -> Iterator[None]:
    """Turn what goes wrong in a block into a StoreError of one sentence."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise StoreError(_sentence(what_failed, error.orig)) from error
    except sa.exc.SQLAlchemyError as error:
        raise StoreError(_sentence(what_failed, error)) from error
    except (OSError, sqlite3.Error) as error:
        raise StoreError(_sentence(what_failed, error)) from error
    except (ValueError, KeyError, TypeError) as error:  # a row that holds no such value
        raise StoreError(f"{what_failed}: a record in it is damaged ({error}).") from error


def _sentence(what_failed: str, cause: BaseException | None) -> str:
    text = (cause.strerror if isinstance(cause, OSError) else None) or str(cause)
    words = next(iter(text.strip().splitlines()), "no reason was given").rstrip(".")
    if getattr(cause, "sqlstate", "") is None:  # psycopg: no statement was answered
        _, refused, reason = words.partition("FATAL:")
        words = reason.strip() if refused else f"its server cannot be reached ({words})"
    return f"{what_failed}: {words}."


def to_json(value: Any) -> str:
    return json.dumps(value, allow_nan=False)
