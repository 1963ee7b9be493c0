"""`agreement`: how far the readers of the studies that several have signed agree."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from detector.measuring.bootstrap import draw_patients, interval
from viewer.commands.console import UsageError, tell, write_whole
from viewer.errors import InputError
from viewer.home import Home
from viewer.review.agreement import (
    Agreement,
    ImageAgreement,
    agreement_over,
    categories_of,
    category_table,
    cohens_kappa,
    compared,
    image_table,
    signed_reads,
)
from viewer.review.matching import SAME_FINDING_IOU, FloatArray
from viewer.review.record import by_patient
from viewer.review.store import Store

ROUNDS = 1000  # draws of patients for an interval

_RULE = f"""\
Matched: boxes with an intersection over union of at least {SAME_FINDING_IOU:g}, one to one.
Category kappa: Cohen's, over the categories of the matched pairs and, against "nothing", of every
  finding that only one reader has marked. Image kappa: over images with and without a finding.
In brackets: 95 % interval over patients drawn anew {ROUNDS} times; - where a figure is undefined or
  there are too few patients."""

_HEADS = (
    "reader A", "reader B", "studies", "patients", "images", "findings", "both", "only A", "only B",
    "category kappa", "image kappa", "mean IoU",
)  # fmt: skip

_COLUMNS = (
    "reader_a", "reader_b", "patient_key", "study", "images", "both", "only_a", "only_b",
    "same_category", "category_kappa", "category_kappa_low", "category_kappa_high", "images_both",
    "images_only_a", "images_only_b", "image_kappa", "image_kappa_low", "image_kappa_high",
    "mean_iou",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Read:
    """A study that both readers of a pair have signed."""

    patient_key: str
    images: tuple[ImageAgreement, ...]


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two readers, and the studies that both have signed."""

    readers: tuple[str, str]
    studies: tuple[_Read, ...]

    @property
    def images(self) -> tuple[ImageAgreement, ...]:
        return tuple(image for study in self.studies for image in study.images)

    @property
    def patients(self) -> Mapping[str, list[ImageAgreement]]:
        grouped: dict[str, list[ImageAgreement]] = {}
        for study in self.studies:
            grouped.setdefault(study.patient_key, []).extend(study.images)
        return grouped


def agreement(home: Home, chosen: tuple[str, str] | None, out: Path | None) -> None:
    """Print a line for each two readers that have signed a study in common.

    Parameters
    ----------
    chosen : only these two.
    out : a CSV file to write as well: a line for each study, then one over all of them.

    Raises
    ------
    UsageError
        The two are one.
    InputError
        No study was signed by two readers, or not by these.
    ExchangeError, StoreError
    """
    if chosen is not None and chosen[0] == chosen[1]:
        raise UsageError("--readers needs two readers, not one twice")
    with Store.open(home.database) as store:
        found = _pairs(store, chosen)
    if not found:
        who = "two readers" if chosen is None else f"both {chosen[0]} and {chosen[1]}"
        raise InputError(f"No study was signed by {who}.")
    print(_table([_HEADS, *(_line(pair) for pair in found)]))
    print(_RULE)
    if out is not None:
        write_whole(out, _csv(found).encode("utf-8"))
        tell(f"wrote {out}")


def _pairs(store: Store, chosen: tuple[str, str] | None) -> list[_Pair]:
    studies: dict[tuple[str, str], list[_Read]] = {}
    for study_uid in store.study_uids():
        for patient_key, study in by_patient(store.load(study_uid)):
            signed = signed_reads(study)
            names = tuple(signed) if chosen is None else [n for n in chosen if n in signed]
            for pair in combinations(names, 2):
                images = compared(signed[pair[0]], signed[pair[1]])
                if images:
                    studies.setdefault(pair, []).append(_Read(patient_key, images))
    # In an order that says nothing of patients, as an export has it.
    return [
        _Pair(pair, tuple(sorted(studies[pair], key=lambda study: study.patient_key)))
        for pair in sorted(studies)
    ]


# --- figures -------------------------------------------------------------------------------------


def _category_interval(pair: _Pair) -> list[float] | None:
    names = categories_of(pair.images)
    return _interval(pair, lambda images: category_table(images, names))


def _image_interval(pair: _Pair) -> list[float] | None:
    return _interval(pair, image_table)


def _interval(
    pair: _Pair, table: Callable[[Sequence[ImageAgreement]], FloatArray]
) -> list[float] | None:
    """The interval of a kappa over patients drawn with replacement."""
    tables = np.stack([table(images) for images in pair.patients.values()])
    drawn = draw_patients(len(tables), ROUNDS)
    return interval(cohens_kappa(np.tensordot(drawn, tables, axes=1)))


def _line(pair: _Pair) -> tuple[str, ...]:
    found = agreement_over(pair.images)
    return (
        *pair.readers,
        str(len(pair.studies)),
        str(len(pair.patients)),
        str(found.images),
        str(found.findings),
        str(found.both),
        str(found.only_first),
        str(found.only_second),
        _with_interval(found.category_kappa, _category_interval(pair)),
        _with_interval(found.image_kappa, _image_interval(pair)),
        _number(found.mean_iou),
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _with_interval(value: float | None, span: list[float] | None) -> str:
    if value is None or span is None:
        return _number(value)
    return f"{value:.2f} [{span[0]:.2f}, {span[1]:.2f}]"


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Columns under their heads, readers to the left and figures to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


# --- the file ------------------------------------------------------------------------------------


def _csv(pairs: Sequence[_Pair]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for pair in pairs:
        for number, study in enumerate(pair.studies, start=1):
            figures = agreement_over(study.images)
            writer.writerow(_cells(pair, study.patient_key, str(number), figures))
        over_all = agreement_over(pair.images)
        spans = _category_interval(pair), _image_interval(pair)
        writer.writerow(_cells(pair, "", "all", over_all, *spans))
    return text.getvalue()


def _cells(  # noqa: PLR0917
    pair: _Pair,
    patient_key: str,
    study: str,
    found: Agreement,
    category_span: list[float] | None = None,
    image_span: list[float] | None = None,
) -> tuple[object, ...]:
    nothing = ("", "")
    return (
        *(_inert(name) for name in pair.readers),
        patient_key,
        study,
        found.images,
        found.both,
        found.only_first,
        found.only_second,
        found.same_category,
        _cell(found.category_kappa),
        *(nothing if category_span is None else map(_cell, category_span)),
        found.images_both,
        found.images_first,
        found.images_second,
        _cell(found.image_kappa),
        *(nothing if image_span is None else map(_cell, image_span)),
        _cell(found.mean_iou),
    )


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _inert(text: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
