"""What a file of labels says, into the store, whatever its format.

A box with a ``score`` becomes a candidate, one without a decided finding: with the status, reader
and time that the file gives, else accepted by the importing reader now. It goes into that reader's
log, beside what is there; what other readers have decided counts for nothing in it. A signature is
never imported: whoever signs has read the study. What the store holds already is not added again,
and a decision that stands on the same box is left as it is.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from detector.types import Box, Detection
from viewer.dicom.model import Frame, Image, ImageKey
from viewer.errors import ExchangeError, InputError
from viewer.exchange.entries import wrong_at
from viewer.exchange.labels import (
    LabelBox,
    LabelDocument,
    LabelImage,
    ModelName,
    by_image,
    fitted,
    in_pixels,
)
from viewer.exchange.pictures import write_durably
from viewer.review.finding import Event, Finding, Role, Run, Status, Verb
from viewer.review.fold import fold
from viewer.review.record import ImageRecord, StudyRecord, of_log

if TYPE_CHECKING:
    from viewer.review.store import Store

Load = Callable[[Path], Sequence[tuple[Image, Frame]]]

SAME_BOX = 0.01
"""Pixels within which two coordinates are one: what rounding of x + width may move."""

_VERBS = {
    Status.ACCEPTED: Verb.ACCEPT,
    Status.CORRECTED: Verb.CORRECT,
    Status.REJECTED: Verb.REJECT,
    Status.ADDED: Verb.ADD,
    Status.OPEN: Verb.DOUBT,  # neither taken nor rejected
}


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What was new, and each image of the file that was not found, with the reason.

    Attributes
    ----------
    readers : whose logs the findings went into.
    notes : what of the file was not taken over, or not as it was, in sentences.
    """

    candidates: int
    findings: int
    not_found: tuple[str, ...]
    readers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def import_document(
    store: Store,
    document: LabelDocument,
    reader: str,
    *,
    load: Load,
    keep: Path,
    on_progress: Callable[[int, int], None] | None = None,
) -> ImportSummary:
    """Take the candidates and findings of a document into the store.

    The image of an entry is the one in the store with its ``uid`` and ``frame_number``, else one
    with its ``pixel_sha256``, else the file that ``file_name`` names in the folder of the document;
    that one is then remembered.

    Parameters
    ----------
    reader : whose findings these are where the document does not say.
    load : the images of a file with their decoded frames; its InputError makes it not found.
    keep : the folder for pictures that are inside the labels and not in the store: they are read
        from there ever after.
    on_progress : called with the images looked for and their number.

    Raises
    ------
    ExchangeError
        A box lies outside its image; no candidate and no finding was imported.
    StoreError
        Importing the file again adds what is missing, and nothing twice.
    """
    found, not_found = _find_images(
        store, document, _Files(document.folder, load, keep), on_progress
    )
    placed = _boxes_in_place(document, found)
    candidates = 0
    events: list[Event] = []
    studies: dict[str, StudyRecord] = {}
    for image_id, record in found.items():
        study_uid = record.image.study.uid
        if study_uid not in studies:
            studies[study_uid] = store.load(study_uid)
        study, boxes = studies[study_uid], placed.get(image_id, [])
        candidates += _import_candidates(store, study, record.key, document, boxes)
        events += _new_findings(study, record.key, boxes, reader)
    store.append(events)
    readers = tuple(dict.fromkeys(event.reader for event in events))
    return ImportSummary(candidates, len(events), tuple(not_found), readers, document.notes)


def _boxes_in_place(
    document: LabelDocument, found: dict[int, ImageRecord]
) -> dict[int, list[LabelBox]]:
    """The boxes of each image that was found, in pixels of its frame."""
    drawn_on = {image.id: image.drawn_on for image in document.images}
    placed: list[LabelBox] = []
    for box in document.boxes:
        if box.image_id not in found:
            continue
        image = found[box.image_id].image
        size = image.columns, image.rows
        with wrong_at(box.where):
            placed.append(
                replace(box, box=fitted(in_pixels(box.box, drawn_on[box.image_id], size), *size))
            )
    return by_image(placed)


