"""A study as a report for people: what stands in it. ``report_pdf`` and ``report_html`` set it.

Without identity it names nobody and no day but that of the reading; the reader's free words stay
out, too, since nothing keeps a name out of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from string import ascii_uppercase

import cv2
import numpy as np
from pydicom.dataset import Dataset

from detector.types import RESEARCH_USE_ONLY, Box, ModelCard
from viewer.dicom import voi
from viewer.dicom.allowed import term
from viewer.dicom.attributes import person_name
from viewer.dicom.model import Frame, Image, Picture
from viewer.dicom.spacing import MILLIMETRES, scale_at
from viewer.exchange.export import Export, Written
from viewer.exchange.measured import Figure, figures_of
from viewer.exchange.pages import Page
from viewer.exchange.pictures import png, write_durably
from viewer.exchange.referring import Referred, source_words, studies
from viewer.exchange.report_html import html_of
from viewer.exchange.report_model import (
    Fact,
    Mark,
    MarkKind,
    Report,
    ReportedFinding,
    ReportedImage,
    ReportPicture,
    Stroke,
)
from viewer.exchange.report_pdf import pdf_of
from viewer.exchange.shapes import outline
from viewer.review import operating_point
from viewer.review.finding import Event, Finding, Mode, Role, Status
from viewer.review.measurement import Measurement
from viewer.version import VERSION

_LARGEST = 1600  # pixels of the longer side of a picture
_MODES = {
    Mode.CONCURRENT: "the detector's marks shown from the start",
    Mode.BLIND: "blind first: a first read was signed before the detector's marks were shown",
}


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a report needs of a frame."""

    picture: bytes
    width: int
    height: int
    figures: tuple[tuple[Figure, ...], ...]  # of each measurement


@dataclass(frozen=True, slots=True)
class _Told:
    """What is said besides: names and words, and of each decision whose it is."""

    identity: bool
    readers: bool


def write(work: Export) -> Written:
    """Write a report for each study, as PDF and as HTML."""
    gone_out: list[Page] = []
    for number, pages in enumerate(studies(work, _seen), start=1):
        report = report_of(pages, work.card_of, identity=work.options.identity)
        name = f"study-{number:04d}-report"
        write_durably(work.folder / f"{name}.pdf", pdf_of(report))
        write_durably(work.folder / f"{name}.html", html_of(report).encode("utf-8"))
        gone_out += [each.page for each in pages]
    return Written.of(gone_out)


def _seen(page: Page, frame: Frame) -> _Seen:
    image = page.record.image
    shown = _displayed(voi.picture(frame, voi.default_voi(frame)), image.spacing.aspect)
    figures = tuple(figures_of(each, image, frame) for each in page.measurements)
    return _Seen(png(shown), shown.shape[1], shown.shape[0], figures)


