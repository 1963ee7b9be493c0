from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from detector.types import RESEARCH_USE_ONLY, Box, Detection, Detections, ModelCard
from tests.dicom_factory import make_ct_series, make_dicom
from viewer.dicom.model import Frame, Image, ImageKey, Skipped
from viewer.dicom.pixels import decode
from viewer.errors import Cancelled, ExchangeError
from viewer.exchange import coco
from viewer.exchange.export import ExportSummary
from viewer.exchange.formats import FORMATS
from viewer.review.measurement import Shape
from viewer.review.session import ReviewSession
from viewer.review.store import Store

COCO_FORMAT = FORMATS["coco"]

OpenFile = Callable[[Store, Path], tuple[ReviewSession, list[tuple[Image, Frame]]]]

IDENTITY = {
    "PatientName": "Planted^Name",
    "PatientID": "PLANTED-ID",
    "PatientBirthDate": "19511231",
    "StudyDate": "20190817",
    "StudyDescription": "PLANTED-STUDY",
    "SeriesDescription": "PLANTED-SERIES",
    "AccessionNumber": "PLANTED-ACC",
    "InstitutionName": "PLANTED-HOSPITAL",
    "StudyInstanceUID": "1.2.826.1.111",
    "SeriesInstanceUID": "1.2.826.1.222",
    "SOPInstanceUID": "1.2.826.1.333",
}


def key_of(image: Image, frame: Frame) -> ImageKey:
    return ImageKey(image.uid, image.frame_number, frame.pixel_sha256)


def found(*boxes: tuple[Box, float]) -> Detections:
    return Detections(
        tuple(Detection(box, score, "opacity") for box, score in boxes),
        "chest-xray", "1.2", "w" * 64, "cpu", 0.01, 0.1,
    )  # fmt: skip


