"""Measures one part of the review, or all of it, and prints a table.

python -m benchmarks.review [logs] [commits] [worklist]
"""

from __future__ import annotations

import os
import sys

from benchmarks import parts

if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    sys.exit(parts.main(__spec__.parent, ("logs", "commits", "worklist"), sys.argv[1:]))
