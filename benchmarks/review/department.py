"""A label database that a department has read for a year: 100,000 findings, filled fast."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from detector.types import Box
from viewer.dicom.model import Image, ImageKey, Patient, SeriesHeader, StudyHeader
from viewer.review import chain, schema, study_rows
from viewer.review.database import writing
from viewer.review.finding import Candidate, Event, Run, Status, Verb
from viewer.review.fold import open_finding
from viewer.review.record import ImageRecord, image_to_json
from viewer.review.rows import candidate_to_row, event_to_row, run_to_row
from viewer.review.store import Store

FINDINGS = 100_000
EACH = 10
"""Findings of each of the studies, every one of which is read: 90,000 candidates, 10,000 added."""

READER = "Dr A"
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_STUDIES_AT_ONCE = 200


def study_uid(number: int) -> str:
    return f"1.2.826.0.1.3680043.8.498.{number:024d}"


def fill(store: Store, findings: int = FINDINGS) -> None:
    """Put the rows in as the store would, its chains and its worklist, too; in one go."""
    chance = random.Random(1)
    ends = {chain.EVENTS: chain.Head(), chain.RUNS: chain.Head()}
    with writing(store._engine) as connection:
        for first in range(0, findings // EACH, _STUDIES_AT_ONCE):
            rows: dict[sa.Table, list[dict[str, Any]]] = {}
            for number in range(first, min(first + _STUDIES_AT_ONCE, findings // EACH)):
                for table, row in _study(store, number, chance, ends):
                    rows.setdefault(table, []).append(row)
            for table in (schema.images, schema.runs, schema.candidates, schema.events):
                connection.execute(sa.insert(table), rows[table])
        for key, end in ends.items():
            chain.put_head(connection, key, end)
        study_rows.count_all(connection)


def _study(
    store: Store, number: int, chance: random.Random, ends: dict[str, chain.Head]
) -> Iterator[tuple[sa.Table, dict[str, Any]]]:
    image = image_of(study_uid(number))
    key = ImageKey(image.uid, 1, f"{number:064x}")
    record = ImageRecord(image, key.pixel_sha256, store.patient_key(image.study))
    yield schema.images, _image_row(record)
    run = Run(f"{number:032x}", key, "chest-xray", "2.1.0", "ab" * 32, "cpu", 0.01, _NOW)
    found = [
        Candidate(
            f"{number:024x}{place:08x}", run.id, key, _box(chance), "opacity", 0.9 - place / 20
        )
        for place in range(EACH - 1)
    ]
    candidates = [candidate_to_row(place, each) for place, each in enumerate(found)]
    row = run_to_row(run)
    ends[chain.RUNS] = ends[chain.RUNS].then(chain.run_content(row, candidates))
    yield schema.runs, row | {"hash": ends[chain.RUNS].hash}
    for candidate in candidates:
        yield schema.candidates, candidate
    for place, event in enumerate(_events(number, key, found, chance), 1):
        kept = replace(event, revision=place, patient_key=record.patient_key)
        row = event_to_row(kept)
        ends[chain.EVENTS] = ends[chain.EVENTS].then(chain.event_content(row))
        yield schema.events, row | {"hash": ends[chain.EVENTS].hash}


def _events(
    number: int, key: ImageKey, found: list[Candidate], chance: random.Random
) -> Iterator[Event]:
    values: dict[str, Any] = {
        "study_uid": study_uid(number),
        "reader": READER,
        "at": _NOW,
        "threshold": 0.24,
        "ai_visible": True,
        "weights_sha256": "ab" * 32,
        "model_name": "chest-xray",
        "model_version": "2.1.0",
        "visible": tuple(each.id for each in found),
    }
    for place, candidate in enumerate(found):
        before = open_finding(candidate)
        verb = chance.choice((Verb.ACCEPT, Verb.REJECT))
        status = Status.ACCEPTED if verb is Verb.ACCEPT else Status.REJECTED
        after = replace(before, status=status)
        yield Event(f"{number:028x}{place:04x}", verb=verb, before=before, after=after, **values)
    own = replace(before, id=f"{number:032x}", box=_box(chance), status=Status.ADDED, score=None)
    own = replace(own, derived_from=None)
    yield Event(f"{number:028x}fffe", verb=Verb.ADD, before=None, after=own, **values)
    yield Event(
        f"{number:028x}ffff", verb=Verb.SIGN, before=None, after=None, covers=(key,), **values
    )


def image_of(study: str, number: int = 1) -> Image:
    """The header of one image; its file is not there."""
    return Image(
        path=Path(f"/archive/{study}/{number:05d}.dcm"),
        member="",
        uid=f"{study}.{number}",
        frame_number=1,
        number_of_frames=1,
        rows=3000,
        columns=3000,
        samples_per_pixel=1,
        photometric_interpretation="MONOCHROME2",
        study=StudyHeader(study, Patient("Doe^Jane", f"P-{study[-7:]}", "Hospital")),
        series=SeriesHeader(f"{study}.0", 1, "chest", "DX", "CHEST"),
        view="PA",
    )


def _image_row(record: ImageRecord) -> dict[str, Any]:
    return {
        "uid": record.image.uid,
        "frame_number": 1,
        "pixel_sha256": record.pixel_sha256,
        "study_uid": record.image.study.uid,
        "patient_key": record.patient_key,
        "header": image_to_json(record.image),
        "seen": 1,
    }


def _box(chance: random.Random) -> Box:
    x, y = chance.uniform(0, 2500), chance.uniform(0, 2500)
    return Box(x, y, x + chance.uniform(50, 400), y + chance.uniform(50, 400))
