"""The table of speeds: what it says, and that its quickest part runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.reading_room.figures import Absent, Figure, medians
from viewer import cli

ROOT = Path(__file__).parent.parent


def test_a_line_says_whether_the_figure_is_met() -> None:
    assert Figure("a ratio", 0.6, "peer", 0.6).met
    assert not Figure("a ratio", 0.61, "peer", 0.6).met
    assert Figure("frames", 61, "a second", 60, at_least=True).met
    assert not Figure("frames", 59, "a second", 60, at_least=True).met
    line = Figure("start", 0.75, "labelme", 0.6, "3 ms to 4 ms").line().split()
    assert line == "start 0.75 <= 0.6 NO labelme 3 ms to 4 ms".split()
    assert "no labelme" in Absent("start", "no labelme on PATH").line()


def test_runs_take_turns() -> None:
    order: list[str] = []
    found = medians((lambda: order.append("a"), lambda: order.append("b")), 3)
    assert order == ["a", "b"] * 3
    assert len(found) == 2
    assert min(found) >= 0


def test_the_picture_part_prints_its_lines() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.reading_room", "picture"],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert [line.split("  ")[0] for line in lines] == [
        "picture of 3000 x 3000, 16 bits, other window",
        "the same with the whole repaint",
    ]
    assert " yes " in lines[0]  # a tenth of pydicom's time, on any computer


def test_a_labelme_that_is_not_there_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "labelme"
    arguments = ["--home", str(tmp_path), "bench", "viewer", "--labelme", str(missing)]
    assert cli.main(arguments) == 1
    assert "There is no program" in capsys.readouterr().err


def test_a_part_that_is_none_is_said() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.reading_room", "tea"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "no part tea" in result.stderr
