"""Structured reports as readable text (PS3.3 A.35, C.17). Tolerant: what is there is shown."""

from __future__ import annotations

from collections.abc import Callable

from pydicom.dataset import Dataset
from pydicom.uid import UID

from viewer.dicom import limits
from viewer.dicom.attributes import items, numbers, person_name, raw_value, text
from viewer.dicom.border import refusing
from viewer.dicom.dataset import read_dicom
from viewer.dicom.model import Image
from viewer.dicom.objects import Reference, Report, ReportItem
from viewer.dicom.source import open_source

_POINTS_SHOWN = 4
_RELATIONS = {
    "HAS OBS CONTEXT": "observation context",
    "HAS ACQ CONTEXT": "acquisition context",
    "HAS CONCEPT MOD": "modifier",
    "HAS PROPERTIES": "property",
    "INFERRED FROM": "inferred from",
    "SELECTED FROM": "selected from",
}


def read_report(image: Image) -> Report:
    """The text of the structured report that ``image`` stands for.

    Raises
    ------
    InputError
        The file is gone or damaged, or the report is above a limit.
    """
    with refusing("The report cannot be read"), open_source(image.path, image.member) as stream:
        return report_of(read_dicom(stream, whole=True).dataset)


def report_of(dataset: Dataset) -> Report:
    """The text of a report's data set; raises as `read_report` does."""
    reader = _Reader(dataset)
    children = reader.children(dataset, "1", 1)
    title = _meaning(dataset, "ConceptNameCodeSequence") or UID(text(dataset, "SOPClassUID")).name
    if not children:
        reader.notes.append("The report has no content.")
    return Report(title, _facts(dataset), children, tuple(reader.notes))


class _Reader:
    """Walks the content tree; counts what it meets, so that a hostile one has an end."""

    def __init__(self, root: Dataset) -> None:
        self.notes: list[str] = []
        self._root = root
        self._count = 0

    def children(self, parent: Dataset, place: str, depth: int) -> tuple[ReportItem, ...]:
        limits.REPORT_DEPTH.check(depth)
        found = items(parent, "ContentSequence")
        self._count += len(found)
        limits.REPORT_ITEMS.check(self._count)
        return tuple(
            self._item(item, f"{place}.{number}", depth)
            for number, item in enumerate(found, start=1)
        )

    def _item(self, item: Dataset, place: str, depth: int) -> ReportItem:
        value_type = text(item, "ValueType").upper()
        read = _VALUES.get(value_type)
        if read is not None:
            value = read(item)
        elif "ReferencedContentItemIdentifier" in item:
            value = self._by_reference(item)
        else:
            value = ""
            kind = f"of the type {value_type}" if value_type else "without a type"
            self.notes.append(f"The value of item {place}, {kind}, is not shown.")
        observed = _clock(text(item, "ObservationDateTime"))
        return ReportItem(
            name=_meaning(item, "ConceptNameCodeSequence"),
            value=f"{value} (observed {observed})".strip() if observed else value,
            relation=_RELATIONS.get(text(item, "RelationshipType").upper(), ""),
            references=_references(item),
            children=self.children(item, place, depth + 1),
        )

    def _by_reference(self, item: Dataset) -> str:
        """PS3.3 C.17.3.2.5: another item of the tree, by its place in it."""
        path = tuple(int(part) for part in numbers(item, "ReferencedContentItemIdentifier"))
        place = ".".join(map(str, path))
        found = self._root
        for part in path[1:]:
            children = items(found, "ContentSequence")
            if not 1 <= part <= len(children):
                return f"item {place}, which is not there"
            found = children[part - 1]
        read = _VALUES.get(text(found, "ValueType").upper())
        words = (_meaning(found, "ConceptNameCodeSequence"), read(found) if read else "")
        return ": ".join(part for part in words if part) or f"item {place}"


# --- what stands above the tree ------------------------------------------------------------------


def _facts(dataset: Dataset) -> tuple[tuple[str, str], ...]:
    completion = text(dataset, "CompletionFlag").lower()
    described = text(dataset, "CompletionFlagDescription")
    verification = text(dataset, "VerificationFlag").lower()
    content_time = _date(text(dataset, "ContentDate")), _time(text(dataset, "ContentTime"))
    facts = [
        ("Document", UID(text(dataset, "SOPClassUID")).name),
        ("Preliminary", text(dataset, "PreliminaryFlag").lower()),
        ("Completion", f"{completion}: {described}" if described else completion),
        ("Verification", verification),
        *(("Verified by", words) for words in map(_verifier, _all(dataset, "VerifyingObserver"))),
        *(("Author", words) for words in map(_author, _all(dataset, "AuthorObserver"))),
        *(("Participant", words) for words in map(_author, _all(dataset, "Participant"))),
        ("Content", " ".join(part for part in content_time if part)),
        ("Manufacturer", text(dataset, "Manufacturer")),
    ]
    return tuple((name, value) for name, value in facts if value)


def _all(dataset: Dataset, name: str) -> list[Dataset]:
    return items(dataset, f"{name}Sequence")


