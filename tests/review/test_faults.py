"""A disk that is full, a place that is read-only or gone: each decision is kept, or refused aloud.

The faults are real: the system refuses SQLite's writes. After each of them the database is sound
and holds exactly the decisions that were acknowledged, in their order.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import pytest

from detector.types import Box, Detection, Detections
from tests.review.scripted_reader import IMAGE, KEY, STUDY
from viewer.review import verify
from viewer.review.session import ReviewSession
from viewer.review.store import Store

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the faults are those of POSIX")


class FaultyDesk:
    """See ``faulty_desk.py``."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.acknowledged: list[str] = []
        script = Path(__file__).with_name("faulty_desk.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script), str(database)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self._answers()

    def __enter__(self) -> FaultyDesk:
        self._process.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.__exit__(kind, error, trace)

    def tell(self, *words: object) -> list[str]:
        """The sentences with which it refused."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()
        return self._answers()

    def decide(self, times: int = 3) -> list[str]:
        """The same; what is acknowledged is remembered. Nothing is without an answer."""
        before = len(self.acknowledged)
        told = self.tell("decide", times)
        assert len(self.acknowledged) - before + len(told) == times
        return told

    def _answers(self) -> list[str]:
        assert self._process.stdout is not None
        told = []
        for line in self._process.stdout:
            word, _, rest = line.strip().partition(" ")
            if word == "done":
                return told
            if word == "kept":
                self.acknowledged.append(rest)
            else:
                told.append(rest)
        raise AssertionError("the desk has died")

    def works_again(self) -> None:
        """And its database is sound and holds what was acknowledged, no more and no less."""
        assert self.decide(2) == []
        assert self.tell("open") == []
        assert verify.verify(self.database, lambda *_: None).events.count == len(self.acknowledged)
        with Store.open(self.database) as store:
            kept = [event.id for event in store.load(STUDY).events]
        assert kept == self.acknowledged


def one_study(folder: Path) -> Path:
    database = folder / "labels.sqlite"
    with Store.open(database) as store:
        session = ReviewSession(store, STUDY, "desk")
        session.remember_image(IMAGE, KEY.pixel_sha256)
        found = tuple(Detection(Box(n, n, n + 50, n + 60), 0.5, "opacity") for n in range(6))
        session.add_run(KEY, Detections(found, "m", "1", "w", "cpu", 0.01, 0.1))
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        for path in (folder, database):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
    return database


@pytest.fixture
def folder() -> Iterator[Path]:
    """That another user can reach, too."""
    made = Path(tempfile.mkdtemp(prefix="lightbox-faults-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def desk(folder: Path) -> Iterator[FaultyDesk]:
    with FaultyDesk(one_study(folder)) as opened:
        opened.works_again()
        yield opened


# Within the header of the journal, its first pages, later ones; then within the database itself.
_JOURNAL_SIZES = (0, 1, 511, 512, 513, 1000, 2048, 4096, 4700, 5000, 8192, 9000, 13000, 17000)
_DATABASE_SIZES = (-40960, -8192, -4096, -4095, -1, 0, 1, 4095)


def test_a_disk_that_is_full_at_any_byte(desk: FaultyDesk) -> None:
    """22 faults: a file that may not grow any further, be it the journal or the database."""
    refused = 0
    for size in _JOURNAL_SIZES:
        desk.tell("limit", size)
        told = desk.decide()
        assert all(sentence.endswith(".") for sentence in told)
        refused += bool(told)
        desk.tell("limit", -1)
        desk.works_again()
    for beyond in _DATABASE_SIZES:
        desk.tell("limit", desk.database.stat().st_size + beyond)
        for _ in range(15):  # until the database has to grow
            told = desk.decide()
            if told:
                break
        refused += bool(told)
        desk.tell("limit", -1)
        desk.works_again()
    assert refused >= 18


def test_a_real_full_disk(folder: Path) -> None:
    """10 faults: a file system of 1 MiB, on which something else leaves so many bytes."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=1777", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        ballast = folder / "ballast"
        refused = 0
        with FaultyDesk(one_study(folder)) as desk:
            for left in (0, 1, 2, 3, 4, 5, 6, 8, 10, 12):
                free = shutil.disk_usage(folder).free
                ballast.write_bytes(b"x" * (free - left * 4096))
                told = []
                for _ in range(30):
                    told = desk.decide()
                    if told:
                        break
                assert all("full" in sentence or "I/O" in sentence for sentence in told), told
                refused += bool(told)
                ballast.unlink()
                desk.works_again()
        assert refused >= 8
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_place_that_is_read_only(desk: FaultyDesk) -> None:
    """9 faults: a folder, a file, or both that may not be written."""
    folder = desk.database.parent
    for folder_mode, file_mode in (
        (0o555, 0o600), (0o555, 0o400), (0o555, 0o444), (0o755, 0o400), (0o500, 0o600),
        (0o755, 0o444), (0o555, 0o600), (0o500, 0o400), (0o755, 0o400),
    ):  # fmt: skip
        folder.chmod(folder_mode)
        desk.database.chmod(file_mode)
        told = desk.decide()
        if folder_mode != 0o755:  # else what is open may still be written, and is
            assert len(told) == 3
        assert len(desk.tell("open")) == 1
        folder.chmod(0o755)
        desk.database.chmod(0o600)
        desk.works_again()


def test_a_folder_that_is_gone(desk: FaultyDesk) -> None:
    """10 faults: taken away and brought back, or a copy in its place, which is another one."""
    folder = desk.database.parent
    away = folder.with_name(f"{folder.name}-away")
    for number in range(10):
        copied = number % 2 == 1
        if copied:
            shutil.copytree(folder, away)
            folder.rename(f"{away}-original")
            away.rename(folder)
        else:
            folder.rename(away)
        told = desk.decide()
        assert len(told) == 3
        assert all("removed or replaced" in sentence for sentence in told), told
        assert folder.exists() is copied  # nothing is made in the place of what is gone
        if copied:
            shutil.rmtree(folder)
            Path(f"{away}-original").rename(folder)
        else:
            away.rename(folder)
        desk.works_again()


def test_a_folder_that_was_deleted(desk: FaultyDesk) -> None:
    """2 faults: nothing comes back, and nothing is made."""
    folder = desk.database.parent
    desk.database.unlink()
    assert len(desk.decide()) == 3
    folder.rmdir()
    assert len(desk.decide()) == 3
    assert not folder.exists()
