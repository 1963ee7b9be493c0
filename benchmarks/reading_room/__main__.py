"""Measures one part of the reading room, or all of it, and prints a table.

python -m benchmarks.reading_room [picture] [decoding] [series] [starting]
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Sequence

from benchmarks.reading_room.figures import HEADER, Line

PARTS = ("picture", "decoding", "series", "starting")


def main(parts: Sequence[str]) -> int:
    """Each part in a process of its own, so that none finds the memory of another."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        print(f"there is no part {unknown[0]}; the parts are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    if len(parts) == 1:
        for line in _lines(parts[0]):
            print(line.line(), flush=True)
        return 0
    print(HEADER, flush=True)
    codes = [
        subprocess.run([sys.executable, "-m", __spec__.parent, part], check=False).returncode
        for part in parts or PARTS
    ]
    return max(codes)


def _lines(part: str) -> Sequence[Line]:
    module = importlib.import_module(f"{__spec__.parent}.{part}")
    return module.measure()  # type: ignore[no-any-return]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
