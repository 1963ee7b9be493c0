"""The parts of a table: each is measured in a process of its own, none finds another's memory."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterable, Sequence

from benchmarks.reading_room.figures import HEADER, Line


def main(package: str, parts: Sequence[str], chosen: Sequence[str]) -> int:
    """Print the lines of the chosen parts, or of all of them.

    A part is a module of the package whose ``measure()`` gives its lines.
    """
    unknown = [part for part in chosen if part not in parts]
    if unknown:
        print(f"there is no part {unknown[0]}; the parts are {', '.join(parts)}", file=sys.stderr)
        return 2
    if len(chosen) == 1:
        for line in _lines(f"{package}.{chosen[0]}"):
            print(line.line(), flush=True)
        return 0
    print(HEADER, flush=True)
    codes = [
        subprocess.run([sys.executable, "-m", package, part], check=False).returncode
        for part in chosen or parts
    ]
    return max(codes)


def _lines(module: str) -> Iterable[Line]:
    return importlib.import_module(module).measure()  # type: ignore[no-any-return]
