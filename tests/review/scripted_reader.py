"""A reader in a process of its own, deciding without end until it is killed.

``python scripted_reader.py PLACE`` forks one reader for each seed that it reads from its input,
so that the imports are paid once. A reader prints its process id and then the id of each event
after the session's method has returned: from then on the event is acknowledged. When it has died,
its signal is printed.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from detector.types import Box, Detection, Detections
from viewer.dicom.model import Image, ImageKey, Patient, SeriesHeader, StudyHeader
from viewer.errors import ViewerError
from viewer.review.finding import Event, Mode, Reason, Status
from viewer.review.measurement import Shape
from viewer.review.place import Place, place_from_text
from viewer.review.session import ReviewSession
from viewer.review.store import Store

STUDY = "1.2.3"
KEY = ImageKey("1.2.3.4", 1, "a" * 64)
IMAGE = Image(
    path=Path("image.dcm"),
    member="",
    uid=KEY.uid,
    frame_number=1,
    number_of_frames=1,
    rows=300,
    columns=300,
    samples_per_pixel=1,
    photometric_interpretation="MONOCHROME2",
    study=StudyHeader(STUDY, Patient(id="P")),
    series=SeriesHeader("1.2.3.1"),
)


def box(chance: random.Random) -> Box:
    x, y = chance.uniform(0, 200), chance.uniform(0, 200)
    return Box(x, y, x + chance.uniform(5, 90), y + chance.uniform(5, 90))


def points(chance: random.Random) -> tuple[tuple[float, float], tuple[float, float]]:
    return (chance.uniform(0, 300), 1.0), (chance.uniform(0, 300), 299.0)


def negative(session: ReviewSession) -> None:
    """Signed as negative, or where a finding stands, as it is."""
    try:
        session.negative()
    except ViewerError:
        session.sign()


def act(session: ReviewSession, chance: random.Random) -> None:
    findings = session.findings()
    some = chance.choice(findings).id if findings else ""
    measured = session.state.measurements
    one = chance.choice(measured).id if measured else ""
    every = [finding.id for finding in findings]
    actions = {
        "accept": lambda: session.accept(some),
        "reject": lambda: session.reject(some, reason=chance.choice((None, *Reason))),
        "accept all": lambda: session.accept(*every),
        "reject all": lambda: session.reject(*every),
        "doubt": lambda: session.doubt(some),
        "note": lambda: session.note(some, chance.choice(("", "as in the prior study"))),
        "note study": lambda: session.note_study(chance.choice(("", "rotated"))),
        "negative": lambda: negative(session),
        "correct": lambda: session.correct(some, box=box(chance)),
        "add": lambda: session.add(KEY, box(chance), "opacity"),
        "undo": session.undo,
        "redo": session.redo,
        "sign": lambda: session.sign(chance.choice(("", "one more finding"))),
        "reopen": session.reopen,
        "measure": lambda: session.measure(KEY, Shape.LENGTH, points(chance)),
        "adjust": lambda: session.adjust(one, points(chance)),
        "erase": lambda: session.erase(one),
    }
    names = ["add", "undo", "redo", "sign", "reopen", "negative", "note study"]
    names += ["accept", "reject", "correct", "doubt", "note"] * 2 + ["accept all", "reject all"]
    names += ["adjust", "erase"] if measured else ["measure"]
    # The study stays small, so that the child spends its time writing.
    if sum(each.status is Status.ADDED for each in findings) > 20:
        names.remove("add")
    actions[chance.choice(names if findings else ["add", "undo", "sign", "measure"])]()


def review(place: Place, seed: int) -> None:
    chance = random.Random(seed)
    store = Store.open(place)
    session = ReviewSession(store, STUDY, "script", mode=Mode.BLIND)
    session.remember_image(IMAGE, KEY.pixel_sha256)
    if session.analysed(KEY.uid, 1) is None:
        found = tuple(Detection(box(chance), chance.random(), "opacity") for _ in range(6))
        session.add_run(KEY, Detections(found, "m", "1", "w", "cpu", 0.01, 0.1))
    print("reader", os.getpid(), flush=True)
    committed: list[str] = []
    append = store.append

    def keep(events: Sequence[Event], after: int | None = None) -> tuple[Event, ...]:
        """Remembers what was committed; it is told only after the session's method has returned."""
        kept = append(events, after)
        committed.extend(event.id for event in kept)
        return kept

    store.append = keep  # type: ignore[method-assign]
    session.sign_first_read()
    while True:
        act(session, chance)
        while committed:
            print(committed.pop(0), flush=True)


def main(place: Place) -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            review(place, int(line))
        _, status = os.waitpid(child, 0)
        print("died", os.WTERMSIG(status), flush=True)


if __name__ == "__main__":
    main(place_from_text(sys.argv[1]))
