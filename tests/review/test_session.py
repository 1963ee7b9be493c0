from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
import sqlalchemy as sa

from detector.types import Box, Detections
from viewer.dicom.model import Image, ImageKey
from viewer.errors import StoreError, ViewerError
from viewer.review.finding import Finding, Mode, Reason, Status, Verb
from viewer.review.fold import fold, subject_of
from viewer.review.measurement import Measurement
from viewer.review.session import ReviewSession
from viewer.review.store import Store

MakeImage = Callable[..., Image]
MakeDetections = Callable[..., Detections]

STUDY = "1.2.3"


def verbs(store: Store) -> list[Verb]:
    return [event.verb for event in store.load(STUDY).events]


class TestShowing:
    def test_candidates_come_best_score_first(self, session: ReviewSession) -> None:
        assert [finding.score for finding in session.findings()] == [0.9, 0.6, 0.2]
        assert {finding.status for finding in session.findings()} == {Status.OPEN}

    def test_the_threshold_hides_and_shows(self, session: ReviewSession) -> None:
        session.threshold = 0.6
        assert [finding.score for finding in session.shown()] == [0.9, 0.6]
        assert session.undecided() == session.shown()
        session.threshold = 0.1
        assert len(session.shown()) == 3

    def test_hidden_marks_of_the_machine_leave_the_judged(
        self, session: ReviewSession, key: ImageKey
    ) -> None:
        session.accept(session.findings()[0].id)
        own = session.add(key, Box(0, 0, 9, 9), "opacity")
        session.ai_visible = False
        assert [finding.status for finding in session.shown()] == [Status.ACCEPTED, Status.ADDED]
        assert session.shown()[-1] == own
        assert len(session.undecided()) == 1  # hidden, yet still to be decided

    def test_rejected_are_shown_on_demand(self, session: ReviewSession) -> None:
        session.reject(session.findings()[0].id)
        assert Status.REJECTED not in {finding.status for finding in session.shown()}
        session.show_rejected = True
        assert session.shown()[0].status is Status.REJECTED

    def test_judged_are_shown_below_the_threshold(self, session: ReviewSession) -> None:
        session.threshold = 0.95
        session.accept(session.findings()[2].id)
        assert [finding.score for finding in session.shown()] == [0.2]

    def test_callbacks_run_after_each_change_only(self, session: ReviewSession) -> None:
        seen: list[int] = []
        session.subscribe(lambda: seen.append(len(session.shown())))
        session.threshold = 0.1
        session.threshold = 0.1
        session.ai_visible = False
        session.show_rejected = True
        session.reject(session.findings()[0].id)
        assert seen == [3, 0, 0, 1]

    def test_findings_of_one_image(
        self, session: ReviewSession, make_image: MakeImage, key: ImageKey
    ) -> None:
        session.remember_image(make_image("other"), "d" * 64)
        own = session.add(ImageKey("other", 1, "d" * 64), Box(0, 0, 9, 9), "opacity")
        assert session.findings("other") == (own,)
        assert session.findings("other", 2) == ()
        assert len(session.findings(key.uid, 1)) == 3


