"""The rows of the worklist always are what counting anew would make of them."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from detector.types import Box
from tests.review.conftest import PIXELS, STUDY, MakeDetections, MakeImage
from viewer.dicom.model import ImageKey
from viewer.errors import ViewerError
from viewer.review import schema
from viewer.review.database import reading, writing
from viewer.review.finding import Mode, Role, Status
from viewer.review.record import of_patient
from viewer.review.session import ReviewSession
from viewer.review.store import Store
from viewer.review.study_rows import analysed_to_row, count_all, log_to_row
from viewer.review.summary import summaries

A, B, C = Box(10, 10, 60, 60), Box(100, 20, 150, 80), Box(5, 120, 50, 160)


def kept(store: Store) -> tuple[list[dict], list[dict]]:
    """The counted columns as they stand in the database, of the one patient's study."""
    with reading(store._engine) as connection:
        studies = [dict(row) for row in connection.execute(sa.select(schema.studies)).mappings()]
        logs = [dict(row) for row in connection.execute(sa.select(schema.logs)).mappings()]
    return studies, sorted(logs, key=lambda row: (row["role"], row["reader"]))


def check(store: Store, patient_key: str) -> None:
    """Compare every row with what the whole record of the study says."""
    studies, logs = kept(store)
    (study,) = studies
    counted, of_logs = summaries(of_patient(store.load(STUDY), patient_key))
    wanted = analysed_to_row(counted)
    assert {name: study[name] for name in wanted} == wanted
    rows = sorted((log_to_row(log) for log in of_logs), key=lambda r: (r["role"], r["reader"]))
    assert [{k: v for k, v in row.items() if k != "study_id"} for row in logs] == rows


def test_counts_are_of_candidates_at_or_above_the_runs_own_threshold(
    store: Store, make_image: MakeImage, make_detections: MakeDetections, key: ImageKey
) -> None:
    session = ReviewSession(store, STUDY, "Dr A")
    session.remember_image(make_image(), PIXELS)
    (study,), logs = kept(store)
    assert (study["candidates"], study["highest_score"], logs) == (None, None, [])
    session.add_run(key, make_detections((A, 0.9), (B, 0.5), (C, 0.2)), threshold=0.5)
    (study,), logs = kept(store)
    assert (study["analysed_images"], study["candidates"]) == (1, 2)
    assert (study["highest_score"], study["highest_category"]) == (0.9, "opacity")
    best, second, below = session.findings()
    session.accept(best.id)
    _, (log,) = kept(store)
    assert (log["decided"], log["open_candidates"], log["highest_open"]) == (1, 1, 0.5)
    session.reject(second.id)
    session.accept(below.id)
    _, (log,) = kept(store)
    assert (log["decided"], log["open_candidates"], log["highest_open"]) == (3, 0, None)
    session.sign()
    assert kept(store)[1][0]["signed_at"] is not None
    session.undo()
    assert kept(store)[1][0]["signed_at"] is None


def test_a_run_of_an_unknown_threshold_counts_all_its_candidates(
    store: Store, session: ReviewSession
) -> None:
    assert kept(store)[0][0]["candidates"] == 3


@pytest.mark.parametrize("seed", range(12))
def test_the_rows_follow_whatever_two_readers_and_two_models_do(
    store: Store, make_image: MakeImage, make_detections: MakeDetections, seed: int
) -> None:
    chance = random.Random(seed)
    image = make_image()
    patient = store.patient_key(image.study)
    store.remember_images([(image, PIXELS)])
    pixels = [PIXELS]

    def session() -> ReviewSession:
        chosen = chance.choice(list(Mode))
        role = chance.choice([Role.READER, Role.READER, Role.READER, Role.ADJUDICATOR])
        return ReviewSession(store, STUDY, chance.choice("AB"), patient, role, mode=chosen)

    def run() -> None:
        boxes = [Box(x, 10, x + 40, 60) for x in chance.sample(range(0, 250, 5), 4)]
        found = make_detections(*((box, chance.random()) for box in boxes))
        threshold = chance.choice([None, 0.3, 0.5])
        session().add_run(ImageKey(image.uid, 1, pixels[-1]), found, threshold=threshold)

    def judge() -> None:
        one = session()
        for finding in chance.sample(one.findings(), min(2, len(one.findings()))):
            if finding.status is Status.OPEN:
                chance.choice([one.accept, one.reject, one.doubt])(finding.id)
            elif chance.random() < 0.5:
                one.correct(finding.id, box=Box(0, 0, 30 + chance.random(), 30))

    def other_pixels() -> None:
        pixels.append(chance.choice(["b" * 64, "c" * 64, PIXELS]))
        session().remember_image(image, pixels[-1])

    deeds = [
        run,
        judge,
        judge,
        other_pixels,
        lambda: session().sign(),
        lambda: session().sign_first_read(),
        lambda: session().undo(),
        lambda: session().redo(),
        lambda: session().add(ImageKey(image.uid, 1, pixels[-1]), A, "opacity"),
    ]
    for _ in range(40):
        with suppress(ViewerError):  # such as a first read of a study that is not read blind
            chance.choice(deeds)()
        check(store, patient)


def test_two_patients_under_one_study_uid_have_a_row_each(
    store: Store, make_image: MakeImage, make_detections: MakeDetections
) -> None:
    for patient in ("P1", "P2"):
        image = make_image(f"9.{patient}", patient=patient)
        session = ReviewSession(store, STUDY, "A", store.patient_key(image.study))
        session.remember_image(image, PIXELS)
    key = ImageKey("9.P2", 1, PIXELS)
    session.add_run(key, make_detections((A, 0.7)))
    session.accept(session.findings()[0].id)
    studies, logs = kept(store)
    assert [(row["patient_id"], row["candidates"]) for row in studies] == [("P1", None), ("P2", 1)]
    assert [log["study_id"] for log in logs] == [studies[1]["id"]]


def test_an_older_database_gets_its_rows_counted(store: Store, session: ReviewSession) -> None:
    session.accept(session.findings()[0].id)
    before = kept(store)
    with writing(store._engine) as connection:
        connection.execute(sa.delete(schema.logs))
        connection.execute(sa.delete(schema.studies))
        count_all(connection)
    studies, logs = kept(store)
    for row, old in zip((*studies, *logs), (*before[0], *before[1]), strict=True):
        for name in ("added_at", "id", "study_id"):
            row.pop(name, None), old.pop(name, None)
        assert row == old


def test_a_moved_study_is_listed_at_its_new_place_alone(
    store: Store, make_image: MakeImage, tmp_path: Path
) -> None:
    from dataclasses import replace

    from viewer.review.study_rows import add, listed

    there, gone = tmp_path / "there.dcm", tmp_path / "gone.dcm"
    there.touch()
    image = make_image()
    with writing(store._engine) as connection:
        for path in (there, gone, tmp_path / "new.dcm"):
            add(connection, [listed([replace(image, path=path)], "k")])
    (study,), _ = kept(store)
    assert study["files"] == {str(there): 1, str(tmp_path / "new.dcm"): 1}
    assert study["images"] == 2