# --- images --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Files:
    """Where the files of images may be that the store does not know."""

    folder: Path
    load: Load
    keep: Path


def _find_images(
    store: Store,
    document: LabelDocument,
    files: _Files,
    on_progress: Callable[[int, int], None] | None,
) -> tuple[dict[int, ImageRecord], list[str]]:
    """The record of each entry by its id; images that only the file has enter the store here."""
    found: dict[int, ImageRecord] = {}
    not_found: list[str] = []
    taken: set[ImageKey] = set()
    for done, entry in enumerate(document.images):
        if on_progress is not None:
            on_progress(done, len(document.images))
        try:
            record = _by_identity(store, entry, taken)
            if record is None:
                record = _by_content(store, entry, files)
            size = record.image.columns, record.image.rows
            if (entry.width, entry.height) not in ((0, 0), size):
                raise InputError(
                    f"the image has {size[0]} x {size[1]} pixels, not "
                    f"{entry.width} x {entry.height}."
                )
        except InputError as error:
            name = entry.file_name or entry.uid or f"image {entry.id}"
            not_found.append(f"{name} ({str(error).rstrip('.')})")
            continue
        taken.add(record.key)
        found[entry.id] = record
    return found, not_found


def _by_identity(store: Store, entry: LabelImage, taken: set[ImageKey]) -> ImageRecord | None:
    if entry.uid:
        record = store.image(entry.uid, entry.frame_number)
        # The same UID with other pixels is another picture: its boxes are not for this one.
        if record is not None and entry.pixel_sha256 in ("", record.pixel_sha256):
            return record
    if not entry.pixel_sha256:
        return None
    records = store.images_with_pixels(entry.pixel_sha256)
    # Equal pixels in several images: the same patient's first, each image once.
    ranked = sorted(
        records,
        key=lambda record: (record.key in taken, record.patient_key != entry.patient_key),
    )
    return ranked[0] if ranked else None


def _by_content(store: Store, entry: LabelImage, files: _Files) -> ImageRecord:
    if entry.content is not None:
        return _kept(store, entry, entry.content(), files)
    path = (files.folder / entry.file_name).resolve()
    if not entry.file_name or not path.is_relative_to(files.folder.resolve()):
        path = files.folder
    if not path.is_file():
        raise InputError("it is neither in the label database nor beside the file.")
    return _remembered(store, entry, path, files.load)


def _kept(store: Store, entry: LabelImage, content: bytes, files: _Files) -> ImageRecord:
    """The picture gets a file of its own, which stays where it is an image."""
    path = files.keep / hashlib.sha256(content).hexdigest()[:32]
    new = not path.exists()
    try:
        if new:
            files.keep.mkdir(parents=True, exist_ok=True)
            write_durably(path, content)
        return _remembered(store, entry, path, files.load)
    except OSError as error:
        raise ExchangeError(f"{files.keep} cannot be written: {error.strerror}.") from error
    except InputError:
        if new:
            path.unlink(missing_ok=True)
        raise


def _remembered(store: Store, entry: LabelImage, path: Path, load: Load) -> ImageRecord:
    opened = load(path)
    if not opened:
        raise InputError("the file beside it is no image that can be opened.")
    for image, frame in opened:
        # One frame as a picture of its own is how exports hold the frames of a multi-frame image.
        if image.frame_number == entry.frame_number or image.number_of_frames == 1:
            store.remember_image(image, frame.pixel_sha256)
            record = store.image(image.uid, image.frame_number)
            if record is not None:
                return record
    raise InputError(f"the file has no frame {entry.frame_number}.")


# --- candidates ----------------------------------------------------------------------------------