class TestVerbs:
    def test_an_event_says_all_that_was_in_force(
        self, session: ReviewSession, store: Store
    ) -> None:
        session.threshold = 0.37
        session.ai_visible = False
        before = session.findings()[0]
        session.accept(before.id)
        (event,) = store.load(STUDY).events
        assert event.before == before
        assert event.after == replace(before, status=Status.ACCEPTED) == session.findings()[0]
        assert (event.threshold, event.ai_visible, event.reader) == (0.37, False, "Dr. Who")
        assert (event.weights_sha256, event.model_name) == ("w" * 64, "chest-xray")
        assert event.after.image.pixel_sha256 == "a" * 64

    def test_accepting_twice_is_one_event(self, session: ReviewSession, store: Store) -> None:
        finding = session.findings()[0]
        session.accept(finding.id)
        session.accept(finding.id)
        assert verbs(store) == [Verb.ACCEPT]

    def test_correcting_changes_box_or_category(self, session: ReviewSession) -> None:
        first, second, _ = session.findings()
        session.correct(first.id, box=Box(11, 12, 61, 62))
        session.correct(second.id, category="mass")
        assert session.finding(first.id) == replace(
            first, box=Box(11, 12, 61, 62), status=Status.CORRECTED
        )
        assert session.finding(second.id) == replace(
            second, category="mass", status=Status.CORRECTED
        )

    def test_a_correction_that_changes_nothing_is_none(
        self, session: ReviewSession, store: Store
    ) -> None:
        finding = session.findings()[0]
        session.correct(finding.id, box=finding.box, category=finding.category)
        assert verbs(store) == []

    def test_every_judged_finding_can_be_corrected(
        self, session: ReviewSession, key: ImageKey
    ) -> None:
        first, second, third = session.findings()
        session.accept(first.id)
        session.reject(second.id)
        session.correct(third.id, category="mass")
        own = session.add(key, Box(0, 0, 20, 20), "opacity")
        for finding in (first, second, third, own):
            session.correct(finding.id, box=Box(30, 30, 50, 50))
        statuses = [session.finding(each.id).status for each in (first, second, third, own)]
        assert statuses == [Status.CORRECTED] * 3 + [Status.ADDED]

    def test_a_rejected_one_may_be_accepted_after_all(self, session: ReviewSession) -> None:
        first, second, _ = session.findings()
        session.reject(first.id)
        session.accept(first.id)
        assert session.finding(first.id).status is Status.ACCEPTED
        session.correct(second.id, box=Box(30, 30, 50, 50))
        session.reject(second.id)
        session.accept(second.id)  # its box is still the reader's
        assert session.finding(second.id).status is Status.CORRECTED

    def test_the_readers_own_is_removed_not_rejected(
        self, session: ReviewSession, store: Store, key: ImageKey
    ) -> None:
        own = session.add(key, Box(0, 0, 20, 20), "opacity")
        session.reject(own.id)
        assert verbs(store) == [Verb.ADD, Verb.REMOVE]
        with pytest.raises(ViewerError, match="not there"):
            session.finding(own.id)
        with pytest.raises(ViewerError, match="reject"):
            session.remove(session.findings()[0].id)

    def test_a_box_is_cut_at_the_frame(self, session: ReviewSession, key: ImageKey) -> None:
        own = session.add(key, Box(-20, 150, 40, 900), "opacity")
        assert own.box == Box(0, 150, 40, 200)
        session.correct(own.id, box=Box(290, 0, 400, 50))
        assert session.finding(own.id).box == Box(290, 0, 300, 50)

    @pytest.mark.parametrize(
        "box", [Box(5, 5, 6.9, 50), Box(5, 5, 50, 6), Box(299, 5, 350, 50), Box(400, 5, 450, 50)]
    )
    def test_a_slip_of_the_hand_is_no_finding(
        self, session: ReviewSession, store: Store, key: ImageKey, box: Box
    ) -> None:
        with pytest.raises(ViewerError):
            session.add(key, box, "opacity")
        with pytest.raises(ViewerError):
            session.correct(session.findings()[0].id, box=box)
        assert verbs(store) == []

    def test_a_finding_needs_the_pixels_that_are_shown(self, session: ReviewSession) -> None:
        with pytest.raises(ViewerError, match="as it is shown"):
            session.add(ImageKey("1.2.3.4", 1, "b" * 64), Box(0, 0, 9, 9), "opacity")

    def test_a_store_that_fails_changes_nothing(
        self, session: ReviewSession, store: Store, key: ImageKey
    ) -> None:
        session.accept(session.findings()[0].id)
        before = session.state
        told: list[None] = []
        session.subscribe(lambda: told.append(None))

        def fail(*_: object, **__: object) -> None:
            raise StoreError("The disk is full.")

        store.append = fail  # type: ignore[method-assign, assignment]
        for action in (
            lambda: session.reject(session.findings()[0].id),
            lambda: session.add(key, Box(0, 0, 9, 9), "opacity"),
            session.sign,
            session.undo,
        ):
            with pytest.raises(StoreError, match="full"):
                action()
        assert session.state == before
        assert told == []


class TestSigning:
    def test_a_decision_reopens_and_its_undo_signs_again(self, session: ReviewSession) -> None:
        session.sign()
        assert session.signed
        session.accept(session.findings()[0].id)
        assert not session.signed
        session.undo()
        assert session.signed

    def test_signing_and_reopening_are_undone_by_each_other(
        self, session: ReviewSession, store: Store, key: ImageKey
    ) -> None:
        session.sign()
        session.sign()
        session.undo()
        assert not session.signed
        session.redo()
        assert session.signed
        session.reopen()
        session.undo()
        assert session.signed
        assert session.state.signed_images == {key}
        assert verbs(store) == [Verb.SIGN, Verb.REOPEN, Verb.SIGN, Verb.REOPEN, Verb.SIGN]

    def test_reopening_the_unsigned_is_nothing(self, session: ReviewSession, store: Store) -> None:
        session.reopen()
        assert verbs(store) == []

    def test_an_image_that_came_later_was_not_signed(
        self, session: ReviewSession, make_image: MakeImage, key: ImageKey
    ) -> None:
        session.sign()
        session.remember_image(make_image("later"), "e" * 64)
        assert session.state.signed_images == {key}
        session.sign()
        assert len(session.state.signed_images) == 2