def _verifier(item: Dataset) -> str:
    name = person_name(item, "VerifyingObserverName")
    at = _clock(text(item, "VerificationDateTime"))
    return ", ".join(part for part in (name, text(item, "VerifyingOrganization"), at) if part)


def _author(item: Dataset) -> str:
    name = person_name(item, "PersonName") or text(item, "StationName")
    return ", ".join(part for part in (name, text(item, "InstitutionName")) if part)


# --- values by their type (PS3.3 C.17.3.2) -------------------------------------------------------


def _code(item: Dataset) -> str:
    return _meaning(item, "ConceptCodeSequence")


def _number(item: Dataset) -> str:
    measured = items(item, "MeasuredValueSequence")
    if not measured or not text(measured[0], "NumericValue"):
        return _meaning(item, "NumericValueQualifierCodeSequence") or "no value"
    units = items(measured[0], "MeasurementUnitsCodeSequence")
    unit = text(units[0], "CodeValue") if units else ""
    if not unit or unit.startswith("{"):  # UCUM writes in braces what is no unit
        unit = text(units[0], "CodeMeaning") if units else ""
    value = text(measured[0], "NumericValue").replace("\\", ", ")
    return value if unit in ("", "1") else f"{value} {unit}"


def _spatial(item: Dataset) -> str:
    """SCOORD and SCOORD3D: the shape and its first points."""
    shape, values = text(item, "GraphicType").lower(), numbers(item, "GraphicData")
    size = 3 if text(item, "ValueType").upper() == "SCOORD3D" else 2
    points = [values[start : start + size] for start in range(0, len(values), size)]
    shown = ", ".join("(" + ", ".join(f"{v:g}" for v in p) + ")" for p in points[:_POINTS_SHOWN])
    more = f" and {len(points) - _POINTS_SHOWN} more" if len(points) > _POINTS_SHOWN else ""
    return f"{shape} {shown}{more}{' mm' if size == 3 and points else ''}".strip()


def _temporal(item: Dataset) -> str:
    kind = text(item, "TemporalRangeType").lower()
    samples, offsets = (
        ", ".join(f"{value:g}" for value in numbers(item, keyword))
        for keyword in ("ReferencedSamplePositions", "ReferencedTimeOffsets")
    )
    times = ", ".join(_clock(part) for part in text(item, "ReferencedDateTime").split("\\"))
    parts = (f"samples {samples}" if samples else "", f"{offsets} s" if offsets else "", times)
    return " ".join(part for part in (kind, *parts) if part)


_VALUES: dict[str, Callable[[Dataset], str]] = {
    "TEXT": lambda item: _lines(item, "TextValue"),
    "CODE": _code,
    "NUM": _number,
    "DATE": lambda item: _date(text(item, "Date")),
    "TIME": lambda item: _time(text(item, "Time")),
    "DATETIME": lambda item: _clock(text(item, "DateTime")),
    "UIDREF": lambda item: text(item, "UID"),
    "PNAME": lambda item: person_name(item, "PersonName"),
    "SCOORD": _spatial,
    "SCOORD3D": _spatial,
    "TCOORD": _temporal,
    "CONTAINER": lambda _item: "",
    "COMPOSITE": lambda _item: "",  # these three are their references
    "IMAGE": lambda _item: "",
    "WAVEFORM": lambda _item: "",
}


def _references(item: Dataset) -> tuple[Reference, ...]:
    found = []
    for reference in items(item, "ReferencedSOPSequence"):
        # A presentation state to show the image with stands inside (PS3.3 C.17.3.2.3).
        for each in (reference, *items(reference, "ReferencedSOPSequence")):
            frames = tuple(int(frame) for frame in numbers(each, "ReferencedFrameNumber"))
            sop_class = UID(text(each, "ReferencedSOPClassUID")).name
            found.append(Reference(text(each, "ReferencedSOPInstanceUID"), sop_class, frames))
    return tuple(found)


def _meaning(dataset: Dataset, sequence: str) -> str:
    """A coded concept in words, else by its code (PS3.3 8.3)."""
    codes = items(dataset, sequence)
    if not codes:
        return ""
    values = (text(codes[0], key) for key in ("CodeValue", "LongCodeValue", "URNCodeValue"))
    return text(codes[0], "CodeMeaning") or next((value for value in values if value), "")


def _lines(dataset: Dataset, keyword: str) -> str:
    """Unlimited text with its line breaks, of whatever system they are."""
    lines = str(raw_value(dataset, keyword) or "").replace("\r\n", "\n").replace("\r", "\n")
    kept = ["".join(c for c in line if c.isprintable() or c == "\t") for line in lines.split("\n")]
    return "\n".join(kept).strip()


def _date(value: str) -> str:
    return f"{value[:4]}-{value[4:6]}-{value[6:8]}" if value[:8].isdigit() else value


def _time(value: str) -> str:
    parts = value.partition(".")[0]
    return ":".join(parts[start : start + 2] for start in range(0, len(parts), 2))


def _clock(value: str) -> str:
    """A DT value, YYYYMMDDHHMMSS.FFFFFF&ZZXX (PS3.5 6.2), to the minute."""
    if len(value) >= 12 and value[:12].isdigit():
        return f"{_date(value)} {value[8:10]}:{value[10:12]}"
    return _date(value)
