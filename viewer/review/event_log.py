"""Writing to the logs: who is whose, and which place an event gets in its log and in the chain.

A log is what one reader says of one patient's study, or the consensus on it. Its events are
numbered from 1; an event that was decided upon a state of the log that is not its last any more is
refused, so that no desk overwrites what another one has just said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from viewer.dicom.model import ImageKey
from viewer.errors import ConflictError
from viewer.review import chain, schema
from viewer.review.finding import Event, Role
from viewer.review.fold import subject_of
from viewer.review.rows import event_to_row, log_name
from viewer.review.study_rows import recount_log

_CHANGED = "This study was changed at another desk in the meantime."
_PLACE = "place_in_log"  # the unique index in the schema


@dataclass(frozen=True, slots=True)
class _Log:
    study_uid: str
    patient_key: str
    role: str
    log: str

    def last(self, connection: Connection) -> int:
        """The number of its last event; 0 where it is empty."""
        columns = schema.events.c
        query = sa.select(sa.func.max(columns.revision)).where(
            columns.study_uid == self.study_uid,
            columns.patient_key == self.patient_key,
            columns.role == self.role,
            columns.log == self.log,
        )
        return connection.scalar(query) or 0


def append(connection: Connection, events: Sequence[Event], after: int | None) -> tuple[Event, ...]:
    """Insert events in this order; as they are kept, with their places in their logs.

    Raises
    ------
    ConflictError
        ``after`` is given and another event has come after that one since.
    """
    lasts: dict[_Log, int] = {}
    end = chain.head(connection, chain.EVENTS)
    kept = []
    for event in events:
        log = _Log(
            event.study_uid, _patient_key(connection, event), event.role.value, log_name(event)
        )
        if log not in lasts:
            lasts[log] = log.last(connection)
            if after is not None and lasts[log] != after:
                raise ConflictError(_CHANGED)
        lasts[log] += 1
        kept.append(replace(event, revision=lasts[log], patient_key=log.patient_key))
        row = event_to_row(kept[-1])
        end = end.then(chain.event_content(row))
        _insert(connection, row | {"hash": end.hash})
    chain.put_head(connection, chain.EVENTS, end)
    for log in lasts:
        recount_log(connection, log.study_uid, log.patient_key, Role(log.role), log.log)
    return tuple(kept)


def _insert(connection: Connection, row: dict[str, Any]) -> None:
    # One by one: the order of their sequence numbers is theirs.
    try:
        connection.execute(sa.insert(schema.events), [row])
    except sa.exc.IntegrityError as error:
        # Writers come one after the other; this is for one that does not keep to it. SQLite names
        # the columns of a unique index, PostgreSQL its name.
        if "events.revision" in str(error.orig) or _PLACE in str(error.orig):
            raise ConflictError(_CHANGED) from error
        raise


def _patient_key(connection: Connection, event: Event) -> str:
    """Whose study it is: that of the image it is about, or of the first one that it covers."""
    subject = subject_of(event)
    keys: tuple[ImageKey, ...] = event.covers if subject is None else (subject.image,)
    table = schema.images
    for key in keys:
        found = connection.scalar(
            sa.select(table.c.patient_key).where(
                table.c.uid == key.uid, table.c.frame_number == key.frame_number
            )
        )
        if found is not None:
            return str(found)
    return ""
