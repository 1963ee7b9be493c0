from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.review import raw_sql
from tests.review.postgres_server import PostgresServer
from viewer.dicom.model import Image
from viewer.errors import Cancelled, DamagedError, StoreError
from viewer.review import backup, opening, transfer, verify
from viewer.review.late_store import LateStore
from viewer.review.place import Place
from viewer.review.record import StudyRecord
from viewer.review.session import ReviewSession
from viewer.review.store import Store

MakeImage = Callable[..., Image]

STUDY = "1.2.3"
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture
def database(session: ReviewSession, tmp_path: Path) -> Path:
    """With one decision, and nobody who has it open."""
    session.accept(session.findings()[0].id)
    session._store.close()
    return tmp_path / "labels.sqlite"


def record(path: Place) -> StudyRecord:
    with Store.open(path) as store:
        return store.load(STUDY)


def decide(path: Place) -> None:
    with Store.open(path) as store:
        session = ReviewSession(store, STUDY, "Dr. Who")
        session.threshold = 0.0
        session.reject(session.undecided()[-1].id)


class TestCopy:
    def test_it_is_the_database_again(self, database: Path, tmp_path: Path) -> None:
        out = tmp_path / "there" / "copy.sqlite"
        backup.copy_file(database, out)
        assert record(out) == record(database)
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
        assert [path.name for path in out.parent.iterdir()] == ["copy.sqlite"]

    def test_it_replaces_no_file(self, database: Path, tmp_path: Path) -> None:
        out = tmp_path / "copy.sqlite"
        out.write_bytes(b"something")
        with pytest.raises(StoreError, match="File exists"):
            backup.copy_file(database, out)
        assert out.read_bytes() == b"something"

    def test_of_something_damaged_there_is_none(self, database: Path, tmp_path: Path) -> None:
        content = bytearray(database.read_bytes())
        for page in range(4096, len(content) - 4096, 4096):
            content[page : page + 300] = os.urandom(300)
        database.write_bytes(content)
        out = tmp_path / "copy.sqlite"
        with pytest.raises(StoreError):
            backup.copy_file(database, out)
        assert not out.exists()

    def test_others_write_meanwhile_and_it_is_sound(
        self, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backup, "_PAGES_AT_ONCE", 2)
        decisions = 0
        with Store.open(database) as store:
            session = ReviewSession(store, STUDY, "Dr. Who")

            def decide_between() -> None:
                nonlocal decisions
                if decisions < 5:
                    finding = session.findings()[1]
                    (session.reject if decisions % 2 else session.accept)(finding.id)
                    decisions += 1

            backup.copy_file(database, tmp_path / "copy.sqlite", decide_between)
        assert decisions == 5
        assert record(tmp_path / "copy.sqlite") == record(database)
        assert verify.verify(tmp_path / "copy.sqlite", lambda *_: None).events.count == 6

    def test_it_can_be_stopped(self, database: Path, tmp_path: Path) -> None:
        def stop() -> None:
            raise Cancelled("Cancelled.")

        with pytest.raises(Cancelled):
            backup.copy_file(database, tmp_path / "copy.sqlite", stop)
        assert [path.name for path in tmp_path.iterdir()] == ["labels.sqlite"]


class TestDaily:
    def test_one_a_day_and_the_newest_are_kept(self, database: Path) -> None:
        folder = database.parent / "backups"
        made = [
            backup.daily(database, NOW + timedelta(days=day, hours=hour))
            for day in range(backup.KEPT + 3)
            for hour in (0, 5)
        ]
        kept = sorted(folder.iterdir())
        assert kept == [path for path in made if path is not None][-backup.KEPT :]
        assert made[1::2] == [None] * (backup.KEPT + 3)
        assert backup.copies(database)[0] == kept[-1]
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert all(record(path) == record(database) for path in kept[-2:])

    def test_what_is_no_daily_copy_stays(self, database: Path) -> None:
        folder = database.parent / "backups"
        folder.mkdir()
        others = ["labels-schema-3-20200101T000000Z.sqlite", "mine.sqlite", "labels-old.sqlite"]
        for name in others:
            (folder / name).write_bytes(b"x")
        for day in range(backup.KEPT + 2):
            backup.daily(database, NOW + timedelta(days=day))
        assert all((folder / name).read_bytes() == b"x" for name in others)

    def test_a_folder_that_cannot_be_made_is_told(self, database: Path) -> None:
        (database.parent / "backups").write_bytes(b"")
        with pytest.raises(StoreError, match="cannot be copied"):
            backup.daily(database, NOW)


