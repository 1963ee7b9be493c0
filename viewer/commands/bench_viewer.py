"""`bench viewer` and `bench store`: how fast they are on this computer, beside their peers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from viewer.errors import InputError

_ROOT = Path(__file__).resolve().parents[2]


def bench_viewer(labelme: Path | None) -> int:
    """Print the table of speeds; the window is measured without a screen.

    Raises
    ------
    InputError
        This is an installed program, which has no benchmarks, or ``labelme`` is not there.
    """
    environment = dict(os.environ)
    if labelme is not None:
        if not labelme.is_file():
            raise InputError(f"There is no program {labelme}.")
        environment["LIGHTBOX_BENCH_LABELME"] = str(labelme.absolute())
    return _run("benchmarks.reading_room", environment)


def bench_store() -> int:
    """The same of the label database, over 100,000 findings.

    Raises
    ------
    InputError
        This is an installed program, which has no benchmarks.
    """
    return _run("benchmarks.review", dict(os.environ))


def _run(package: str, environment: Mapping[str, str]) -> int:
    """In processes of their own: a command knows no Qt."""
    if not _ROOT.joinpath(*package.split(".")).is_dir():
        raise InputError("The benchmarks are part of the source alone.")
    command = [sys.executable, "-m", package]
    return subprocess.run(command, cwd=_ROOT, env=environment, check=False).returncode
