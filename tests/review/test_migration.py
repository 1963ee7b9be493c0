"""Databases that earlier versions of the program wrote, by their own code, as SQL text."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.review import raw_sql
from viewer.errors import StoreError
from viewer.review import backup, migration, verify
from viewer.review.finding import Role, Status
from viewer.review.record import readers
from viewer.review.schema import SCHEMA_VERSION
from viewer.review.session import ReviewSession
from viewer.review.store import Store

VERSIONS = (1, 2, 3)


def old(version: int, folder: Path) -> Path:
    """A database of two studies, of two patients, each decided on by two readers."""
    path = folder / "labels.sqlite"
    text = Path(__file__).parent.joinpath("old_databases", f"version_{version}.sql").read_text()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(text)
    return path


@pytest.mark.parametrize("version", VERSIONS)
def test_all_that_was_decided_stays_and_gets_its_chain(tmp_path: Path, version: int) -> None:
    path = old(version, tmp_path)
    ids = raw_sql.run(path, "SELECT id FROM events ORDER BY sequence")
    with Store.open(path) as store:
        assert store.study_uids() == ("1.2.3", "1.2.4")
        for study in store.study_uids():
            record = store.load(study)
            assert readers(record) == ("Dr. Who", "Dr. Other")
            assert len({event.patient_key for event in record.events}) == 1
            assert {event.role for event in record.events} == {Role.READER}
            session = ReviewSession(store, study, "Dr. Who")
            statuses = [finding.status for finding in session.findings()]
            assert statuses == [Status.ACCEPTED, Status.REJECTED, Status.OPEN, Status.ADDED]
            assert session.signed
            assert len(session.state.measurements) == (1 if version == 3 else 0)
            session.accept(session.findings()[2].id)  # and it goes on
            session.sign()
    found = verify.verify(path, lambda done, total: None)
    assert found.events.count == len(ids) + 4
    assert (found.logs, found.runs, found.studies) == (4, 2, 2)
    assert raw_sql.run(path, "SELECT id FROM events ORDER BY sequence")[: len(ids)] == ids


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_there_is_kept_beside_it_first(tmp_path: Path, version: int) -> None:
    path = old(version, tmp_path)
    before = list(closing_dump(path))
    Store.open(path).close()
    (copy,) = backup.copies(path)
    assert copy.parent == tmp_path
    assert copy.name.startswith(f"labels-schema-{version}-")
    assert list(closing_dump(copy)) == before
    Store.open(path).close()  # and no second time
    assert backup.copies(path) == [copy]


def closing_dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def test_without_a_backup_nothing_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old(3, tmp_path)
    content = path.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_copy_pages", refuse)
    with pytest.raises(StoreError, match=r"cannot be copied to .* No space left"):
        Store.open(path)
    assert path.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == ["labels.sqlite"]


def test_what_fails_in_the_middle_leaves_the_old_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old(1, tmp_path)
    before = closing_dump(path)

    def refuse(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(migration, "_chain_runs", refuse)
    with pytest.raises(StoreError, match="disk I/O error"):
        Store.open(path)
    assert closing_dump(path) == before
    monkeypatch.undo()
    with Store.open(path) as store:
        assert ReviewSession(store, "1.2.3", "Dr. Who").signed


def test_of_two_windows_one_brings_it_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one has seen the old version, and finds the new one when it has the lock."""
    path = old(3, tmp_path)
    real = migration.bring_up_to_date

    def slower(engine: object) -> None:
        monkeypatch.setattr(migration, "bring_up_to_date", real)
        Store.open(path).close()
        real(engine)  # type: ignore[arg-type]

    monkeypatch.setattr(migration, "bring_up_to_date", slower)
    with Store.open(path) as store:
        assert ReviewSession(store, "1.2.3", "Dr. Who").signed
    assert verify.verify(path, lambda done, total: None).logs == 4
    version = raw_sql.run(path, "SELECT value FROM meta WHERE key = 'schema_version'")
    assert version == [(str(SCHEMA_VERSION),)]


def test_verify_leaves_an_old_database_alone(tmp_path: Path) -> None:
    path = old(2, tmp_path)
    content = path.read_bytes()
    with pytest.raises(StoreError, match="earlier Lightbox"):
        verify.verify(path, lambda done, total: None)
    assert path.read_bytes() == content
