"""Reading of one study what is kept of it: whole, or only what its summaries are counted from."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from viewer.dicom.model import ImageKey
from viewer.review import schema
from viewer.review.finding import Role
from viewer.review.record import ImageRecord, StudyRecord, of_images
from viewer.review.rows import (
    candidate_from_row,
    event_from_row,
    image_record_from_row,
    run_from_row,
)

Log = tuple[Role, str]
"""Role and reader, who is empty for the consensus."""


def load(connection: Connection, study_uid: str) -> StudyRecord:
    """Everything kept of a study."""
    images = schema.images
    query = (
        sa.select(images)
        .where(images.c.study_uid == study_uid)
        .order_by(images.c.uid, images.c.frame_number, images.c.seen)
    )
    present: dict[tuple[str, int], ImageRecord] = {}
    for row in connection.execute(query):  # the one seen last stays
        present[row.uid, row.frame_number] = image_record_from_row(row)
    return _said(connection, study_uid, tuple(present.values()))


def load_said(
    connection: Connection, study_uid: str, patient_key: str, log: Log | None = None
) -> tuple[StudyRecord, frozenset[ImageKey]]:
    """What was said of one patient's study, and its present images without their headers.

    Of all its events, or only of those of one log.

    The headers of a series of hundreds of images take longer to read than all the rest.
    """
    images = schema.images
    query = (
        sa.select(images.c.uid, images.c.frame_number, images.c.pixel_sha256, images.c.patient_key)
        .where(images.c.study_uid == study_uid)
        .order_by(images.c.uid, images.c.frame_number, images.c.seen)
    )
    last = {(row.uid, row.frame_number): row for row in connection.execute(query)}
    own = {place: row.pixel_sha256 for place, row in last.items() if row.patient_key == patient_key}
    record = _said(connection, study_uid, (), log)
    present = frozenset(ImageKey(*place, pixels) for place, pixels in own.items())
    return of_images(record, own.keys()), present


def _said(
    connection: Connection,
    study_uid: str,
    images: tuple[ImageRecord, ...],
    log: Log | None = None,
) -> StudyRecord:
    table, runs = schema.images, schema.runs
    candidates, events = schema.candidates, schema.events
    of_image = (
        (runs.c.image_uid == table.c.uid)
        & (runs.c.frame_number == table.c.frame_number)
        & (runs.c.pixel_sha256 == table.c.pixel_sha256)
    )
    of_study = table.c.study_uid == study_uid
    run_query = sa.select(runs).join(table, of_image).where(of_study).order_by(runs.c.sequence)
    candidate_query = (
        sa.select(candidates, runs.c.image_uid, runs.c.frame_number, runs.c.pixel_sha256)
        .join(runs, candidates.c.run_id == runs.c.id)
        .join(table, of_image)
        .where(of_study)
        .order_by(runs.c.sequence, candidates.c.position)
    )
    event_query = (
        sa.select(events).where(events.c.study_uid == study_uid).order_by(events.c.sequence)
    )
    if log is not None:
        event_query = event_query.where(events.c.role == log[0].value, events.c.log == log[1])
    return StudyRecord(
        study_uid=study_uid,
        images=images,
        runs=tuple(run_from_row(row) for row in connection.execute(run_query)),
        candidates=tuple(candidate_from_row(row) for row in connection.execute(candidate_query)),
        events=tuple(event_from_row(row) for row in connection.execute(event_query)),
    )
