"""`bench viewer`: how fast the reading room is on this computer, beside its peers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from viewer.errors import InputError

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGE = "benchmarks.reading_room"


def bench_viewer(labelme: Path | None) -> int:
    """Print the table of speeds; the window is measured without a screen.

    In processes of their own: a command knows no Qt.

    Raises
    ------
    InputError
        This is an installed program, which has no benchmarks, or ``labelme`` is not there.
    """
    if not _ROOT.joinpath(*_PACKAGE.split(".")).is_dir():
        raise InputError("The benchmarks of the viewer are part of its source alone.")
    environment = dict(os.environ)
    if labelme is not None:
        if not labelme.is_file():
            raise InputError(f"There is no program {labelme}.")
        environment["LIGHTBOX_BENCH_LABELME"] = str(labelme.absolute())
    command = [sys.executable, "-m", _PACKAGE]
    return subprocess.run(command, cwd=_ROOT, env=environment, check=False).returncode
