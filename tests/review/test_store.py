from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from detector.types import Box, Detection, ImageFinding
from tests.review.conftest import PIXELS, STUDY
from viewer.dicom.model import Image, ImageKey, Patient, PlaneGeometry, StudyHeader
from viewer.errors import StoreError, ViewerError
from viewer.review import database, schema, sqlite
from viewer.review.finding import Event, Finding, Run, Status, Verb
from viewer.review.session import ReviewSession
from viewer.review.store import Store

MakeImage = Callable[..., Image]

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


def event(key: ImageKey, event_id: str = "e1", **fields: object) -> Event:
    finding = Finding("f1", key, Box(0.1, 0.2, 10.3, 20.4), "opacity", Status.ADDED, note="naïve")
    values: dict[str, object] = {
        "id": event_id,
        "study_uid": "1.2.3",
        "verb": Verb.ADD,
        "before": None,
        "after": finding,
        "reader": "Dr. Who",
        "at": NOW,
        "threshold": 0.37,
        "ai_visible": False,
    }
    return Event(**(values | fields))  # type: ignore[arg-type]


def run_of(key: ImageKey, run_id: str = "r1") -> Run:
    return Run(run_id, key, "chest-xray", "1.0", "w" * 64, "cpu", 0.01, NOW)


def test_everything_comes_back_as_it_was_written(
    tmp_path: Path, make_image: MakeImage, key: ImageKey
) -> None:
    image = replace(
        make_image(), geometry=PlaneGeometry((1.5, 2.0, 3.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    )
    third = 1 / 3
    written = event(key), event(key, "e2", covers=(key,), undoes="e1", weights_sha256="w" * 64)
    with Store.open(tmp_path / "labels.sqlite") as store:
        store.remember_image(image, key.pixel_sha256)
        candidates = store.record_run(
            run_of(key), [Detection(Box(third, 1, 5, 6.7), third, "opacity")]
        )
        store.append(written)
    with Store.open(tmp_path / "labels.sqlite") as store:
        record = store.load("1.2.3")
    assert record.events == written
    assert record.runs == (run_of(key),)
    assert record.candidates == candidates
    assert record.candidates[0].score == third
    assert record.images[0].image == replace(image, path=image.path.absolute())
    assert record.images[0].key == key


def test_a_run_that_found_nothing_is_kept(
    store: Store, make_image: MakeImage, key: ImageKey
) -> None:
    store.remember_image(make_image(), key.pixel_sha256)
    assert store.record_run(run_of(key), []) == ()
    assert store.load("1.2.3").runs == (run_of(key),)


def test_events_keep_their_order_not_their_clock(
    store: Store, make_image: MakeImage, key: ImageKey
) -> None:
    store.remember_image(make_image(), key.pixel_sha256)
    early = NOW.replace(year=2020)
    store.append([event(key, "z"), event(key, "a", at=early)])
    store.append([event(key, "m", at=early.replace(year=2019))])
    assert [each.id for each in store.load("1.2.3").events] == ["z", "a", "m"]


def test_a_batch_is_kept_whole_or_not_at_all(
    store: Store, make_image: MakeImage, key: ImageKey
) -> None:
    store.remember_image(make_image(), key.pixel_sha256)
    with pytest.raises(StoreError):
        store.append([event(key, "e1"), event(key, "e2"), event(key, "e1")])
    assert store.load("1.2.3").events == ()


def test_an_event_about_an_unknown_image_is_refused(store: Store, key: ImageKey) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        store.append([event(key)])


def test_not_a_number_is_refused(store: Store, make_image: MakeImage, key: ImageKey) -> None:
    store.remember_image(make_image(), key.pixel_sha256)
    finding = Finding("f", key, Box(0, 0, 5, 5), "opacity", Status.OPEN, score=float("nan"))
    with pytest.raises(StoreError):
        store.append([event(key, after=finding)])


def test_the_pixels_seen_last_are_the_present_ones(
    store: Store, make_image: MakeImage, key: ImageKey
) -> None:
    image = make_image()
    store.remember_image(image, key.pixel_sha256)
    store.remember_image(image, "b" * 64)
    assert [record.pixel_sha256 for record in store.load("1.2.3").images] == ["b" * 64]
    assert store.images_with_pixels(key.pixel_sha256) == ()
    store.remember_image(image, key.pixel_sha256)
    found = store.image(image.uid, 1)
    assert found is not None
    assert found.pixel_sha256 == key.pixel_sha256
    assert [record.image.uid for record in store.images_with_pixels(key.pixel_sha256)] == [
        image.uid
    ]


def test_a_moved_file_is_found_at_its_new_place(
    store: Store, make_image: MakeImage, key: ImageKey
) -> None:
    store.remember_image(make_image(), key.pixel_sha256)
    store.remember_image(replace(make_image(), path=Path("/elsewhere/x.dcm")), key.pixel_sha256)
    found = store.image("1.2.3.4", 1)
    assert found is not None
    assert found.image.path == Path("/elsewhere/x.dcm")


def test_studies_are_listed_once(store: Store, make_image: MakeImage) -> None:
    for uid, study in (("1", "s1"), ("2", "s1"), ("3", "s2")):
        store.remember_image(make_image(uid, study=study), "c" * 64)
    assert store.study_uids() == ("s1", "s2")


class TestPatientKey:
    def header(self, study: str, patient: str, issuer: str = "") -> StudyHeader:
        return StudyHeader(study, Patient(id=patient, issuer=issuer))

    def test_one_patient_has_one_key_over_studies_and_sessions(self, tmp_path: Path) -> None:
        with Store.open(tmp_path / "labels.sqlite") as store:
            first = store.patient_key(self.header("1", "P1"))
        with Store.open(tmp_path / "labels.sqlite") as store:
            assert store.patient_key(self.header("2", " P1 ")) == first
        assert len(first) == 32
        int(first, 16)

    def test_others_have_others(self, store: Store, tmp_path: Path) -> None:
        headers = [
            self.header("1", "P1"),
            self.header("1", "P2"),
            self.header("1", "P1", "Hospital"),
            self.header("1", ""),
            self.header("2", ""),
        ]
        assert len({store.patient_key(header) for header in headers}) == len(headers)
        with Store.open(tmp_path / "other.sqlite") as other:
            assert other.patient_key(headers[0]) != store.patient_key(headers[0])


class TestOpening:
    def test_only_its_owner_may_read_it(self, store: Store, tmp_path: Path) -> None:
        assert stat.S_IMODE((tmp_path / "labels.sqlite").stat().st_mode) == 0o600

    def test_nothing_is_left_beside_it(self, store: Store, tmp_path: Path) -> None:
        assert [path.name for path in tmp_path.iterdir()] == ["labels.sqlite"]

    def test_it_runs_as_the_promise_needs(self, store: Store) -> None:
        with database.reading(store._engine) as connection:
            pragmas = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
        assert pragmas == {
            "journal_mode": "delete",
            "synchronous": 2,
            "foreign_keys": 1,
            "busy_timeout": database.BUSY_SECONDS * 1000,
        }

    @pytest.mark.parametrize("content", [b"", b"no database at all " * 500], ids=["empty", "text"])
    def test_something_else_is_refused_and_left_alone(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "labels.sqlite"
        path.write_bytes(content)
        with pytest.raises(StoreError):
            Store.open(path)
        assert path.read_bytes() == content

    def test_another_programs_database_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "labels.sqlite"
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE notes (text)")
        connection.close()
        content = path.read_bytes()
        with pytest.raises(StoreError, match="not a Lightbox label database"):
            Store.open(path)
        assert path.read_bytes() == content

    def test_a_damaged_database_is_refused_and_left_alone(
        self, tmp_path: Path, make_image: MakeImage, key: ImageKey
    ) -> None:
        path = tmp_path / "labels.sqlite"
        with Store.open(path) as store:
            store.remember_image(make_image(), key.pixel_sha256)
            store.append([event(key, f"e{number}") for number in range(200)])
        damaged = bytearray(path.read_bytes())
        for page in range(4096, len(damaged) - 4096, 4096):
            damaged[page : page + 200] = os.urandom(200)
        path.write_bytes(damaged)
        with pytest.raises(StoreError):
            Store.open(path)
        assert path.read_bytes() == damaged

    def test_a_truncated_database_is_refused(
        self, tmp_path: Path, make_image: MakeImage, key: ImageKey
    ) -> None:
        path = tmp_path / "labels.sqlite"
        with Store.open(path) as store:
            store.remember_image(make_image(), key.pixel_sha256)
            store.append([event(key, f"e{number}") for number in range(200)])
        content = path.read_bytes()[: path.stat().st_size // 2]
        path.write_bytes(content)
        with pytest.raises(StoreError):
            Store.open(path)
        assert path.read_bytes() == content

    def test_a_database_of_version_1_gets_the_new_columns_and_keeps_its_runs(
        self, tmp_path: Path, make_image: MakeImage, key: ImageKey
    ) -> None:
        path = tmp_path / "labels.sqlite"
        with Store.open(path) as store:
            store.remember_image(make_image(), key.pixel_sha256)
            store.record_run(run_of(key, "old"), [])
        with sqlite3.connect(path) as connection:
            for column in ("precision", "image_findings"):
                connection.execute(f"ALTER TABLE runs DROP COLUMN {column}")
            connection.execute("UPDATE meta SET value = '1' WHERE key = 'schema_version'")
        connection.close()
        likely = (ImageFinding("Cardiomegaly", 0.62), ImageFinding("Edema", 1 / 3))
        new = replace(run_of(key, "new"), precision="int8", image_findings=likely)
        with Store.open(path) as store:
            store.record_run(new, [])
        with Store.open(path) as store:  # and no second time
            assert store.load("1.2.3").runs == (run_of(key, "old"), new)

    def test_a_newer_schema_is_read_and_never_written(
        self, session: ReviewSession, tmp_path: Path, key: ImageKey
    ) -> None:
        """Its columns and fields that are not known here are passed over."""
        session.accept(session.findings()[0].id)
        state = session.state
        path = tmp_path / "labels.sqlite"
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
            for table in ("events", "runs", "images", "candidates"):
                connection.execute(f"ALTER TABLE {table} ADD COLUMN mood TEXT DEFAULT 'calm'")
            connection.execute("CREATE TABLE moods (id INTEGER)")
            for place in ("$.mood", "$.study.mood", "$.study.patient.mood", "$.series.mood"):
                connection.execute(f"UPDATE images SET header = json_set(header, '{place}', 1)")
            connection.execute("UPDATE images SET header = json_set(header, '$.spacing.mood', 1)")
            connection.execute("UPDATE events SET after = json_set(after, '$.mood', 'calm')")
        connection.close()
        content = path.read_bytes()
        with Store.open(path) as store:
            assert store.read_only.endswith("it can be read, but nothing can be decided.")
            again = ReviewSession(store, session.study_uid, session.reader)
            assert again.state == state
            for write in (
                lambda: again.reject(again.findings()[1].id),
                lambda: store.record_run(run_of(key), []),
                lambda: store.remember_image(again._image(key), "b" * 64),
            ):
                with pytest.raises(StoreError, match="newer Lightbox"):
                    write()
            assert again.state == state
        assert path.read_bytes() == content

    def test_a_journal_without_its_database_is_not_played_into_a_new_one(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "labels.sqlite-journal").write_bytes(b"x" * 1024)
        with pytest.raises(StoreError, match="journal"):
            Store.open(tmp_path / "labels.sqlite")
        assert not (tmp_path / "labels.sqlite").exists()

    def test_a_folder_that_cannot_be_made_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(StoreError, match="No label database can be made"):
            Store.open(tmp_path / "file" / "labels.sqlite")

    def test_a_read_only_folder_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> int:  # the superuser of a build machine may write anywhere
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(sqlite.os, "open", refuse)
        with pytest.raises(StoreError, match="Permission denied"):
            Store.open(tmp_path / "labels.sqlite")

    def test_a_database_that_cannot_be_written_is_told_at_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Store.open(tmp_path / "labels.sqlite").close()

        def read_only(connection: sqlite3.Connection) -> None:
            connection.isolation_level = None
            connection.execute("PRAGMA query_only = ON")

        monkeypatch.setattr(sqlite, "_set_up_connection", read_only)
        with pytest.raises(StoreError, match="cannot be written: attempt to write a readonly"):
            Store.open(tmp_path / "labels.sqlite")


@pytest.mark.parametrize("replaced", [False, True])
def test_a_database_that_was_removed_takes_no_decision(
    session: ReviewSession, tmp_path: Path, replaced: bool
) -> None:
    path = tmp_path / "labels.sqlite"
    content = path.read_bytes()
    path.unlink()
    if replaced:
        path.write_bytes(content)
    before = session.state
    with pytest.raises(StoreError, match="removed or replaced"):
        session.accept(session.findings()[0].id)
    assert session.state == before
    assert path.exists() == replaced


def test_a_link_that_leads_nowhere_gets_no_database(tmp_path: Path) -> None:
    (tmp_path / "labels.sqlite").symlink_to(tmp_path / "gone.sqlite")
    with pytest.raises(StoreError):
        Store.open(tmp_path / "labels.sqlite")
    assert not (tmp_path / "gone.sqlite").exists()


def fill_disk(store: Store) -> None:
    """SQLite's own bound on the file makes it report a full disk."""
    with database.reading(store._engine) as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_loses_nothing_that_was_acknowledged(
    session: ReviewSession, store: Store, key: ImageKey
) -> None:
    before = session.state
    fill_disk(store)
    told: list[None] = []
    session.subscribe(lambda: told.append(None))
    acknowledged = 0

    def add_until_refused() -> None:
        nonlocal acknowledged, before
        for number in range(1000):
            session.add(key, Box(number % 100, 0, number % 100 + 10, 10), "opacity" * 20)
            acknowledged += 1
            before = session.state

    with pytest.raises(StoreError, match="full"):
        add_until_refused()
    assert len(told) == acknowledged
    assert session.state == before
    assert len(store.load(session.study_uid).events) == acknowledged


def test_two_processes_share_one_database(
    session: ReviewSession, store: Store, tmp_path: Path
) -> None:
    session.accept(session.findings()[0].id)
    code = (
        "import sys; from pathlib import Path\n"
        "from viewer.review.session import ReviewSession\n"
        "from viewer.review.store import Store\n"
        "with Store.open(Path(sys.argv[1])) as store:\n"
        "    session = ReviewSession(store, '1.2.3', 'Dr. Who')\n"
        "    assert session.findings()[0].status == 'accepted'\n"
        "    session.reject(session.findings()[1].id)\n"
        "assert 'torch' not in sys.modules and 'PySide6' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "labels.sqlite")], check=True)
    session.reload()
    session.sign()
    assert [each.verb for each in store.load("1.2.3").events] == [
        Verb.ACCEPT,
        Verb.REJECT,
        Verb.SIGN,
    ]


def test_a_database_locked_by_another_process_is_told(
    session: ReviewSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    before = session.state
    with Store.open(tmp_path / "labels.sqlite") as impatient:
        second = ReviewSession(impatient, "1.2.3", "Dr. Who")
        other = sqlite3.connect(tmp_path / "labels.sqlite")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="locked"):
            second.accept(second.findings()[0].id)
        other.close()
        assert second.state == before
        second.accept(second.findings()[0].id)
        assert second.state != before


def test_no_statement_changes_or_deletes_what_was_decided() -> None:
    """The log is append-only in the code, not by habit."""
    folder = Path(schema.__file__).parent
    text = "\n".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    assert "delete(" not in text.lower()
    assert "delete from" not in text.lower()
    updated = {part.split(")")[0] for part in text.split("sa.update(")[1:]}
    # Images and meta; and events where a database of before the logs is brought up to date.
    assert updated == {"table", "schema.meta", "events"}


def test_no_signature_covers_what_was_analysed_but_never_shown(
    store: Store, make_image: MakeImage
) -> None:
    store.remember_images([(make_image("1"), PIXELS), (make_image("2"), PIXELS)], shown=False)
    session = ReviewSession(store, STUDY, "Dr. Who")
    with pytest.raises(ViewerError, match="no image of this study was shown"):
        session.sign()
    session.remember_image(make_image("1"), PIXELS)
    session.sign()
    assert [key.uid for key in session.state.signed_images] == ["1"]
    store.remember_images([(make_image("1"), PIXELS)], shown=False)  # analysed again
    assert [image.shown for image in store.load(STUDY).images] == [True, False]
