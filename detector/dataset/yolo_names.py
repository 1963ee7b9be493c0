"""The class names in the YAML file of a YOLO data set, without a YAML parser.

A list or table in brackets, one "- name" a line, or one "number: name" a line; plain, in single or
in double quotes. Everything else in the file is passed over.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from detector.types import DatasetError

_NAMES_FILES = ("data.yaml", "dataset.yaml", "data.yml", "dataset.yml")
_QUOTED = r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*\""""
_NAME = rf"""(?P<name>{_QUOTED}|[^\s'"\[\]{{}},#][^'"\[\]{{}},#]*)"""
_LINE = re.compile(rf"(?:-\s+|(?P<number>\d+)\s*:\s+){_NAME}")
_ITEM = re.compile(rf"\s*(?:(?P<number>\d+)\s*:\s+)?{_NAME}\s*(?:,|$)")
_COMMENT = re.compile(rf"({_QUOTED})|(?:^|\s)#.*")


def find_names(folder: Path) -> Path | None:
    """The YAML file that names the classes."""
    return next((folder / n for n in _NAMES_FILES if (folder / n).is_file()), None)


def read_names(path: Path) -> dict[int, str]:
    """Class number to name.

    Raises
    ------
    DatasetError
        The names cannot be read.
    """
    try:
        lines = [_without_comment(s) for s in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as e:
        raise DatasetError(f"{path.name} cannot be read: {e}") from e
    start = next((i for i, s in enumerate(lines) if s.startswith("names:")), None)
    if start is None:
        raise DatasetError(f"{path.name} has no names.")
    rest = lines[start].removeprefix("names:").strip()
    below = _indented(lines[start + 1 :])
    entries = _in_brackets(" ".join([rest, *below])) if rest else map(_LINE.fullmatch, below)
    names: dict[int, str] = {}
    for entry in entries:
        if entry is None:
            raise DatasetError(f"{path.name} names its classes in a way that cannot be read.")
        number = len(names) if entry["number"] is None else int(entry["number"])
        if number in names:
            raise DatasetError(f"{path.name} names class {number} twice.")
        names[number] = _plain(path, entry["name"])
    if not names:
        raise DatasetError(f"{path.name} has no names.")
    return names


def _indented(lines: list[str]) -> list[str]:
    """The lines up to the next key of the file; list entries need no indent in YAML."""
    result: list[str] = []
    for line in lines:
        if line and not line.startswith((" ", "\t", "- ", "]", "}")):
            break
        if line.strip():
            result.append(line.strip())
    return result


def _in_brackets(text: str) -> list[re.Match[str] | None]:
    """The items of ``[a, 'b']`` or ``{0: a, 1: b}``; a None where one cannot be read."""
    if text[0] + text[-1] not in ("[]", "{}"):
        return [None]
    inner = text[1:-1].rstrip().removesuffix(",")
    items: list[re.Match[str] | None] = []
    place = 0
    while place < len(inner):
        item = _ITEM.match(inner, place)
        items.append(item)
        if item is None:
            break
        place = item.end()
    return items


def _plain(path: Path, text: str) -> str:
    """A name without its quotes; in double ones YAML has the escapes of JSON, and some more."""
    text = text.strip()
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    if not text.startswith('"'):
        return text
    try:
        return str(json.loads(text, strict=False))
    except ValueError as e:
        raise DatasetError(f"{path.name} has an escape that cannot be read in {text}.") from e


def _without_comment(line: str) -> str:
    return _COMMENT.sub(lambda match: match[1] or "", line).rstrip()
