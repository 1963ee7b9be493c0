"""Blind first: nothing of the detector is there for the reader until a first read is signed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from detector.types import Box, Detections
from viewer.dicom.model import Image, ImageKey
from viewer.errors import ViewerError
from viewer.review.finding import Mode, Status, Verb
from viewer.review.reading_mode import first_read, mode_of
from viewer.review.record import of_log
from viewer.review.session import ReviewSession
from viewer.review.store import Store

MakeImage = Callable[..., Image]
MakeDetections = Callable[..., Detections]

STUDY = "1.2.3"


@pytest.fixture
def blind(session: ReviewSession, store: Store) -> ReviewSession:
    """The same analysed study, opened by a reader who reads blind first."""
    return ReviewSession(store, STUDY, "Dr. Blind", mode=Mode.BLIND)


def test_nothing_of_the_detector_is_there_before_the_first_read(
    blind: ReviewSession, session: ReviewSession, store: Store
) -> None:
    blind.threshold = 0.0
    candidate = session.findings()[0].id
    assert blind.blind
    assert not blind.ai_visible
    assert blind.findings() == blind.shown() == blind.undecided() == ()
    for verb in (blind.accept, blind.reject, blind.doubt, blind.finding):
        with pytest.raises(ViewerError, match="not there"):
            verb(candidate)
    for signing in (blind.sign, blind.negative):
        with pytest.raises(ViewerError, match="first read"):
            signing()
    blind.ai_visible = True
    assert blind.shown() == ()
    assert store.load(STUDY).events == ()


def test_the_first_read_shows_the_marks_and_both_reads_are_kept(
    blind: ReviewSession, store: Store, key: ImageKey
) -> None:
    own = blind.add(key, Box(0, 0, 20, 20), "opacity")
    blind.sign_first_read()
    blind.sign_first_read()
    assert not blind.blind
    assert len(blind.shown()) == 3
    blind.accept(blind.findings()[0].id)
    blind.remove(own.id)
    blind.sign()
    log = of_log(store.load(STUDY), "Dr. Blind")
    assert [event.verb for event in log.events] == [
        Verb.ADD, Verb.FIRST_READ, Verb.ACCEPT, Verb.REMOVE, Verb.SIGN,
    ]  # fmt: skip
    assert {event.mode for event in log.events} == {Mode.BLIND}
    assert [event.ai_visible for event in log.events] == [False, False, True, True, True]
    assert [len(event.visible) for event in log.events] == [0, 1, 3, 3, 2]
    assert log.events[1].covers == (key,)
    read = first_read(log)
    assert read is not None
    assert read.findings == (own,)
    assert [each.status for each in blind.findings()] == [
        Status.ACCEPTED, Status.OPEN, Status.OPEN,
    ]  # fmt: skip


def test_undo_never_goes_back_behind_the_first_read(
    blind: ReviewSession, store: Store, key: ImageKey
) -> None:
    blind.add(key, Box(0, 0, 20, 20), "opacity")
    blind.undo()
    blind.redo()
    blind.sign_first_read()
    assert not blind.can_undo
    assert not blind.can_redo
    blind.accept(blind.findings()[0].id)
    blind.undo()
    blind.undo()
    assert not blind.can_undo
    assert not blind.blind
    assert len(ReviewSession(store, STUDY, "Dr. Blind").findings()) == 4


def test_a_reading_is_finished_as_it_was_begun(
    blind: ReviewSession, session: ReviewSession, store: Store, key: ImageKey
) -> None:
    session.accept(session.findings()[0].id)
    again = ReviewSession(store, STUDY, "Dr. Who", mode=Mode.BLIND)
    assert again.mode is Mode.CONCURRENT
    assert not again.blind
    with pytest.raises(ViewerError, match="no first read"):
        again.sign_first_read()
    blind.add(key, Box(0, 0, 20, 20), "opacity")
    blind.read_concurrently()
    assert blind.blind
    assert ReviewSession(store, STUDY, "Dr. Blind").blind


def test_before_anything_is_said_it_may_be_given_up(blind: ReviewSession) -> None:
    told: list[bool] = []
    blind.subscribe(lambda: told.append(blind.blind))
    blind.read_concurrently()
    assert told == [False]
    assert len(blind.findings()) == 3


def test_a_first_read_of_other_pixels_is_none_of_these(
    blind: ReviewSession, make_image: MakeImage, make_detections: MakeDetections, key: ImageKey
) -> None:
    blind.sign_first_read()
    blind.remember_image(make_image(), "b" * 64)
    other = ImageKey(key.uid, 1, "b" * 64)
    blind.add_run(other, make_detections((Box(10, 10, 60, 60), 0.9)))
    assert blind.blind
    assert blind.findings() == ()
    blind.sign_first_read()
    assert len(blind.findings()) == 1


def test_a_reading_that_has_begun_keeps_its_mode(
    blind: ReviewSession, store: Store, key: ImageKey
) -> None:
    def mode(chosen: Mode) -> Mode:
        return mode_of(of_log(store.load(STUDY), "Dr. Blind"), chosen)

    assert mode(Mode.CONCURRENT) is Mode.CONCURRENT  # nothing was said yet
    assert first_read(of_log(store.load(STUDY), "Dr. Blind")) is None
    blind.add(key, Box(0, 0, 20, 20), "opacity")
    assert mode(Mode.CONCURRENT) is Mode.BLIND
    blind.sign_first_read()
    assert mode(Mode.CONCURRENT) is Mode.BLIND


def test_a_study_without_an_image_has_no_first_read(store: Store) -> None:
    with pytest.raises(ViewerError, match="nothing to sign"):
        ReviewSession(store, "9.9", "Dr. Blind", mode=Mode.BLIND).sign_first_read()