@pytest.fixture
def radiograph(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(5).integers(0, 4096, (120, 90)).astype(np.uint16)
    return make_dicom(
        tmp_path / "PLANTED-FILE.dcm", pixels, WindowCenter=2048, WindowWidth=4096, **IDENTITY
    )


def export(store: Store, out: Path, **choice: Any) -> tuple[ExportSummary, dict[str, Any]]:
    summary = COCO_FORMAT.export(store, out, decode, **choice)
    return summary, json.loads((out / "annotations.json").read_text("utf-8"))


@pytest.fixture
def reviewed(store: Store, radiograph: Path, open_file: OpenFile) -> ReviewSession:
    """One image with an accepted, a corrected, a rejected, an open and an added finding."""
    session, [(image, frame)] = open_file(store, radiograph)
    key = key_of(image, frame)
    session.add_run(
        key,
        found(
            (Box(1, 2, 30, 40), 0.9),
            (Box(40, 2, 80, 40), 0.8),
            (Box(1, 60, 30, 90), 0.7),
            (Box(50, 60, 70, 90), 0.6),
        ),
    )
    session.threshold = 0.37
    first, second, third, _ = session.findings()
    session.accept(first.id)
    session.correct(second.id, box=Box(41.5, 2, 80, 41))
    session.reject(third.id)
    session.ai_visible = False
    session.add(key, Box(5, 100, 25, 118), "nodule")
    return session


class TestForm:
    def test_decided_findings_go_out_and_open_ones_do_not(
        self, reviewed: ReviewSession, store: Store, tmp_path: Path
    ) -> None:
        summary, document = export(store, tmp_path / "out")
        assert (summary.written.images, summary.written.findings, summary.written.rejected) == (
            1,
            3,
            1,
        )
        assert summary.skipped == ()
        assert [each["status"] for each in document["annotations"]] == [
            "accepted",
            "corrected",
            "added",
        ]
        accepted, corrected, added = document["annotations"]
        (rejected,) = document["rejected_annotations"]
        assert accepted["bbox"] == [1, 2, 29, 38]
        assert accepted["area"] == 29 * 38
        assert corrected["bbox"] == [41.5, 2, 38.5, 39]
        assert rejected["bbox"] == [1, 60, 29, 30]
        assert rejected["status"] == "rejected"
        assert accepted["model"] == {
            "name": "chest-xray",
            "version": "1.2",
            "weights_sha256": "w" * 64,
        }
        assert (accepted["model_score"], accepted["threshold"]) == (0.9, 0.37)
        assert accepted["reader"] == "Dr. Who"
        assert accepted["ai_visible"] is True
        assert (added["model"], added["model_score"]) == (None, None)
        assert (added["ai_visible"], added["threshold"]) == (False, None)
        assert not any("score" in each for each in document["annotations"])
        ids = [each["id"] for each in document["annotations"] + document["rejected_annotations"]]
        assert len(set(ids)) == 4
        names = {each["id"]: each["name"] for each in document["categories"]}
        assert names == {1: "opacity", 2: "nodule"}
        assert names[added["category_id"]] == "nodule"

    def test_the_image_says_what_it_is(
        self, reviewed: ReviewSession, store: Store, radiograph: Path, tmp_path: Path
    ) -> None:
        _, document = export(store, tmp_path / "out")
        (image,) = document["images"]
        assert (image["width"], image["height"], image["frame_number"]) == (90, 120, 1)
        assert (image["modality"], image["body_part"], image["view"]) == ("DX", "CHEST", "PA")
        assert image["review"] == "partial"
        assert image["reviewed_negative"] is False
        assert image["value_mapping"] == {"slope": 1.0, "intercept": 0.0}
        assert image["tone_curve"] == {"values": [0.0, 4095.0], "outputs": [0.0, 1.0]}
        assert image["patient_key"] == store.patient_key(
            store.load("1.2.826.1.111").images[0].image.study
        )
        assert document["info"]["notice"] == RESEARCH_USE_ONLY
        assert document["info"]["version"] == "1"

    def test_the_picture_holds_the_modality_values(
        self, store: Store, open_file: OpenFile, tmp_path: Path
    ) -> None:
        values = {}
        for path in make_ct_series(tmp_path / "ct", slices=3):
            session, [(_, frame)] = open_file(store, path)
            values[frame.pixel_sha256] = frame.values
        session.sign()
        _, document = export(store, tmp_path / "out")
        assert len(document["images"]) == 3
        for image in document["images"]:
            stored = cv2.imread(str(tmp_path / "out" / image["file_name"]), cv2.IMREAD_UNCHANGED)
            mapping = image["value_mapping"]
            np.testing.assert_array_equal(
                stored * mapping["slope"] + mapping["intercept"], values[image["pixel_sha256"]]
            )
            assert stored.dtype == np.uint16
            assert mapping["intercept"] < 0

    def test_pycocotools_reads_it(
        self, reviewed: ReviewSession, store: Store, tmp_path: Path
    ) -> None:
        export(store, tmp_path / "out")
        read = COCO(str(tmp_path / "out" / "annotations.json"))
        assert len(read.getAnnIds(catIds=read.getCatIds(catNms=["opacity"]))) == 2
        assert len(read.getAnnIds()) == 3
        (image,) = read.loadImgs(read.getImgIds())
        assert (tmp_path / "out" / image["file_name"]).is_file()

    def test_no_identity_is_in_it(
        self, reviewed: ReviewSession, store: Store, tmp_path: Path
    ) -> None:
        reviewed.sign()
        export(store, tmp_path / "out")
        planted = [value.encode() for value in IDENTITY.values()]
        planted += [b"PLANTED", b"Planted", str(tmp_path).encode()]
        files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
        assert len(files) == 2
        for path in files:
            content = path.read_bytes() + path.name.encode()
            assert [word for word in planted if word in content] == []


class TestReview:
    def test_a_signed_study_is_complete(
        self, reviewed: ReviewSession, store: Store, tmp_path: Path
    ) -> None:
        reviewed.sign()
        _, document = export(store, tmp_path / "out")
        assert document["images"][0]["review"] == "complete"
        assert document["images"][0]["reviewed_negative"] is False

    def test_measurements_are_no_labels_and_change_none(
        self, reviewed: ReviewSession, store: Store, tmp_path: Path
    ) -> None:
        reviewed.sign()
        _, before = export(store, tmp_path / "before")
        key = reviewed.findings()[0].image
        reviewed.measure(key, Shape.RECTANGLE, ((1, 2), (30, 40)))
        reviewed.measure(key, Shape.POINT, ((5, 5),))
        _, after = export(store, tmp_path / "after")
        for document in (before, after):
            del document["info"]
        assert after == before

    def test_a_signed_image_without_findings_is_negative(
        self, store: Store, radiograph: Path, open_file: OpenFile, tmp_path: Path
    ) -> None:
        session, [(image, frame)] = open_file(store, radiograph)
        session.add_run(key_of(image, frame), found((Box(1, 2, 30, 40), 0.9)))
        with pytest.raises(ExchangeError, match="nothing to export"):
            COCO_FORMAT.export(store, tmp_path / "out", decode)
        session.reject(session.findings()[0].id)
        _, document = export(store, tmp_path / "rejected")
        assert document["images"][0]["reviewed_negative"] is False  # nobody said so
        session.sign()
        summary, document = export(store, tmp_path / "out")
        assert document["images"][0]["reviewed_negative"] is True
        assert (summary.written.findings, summary.written.rejected) == (0, 1)

    def test_an_image_that_came_after_the_signature_is_not_complete(
        self, store: Store, open_file: OpenFile, tmp_path: Path
    ) -> None:
        first, second = make_ct_series(tmp_path / "ct", slices=2)
        session, _ = open_file(store, first)
        session.sign()
        session, [(image, frame)] = open_file(store, second)
        _, document = export(store, tmp_path / "out")
        assert len(document["images"]) == 1
        session.add(key_of(image, frame), Box(1, 1, 9, 9), "opacity")
        session.undo()  # the signature stands again
        assert session.signed
        _, document = export(store, tmp_path / "again")
        assert [each["review"] for each in document["images"]] == ["complete"]


class TestChoice:
    @pytest.fixture
    def two(self, store: Store, tmp_path: Path, open_file: OpenFile) -> list[Image]:
        images = []
        for number in (1, 2):
            pixels = np.full((40, 30), number, np.uint8)
            path = make_dicom(tmp_path / f"{number}.dcm", pixels, StudyInstanceUID=f"1.{number}")
            session, [(image, frame)] = open_file(store, path)
            session.add(key_of(image, frame), Box(1, 1, 9, 9), "opacity")
            images.append(image)
        return images

    def test_everything_a_study_or_images(
        self, store: Store, two: list[Image], tmp_path: Path
    ) -> None:
        assert export(store, tmp_path / "all")[0].written.images == 2
        key = store.patient_key(two[0].study)
        assert export(store, tmp_path / "study", studies=[("1.2", key)])[0].written.images == 1
        chosen = {(two[0].uid, 1)}
        assert export(store, tmp_path / "image", images=chosen)[0].written.images == 1
        with pytest.raises(ExchangeError):
            export(store, tmp_path / "none", studies=[("1.3", key)])

    def test_one_patient_has_one_key(self, store: Store, two: list[Image], tmp_path: Path) -> None:
        _, document = export(store, tmp_path / "out")
        assert len({image["patient_key"] for image in document["images"]}) == 1

    def test_equal_pixels_of_two_images_are_two_files(
        self, store: Store, open_file: OpenFile, tmp_path: Path
    ) -> None:
        for number in (1, 2):
            path = make_dicom(tmp_path / f"{number}.dcm", np.zeros((40, 30), np.uint8))
            session, _ = open_file(store, path)
            session.sign()
        _, document = export(store, tmp_path / "out")
        assert len({image["file_name"] for image in document["images"]}) == 2

    def test_a_lost_and_a_changed_file_are_told(
        self, store: Store, two: list[Image], tmp_path: Path
    ) -> None:
        two[0].path.unlink()
        summary, document = export(store, tmp_path / "out")
        assert len(document["images"]) == 1
        assert [each.path for each in summary.skipped] == [str(two[0].path)]
        make_dicom(two[1].path, np.full((40, 30), 9, np.uint8), SOPInstanceUID=two[1].uid)
        with pytest.raises(ExchangeError, match="None of the 2 images"):
            COCO_FORMAT.export(store, tmp_path / "none", decode)
        assert not (tmp_path / "none").exists()
        other = COCO_FORMAT.export(
            store,
            tmp_path / "changed",
            lambda image: (
                decode(image)
                if image.uid == two[1].uid
                else replace_pixels(two[0], store, image.uid)
            ),
        )
        assert "other pixels" in other.skipped[0].reason

    def test_an_incomplete_picture_is_told_and_left_out(
        self, store: Store, two: list[Image], tmp_path: Path
    ) -> None:
        summary = COCO_FORMAT.export(
            store,
            tmp_path / "out",
            lambda image: replace(decode(image), incomplete=image.uid == two[0].uid),
        )
        assert [each.path for each in summary.skipped] == [str(two[0].path)]
        assert "incomplete" in summary.skipped[0].reason


def replace_pixels(image: Image, store: Store, uid: str) -> Frame:
    """A frame that is what was recorded for a lost file."""
    record = store.image(uid, 1)
    assert record is not None
    values = np.full((image.rows, image.columns), 1, np.uint8)
    return Frame(values, record.pixel_sha256, "", (), False)


class TestAtomic:
    def test_an_occupied_folder_is_refused(
        self, reviewed: ReviewSession, store: Store, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        out.mkdir()
        export(store, out)  # an empty one may be there
        before = (out / "annotations.json").read_bytes()
        with pytest.raises(ExchangeError, match="not an empty folder"):
            export(store, out)
        assert (out / "annotations.json").read_bytes() == before
        with pytest.raises(ExchangeError):
            export(store, tmp_path / "PLANTED-FILE.dcm")

    def test_an_export_that_ends_early_leaves_nothing(
        self, reviewed: ReviewSession, store: Store, tmp_path: Path
    ) -> None:
        before = sorted(tmp_path.rglob("*"))

        def cancel(done: int, total: int) -> None:
            if done == total:
                raise Cancelled("Cancelled.")

        with pytest.raises(Cancelled):
            export(store, tmp_path / "out", on_progress=cancel)
        assert sorted(tmp_path.rglob("*")) == before

    def test_a_folder_that_cannot_be_made_is_told(
        self, reviewed: ReviewSession, store: Store, radiograph: Path
    ) -> None:
        with pytest.raises(ExchangeError):
            export(store, radiograph / "out")


def test_detections_are_coco_with_scores(
    store: Store, radiograph: Path, open_file: OpenFile, tmp_path: Path
) -> None:
    _, [(image, _)] = open_file(store, radiograph)
    card = ModelCard(
        "chest-xray", "1.2", "a", {}, ("opacity",), 512, "w" * 64, ("DX",), ("CHEST",), ("PA",),
        0.4, "",
    )  # fmt: skip
    empty = replace(image, uid="1.2.826.1.334")
    document = coco.detections_json(
        [
            (image, "a.dcm", found((Box(1, 2, 30, 40), 0.9), (Box(4, 5, 9, 10.5), 0.1))),
            (empty, "b.dcm", found()),
        ],
        [Skipped("c.txt", "Not a DICOM or image file.")],
        card,
        "cpu",
        0.01,
        "0.1.0",
    )
    path = tmp_path / "results.json"
    path.write_text(json.dumps(document, allow_nan=False))
    read = COCO(str(path))
    assert [each["score"] for each in read.loadAnns(read.getAnnIds())] == [0.9, 0.1]
    assert read.loadAnns(read.getAnnIds())[1]["bbox"] == [4, 5, 5, 5.5]
    assert len(read.loadRes(document["annotations"]).getAnnIds()) == 2
    assert document["images"] == [
        {
            "id": 1,
            "file_name": "a.dcm",
            "width": 90,
            "height": 120,
            "sop_instance_uid": "1.2.826.1.333",
            "frame_number": 1,
        },
        document["images"][1],
    ]
    assert document["images"][1]["sop_instance_uid"] == "1.2.826.1.334"
    assert document["skipped"] == [{"file": "c.txt", "reason": "Not a DICOM or image file."}]
    assert document["info"]["model"]["weights_sha256"] == "w" * 64
    assert (document["info"]["device"], document["info"]["floor"]) == ("cpu", 0.01)
    assert document["info"]["notice"] == RESEARCH_USE_ONLY
