"""A label database with a department's worklist in it, filled fast."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from viewer.review import schema
from viewer.review.database import writing
from viewer.review.rows import time_to_text
from viewer.review.store import Store

MODEL = "ab" * 32
READERS = ("Dr A", "Dr B", "Dr C")


def fill_worklist(store: Store, studies: int, findings: int, seed: int = 1) -> None:
    """Put rows straight into the tables that the list is read from.

    Every second study was begun by the first reader, every third by another one; ``findings``
    candidates are spread over all of them.
    """
    chance = random.Random(seed)
    now = time_to_text(datetime.now(UTC))
    rows, logs = [], []
    for number in range(1, studies + 1):
        marks = findings // studies + chance.choice([-1, 0, 1])
        score = chance.random()
        rows.append(
            {
                "study_uid": f"1.2.826.0.1.3680043.8.498.{number:024d}",
                "patient_key": f"{number:032x}",
                "patient_name": f"{chance.choice(['Doe', 'Roe', 'Moe'])}^Jane^{number}",
                "patient_id": f"P-{chance.randrange(10**7):07d}",
                "study_date": f"20{chance.randrange(20, 27)}0{chance.randrange(1, 10)}15",
                "description": chance.choice(["Chest PA", "Thorax", "Chest PA and lateral"]),
                "modality": chance.choice(["DX", "CR"]),
                "images": 2,
                "hidden": False,
                "analysed_images": 2,
                "weights_sha256": MODEL,
                "candidates": marks,
                "highest_score": score,
                "highest_category": "opacity",
                "added_at": now,
                "files": {f"/archive/{number:06d}/{image}.dcm": 1 for image in (1, 2)},
            }
        )
        for step, reader in ((2, READERS[0]), (3, chance.choice(READERS[1:]))):
            if number % step == 0:
                decided = chance.randrange(1, marks + 1)
                logs.append(
                    {
                        "study_id": number,
                        "role": "reader",
                        "reader": reader,
                        "mode": "concurrent",
                        "revision": decided,
                        "signed_at": now if decided == marks else None,
                        "decided": decided,
                        "open_candidates": marks - decided,
                        "highest_open": score / 2 if decided < marks else None,
                        "open_category": "opacity" if decided < marks else None,
                        "last_decision_at": now,
                    }
                )
    with writing(store._engine) as connection:
        connection.execute(sa.insert(schema.studies), rows)
        connection.execute(sa.insert(schema.logs), logs)


def filled_store(path: Path, studies: int, findings: int) -> Store:
    """A new database at ``path`` with such a worklist."""
    store = Store.open(path)
    fill_worklist(store, studies, findings)
    return store
