"""SR TID 1500 out: read by pydicom, highdicom, DCMTK and by the importer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pydicom
import pytest
from highdicom.sr import srread
from pydicom.dataset import Dataset

from detector.types import RESEARCH_USE_ONLY
from tests.dicom_factory import make_ct_series, make_dicom
from tests.exchange.reviewed_study import READER, WEIGHTS, Reviewed, measure, review, run_peer
from viewer.dicom.pixels import decode
from viewer.dicom.scan import scan
from viewer.exchange.options import Options
from viewer.review.store import Store

WITH_IDENTITY = Options(identity=True)


def radiograph(folder: Path, **elements: Any) -> Path:
    pixels = np.random.default_rng(5).integers(0, 4096, (120, 90)).astype(np.uint16)
    values = {"PatientName": "Muster^Änne", "PatientID": "ID-7", "AccessionNumber": "ACC-9"}
    return make_dicom(folder / "radiograph.dcm", pixels, **{**values, **elements})


@pytest.fixture
def reviewed(store: Store, tmp_path: Path) -> Reviewed:
    return review(store, radiograph(tmp_path), tmp_path)


def only(folder: Path, pattern: str = "*findings*.dcm") -> Path:
    (found,) = folder.glob(pattern)
    return found


def read(folder: Path) -> Dataset:
    return pydicom.dcmread(only(folder))


def walk(item: Dataset) -> Iterator[Dataset]:
    yield item
    for child in item.get("ContentSequence", ()):
        yield from walk(child)


def named(item: Dataset, meaning: str) -> list[Dataset]:
    """Content items by the meaning of their concept name."""
    return [
        each
        for each in walk(item)
        if "ConceptNameCodeSequence" in each
        and each.ConceptNameCodeSequence[0].CodeMeaning == meaning
    ]


def said(item: Dataset, meaning: str) -> list[str]:
    """The codes that are values of a concept."""
    return [
        each.ConceptCodeSequence[0].get("CodeValue")
        or each.ConceptCodeSequence[0].get("LongCodeValue")
        for each in named(item, meaning)
    ]


def findings(report: Dataset) -> list[Dataset]:
    return [group for group in named(report, "Measurement Group") if named(group, "Review status")]


class TestFindings:
    def test_each_decision_has_a_region_with_its_box(self, reviewed: Reviewed) -> None:
        groups = findings(read(reviewed.export("sr")))
        assert [said(group, "Review status")[0] for group in groups] == [
            "accepted",
            "corrected",
            "rejected",
            "added",
        ]
        regions = [named(group, "Image Region")[0] for group in groups]
        assert list(regions[1].GraphicData) == [41.5, 2, 80, 2, 80, 41, 41.5, 41, 41.5, 2]
        assert {region.GraphicType for region in regions} == {"POLYLINE"}

    def test_a_rejected_candidate_is_no_finding(self, reviewed: Reviewed) -> None:
        _, _, rejected, _ = findings(read(reviewed.export("sr")))
        assert named(rejected, "Finding") == []
        assert said(rejected, "Category") == ["opacity"]

    def test_categories_have_public_codes_where_there_are_any(self, reviewed: Reviewed) -> None:
        accepted, _, _, added = findings(read(reviewed.export("sr")))
        (public,), (private,) = (
            named(group, "Finding")[0].ConceptCodeSequence for group in (accepted, added)
        )
        assert (public.CodeValue, public.CodingSchemeDesignator) == ("112001", "DCM")
        assert private.CodingSchemeDesignator == "99LIGHTBOX"
        assert private.CodeMeaning == "hilar fullness"

    def test_the_model_is_named_with_the_hash_of_its_weights(self, reviewed: Reviewed) -> None:
        accepted, _, _, added = findings(read(reviewed.export("sr")))
        assert [each.TextValue for each in named(accepted, "Algorithm Name")] == ["chest-xray"]
        assert [each.TextValue for each in named(accepted, "Algorithm Version")] == ["1.2"]
        assert [each.TextValue for each in named(accepted, "Algorithm Parameters")] == [
            f"weights SHA-256: {WEIGHTS}",
            "threshold: 0.37",
        ]
        assert named(added, "Algorithm Name") == []
        (score,) = named(accepted, "Certainty of Finding")
        assert score.MeasuredValueSequence[0].NumericValue == 90
        assert score.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue == "%"

    def test_the_reader_and_the_program_are_observers(self, reviewed: Reviewed) -> None:
        report = read(reviewed.export("sr"))
        assert named(report, "Person Observer Name")[0].PersonName == f"{READER}^"
        assert named(report, "Device Observer Name")[0].TextValue == "Lightbox"
        assert RESEARCH_USE_ONLY in [each.TextValue for each in named(report, "Comment")]

    def test_an_open_candidate_is_not_in_it(self, reviewed: Reviewed) -> None:
        report = read(reviewed.export("sr"))
        drawn = [list(region.GraphicData)[:2] for region in named(report, "Image Region")]
        assert [50, 60] not in drawn


class TestVerification:
    def test_unsigned_is_unverified_and_partial(self, reviewed: Reviewed) -> None:
        report = read(reviewed.export("sr"))
        assert (report.VerificationFlag, report.CompletionFlag) == ("UNVERIFIED", "PARTIAL")
        assert "VerifyingObserverSequence" not in report
        assert said(report, "Review of the image") == ["partial"]

    def test_signed_is_verified_by_the_reader_at_that_time(self, reviewed: Reviewed) -> None:
        reviewed.session.sign()
        signature = reviewed.session.state.signature
        report = read(reviewed.export("sr"))
        assert (report.VerificationFlag, report.CompletionFlag) == ("VERIFIED", "COMPLETE")
        (verifier,) = report.VerifyingObserverSequence
        assert verifier.VerifyingObserverName == f"{READER}^"
        assert signature is not None
        assert str(verifier.VerificationDateTime).startswith(f"{signature.at:%Y%m%d%H%M%S}")

    def test_signed_without_a_finding_says_so(self, store: Store, tmp_path: Path) -> None:
        reviewed = review(store, radiograph(tmp_path), tmp_path)
        for finding in reviewed.session.findings():
            if finding.derived_from is None:
                reviewed.session.remove(finding.id)
            else:
                reviewed.session.reject(finding.id)
        reviewed.session.sign()
        assert said(read(reviewed.export("sr")), "Review of the image") == ["negative"]


class TestIdentity:
    def test_without_it_there_are_a_key_and_new_uids(self, reviewed: Reviewed) -> None:
        report = read(reviewed.export("sr"))
        record = reviewed.store.image(reviewed.image.uid, 1)
        assert record is not None
        assert report.PatientID == record.patient_key
        assert (report.PatientName, report.StudyDate, report.AccessionNumber) == ("", "", "")
        assert report.PatientIdentityRemoved == "YES"
        raw = only(reviewed.folder / "sr").read_bytes()
        for identity in (reviewed.image.uid, reviewed.image.study.uid, "ID-7", "ACC-9", "Muster"):
            assert identity.encode() not in raw

    def test_with_it_the_report_belongs_to_the_study(self, reviewed: Reviewed) -> None:
        report = read(reviewed.export("sr", WITH_IDENTITY))
        assert report.StudyInstanceUID == reviewed.image.study.uid
        assert (report.PatientID, report.AccessionNumber) == ("ID-7", "ACC-9")
        assert report.PatientName == "Muster^Änne"
        (source,) = report.CurrentRequestedProcedureEvidenceSequence
        reference = source.ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
        assert reference.ReferencedSOPInstanceUID == reviewed.image.uid
        assert "PatientIdentityRemoved" not in report


class TestMeasurements:
    def figures(self, report: Dataset) -> dict[str, list[tuple[float, str]]]:
        found: dict[str, list[tuple[float, str]]] = {}
        for item in walk(report):
            for measured in item.get("MeasuredValueSequence", ()):
                unit = measured.MeasurementUnitsCodeSequence[0].CodeValue
                name = item.ConceptNameCodeSequence[0].CodeMeaning
                found.setdefault(name, []).append((float(measured.NumericValue), unit))
        return found

    def test_millimetres_where_calibrated(self, reviewed: Reviewed) -> None:
        measure(reviewed)
        report = read(reviewed.export("sr"))
        figures = self.figures(report)
        assert figures["Length"] == [(pytest.approx(50 * 0.14), "mm")]
        assert figures["Angle"] == [(pytest.approx(90), "deg")]
        rectangle, ellipse = figures["Area"]
        assert rectangle == (pytest.approx(20 * 40 * 0.14**2), "mm2")
        assert ellipse == (pytest.approx(20 * 40 * 0.14**2 * np.pi / 4), "mm2")
        part = reviewed.frame.values[20:60, 10:30]
        values = [value for value, _ in figures["Pixel value"]]
        assert values[:4] == pytest.approx([part.mean(), part.std(), part.min(), part.max()])
        assert values[-1] == reviewed.frame.values[20, 10]
        assert said(report, "Measurement Method") == ["at the detector"] * 3

    def test_pixels_where_not(self, store: Store, tmp_path: Path) -> None:
        reviewed = review(store, radiograph(tmp_path, ImagerPixelSpacing=None), tmp_path)
        measure(reviewed)
        figures = self.figures(read(reviewed.export("sr")))
        assert figures["Length"] == [(pytest.approx(50), "{pixels}")]
        assert not any(unit.startswith("mm") for said in figures.values() for _, unit in said)

    def test_hounsfield_units(self, store: Store, tmp_path: Path) -> None:
        path = make_ct_series(tmp_path / "ct", slices=1, rows=120, columns=90)[0]
        reviewed = review(store, path, tmp_path)
        measure(reviewed)
        values = self.figures(read(reviewed.export("sr")))["Attenuation Coefficient"]
        assert (0.0, "[hnsf'U]") in values


class TestImages:
    def test_a_plain_image_gets_a_secondary_capture_beside_it(
        self, store: Store, tmp_path: Path
    ) -> None:
        pixels = np.random.default_rng(1).integers(0, 256, (120, 90), np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / "plain.png")
        reviewed = review(store, tmp_path / "plain.png", tmp_path)
        out = reviewed.export("sr")
        capture = only(out, "*image*.dcm")
        (image,) = (image for update in scan([capture]) for image in update.images)
        assert decode(image).pixel_sha256 == reviewed.frame.pixel_sha256
        report = read(out)
        regions = named(report, "Image Region")
        referenced = {
            region.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
            for region in regions
        }
        assert referenced == {image.uid}
        assert report.StudyInstanceUID == image.study.uid
        run_peer("dcmdump", str(capture))

    def test_a_frame_of_several_is_named_by_its_number(self, store: Store, tmp_path: Path) -> None:
        pixels = np.random.default_rng(2).integers(0, 256, (3, 120, 90), np.uint8)
        path = make_dicom(tmp_path / "loop.dcm", pixels)
        reviewed = review(store, path, tmp_path, frame_number=2)
        report = read(reviewed.export("sr", WITH_IDENTITY))
        reference = named(report, "Image Region")[0].ContentSequence[0].ReferencedSOPSequence[0]
        assert reference.ReferencedFrameNumber == 2

    def test_one_report_for_all_images_of_a_study(self, store: Store, tmp_path: Path) -> None:
        paths = make_ct_series(tmp_path / "ct", slices=2, rows=120, columns=90)
        for path in paths:
            reviewed = review(store, path, tmp_path)
        report = read(reviewed.export("sr"))
        assert len(findings(report)) == 8
        assert len(said(report, "Review of the image")) == 2

    def test_a_file_that_is_gone_is_named_and_left_out(
        self, reviewed: Reviewed, store: Store, tmp_path: Path
    ) -> None:
        other = review(store, make_ct_series(tmp_path / "ct", 1, 120, 90)[0], tmp_path)
        reviewed.image.path.unlink()
        out = other.export("sr")
        assert len(list(out.iterdir())) == 1
        assert other.summary is not None
        assert [item.path for item in other.summary.skipped] == [str(reviewed.image.path)]


@pytest.mark.parametrize("identity", [False, True])
def test_dcmtk_and_highdicom_read_it(reviewed: Reviewed, identity: bool) -> None:
    measure(reviewed)
    reviewed.session.sign()
    path = only(reviewed.export("sr", Options(identity=identity)))
    words = run_peer("dsrdump", "+Pc", str(path))
    assert "Comprehensive SR Document" in words
    assert words.count("Image Region") == 6  # four findings, a rectangle, an ellipse
    assert "VERIFIED" in words
    report = srread(path)
    groups = report.content.get_planar_roi_measurement_groups()
    assert len(groups) == 6
    assert [each.finding_type.meaning for each in groups if each.finding_type] == [
        "Opacity",
        "Opacity",
        "hilar fullness",
    ]
