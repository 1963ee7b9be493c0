"""Killed at any moment, the store has lost nothing that it acknowledged."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from viewer.review import verify
from viewer.review.finding import Event
from viewer.review.fold import fold
from viewer.review.place import Place, Server
from viewer.review.store import Store

ROOT = Path(__file__).parents[2]
STUDY = "1.2.3"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")


class Readers:
    """Scripted readers, one after the other, each killed while it decides."""

    def __init__(self, place: Place) -> None:
        script = Path(__file__).with_name("scripted_reader.py")
        text = place.url if isinstance(place, Server) else str(place)
        self._process = subprocess.Popen(
            [sys.executable, str(script), text],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def __enter__(self) -> Readers:
        self._process.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._process.__exit__(*error)  # closes its input, at which it ends

    def read_until_killed(self, seed: int, seconds: float) -> list[str]:
        """The ids that a reader acknowledged before it was killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{seed}\n")
        self._process.stdin.flush()
        word, pid = self._process.stdout.readline().split()
        assert word == "reader"
        # At least one decision, then any moment of any later one.
        acknowledged = [self._process.stdout.readline().strip()]
        time.sleep(seconds)
        os.kill(int(pid), signal.SIGKILL)
        for line in self._process.stdout:
            if line.startswith("died"):
                assert line.split()[1] == str(int(signal.SIGKILL))
                return acknowledged
            acknowledged.append(line.strip())
        raise AssertionError("the scripted readers ended by themselves")


def assert_whole_steps(events: Sequence[Event]) -> None:
    """What was decided, undone or redone as one is there as a whole or not at all."""
    steps = {event.step for event in events if event.step}
    for step in steps:
        decisions = [event for event in events if event.step == step and event.undoes is None]
        answers = [event for event in events if event.step == step and event.undoes is not None]
        assert len(decisions) > 1
        assert len(answers) % len(decisions) == 0


def kill_and_reopen(place: Place, kills: int) -> tuple[int, int]:
    """Acknowledged events over all kills, and how many the store kept beyond them."""
    chance = random.Random(2026)
    told: list[str] = []
    beyond = 0
    with Readers(place) as readers:
        for seed in range(kills):
            told += readers.read_until_killed(seed, chance.uniform(0.0, 0.25))
            with Store.open(place) as store:
                record = store.load(STUDY)
            kept = [event.id for event in record.events]
            extra = kept[len(told) :]
            assert kept[: len(told)] == told
            steps = {event.step or event.id for event in record.events[len(told) :]}
            assert len(steps) <= 1, "more was written than one step at a time"
            assert_whole_steps(record.events)
            fold(record)
            told += extra  # committed but not told: it stays
            beyond += len(extra)
    assert verify.verify(place, lambda *_: None).events.count == len(told)
    return len(told) - beyond, beyond


def test_fifteen_kills_lose_nothing(place: Place) -> None:
    acknowledged, _ = kill_and_reopen(place, 15)
    assert acknowledged > 15


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_five_hundred_kills_lose_nothing(tmp_path: Path) -> None:
    kills = int(os.environ.get("LIGHTBOX_KILLS", "500"))
    acknowledged = beyond = 0
    for start in range(0, kills, 20):  # a study of thousands of decisions is not what is asked
        more, extra = kill_and_reopen(tmp_path / f"{start}.sqlite", min(20, kills - start))
        acknowledged, beyond = acknowledged + more, beyond + extra
    print(f"{kills} kills, {acknowledged} acknowledged, {beyond} committed but not told, 0 lost")
