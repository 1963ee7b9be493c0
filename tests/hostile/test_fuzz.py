"""A short seeded run of the mutator; `make fuzz` does the long one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.hostile.fuzz import Fuzz, corpus_in
from viewer.engine.host import Worker

FILES = 60


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with closing(Worker("decode")) as worker:
        yield worker


def test_damaged_files_are_opened_or_named(data_folder: Path, worker: Worker) -> None:
    corpus = corpus_in(data_folder / "dicom")
    tally = Fuzz(corpus, 7, worker).run(FILES)
    assert tally.faults == []
    assert sum(tally.counts.values()) == FILES
    assert tally.counts["opened"] >= 5
    assert tally.counts["refused by the scan"] + tally.counts["refused by the decoder"] >= 5
    assert tally.counts["child process died"] == tally.counts["child process hung"] == 0


def test_a_seed_gives_the_same_damage(data_folder: Path, worker: Worker, tmp_path: Path) -> None:
    corpus = corpus_in(data_folder / "dicom")
    lots = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        dict(Fuzz(corpus, 3, worker)._write(folder, range(5)))
        lots.append({path.name: path.read_bytes() for path in sorted(folder.iterdir())})
    assert lots[0] == lots[1]
    assert len(lots[0]) == 5
