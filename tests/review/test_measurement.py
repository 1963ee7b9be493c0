"""Measurements in the log: kept, changed, erased, undone, and never a word about the findings."""

from __future__ import annotations

import math
import sqlite3
from pathlib import Path

import pytest

from tests.review.conftest import PIXELS, STUDY, MakeImage
from viewer.dicom.model import ImageKey
from viewer.errors import ViewerError
from viewer.review.finding import Verb
from viewer.review.measurement import Measurement, Shape
from viewer.review.schema import SCHEMA_VERSION
from viewer.review.session import ReviewSession
from viewer.review.store import Store

LINE = ((10.0, 20.0), (110.5, 20.25))


def verbs(store: Store) -> list[Verb]:
    return [event.verb for event in store.load(STUDY).events]


def test_a_measurement_is_there_again_when_the_database_is_opened_again(
    tmp_path: Path, make_image: MakeImage, key: ImageKey
) -> None:
    path = tmp_path / "labels.sqlite"
    with Store.open(path) as store:
        session = ReviewSession(store, STUDY, "first")
        session.remember_image(make_image(), PIXELS)
        made = [
            session.measure(key, Shape.LENGTH, LINE),
            session.measure(key, Shape.ANGLE, ((1, 2), (3.125, 4), (5, 6))),
            session.measure(key, Shape.ELLIPSE, ((1, 2), (30, 40))),
            session.measure(key, Shape.POINT, ((7.5, 8.5),)),
        ]
        session.adjust(made[1].id, ((1, 2), (3, 4), (50, 6)))
    with Store.open(path) as store:
        again = ReviewSession(store, STUDY, "first")
        assert again.state.measurements == session.state.measurements
        assert again.measurement(made[0].id) == Measurement(made[0].id, key, Shape.LENGTH, LINE)
        assert again.measurement(made[1].id).points == ((1, 2), (3, 4), (50, 6))
        assert [event.reader for event in store.load(STUDY).events] == ["first"] * 5


def test_each_step_is_taken_back_and_brought_back(
    session: ReviewSession, store: Store, key: ImageKey
) -> None:
    states = [session.state.measurements]
    made = session.measure(key, Shape.LENGTH, LINE)
    states.append(session.state.measurements)
    session.adjust(made.id, ((0, 0), (5, 5)))
    states.append(session.state.measurements)
    session.erase(made.id)
    assert session.state.measurements == ()
    for state in reversed(states):
        session.undo()
        assert session.state.measurements == state
    assert not session.can_undo
    for state in (*states[1:], ()):
        session.redo()
        assert session.state.measurements == state
    assert verbs(store) == [
        Verb.MEASURE,
        Verb.ADJUST,
        Verb.ERASE,
        *[Verb.UNDO] * 3,
        *[Verb.REDO] * 3,
    ]


def test_undo_takes_back_findings_and_measurements_in_the_order_in_which_they_were_made(
    session: ReviewSession, key: ImageKey
) -> None:
    before = session.findings()
    session.measure(key, Shape.LENGTH, LINE)
    session.accept(before[0].id)
    session.undo()
    assert session.findings() == before
    assert len(session.state.measurements) == 1
    session.undo()
    assert session.state.measurements == ()


def test_measuring_leaves_the_signature_and_the_findings_as_they_are(
    session: ReviewSession, key: ImageKey
) -> None:
    session.sign()
    findings = session.findings()
    made = session.measure(key, Shape.LENGTH, LINE)
    assert session.signed
    assert session.state.signed_images == {key}
    assert session.findings() == findings
    session.sign()  # nothing new to sign
    session.undo()
    assert session.state.measurements == ()
    assert session.signed
    session.redo()
    session.reopen()
    assert not session.signed
    assert session.state.measurements == (made,)


def test_other_pixels_get_no_measurement(
    session: ReviewSession, make_image: MakeImage, key: ImageKey
) -> None:
    session.measure(key, Shape.LENGTH, LINE)
    session.remember_image(make_image(), "b" * 64)
    assert session.state.measurements == ()
    assert session.foreign_pixels(key.uid, 1)
    session.remember_image(make_image(), PIXELS)
    assert len(session.state.measurements) == 1


def test_points_are_moved_into_the_frame_and_what_changes_nothing_is_no_event(
    session: ReviewSession, store: Store, key: ImageKey
) -> None:
    made = session.measure(key, Shape.LENGTH, ((-5, 20), (400, 300)))
    assert made.points == ((0, 20), (300, 200))
    session.adjust(made.id, ((-9, 20), (300, 999)))
    assert verbs(store) == [Verb.MEASURE]


def test_what_is_no_measurement_is_refused(session: ReviewSession, key: ImageKey) -> None:
    with pytest.raises(ValueError, match="needs 3 points"):
        session.measure(key, Shape.ANGLE, LINE)
    with pytest.raises(ValueError, match="finite"):
        Measurement("x", key, Shape.POINT, ((math.nan, 1),))
    with pytest.raises(ViewerError, match="not there any more"):
        session.erase("gone")
    with pytest.raises(ViewerError, match="image of the open study"):
        session.measure(ImageKey("other", 1, PIXELS), Shape.LENGTH, LINE)
    assert session.state.measurements == ()


def test_a_database_of_version_2_is_brought_up_and_an_older_reader_stays_away(
    tmp_path: Path, make_image: MakeImage, key: ImageKey
) -> None:
    path = tmp_path / "labels.sqlite"
    with Store.open(path) as store:
        store.remember_image(make_image(), PIXELS)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = '2' WHERE key = 'schema_version'")
    connection.close()
    with Store.open(path) as store:
        ReviewSession(store, STUDY, "r").measure(key, Shape.LENGTH, LINE)
    with sqlite3.connect(path) as connection:
        version = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'")
        assert version.fetchone() == (str(SCHEMA_VERSION),)
    connection.close()
