from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from detector.types import Box, Detection, Detections, ModelCard
from tests.dicom_factory import make_dicom
from viewer.dicom.model import Frame, Image, ImageKey
from viewer.dicom.pixels import decode
from viewer.errors import ExchangeError
from viewer.exchange import coco
from viewer.exchange.formats import FORMATS
from viewer.exchange.label_import import ImportSummary
from viewer.review.finding import Finding, Status
from viewer.review.fold import fold
from viewer.review.session import ReviewSession
from viewer.review.store import Store

Load = Callable[[Path], list[tuple[Image, Frame]]]
COCO_FORMAT = FORMATS["coco"]

OpenFile = Callable[[Store, Path], tuple[ReviewSession, list[tuple[Image, Frame]]]]

ROWS, COLUMNS = 120, 90


def import_coco(store: Store, file: Path, reader: str, *, load: Load) -> ImportSummary:
    return COCO_FORMAT.import_labels(store, file, reader, load=load, keep=file.parent / "keep")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(7).integers(0, 256, (ROWS, COLUMNS)).astype(np.uint8)
    path = tmp_path / "data" / "chest.png"
    path.parent.mkdir()
    cv2.imwrite(str(path), pixels)
    return path


def plain_coco() -> dict[str, Any]:
    return {
        "images": [{"id": 7, "file_name": "chest.png", "width": COLUMNS, "height": ROWS}],
        "categories": [{"id": 3, "name": "opacity"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 2, 30, 40]},
            {"id": 2, "image_id": 7, "category_id": 3, "bbox": [50.5, 2, 30, 40], "score": 0.8},
        ],
    }


@pytest.fixture
def write(picture: Path) -> Callable[[Any], Path]:
    def write_(document: Any) -> Path:
        path = picture.parent / "labels.json"
        text = document if isinstance(document, str) else json.dumps(document)
        path.write_text(text, "utf-8")
        return path

    return write_


def all_findings(store: Store) -> list[Finding]:
    return [each for uid in store.study_uids() for each in fold(store.load(uid)).findings]


def essence(store: Store) -> list[tuple[object, ...]]:
    """What must survive a journey; the identity of image and finding does not."""
    return sorted(
        (
            tuple(round(value, 6) for value in each.box.xywh()),
            each.category,
            each.status.value,
            each.score,
        )
        for each in all_findings(store)
        if each.status is not Status.OPEN
    )


def count_events(store: Store) -> int:
    return sum(len(store.load(uid).events) for uid in store.study_uids())


def test_plain_coco_gives_a_candidate_and_an_accepted_finding(
    store: Store, load: Load, write: Callable[[Any], Path], picture: Path
) -> None:
    summary = import_coco(store, write(plain_coco()), "Dr. Who", load=load)
    assert summary == ImportSummary(1, 1, (), ("Dr. Who",))
    (study,) = store.study_uids()
    record = store.load(study)
    candidate, accepted = fold(record).findings
    assert (candidate.status, candidate.score) == (Status.OPEN, 0.8)
    assert candidate.box == Box(50.5, 2, 80.5, 42)
    assert (accepted.status, accepted.box) == (Status.ACCEPTED, Box(1, 2, 31, 42))
    assert accepted.note == "imported by Dr. Who"
    assert record.images[0].image.path == picture
    assert record.runs[0].model_name == "imported"
    assert not fold(record).signed


def test_importing_twice_adds_nothing_twice(
    store: Store, load: Load, write: Callable[[Any], Path]
) -> None:
    file = write(plain_coco())
    import_coco(store, file, "Dr. Who", load=load)
    before = all_findings(store)
    assert import_coco(store, file, "Dr. Who", load=load) == ImportSummary(0, 0, ())
    assert all_findings(store) == before


def test_a_decision_that_stands_is_left_alone(
    store: Store, load: Load, write: Callable[[Any], Path]
) -> None:
    file = write(plain_coco())
    import_coco(store, file, "Dr. Who", load=load)
    session = ReviewSession(store, store.study_uids()[0], "Dr. Who")
    session.reject(session.findings()[1].id)
    import_coco(store, file, "Dr. Who", load=load)
    assert all_findings(store)[1].status is Status.REJECTED


