"""Opening the log of one study among 100,000 findings, beside the bare SQL that it takes."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.reading_room.figures import Absent, Figure, Line, medians, ms
from benchmarks.review import department, server
from tests.review.postgres_server import connect_to
from viewer.review import opening, transfer, verify
from viewer.review.place import Place, Server
from viewer.review.session import ReviewSession
from viewer.review.store import Store

_TIMES = 200
_SERIES = 500  # images of a CT
_VERIFIED_A_SECOND = 1000  # a hundred thousand decisions: as long as one waits for a command

# What opening a study has to read, and nothing more.
_BARE = (
    "SELECT * FROM images WHERE study_uid = {0} ORDER BY uid, frame_number, seen",
    "SELECT r.* FROM runs r JOIN images i ON r.image_uid = i.uid AND r.frame_number = "
    "i.frame_number AND r.pixel_sha256 = i.pixel_sha256 WHERE i.study_uid = {0} ORDER BY sequence",
    "SELECT c.*, r.image_uid, r.frame_number, r.pixel_sha256 FROM candidates c JOIN runs r ON "
    "c.run_id = r.id JOIN images i ON r.image_uid = i.uid AND r.frame_number = i.frame_number AND "
    "r.pixel_sha256 = i.pixel_sha256 WHERE i.study_uid = {0} ORDER BY r.sequence, c.position",
    "SELECT * FROM events WHERE study_uid = {0} ORDER BY sequence",
)


def measure() -> Iterator[Line]:
    with TemporaryDirectory() as folder:
        path = Path(folder, "labels.sqlite")
        with Store.open(path) as store:
            department.fill(store)
        with closing(sqlite3.connect(path)) as bare:
            yield from _opened("SQLite", path, "?", lambda sql, uid: bare.execute(sql, (uid,)))
        yield _series(path)
        yield from _starting(path)
        with server.started() as place:
            if isinstance(place, Server):
                with opening.of_this_version(path) as engine:
                    transfer.file_to_server(engine, place)
                with connect_to(place) as bare:
                    yield from _opened(
                        "PostgreSQL", place, "%s", lambda sql, uid: bare.execute(sql, (uid,))
                    )
            else:
                yield Absent("a study's log, opened, PostgreSQL", place)


def _opened(
    words: str, place: Place, mark: str, execute: Callable[[str, str], Any]
) -> Iterator[Line]:
    """In turns, of another study each time: neither finds what it has just read."""
    chance = random.Random(2)
    bare_queries = [sql.format(mark) for sql in _BARE]

    def uid() -> str:
        return department.study_uid(chance.randrange(department.FINDINGS // department.EACH))

    with Store.open(place) as store:

        def ours() -> None:
            session = ReviewSession(store, uid(), department.READER)
            assert len(session.findings()) == department.EACH

        def peer() -> None:
            study = uid()
            rows = [execute(sql, study).fetchall() for sql in bare_queries]
            assert len(rows[3]) == department.EACH + 1

        mine, theirs = medians((ours, peer), _TIMES)
    limit = 20 if words == "SQLite" else 40
    yield Figure(f"a study's log, opened and folded, {words}", mine * 1000, "ms", limit)
    # The rows become values, their JSON is read, and the log is folded.
    yield Figure(
        "the same beside its rows alone", mine / theirs, "bare SQL", 20, _both(mine, theirs)
    )


def _series(path: Path) -> Line:
    study = "1.2.826.0.1.3680043.8.498.9"
    with Store.open(path) as store:
        seen = [(department.image_of(study, n), f"{n:064x}") for n in range(1, _SERIES + 1)]
        store.remember_images(seen)
        (mine,) = medians((lambda: ReviewSession(store, study, department.READER),), 15)
    return Figure(f"a study of {_SERIES} images, opened", mine * 1000, "ms", 50)


def _starting(path: Path) -> Iterator[Line]:
    def timed(work: Callable[[], object]) -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    size = f"{path.stat().st_size / 1e6:.0f} MB"
    checked = timed(lambda: Store.open(path).close())
    yield Figure("the database, checked and opened", checked, "s", 3, size)
    found: list[verify.Verified] = []
    seconds = timed(lambda: found.append(verify.verify(path, lambda *_: None)))
    yield Figure(
        "verify",
        found[0].events.count / seconds,
        "events a second",
        _VERIFIED_A_SECOND,
        f"{found[0].events.count} events in {seconds:.1f} s",
        at_least=True,
    )


def _both(mine: float, theirs: float) -> str:
    return f"{ms(mine)} to {ms(theirs)}"
