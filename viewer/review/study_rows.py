"""The rows of ``studies`` and ``logs``: put in, and counted in the transaction of what they count.

Every function works in the caller's transaction.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from viewer.dicom.model import Image, Kind
from viewer.review import schema
from viewer.review.finding import Role
from viewer.review.loading import load_said
from viewer.review.record import StudyRecord, image_from_json, of_patient
from viewer.review.rows import time_to_text
from viewer.review.summary import Analysed, LogSummary, log_summary, summaries


@dataclass(frozen=True, slots=True)
class ListedStudy:
    """What the worklist says of a study without having looked at its pixels.

    Attributes
    ----------
    files : absolute path of each file or archive that it lies in -> how many images of it.
    """

    study_uid: str
    patient_key: str
    patient_name: str
    patient_id: str
    study_date: str
    description: str
    modality: str
    files: Mapping[str, int]


def listed(images: Sequence[Image], patient_key: str) -> ListedStudy:
    """A study by its images, of which there is at least one."""
    first = images[0]
    pictures = [image for image in images if image.kind is Kind.IMAGE] or images
    files = dict.fromkeys((str(image.path.absolute()) for image in images), 0)
    for image in pictures:
        files[str(image.path.absolute())] += 1
    modalities = dict.fromkeys(image.series.modality for image in pictures)
    return ListedStudy(
        study_uid=first.study.uid,
        patient_key=patient_key,
        patient_name=first.study.patient.name,
        patient_id=first.study.patient.id,
        study_date=first.study.date,
        description=first.study.description,
        modality="/".join(name for name in modalities if name),
        files=files,
    )


def add(connection: Connection, studies: Iterable[ListedStudy]) -> tuple[int, ...]:
    """Put studies into the list, or back into it; their ids, in this order.

    A study that is there already grows by the files that are new, and its failure is forgotten:
    it has just been read.
    """
    return tuple(_add(connection, study) for study in studies)


def _add(connection: Connection, study: ListedStudy) -> int:
    table = schema.studies
    row = connection.execute(
        sa.select(table.c.id, table.c.files).where(*_is(study.study_uid, study.patient_key))
    ).first()
    values = {
        **asdict(study),
        "files": dict(study.files),
        "images": sum(study.files.values()),
        "hidden": False,
        "failure": None,
    }
    if row is None:
        values |= {"analysed_images": 0, "added_at": time_to_text(datetime.now(UTC))}
        return int(connection.scalar(sa.insert(table).values(values).returning(table.c.id)) or 0)
    # What was moved is found at its new place alone.
    others = {path: n for path, n in row.files.items() if path not in study.files}
    files = {path: n for path, n in others.items() if os.path.lexists(path)} | dict(study.files)
    values |= {"files": files, "images": sum(files.values())}
    if files != row.files:
        values["checked_by"] = None
    connection.execute(sa.update(table).where(table.c.id == row.id).values(values))
    return int(row.id)


def note_seen(connection: Connection, images: Sequence[tuple[Image, str]]) -> None:
    """Images were put into the database, each with its patient key: their studies are listed."""
    studies: dict[tuple[str, str], list[Image]] = {}
    for image, patient_key in images:
        studies.setdefault((image.study.uid, patient_key), []).append(image)
    for (study_uid, patient_key), found in studies.items():
        if _id_of(connection, study_uid, patient_key) is None:
            _add(connection, listed(found, patient_key))


def recount(connection: Connection, study_uid: str, patient_key: str) -> None:
    """Count a study and all its logs anew."""
    study_id = _id_of(connection, study_uid, patient_key)
    if study_id is not None:
        counted, logs = summaries(*load_said(connection, study_uid, patient_key))
        _put_analysed(connection, study_id, counted)
        for log in logs:
            _put_log(connection, study_id, log)


def recount_log(
    connection: Connection, study_uid: str, patient_key: str, role: Role, reader: str
) -> None:
    """Count one log of a study anew, after events were added to it."""
    study_id = _id_of(connection, study_uid, patient_key)
    if study_id is not None:
        record, present = load_said(connection, study_uid, patient_key, (role, reader))
        _put_log(connection, study_id, log_summary(record, role, reader, present))


def recount_analysed(connection: Connection, uid: str, frame_number: int) -> None:
    """Count the study of an image anew, after a run over it."""
    images = schema.images
    query = (
        sa.select(images.c.study_uid, images.c.patient_key)
        .where(images.c.uid == uid, images.c.frame_number == frame_number)
        .order_by(images.c.seen.desc())
    )
    study = connection.execute(query).first()
    if study is not None:
        recount(connection, study.study_uid, study.patient_key)


def count_all(connection: Connection) -> None:
    """Fill both tables from what is kept, for a database of a version that had them not."""
    images = schema.images
    query = sa.select(images.c.header, images.c.patient_key).order_by(images.c.seen)
    rows = connection.execute(query).all()
    note_seen(connection, [(image_from_json(row.header), row.patient_key) for row in rows])
    table = schema.studies
    for study in connection.execute(sa.select(table.c.study_uid, table.c.patient_key)).all():
        recount(connection, *study)


def wrong_row(connection: Connection, record: StudyRecord) -> str:
    """Which row of a study does not say what is counted from all that is kept of it; or nothing."""
    for patient_key in sorted({image.patient_key for image in record.images}):
        counted, logs = summaries(of_patient(record, patient_key))
        study_id = _id_of(connection, record.study_uid, patient_key)
        if study_id is None:
            return "it is not in the worklist."
        studies, of = schema.studies, schema.logs.c
        if not _says(connection, studies, (studies.c.id == study_id,), analysed_to_row(counted)):
            return "the worklist does not say what is counted from its runs."
        for log in logs:
            values = log_to_row(log)
            same = (of.study_id == study_id, of.role == values["role"], of.reader == log.reader)
            if not _says(connection, schema.logs, same, values):
                whose = f"the log of {log.reader}" if log.reader else "the consensus"
                return f"the worklist does not say what is counted from the events of {whose}."
    return ""


def _says(
    connection: Connection,
    table: sa.Table,
    where: tuple[sa.ColumnElement[bool], ...],
    values: Mapping[str, Any],
) -> bool:
    row = connection.execute(sa.select(*(table.c[name] for name in values)).where(*where)).first()
    return row is not None and dict(row._mapping) == values


def _is(study_uid: str, patient_key: str) -> tuple[sa.ColumnElement[bool], ...]:
    table = schema.studies
    return table.c.study_uid == study_uid, table.c.patient_key == patient_key


def _id_of(connection: Connection, study_uid: str, patient_key: str) -> int | None:
    table = schema.studies
    return connection.scalar(sa.select(table.c.id).where(*_is(study_uid, patient_key)))


def _put_analysed(connection: Connection, study_id: int, counted: Analysed) -> None:
    table = schema.studies
    connection.execute(
        sa.update(table).where(table.c.id == study_id).values(analysed_to_row(counted))
    )


def _put_log(connection: Connection, study_id: int, log: LogSummary) -> None:
    table, values = schema.logs, log_to_row(log)
    same = (
        table.c.study_id == study_id,
        table.c.role == values["role"],
        table.c.reader == values["reader"],
    )
    if not connection.execute(sa.update(table).where(*same).values(values)).rowcount:
        connection.execute(sa.insert(table).values(study_id=study_id, **values))


def analysed_to_row(counted: Analysed) -> dict[str, Any]:
    """The columns of ``studies`` that are counted."""
    return {
        "analysed_images": counted.images,
        "weights_sha256": counted.weights_sha256,
        "candidates": counted.candidates,
        "highest_score": counted.highest_score,
        "highest_category": counted.highest_category,
    }


def log_to_row(log: LogSummary) -> dict[str, Any]:
    """The columns of ``logs`` but the study."""
    times = ("signed_at", "first_read_at", "last_decision_at")
    return {
        "role": log.role.value,
        "reader": log.reader,
        "mode": log.mode.value,
        "revision": log.revision,
        "decided": log.decided,
        "open_candidates": log.open_candidates,
        "highest_open": log.highest_open,
        "open_category": log.open_category,
        **{name: _time(getattr(log, name)) for name in times},
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else time_to_text(at)