def test_an_import_can_be_undone(store: Store, load: Load, write: Callable[[Any], Path]) -> None:
    import_coco(store, write(plain_coco()), "Dr. Who", load=load)
    session = ReviewSession(store, store.study_uids()[0], "Dr. Who")
    session.undo()
    assert [each.status for each in session.findings()] == [Status.OPEN]
    session.redo()
    assert len(session.findings()) == 2


def test_images_are_found_by_uid_and_by_pixels(
    store: Store, load: Load, write: Callable[[Any], Path], tmp_path: Path, open_file: OpenFile
) -> None:
    pixels = np.random.default_rng(8).integers(0, 4096, (ROWS, COLUMNS)).astype(np.uint16)
    _, [(image, frame)] = open_file(store, make_dicom(tmp_path / "a.dcm", pixels))
    document = plain_coco()
    entry = document["images"][0]
    entry["file_name"] = "gone.png"
    for identity in (
        {"sop_instance_uid": image.uid, "frame_number": 1},
        {"pixel_sha256": frame.pixel_sha256},
        {"sop_instance_uid": "9.9", "pixel_sha256": frame.pixel_sha256},
    ):
        document["images"] = [entry | identity]
        summary = import_coco(store, write(document), "Dr. Who", load=load)
        assert summary.not_found == ()
    assert store.study_uids() == (image.study.uid,)
    assert len(all_findings(store)) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"file_name": "gone.png"},
        {"file_name": "../chest.png"},
        {"file_name": "labels.json"},
        {"width": COLUMNS + 1},
        {"frame_number": 2, "sop_instance_uid": "1.2.3"},
    ],
)
def test_what_is_not_found_is_listed(
    *,
    store: Store,
    load: Load,
    write: Callable[[Any], Path],
    picture: Path,
    tmp_path: Path,
    change: dict[str, Any],
) -> None:
    shutil.copy(picture, tmp_path / "chest.png")
    document = plain_coco()
    document["images"][0] |= change
    if "frame_number" in change:
        document["images"][0]["file_name"] = "gone.png"
    summary = import_coco(store, write(document), "Dr. Who", load=load)
    assert (summary.candidates, summary.findings) == (0, 0)
    assert len(summary.not_found) == 1
    assert document["images"][0]["file_name"] in summary.not_found[0]
    assert all_findings(store) == []


def test_other_pixels_under_the_uid_get_nothing(
    store: Store, load: Load, write: Callable[[Any], Path], tmp_path: Path, open_file: OpenFile
) -> None:
    pixels = np.zeros((ROWS, COLUMNS), np.uint16)
    _, [(image, _)] = open_file(store, make_dicom(tmp_path / "a.dcm", pixels))
    document = plain_coco()
    document["images"][0] |= {
        "file_name": "gone.png",
        "sop_instance_uid": image.uid,
        "pixel_sha256": "e" * 64,
    }
    summary = import_coco(store, write(document), "Dr. Who", load=load)
    assert len(summary.not_found) == 1
    assert all_findings(store) == []


def broken() -> dict[str, tuple[str, Callable[[dict[str, Any]], Any]]]:
    """Name -> (what the sentence must name, what breaks the document)."""

    def annotation(**fields: Any) -> Callable[[dict[str, Any]], Any]:
        return lambda d: d["annotations"][1].update(fields)

    def image(**fields: Any) -> Callable[[dict[str, Any]], Any]:
        return lambda d: d["images"][0].update(fields)

    return {
        "no images": ("images", lambda d: d.pop("images")),
        "images no list": ("images", lambda d: d.update(images={})),
        "image no object": (r"images\[1\]", lambda d: d["images"].append(3)),
        "image twice": (r"images\[1\]", lambda d: d["images"].append(d["images"][0])),
        "no width": (r"images\[0\].*width", lambda d: d["images"][0].pop("width")),
        "negative width": (r"images\[0\]", image(width=-5)),
        "width a text": (r"images\[0\].*width", image(width="90")),
        "id true": (r"images\[0\].*id", image(id=True)),
        "file name a number": (r"images\[0\].*file_name", image(file_name=3)),
        "no bbox": (r"annotations\[1\].*bbox", lambda d: d["annotations"][1].pop("bbox")),
        "three numbers": (r"annotations\[1\].*bbox", annotation(bbox=[1, 2, 3])),
        "negative size": (r"annotations\[1\].*bbox", annotation(bbox=[1, 2, -3, 4])),
        "no size": (r"annotations\[1\].*bbox", annotation(bbox=[1, 2, 0, 4])),
        "outside": (r"annotations\[1\].*outside", annotation(bbox=[500, 2, 3, 4])),
        "a text for a number": (r"annotations\[1\].*bbox", annotation(bbox=[1, 2, "3", 4])),
        "unknown image": (r"annotations\[1\].*99", annotation(image_id=99)),
        "unknown category": (r"annotations\[1\].*99", annotation(category_id=99)),
        "score above 1": (r"annotations\[1\].*score", annotation(score=1.5)),
        "unknown status": (r"annotations\[1\].*maybe", annotation(status="maybe")),
        "open status": (r"annotations\[1\]", annotation(status="open")),
        "no time": (r"annotations\[1\]", annotation(decided_at="yesterday")),
        "category no name": (r"categories\[0\]", lambda d: d["categories"][0].pop("name")),
        "info a list": ("info", lambda d: d.update(info=[1])),
        "rejected no list": ("rejected", lambda d: d.update(rejected_annotations=4)),
    }


