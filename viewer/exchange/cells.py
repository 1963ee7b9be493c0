"""Cells of tables: what a spreadsheet would take for a formula is made harmless."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet compute a cell, also in its wide forms, which some take alike."""


def harmless(text: str) -> str:
    """The text with an apostrophe before it where it would be computed; ``plain`` takes it off."""
    return f"'{text}" if text.lstrip("'").startswith(_STARTS) else text


def plain(cell: str) -> str:
    """What ``harmless`` was given."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_STARTS) else cell


def table(rows: Iterable[Sequence[str | float]], header: str = "") -> bytes:
    """A CSV file in UTF-8; ``header`` is its first line as it stands. Numbers stay numbers."""
    text = io.StringIO()
    if header:
        text.write(f"{header}\n")
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow([harmless(cell) if isinstance(cell, str) else repr(cell) for cell in row])
    return text.getvalue().encode("utf-8")
