"""Findings as COCO: the export that `train` reads, and the detections of `detect`.

The export is a folder with ``annotations.json`` and ``images/*.png``. What goes beyond COCO:

info
    ``software_version``, ``notice``.
images
    ``frame_number``, ``pixel_sha256`` (of the decoded stored pixels), ``patient_key`` (keyed hash;
    the key never leaves the store), ``modality``, ``body_part``, ``view``; ``value_mapping``:
    modality value = PNG value * slope + intercept; ``tone_curve``: modality values to brightness as
    the detector sees them, or null; ``review``: "complete" where these pixels were signed, else
    "partial": only the decided boxes count; ``reviewed_negative``: complete without a finding.
annotations
    Accepted, corrected and added findings: ``status``, ``reader`` (the name as the reader gave it
    in the settings), ``decided_at``, ``ai_visible``, ``threshold`` (null where no AI marks were
    visible), ``model`` and ``model_score`` of the candidate they come from, or null.
rejected_annotations
    Rejected candidates with the same fields: hard negatives, kept where no plain reader of COCO
    takes them for objects.

Names, ids, dates and UIDs of patients, studies and images, and names and places of files, are not
in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.types import RESEARCH_USE_ONLY, Box, Detections, ModelCard
from viewer.dicom.model import Frame, Image, Skipped
from viewer.dicom.voi import tone_curve
from viewer.errors import EngineError, ExchangeError, InputError
from viewer.exchange import pages
from viewer.exchange.coco_import import ImportSummary, import_labels
from viewer.exchange.folder import whole_folder
from viewer.exchange.pages import Page, decoded, name_of
from viewer.exchange.pictures import StoredPicture, to_stored, write_durably, write_png
from viewer.review.finding import Event, Finding, Status
from viewer.version import VERSION

if TYPE_CHECKING:
    from viewer.review.store import Store

__all__ = ["ExportSummary", "ImportSummary", "detections_json", "export", "import_labels"]

KNOWN_CATEGORIES = ("opacity",)
"""These have the first category ids in every export, so that exports can be put together."""


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What an export holds, and the images that it had to leave out."""

    images: int
    findings: int
    rejected: int
    skipped: tuple[Skipped, ...]


