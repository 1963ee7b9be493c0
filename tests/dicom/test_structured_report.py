"""Structured reports as text, against dcmtk's dsrdump where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from tests.dicom_factory import make_dicom
from tests.object_factory import code, item, make_report, reference
from viewer.dicom import limits
from viewer.dicom.model import Image, Kind
from viewer.dicom.objects import Report, ReportItem
from viewer.dicom.scan import scan
from viewer.dicom.structured_report import read_report
from viewer.errors import InputError

MM = code("mm", "UCUM", "millimeter")
NODULE = code("M-03010", "SRT", "Nodule")


def entry(path: Path) -> Image:
    (image,) = (image for update in scan([path]) for image in update.images)
    assert image.kind is Kind.REPORT
    return image


def content(value_type: str, name: str, relation: str = "CONTAINS", **more: Any) -> Dataset:
    return item(
        RelationshipType=relation,
        ValueType=value_type,
        ConceptNameCodeSequence=[code("1", "99TEST", name)],
        **more,
    )


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return make_dicom(tmp_path / "image.dcm", np.zeros((8, 8), np.uint16))


def report_of(tmp_path: Path, picture: Path, items: Sequence[Dataset], **more: Any) -> Report:
    return read_report(entry(make_report(tmp_path / "report.dcm", picture, items, **more)))


def walk(items: Sequence[ReportItem]) -> Iterator[ReportItem]:
    for each in items:
        yield each
        yield from walk(each.children)


def test_each_type_of_value_is_in_words(tmp_path: Path, picture: Path) -> None:
    measured = item(NumericValue="12.5", MeasurementUnitsCodeSequence=[MM])
    ratio = item(
        NumericValue="0.4", MeasurementUnitsCodeSequence=[code("{ratio}", "UCUM", "ratio")]
    )
    plain = item(NumericValue="3", MeasurementUnitsCodeSequence=[code("1", "UCUM", "no units")])
    report = report_of(
        tmp_path,
        picture,
        [
            content("TEXT", "Impression", TextValue="No change.\r\nFollow up <in> a year."),
            content("CODE", "Finding", ConceptCodeSequence=[NODULE]),
            content("NUM", "Diameter", MeasuredValueSequence=[measured]),
            content("NUM", "Ratio", MeasuredValueSequence=[ratio]),
            content("NUM", "Count", MeasuredValueSequence=[plain]),
            content(
                "NUM",
                "Volume",
                NumericValueQualifierCodeSequence=[code("114000", "DCM", "Not a number")],
            ),
            content("DATE", "Date", Date="20240131"),
            content("TIME", "Time", Time="101530"),
            content("DATETIME", "When", DateTime="20240131101530"),
            content("PNAME", "Reader", PersonName="Doe^Jane^^Dr"),
            content("UIDREF", "Identifier", UID="1.2.3"),
            content("SCOORD", "Region", GraphicType="CIRCLE", GraphicData=[1.0, 2.0, 1.0, 5.0]),
            content("SCOORD3D", "Place", GraphicType="POINT", GraphicData=[1.5, 2.0, -3.0]),
            content("TCOORD", "Beat", TemporalRangeType="POINT", ReferencedTimeOffsets=[1.5]),
        ],
    )
    assert {each.name: each.value for each in report.items} == {
        "Impression": "No change.\nFollow up <in> a year.",
        "Finding": "Nodule",
        "Diameter": "12.5 mm",
        "Ratio": "0.4 ratio",
        "Count": "3",
        "Volume": "Not a number",
        "Date": "2024-01-31",
        "Time": "10:15:30",
        "When": "2024-01-31 10:15",
        "Reader": "Doe, Dr Jane",
        "Identifier": "1.2.3",
        "Region": "circle (1, 2), (1, 5)",
        "Place": "point (1.5, 2, -3) mm",
        "Beat": "point 1.5 s",
    }
    assert report.title == "Imaging Measurement Report"
    assert report.notes == ()


def test_flags_and_observers_stand_above(tmp_path: Path, picture: Path) -> None:
    observer = item(
        VerifyingObserverName="Doe^Jane",
        VerifyingOrganization="St. Mary",
        VerificationDateTime="20240202081500",
    )
    report = report_of(
        tmp_path,
        picture,
        [content("TEXT", "Impression", TextValue="Normal.")],
        VerificationFlag="VERIFIED",
        CompletionFlagDescription="final",
        VerifyingObserverSequence=[observer],
        AuthorObserverSequence=[item(PersonName="Roe^Rita", InstitutionName="St. Mary")],
    )
    facts = dict(report.facts)
    assert facts["Completion"] == "complete: final"
    assert facts["Verification"] == "verified"
    assert facts["Verified by"] == "Doe, Jane, St. Mary, 2024-02-02 08:15"
    assert facts["Author"] == "Roe, Rita, St. Mary"
    assert facts["Content"] == "2024-02-01 10:15:00"


def test_the_tree_its_relations_and_references(tmp_path: Path, picture: Path) -> None:
    image = pydicom.dcmread(picture)
    region = content(
        "SCOORD",
        "Region",
        "INFERRED FROM",
        GraphicType="POINT",
        GraphicData=[1.0, 2.0],
        ContentSequence=[
            content(
                "IMAGE", "Source", "SELECTED FROM", ReferencedSOPSequence=[reference(image, 2, 3)]
            )
        ],
    )
    by_reference = item(RelationshipType="HAS PROPERTIES", ReferencedContentItemIdentifier=[1, 1])
    nowhere = item(RelationshipType="HAS PROPERTIES", ReferencedContentItemIdentifier=[1, 9])
    report = report_of(
        tmp_path,
        picture,
        [
            content("TEXT", "Impression", TextValue="Nodule.", ContentSequence=[region]),
            content("CONTAINER", "Section", ContentSequence=[by_reference, nowhere]),
        ],
    )
    impression, section = report.items
    (found,) = impression.children
    assert found.relation == "inferred from"
    (source,) = found.children
    assert (source.relation, source.value) == ("selected from", "")
    (named,) = source.references
    assert (named.uid, named.frames) == (image.SOPInstanceUID, (2, 3))
    assert [each.value for each in section.children] == [
        "Impression: Nodule.",
        "item 1.9, which is not there",
    ]


def test_what_is_odd_is_kept_and_said(tmp_path: Path, picture: Path) -> None:
    report = report_of(
        tmp_path,
        picture,
        [
            content("HOLOGRAM", "Future"),
            item(ValueType="TEXT", TextValue="without a name or a relation"),
        ],
        ConceptNameCodeSequence=None,
    )
    assert report.title == "Comprehensive SR Storage"
    assert report.notes == ("The value of item 1.1, of the type HOLOGRAM, is not shown.",)
    assert [each.value for each in report.items] == ["", "without a name or a relation"]


def test_an_empty_report_says_so(tmp_path: Path, picture: Path) -> None:
    assert report_of(tmp_path, picture, []).notes == ("The report has no content.",)


def test_a_hostile_tree_has_an_end(
    tmp_path: Path, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = content("TEXT", "leaf", TextValue="x")
    for _ in range(limits.REPORT_DEPTH.most + 1):
        deep = content("CONTAINER", "level", ContentSequence=[deep])
    with pytest.raises(InputError, match="nested"):
        report_of(tmp_path, picture, [deep])
    monkeypatch.setattr(limits, "REPORT_ITEMS", limits.Limit("The number of items", 5))
    many = [content("TEXT", "t", TextValue="x") for _ in range(6)]
    with pytest.raises(InputError, match="above the limit of 5"):
        report_of(tmp_path, picture, many)


REAL = ("IM0", "reportsi.dcm", "sr_document.dcm", "test_SR.dcm")
# A code is printed as (value,scheme,"meaning"), a number as "value" (unit,scheme,"meaning").
_CODE = re.compile(r'CODE:\(,,"([^"]*)"\)=\([^,]*,[^,]*,"([^"]*)"\)')
_NUMBER = re.compile(r'NUM:\(,,"([^"]*)"\)="([^"]*)" \(([^,]*),')
_WORDS = re.compile(r'(?:TEXT|UIDREF|PNAME):\(,,"([^"]*)"\)="([^"\\]*)')


@pytest.mark.parametrize("name", REAL)
def test_the_values_of_real_reports_are_those_of_dsrdump(data_folder: Path, name: str) -> None:
    path = data_folder / "dicom" / "objects" / name
    report = read_report(entry(path))
    if shutil.which("dsrdump") is None:
        pytest.skip("dcmtk's dsrdump is not installed")
    dumped = subprocess.run(
        ["dsrdump", "-Ei", "+Pl", "+U8", str(path)], capture_output=True, check=False, text=True
    ).stdout
    ours = [(each.name, each.value) for each in walk(report.items)]
    expected = _CODE.findall(dumped)
    expected += [(n, f"{value} {unit}") for n, value, unit in _NUMBER.findall(dumped)]
    assert len(expected) + len(_WORDS.findall(dumped)) >= 1
    for pair in expected:
        assert pair in ours
    for concept, words in _WORDS.findall(dumped):
        begin = words.strip()
        assert any(n == concept and v.startswith(begin) for n, v in ours), (concept, words)
    flags = dict(re.findall(r"(Completion|Verification) Flag +: (\w+)", dumped))
    facts = dict(report.facts)
    assert facts["Completion"].split(":")[0].upper() == flags["Completion"]
    assert facts["Verification"].upper() == flags["Verification"]
