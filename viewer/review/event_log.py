"""Writing to the logs: who is whose, and which place an event gets in its log.

A log is what one reader says of one patient's study, or the consensus on it. Its events are
numbered from 1; an event that was decided upon a state of the log that is not its last any more is
refused, so that no desk overwrites what another one has just said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from viewer.dicom.model import ImageKey
from viewer.errors import ConflictError
from viewer.review import schema
from viewer.review.finding import Event
from viewer.review.fold import subject_of
from viewer.review.rows import event_to_row, log_name


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
    kept = []
    for event in events:
        log = _Log(
            event.study_uid, _patient_key(connection, event), event.role.value, log_name(event)
        )
        if log not in lasts:
            lasts[log] = log.last(connection)
            if after is not None and lasts[log] != after:
                raise ConflictError("This study was changed at another desk in the meantime.")
        lasts[log] += 1
        kept.append(replace(event, revision=lasts[log]))
        row = event_to_row(kept[-1]) | {"patient_key": log.patient_key}
        # One by one: the order of their sequence numbers is theirs.
        connection.execute(sa.insert(schema.events), [row])
    return tuple(kept)


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
