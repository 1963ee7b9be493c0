"""Labels on their way out of one store and into another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from viewer.dicom.deidentify import copy_of
from viewer.dicom.model import Frame, Image
from viewer.dicom.pixels import decode
from viewer.dicom.pseudonym import Pseudonym
from viewer.exchange.export import ExportSummary
from viewer.exchange.formats import FORMATS
from viewer.exchange.label_import import ImportSummary
from viewer.exchange.options import Options
from viewer.review.finding import Finding, Status
from viewer.review.fold import fold
from viewer.review.session import ReviewSession
from viewer.review.store import Store

Load = Callable[[Path], list[tuple[Image, Frame]]]
OpenFile = Callable[[Store, Path], tuple[ReviewSession, list[tuple[Image, Frame]]]]

DATASETS = ("coco", "yolo", "voc", "csv", "tfrecord")

ROWS, COLUMNS = 60, 90
ODD = (
    "opacity",
    'a "b" \\ c',
    "it's, so",
    "=1+1",
    "Ödem ＝ 肺",
    "two  words #3",
    "<&>",
    "@x",
    "'=y",
)


def chest(number: int, **tags: Any) -> dict[str, Any]:
    pixels = np.random.default_rng(number).integers(0, 4096, (ROWS, COLUMNS)).astype(np.uint16)
    return {
        "pixels": pixels,
        "PatientID": f"P{number}",
        "StudyInstanceUID": f"2.25.{number}",
    } | tags


def export(store: Store, out: Path, name: str, **options: Any) -> ExportSummary:
    def copy(image: Image, pseudonym: Pseudonym | None, pixels: bool) -> bytes:
        return copy_of(image, pseudonym, pixels=pixels)

    return FORMATS[name].export(store, out, decode, Options(**options), copy=copy)


def import_(store: Store, path: Path, name: str, load: Load, reader: str = "R") -> ImportSummary:
    keep = path.parent / "keep"
    return FORMATS[name].import_labels(store, path, reader, load=load, keep=keep)


def findings(store: Store) -> list[Finding]:
    return [
        finding
        for uid in store.study_uids()
        for finding in fold(store.load(uid)).findings
        if finding.status is not Status.OPEN
    ]


def essence(store: Store, digits: int = 6) -> list[tuple[object, ...]]:
    """What must survive a journey; the identity of image and finding does not."""
    return sorted(
        (
            tuple(round(value, digits) for value in each.box.xywh()),
            each.category,
            each.status.value,
            each.uncertain,
        )
        for each in findings(store)
    )


def keys(store: Store) -> set[str]:
    return {image.patient_key for uid in store.study_uids() for image in store.load(uid).images}
