"""DICOMDIR: which files a media directory names (PS3.3 F, PS3.10 8.6)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from viewer.dicom.attributes import items, raw_value, text


def is_directory(dataset: Dataset) -> bool:
    return "DirectoryRecordSequence" in dataset


def find_referenced(dataset: Dataset, folder: Path) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Files under ``folder`` that the directory names, and the names of those that are missing.

    No path is built from the file's words: each component is looked for among what the folder
    holds, so that nothing outside it can be named. Case does not count, since media are often
    copied in lower case.
    """
    found: list[Path] = []
    missing: list[str] = []
    listings: dict[Path, dict[str, Path]] = {}
    for record in items(dataset, "DirectoryRecordSequence"):
        # A record out of use (0000H) names a file that is to be ignored (PS3.3 F.3.2.2).
        components = _components(raw_value(record, "ReferencedFileID"))
        if not components or text(record, "RecordInUseFlag") == "0":
            continue
        path = _follow(folder, components, listings)
        if path is None:
            missing.append("/".join(components))
        else:
            found.append(path)
    return tuple(dict.fromkeys(found)), tuple(dict.fromkeys(missing))


def _components(value: Any) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    parts = [value] if isinstance(value, str) else list(value)
    return tuple(str(part).strip() for part in parts)


def _follow(
    folder: Path, components: tuple[str, ...], listings: dict[Path, dict[str, Path]]
) -> Path | None:
    path = folder
    for component in components:
        if path not in listings:
            entries = path.iterdir() if path.is_dir() else ()
            listings[path] = {_plain_name(entry.name): entry for entry in entries}
        found = listings[path].get(component.upper())
        if found is None:
            return None
        path = found
    return path if path.is_file() else None


def _plain_name(name: str) -> str:
    """A name as ISO 9660 media have it: upper case, without the version ";1"."""
    return name.upper().removesuffix(";1").removesuffix(".")
