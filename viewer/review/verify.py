"""Whether a label database still says what was written to it.

It is read piece by piece, each in a transaction of its own: what was written is never changed, and
nobody shall have to wait with a decision until a long log is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from viewer.dicom.model import ImageKey
from viewer.errors import StoreError
from viewer.review import chain, schema, study_rows
from viewer.review.database import border, reading
from viewer.review.finding import Event
from viewer.review.fold import subject_of
from viewer.review.loading import load
from viewer.review.opening import of_this_version
from viewer.review.place import Place
from viewer.review.rows import event_from_row

Progress = Callable[[int, int], None]
"""Events that are checked, of how many."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found to be sound."""

    events: chain.Head
    runs: int
    logs: int
    studies: int


@dataclass(slots=True)
class _Walk:
    """What is remembered from one event to the next."""

    end: chain.Head = field(default_factory=chain.Head)
    sequence: int = 0
    places: dict[tuple[str, str, str, str], int] = field(default_factory=dict)


def verify(place: Place, progress: Progress) -> Verified:
    """Check the chains, the places in the logs, the images, every log and every summary.

    Raises
    ------
    StoreError
        The first thing that is wrong, and where; or the database cannot be read.
    """
    with of_this_version(place) as engine, border("The label database cannot be verified"):
        walk = _events(engine, progress)
        runs = _runs(engine)
        studies = _studies(engine)
        return Verified(walk.end, runs.count, len(walk.places), studies)


# --- the events ----------------------------------------------------------------------------------


def _events(engine: Engine, progress: Progress) -> _Walk:
    walk = _Walk()
    while True:
        with reading(engine) as connection:
            head = _head(connection, chain.EVENTS)
            try:
                rows = chain.events(connection, walk.sequence)
            except ValueError as error:  # no JSON
                raise StoreError(
                    f"An event behind event {walk.end.count} cannot be read ({error})."
                ) from error
            if not rows:
                _check_end(walk.end, head, "events")
                return walk
            read = [_next_event(walk, row) for row in rows]
            images = _images_of(connection, [event for _, _, event in read])
        for where, row, event in read:
            _check_images(where, row, event, images)
        progress(walk.end.count, head.count)


def _head(connection: Connection, key: str) -> chain.Head:
    try:
        return chain.head(connection, key)
    except ValueError as error:
        raise StoreError(f"The end of the chain is not kept any more: {error}.") from error


def _check_end(end: chain.Head, kept: chain.Head, what: str) -> None:
    if end == kept:
        return
    if end.count < kept.count:
        missing = kept.count - end.count
        raise StoreError(
            f"{kept.count} {what} were written and {end.count} are there: the last {missing} were "
            "removed."
        )
    raise StoreError(
        f"{kept.count} {what} were written and {end.count} are there: some were put in behind, or "
        "the end that is kept was changed."
    )


def _next_event(walk: _Walk, row: sa.Row[Any]) -> tuple[str, sa.Row[Any], Event]:
    """The event of a row that is the next in the chain and in its log, and how it is called."""
    walk.sequence = row.sequence
    end = walk.end.then(chain.event_content(row._mapping))
    where = f"Event {end.count} ({row.id}, study {row.study_uid}, {row.at})"
    if end.hash != row.hash:
        raise StoreError(
            f"{where} is not what was written there: it was changed, or an event before it was "
            "removed, put in or moved."
        )
    walk.end = end
    log = row.study_uid, row.patient_key, row.role, row.log
    place = walk.places.get(log, 0) + 1
    if row.revision != place:
        raise StoreError(f"{where} has place {row.revision} in its log instead of {place}.")
    walk.places[log] = place
    try:
        return where, row, event_from_row(row)
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{where} cannot be read ({error}).") from error


_Key = tuple[str, int, str]
"""UID, number of the frame, hash of the pixels."""


def _images_of(connection: Connection, events: Iterable[Event]) -> set[_Key]:
    """The images that are there of those that these events name."""
    uids = sorted({key.uid for event in events for key in _named(event)})
    table = schema.images
    found: set[_Key] = set()
    for first in range(0, len(uids), chain.AT_ONCE):
        some = uids[first : first + chain.AT_ONCE]
        query = sa.select(table.c.uid, table.c.frame_number, table.c.pixel_sha256).where(
            table.c.uid.in_(some)
        )
        found |= {(row[0], row[1], row[2]) for row in connection.execute(query)}
    return found


def _named(event: Event) -> tuple[ImageKey, ...]:
    subject = subject_of(event)
    return event.covers if subject is None else (subject.image, *event.covers)


def _check_images(where: str, row: sa.Row[Any], event: Event, images: set[_Key]) -> None:
    subject = subject_of(event)
    columns = row.image_uid, row.frame_number, row.pixel_sha256
    if columns != ((None, None, None) if subject is None else _key(subject.image)):
        raise StoreError(f"{where} names one image and is about another.")
    for key in _named(event):
        if _key(key) not in images:
            raise StoreError(
                f"{where} names an image that is not there: {key.uid}, frame {key.frame_number}."
            )


def _key(key: ImageKey) -> _Key:
    return key.uid, key.frame_number, key.pixel_sha256


# --- the runs and the studies --------------------------------------------------------------------


def _runs(engine: Engine) -> chain.Head:
    end, last, candidates = chain.Head(), 0, 0
    while True:
        with reading(engine) as connection:
            head = _head(connection, chain.RUNS)
            rows = chain.runs(connection, last)
            if not rows:
                _check_end(end, head, "runs")
                count = sa.select(sa.func.count()).select_from(schema.candidates)
                if connection.scalar(count) != candidates:
                    raise StoreError("There are candidates that belong to no run.")
                return end
        for run, found in rows:
            last = run["sequence"]
            end = end.then(chain.run_content(run, found))
            candidates += len(found)
            if end.hash != run["hash"]:
                raise StoreError(
                    f"Run {end.count} ({run['id']}, {run['at']}) or one of its candidates is not "
                    "what was written there: it was changed, or a run before it was removed, put "
                    "in or moved."
                )


def _studies(engine: Engine) -> int:
    """Fold every log of every study anew, and hold what the worklist says of it against that."""
    column = schema.images.c.study_uid
    with reading(engine) as connection:
        uids = connection.scalars(sa.select(column).distinct().order_by(column)).all()
    for study_uid in uids:
        with reading(engine) as connection:
            try:
                record = load(connection, study_uid)
                wrong = study_rows.wrong_row(connection, record)
            except (ValueError, KeyError, TypeError) as error:
                raise StoreError(f"Study {study_uid} cannot be read ({error}).") from error
        if wrong:
            raise StoreError(f"Study {study_uid}: {wrong}")
    return len(uids)
