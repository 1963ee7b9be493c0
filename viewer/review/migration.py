"""Bringing a label database of an earlier version up to date, in one transaction.

Version 3 needs no change of the tables: it keeps those away that would take a measurement among
the events for damage. Version 4 adds the logs of several readers, the chains and the worklist.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from viewer.review import chain, schema, study_rows
from viewer.review.database import writing


def bring_up_to_date(engine: Engine) -> None:
    """Add what earlier versions had not; a database that another process was faster with stays."""
    table = schema.meta
    version = sa.select(table.c.value).where(table.c.key == "schema_version")
    with writing(engine) as connection:
        if int(connection.scalar(version) or 0) >= schema.SCHEMA_VERSION:
            return
        for grown in (schema.images, schema.runs, schema.events):
            _add_columns(connection, grown)
        _put_into_logs(connection)
        schema.metadata.create_all(connection)  # the tables that are new
        for index in schema.events.indexes:
            index.create(connection, checkfirst=True)
        _chain_all(connection)
        study_rows.count_all(connection)
        connection.execute(
            sa.update(table)
            .where(table.c.key == "schema_version")
            .values(value=str(schema.SCHEMA_VERSION))
        )


def _add_columns(connection: Connection, table: sa.Table) -> None:
    there = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
    for column in table.c:
        if column.name not in there:
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


def _chain_all(connection: Connection) -> None:
    ends = []
    end = chain.Head()
    for row in chain.events(connection):
        end = end.then(chain.event_content(row))
        ends.append({"of": row["sequence"], "is": end.hash})
    _put_chain(connection, schema.events, ends, chain.EVENTS, end)
    ends = []
    end = chain.Head()
    for run, candidates in chain.runs(connection):
        end = end.then(chain.run_content(run, candidates))
        ends.append({"of": run["sequence"], "is": end.hash})
    _put_chain(connection, schema.runs, ends, chain.RUNS, end)


def _put_chain(
    connection: Connection,
    table: sa.Table,
    hashes: Sequence[dict[str, Any]],
    key: str,
    end: chain.Head,
) -> None:
    if hashes:
        changed = sa.update(table).where(table.c.sequence == sa.bindparam("of"))
        connection.execute(changed.values(hash=sa.bindparam("is")), hashes)
    if not chain.put_head(connection, key, end):
        connection.execute(sa.insert(schema.meta), [{"key": key, "value": str(end)}])
