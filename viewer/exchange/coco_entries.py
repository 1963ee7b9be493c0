"""The entries of a COCO document, as docs/EXCHANGE.md describes them.

What goes beyond COCO:

info
    ``software_version``, ``notice``.
images
    ``frame_number``, ``pixel_sha256`` (of the decoded stored pixels), ``patient_key`` (keyed hash;
    the key never leaves the store), ``modality``, ``body_part``, ``view``; ``value_mapping``:
    modality value = PNG value * slope + intercept; ``tone_curve``: modality values to brightness as
    the detector sees them, or null (8-bit pictures are brightness already, and DICOM says both
    itself); ``review``: "complete" where these pixels were signed and no
    finding is uncertain, else "partial": only the decided boxes count; ``reviewed_negative``:
    complete without a finding.
annotations
    Accepted, corrected and added findings: ``status``, ``reader`` (the name as the reader gave it
    in the settings), ``decided_at``, ``ai_visible``, ``mode``, ``threshold`` (null where no AI
    marks were visible), ``model`` and ``model_score`` of the candidate they come from, or null;
    ``reason`` of a rejection. Of a finding of the consensus ``reader`` is the adjudicator, and
    ``sources`` says what each reader had: ``reader``, ``status``, ``category`` (by name), ``bbox``
    and ``uncertain``, as they were when the row was resolved; whoever is not named had nothing
    there. Empty where the adjudicator alone has marked it, and in all other exports.
rejected_annotations, uncertain_annotations
    Rejected candidates, and what the reader is not sure of, with the same fields: kept where no
    plain reader of COCO takes them for objects.

Names, ids, dates and UIDs of patients, studies and images, names and places of files, and the
reader's notes, which may name anybody, are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from detector.types import RESEARCH_USE_ONLY, Box
from viewer.dicom.allowed import term
from viewer.exchange.pages import Page
from viewer.exchange.pictures import Encoded
from viewer.review.finding import Event, Finding

KNOWN_CATEGORIES = ("opacity",)
"""These have the first category ids in every export, so that exports can be put together."""


def info(description: str, software_version: str) -> dict[str, Any]:
    return {
        "description": description,
        "version": "1",
        "software_version": software_version,
        "date_created": datetime.now(UTC).isoformat(timespec="seconds"),
        "notice": RESEARCH_USE_ONLY,
    }


def category_ids(used: Iterable[str]) -> dict[str, int]:
    """Category to id, from 1: the same for the same categories in every export."""
    others = sorted(set(used) - set(KNOWN_CATEGORIES))
    return {name: number for number, name in enumerate((*KNOWN_CATEGORIES, *others), start=1)}


def categories(ids: dict[str, int]) -> list[dict[str, Any]]:
    return [{"id": number, "name": name} for name, number in ids.items()]


def image_entry(number: int, file_name: str, page: Page, picture: Encoded) -> dict[str, Any]:
    image = page.record.image
    curve = picture.tone_curve
    return {
        "id": number,
        "file_name": file_name,
        "width": picture.width,
        "height": picture.height,
        "frame_number": image.frame_number,
        "pixel_sha256": page.record.pixel_sha256,
        "patient_key": page.record.patient_key,
        "modality": term("Modality", image.series.modality),
        "body_part": term("BodyPartExamined", image.series.body_part),
        "view": term("ViewPosition", image.view),
        "value_mapping": {"slope": picture.slope, "intercept": picture.intercept},
        "tone_curve": None if curve is None else curve.to_json(),
        "review": "complete" if page.exhaustive else "partial",
        "reviewed_negative": page.reviewed_negative,
    }


def box_entry(number: int, image_id: int, category_id: int, box: Box) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": image_id,
        "category_id": category_id,
        "bbox": [float(value) for value in box.xywh()],
        "area": float(box.area),
        "iscrowd": 0,
    }


def decision_fields(finding: Finding, decision: Event) -> dict[str, Any]:
    """What is said of a box beside its place: by whom, when, and what the machine had said."""
    model = {
        "name": decision.model_name,
        "version": decision.model_version,
        "weights_sha256": decision.weights_sha256,
    }
    return {
        "status": finding.status.value,
        "reader": decision.reader,
        "decided_at": decision.at.astimezone(UTC).isoformat(),
        "threshold": decision.threshold_of(finding.category) if decision.ai_visible else None,
        "ai_visible": decision.ai_visible,
        "mode": decision.mode.value,
        "model": None if decision.weights_sha256 is None else model,
        "model_score": finding.score,
        "reason": None if finding.reason is None else finding.reason.value,
        "sources": [
            {
                "reader": source.reader,
                "status": source.status.value,
                "category": source.category,
                "bbox": [float(value) for value in source.box.xywh()],
                "uncertain": source.uncertain,
            }
            for source in finding.sources
        ],
    }
