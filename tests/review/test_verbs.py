"""Doubt, reasons, notes, several at once, reviewed negative, amendments, the history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from detector.types import Box, Detections
from viewer.dicom.model import Image, ImageKey
from viewer.errors import ConflictError, ViewerError
from viewer.exchange.pages import pages
from viewer.review.finding import Event, Reason, Status, Verb
from viewer.review.session import ReviewSession
from viewer.review.store import Store

MakeImage = Callable[..., Image]
MakeDetections = Callable[..., Detections]

STUDY = "1.2.3"


def events(store: Store) -> tuple[Event, ...]:
    return store.load(STUDY).events


def verbs(store: Store) -> list[Verb]:
    return [event.verb for event in events(store)]


class TestDoubt:
    def test_any_finding_may_be_uncertain_and_its_status_stands(
        self, session: ReviewSession, key: ImageKey
    ) -> None:
        first, second, third = session.findings()
        session.accept(first.id)
        session.reject(second.id, reason=Reason.DEVICE)
        session.correct(third.id, category="mass")
        own = session.add(key, Box(0, 0, 20, 20), "opacity")
        ids = [first.id, second.id, third.id, own.id]
        before = [session.finding(one) for one in ids]
        for one in ids:
            session.doubt(one)
        assert [session.finding(one) for one in ids] == [
            replace(finding, uncertain=True) for finding in before
        ]
        for one in ids:
            session.doubt(one)
        assert [session.finding(one) for one in ids] == before

    def test_an_uncertain_candidate_stays_open_and_is_not_asked_about(
        self, session: ReviewSession, store: Store
    ) -> None:
        session.threshold = 0.5
        first, second, _ = session.findings()
        session.doubt(first.id)
        assert session.finding(first.id) == replace(first, uncertain=True)
        assert session.undecided() == (second,)
        assert len(session.shown()) == 2
        session.reject(second.id)
        session.sign()
        ((page,), skipped) = pages(store)
        assert skipped == []
        assert [finding.id for finding, _ in page.rejected] == [second.id]
        assert page.positive == ()  # the uncertain one is in neither class
        assert page.complete
        assert not page.exhaustive  # nor may a data set take its place for background
        session.accept(first.id)
        assert session.finding(first.id).uncertain  # of what is there, too

    def test_it_lasts_into_a_newer_run(
        self, session: ReviewSession, make_detections: MakeDetections, key: ImageKey
    ) -> None:
        first = session.findings()[0]
        session.doubt(first.id)
        session.add_run(key, make_detections((Box(11, 10, 61, 60), 0.8)))
        assert session.findings() == (replace(first, uncertain=True),)
        session.undo()
        assert [(each.score, each.uncertain) for each in session.findings()] == [(0.8, False)]


class TestReason:
    def test_it_is_kept_changed_and_goes_with_the_rejection(
        self, session: ReviewSession, store: Store
    ) -> None:
        first = session.findings()[0]
        session.reject(first.id)
        session.reject(first.id, reason=Reason.ARTEFACT)
        session.reject(first.id, reason=Reason.ARTEFACT)
        session.reject(first.id)
        assert session.finding(first.id).reason is Reason.ARTEFACT
        assert verbs(store) == [Verb.REJECT, Verb.REJECT]
        session.accept(first.id)
        assert session.finding(first.id).reason is None
        session.reject(first.id, reason=Reason.OTHER)
        session.correct(first.id, category="mass")
        assert session.finding(first.id).reason is None
        session.undo()
        assert session.finding(first.id).reason is Reason.OTHER


class TestNote:
    def test_a_note_is_trimmed_changed_and_taken_away(
        self, session: ReviewSession, store: Store
    ) -> None:
        first = session.findings()[0]
        session.note(first.id, "  compare with March ")
        session.note(first.id, "compare with March")
        assert session.finding(first.id) == replace(first, note="compare with March")
        assert first.id in [each.id for each in session.undecided()]  # a note decides nothing
        session.note(first.id, " ")
        assert session.finding(first.id) == first
        assert verbs(store) == [Verb.NOTE, Verb.NOTE]

    def test_the_study_has_one_of_its_own(
        self, session: ReviewSession, store: Store, key: ImageKey
    ) -> None:
        session.note_study("rotated")
        session.note_study("rotated ")
        assert session.state.comment == "rotated"
        session.note_study("")
        session.undo()
        assert session.state.comment == "rotated"
        session.undo()
        assert session.state.comment == ""
        session.redo()
        assert ReviewSession(store, STUDY, "Dr. Who").state.comment == "rotated"
        assert events(store)[0].covers == (key,)

    def test_it_amends_a_signature(self, session: ReviewSession) -> None:
        session.sign()
        session.note_study("seen again")
        assert not session.signed


class TestSeveralAtOnce:
    def test_they_are_one_transaction_and_one_step(
        self, session: ReviewSession, store: Store
    ) -> None:
        ids = [finding.id for finding in session.findings()]
        session.accept(ids[2])
        told: list[list[Status]] = []
        session.subscribe(lambda: told.append([each.status for each in session.findings()]))
        session.reject(*ids, ids[0])
        assert told == [[Status.REJECTED] * 3]
        first, *step = events(store)
        assert first.step == ""
        assert len({event.step for event in step}) == 1
        assert [event.after.id for event in step if event.after] == ids
        session.undo()
        assert told[1:] == [[Status.OPEN, Status.OPEN, Status.ACCEPTED]]
        undoing = events(store)[4:]
        assert [event.undoes for event in undoing] == [event.id for event in reversed(step)]
        session.redo()
        assert told[2:] == [[Status.REJECTED] * 3]
        assert [event.after.id for event in events(store)[7:] if event.after] == ids
        session.undo()
        session.undo()
        assert session.findings()[2].status is Status.OPEN

    def test_what_is_so_already_is_left_out(self, session: ReviewSession, store: Store) -> None:
        ids = [finding.id for finding in session.findings()]
        session.accept(ids[0])
        session.accept(*ids[:2])
        assert verbs(store) == [Verb.ACCEPT, Verb.ACCEPT]
        assert events(store)[1].step == ""  # only one was left
        session.accept(*ids[:2])
        session.accept()
        assert len(events(store)) == 2

    def test_one_that_another_desk_has_changed_holds_all_of_them_up(
        self, session: ReviewSession, store: Store
    ) -> None:
        ids = [finding.id for finding in session.findings()]
        ReviewSession(store, STUDY, "Dr. Who").reject(ids[1])
        with pytest.raises(ConflictError):
            session.accept(*ids)
        assert [each.status for each in session.findings()] == [
            Status.OPEN,
            Status.REJECTED,
            Status.OPEN,
        ]


class TestReviewedNegative:
    def test_it_rejects_what_is_above_the_threshold_and_signs_in_one_step(
        self, session: ReviewSession, store: Store, key: ImageKey
    ) -> None:
        session.threshold = 0.5
        session.negative()
        assert [each.status for each in session.findings()] == [
            Status.REJECTED,
            Status.REJECTED,
            Status.OPEN,
        ]
        assert session.state.signed_images == {key}
        assert verbs(store) == [Verb.REJECT, Verb.REJECT, Verb.SIGN]
        ((page,), _) = pages(store)
        assert page.reviewed_negative
        session.negative()
        assert len(events(store)) == 3
        session.undo()
        assert not session.signed
        assert {each.status for each in session.findings()} == {Status.OPEN}
        session.redo()
        assert session.signed
        assert len(session.undecided()) == 0

    def test_a_signed_study_may_turn_out_negative_at_a_lower_threshold(
        self, session: ReviewSession
    ) -> None:
        session.threshold = 0.95
        session.negative()
        session.threshold = 0.5
        session.negative()
        assert session.signed
        assert session.state.amends is not None
        assert [each.status for each in session.findings()].count(Status.REJECTED) == 2

    def test_a_finding_that_stands_refuses_it(
        self, session: ReviewSession, store: Store, key: ImageKey
    ) -> None:
        own = session.add(key, Box(0, 0, 20, 20), "opacity")
        with pytest.raises(ViewerError, match="stands on this study"):
            session.negative()
        session.remove(own.id)
        session.doubt(session.findings()[2].id)
        with pytest.raises(ViewerError, match="uncertain"):
            session.negative()
        assert Verb.SIGN not in verbs(store)

    def test_what_was_only_analysed_is_not_rejected_unseen(
        self,
        session: ReviewSession,
        store: Store,
        make_image: MakeImage,
        make_detections: MakeDetections,
    ) -> None:
        ahead = ImageKey("other", 1, "d" * 64)
        store.remember_images([(make_image("other"), "d" * 64)], shown=False)
        session.reload()
        session.add_run(ahead, make_detections((Box(5, 5, 50, 50), 0.8)))
        with pytest.raises(ViewerError, match="not shown yet"):
            session.negative()
        session.remember_image(make_image("other"), "d" * 64)
        session.negative()
        assert len(session.state.signed_images) == 2


class TestAmending:
    def test_the_earlier_signature_stays_in_the_history(
        self, session: ReviewSession, store: Store
    ) -> None:
        session.sign()
        first = session.state.signature
        assert first is not None
        assert session.state.amends is None
        session.accept(session.findings()[0].id)
        assert (session.state.signature, session.state.amends) == (None, first)
        session.sign(" overlooked at first ")
        second = session.state.signature
        assert second is not None
        assert second.comment == "overlooked at first"
        assert session.state.amends == first
        session.undo()
        assert (session.state.signature, session.state.amends) == (None, first)
        session.undo()
        assert (session.state.signature, session.state.amends) == (first, None)

    def test_on_other_pixels_nothing_was_signed_that_could_be_amended(
        self, session: ReviewSession, make_image: MakeImage
    ) -> None:
        session.sign()
        session.accept(session.findings()[0].id)
        session.remember_image(make_image(), "b" * 64)
        assert session.state.amends is None


class TestEvents:
    def test_they_say_which_marks_were_on_the_screen(
        self, session: ReviewSession, store: Store, make_image: MakeImage, key: ImageKey
    ) -> None:
        first, second, third = (finding.id for finding in session.findings())
        session.remember_image(make_image("other"), "d" * 64)
        other = session.add(ImageKey("other", 1, "d" * 64), Box(0, 0, 9, 9), "opacity").id
        session.threshold = 0.5
        session.accept(second)
        session.ai_visible = False
        session.reject(first)
        session.undo()
        session.sign()
        assert [event.visible for event in events(store)] == [
            (),  # of its own image, before it was there
            (first, second),
            (second,),
            (second,),
            (second, other),  # of the whole study
        ]
        assert third not in {one for event in events(store) for one in event.visible}

    def test_the_run_keeps_the_threshold_of_its_model(
        self, session: ReviewSession, store: Store, make_detections: MakeDetections, key: ImageKey
    ) -> None:
        session.add_run(key, make_detections(), threshold=0.24)
        assert [run.threshold for run in store.load(STUDY).runs] == [None, 0.24]


class TestHistory:
    def test_it_tells_all_that_happened_in_order(
        self, session: ReviewSession, key: ImageKey
    ) -> None:
        first, second, _ = session.findings()
        session.accept(second.id)
        session.reject(first.id, reason=Reason.DUPLICATE)
        session.undo()
        session.note(first.id, "old")
        own = session.add(key, Box(0, 0, 20, 20), "mass")
        told = session.history(first.id)
        assert told.candidate is not None
        assert told.candidate.id == first.id
        assert told.run is not None
        assert told.run.model_name == "chest-xray"
        assert [event.verb for event in told.events] == [Verb.REJECT, Verb.UNDO, Verb.NOTE]
        assert [event.verb for event in session.history(own.id).events] == [Verb.ADD]
        assert session.history(own.id).run is None
        session.remove(own.id)
        assert [event.verb for event in session.history(own.id).events] == [Verb.ADD, Verb.REMOVE]

    def test_another_readers_words_are_not_in_it(
        self, session: ReviewSession, store: Store
    ) -> None:
        first = session.findings()[0]
        ReviewSession(store, STUDY, "Dr. Other").reject(first.id)
        session.reload()
        assert session.history(first.id).events == ()
