"""CSV tables whose columns are known by name."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from detector.types import DatasetError


def read_table(path: Path, columns: Iterable[str]) -> list[dict[str, str]]:
    """The rows, every absent cell an empty string.

    Raises
    ------
    DatasetError
        Where the file cannot be read, or lacks one of `columns`.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [c for c in columns if c not in (reader.fieldnames or [])]
            if missing:
                raise DatasetError(f"{path.name} has no column {', '.join(missing)}.")
            return [{k: (v or "").strip() for k, v in row.items() if k} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise DatasetError(f"{path.name} cannot be read: {e}") from e


def numbers(row: Mapping[str, str], columns: Iterable[str]) -> tuple[float, ...]:
    """These cells as finite numbers; ValueError names the first one that is none."""
    result = []
    for column in columns:
        try:
            value = float(row[column])
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ValueError(f"{column} is {row[column]!r}, no number")
        result.append(value)
    return tuple(result)
