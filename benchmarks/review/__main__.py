"""Measures one part of the review, or all of it, and prints a table.

python -m benchmarks.review [logs] [commits]
"""

from __future__ import annotations

import sys

from benchmarks import parts

if __name__ == "__main__":
    sys.exit(parts.main(__spec__.parent, ("logs", "commits"), sys.argv[1:]))
