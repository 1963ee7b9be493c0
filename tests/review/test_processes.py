"""Several processes that edit the same findings of one log at once: no update is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from detector.types import Box, Detection, Detections
from tests.review.counting_desk import STUDIES
from tests.review.postgres_server import PostgresServer
from tests.review.scripted_reader import IMAGE, KEY
from viewer.dicom.model import ImageKey
from viewer.review import verify
from viewer.review.place import Place, Server
from viewer.review.session import ReviewSession
from viewer.review.store import Store

ROOT = Path(__file__).parents[2]
DESKS = 4


def count_up(place: Place, edits: int) -> int:
    """Have the desks make so many edits each; how many conflicts they were told of.

    Every edit reads a number and writes the next one. Where one is lost, a number is too small.
    """
    with Store.open(place) as store:
        for study in STUDIES:
            image = replace(IMAGE, uid=f"{study}.9", study=replace(IMAGE.study, uid=study))
            key = ImageKey(image.uid, 1, KEY.pixel_sha256)
            session = ReviewSession(store, study, "desk")
            session.remember_image(image, key.pixel_sha256)
            found = tuple(Detection(Box(n, n, n + 50, n + 60), 0.5, "opacity") for n in range(3))
            session.add_run(key, Detections(found, "m", "1", "w", "cpu", 0.01, 0.1))
    script = str(Path(__file__).with_name("counting_desk.py"))
    text = place.url if isinstance(place, Server) else str(place)
    desks = [
        subprocess.Popen(
            [sys.executable, script, text, str(edits), str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for seed in range(DESKS)
    ]
    for desk in desks:
        assert desk.stdout is not None
        assert desk.stdout.readline() == "ready\n"
    for desk in desks:
        assert desk.stdin is not None
        desk.stdin.write("\n")
        desk.stdin.flush()
    told = [json.loads(desk.communicate()[0]) for desk in desks]
    assert [desk.returncode for desk in desks] == [0] * DESKS
    counted: Counter[str] = Counter()
    for each in told:
        counted.update(each["counted"])
    with Store.open(place) as store:
        findings = [
            finding
            for study in STUDIES
            for finding in ReviewSession(store, study, "desk").findings()
        ]
    assert counted.total() == DESKS * edits
    assert {each.id: int(each.note or 0) for each in findings} == {
        each.id: counted[each.id] for each in findings
    }
    checked = verify.verify(place, lambda *_: None)  # the places of every log, too
    assert checked.events.count == DESKS * edits
    return sum(each["conflicts"] for each in told)


def test_four_desks_lose_no_update(place: Place) -> None:
    assert count_up(place, 12) > 0, "they have never met"


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_four_desks_and_500_edits_each_on_sqlite(tmp_path: Path) -> None:
    conflicts = count_up(tmp_path / "labels.sqlite", 500)
    print(f"SQLite: {DESKS} x 500 edits, {conflicts} conflicts told, 0 lost")


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_four_desks_and_500_edits_each_on_postgresql() -> None:
    server = PostgresServer(fsync=True)
    try:
        conflicts = count_up(server.new_database(), 500)
    finally:
        server.stop()
    print(f"PostgreSQL: {DESKS} x 500 edits, {conflicts} conflicts told, 0 lost")
