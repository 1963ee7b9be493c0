"""The consensus: what the rows are, how each is resolved, and what may be signed."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from detector.types import Box, Detections
from viewer.dicom.model import Image, ImageKey
from viewer.errors import ConflictError, ViewerError
from viewer.review.adjudication import Adjudication
from viewer.review.consensus_rows import Kind, Row, rows_of
from viewer.review.finding import Finding, Role, Source, Status, Verb
from viewer.review.record import finding_from_json, finding_to_json
from viewer.review.session import ReviewSession
from viewer.review.store import Store

MakeImage = Callable[..., Image]
MakeDetections = Callable[..., Detections]
Marks = list[tuple[Box, str]]

STUDY = "1.2.3"
HERE, NEAR = Box(10, 10, 60, 60), Box(12, 10, 62, 60)
FAR, WIDE = Box(100, 100, 150, 150), Box(20, 10, 80, 60)


@pytest.fixture
def read(store: Store, make_image: MakeImage, key: ImageKey) -> Callable[..., ReviewSession]:
    """A reader marks boxes on the one image and signs."""

    def reading(reader: str, *marks: tuple[Box, str]) -> ReviewSession:
        session = ReviewSession(store, STUDY, reader)
        session.remember_image(make_image(), key.pixel_sha256)
        for box, category in marks:
            session.add(key, box, category)
        session.sign()
        return session

    return reading


Read = Callable[..., ReviewSession]


@pytest.fixture
def adjudicate(store: Store) -> Callable[..., Adjudication]:
    return lambda reader="Prof": Adjudication(store, STUDY, reader)


Adjudicate = Callable[..., Adjudication]


def kinds(adjudication: Adjudication) -> list[tuple[Kind, list[str]]]:
    return [(row.kind, [mark.reader for mark in row.marks]) for row in adjudication.rows]


class TestRows:
    def test_each_kind(self, read: Read, adjudicate: Adjudicate) -> None:
        third = Box(200, 10, 240, 50)
        read(
            "A",
            (HERE, "opacity"),
            (FAR, "opacity"),
            (third, "opacity"),
            (Box(0, 150, 30, 190), "x"),
        )
        read("B", (NEAR, "opacity"), (FAR, "nodule"), (Box(200, 10, 240, 38), "opacity"))
        assert kinds(adjudicate()) == [
            (Kind.CATEGORY, ["A", "B"]),
            (Kind.PARTIAL, ["A"]),
            (Kind.BOX, ["A", "B"]),
            (Kind.AGREED, ["A", "B"]),
        ]

    def test_three_readers_share_rows(self, read: Read, adjudicate: Adjudicate) -> None:
        read("A", (HERE, "opacity"))
        read("B", (NEAR, "opacity"), (FAR, "opacity"))
        read("C", (HERE, "opacity"), (FAR, "opacity"))
        adjudication = adjudicate()
        assert kinds(adjudication) == [
            (Kind.PARTIAL, ["B", "C"]),
            (Kind.AGREED, ["A", "B", "C"]),
        ]
        assert adjudication.rows[1].box.x_min == pytest.approx((10 + 12 + 10) / 3)

    def test_who_has_not_signed_has_not_read(
        self, read: Read, adjudicate: Adjudicate, store: Store, key: ImageKey
    ) -> None:
        read("A", (HERE, "opacity"))
        unsigned = ReviewSession(store, STUDY, "B")
        unsigned.add(key, FAR, "opacity")
        assert list(adjudicate().reads) == ["A"]
        unsigned.sign()
        assert list(adjudicate().reads) == ["A", "B"]

    def test_rejections_stand_beside_the_marks_and_those_of_all_in_rows_of_their_own(
        self, session: ReviewSession, store: Store, adjudicate: Adjudicate
    ) -> None:
        first, second, third = session.findings()
        session.accept(first.id)
        session.reject(second.id, third.id)
        session.sign()
        other = ReviewSession(store, STUDY, "B")
        other.reject(first.id, second.id)
        other.sign()
        one, both = adjudicate().rows
        assert (one.kind, [source.reader for source in one.rejections]) == (Kind.PARTIAL, ["B"])
        assert (both.kind, both.marks) == (Kind.AGREED, ())
        assert [source.finding_id for source in both.rejections] == [second.id] * 2

    @pytest.mark.parametrize("seed", range(10))
    def test_every_mark_is_in_one_row_and_no_row_has_a_reader_twice(
        self, read: Read, adjudicate: Adjudicate, seed: int
    ) -> None:
        chance = random.Random(seed)
        for reader in "ABC":
            marks = []
            for _ in range(chance.randrange(6)):
                x, y = chance.choice((0, 12, 100)), chance.choice((0, 9, 100))
                box = Box(x, y, x + chance.uniform(30, 50), y + chance.uniform(30, 50))
                marks.append((box, chance.choice(("opacity", "nodule"))))
            read(reader, *marks)
        adjudication = adjudicate()
        marked = [mark.finding_id for row in adjudication.rows for mark in row.marks]
        said = [each.id for state in adjudication.reads.values() for each in state.findings]
        assert sorted(marked) == sorted(said)
        for row in adjudication.rows:
            names = [mark.reader for mark in row.marks]
            assert sorted(set(names)) == names
        images = [record.key for record in adjudication.record.images]
        for order in itertools.permutations(adjudication.reads):
            shuffled = {name: adjudication.reads[name] for name in order}
            assert rows_of(shuffled, images) == adjudication.rows


@pytest.fixture
def disputed(read: Read, adjudicate: Adjudicate) -> Adjudication:
    """One row that both agree on, one whose boxes differ, one of A alone."""
    read("A", (HERE, "opacity"), (FAR, "nodule"), (Box(200, 10, 240, 50), "opacity"))
    read("B", (NEAR, "opacity"), (Box(200, 10, 240, 38), "opacity"))
    return adjudicate()


def row_of(adjudication: Adjudication, kind: Kind) -> Row:
    return next(row for row in adjudication.rows if row.kind is kind)


class TestResolving:
    def test_each_way_is_one_event_that_names_its_sources(
        self, disputed: Adjudication, store: Store
    ) -> None:
        partial, box, agreed = disputed.rows
        disputed.neither(partial)
        disputed.take(box, "B")
        disputed.draw(agreed, Box(8, 8, 64, 64), "nodule")
        events = [each for each in store.load(STUDY).events if each.role is Role.ADJUDICATOR]
        assert [each.verb for each in events] == [Verb.REJECT, Verb.ACCEPT, Verb.CORRECT]
        assert {each.reader for each in events} == {"Prof"}
        assert not any(each.ai_visible for each in events)
        made = [resolution.finding for resolution in disputed.resolutions()]
        assert [(each.status, each.category) for each in made if each] == [
            (Status.REJECTED, "nodule"),
            (Status.ADDED, "opacity"),
            (Status.CORRECTED, "nodule"),
        ]
        assert [each.sources for each in made if each] == [row.sources for row in disputed.rows]
        assert made[1] is not None
        assert made[1].box == box.by("B").box  # type: ignore[union-attr]
        source = made[1].sources[0]
        assert source == replace(box.marks[0])
        assert (source.reader, source.box) == ("A", Box(200, 10, 240, 50))

    def test_what_agrees_is_accepted_at_once_and_undone_at_once(
        self, read: Read, adjudicate: Adjudicate, store: Store
    ) -> None:
        read("A", (HERE, "opacity"), (FAR, "nodule"), (Box(200, 10, 240, 50), "opacity"))
        read("B", (HERE, "opacity"), (FAR, "nodule"))
        adjudication = adjudicate()
        assert adjudication.accept_agreed() == 2
        assert [row.kind for row in adjudication.open_rows()] == [Kind.PARTIAL]
        assert adjudication.accept_agreed() == 0
        adjudication.undo()
        assert len(adjudication.open_rows()) == 3
        adjudication.redo()
        assert len(adjudication.open_rows()) == 1
        steps = {
            each.step for each in store.load(STUDY).events if each.verb is Verb.ACCEPT
        }  # of the consensus: the readers have added theirs
        assert len(steps) == 1

    def test_boxes_that_differ_a_little_are_met_in_the_middle(self, disputed: Adjudication) -> None:
        disputed.accept_agreed()
        agreed = row_of(disputed, Kind.AGREED)
        finding = next(each.finding for each in disputed.resolutions() if each.row == agreed)
        assert finding is not None
        assert (finding.box, finding.status) == (Box(11, 10, 61, 60), Status.CORRECTED)

    def test_resolving_again_changes_the_one_finding(
        self, disputed: Adjudication, store: Store
    ) -> None:
        row = row_of(disputed, Kind.BOX)
        disputed.take(row, "A")
        disputed.take(row, "A")
        disputed.neither(row)
        disputed.take(row, "B")
        events = [each for each in store.load(STUDY).events if each.role is Role.ADJUDICATOR]
        assert [each.verb for each in events] == [Verb.ACCEPT, Verb.REJECT, Verb.ACCEPT]
        assert len({each.after.id for each in events if each.after}) == 1
        disputed.undo()
        (made,) = [each.finding for each in disputed.resolutions() if each.finding]
        assert made.status is Status.REJECTED

    def test_nothing_is_taken_from_a_reader_who_marked_nothing(
        self, disputed: Adjudication
    ) -> None:
        with pytest.raises(ViewerError, match="B has marked nothing here"):
            disputed.take(row_of(disputed, Kind.PARTIAL), "B")

    def test_own_findings_have_no_sources_and_can_be_taken_away(
        self, disputed: Adjudication, key: ImageKey
    ) -> None:
        own = disputed.add(key, Box(250, 150, 280, 180), "mass")
        assert own.sources == ()
        last = disputed.resolutions()[-1]
        assert (last.row, last.finding) == (None, own)
        disputed.correct(own.id, category="nodule")
        assert disputed.finding(own.id).status is Status.ADDED
        disputed.remove(own.id)
        assert all(each.row is not None for each in disputed.resolutions())

    def test_the_candidate_of_a_reader_stays_named(
        self, session: ReviewSession, store: Store, adjudicate: Adjudicate
    ) -> None:
        first = session.findings()[0]
        session.accept(first.id)
        session.sign()
        ReviewSession(store, STUDY, "B").sign()
        adjudication = adjudicate()
        adjudication.take(adjudication.rows[0], "Dr. Who")
        event = store.load(STUDY).events[-1]
        assert event.after is not None
        assert event.after.derived_from == first.id  # type: ignore[union-attr]
        assert event.weights_sha256 == "w" * 64

    def test_readers_never_see_the_consensus_nor_it_their_undo(
        self, disputed: Adjudication, store: Store
    ) -> None:
        disputed.take(row_of(disputed, Kind.BOX), "A")
        assert len(ReviewSession(store, STUDY, "A").findings()) == 3
        while disputed.can_undo:
            disputed.undo()
        assert ReviewSession(store, STUDY, "A").signed


class TestSigning:
    def test_only_when_every_row_is_resolved(self, disputed: Adjudication) -> None:
        with pytest.raises(ViewerError, match="3 rows are not resolved yet"):
            disputed.sign()
        disputed.accept_agreed()
        disputed.take(row_of(disputed, Kind.BOX), "A")
        with pytest.raises(ViewerError, match="1 row is not resolved yet"):
            disputed.sign()
        disputed.neither(row_of(disputed, Kind.PARTIAL))
        disputed.sign()
        assert disputed.signed
        disputed.undo()
        assert not disputed.signed

    def test_of_one_reader_there_is_no_consensus(self, read: Read, adjudicate: Adjudicate) -> None:
        read("A")
        with pytest.raises(ViewerError, match="two readers"):
            adjudicate().sign()

    def test_two_negative_reads_are_signed_at_once(
        self, read: Read, adjudicate: Adjudicate, key: ImageKey
    ) -> None:
        read("A")
        read("B")
        adjudication = adjudicate()
        adjudication.sign()
        assert adjudication.state.signed_images == {key}

    def test_only_images_that_all_have_signed_are_covered(
        self, read: Read, adjudicate: Adjudicate, make_image: MakeImage, key: ImageKey
    ) -> None:
        read("A")
        second = read("B")
        second.remember_image(make_image("other"), "d" * 64)
        second.add(ImageKey("other", 1, "d" * 64), HERE, "opacity")
        second.sign()
        adjudication = adjudicate()
        assert adjudication.rows == ()
        adjudication.sign()
        assert adjudication.state.signed_images == {key}

    def test_a_reader_who_changes_his_mind_opens_the_row_again(
        self, disputed: Adjudication, store: Store
    ) -> None:
        for row in disputed.rows:
            disputed.take(row, "A")
        disputed.sign()
        reader = ReviewSession(store, STUDY, "A")
        finding = next(each for each in reader.findings() if each.category == "nodule")
        reader.correct(finding.id, box=Box(102, 100, 150, 150))
        reader.sign()
        disputed.reload()
        assert not disputed.signed
        (again,) = [each for each in disputed.resolutions() if each.changed]
        assert again.finding is None
        assert again.row is not None
        disputed.take(again.row, "A")
        disputed.sign()
        assert disputed.signed
        made = [each.finding for each in disputed.resolutions()]
        assert len(made) == 3  # the earlier resolution was changed, not doubled

    def test_the_adjudicator_may_be_a_reader_and_is_told(
        self, read: Read, adjudicate: Adjudicate
    ) -> None:
        read("A")
        read("B")
        assert adjudicate("A").adjudicator_has_read
        assert not adjudicate("C").adjudicator_has_read


def test_two_desks_cannot_resolve_one_row_twice(
    disputed: Adjudication, adjudicate: Adjudicate
) -> None:
    other = adjudicate("Other")
    row = row_of(disputed, Kind.BOX)
    disputed.take(row, "A")
    with pytest.raises(ConflictError):
        other.take(row, "B")
    assert [each.finding for each in other.resolutions() if each.finding] == [
        each.finding for each in disputed.resolutions() if each.finding
    ]
    other.take(row_of(other, Kind.PARTIAL), "A")  # another row meets no conflict
    disputed.neither(row_of(disputed, Kind.AGREED))
    other.reload()
    assert other.open_rows() == ()


def test_signers_are_known_to_every_log(read: Read, store: Store, key: ImageKey) -> None:
    first = read("A")
    assert first.signers == {"A"}
    second = read("B")
    assert second.signers == {"A", "B"}
    second.add(key, HERE, "opacity")
    assert second.signers == {"A"}


def test_a_source_is_kept_as_it_was(key: ImageKey) -> None:
    source = Source("A", "f", HERE, "opacity", Status.ADDED, uncertain=True)
    finding = Finding("i", key, FAR, "opacity", Status.ADDED, sources=(source,))
    assert finding_from_json(json.loads(json.dumps(finding_to_json(finding)))) == finding
