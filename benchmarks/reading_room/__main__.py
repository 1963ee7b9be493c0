"""Measures one part of the reading room, or all of it, and prints a table.

python -m benchmarks.reading_room [picture] [decoding] [series] [starting]
"""

from __future__ import annotations

import os
import sys

from benchmarks import parts

if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    chosen = sys.argv[1:]
    sys.exit(parts.main(__spec__.parent, ("picture", "decoding", "series", "starting"), chosen))
