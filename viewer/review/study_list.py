"""The worklist in the label database: studies put in, read and taken out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from viewer.dicom.model import Image, StudyHeader
from viewer.review import schema, study_rows
from viewer.review.database import reading, writing
from viewer.review.finding import Mode, Role
from viewer.review.worklist import WorklistRow

_STUDIES_AT_ONCE = 200  # in one transaction: a decision of the reader must not wait for it
_IDS_AT_ONCE = 500  # fewer than the variables that any SQLite takes in one statement


@dataclass(frozen=True, slots=True)
class Source:
    """Where a study of the list comes from, so that it can be opened again."""

    study_uid: str
    patient_key: str
    files: tuple[Path, ...]


class StudyList:
    """The studies that were opened or added. Every failure is a StoreError."""

    def __init__(self, engine: Engine, patient_key: Callable[[StudyHeader], str]) -> None:
        self._engine = engine
        self._patient_key = patient_key

    # --- reading ---------------------------------------------------------------------------------

    def rows(
        self, reader: str, mode: Mode = Mode.CONCURRENT, weights_sha256: str = "", *ids: int
    ) -> list[WorklistRow]:
        """Everything in the list, or these rows of it, as one reader sees it, as it was added.

        Parameters
        ----------
        mode : how studies are read that the reader has not begun.
        weights_sha256 : of the present model.
        """
        studies, logs = schema.studies, schema.logs
        query = rows_of(reader, mode, weights_sha256)
        others = (
            sa.select(logs.c.study_id, logs.c.reader)
            .where(logs.c.role == Role.READER.value, logs.c.reader != reader)
            .order_by(logs.c.study_id, logs.c.reader)
        )
        if ids:
            query = query.where(studies.c.id.in_(ids))
            others = others.where(logs.c.study_id.in_(ids))
        with reading(self._engine) as connection:
            names: dict[int, str] = {}
            for study_id, name in _tuples(connection, others):
                before = names.get(study_id)
                names[study_id] = f"{before}, {name}" if before else name
            made = WorklistRow._make
            return [
                made((*row[:-1], names[row[0]])) if row[0] in names else made(row)
                for row in _tuples(connection, query)
            ]

    def id_of(self, study: StudyHeader) -> int | None:
        """The row of a study, None where it has none."""
        table = schema.studies
        query = sa.select(table.c.id).where(
            table.c.study_uid == study.uid, table.c.patient_key == self._patient_key(study)
        )
        with reading(self._engine) as connection:
            return connection.scalar(query)

    def source(self, study_id: int) -> Source:
        table = schema.studies
        columns = (table.c.study_uid, table.c.patient_key, table.c.files)
        with reading(self._engine) as connection:
            row = connection.execute(sa.select(*columns).where(table.c.id == study_id)).one()
        return Source(row.study_uid, row.patient_key, tuple(map(Path, row.files)))

    def files(self) -> set[str]:
        """The absolute path of every file of the list, and of what was removed from it."""
        with reading(self._engine) as connection:
            found = connection.scalars(sa.select(schema.studies.c.files))
            return {path for files in found for path in files}

    # --- writing ---------------------------------------------------------------------------------

    def add(self, images: Iterable[Image]) -> list[int]:
        """Put the studies of these images into the list; the ids of their rows."""
        studies: dict[tuple[str, str], list[Image]] = {}
        for image in images:
            key = image.study.uid, self._patient_key(image.study)
            studies.setdefault(key, []).append(image)
        rows = [study_rows.listed(found, key) for (_, key), found in studies.items()]
        ids: list[int] = []
        for start in range(0, len(rows), _STUDIES_AT_ONCE):
            with writing(self._engine) as connection:
                ids += study_rows.add(connection, rows[start : start + _STUDIES_AT_ONCE])
        return ids

    def hide(self, ids: Sequence[int]) -> None:
        """Take studies off the list; what was decided on them stays."""
        table = schema.studies
        with writing(self._engine) as connection:
            for start in range(0, len(ids), _IDS_AT_ONCE):
                some = table.c.id.in_(ids[start : start + _IDS_AT_ONCE])
                connection.execute(sa.update(table).where(some).values(hidden=True))

    def note_failure(self, study_id: int, failure: str) -> None:
        """Say why a study could not be opened or analysed."""
        self._note(study_id, failure=failure)

    def note_checked(self, study_id: int, weights_sha256: str, refusal: str | None) -> None:
        """A model has gone over all images of a study; ``refusal`` says what it does not read."""
        self._note(study_id, checked_by=weights_sha256, refusal=refusal, failure=None)

    def _note(self, study_id: int, **values: str | None) -> None:
        table = schema.studies
        with writing(self._engine) as connection:
            connection.execute(sa.update(table).where(table.c.id == study_id).values(**values))


def _tuples(connection: Connection, query: sa.Select[Any]) -> Iterable[tuple[Any, ...]]:
    """As the driver gives them: making SQLAlchemy's rows takes half as long again."""
    return cast("Iterable[tuple[Any, ...]]", connection.execute(query).cursor)


def rows_of(reader: str, mode: Mode, weights_sha256: str) -> sa.Select[tuple[object, ...]]:
    """The columns of a ``WorklistRow``, in its order."""
    studies, logs = schema.studies, schema.logs
    own = (
        (logs.c.study_id == studies.c.id)
        & (logs.c.role == Role.READER.value)
        & (logs.c.reader == reader)
    )
    gone_over = (studies.c.checked_by == weights_sha256) | (
        (studies.c.weights_sha256 == weights_sha256)
        & (studies.c.analysed_images >= studies.c.images)
    )
    blind = (
        sa.func.coalesce(logs.c.mode, mode.value) == Mode.BLIND.value
    ) & logs.c.first_read_at.is_(None)
    begun = (logs.c.decided > 0) | logs.c.first_read_at.is_not(None)

    def seen(
        of_log: sa.ColumnElement[object], of_study: sa.ColumnElement[object]
    ) -> sa.ColumnElement[object]:
        """What the detector says to this reader: nothing while the study is read blind."""
        known = sa.case((logs.c.study_id.is_(None), of_study), else_=of_log)
        return sa.case((blind, None), else_=known)

    return (
        sa.select(
            studies.c.id,
            studies.c.patient_name,
            studies.c.patient_id,
            studies.c.study_date,
            studies.c.description,
            studies.c.modality,
            studies.c.images,
            studies.c.failure,
            studies.c.refusal,
            sa.func.coalesce(gone_over, False).label("done"),
            blind.label("blind"),
            (studies.c.analysed_images > 0).label("analysed"),
            seen(logs.c.open_candidates, studies.c.candidates).label("open_candidates"),
            seen(logs.c.highest_open, studies.c.highest_score).label("score"),
            seen(logs.c.open_category, studies.c.highest_category).label("category"),
            sa.func.coalesce(begun, False).label("begun"),
            logs.c.signed_at.is_not(None).label("signed"),
            sa.literal("").label("readers"),
        )
        .select_from(studies.outerjoin(logs, own))
        .where(studies.c.hidden.is_(False))
        .order_by(studies.c.id)
    )
