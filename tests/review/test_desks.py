"""Several desks on one label database, on SQLite and on PostgreSQL: nothing is overwritten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from detector.types import Box, Detection, Detections, ImageFinding
from tests.review.postgres_server import PASSWORD, PostgresServer, database_name
from viewer.dicom.model import Image, ImageKey, Patient, PlaneGeometry
from viewer.errors import ConflictError, StoreError
from viewer.review import event_log
from viewer.review.finding import Event, Finding, Mode, Role, Run, Status, Verb
from viewer.review.measurement import Shape
from viewer.review.place import Place, Server
from viewer.review.session import ReviewSession
from viewer.review.store import Store

MakeImage = Callable[..., Image]
MakeDetections = Callable[..., Detections]
Fill = Callable[..., ReviewSession]

STUDY, PIXELS = "1.2.3", "a" * 64
NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


@pytest.fixture
def fill(make_image: MakeImage, make_detections: MakeDetections, key: ImageKey) -> Fill:
    """A session of one analysed image with candidates of scores 0.9, 0.6 and 0.2."""

    def fill(store: Store, reader: str = "Dr. Who") -> ReviewSession:
        session = ReviewSession(store, STUDY, reader)
        session.remember_image(make_image(), PIXELS)
        session.add_run(
            key,
            make_detections(
                (Box(10, 10, 60, 60), 0.9),
                (Box(100, 20, 150, 80), 0.6),
                (Box(5, 120, 50, 160), 0.2),
            ),
        )
        return session

    return fill


def test_everything_comes_back_as_it_was_written(
    place: Place, make_image: MakeImage, key: ImageKey
) -> None:
    geometry = PlaneGeometry((1.5, 2.0, 3.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    image = replace(make_image(), geometry=geometry)
    third = 1 / 3
    finding = Finding("f", key, Box(third, 2, 3, 4.5), "Trübung\n„x“", Status.ADDED, note="naïve ∑")
    event = Event(
        id="e1",
        study_uid=STUDY,
        verb=Verb.ADD,
        before=None,
        after=finding,
        reader="Dr. Who",
        at=NOW,
        threshold=third,
        ai_visible=False,
        covers=(key,),
        role=Role.ADJUDICATOR,
        mode=Mode.BLIND,
        visible=("a", "b"),
        thresholds={"opacity": third},
        step="s",
        comment="why",
    )
    run = Run(
        "r1",
        key,
        "m",
        "1",
        "w" * 64,
        "cpu",
        0.01,
        NOW,
        "fp32",
        (ImageFinding("Edema", third),),
        third,
    )
    with Store.open(place) as store:
        store.remember_image(image, key.pixel_sha256)
        candidates = store.record_run(run, [Detection(Box(third, 1, 5, 6.7), third, "opacity")])
        (kept,) = store.append([event], after=0)
        secret = store.patient_key(image.study)
    with Store.open(place) as store:
        record = store.load(STUDY)
        assert store.study_uids() == (STUDY,)
        assert store.patient_key(image.study) == secret
        assert store.images_with_pixels(PIXELS) == record.images
    assert record.events == (event,)
    assert (kept.revision, kept.patient_key) == (1, secret)
    assert record.runs == (run,)
    assert record.candidates == candidates
    assert record.images[0].image == replace(image, path=image.path.absolute())


def test_a_reader_can_do_all_that_can_be_done(place: Place, fill: Fill, key: ImageKey) -> None:
    with Store.open(place) as store:
        session = fill(store)
        first, second, third = session.findings()
        session.accept(first.id)
        session.reject(second.id)
        session.correct(third.id, box=Box(1, 2, 30, 40))
        session.undo()
        session.redo()
        session.add(key, Box(7, 7, 20, 20), "effusion")
        made = session.measure(key, Shape.LENGTH, ((1, 1), (5, 5)))
        session.adjust(made.id, ((1, 1), (9, 9)))
        session.sign()
        state = session.state
    with Store.open(place) as store:
        again = ReviewSession(store, STUDY, "Dr. Who")
        assert again.state == state
        assert again.signed


def test_two_desks_on_one_finding_learn_of_each_other(place: Place, fill: Fill) -> None:
    with Store.open(place) as here, Store.open(place) as there:
        mine = fill(here)
        yours = ReviewSession(there, STUDY, "Dr. Who")
        finding = mine.findings()[0]
        mine.accept(finding.id)
        with pytest.raises(ConflictError, match="at another desk"):
            yours.reject(finding.id)
        assert yours.finding(finding.id).status is Status.ACCEPTED
        assert [each.verb for each in here.load(STUDY).events] == [Verb.ACCEPT]
        yours.reject(finding.id)  # now that the reader has seen what is there
        mine.reload()
        assert mine.finding(finding.id).status is Status.REJECTED


def test_two_desks_on_different_findings_both_succeed(place: Place, fill: Fill) -> None:
    with Store.open(place) as here, Store.open(place) as there:
        mine = fill(here)
        yours = ReviewSession(there, STUDY, "Dr. Who")
        first, second, _ = mine.findings()
        mine.accept(first.id)
        yours.reject(second.id)
        assert yours.finding(first.id).status is Status.ACCEPTED
        assert [each.revision for each in here.load(STUDY).events] == [1, 2]


def test_undo_and_signature_are_of_what_was_on_the_screen(place: Place, fill: Fill) -> None:
    with Store.open(place) as here, Store.open(place) as there:
        mine = fill(here)
        first, second, _ = mine.findings()
        mine.accept(first.id)
        yours = ReviewSession(there, STUDY, "Dr. Who")
        mine.reject(second.id)
        with pytest.raises(ConflictError):
            yours.sign()
        mine.accept(second.id)
        with pytest.raises(ConflictError):
            yours.undo()
        verbs = [each.verb for each in here.load(STUDY).events]
        assert verbs == [Verb.ACCEPT, Verb.REJECT, Verb.ACCEPT]


def test_readers_do_not_get_in_each_others_way(place: Place, fill: Fill) -> None:
    with Store.open(place) as here, Store.open(place) as there:
        mine = fill(here)
        yours = ReviewSession(there, STUDY, "Dr. Other")
        finding = mine.findings()[0]
        mine.accept(finding.id)
        yours.reject(finding.id)
        assert [(each.reader, each.revision) for each in here.load(STUDY).events] == [
            ("Dr. Who", 1),
            ("Dr. Other", 1),
        ]


def test_a_place_in_a_log_is_given_once_whatever_a_writer_believes(
    place: Place, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unique index answers as the comparison does: with a conflict."""
    with Store.open(place) as store:
        session = fill(store)
        session.accept(session.findings()[0].id)
        kept = store.load(STUDY).events
        monkeypatch.setattr(event_log._Log, "last", lambda *_: 0)
        again = replace(kept[0], id="another")
        with pytest.raises(ConflictError, match="another desk"):
            store.append([again], after=0)
        assert store.load(STUDY).events == kept


