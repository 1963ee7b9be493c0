"""Reads the groups of an imaging measurement report (PS3.16 TID 1500). Tolerant, and bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from pydicom.dataset import Dataset

from viewer.dicom import limits
from viewer.dicom.attributes import items, number, numbers, raw_value, text
from viewer.dicom.border import refusing
from viewer.dicom.dataset import looks_like_dicom, read_dicom
from viewer.dicom.kinds import kind_of
from viewer.dicom.model import Kind
from viewer.dicom.reported import (
    Concept,
    MeasurementReport,
    ReportedAlgorithm,
    ReportedGroup,
    ReportedNumber,
    ReportedRegion,
)
from viewer.dicom.source import open_source
from viewer.errors import InputError

# Codes of DCM by which the parts of the templates are known.
_GROUP, _FINDING, _FINDING_SITE = "125007", "121071", "363698007"
_TRACKING, _TRACKING_UID = "112039", "112040"
_ALGORITHM, _ALGORITHM_VERSION, _ALGORITHM_PARAMETER = "111001", "111003", "111002"
_PERSON = "121008"
# Retired codes for the same (PS3.16 annex P of earlier years).
_SITES = {_FINDING_SITE, "G-C0E3", "363698007"}
_OTHER_PLACES = {"SCOORD3D", "TCOORD", "WAVEFORM"}
_SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
_DATE_TIME = re.compile(r"(\d{14})(\.\d{1,6})?([+-]\d{4})?")


def read_measurement_report(path: Path) -> MeasurementReport:
    """What a report of measurements says.

    Raises
    ------
    InputError
        The file is gone, damaged, above a limit, or no structured report.
    """
    with refusing("The report cannot be read"), open_source(path, "") as stream:
        head = stream.read(132)
        stream.seek(0)
        if not looks_like_dicom(head):
            raise InputError("The file is not DICOM.")
        dataset = read_dicom(stream, whole=True).dataset
        if kind_of(dataset) is not Kind.REPORT:
            raise InputError("The file is no structured report.")
        return measurement_report_of(dataset)


def measurement_report_of(dataset: Dataset) -> MeasurementReport:
    """The same of its data set; raises as `read_measurement_report` does."""
    walk = _Walk()
    groups = tuple(
        _group(item, place, walk)
        for item, place in walk.below(dataset, "1", 1)
        if _code(item, "ConceptNameCodeSequence").value == _GROUP
    )
    top = items(dataset, "ContentSequence")
    at = text(dataset, "ContentDate") + text(dataset, "ContentTime").partition(".")[0]
    return MeasurementReport(
        patient_id=text(dataset, "PatientID"),
        verified=text(dataset, "VerificationFlag").upper() == "VERIFIED",
        persons=tuple(name for name in map(_person, top) if name),
        groups=groups,
        texts=tuple(_texts(top)),
        at=_moment(at.ljust(14, "0") + text(dataset, "TimezoneOffsetFromUTC")),
    )


class _Walk:
    """Goes through the content tree; counts what it meets, so that a hostile one has an end."""

    def __init__(self) -> None:
        self._count = 0

    def below(self, parent: Dataset, place: str, depth: int) -> Iterator[tuple[Dataset, str]]:
        limits.REPORT_DEPTH.check(depth)
        for position, item in enumerate(items(parent, "ContentSequence"), start=1):
            self._count += 1
            limits.REPORT_ITEMS.check(self._count)
            here = f"{place}.{position}"
            yield item, here
            yield from self.below(item, here, depth + 1)


def _group(group: Dataset, place: str, walk: _Walk) -> ReportedGroup:
    children = items(group, "ContentSequence")
    regions: list[ReportedRegion] = []
    images: list[tuple[str, tuple[int, ...]]] = []
    other_places = 0
    for item, _ in walk.below(group, place, 2):
        kind = text(item, "ValueType").upper()
        if kind == "SCOORD":
            region = _region(item)
            regions.extend([region] if region else [])
            other_places += region is None
        elif kind in _OTHER_PLACES or _refers_to_segments(item):
            other_places += 1
    for item in children:
        if text(item, "ValueType").upper() == "IMAGE":
            images.extend(_references(item))
    coded = [
        (_code(item, "ConceptNameCodeSequence"), _code(item, "ConceptCodeSequence"))
        for item in children
        if text(item, "ValueType").upper() == "CODE"
    ]
    return ReportedGroup(
        place=place,
        tracking=_first_text(children, _TRACKING),
        finding=next((value for name, value in coded if name.value == _FINDING), None),
        regions=tuple(dict.fromkeys(regions)),
        other_places=other_places,
        evaluations=tuple(
            (name, value)
            for name, value in coded
            if name.value != _FINDING and name.value not in _SITES
        ),
        numbers=tuple(_numbers(children)),
        texts=tuple(_texts(children)),
        algorithm=_algorithm(children),
        images=tuple(images),
        observer=next((name for name in map(_person, children) if name), ""),
        at=_moment(text(group, "ObservationDateTime")),
    )


def _region(item: Dataset) -> ReportedRegion | None:
    values = numbers(item, "GraphicData")
    limits.GRAPHIC_POINTS.check(len(values) // 2)
    points = tuple(zip(values[::2], values[1::2], strict=False))
    # The image that it was selected from stands below it (PS3.3 C.18.6).
    found = [each for child in items(item, "ContentSequence") for each in _references(child)]
    if not points or not found:
        return None
    uid, frames = found[0]
    return ReportedRegion(text(item, "GraphicType").upper(), points, uid, frames)


def _references(item: Dataset) -> list[tuple[str, tuple[int, ...]]]:
    return [
        (
            text(reference, "ReferencedSOPInstanceUID"),
            tuple(int(frame) for frame in numbers(reference, "ReferencedFrameNumber")),
        )
        for reference in items(item, "ReferencedSOPSequence")
    ]


def _refers_to_segments(item: Dataset) -> bool:
    return any(
        text(reference, "ReferencedSOPClassUID") in _SEGMENTATIONS
        for reference in items(item, "ReferencedSOPSequence")
    )


def _numbers(children: list[Dataset]) -> Iterator[ReportedNumber]:
    for item in children:
        if text(item, "ValueType").upper() != "NUM":
            continue
        for measured in items(item, "MeasuredValueSequence")[:1]:
            value = number(measured, "FloatingPointValue")
            if value is None:
                value = number(measured, "NumericValue")
            if value is not None:
                unit = _code(measured, "MeasurementUnitsCodeSequence")
                name = _code(item, "ConceptNameCodeSequence")
                yield ReportedNumber(name, value, unit.value)


def _texts(children: list[Dataset]) -> Iterator[tuple[Concept, str]]:
    for item in children:
        if text(item, "ValueType").upper() == "TEXT":
            words = str(raw_value(item, "TextValue") or "")
            kept = "".join(c for c in words if c.isprintable() or c == "\n").strip()
            yield _code(item, "ConceptNameCodeSequence"), kept


def _first_text(children: list[Dataset], code: str) -> str:
    return next((words for name, words in _texts(children) if name.value == code), "")


def _algorithm(children: list[Dataset]) -> ReportedAlgorithm | None:
    name = _first_text(children, _ALGORITHM)
    if not name:
        return None
    parameters = (words for code, words in _texts(children) if code.value == _ALGORITHM_PARAMETER)
    return ReportedAlgorithm(name, _first_text(children, _ALGORITHM_VERSION), tuple(parameters))


def _person(item: Dataset) -> str:
    """The name of a person observer as it was typed; some write it as a text."""
    if _code(item, "ConceptNameCodeSequence").value != _PERSON:
        return ""
    return (text(item, "PersonName") or text(item, "TextValue")).rstrip("^ ")


def _code(dataset: Dataset, sequence: str) -> Concept:
    """A coded concept; empty where there is none (PS3.3 8.8)."""
    found = items(dataset, sequence)
    if not found:
        return Concept("", "", "")
    code = found[0]
    values = (text(code, key) for key in ("CodeValue", "LongCodeValue", "URNCodeValue"))
    value = next((each for each in values if each), "")
    return Concept(value, text(code, "CodingSchemeDesignator"), text(code, "CodeMeaning"))


def _moment(value: str) -> datetime | None:
    """A DT value, YYYYMMDDHHMMSS.FFFFFF&ZZXX (PS3.5 6.2), in UTC; without a zone it is UTC."""
    match = _DATE_TIME.match(value)
    if match is None:
        return None
    zone = UTC
    if match[3]:
        minutes = int(match[3][1:3]) * 60 + int(match[3][3:])
        if minutes > 14 * 60:
            return None
        zone = timezone(timedelta(minutes=-minutes if match[3][0] == "-" else minutes))
    try:
        moment = datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(tzinfo=zone).astimezone(UTC)
        return moment.replace(microsecond=round(float(match[2] or 0) * 1_000_000))
    except (ValueError, OverflowError):
        return None