@pytest.mark.parametrize("name", broken())
def test_a_wrong_entry_is_named_and_nothing_is_imported(
    store: Store, load: Load, write: Callable[[Any], Path], name: str
) -> None:
    named, spoil = broken()[name]
    document = plain_coco()
    spoil(document)
    with pytest.raises(ExchangeError, match=named):
        import_coco(store, write(document), "Dr. Who", load=load)
    assert store.study_uids() == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        json.dumps(plain_coco()).replace("50.5", "NaN"),
        json.dumps(plain_coco()).replace("50.5", "Infinity"),
        json.dumps(plain_coco()).replace("50.5", "1e999"),
        json.dumps(plain_coco()).replace("50.5", "9" * 5000),
    ],
    ids=["empty", "cut", "list", "null", "deep", "NaN", "Infinity", "1e999", "5000 digits"],
)
def test_a_file_that_is_not_coco_is_told(
    store: Store, load: Load, write: Callable[[Any], Path], text: str
) -> None:
    with pytest.raises(ExchangeError, match=r"labels\.json"):
        import_coco(store, write(text), "Dr. Who", load=load)
    assert store.study_uids() == ()


def test_a_missing_or_binary_file_is_told(store: Store, load: Load, picture: Path) -> None:
    for file in (picture, picture.with_name("gone.json"), picture.parent):
        with pytest.raises(ExchangeError):
            import_coco(store, file, "Dr. Who", load=load)


def detections(*boxes: tuple[Box, float]) -> Detections:
    found = tuple(Detection(box, score, "opacity") for box, score in boxes)
    return Detections(found, "chest-xray", "1.2", "w" * 64, "cpu", 0.01, 0.1)


def review(session: ReviewSession, image: Image, frame: Frame) -> None:
    """One finding of each kind, with coordinates that no float holds exactly."""
    key = ImageKey(image.uid, image.frame_number, frame.pixel_sha256)
    width, height = image.columns / 3, image.rows / 3
    boxes = [
        Box(x * width + 0.1, y * height + 0.7, (x + 1) * width, (y + 1) * height)
        for y in range(2)
        for x in range(2)
    ]
    session.add_run(key, detections(*((box, 0.9 - place / 7) for place, box in enumerate(boxes))))
    first, second, third, _ = session.findings()
    session.accept(first.id)
    session.correct(second.id, box=Box(1 / 3, 2 / 3, width, height))
    session.reject(third.id)
    session.add(key, Box(2 * width, 2 * height, 2.9 * width, 2.9 * height), "nodule")