class TestUndo:
    def test_undo_reaches_into_earlier_sessions(
        self, session: ReviewSession, store: Store, key: ImageKey
    ) -> None:
        before = session.findings()
        session.accept(before[0].id)
        session.add(key, Box(0, 0, 20, 20), "opacity")
        later = ReviewSession(store, STUDY, "Dr. Who")
        later.reject(before[1].id)
        again = ReviewSession(store, STUDY, "Dr. Who")
        final = again.findings()
        for _ in range(3):
            again.undo()
        assert again.findings() == before
        assert not again.can_undo
        reopened = ReviewSession(store, STUDY, "Dr. Who")
        assert reopened.findings() == before
        for _ in range(3):
            reopened.redo()
        assert reopened.findings() == final
        assert not reopened.can_redo
        assert [event.revision for event in store.load(STUDY).events] == list(range(1, 10))

    def test_a_new_decision_ends_what_could_be_redone(self, session: ReviewSession) -> None:
        first, second, _ = session.findings()
        session.accept(first.id)
        session.undo()
        assert session.can_redo
        session.accept(second.id)
        assert not session.can_redo
        session.redo()
        assert session.finding(first.id).status is Status.OPEN

    def test_nothing_to_undo_is_nothing(self, session: ReviewSession, store: Store) -> None:
        session.undo()
        session.redo()
        assert verbs(store) == []

    def test_an_undo_is_an_event_with_the_sides_changed(
        self, session: ReviewSession, store: Store
    ) -> None:
        session.reject(session.findings()[0].id)
        session.threshold = 0.11
        session.undo()
        session.redo()
        decision, undoing, redoing = store.load(STUDY).events
        assert undoing.verb is Verb.UNDO
        assert undoing.undoes == decision.id
        assert (undoing.before, undoing.after) == (decision.after, decision.before)
        assert undoing.threshold == 0.11
        assert redoing.verb is Verb.REDO
        assert redoing.undoes == undoing.id
        assert (redoing.before, redoing.after) == (decision.before, decision.after)


class TestOtherPixels:
    def test_they_get_none_of_the_decisions(
        self,
        session: ReviewSession,
        make_image: MakeImage,
        make_detections: MakeDetections,
        key: ImageKey,
    ) -> None:
        session.accept(session.findings()[0].id)
        session.sign()
        judged = session.findings()
        session.remember_image(make_image(), "b" * 64)
        assert session.findings() == ()
        assert session.foreign_pixels(key.uid, 1)
        assert session.analysed(key.uid, 1) is None
        assert not session.signed
        assert session.state.signed_images == frozenset()
        other = ImageKey(key.uid, 1, "b" * 64)
        session.add_run(other, make_detections((Box(10, 10, 60, 60), 0.9)))
        assert [finding.status for finding in session.findings()] == [Status.OPEN]
        session.remember_image(make_image(), key.pixel_sha256)  # the file came back
        assert session.findings() == judged
        assert session.signed
        assert not session.foreign_pixels(key.uid, 1)

    def test_undo_leaves_what_is_not_shown_alone(
        self, session: ReviewSession, make_image: MakeImage, key: ImageKey
    ) -> None:
        session.accept(session.findings()[0].id)
        session.remember_image(make_image(), "b" * 64)
        assert not session.can_undo
        session.add(ImageKey(key.uid, 1, "b" * 64), Box(0, 0, 9, 9), "opacity")
        session.undo()
        assert not session.can_undo
        session.remember_image(make_image(), key.pixel_sha256)
        assert session.findings()[0].status is Status.ACCEPTED


