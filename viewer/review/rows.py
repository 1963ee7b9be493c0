"""Between the rows of the database and the values of the review."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from detector.types import Box, ImageFinding
from viewer.dicom.model import ImageKey
from viewer.review.finding import Candidate, Event, Mode, Role, Run, Verb
from viewer.review.fold import subject_of
from viewer.review.record import (
    ImageRecord,
    image_from_json,
    key_from_json,
    key_to_json,
    subject_from_json,
    subject_to_json,
)


def time_to_text(at: datetime) -> str:
    """ISO 8601 in UTC, microseconds always written so that text sorts as time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def time_from_text(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def image_record_from_row(row: sa.Row[Any]) -> ImageRecord:
    return ImageRecord(image_from_json(row.header), row.pixel_sha256, row.patient_key, row.shown)


def _key_to_row(key: ImageKey | None) -> dict[str, Any]:
    return {
        "image_uid": None if key is None else key.uid,
        "frame_number": None if key is None else key.frame_number,
        "pixel_sha256": None if key is None else key.pixel_sha256,
    }


def _key_from_row(row: sa.Row[Any]) -> ImageKey:
    return ImageKey(row.image_uid, row.frame_number, row.pixel_sha256)


def run_to_row(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        **_key_to_row(run.image),
        "model_name": run.model_name,
        "model_version": run.model_version,
        "weights_sha256": run.weights_sha256,
        "device": run.device,
        "score_floor": float(run.score_floor),
        "at": time_to_text(run.at),
        "precision": run.precision,
        "image_findings": {one.name: float(one.probability) for one in run.image_findings},
        "threshold": None if run.threshold is None else float(run.threshold),
    }


def run_from_row(row: sa.Row[Any]) -> Run:
    return Run(
        id=row.id,
        image=_key_from_row(row),
        model_name=row.model_name,
        model_version=row.model_version,
        weights_sha256=row.weights_sha256,
        device=row.device,
        score_floor=row.score_floor,
        at=time_from_text(row.at),
        precision=row.precision or "",
        image_findings=tuple(ImageFinding(*one) for one in (row.image_findings or {}).items()),
        threshold=row.threshold,
    )


def candidate_to_row(position: int, candidate: Candidate) -> dict[str, Any]:
    box = candidate.box
    return {
        "id": candidate.id,
        "run_id": candidate.run_id,
        "position": position,
        "x_min": float(box.x_min),
        "y_min": float(box.y_min),
        "x_max": float(box.x_max),
        "y_max": float(box.y_max),
        "category": candidate.category,
        "score": float(candidate.score),
    }


def candidate_from_row(row: sa.Row[Any]) -> Candidate:
    """From a row of candidates joined with the image columns of its run."""
    return Candidate(
        id=row.id,
        run_id=row.run_id,
        image=_key_from_row(row),
        box=Box(row.x_min, row.y_min, row.x_max, row.y_max),
        category=row.category,
        score=row.score,
    )


def log_name(event: Event) -> str:
    """How the log of an event is named among those of its study and role."""
    return event.reader if event.role is Role.READER else ""


def event_to_row(event: Event) -> dict[str, Any]:
    subject = subject_of(event)
    return {
        "id": event.id,
        "study_uid": event.study_uid,
        "verb": event.verb.value,
        **_key_to_row(None if subject is None else subject.image),
        "before": subject_to_json(event.before),
        "after": subject_to_json(event.after),
        "reader": event.reader,
        "at": time_to_text(event.at),
        "threshold": float(event.threshold),
        "ai_visible": event.ai_visible,
        "weights_sha256": event.weights_sha256,
        "model_name": event.model_name,
        "model_version": event.model_version,
        "undoes": event.undoes,
        "covers": [key_to_json(key) for key in event.covers],
        "role": event.role.value,
        "log": log_name(event),
        "mode": event.mode.value,
        "visible": list(event.visible),
        "thresholds": {name: float(value) for name, value in event.thresholds.items()},
        "step": event.step,
        "revision": event.revision,
        "comment": event.comment,
        "patient_key": event.patient_key,
    }


def event_from_row(row: sa.Row[Any]) -> Event:
    return Event(
        id=row.id,
        study_uid=row.study_uid,
        verb=Verb(row.verb),
        before=subject_from_json(row.before),
        after=subject_from_json(row.after),
        reader=row.reader,
        at=time_from_text(row.at),
        threshold=row.threshold,
        ai_visible=row.ai_visible,
        weights_sha256=row.weights_sha256,
        undoes=row.undoes,
        model_name=row.model_name,
        model_version=row.model_version,
        covers=tuple(key_from_json(key) for key in row.covers),
        role=Role(row.role),
        mode=Mode(row.mode),
        visible=tuple(row.visible),
        thresholds=dict(row.thresholds),
        step=row.step,
        revision=row.revision,
        comment=row.comment,
        patient_key=row.patient_key,
    )
