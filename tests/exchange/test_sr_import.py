"""SR TID 1500 in: our own as it was, a foreign one as far as can be; the rest is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest
from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    ComprehensiveSR,
    DeviceObserverIdentifyingAttributes,
    ImageRegion,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    SourceImageForRegion,
    TrackingIdentifier,
)
from pydicom.sr.codedict import codes

from detector.types import Box
from tests.dicom_factory import make_dicom
from tests.exchange.reviewed_study import READER, WEIGHTS, Reviewed, measure, review
from tests.object_factory import make_report
from viewer.dicom.measurement_report import read_measurement_report
from viewer.dicom.model import Frame, Image
from viewer.errors import ExchangeError, InputError
from viewer.exchange.formats import FORMATS
from viewer.exchange.label_import import ImportSummary
from viewer.exchange.options import Options
from viewer.review.finding import Event, Finding, Mode, Reason, Role, Status, Verb
from viewer.review.fold import fold
from viewer.review.record import of_log
from viewer.review.store import Store

Load = Callable[[Path], list[tuple[Image, Frame]]]


def radiograph(folder: Path) -> Path:
    pixels = np.random.default_rng(5).integers(0, 4096, (120, 90)).astype(np.uint16)
    return make_dicom(folder / "radiograph.dcm", pixels)


@pytest.fixture
def reviewed(store: Store, tmp_path: Path) -> Reviewed:
    return review(store, radiograph(tmp_path), tmp_path)


def take(store: Store, path: Path, load: Load, reader: str = "Importer") -> ImportSummary:
    return FORMATS["sr"].import_labels(
        store, path, reader, load=load, keep=path.parent, measurements=read_measurement_report
    )


def decided(store: Store, study_uid: str, reader: str, role: Role = Role.READER) -> list[Finding]:
    state = fold(of_log(store.load(study_uid), reader, role))
    return [finding for finding in state.findings if finding.status is not Status.OPEN]


def essence(finding: Finding) -> tuple[Any, ...]:
    box = finding.box
    corners = (box.x_min, box.y_min, box.x_max, box.y_max)
    return (
        finding.status,
        finding.category,
        tuple(round(value, 3) for value in corners),
        None if finding.score is None else round(finding.score, 9),
        finding.uncertain,
        finding.reason,
    )


class TestOurOwn:
    @pytest.mark.parametrize("identity", [False, True])
    def test_comes_back_as_it_was(
        self, reviewed: Reviewed, other_store: Store, load: Load, identity: bool
    ) -> None:
        study = reviewed.image.study.uid
        measure(reviewed)
        path = next(reviewed.export("sr", Options(identity=identity)).glob("*findings.dcm"))
        other_store.remember_image(reviewed.image, reviewed.frame.pixel_sha256)
        summary = take(other_store, path, load)
        assert (summary.findings, summary.candidates, summary.not_found) == (4, 0, ())
        assert summary.readers == (READER,)
        there = sorted(map(essence, decided(reviewed.store, study, READER)), key=str)
        assert sorted(map(essence, decided(other_store, study, READER)), key=str) == there
        before = [e for e in reviewed.store.load(study).events if isinstance(e.after, Finding)]
        after = other_store.load(study).events
        assert [(e.verb, e.reader, e.at, e.ai_visible) for e in after] == [
            (e.verb, e.reader, e.at, e.ai_visible) for e in before
        ]
        assert [(e.model_name, e.model_version, e.weights_sha256) for e in after[:3]] == [
            ("chest-xray", "1.2", WEIGHTS)
        ] * 3
        assert after[3].weights_sha256 is None
        assert [e.threshold for e in after[:3]] == [0.37] * 3
        assert summary.notes == ("5 measurements of the report were not taken over.",)

    def test_a_second_time_adds_nothing(
        self, reviewed: Reviewed, other_store: Store, load: Load
    ) -> None:
        path = next(reviewed.export("sr").iterdir())
        other_store.remember_image(reviewed.image, reviewed.frame.pixel_sha256)
        take(other_store, path, load)
        assert take(other_store, path, load).findings == 0

    def test_uncertain_and_rejected_with_a_reason_and_blind(
        self, store: Store, other_store: Store, tmp_path: Path, load: Load
    ) -> None:
        opened = review(store, radiograph(tmp_path), tmp_path)
        study = opened.image.study.uid
        store.append(
            [
                self.event(
                    opened, Status.REJECTED, Verb.REJECT, reason=Reason.DEVICE, note="a wire"
                ),
                self.event(opened, Status.ADDED, Verb.ADD, uncertain=True),
            ]
        )
        path = next(opened.export("sr", Options(reader="Blind")).iterdir())
        other_store.remember_image(opened.image, opened.frame.pixel_sha256)
        take(other_store, path, load)
        rejected, uncertain = decided(other_store, study, "Blind")
        assert (rejected.status, rejected.reason) == (Status.REJECTED, Reason.DEVICE)
        assert (uncertain.status, uncertain.uncertain) == (Status.ADDED, True)
        assert {event.mode for event in other_store.load(study).events} == {Mode.BLIND}

    def test_a_doubted_candidate_is_no_finding_and_comes_back_as_doubted(
        self, reviewed: Reviewed, other_store: Store, load: Load
    ) -> None:
        (undecided,) = (f for f in reviewed.session.findings() if f.status is Status.OPEN)
        reviewed.session.doubt(undecided.id)
        path = next(reviewed.export("sr").iterdir())
        other_store.remember_image(reviewed.image, reviewed.frame.pixel_sha256)
        assert take(other_store, path, load).findings == 5
        state = fold(of_log(other_store.load(reviewed.image.study.uid), READER))
        (doubted,) = (finding for finding in state.findings if finding.status is Status.OPEN)
        assert (doubted.uncertain, doubted.category) == (True, "opacity")

    def test_a_consensus_goes_into_the_log_of_the_consensus(
        self, store: Store, other_store: Store, tmp_path: Path, load: Load
    ) -> None:
        opened = review(store, radiograph(tmp_path), tmp_path)
        study = opened.image.study.uid
        agreed = replace(
            self.event(opened, Status.ADDED, Verb.ADD), reader="Judge", role=Role.ADJUDICATOR
        )
        signed = replace(
            agreed, id="s", verb=Verb.SIGN, after=None, covers=(opened.key,), revision=0
        )
        store.append([agreed, signed])
        path = next(opened.export("sr").iterdir())
        assert pydicom.dcmread(path).VerificationFlag == "VERIFIED"
        other_store.remember_image(opened.image, opened.frame.pixel_sha256)
        take(other_store, path, load)
        assert len(decided(other_store, study, "", Role.ADJUDICATOR)) == 1
        assert decided(other_store, study, "Judge") == []
        assert not fold(of_log(other_store.load(study), "", Role.ADJUDICATOR)).signed

    def test_it_is_not_for_other_pixels_under_the_same_uid(
        self, reviewed: Reviewed, other_store: Store, load: Load
    ) -> None:
        path = next(reviewed.export("sr", Options(identity=True)).iterdir())
        other_store.remember_image(reviewed.image, "0" * 64)
        summary = take(other_store, path, load)
        assert summary.findings == 0
        assert len(summary.not_found) == 1

    def event(self, opened: Reviewed, status: Status, verb: Verb, **fields: Any) -> Event:
        finding = Finding(
            f"{status}", opened.key, Box(3, 4, 20, 30 + len(fields)), "Mass", status, 0.5, **fields
        )
        return Event(
            id=f"e-{status}",
            study_uid=opened.image.study.uid,
            verb=verb,
            before=None,
            after=finding,
            reader="Blind",
            at=datetime(2024, 5, 6, 7, 8, 9, 123456, UTC),
            threshold=0.2,
            ai_visible=False,
            mode=Mode.BLIND,
        )


# --- reports of others ---------------------------------------------------------------------------


def foreign(
    folder: Path,
    image: Path,
    groups: Sequence[MeasurementsAndQualitativeEvaluations],
    *,
    person: str | None = "Foreign^Reader",
) -> Path:
    """A report as another program makes it."""
    source = pydicom.dcmread(image)
    observer = (
        None
        if person is None
        else ObserverContext(codes.DCM.Person, PersonObserverIdentifyingAttributes(person))
    )
    device = ObserverContext(
        codes.DCM.Device, DeviceObserverIdentifyingAttributes(uid=highdicom.UID(), name="CAD")
    )
    source.StudyID = source.AccessionNumber = ""
    report = ComprehensiveSR(
        evidence=[source],
        content=MeasurementReport(
            ObservationContext(observer, device), codes.LN.CTUnspecifiedBodyRegion, groups
        ),
        series_instance_uid=highdicom.UID(),
        series_number=7,
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer="Other",
    )
    report.save_as(folder / "foreign.dcm")
    return folder / "foreign.dcm"


def group(
    image: Path,
    shape: str,
    points: Sequence[tuple[float, float]],
    finding: CodedConcept | None,
    **fields: Any,
) -> PlanarROIMeasurementsAndQualitativeEvaluations:
    source = pydicom.dcmread(image)
    return PlanarROIMeasurementsAndQualitativeEvaluations(
        TrackingIdentifier(identifier="theirs", uid=highdicom.UID()),
        ImageRegion(
            shape, np.array(points), SourceImageForRegion(source.SOPClassUID, source.SOPInstanceUID)
        ),
        finding_type=finding,
        **fields,
    )


NODULE = CodedConcept("27925004", "SCT", "Nodule")
ODD = CodedConcept("X-1", "99OTHER", "Honeycombing")
SHAPES: list[tuple[str, list[tuple[float, float]], Box]] = [
    ("POLYLINE", [(10, 10), (20, 12), (15, 30), (10, 10)], Box(10, 10, 20, 30)),
    ("CIRCLE", [(40, 50), (43, 54)], Box(35, 45, 45, 55)),
    ("ELLIPSE", [(20, 50), (60, 50), (40, 40), (40, 60)], Box(20, 40, 60, 60)),
    # Turned by 45 degrees: half axes of 10 and 5.
    (
        "ELLIPSE",
        [
            (40 - 10 * 0.5**0.5, 50 - 10 * 0.5**0.5),
            (40 + 10 * 0.5**0.5, 50 + 10 * 0.5**0.5),
            (40 + 5 * 0.5**0.5, 50 - 5 * 0.5**0.5),
            (40 - 5 * 0.5**0.5, 50 + 5 * 0.5**0.5),
        ],
        Box(40 - 62.5**0.5, 50 - 62.5**0.5, 40 + 62.5**0.5, 50 + 62.5**0.5),
    ),
]


class TestOthers:
    @pytest.mark.parametrize("drawn", SHAPES)
    def test_a_shape_becomes_the_box_around_it(
        self, reviewed: Reviewed, load: Load, tmp_path: Path, drawn: tuple[str, Any, Box]
    ) -> None:
        shape, points, box = drawn
        image = reviewed.image.path
        path = foreign(tmp_path, image, [group(image, shape, points, NODULE)])
        summary = take(reviewed.store, path, load)
        (finding,) = decided(reviewed.store, reviewed.image.study.uid, "Foreign^Reader")
        assert (finding.status, finding.category) == (Status.ACCEPTED, "nodule")
        found = finding.box
        assert (found.x_min, found.y_min, found.x_max, found.y_max) == pytest.approx(
            (box.x_min, box.y_min, box.x_max, box.y_max), abs=1e-4
        )
        assert summary.notes == ("1 regions were no boxes; the boxes around them were taken over.",)

    def test_unknown_codes_keep_their_meaning(
        self, reviewed: Reviewed, load: Load, tmp_path: Path
    ) -> None:
        image = reviewed.image.path
        take(reviewed.store, foreign(tmp_path, image, [group(image, *SHAPES[0][:2], ODD)]), load)
        (finding,) = decided(reviewed.store, reviewed.image.study.uid, "Foreign^Reader")
        assert finding.category == "honeycombing"

    def test_what_a_device_alone_says_is_a_candidate(
        self, reviewed: Reviewed, load: Load, tmp_path: Path
    ) -> None:
        image = reviewed.image.path
        scored = group(
            image,
            *SHAPES[0][:2],
            NODULE,
            algorithm_id=AlgorithmIdentification("CAD", "3"),
            measurements=[Measurement(codes.DCM.CertaintyOfFinding, 62.5, codes.UCUM.Percent)],
        )
        summary = take(reviewed.store, foreign(tmp_path, image, [scored], person=None), load)
        assert (summary.candidates, summary.findings) == (1, 0)
        run = reviewed.store.load(reviewed.image.study.uid).runs[-1]
        assert (run.model_name, run.model_version) == ("CAD", "3")

    def test_points_and_groups_without_a_finding_are_named(
        self, reviewed: Reviewed, load: Load, tmp_path: Path
    ) -> None:
        image = reviewed.image.path
        groups = [
            group(image, "POINT", [(5, 5)], NODULE),
            group(image, *SHAPES[0][:2], None),
            group(image, *SHAPES[0][:2], NODULE),
        ]
        summary = take(reviewed.store, foreign(tmp_path, image, groups), load)
        assert summary.findings == 1
        assert any("its point encloses nothing" in note for note in summary.notes)
        assert any("does not say what was found" in note for note in summary.notes)

    def test_an_image_that_is_not_here_is_named(
        self, reviewed: Reviewed, other_store: Store, load: Load, tmp_path: Path
    ) -> None:
        image = reviewed.image.path
        path = foreign(tmp_path, image, [group(image, *SHAPES[0][:2], NODULE)])
        summary = take(other_store, path, load)
        assert summary.findings == 0
        assert summary.not_found
        assert summary.not_found[0].startswith(reviewed.image.uid)

    def test_a_report_without_groups_is_refused(
        self, reviewed: Reviewed, load: Load, tmp_path: Path
    ) -> None:
        path = make_report(tmp_path / "text.dcm", reviewed.image.path, [])
        with pytest.raises(ExchangeError, match="has no measurement group"):
            take(reviewed.store, path, load)

    def test_what_is_no_report_is_refused(self, reviewed: Reviewed, load: Load) -> None:
        with pytest.raises(InputError, match="no structured report"):
            take(reviewed.store, reviewed.image.path, load)


class TestTimes:
    def test_a_time_zone_counts(self, reviewed: Reviewed, load: Load, tmp_path: Path) -> None:
        image = reviewed.image.path
        made = group(image, *SHAPES[0][:2], NODULE)
        made[0].ObservationDateTime = "20240101120000.25+0130"
        take(reviewed.store, foreign(tmp_path, image, [made]), load)
        event = reviewed.store.load(reviewed.image.study.uid).events[-1]
        assert event.at == datetime(2024, 1, 1, 10, 30, tzinfo=UTC) + timedelta(milliseconds=250)