class TestRefused:
    def damage(self, database: Path) -> bytes:
        content = bytearray(database.read_bytes())
        content[:16] = b"SQLite formal 3\0"
        database.write_bytes(content)
        return bytes(content)

    def test_what_is_damaged_names_its_newest_backup(self, database: Path) -> None:
        for day in range(3):
            newest = backup.daily(database, NOW + timedelta(days=day))
        content = self.damage(database)
        with pytest.raises(DamagedError, match=f"`backup --restore {newest}`") as told:
            Store.open(database)
        assert told.value.backup == newest
        assert "March 2026" in told.value.made
        assert database.read_bytes() == content

    @pytest.mark.parametrize("content", [b"", b"x" * 5000], ids=["empty", "something else"])
    def test_what_cannot_be_one_is_not_made_one(self, database: Path, content: bytes) -> None:
        database.write_bytes(content)
        with pytest.raises(DamagedError, match="There is no backup of it"):
            Store.open(database)
        assert database.read_bytes() == content

    def test_no_empty_one_comes_into_the_place_of_one_that_is_gone(self, database: Path) -> None:
        newest = backup.daily(database, NOW)
        database.unlink()
        with pytest.raises(DamagedError, match="is gone") as told:
            Store.open(database)
        assert told.value.backup == newest
        assert not database.exists()
        assert newest is not None
        opening.restore(database, newest)
        assert len(record(database).events) == 1


class TestPutInPlace:
    def test_what_was_there_is_kept_aside(self, database: Path) -> None:
        copy = backup.daily(database, NOW)
        assert copy is not None
        before = record(database)
        decide(database)
        after = record(database)
        aside = opening.restore(database, copy)
        assert record(database) == before
        assert aside is not None
        assert record(aside) == after

    def test_of_a_damaged_one_every_byte_is_kept(self, database: Path) -> None:
        copy = backup.daily(database, NOW)
        assert copy is not None
        before = record(database)
        content = TestRefused().damage(database)
        late = LateStore(database)
        with pytest.raises(DamagedError) as told:
            late.open()
        assert told.value.backup is not None
        sentence = late.restore(told.value.backup)
        (aside,) = database.parent.glob("labels.sqlite.until-*Z")
        assert str(aside) in sentence
        assert aside.read_bytes() == content
        assert record(database) == before

    def test_a_damaged_copy_is_refused(self, database: Path, tmp_path: Path) -> None:
        before = database.read_bytes()
        for content in (b"", b"x" * 4096):
            (tmp_path / "copy.sqlite").write_bytes(content)
            with pytest.raises(StoreError):
                opening.restore(database, tmp_path / "copy.sqlite")
        assert database.read_bytes() == before
        assert len(list(tmp_path.iterdir())) == 2

    def test_another_programs_database_is_refused(self, database: Path, tmp_path: Path) -> None:
        with closing(sqlite3.connect(tmp_path / "other.sqlite")) as connection:
            connection.execute("CREATE TABLE notes (text)")
        before = database.read_bytes()
        with pytest.raises(StoreError, match="not a Lightbox label database"):
            opening.restore(database, tmp_path / "other.sqlite")
        assert database.read_bytes() == before

    def test_a_window_that_had_it_open_writes_to_neither(self, database: Path) -> None:
        copy = backup.daily(database, NOW)
        assert copy is not None
        with Store.open(database) as store:
            session = ReviewSession(store, STUDY, "Dr. Who")
            aside = opening.restore(database, copy)
            with pytest.raises(StoreError, match="removed or replaced"):
                session.reject(session.findings()[1].id)
        assert aside is not None
        assert record(aside) == record(database)

    def test_one_that_is_being_written_stays(
        self, database: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("viewer.review.database.BUSY_SECONDS", 0.1)
        copy = backup.daily(database, NOW)
        assert copy is not None
        with closing(sqlite3.connect(database)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="locked"):
                opening.restore(database, copy)
        assert len(record(database).events) == 1
        assert not list(database.parent.glob("*.until-*"))


class TestServer:
    def test_it_goes_into_a_file_and_from_there_on_another_server(
        self, postgres: PostgresServer, database: Path, tmp_path: Path
    ) -> None:
        decide(database)
        place = postgres.new_database()
        with opening.of_this_version(database) as engine:
            transfer.file_to_server(engine, place)
        assert record(place) == record(database)
        decide(place)  # the next numbers are free
        out = tmp_path / "server.sqlite"
        with opening.of_this_version(place) as engine:
            transfer.server_to_file(engine, out)
        assert record(out) == record(place)
        ends = [verify.verify(each, lambda *_: None).events for each in (out, place)]
        assert ends[0] == ends[1]
        assert ends[0].count == 3
        for table in ("meta", "images", "runs", "candidates", "events", "studies", "logs"):
            query = f"SELECT * FROM {table} WHERE true ORDER BY 1, 2, 3"
            if table == "meta":
                query = "SELECT * FROM meta WHERE key <> 'opened_at' ORDER BY 1"
            here, there = raw_sql.run(out, query), raw_sql.run(place, query)
            assert len(here) == len(there) > 0, table

    def test_no_backup_is_put_over_labels(self, postgres: PostgresServer, database: Path) -> None:
        place = postgres.new_database()
        Store.open(place).close()
        with (
            opening.of_this_version(database) as engine,
            pytest.raises(StoreError, match="holds labels already"),
        ):
            transfer.file_to_server(engine, place)
        with Store.open(place) as store:
            assert store.study_uids() == ()


def test_the_secret_comes_along(database: Path, make_image: MakeImage, tmp_path: Path) -> None:
    """Else a patient would have another key in the exports that come after."""
    backup.copy_file(database, tmp_path / "copy.sqlite")
    keys = set()
    for path in (database, tmp_path / "copy.sqlite"):
        with Store.open(path) as store:
            keys.add(store.patient_key(make_image().study))
    assert len(keys) == 1