def _import_candidates(
    store: Store,
    study: StudyRecord,
    key: ImageKey,
    document: LabelDocument,
    boxes: Iterable[LabelBox],
) -> int:
    """Record the scored boxes of one image as a run; 0 where that run is known.

    A file that names its model says of every image that it was analysed, also where it has no box.
    """
    detections = sorted(
        (Detection(box.box, box.score, box.category) for box in boxes if box.score is not None),
        key=lambda detection: -detection.score,
    )
    if not detections and document.model is None:
        return 0
    model = document.model or ModelName("imported", "", "")
    run = Run(
        id=uuid4().hex,
        image=key,
        model_name=model.name,
        model_version=model.version,
        weights_sha256=model.weights_sha256,
        device=document.device,
        score_floor=document.floor,
        at=datetime.now(UTC),
    )
    if _is_known(study, run, detections):
        return 0
    store.record_run(run, detections)
    return len(detections)


def _is_known(study: StudyRecord, run: Run, detections: Sequence[Detection]) -> bool:
    wanted = Counter(_rounded(each.box, each.category, each.score) for each in detections)
    for known in study.runs:
        same_model = (known.model_name, known.model_version, known.weights_sha256) == (
            run.model_name,
            run.model_version,
            run.weights_sha256,
        )
        if known.image == run.image and same_model:
            kept = (each for each in study.candidates if each.run_id == known.id)
            if wanted == Counter(_rounded(each.box, each.category, each.score) for each in kept):
                return True
    return False


def _rounded(box: Box, category: str, score: float) -> tuple[object, ...]:
    corners = (box.x_min, box.y_min, box.x_max, box.y_max)
    return (*(round(value, 2) for value in corners), category, round(score, 5))


# --- findings ------------------------------------------------------------------------------------


def _new_findings(
    study: StudyRecord, key: ImageKey, boxes: Iterable[LabelBox], reader: str
) -> list[Event]:
    decided: dict[tuple[str, Role], list[Finding]] = {}
    events: list[Event] = []
    for box in boxes:
        if box.score is not None:
            continue
        whose = box.reader or reader
        log = whose, box.role
        if log not in decided:
            decided[log] = _decided(study, key, *log)
        if any(_same(finding, box) for finding in decided[log]):
            continue
        finding = Finding(
            id=uuid4().hex,
            image=key,
            box=box.box,
            category=box.category,
            status=box.status,
            score=box.model_score,
            note=f"imported by {reader}",
            uncertain=box.uncertain,
            reason=box.reason,
        )
        decided[log].append(finding)
        events.append(_event(study.study_uid, finding, box, whose))
    return events


def _decided(study: StudyRecord, key: ImageKey, reader: str, role: Role) -> list[Finding]:
    """What a reader has decided on an image; a reader's log knows of nobody else's."""
    return [
        finding
        for finding in fold(of_log(study, reader, role)).findings
        if finding.image == key and finding.status is not Status.OPEN
    ]


def _same(finding: Finding, box: LabelBox) -> bool:
    ours, theirs = finding.box, box.box
    return finding.category == box.category and all(
        abs(a - b) <= SAME_BOX
        for a, b in (
            (ours.x_min, theirs.x_min),
            (ours.y_min, theirs.y_min),
            (ours.x_max, theirs.x_max),
            (ours.y_max, theirs.y_max),
        )
    )


def _event(study_uid: str, finding: Finding, box: LabelBox, reader: str) -> Event:
    model = box.model
    return Event(
        id=uuid4().hex,
        study_uid=study_uid,
        verb=_VERBS[finding.status],
        before=None,
        after=finding,
        reader=reader,
        at=box.decided_at or datetime.now(UTC),
        threshold=box.threshold or 0.0,
        ai_visible=box.ai_visible,
        weights_sha256=None if model is None else model.weights_sha256,
        model_name="" if model is None else model.name,
        model_version="" if model is None else model.version,
        mode=box.mode,
        role=box.role,
    )
