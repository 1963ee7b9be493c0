"""Whatever somebody changes in the database behind the program's back, `verify` says so."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from detector.types import Box, Detections
from tests.review import raw_sql
from tests.review.postgres_server import PostgresServer
from viewer.dicom.model import Image, ImageKey
from viewer.errors import StoreError
from viewer.review import chain, opening, schema, verify
from viewer.review.database import writing
from viewer.review.finding import Role
from viewer.review.measurement import Shape
from viewer.review.place import Place, Server
from viewer.review.session import ReviewSession
from viewer.review.store import Store

MakeImage = Callable[..., Image]
MakeDetections = Callable[..., Detections]

PIXELS = "a" * 64


@pytest.fixture(scope="module")
def originals() -> dict[str, Place]:
    """What ``kept`` is a copy of, on each kind of database."""
    return {}


@pytest.fixture
def kept(
    place: Place,
    originals: dict[str, Place],
    request: pytest.FixtureRequest,
    make_image: MakeImage,
    make_detections: MakeDetections,
) -> Place:
    """A database of two studies, two readers and a consensus; 18 events, 2 runs."""
    kind = type(place).__name__
    if kind not in originals:
        original = place if isinstance(place, Server) else place.with_name("original.sqlite")
        fill(original, make_image, make_detections)
        originals[kind] = original
    original = originals[kind]
    if isinstance(original, Server):
        server: PostgresServer = request.getfixturevalue("postgres")
        return server.new_database(like=original)
    assert isinstance(place, Path)
    shutil.copy(original, place)
    return place


def fill(place: Place, make_image: MakeImage, make_detections: MakeDetections) -> None:
    with Store.open(place) as store:
        for study in ("1.2.3", "1.2.4"):
            image = make_image(f"{study}.9", study=study)
            for reader, role in (("A", Role.READER), ("B", Role.READER), ("A", Role.ADJUDICATOR)):
                patient = store.patient_key(image.study)
                session = ReviewSession(store, study, reader, patient_key=patient, role=role)
                session.remember_image(image, PIXELS)
                key = ImageKey(image.uid, 1, PIXELS)
                if not session.state.findings:
                    boxes = (Box(10, 10, 60, 60), 0.9), (Box(100, 20, 150, 80), 0.6)
                    session.add_run(key, make_detections(*boxes))
                session.accept(session.findings()[0].id)
                session.measure(key, Shape.LENGTH, ((1.0, 2.0), (3.0, 4.0)))
                session.sign()


def checked(place: Place) -> verify.Verified:
    return verify.verify(place, lambda done, total: None)


def chained_anew(place: Place) -> None:
    """What somebody does who knows how the chain is made."""
    with opening.existing(place) as (engine, _), writing(engine) as connection:
        end, last = chain.Head(), 0
        while rows := chain.events(connection, last):
            for row in rows:
                last = row.sequence
                end = end.then(chain.event_content(row._mapping))
                table = schema.events
                change = table.update().where(table.c.sequence == last).values(hash=end.hash)
                connection.execute(change)
        chain.put_head(connection, chain.EVENTS, end)


def test_a_sound_database_is_found_sound_and_counted(kept: Place) -> None:
    found = checked(kept)
    assert (found.events.count, found.runs, found.logs, found.studies) == (18, 2, 6, 2)
    last = raw_sql.run(kept, "SELECT hash FROM events ORDER BY sequence DESC")[0][0]
    assert found.events.hash == last


def test_an_empty_database_is_sound(place: Place) -> None:
    Store.open(place).close()
    assert checked(place).events == chain.Head()


_NUMBERED = "SELECT sequence FROM events ORDER BY sequence LIMIT 1 OFFSET"

_OTHER_VALUES = {
    "threshold": "0.25",
    "ai_visible": "NOT ai_visible",
    "revision": "revision + 100",
    "frame_number": "7",
    "before": """'{"a": 1}'""",
    "after": """'{"a": 1}'""",
    "covers": "'[1]'",
    "visible": """'["x"]'""",
    "thresholds": """'{"x": 0.5}'""",
}


def test_each_column_of_an_event_is_held(kept: Place) -> None:
    """Changed in one event, and put back: each time it is this event that is named."""
    held = [name for name in raw_sql.columns(kept, "events") if name != "sequence"]
    assert len(held) == len(schema.events.c) - 1
    for name in held:
        ((sequence,),) = raw_sql.run(kept, f"{_NUMBERED} 4")
        raw_sql.run(
            kept, "DROP TABLE IF EXISTS saved", "CREATE TABLE saved AS SELECT * FROM events"
        )
        other = _OTHER_VALUES.get(name, "'something else'")
        raw_sql.run(kept, f'UPDATE events SET "{name}" = {other} WHERE sequence = {sequence}')
        with pytest.raises(StoreError, match=r"^Event 5 \(.* is not what was written there"):
            checked(kept)
        raw_sql.run(
            kept,
            f'UPDATE events SET "{name}" = (SELECT "{name}" FROM saved '
            f"WHERE saved.sequence = {sequence}) WHERE sequence = {sequence}",
        )
        assert checked(kept).events.count == 18
    assert checked(kept).events.count == 18


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (["DELETE FROM events WHERE sequence = ({n} 0)"], "^Event 1 .* removed"),
        (["DELETE FROM events WHERE sequence = ({n} 8)"], "^Event 9 .* removed"),
        (["DELETE FROM events WHERE sequence = ({n} 17)"], "the last 1 were removed"),
        (["DELETE FROM events WHERE sequence > ({n} 10)"], "the last 7 were removed"),
        (["DELETE FROM events"], "the last 18 were removed"),
        (
            [
                "UPDATE events SET sequence = -1 WHERE sequence = ({n} 3)",
                "UPDATE events SET sequence = (SELECT MIN(sequence) + 3 FROM events "
                "WHERE sequence > 0) WHERE sequence = ({n} 5)",
            ],
            "^Event [14] .* moved",
        ),
        (
            [
                "UPDATE events SET sequence = -5 WHERE sequence = ({n} 17)",
                "UPDATE events SET sequence = 1000 WHERE sequence = ({n} 17)",
                "UPDATE events SET sequence = 999 WHERE sequence = -5",
            ],
            "^Event 1[78] .* moved",
        ),
        (["INSERT INTO events SELECT {copied} FROM events WHERE sequence = ({n} 17)"], "put in"),
        (
            [
                "INSERT INTO events SELECT {copied} FROM events WHERE sequence = ({n} 17)",
                "UPDATE events SET sequence = sequence + 500 WHERE sequence > ({n} 9)",
                "UPDATE events SET sequence = ({n} 9) + 1 WHERE id = 'copied'",
            ],
            "^Event 11 .* put in",
        ),
        (["UPDATE meta SET value = '18 ' || hash FROM events WHERE sequence = ({n} 3) "
          "AND key = 'chain_of_events'"], "the end that is kept was changed"),
        (["DELETE FROM meta WHERE key = 'chain_of_events'"], "not kept any more"),
        (["UPDATE candidates SET score = 0.1 WHERE position = 1"], "^Run 1 .* candidates"),
        (["DELETE FROM candidates WHERE position = 1"], "^Run 1 .* candidates"),
        (["UPDATE runs SET model_name = 'better'"], "^Run 1 "),
        (["DELETE FROM runs WHERE sequence = (SELECT MAX(sequence) FROM runs)"], "the last 1 were"),
        (["DELETE FROM runs WHERE sequence = (SELECT MIN(sequence) FROM runs)"], "^Run 1 .*remov"),
        (["UPDATE candidates SET run_id = 'nobody' WHERE position = 1"], "^Run 1 "),
        (["INSERT INTO candidates SELECT 'more', 'nobody', position, x_min, y_min, x_max, y_max, "
          "category, score FROM candidates WHERE position = 0 LIMIT 1"], "belong to no run"),
        (["DELETE FROM images WHERE study_uid = '1.2.3'"], "^Event 1 .* image that is not"),
        (["UPDATE images SET pixel_sha256 = 'b' WHERE uid = '1.2.4.9'"], "^Event 10 .* not"),
        (["UPDATE logs SET decided = 77"], r"^Study 1\.2\.3: the worklist does not say"),
        (["UPDATE studies SET candidates = 77"], r"^Study 1\.2\.3: the worklist does not say"),
        (["DELETE FROM logs WHERE reader = 'B'"], r"^Study 1\.2\.3: .* the log of B"),
    ],
)  # fmt: skip
def test_what_was_done_to_the_rows_is_said(kept: Place, statements: list[str], words: str) -> None:
    copied = [
        {"sequence": "sequence + 1", "id": "'copied'", "revision": "revision + 1"}.get(
            name, f'"{name}"'
        )
        for name in raw_sql.columns(kept, "events")
    ]
    for statement in statements:
        raw_sql.run(kept, statement.format(n=_NUMBERED, copied=", ".join(copied)))
    with pytest.raises(StoreError, match=words) as told:
        checked(kept)
    assert "\n" not in str(told.value)


def test_a_place_in_a_log_that_is_missing_is_said(kept: Place) -> None:
    """By whoever has made the chain anew."""
    raw_sql.run(kept, f"UPDATE events SET revision = 9 WHERE sequence = ({_NUMBERED} 2)")
    chained_anew(kept)
    with pytest.raises(StoreError, match=r"^Event 3 .* has place 9 in its log instead of 3"):
        checked(kept)


def test_an_event_that_is_about_another_image_than_it_names_is_said(kept: Place) -> None:
    image = "SELECT uid FROM images WHERE study_uid = '1.2.4'"
    raw_sql.run(kept, f"UPDATE events SET image_uid = ({image}) WHERE sequence = ({_NUMBERED} 0)")
    chained_anew(kept)
    with pytest.raises(StoreError, match=r"^Event 1 .* names one image and is about another"):
        checked(kept)


def test_an_event_that_cannot_be_read_is_said(kept: Place) -> None:
    raw_sql.run(kept, f"UPDATE events SET verb = 'dance' WHERE sequence = ({_NUMBERED} 0)")
    chained_anew(kept)
    with pytest.raises(StoreError, match=r"^Event 1 .* cannot be read"):
        checked(kept)


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "labels.sqlite"
    Store.open(path).close()
    content = bytearray(path.read_bytes())
    content[:100] = b"x" * 100
    path.write_bytes(content)
    with pytest.raises(StoreError, match="is damaged"):
        checked(path)


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no label database"):
        checked(tmp_path / "labels.sqlite")
    assert list(tmp_path.iterdir()) == []
