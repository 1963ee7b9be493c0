"""A desk in a process of its own, which decides when it is told to, whatever its disk does.

``python faulty_desk.py DATABASE`` reads one command a line and answers with lines that end in
``done``: ``decide N`` tries N decisions, each of which is answered by ``kept ID`` or ``told
SENTENCE``; ``limit BYTES`` lets no file grow beyond that (-1: as it likes); ``open`` opens the
database once more. Started by root it goes on as ``nobody``, whom a folder's mode can refuse.
"""

from __future__ import annotations

import os
import pwd
import random
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.review.scripted_reader import KEY, STUDY, box
from viewer.errors import StoreError
from viewer.review import opening
from viewer.review.finding import Event
from viewer.review.session import ReviewSession
from viewer.review.store import Store


class Desk:
    def __init__(self, database: Path) -> None:
        self._database = database
        self._chance = random.Random(7)
        self._store = Store.open(database)
        self._session = ReviewSession(self._store, STUDY, "desk")
        self._kept: list[str] = []
        append = self._store.append

        def keep(events: Sequence[Event], after: int | None = None) -> tuple[Event, ...]:
            kept = append(events, after)
            self._kept.extend(event.id for event in kept)
            return kept

        self._store.append = keep  # type: ignore[method-assign]

    def decide(self, times: int) -> None:
        for _ in range(times):
            finding = self._chance.choice(self._session.findings())
            try:
                if self._chance.random() < 0.1:
                    self._session.add(KEY, box(self._chance), "opacity" * 40)
                else:
                    self._session.correct(finding.id, box=box(self._chance))
            except StoreError as error:
                print("told", error, flush=True)
            while self._kept:
                print("kept", self._kept.pop(), flush=True)

    def open(self) -> None:
        try:
            Store.open(self._database).close()
        except StoreError as error:
            print("told", error, flush=True)

    def limit(self, size: int) -> None:
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))


def main(database: Path) -> None:
    # What is imported late is imported now: nobody may not read the folder of the interpreter.
    with opening.existing(database):
        pass
    if os.geteuid() == 0:
        os.setgid(pwd.getpwnam("nobody").pw_gid)
        os.setuid(pwd.getpwnam("nobody").pw_uid)
    desk = Desk(database)
    print("done", flush=True)
    for line in sys.stdin:
        command, *rest = line.split()
        getattr(desk, command)(*map(int, rest))
        print("done", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
