"""A desk in a process of its own that counts up in the notes of findings that others count in, too.

``python counting_desk.py PLACE EDITS SEED`` waits for a line, then makes so many edits, each of
which adds one to the number in the note of a finding. It prints how often it counted up in the note
of each finding, and how often it learned that another desk had been faster.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter

from viewer.errors import ConflictError
from viewer.review.place import place_from_text
from viewer.review.session import ReviewSession
from viewer.review.store import Store

STUDIES = ("1.2.1", "1.2.2", "1.2.3", "1.2.4")


def main(place: str, edits: int, seed: int) -> None:
    chance = random.Random(seed)
    counted: Counter[str] = Counter()
    conflicts = 0
    with Store.open(place_from_text(place)) as store:
        sessions = [ReviewSession(store, study, "desk") for study in STUDIES]
        print("ready", flush=True)
        sys.stdin.readline()
        while counted.total() < edits:
            session = chance.choice(sessions)
            finding = chance.choice(session.findings())
            try:
                session.note(finding.id, str(int(finding.note or 0) + 1))
            except ConflictError:
                conflicts += 1
            else:
                counted[finding.id] += 1
    print(json.dumps({"counted": counted, "conflicts": conflicts}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
