"""The table of the store's speeds: over a database that is sound, and its quickest part runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.review import department
from viewer.review import verify
from viewer.review.session import ReviewSession
from viewer.review.store import Store

ROOT = Path(__file__).parent.parent


def test_what_is_measured_is_what_the_store_would_have_written(tmp_path: Path) -> None:
    with Store.open(tmp_path / "labels.sqlite") as store:
        department.fill(store, 60)
        session = ReviewSession(store, department.study_uid(3), department.READER)
        assert session.signed
        assert len(session.findings()) == department.EACH
    found = verify.verify(tmp_path / "labels.sqlite", lambda *_: None)
    assert (found.studies, found.runs, found.events.count) == (6, 6, 6 * (department.EACH + 1))


def test_the_part_of_the_decisions_prints_its_lines() -> None:
    command = [sys.executable, "-m", "benchmarks.review", "commits"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=250
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("a decision, kept, SQLite ")
    assert lines[1].startswith("the same beside one row inserted ")
    assert "PostgreSQL" in lines[2]
