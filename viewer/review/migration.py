"""Bringing a label database of an earlier version up to date, in one transaction.

Version 3 needs no change of the tables: it keeps those away that would take a measurement among
the events for damage. Version 4 adds the logs of several readers, the chains and the worklist.
"""

from __future__ import annotations

from collections.abc import Mapping

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
        _chain_events(connection)
        _chain_runs(connection)
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


def _chain_events(connection: Connection) -> None:
    end, last = chain.Head(), 0
    while rows := chain.events(connection, last):
        hashes = {}
        for row in rows:
            last = row.sequence
            end = end.then(chain.event_content(row._mapping))
            hashes[last] = end.hash
        _put_hashes(connection, schema.events, hashes)
    _put_first_head(connection, chain.EVENTS, end)


def _chain_runs(connection: Connection) -> None:
    end, last = chain.Head(), 0
    while rows := chain.runs(connection, last):
        hashes = {}
        for run, candidates in rows:
            last = run["sequence"]
            end = end.then(chain.run_content(run, candidates))
            hashes[last] = end.hash
        _put_hashes(connection, schema.runs, hashes)
    _put_first_head(connection, chain.RUNS, end)


def _put_hashes(connection: Connection, table: sa.Table, hashes: Mapping[int, str]) -> None:
    changed = (
        sa.update(table)
        .where(table.c.sequence == sa.bindparam("of"))
        .values(hash=sa.bindparam("now"))
    )
    connection.execute(changed, [{"of": of, "now": now} for of, now in hashes.items()])


def _put_first_head(connection: Connection, key: str, end: chain.Head) -> None:
    if not chain.put_head(connection, key, end):
        connection.execute(sa.insert(schema.meta), [{"key": key, "value": str(end)}])
