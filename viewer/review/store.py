"""The label database: an append-only log of decisions, and what the decisions are about.

Everything that a method acknowledges by returning is on the disk. Events, runs and candidates are
inserted and never changed or deleted. One thread uses a store at a time; several processes may
have the same database open.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from detector.types import Detection
from viewer.dicom.model import Image, ImageKey, StudyHeader
from viewer.dicom.pseudonym import Pseudonym
from viewer.review import chain, event_log, loading, schema, study_rows
from viewer.review.database import read_only, reading, writing
from viewer.review.finding import Candidate, Event, Run
from viewer.review.opening import open_database
from viewer.review.place import Place
from viewer.review.record import ImageRecord, StudyRecord, image_to_json
from viewer.review.rows import (
    candidate_to_row,
    image_record_from_row,
    run_to_row,
)
from viewer.review.study_list import StudyList

__all__ = ["ImageRecord", "Store", "StudyRecord"]

_UIDS_AT_ONCE = 500  # fewer than the variables that any SQLite takes in one statement


class Store:
    """The database of one reader's desk, or of several. Every failure is a StoreError.

    Attributes
    ----------
    worklist : the studies that were opened or added.
    """

    def __init__(self, engine: Engine, secret: bytes) -> None:
        self._engine = engine
        self._secret = secret
        self.worklist = StudyList(engine, self.patient_key)

    @staticmethod
    def open(place: Place) -> Store:
        """Open the database of a file or a server, which is made where there is none.

        One of a newer version can only be read: see ``read_only``.

        Raises
        ------
        DamagedError
            The file is damaged, or gone while backups of it are there. It is left as it is.
        StoreError
            It is something else, cannot be written, or its server is away.
        """
        return Store(*open_database(place))

    @property
    def read_only(self) -> str:
        """Why nothing can be written, in a sentence; empty where it can."""
        return read_only(self._engine)

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def patient_key(self, study: StudyHeader) -> str:
        """The keyed hash that stands for a patient in exports: 32 hex digits.

        HMAC-SHA256 with the store's secret over issuer and patient id; where a file has no patient
        id, over its study uid, so that nobody is thrown together with strangers.
        """
        patient = study.patient
        if patient.id.strip():
            identity = f"patient\0{patient.issuer.strip()}\0{patient.id.strip()}"
        else:
            identity = f"study\0{study.uid}"
        digest = hmac.new(self._secret, identity.encode("utf-8", "surrogatepass"), "sha256")
        return digest.digest()[:16].hex()

    def pseudonym(self, patient_key: str) -> Pseudonym:
        """Who a patient is in exports, with the key for UIDs; the store's secret stays here."""
        return Pseudonym(patient_key, hmac.new(self._secret, b"uids", "sha256").digest())

    # --- images ----------------------------------------------------------------------------------

    def remember_image(self, image: Image, pixel_sha256: str) -> None:
        """Keep where an image is and which pixels were seen; these become its present ones."""
        self.remember_images([(image, pixel_sha256)])

    def remember_images(
        self, seen: Iterable[tuple[Image, str]], *, shown: bool = True
    ) -> tuple[ImageRecord, ...]:
        """The same for several images in one transaction; their present records.

        ``shown`` is False for what was only analysed, on no reader's screen.
        """
        records = tuple(
            ImageRecord(
                # Relative to no working directory: another process will read it.
                replace(image, path=image.path.absolute()),
                pixel_sha256,
                self.patient_key(image.study),
                shown,
            )
            for image, pixel_sha256 in seen
        )
        rows = [_image_row(record) for record in records]
        with reading(self._engine) as connection:
            known = _image_rows(connection, rows)
            new = [row for row in rows if not _is_present(known, row)]
        if new:  # an image that is looked at again costs no write
            with writing(self._engine) as connection:
                _put_images(connection, new)
                study_rows.note_seen(connection, [(one.image, one.patient_key) for one in records])
        return records

    def image(self, uid: str, frame_number: int) -> ImageRecord | None:
        """The present record of an image, or None where it was never seen."""
        table = schema.images
        query = (
            sa.select(table)
            .where(table.c.uid == uid, table.c.frame_number == frame_number)
            .order_by(table.c.seen.desc())
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
            return None if row is None else image_record_from_row(row)

    def images_with_pixels(self, pixel_sha256: str) -> tuple[ImageRecord, ...]:
        """The images whose present pixels these are."""
        table = schema.images
        newer = table.alias()
        query = (
            sa.select(table)
            .where(table.c.pixel_sha256 == pixel_sha256)
            .where(
                ~sa.exists().where(
                    newer.c.uid == table.c.uid,
                    newer.c.frame_number == table.c.frame_number,
                    newer.c.seen > table.c.seen,
                )
            )
            .order_by(table.c.uid, table.c.frame_number)
        )
        with reading(self._engine) as connection:
            return tuple(image_record_from_row(row) for row in connection.execute(query))

    # --- what was said about them ----------------------------------------------------------------

    def record_run(self, run: Run, detections: Iterable[Detection]) -> tuple[Candidate, ...]:
        """Keep a run and its candidates, in one transaction.

        A run without any is kept too: analysed, and nothing found.
        """
        candidates = tuple(
            Candidate(
                id=secrets.token_hex(16),
                run_id=run.id,
                image=run.image,
                box=detection.box,
                category=detection.category,
                score=float(detection.score),
            )
            for detection in detections
        )
        row = run_to_row(run)
        rows = [candidate_to_row(place, each) for place, each in enumerate(candidates)]
        with writing(self._engine) as connection:
            end = chain.head(connection, chain.RUNS).then(chain.run_content(row, rows))
            connection.execute(sa.insert(schema.runs), [row | {"hash": end.hash}])
            if rows:
                connection.execute(sa.insert(schema.candidates), rows)
            chain.put_head(connection, chain.RUNS, end)
            study_rows.recount_analysed(connection, run.image.uid, run.image.frame_number)
        return candidates

    def analysed_by(self, image: ImageKey, weights_sha256: str) -> bool:
        """Whether the latest run over these pixels is of this model."""
        runs = schema.runs
        query = (
            sa.select(runs.c.weights_sha256)
            .where(
                runs.c.image_uid == image.uid,
                runs.c.frame_number == image.frame_number,
                runs.c.pixel_sha256 == image.pixel_sha256,
            )
            .order_by(runs.c.sequence.desc())
        )
        with reading(self._engine) as connection:
            return connection.scalar(query) == weights_sha256

    def analysed_images(self, weights_sha256: str) -> frozenset[ImageKey]:
        """The pixels over which the latest run is of this model."""
        runs = schema.runs
        columns = (runs.c.image_uid, runs.c.frame_number, runs.c.pixel_sha256)
        query = sa.select(*columns, runs.c.weights_sha256).order_by(runs.c.sequence)
        with reading(self._engine) as connection:
            latest = {ImageKey(*row[:3]): row[3] for row in connection.execute(query)}
        return frozenset(key for key, weights in latest.items() if weights == weights_sha256)

    def append(self, events: Sequence[Event], after: int | None = None) -> tuple[Event, ...]:
        """Keep decisions, in this order and in one transaction; on return they are on the disk.

        Parameters
        ----------
        after : the revision of their one log upon which they were decided; None: whichever it is.

        Returns
        -------
        The events as they are kept, with their revisions.

        Raises
        ------
        ConflictError
            The log has gone on since; nothing was kept.
        StoreError
        """
        if not events:
            return ()
        with writing(self._engine) as connection:
            return event_log.append(connection, events, after)

    def study_uids(self) -> tuple[str, ...]:
        """Every study of which an image was seen."""
        column = schema.images.c.study_uid
        with reading(self._engine) as connection:
            return tuple(connection.scalars(sa.select(column).distinct().order_by(column)))

    def load(self, study_uid: str) -> StudyRecord:
        """Everything kept of a study; all tuples are empty where nothing is."""
        with reading(self._engine) as connection:
            return loading.load(connection, study_uid)


_Known = Mapping[tuple[str, int], Sequence[Mapping[str, Any]]]
"""(uid, frame number) -> the rows kept of it, the present one last."""


def _image_row(record: ImageRecord) -> dict[str, Any]:
    image = record.image
    # What was on a screen once has been, however it is decoded later.
    return ({"shown": True} if record.shown else {}) | {
        "uid": image.uid,
        "frame_number": image.frame_number,
        "pixel_sha256": record.pixel_sha256,
        "study_uid": image.study.uid,
        "patient_key": record.patient_key,
        "header": image_to_json(image),
    }


def _image_rows(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> _Known:
    """What is kept of the images of these rows."""
    table = schema.images
    uids = list({row["uid"] for row in rows})
    known: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for first in range(0, len(uids), _UIDS_AT_ONCE):
        some = uids[first : first + _UIDS_AT_ONCE]
        query = sa.select(table).where(table.c.uid.in_(some)).order_by(table.c.seen)
        for kept in connection.execute(query).mappings():
            known.setdefault((kept["uid"], kept["frame_number"]), []).append(dict(kept))
    return known


def _is_present(known: _Known, row: Mapping[str, Any]) -> bool:
    """Whether an image is kept just so, as the present record of its uid and frame."""
    kept = known.get((row["uid"], row["frame_number"]))
    return kept is not None and all(kept[-1][name] == value for name, value in row.items())


def _put_images(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    table = schema.images
    known = _image_rows(connection, rows)  # again: now nobody else writes
    changed = {(row["study_uid"], row["patient_key"]) for kept in known.values() for row in kept}
    inserted = []
    for row in rows:
        kept = known.get((row["uid"], row["frame_number"]), ())
        values = {**row, "seen": kept[-1]["seen"] + 1 if kept else 1}
        if any(other["pixel_sha256"] == row["pixel_sha256"] for other in kept):
            same = [table.c[name] == row[name] for name in ("uid", "frame_number", "pixel_sha256")]
            connection.execute(sa.update(table).where(*same).values(values))
        else:
            inserted.append({"shown": False} | values)
    if inserted:
        connection.execute(sa.insert(table), inserted)
    for study in changed:  # other pixels than those that were judged or analysed
        study_rows.recount(connection, *study)
