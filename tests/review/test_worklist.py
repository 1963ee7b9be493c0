"""Orders, filters and words of the worklist; and the rows that the database gives for them."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from detector.types import Box
from tests.review.conftest import PIXELS, MakeDetections, MakeImage
from viewer.dicom.model import Image, ImageKey, StudyHeader
from viewer.review.finding import Mode
from viewer.review.session import ReviewSession
from viewer.review.store import Store
from viewer.review.worklist import Filter, Order, StudyStatus, WorklistRow, next_unread, ordered

MODEL = "w" * 64
BOX = Box(10, 10, 60, 60)


def row(number: int, **changes: object) -> WorklistRow:
    plain = WorklistRow(
        id=number,
        patient_name=f"Doe, {number}",
        patient_id=f"P-{number}",
        study_date="20260102",
        description="Chest PA",
        modality="DX",
        images=1,
        failure=None,
        refusal=None,
        done=False,
        blind=False,
        analysed=False,
        open_candidates=None,
        score=None,
        category=None,
        begun=False,
        signed=False,
    )
    return plain._replace(**changes)  # type: ignore[arg-type]


def with_candidates(number: int, score: float, count: int = 1) -> WorklistRow:
    return row(number, analysed=True, open_candidates=count, score=score, category="opacity")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, StudyStatus.NEW),
        ({"analysed": True}, StudyStatus.ANALYSED),
        ({"analysed": True, "begun": True}, StudyStatus.IN_REVIEW),
        ({"begun": True, "signed": True}, StudyStatus.SIGNED),
        ({"signed": True, "failure": "It is gone."}, StudyStatus.FAILED),
    ],
)
def test_the_status_is_how_far_this_reader_has_come(
    changes: dict[str, object], status: StudyStatus
) -> None:
    assert row(1, **changes).status is status


def test_triage_is_by_best_open_score_then_the_unknown_then_what_has_nothing_open() -> None:
    rows = [
        row(1, signed=True),
        row(2, failure="It is gone."),
        row(3, analysed=True, open_candidates=0),
        row(4),
        with_candidates(5, 0.4),
        with_candidates(6, 0.9, 2),
        row(7, refusal="Not analysed: this model reads frontal chest radiographs."),
    ]
    assert [each.id for each in ordered(rows, Order.TRIAGE)] == [6, 5, 4, 3, 7, 2, 1]
    assert ordered(rows, Order.TRIAGE)[0].why == "opacity 0.90, 2 open candidates"


def test_a_study_that_is_read_blind_is_neither_sorted_nor_explained_by_the_detector() -> None:
    blind = [
        row(1, blind=True, analysed=True),
        row(2, blind=True),
        row(3, blind=True, analysed=True),
    ]
    for order in (Order.TRIAGE, Order.OPEN, Order.SCORE):
        assert [each.id for each in ordered(blind, order)] == [1, 2, 3]
    assert {each.why for each in blind} == {"AI hidden until your first read", "not analysed yet"}


def test_each_order_can_be_turned_and_keeps_equal_rows_as_they_were() -> None:
    rows = [row(1, study_date="20250101"), row(2, study_date="20260101"), row(3)]
    rows[2] = rows[2]._replace(study_date="20250101")
    assert [each.id for each in ordered(rows, Order.DATE)] == [2, 1, 3]  # the newest first
    assert [each.id for each in ordered(rows, Order.DATE, backwards=True)] == [1, 3, 2]


@pytest.mark.parametrize(
    ("choice", "ids"),
    [
        (Filter(), [1, 2, 3]),
        (Filter(text="THORAX doe"), [2]),
        (Filter(text="p-3"), [3]),
        (Filter(text="dr b"), [1]),
        (Filter(status=StudyStatus.SIGNED), [3]),
        (Filter(modality="PT"), [2]),
        (Filter(date_from="2026"), [1, 3]),
        (Filter(date_from="202601", text="doe", modality="DX"), [1, 3]),
    ],
)
def test_filters(choice: Filter, ids: list[int]) -> None:
    rows = [
        row(1, readers="Dr B"),
        row(2, description="Thorax", modality="CT/PT", study_date=""),
        row(3, signed=True),
    ]
    assert [each.id for each in choice.passing(rows)] == ids


def test_the_next_unread_is_behind_the_current_one_then_from_the_top() -> None:
    rows = [row(1), row(2, signed=True), row(3), row(4, failure="It is gone."), row(5)]
    assert [each.id for each in next_unread(rows, 3)] == [5, 1]
    assert [each.id for each in next_unread(rows, None)] == [1, 3, 5]
    assert [each.id for each in next_unread(rows, 99)] == [1, 3, 5]


# --- from the database ---------------------------------------------------------------------------


def listed(store: Store, image: Image) -> int:
    (study_id,) = store.worklist.add([image])
    return study_id


def test_each_reader_sees_the_own_state_and_only_the_names_of_others(
    store: Store, make_image: MakeImage, make_detections: MakeDetections
) -> None:
    image = make_image()
    listed(store, image)
    first = ReviewSession(store, image.study.uid, "Dr A", store.patient_key(image.study))
    first.remember_image(image, PIXELS)
    key = ImageKey(image.uid, 1, PIXELS)
    first.add_run(key, make_detections((BOX, 0.9), (Box(90, 9, 130, 60), 0.7)), threshold=0.5)
    first.accept(first.findings()[0].id)
    (mine,) = store.worklist.rows("Dr A", Mode.CONCURRENT, MODEL)
    assert (mine.status, mine.open_candidates, mine.score) == (StudyStatus.IN_REVIEW, 1, 0.7)
    assert (mine.readers, bool(mine.done)) == ("", True)
    (other,) = store.worklist.rows("Dr B", Mode.CONCURRENT, "another model")
    assert (other.status, other.open_candidates, other.score) == (StudyStatus.ANALYSED, 2, 0.9)
    assert (other.readers, bool(other.done)) == ("Dr A", False)


def test_nothing_of_the_detector_is_in_the_row_until_a_first_read_is_signed(
    store: Store, make_image: MakeImage, make_detections: MakeDetections
) -> None:
    image = make_image()
    listed(store, image)
    patient = store.patient_key(image.study)
    session = ReviewSession(store, image.study.uid, "Dr A", patient, mode=Mode.BLIND)
    session.remember_image(image, PIXELS)
    session.add_run(ImageKey(image.uid, 1, PIXELS), make_detections((BOX, 0.9)), threshold=0.5)
    (hidden,) = store.worklist.rows("Dr A", Mode.BLIND, MODEL)
    assert hidden.blind
    assert (hidden.open_candidates, hidden.score, hidden.category) == (None, None, None)
    session.add(ImageKey(image.uid, 1, PIXELS), BOX, "nodule")
    # The study stays blind, whatever the reader chooses for others.
    (begun,) = store.worklist.rows("Dr A", Mode.CONCURRENT, MODEL)
    assert begun.blind
    assert (begun.status, begun.score) == (StudyStatus.IN_REVIEW, None)
    session.sign_first_read()
    (seen,) = store.worklist.rows("Dr A", Mode.BLIND, MODEL)
    assert not seen.blind
    assert (seen.open_candidates, seen.score) == (1, 0.9)


def test_removing_hides_a_row_until_it_is_added_again(store: Store, make_image: MakeImage) -> None:
    study_id = listed(store, make_image())
    store.worklist.hide([study_id])
    assert store.worklist.rows("Dr A") == []
    assert listed(store, make_image()) == study_id
    assert [each.id for each in store.worklist.rows("Dr A")] == [study_id]


def test_a_failure_stands_until_the_study_is_read_again(
    store: Store, make_image: MakeImage
) -> None:
    study_id = listed(store, make_image())
    store.worklist.note_failure(study_id, "It is gone.")
    assert store.worklist.rows("Dr A")[0].status is StudyStatus.FAILED
    listed(store, make_image())
    assert store.worklist.rows("Dr A")[0].status is StudyStatus.NEW


def test_what_a_model_does_not_read_counts_as_gone_over_until_the_study_grows(
    store: Store, make_image: MakeImage, tmp_path: Path
) -> None:
    study_id = listed(store, make_image())
    store.worklist.note_checked(study_id, MODEL, "Not analysed: not modality CT.")
    (done,) = store.worklist.rows("Dr A", Mode.CONCURRENT, MODEL)
    assert (bool(done.done), done.status, done.why) == (
        True,
        StudyStatus.NEW,
        "Not analysed: not modality CT.",
    )
    path = tmp_path / "more.dcm"
    path.touch()
    listed(store, replace(make_image("1.2.3.5"), path=path))
    assert not store.worklist.rows("Dr A", Mode.CONCURRENT, MODEL)[0].done


def test_one_study_of_two_patients_is_two_rows_each_with_its_files(
    store: Store, make_image: MakeImage
) -> None:
    images = [make_image(f"9.{patient}", patient=patient) for patient in ("P1", "P2")]
    ids = store.worklist.add(images)
    assert len(set(ids)) == 2
    for study_id, image in zip(ids, images, strict=True):
        source = store.worklist.source(study_id)
        assert source.patient_key == store.patient_key(image.study)
        assert store.worklist.id_of(image.study) == study_id
    assert store.worklist.id_of(StudyHeader("none", images[0].study.patient)) is None


def test_the_list_is_read_by_the_keys_that_the_tables_have(store: Store) -> None:
    from viewer.review.study_list import rows_of

    sql = str(
        rows_of("Dr A", Mode.CONCURRENT, MODEL).compile(
            store._engine, compile_kwargs={"literal_binds": True}
        )
    )
    database = store._engine.raw_connection()
    try:
        cursor = database.cursor()
        assert isinstance(cursor, sqlite3.Cursor)
        plan = " ".join(str(step) for step in cursor.execute(f"EXPLAIN QUERY PLAN {sql}"))
    finally:
        database.close()
    assert "SEARCH logs USING" in plan
    assert "TEMP B-TREE" not in plan