def test_another_broken_rule_is_no_conflict(place: Place, fill: Fill) -> None:
    with Store.open(place) as store:
        session = fill(store)
        session.accept(session.findings()[0].id)
        event = store.load(STUDY).events[0]
        with pytest.raises(StoreError) as told:
            store.append([event], after=1)  # the same id a second time
        assert not isinstance(told.value, ConflictError)
        assert "\n" not in str(told.value)


def test_a_patient_id_that_changes_with_the_file_stops_nobody(
    place: Place, make_image: MakeImage, make_detections: MakeDetections, key: ImageKey
) -> None:
    """The earlier decisions stay, and the next ones are numbered in the log of the new key."""
    image = make_image()
    with Store.open(place) as store:
        session = ReviewSession(store, STUDY, "x", patient_key=store.patient_key(image.study))
        session.remember_image(image, PIXELS)
        session.add_run(key, make_detections((Box(10, 10, 60, 60), 0.9), (Box(80, 9, 99, 60), 0.8)))
        first, second = session.findings()
        session.accept(first.id)
        session.reject(first.id)
        patient = Patient("Doe^Jane", "P2", "Hospital")
        image = replace(image, study=replace(image.study, patient=patient))
        session = ReviewSession(store, STUDY, "x", patient_key=store.patient_key(image.study))
        session.remember_image(image, PIXELS)
        session.reload()
        assert session.finding(first.id).status is Status.REJECTED
        session.accept(second.id)
        session.undo()
        assert [each.revision for each in store.load(STUDY).events] == [1, 2, 1, 2]


class TestServer:
    def test_one_that_is_away_is_told_and_one_that_comes_back_is_used(
        self, postgres: PostgresServer, fill: Fill
    ) -> None:
        with Store.open(postgres.new_database()) as store:
            session = fill(store)
            before = session.state
            finding = session.findings()[0]
            postgres.halt("immediate")
            try:
                for _ in range(2):
                    with pytest.raises(StoreError, match="server cannot be reached") as told:
                        session.accept(finding.id)
                    assert "\n" not in str(told.value)
                assert session.state == before
            finally:
                postgres.start()
                postgres.wait()
            session.accept(finding.id)
            assert session.finding(finding.id).status is Status.ACCEPTED

    def test_what_it_refuses_is_said_without_the_password(self, postgres: PostgresServer) -> None:
        places = {
            "does not exist": postgres.place("nowhere"),
            "authentication failed": postgres.place("postgres", "wr0ng one"),
        }
        for words, place in places.items():
            with pytest.raises(StoreError, match=words) as told:
                Store.open(place)
            for text in (str(told.value), repr(place), str(place)):
                assert PASSWORD not in text
                assert "wr0ng" not in text

    def test_a_database_of_another_program_is_left_alone(self, postgres: PostgresServer) -> None:
        place = postgres.new_database()
        name = database_name(place)
        with postgres.connect(name) as connection:
            connection.execute("CREATE TABLE events (x int)")
        with pytest.raises(StoreError, match="database of their own"):
            Store.open(place)
        with postgres.connect(name) as connection:
            tables = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
        assert tables == [("events",)]

    def test_a_desk_that_hangs_holds_the_others_up_no_longer_than_it_may(
        self, postgres: PostgresServer, fill: Fill, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("viewer.review.database.BUSY_SECONDS", 0.3)
        place = postgres.new_database()
        with Store.open(place) as store:
            session = fill(store)
            with (
                postgres.connect(database_name(place)) as other,
                other.transaction(),
            ):
                other.execute("SELECT * FROM meta WHERE key = 'chain_of_events' FOR UPDATE")
                with pytest.raises(StoreError, match="lock timeout"):
                    session.accept(session.findings()[0].id)
            session.accept(session.findings()[0].id)

    def test_a_url_with_a_word_for_a_port_is_refused_without_repeating_it(self) -> None:
        from viewer.errors import InputError
        from viewer.review.place import place_from_text

        for text in (
            "postgresql+psycopg://u:pw@host:port/labels",
            "mysql://u:pw@host/labels",
            "postgresql://u:pw@host",
        ):
            with pytest.raises(InputError) as told:
                place_from_text(text)
            assert "pw" not in str(told.value)

    def test_a_url_names_host_and_database_alone(self) -> None:
        server = Server("postgresql+psycopg://u:p%40w@db.example:5433/labels?sslmode=require")
        assert str(server) == "labels on db.example:5433"
        assert server.without_password("at p@w or p%40w") == "at *** or ***"