def _displayed(picture: Picture, aspect: float) -> Picture:
    """With square pixels, and no larger than paper can show."""
    rows, columns = picture.shape[:2]
    width, height = columns * max(1.0, 1 / aspect), rows * max(1.0, aspect)
    scale = min(1.0, _LARGEST / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size == (columns, rows):
        return picture
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def report_of(
    pages: Sequence[Referred[_Seen]],
    card_of: Callable[[str], ModelCard | None],
    *,
    identity: bool,
) -> Report:
    """The content of the report on one study.

    Parameters
    ----------
    card_of : the card of an installed model by the hash of its weights.
    """
    signature = pages[0].page.signature
    events = [event for each in pages for _, event in each.page.decided]
    events += [signature] if signature else []
    signed = signature is not None and all(each.page.complete for each in pages)
    numbers = iter(range(1, 1 + sum(len(each.page.shown) for each in pages)))
    told = _Told(identity, len({event.reader for event in events}) > 1)
    images = tuple(
        _image(each, f"Image {place}", numbers, told) for place, each in enumerate(pages, start=1)
    )
    return Report(
        title="Findings on images",
        notice=RESEARCH_USE_ONLY,
        patient=_patient(pages[0].dataset, identity),
        reading=_reading(events, signature if signed else None, identity=identity),
        machine=_machine(pages, events, card_of),
        images=images,
        program=f"Lightbox {VERSION}",
        made=_time(datetime.now(UTC)),
        signed=signed,
        summary=_summary(pages, signed),
    )


def _summary(pages: Sequence[Referred[_Seen]], signed: bool) -> str:
    """The report in a sentence."""
    certain = [finding for each in pages for finding, _ in each.page.certain]
    doubtful = [f for each in pages for f, _ in each.page.uncertain if f.status != Status.REJECTED]
    images = "one image" if len(pages) == 1 else f"{len(pages)} images"
    if not certain and not doubtful:
        nothing = "No finding" if signed else "No finding so far; the reading is not complete"
        return f"{nothing}, on {images}."
    counts: dict[str, int] = {}
    for finding in certain:
        counts[finding.category] = counts.get(finding.category, 0) + 1
    parts = [f"{count} × {category}" for category, count in counts.items()]
    parts += [f"{len(doubtful)} uncertain"] if doubtful else []
    unfinished = "" if signed else " The reading is not complete: there may be more."
    return f"{', '.join(parts)}, on {images}.{unfinished}"


# --- facts ---------------------------------------------------------------------------------------


def _patient(dataset: Dataset, identity: bool) -> tuple[Fact, ...]:
    if not identity or "PatientIdentityRemoved" in dataset:
        return (Fact("Patient key", str(dataset.PatientID)), Fact("Identity", "not included"))
    born = _date(str(dataset.get("PatientBirthDate") or "")), str(dataset.get("PatientSex") or "")
    facts = (
        Fact("Patient", person_name(dataset, "PatientName") or "no name"),
        Fact("Patient ID", str(dataset.get("PatientID") or "")),
        Fact("Born", " ".join(part for part in born if part)),
        Fact("Study", _date(str(dataset.get("StudyDate") or ""))),
        Fact("Description", str(dataset.get("StudyDescription") or "")),
        Fact("Accession", str(dataset.get("AccessionNumber") or "")),
    )
    return tuple(fact for fact in facts if fact.value)


def _reading(
    events: Sequence[Event], signature: Event | None, *, identity: bool
) -> tuple[Fact, ...]:
    readers = list(dict.fromkeys(event.reader for event in events))
    consensus = any(event.role is Role.ADJUDICATOR for event in events)
    signed = "not signed" if signature is None else f"{signature.reader}, {_time(signature.at)}"
    modes = list(dict.fromkeys(_MODES[event.mode] for event in events))
    facts = [
        Fact("Consensus" if consensus else "Reader", ", ".join(readers)),
        Fact("Signed", signed),
        Fact("Reading", "; ".join(modes)),
        Fact("Amendment", signature.comment if signature and identity else ""),
    ]
    return tuple(fact for fact in facts if fact.value)


def _machine(
    pages: Sequence[Referred[_Seen]],
    events: Sequence[Event],
    card_of: Callable[[str], ModelCard | None],
) -> tuple[Fact, ...]:
    """Which models marked candidates, and what their thresholds mean."""
    models = {
        event.weights_sha256: (event.model_name, event.model_version)
        for event in events
        if event.weights_sha256
    }
    for each in pages:
        run = each.page.run
        if run is not None:
            models.setdefault(run.weights_sha256, (run.model_name, run.model_version))
    if not models:
        return (Fact("Detector", "no detector was used"),)
    facts: list[Fact] = []
    for weights, (name, version) in models.items():
        thresholds = {
            event.threshold_of(finding.category)
            for each in pages
            for finding, event in each.page.decided
            if event.weights_sha256 == weights
        }
        signature = pages[0].page.signature
        if not thresholds and signature is not None and signature.ai_visible:
            thresholds = {signature.threshold}  # no mark was judged, and that was signed
        facts += [
            Fact("Detector", f"{name} {version}"),
            Fact("Weights", f"SHA-256 {weights}"),
        ]
        facts += _operating_points(card_of(weights), sorted(thresholds))
    return tuple(facts)


def _operating_points(card: ModelCard | None, thresholds: Sequence[float]) -> Iterable[Fact]:
    for threshold in thresholds:
        at = f"{threshold:.2f}"
        if card is None:
            yield Fact("Threshold", f"{at}; the card of this model is not installed here")
            continue
        point = operating_point.at(card, threshold)
        if point is None:
            yield Fact("Threshold", f"{at}; how often it is right was not measured")
            continue
        on = operating_point.measured_words(operating_point.measured_on(card))
        yield Fact(
            "Threshold",
            f"{at}: the detector finds {point.sensitivity * 100:.0f} % of findings with "
            f"{point.false_marks_per_image:.1f} false marks an image{on and ', measured on '}{on}",
        )


# --- images --------------------------------------------------------------------------------------


def _image(each: Referred[_Seen], title: str, numbers: Iterator[int], told: _Told) -> ReportedImage:
    page, image = each.page, each.page.record.image
    marks: list[Mark] = []
    findings: list[ReportedFinding] = []
    for finding, decision in page.shown:
        number = next(numbers)
        kind = MarkKind.UNCERTAIN if finding.uncertain else MarkKind.FINDING
        marks.append(Mark(number, kind, _share(finding.box, image)))
        findings.append(_finding(str(number), finding, decision, image, told))
    rejected = [
        _finding("", finding, decision, image, told)
        for finding, decision in page.decided
        if finding.status is Status.REJECTED
    ]
    seen = each.content
    drawn = [pair for pair in zip(page.measurements, seen.figures, strict=True) if pair[1]]
    measured = [(_letter(place), *pair) for place, pair in enumerate(drawn)]
    return ReportedImage(
        title=" · ".join(part for part in (title, _kind(image)) if part),
        review="reviewed completely" if page.complete else "not reviewed completely",
        picture=ReportPicture(
            seen.picture,
            seen.width,
            seen.height,
            tuple(marks),
            tuple(_stroke(letter, each, image) for letter, each, _ in measured),
        ),
        findings=tuple(findings),
        rejected=tuple(rejected),
        measurements=tuple((letter, _figures(each, figures)) for letter, each, figures in measured),
    )


def _figures(measurement: Measurement, figures: Sequence[Figure]) -> str:
    words = "; ".join(figure.words for figure in figures)
    shape = measurement.shape.value.capitalize()
    return words if words.startswith(shape) else f"{shape}: {words}"


def _stroke(letter: str, measurement: Measurement, image: Image) -> Stroke:
    kind, points = outline(measurement)
    if kind == "ELLIPSE":
        points = np.array(measurement.points, np.float64)
    shares = points / (image.columns, image.rows)
    return Stroke(letter, tuple(map(tuple, shares.tolist())), kind == "ELLIPSE")


def _kind(image: Image) -> str:
    series = image.series
    frame = f"frame {image.frame_number}" if image.number_of_frames > 1 else ""
    parts = (
        term("Modality", series.modality),
        term("BodyPartExamined", series.body_part),
        term("ViewPosition", image.view),
    )
    words = " ".join(part for part in parts if part)
    return ", ".join(part for part in (words, frame) if part)


def _letter(place: int) -> str:
    """A to Z, then A1 to Z1 and on."""
    rounds, letter = divmod(place, len(ascii_uppercase))
    return ascii_uppercase[letter] + (str(rounds) if rounds else "")


def _share(box: Box, image: Image) -> tuple[float, float, float, float]:
    """Left, top, width and height as shares of the picture."""
    inside = box.clipped(image.columns, image.rows)
    x, y, width, height = inside.xywh()
    return x / image.columns, y / image.rows, width / image.columns, height / image.rows


def _finding(
    number: str, finding: Finding, decision: Event, image: Image, told: _Told
) -> ReportedFinding:
    said = ["undecided" if finding.status is Status.OPEN else finding.status.value]
    said += ["uncertain"] if finding.uncertain else []
    said += [f"reason: {finding.reason.value}"] if finding.reason else []
    said_besides = [source_words(source) for source in finding.sources]
    said_besides += [finding.note] if finding.note and told.identity else []
    return ReportedFinding(
        number=number,
        category=finding.category,
        status=", ".join(said),
        score="" if finding.score is None else f"{finding.score:.2f}",
        size=_size(finding.box, image),
        decided=f"{_time(decision.at)}{f', {decision.reader}' if told.readers else ''}",
        note="; ".join(said_besides),
    )


def _size(box: Box, image: Image) -> str:
    """Width and height of the box, in millimetres where they are known at all its corners."""
    scales = {scale_at(image, x, y) for x in (box.x_min, box.x_max) for y in (box.y_min, box.y_max)}
    scale = scales.pop()
    if scales or scale.unit != MILLIMETRES:
        return f"{box.width:.0f} × {box.height:.0f} px"
    caveat = f" {scale.words}" if scale.words else ""
    return f"{box.width * scale.x:.0f} × {box.height * scale.y:.0f} mm{caveat}"


def _date(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}" if len(text) == 8 and text.isdigit() else text


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
