"""What an export of Lightbox knows of its pictures beside the files of its format.

``lightbox.json`` has the form of its COCO export; docs/EXCHANGE.md describes it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from detector.types import DatasetError

SIDE_FILE = "lightbox.json"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one picture.

    Attributes
    ----------
    partial : it was not reviewed completely: there may be more than its boxes say.
    """

    patient: str
    partial: bool


def is_export(folder: Path) -> bool:
    return (folder / SIDE_FILE).is_file()


def known_pictures(folder: Path) -> dict[Path, Known]:
    """What is known of each picture; nothing where the folder is no export of Lightbox.

    Raises
    ------
    DatasetError
        The file is damaged.
    """
    if not is_export(folder):
        return {}
    try:
        document = json.loads((folder / SIDE_FILE).read_text(encoding="utf-8"))
        return {
            folder / image["file_name"]: Known(image["patient_key"], image["review"] == "partial")
            for image in document["images"]
        }
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as e:
        raise DatasetError(f"{SIDE_FILE} cannot be read: {e!r}") from e