class TestAnotherRun:
    def test_decisions_stay_and_overlapping_candidates_count_as_decided(
        self, session: ReviewSession, make_detections: MakeDetections, key: ImageKey
    ) -> None:
        first, second, third = session.findings()
        session.reject(first.id)
        session.correct(second.id, box=Box(200, 100, 260, 160))
        session.add(key, Box(5, 5, 25, 25), "opacity")
        judged = [each for each in session.findings() if each.status is not Status.OPEN]
        session.add_run(
            key,
            make_detections(
                (Box(12, 10, 62, 60), 0.8),  # the rejected one
                (Box(202, 100, 262, 160), 0.7),  # where the reader put the second
                (Box(101, 20, 151, 80), 0.6),  # where the machine had put it
                (Box(5, 5, 25, 27), 0.5),  # the reader's own
                (Box(60, 120, 110, 160), 0.4),  # new
            ),
        )
        found = session.findings()
        assert [each for each in found if each.status is not Status.OPEN] == judged
        assert [each.box for each in found if each.status is Status.OPEN] == [
            Box(60, 120, 110, 160)
        ]
        with pytest.raises(ViewerError):
            session.finding(third.id)  # a candidate of the older run that nobody judged

    def test_taking_a_decision_back_opens_the_newer_candidate(
        self, session: ReviewSession, make_detections: MakeDetections, key: ImageKey
    ) -> None:
        session.accept(session.findings()[0].id)
        session.add_run(key, make_detections((Box(12, 10, 62, 60), 0.8)))
        assert [each.status for each in session.findings()] == [Status.ACCEPTED]
        session.undo()
        assert [(each.status, each.score) for each in session.findings()] == [(Status.OPEN, 0.8)]
        session.redo()
        assert [(each.status, each.score) for each in session.findings()] == [
            (Status.ACCEPTED, 0.9)
        ]

    def test_another_category_is_another_finding(
        self, session: ReviewSession, make_detections: MakeDetections, key: ImageKey
    ) -> None:
        session.accept(session.findings()[0].id)
        detections = make_detections((Box(10, 10, 60, 60), 0.8))
        other = replace(detections.detections[0], category="mass")
        session.add_run(key, replace(detections, detections=(other,)))
        assert [each.category for each in session.findings()] == ["opacity", "mass"]

    def test_overlapping_candidates_of_one_run_are_decided_apart(
        self, session: ReviewSession, make_detections: MakeDetections, key: ImageKey
    ) -> None:
        session.add_run(
            key, make_detections((Box(10, 10, 60, 60), 0.8), (Box(12, 10, 62, 60), 0.7))
        )
        session.accept(session.findings()[0].id)
        session.add(key, Box(12, 11, 62, 60), "opacity")
        assert [each.status for each in session.findings()] == [
            Status.ACCEPTED,
            Status.OPEN,
            Status.ADDED,
        ]

    def test_analysed_with_nothing_found_is_not_unanalysed(
        self,
        session: ReviewSession,
        make_image: MakeImage,
        make_detections: MakeDetections,
        key: ImageKey,
    ) -> None:
        session.remember_image(make_image("other"), "d" * 64)
        assert session.analysed("other", 1) is None
        session.add_run(ImageKey("other", 1, "d" * 64), make_detections())
        run = session.analysed("other", 1)
        assert run is not None
        assert run.model_name == "chest-xray"


def last_word(session: ReviewSession, store: Store) -> dict[str, Finding]:
    """The simplest reading of the log: what its last event about each finding says."""
    said: dict[str, Finding | Measurement | None] = {}
    for event in store.load(session.study_uid).events:
        subject = subject_of(event)
        if subject is not None:
            said[subject.id] = event.after
    return {key: one for key, one in said.items() if isinstance(one, Finding) and spoken_of(one)}


def spoken_of(finding: Finding) -> bool:
    return finding.status is not Status.OPEN or finding.uncertain or finding.note != ""


def act(session: ReviewSession, key: ImageKey, chance: random.Random) -> None:
    """One thing that a reader may do."""

    def box() -> Box:
        x, y = chance.uniform(-10, 280), chance.uniform(-10, 180)
        return Box(x, y, x + chance.uniform(15, 60), y + chance.uniform(15, 60))

    def some() -> str:
        return chance.choice(session.findings()).id

    def several() -> list[str]:
        return [each.id for each in session.findings() if chance.random() < 0.5]

    verb = chance.choice(
        ("accept", "reject", "correct", "category", "add", "doubt", "note", "several")
        + ("undo", "redo", "undo", "redo")
        + (("sign", "reopen", "study", "negative") if chance.random() < 0.3 else ())
    )
    match verb:
        case "accept":
            session.accept(some())
        case "reject":
            session.reject(some(), reason=chance.choice((None, *Reason)))
        case "several":
            chance.choice((session.accept, session.reject))(*several())
        case "correct":
            session.correct(some(), box=box())
        case "category":
            session.correct(some(), category=chance.choice(("opacity", "mass")))
        case "add":
            session.add(key, box(), "nodule")
        case "doubt":
            session.doubt(some())
        case "note":
            session.note(some(), chance.choice(("", "old", "new")))
        case "study":
            session.note_study(chance.choice(("", "rotated", "lordotic")))
        case "negative":
            with suppress(ViewerError):
                session.negative()
        case _:
            getattr(session, verb)()


