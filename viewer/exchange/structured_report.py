"""Findings as DICOM structured reports: TID 1500, one document a study (PS3.16).

Each finding is a planar ROI measurement group (TID 1410): its box as a closed polyline on the
image, what it is, where, whose algorithm proposed it with which score, and what the reader said of
it. A candidate that the reader rejected, or only doubts, has a group as well, but no Finding: it is
stated as nothing. Each image
has a group of its own (TID 1501) that says how completely it was reviewed, since an image without
a finding says nothing else. The reader's measurements follow.

A document is VERIFIED by the reader who signed, where the signature covers all its images.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

import highdicom
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    ComprehensiveSR,
    CoordinatesForMeasurement,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    ImageRegion,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    PnameContentItem,
    QualitativeEvaluation,
    SourceImageForMeasurementGroup,
    SourceImageForRegion,
    TextContentItem,
    TrackingIdentifier,
)
from highdicom.sr import Measurement as NumericMeasurement
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.valuerep import DT

from detector.types import RESEARCH_USE_ONLY
from viewer.dicom.model import Frame
from viewer.dicom.reported import Concept
from viewer.dicom.written import file_of
from viewer.exchange import concepts
from viewer.exchange.export import Export, Written
from viewer.exchange.measured import Figure, figures_of
from viewer.exchange.pages import Page
from viewer.exchange.pictures import write_durably
from viewer.exchange.referring import (
    Referred,
    person_name,
    source_words,
    studies,
    write_captures,
)
from viewer.exchange.shapes import corners, outline
from viewer.review.finding import POSITIVE, Event, Finding, Role
from viewer.review.measurement import Measurement, Shape
from viewer.version import VERSION

_MAKER = "Lightbox"
_SERIES_NUMBER = 9001
_ORGANIZATION = "not stated"  # type 1 of the module, and nothing here knows it
_DEVICE = uuid.UUID("7d8f1d5e-8c55-4a52-9a5e-4f6c7b1d2a90")  # the program, the same everywhere
_CHESTS = ("CHEST", "THORAX")

Measured = tuple[tuple[Measurement, tuple[Figure, ...]], ...]
_Group = MeasurementsAndQualitativeEvaluations | PlanarROIMeasurementsAndQualitativeEvaluations


def write(work: Export) -> Written:
    """Write a structured report for each study, and a DICOM image for each plain one."""
    gone_out: list[Page] = []
    for number, pages in enumerate(studies(work, _measured), start=1):
        name = f"study-{number:04d}"
        write_durably(work.folder / f"{name}-findings.dcm", file_of(document(pages)))
        write_captures(work, pages, name)
        gone_out += [each.page for each in pages]
    return Written.of(gone_out)


def _measured(page: Page, frame: Frame) -> Measured:
    image = page.record.image
    return tuple((each, figures_of(each, image, frame)) for each in page.measurements)


def document(pages: Sequence[Referred[Measured]]) -> Dataset:
    """The structured report of one study."""
    groups = [group for each in pages for group in _groups(each)]
    signature = pages[0].page.signature
    signed = signature is not None and all(each.page.complete for each in pages)
    readers = _readers(pages)
    content = MeasurementReport(
        observation_context=_observers(readers),
        procedure_reported=_coded(_procedure(pages[0].page)),
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
    )
    content[0].ContentSequence.extend(_said_of_all(pages, readers))
    report: Dataset = ComprehensiveSR(
        evidence=list({each.dataset.SOPInstanceUID: each.dataset for each in pages}.values()),
        content=content,
        series_instance_uid=highdicom.UID(),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer=_MAKER,
        is_complete=signed,
        is_final=signed,
        is_verified=signed,
        verifying_observer_name=person_name(signature.reader) if signature and signed else None,
        verifying_organization=_ORGANIZATION if signed else None,
        series_description="Lightbox findings, research use only",
        manufacturer_model_name=_MAKER,
        software_versions=VERSION,
        coding_schemes=[
            CodingSchemeIdentificationItem(
                concepts.SCHEME, name="Lightbox codes", responsible_organization=_MAKER
            )
        ],
    )
    if signature is not None and signed:
        report.VerifyingObserverSequence[0].VerificationDateTime = _moment(signature.at)
    return report


# --- what is said of the whole document ----------------------------------------------------------


def _readers(pages: Sequence[Referred[Measured]]) -> list[str]:
    """Who decided and who signed, in that order."""
    names = [decision.reader for each in pages for _, decision in each.page.decided]
    names += [each.page.signature.reader for each in pages if each.page.signature]
    return list(dict.fromkeys(names))


def _observers(readers: Sequence[str]) -> ObservationContext:
    persons = [
        ObserverContext(
            observer_type=codes.DCM.Person,
            observer_identifying_attributes=PersonObserverIdentifyingAttributes(
                name=person_name(reader)
            ),
        )
        for reader in readers
    ]
    device = ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
            uid=f"2.25.{_DEVICE.int}",
            name=_MAKER,
            manufacturer_name=_MAKER,
            model_name=_MAKER,
            serial_number=VERSION,
        ),
    )
    context = ObservationContext(
        observer_person_context=persons[0] if persons else None, observer_device_context=device
    )
    for person in persons[1:]:
        context.extend(person)
    return context


def _procedure(page: Page) -> Concept:
    series = page.record.image.series
    if series.body_part in _CHESTS and series.modality in ("CR", "DX", "RG"):
        return Concept("399208008", "SCT", "Plain chest X-ray")
    return Concept("363679005", "SCT", "Imaging")


def _said_of_all(
    pages: Sequence[Referred[Measured]], readers: Sequence[str]
) -> list[TextContentItem]:
    consensus = any(
        event.role is Role.ADJUDICATOR
        for each in pages
        for event in (*(decision for _, decision in each.page.decided), each.page.signature)
        if event is not None
    )
    whose = "consensus" if consensus else "reader"
    return [
        _text(concepts.COMMENT, RESEARCH_USE_ONLY),
        _text(concepts.LOG, f"{whose}: {', '.join(readers)}" if readers else whose),
    ]


# --- groups --------------------------------------------------------------------------------------


def _groups(each: Referred[Measured]) -> list[_Group]:
    page = each.page
    found: list[_Group] = [_image_group(each)]
    found += [_finding_group(each, finding, decision) for finding, decision in page.decided]
    found += [
        _measurement_group(each, number, measurement, figures)
        for number, (measurement, figures) in enumerate(each.content, start=1)
        if figures
    ]
    return found


def _image_group(each: Referred[Measured]) -> _Group:
    """How completely an image was reviewed, and which pixels that is true of."""
    page = each.page
    state = concepts.COMPLETE if page.complete else concepts.PARTIAL
    if page.reviewed_negative:
        state = concepts.NEGATIVE
    image = SourceImageForMeasurementGroup(
        each.dataset.SOPClassUID, each.dataset.SOPInstanceUID, each.frames
    )
    group = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=highdicom.UID(), identifier="Image"),
        source_images=[image],
        qualitative_evaluations=[_evaluation(concepts.REVIEW, state)],
    )
    group[0].ContentSequence.append(_text(concepts.PIXELS, page.record.pixel_sha256))
    return group


def _finding_group(each: Referred[Measured], finding: Finding, decision: Event) -> _Group:
    stated = finding.status in POSITIVE
    concept = concepts.concept_of(finding.category)
    series = each.page.record.image.series
    group = PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            uid=f"2.25.{uuid.uuid5(_DEVICE, finding.id).int}",
            identifier=f"{'Finding' if stated else 'Candidate'}: {finding.category}",
        ),
        referenced_region=ImageRegion("POLYLINE", corners(finding.box), _source(each)),
        finding_type=_coded(concept) if stated else None,
        finding_sites=[FindingSite(_coded(concepts.CHEST))]
        if series.body_part in _CHESTS
        else None,
        algorithm_id=_algorithm(decision, finding.category),
        measurements=_score(finding),
        qualitative_evaluations=_evaluations(finding, decision, concept),
    )
    container = group[0]
    container.ObservationDateTime = _moment(decision.at)
    observer = PnameContentItem(
        _coded(concepts.PERSON_OBSERVER), person_name(decision.reader), "HAS OBS CONTEXT"
    )
    container.ContentSequence.append(observer)
    container.ContentSequence.extend(
        _text(concepts.SOURCE, source_words(source)) for source in finding.sources
    )
    if finding.note and "PatientIdentityRemoved" not in each.dataset:
        container.ContentSequence.append(_text(concepts.COMMENT, finding.note))
    return group


def _algorithm(decision: Event, category: str) -> AlgorithmIdentification | None:
    """The model whose candidate was judged, with the hash that no version number replaces."""
    if decision.weights_sha256 is None:
        return None
    return AlgorithmIdentification(
        name=decision.model_name or "unknown",
        version=decision.model_version or "unknown",
        parameters=[
            f"weights SHA-256: {decision.weights_sha256}",
            f"threshold: {decision.threshold_of(category)!r}",
        ],
    )


def _score(finding: Finding) -> list[NumericMeasurement] | None:
    if finding.score is None:
        return None
    return [
        NumericMeasurement(
            _coded(concepts.SCORE), float(finding.score) * 100, _coded(concepts.PERCENT)
        )
    ]


def _evaluations(
    finding: Finding, decision: Event, concept: Concept
) -> list[QualitativeEvaluation]:
    said = [(concepts.STATUS, concepts.own(finding.status.value))]
    if finding.uncertain:
        said.append((concepts.CERTAINTY, concepts.UNCERTAIN))
    if finding.reason is not None:
        said.append((concepts.REASON, concepts.own(finding.reason.value)))
    if finding.status not in POSITIVE or concepts.category_of(concept) != finding.category:
        said.append((concepts.CATEGORY, concepts.own(finding.category)))
    marks = concepts.MARKS_VISIBLE if decision.ai_visible else concepts.MARKS_HIDDEN
    said += [(concepts.MODE, concepts.own(decision.mode.value)), (concepts.MARKS, marks)]
    return [_evaluation(name, value) for name, value in said]


def _measurement_group(
    each: Referred[Measured], number: int, measurement: Measurement, figures: Sequence[Figure]
) -> _Group:
    tracking = TrackingIdentifier(
        uid=f"2.25.{uuid.uuid5(_DEVICE, measurement.id).int}",
        identifier=f"Measurement {number}: {measurement.shape.value}",
    )
    graphic, points = outline(measurement)
    if measurement.shape not in (Shape.RECTANGLE, Shape.ELLIPSE):
        place = CoordinatesForMeasurement(graphic, points, _source(each))
        return MeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking,
            measurements=[_numeric(figure, [place]) for figure in figures],
        )
    return PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracking,
        referenced_region=ImageRegion(graphic, points, _source(each)),
        measurements=[_numeric(figure, None) for figure in figures],
    )


def _numeric(
    figure: Figure, points: Sequence[CoordinatesForMeasurement] | None
) -> NumericMeasurement:
    return NumericMeasurement(
        _coded(figure.name),
        float(figure.value),
        _coded(concepts.unit(figure.unit)),
        derivation=_coded(figure.derivation) if figure.derivation else None,
        method=_coded(concepts.own(figure.caveat)) if figure.caveat else None,
        referenced_coordinates=points,
    )


# --- content items -------------------------------------------------------------------------------


def _source(each: Referred[Measured]) -> SourceImageForRegion:
    return SourceImageForRegion(each.dataset.SOPClassUID, each.dataset.SOPInstanceUID, each.frames)


def _coded(concept: Concept) -> CodedConcept:
    return CodedConcept(concept.value, concept.scheme, concept.meaning)


def _evaluation(name: Concept, value: Concept) -> QualitativeEvaluation:
    return QualitativeEvaluation(_coded(name), _coded(value))


def _text(name: Concept, words: str) -> TextContentItem:
    return TextContentItem(_coded(name), words, "CONTAINS")


def _moment(at: datetime) -> DT:
    return DT(at.astimezone(UTC).strftime("%Y%m%d%H%M%S.%f+0000"))