def test_an_export_comes_back_into_an_empty_store(
    store: Store, other_store: Store, load: Load, open_file: OpenFile, tmp_path: Path
) -> None:
    for number, high in enumerate((256, 4096)):
        pixels = np.random.default_rng(number).integers(0, high, (ROWS, COLUMNS))
        path = make_dicom(
            tmp_path / f"{number}.dcm",
            pixels.astype(np.uint16),
            RescaleIntercept=-1024 if number else 0,
            RescaleSlope=1,
        )
        session, [(image, frame)] = open_file(store, path)
        review(session, image, frame)
    COCO_FORMAT.export(store, tmp_path / "out", decode)
    summary = import_coco(other_store, tmp_path / "out" / "annotations.json", "importer", load=load)
    assert summary == ImportSummary(0, 8, (), ("Dr. Who",))
    assert essence(other_store) == essence(store)
    event = other_store.load(other_store.study_uids()[0]).events[0]
    assert (event.reader, event.model_name, event.weights_sha256) == (
        "Dr. Who",
        "chest-xray",
        "w" * 64,
    )
    # And once more around: the second export says the same of the boxes as the first.
    COCO_FORMAT.export(other_store, tmp_path / "again", decode)
    first, second = (
        json.loads((tmp_path / name / "annotations.json").read_text()) for name in ("out", "again")
    )
    for kind in ("annotations", "rejected_annotations"):
        kept = ("status", "reader", "decided_at", "threshold", "ai_visible", "model", "model_score")
        assert sorted(str([each[name] for name in kept]) for each in first[kind]) == sorted(
            str([each[name] for name in kept]) for each in second[kind]
        )


def test_an_export_adds_nothing_where_it_came_from(
    store: Store, load: Load, open_file: OpenFile, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(3).integers(0, 4096, (ROWS, COLUMNS)).astype(np.uint16)
    for number in (1, 2):  # the same pixels in two images, with different findings
        session, [(image, frame)] = open_file(
            store, make_dicom(tmp_path / f"{number}.dcm", pixels, PatientID=f"P{number}")
        )
        key = ImageKey(image.uid, 1, frame.pixel_sha256)
        session.add(key, Box(number * 20, 5, number * 20 + 10, 30), "opacity")
    COCO_FORMAT.export(store, tmp_path / "out", decode)
    before = count_events(store)
    file = tmp_path / "out" / "annotations.json"
    assert import_coco(store, file, "x", load=load) == ImportSummary(0, 0, ())
    assert count_events(store) == before
    assert len(store.study_uids()) == 2


def test_the_output_of_detect_becomes_candidates(
    store: Store, load: Load, open_file: OpenFile, tmp_path: Path
) -> None:
    card = ModelCard(
        "chest-xray", "1.2", "a", {}, ("opacity",), 512, "w" * 64, ("DX",), ("CHEST",), ("PA",),
        0.4, "",
    )  # fmt: skip
    images = []
    for number in (1, 2):
        pixels = np.full((ROWS, COLUMNS), number, np.uint16)
        _, [(image, _)] = open_file(store, make_dicom(tmp_path / f"{number}.dcm", pixels))
        images.append(image)
    found = detections((Box(1 / 3, 2, 30, 40), 1 / 3), (Box(1, 50, 30.7, 80), 0.2))
    document = coco.detections_json(
        [(images[0], "1.dcm", found), (images[1], "2.dcm", detections())],
        [], card, "cpu", 0.01, "0.1.0",
    )  # fmt: skip
    file = tmp_path / "results.json"
    file.write_text(json.dumps(document))
    assert import_coco(store, file, "x", load=load) == ImportSummary(2, 0, ())
    assert import_coco(store, file, "x", load=load) == ImportSummary(0, 0, ())
    first = store.load(images[0].study.uid)
    assert [each.status for each in fold(first).findings] == [Status.OPEN] * 2
    assert [each.score for each in fold(first).findings] == [1 / 3, 0.2]
    assert first.runs[0].weights_sha256 == "w" * 64
    second = store.load(images[1].study.uid)
    assert len(second.runs) == 1  # analysed, and nothing found
    assert second.candidates == ()


def test_a_real_radiograph_goes_out_and_comes_back(
    *,
    store: Store,
    other_store: Store,
    load: Load,
    open_file: OpenFile,
    tmp_path: Path,
    data_folder: Path,
) -> None:
    files = sorted((data_folder / "cxr" / "images").iterdir())[:2]
    for file in files:
        session, [(image, frame)] = open_file(store, file)
        review(session, image, frame)
        session.sign()
    COCO_FORMAT.export(store, tmp_path / "out", decode)
    document = json.loads((tmp_path / "out" / "annotations.json").read_text())
    for entry in document["images"]:
        (record,) = store.images_with_pixels(entry["pixel_sha256"])
        written = cv2.imread(str(tmp_path / "out" / entry["file_name"]), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(written, decode(record.image).values)
        assert entry["review"] == "complete"
    import_coco(other_store, tmp_path / "out" / "annotations.json", "x", load=load)
    assert essence(other_store) == essence(store)