def outcome(session: ReviewSession) -> object:
    """All that the reader has said, as it stands."""
    state = session.state
    return state.findings, state.signed, state.signature, state.amends, state.comment


@pytest.mark.parametrize("seed", range(16))
def test_any_sequence_folds_undoes_and_redoes(
    session: ReviewSession, store: Store, key: ImageKey, seed: int
) -> None:
    chance = random.Random(seed)
    if seed % 4 == 3:  # a blind reading, with something said before anything was seen
        session = ReviewSession(store, STUDY, "Dr. Who", mode=Mode.BLIND)
        session.add(key, Box(0, 0, 30, 30), "nodule")
        session.sign_first_read()
    start = outcome(session)
    length = len(store.load(STUDY).events)
    for _ in range(40):
        act(session, key, chance)
        record = store.load(STUDY)
        assert fold(record) == session.state
        assert len(record.events) >= length  # the log only grows
        length = len(record.events)
        judged = {each.id: each for each in session.findings() if spoken_of(each)}
        assert judged == last_word(session, store)
    while session.can_redo:
        session.redo()
    end = outcome(session)
    while session.can_undo:
        session.undo()
        assert fold(store.load(STUDY)) == session.state
    assert outcome(session) == start
    while session.can_redo:
        session.redo()
    assert outcome(session) == end
    assert ReviewSession(store, STUDY, "Dr. Who").state == session.state
    modes = {event.mode for event in store.load(STUDY).events}
    assert modes == {Mode.BLIND if seed % 4 == 3 else Mode.CONCURRENT}


class TestSeries:
    def test_images_seen_in_a_row_are_kept_in_one_transaction(
        self, store: Store, make_image: MakeImage
    ) -> None:
        session = ReviewSession(store, STUDY, "Dr. Who")
        commits: list[object] = []
        told: list[int] = []
        sa.event.listen(store._engine, "commit", commits.append)
        session.subscribe(lambda: told.append(1))
        seen = [(make_image(f"1.2.3.{n}"), f"{n:064x}") for n in range(1200)]
        session.remember_images(seen)
        session.remember_images(seen)  # looked at again: nothing to write
        assert len(commits) == len(told) == 1
        session.sign()
        assert len(session.state.signed_images) == 1200
        kept = ReviewSession(store, STUDY, "Dr. Who")
        assert kept.state.signed_images == session.state.signed_images
        other = [(seen[0][0], "f" * 64), seen[1]]
        session.remember_images(other)
        assert not session.signed
        assert not ReviewSession(store, STUDY, "Dr. Who").signed

    def test_a_study_without_an_image_cannot_be_signed(self, store: Store) -> None:
        with pytest.raises(ViewerError, match="nothing to sign"):
            ReviewSession(store, STUDY, "Dr. Who").sign()


class TestTwoPatientsUnderOneStudyUid:
    """A sender's fault: what is decided on one is no word about the other."""

    def test_each_has_its_own_findings_signature_and_undo(
        self, store: Store, make_image: MakeImage
    ) -> None:
        images = {name: make_image(f"1.2.3.{name}", patient=name) for name in ("1", "2")}
        keys = {name: ImageKey(image.uid, 1, name * 64) for name, image in images.items()}

        def opened(name: str) -> ReviewSession:
            patient = store.patient_key(images[name].study)
            session = ReviewSession(store, STUDY, "Dr. Who", patient_key=patient)
            session.remember_image(images[name], name * 64)
            return session

        first, second = opened("1"), opened("2")
        first.add(keys["1"], Box(10, 10, 60, 60), "opacity")
        second.sign()
        first.reload()
        second.reload()
        assert len(first.findings()) == 1
        assert not first.signed
        assert second.findings() == ()
        assert second.signed
        assert second.state.signed_images == {keys["2"]}
        first.undo()
        second.undo()
        assert [verb.value for verb in verbs(store)] == ["add", "sign", "undo", "reopen"]
        assert not second.can_undo
        with pytest.raises(ViewerError):
            second.add(keys["1"], Box(10, 10, 60, 60), "opacity")