def export(
    store: Store,
    out: Path,
    decode: Callable[[Image], Frame],
    *,
    studies: Collection[tuple[str, str]] | None = None,
    images: Collection[tuple[str, int]] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> ExportSummary:
    """Write the decided findings with their images as a COCO folder: whole, or not at all.

    Images with a decided finding go out, and those that were signed without one.

    Parameters
    ----------
    out : the folder to make; an empty one may be there already.
    decode : how an image becomes a frame; its InputError or EngineError leaves the image out.
    studies, images : only these studies (uid, patient key), only these images (uid, frame number);
        None: all.
    on_progress : called with the images done and their number; what it raises ends the export.

    Raises
    ------
    ExchangeError
        There is nothing to export, or the folder cannot be written; nothing is left behind.
    StoreError
    """
    found, left_out = pages.pages(store, studies=studies, images=images)
    if not found:
        why = f" {left_out[0].reason}" if left_out else ""
        raise ExchangeError(
            f"There is nothing to export: no finding is decided, no study signed.{why}"
        )
    with whole_folder(out) as folder:
        (folder / "images").mkdir()
        document, skipped = _document(found, folder, decode, on_progress)
        if not document["images"]:
            raise ExchangeError(
                f"None of the {len(found)} images can be exported; the first: {skipped[0].reason}"
            )
        text = json.dumps(document, indent=1, allow_nan=False)
        write_durably(folder / "annotations.json", text.encode("utf-8"))
    return ExportSummary(
        images=len(document["images"]),
        findings=len(document["annotations"]),
        rejected=len(document["rejected_annotations"]),
        skipped=(*left_out, *skipped),
    )


def detections_json(  # noqa: PLR0917 - a contract with the command line
    results: Sequence[tuple[Image, str, Detections]],
    skipped: Sequence[Skipped],
    card: ModelCard,
    device: str,
    floor: float,
    software_version: str,
) -> dict[str, Any]:
    """The output of `detect`: COCO with a score for each box, in pixels of the original frame.

    Parameters
    ----------
    results : each image that was analysed, the file name to write for it, and what was found.
    skipped : what was not analysed; written as ``{"file", "reason"}``.
    device : where it ran: cpu, cuda or mps.

    Returns
    -------
    ``info`` (``model`` with name, version and weights_sha256, ``device``, ``floor``,
    ``software_version``, ``date_created``, ``notice``), ``images`` (also ``sop_instance_uid``,
    ``frame_number``, and where the model gives them ``image_findings``, name to probability, and
    ``proposals``, each with ``bbox`` and ``objectness``), ``categories``, ``annotations`` (with
    ``score``) and ``skipped``.
    """
    ids = {name: number for number, name in enumerate(card.categories, start=1)}
    annotations: list[dict[str, Any]] = []
    for image_id, (_, _, found) in enumerate(results, start=1):
        for detection in found.detections:
            box = _box_fields(
                len(annotations) + 1, image_id, ids[detection.category], detection.box
            )
            annotations.append(box | {"score": float(detection.score)})
    return {
        "info": {
            **_info("Lightbox detections", software_version),
            "model": {
                "name": card.name,
                "version": card.version,
                "weights_sha256": card.weights_sha256,
            },
            "device": device,
            "floor": float(floor),
        },
        "images": [
            {
                "id": image_id,
                "file_name": file_name,
                "width": image.columns,
                "height": image.rows,
                "sop_instance_uid": image.uid,
                "frame_number": image.frame_number,
                **_besides(found),
            }
            for image_id, (image, file_name, found) in enumerate(results, start=1)
        ],
        "categories": _categories(ids),
        "annotations": annotations,
        "skipped": [{"file": each.path, "reason": each.reason} for each in skipped],
    }


def _besides(found: Detections) -> dict[str, Any]:
    """What a model says of an image without calling it a candidate."""
    fields: dict[str, Any] = {}
    if found.image_findings:
        fields["image_findings"] = {one.name: one.probability for one in found.image_findings}
    if found.proposals:
        fields["proposals"] = [
            {"bbox": list(one.box.xywh()), "objectness": one.objectness} for one in found.proposals
        ]
    return fields


# --- the document --------------------------------------------------------------------------------


def _document(
    found: Sequence[Page],
    folder: Path,
    decode: Callable[[Image], Frame],
    on_progress: Callable[[int, int], None] | None,
) -> tuple[dict[str, Any], list[Skipped]]:
    """The JSON document, with its pictures written; and what had to be left out."""
    ids = _category_ids(finding.category for page in found for finding, _ in page.decided)
    document: dict[str, Any] = {
        "info": _info("Lightbox labels", VERSION),
        "categories": _categories(ids),
        "images": [],
        "annotations": [],
        "rejected_annotations": [],
    }
    skipped: list[Skipped] = []
    for done, page in enumerate(found):
        if on_progress is not None:
            on_progress(done, len(found))
        try:
            frame = decoded(page, decode)
        except (InputError, EngineError) as error:
            skipped.append(Skipped(name_of(page.record.image), str(error)))
            continue
        image_id = len(document["images"]) + 1
        short = hashlib.sha256(page.record.pixel_sha256.encode()).hexdigest()[:16]
        # The number tells images of equal pixels apart: two patients may both be all black.
        name = f"images/{short}-{image_id}.png"
        picture = to_stored(frame)
        write_png(folder / name, picture)
        document["images"].append(_image_fields(image_id, name, page, frame, picture))
        for finding, decision in page.decided:
            rejected = finding.status is Status.REJECTED
            kind = "rejected_annotations" if rejected else "annotations"
            number = len(document["annotations"]) + len(document["rejected_annotations"]) + 1
            fields = _box_fields(number, image_id, ids[finding.category], finding.box)
            document[kind].append(fields | _decision_fields(finding, decision))
    if on_progress is not None:
        on_progress(len(found), len(found))
    return document, skipped


def _image_fields(
    image_id: int, name: str, page: Page, frame: Frame, picture: StoredPicture
) -> dict[str, Any]:
    image = page.record.image
    curve = tone_curve(frame)
    return {
        "id": image_id,
        "file_name": name,
        "width": int(picture.stored.shape[1]),
        "height": int(picture.stored.shape[0]),
        "frame_number": image.frame_number,
        "pixel_sha256": page.record.pixel_sha256,
        "patient_key": page.record.patient_key,
        "modality": image.series.modality,
        "body_part": image.series.body_part,
        "view": image.view,
        "value_mapping": {"slope": picture.slope, "intercept": picture.intercept},
        "tone_curve": None if curve is None else curve.to_json(),
        "review": "complete" if page.complete else "partial",
        "reviewed_negative": page.reviewed_negative,
    }


def _box_fields(number: int, image_id: int, category_id: int, box: Box) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": image_id,
        "category_id": category_id,
        "bbox": [float(value) for value in box.xywh()],
        "area": float(box.area),
        "iscrowd": 0,
    }


def _decision_fields(finding: Finding, decision: Event) -> dict[str, Any]:
    model = {
        "name": decision.model_name,
        "version": decision.model_version,
        "weights_sha256": decision.weights_sha256,
    }
    return {
        "status": finding.status.value,
        "reader": decision.reader,
        "decided_at": decision.at.astimezone(UTC).isoformat(),
        "threshold": decision.threshold if decision.ai_visible else None,
        "ai_visible": decision.ai_visible,
        "model": None if decision.weights_sha256 is None else model,
        "model_score": finding.score,
    }


def _info(description: str, software_version: str) -> dict[str, Any]:
    return {
        "description": description,
        "version": "1",
        "software_version": software_version,
        "date_created": datetime.now(UTC).isoformat(timespec="seconds"),
        "notice": RESEARCH_USE_ONLY,
    }


def _category_ids(used: Iterable[str]) -> dict[str, int]:
    others = sorted(set(used) - set(KNOWN_CATEGORIES))
    return {name: number for number, name in enumerate((*KNOWN_CATEGORIES, *others), start=1)}


def _categories(ids: dict[str, int]) -> list[dict[str, Any]]:
    return [{"id": number, "name": name} for name, number in ids.items()]
