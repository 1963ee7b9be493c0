"""What is being read: the open image, its frame, and the review session of its study."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QTimer, Signal

from viewer.dicom.model import Image, ImageKey, Series, Study, StudyHeader
from viewer.errors import StoreError
from viewer.review.session import ReviewSession
from viewer.review.store import Store
from viewer.ui.frames import Frames, Loaded, place_of

_AHEAD = 4  # frames fetched beyond the one on the screen, on the side the reader moves to
_TRIES = 3  # unreadable images passed over when a series is opened
_SETTLE_MS = 150  # after the last image of a scroll, before what was seen is kept
_LOT = 8  # images kept at a time: some 20 ms


StudyKey = tuple[str, str, str]


def study_key(study: Study) -> StudyKey:
    """What tells studies apart: one UID on two patients, a sender's fault, is two studies."""
    patient = study.header.patient
    return study.header.uid, patient.id, patient.issuer


@dataclass(frozen=True, slots=True)
class Position:
    """An image by its place in a series of a study."""

    study: Study
    series: Series
    index: int

    @property
    def image(self) -> Image:
        return self.series.images[self.index]

    def moved(self, by: int) -> Position:
        """The same series ``by`` images on, as far as it goes."""
        last = len(self.series.images) - 1
        return replace(self, index=min(max(self.index + by, 0), last))

    def same_series(self, other: Position | None) -> bool:
        return (
            other is not None
            and self.series.header.uid == other.series.header.uid
            and study_key(self.study) == study_key(other.study)
        )


class Reading(QObject):
    """The one open image. Another one takes its place only when its frame is decoded.

    Attributes
    ----------
    position : what is on the screen, or None.
    loaded : its frame; None where it could not be decoded, and then ``trouble`` says why.
    session : the review session of its study.
    """

    image_shown = Signal()  # the screen shows another image, or why it does not
    grown = Signal()  # the open study has more images than before
    changed = Signal()  # a decision, the threshold or what is visible changed
    failed = Signal(str)  # a series could not be opened; the screen is as it was

    def __init__(self, store: Store, frames: Frames, parent: QObject) -> None:
        super().__init__(parent)
        self.position: Position | None = None
        self.loaded: Loaded | None = None
        self.trouble = ""
        self.session: ReviewSession | None = None
        self.reader = ""
        self.threshold = 0.0
        self.ai_visible = True
        self.show_rejected = False
        self.show_proposals = False
        self._store = store
        self._frames = frames
        self._wanted: Position | None = None
        self._tries = 0
        self._direction = 1
        self._sessions: dict[tuple[str, str], ReviewSession] = {}  # by study uid and patient key
        self._seen: dict[ImageKey, Image] = {}  # on the screen since, but not kept yet
        self._kept: dict[tuple[str, int], ImageKey] = {}  # what the store takes an image to be
        self._settling = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settling.timeout.connect(self._keep_some)
        frames.loaded.connect(self._arrived)
        frames.failed.connect(self._unreadable)

    # --- going somewhere -------------------------------------------------------------------------

    def open(self, position: Position) -> None:
        """Go to an image; the screen changes when its frame is there."""
        self._tries = _TRIES
        self._go(position)

    def step(self, by: int) -> None:
        """Images on or back within the series."""
        here = self._wanted or self.position
        if here is not None:
            self._direction = 1 if by > 0 else -1
            there = here.moved(by)
            if there.index != here.index:
                self._go(there)

    def go_to(self, uid: str, frame_number: int) -> None:
        """To an image of the open study, wherever in it."""
        if self.position is None:
            return
        for series in self.position.study.series:
            for index, image in enumerate(series.images):
                if (image.uid, image.frame_number) == (uid, frame_number):
                    self.open(Position(self.position.study, series, index))
                    return

    def study_grew(self, study: Study) -> None:
        """The same study with more images in it: the screen stays, the counts follow."""
        if self._wanted is not None:
            self._wanted = _found_again(self._wanted, study)
        if self.position is not None and study_key(self.position.study) == study_key(study):
            self.position = _found_again(self.position, study)
            self.grown.emit()

    def back_to_start(self, opened: Position) -> None:
        """The series came in piece by piece: show its first image, unless the reader moved on."""
        here = self._wanted or self.position
        untouched = here is not None and place_of(here.image) == place_of(opened.image)
        if here is not None and untouched and here.index > 0:
            self.open(replace(here, index=0))

    def close(self, study: Study) -> None:
        """Let go of a study; everything decided on it is in the store.

        Raises
        ------
        StoreError
            An image that was seen cannot be kept; the study stays open.
        """
        self.keep_all()
        key = study_key(study)
        self._sessions.pop(self._session_key(study.header), None)
        if self._wanted is not None and study_key(self._wanted.study) == key:
            self._wanted = None
        if self.position is not None and study_key(self.position.study) == key:
            self.position = self.loaded = self.session = None
            self.trouble = ""
            self.image_shown.emit()

    def _go(self, position: Position) -> None:
        self._wanted = position
        image = position.image
        around = [position.moved(self._direction * n).image for n in range(1, _AHEAD + 1)]
        behind = [position.moved(-self._direction * n).image for n in range(1, 3)]
        near = [other for other in around + behind if other is not image]
        loaded = self._frames.get(image)
        if loaded is not None:
            self._show(position, loaded)
        self._frames.want(image, near)

    def _arrived(self, image: Image, loaded: Loaded) -> None:
        wanted = self._wanted
        if wanted is None:
            return
        if place_of(wanted.image) == place_of(image):
            self._show(wanted, loaded)
        elif wanted.same_series(self.position):
            # Scrolling faster than frames come: show what there is on the way.
            for index, other in enumerate(wanted.series.images):
                if place_of(other) == place_of(image):
                    self._show(replace(wanted, index=index), loaded, on_the_way=True)
                    break

    def _unreadable(self, image: Image, sentence: str) -> None:
        wanted = self._wanted
        if wanted is None or place_of(wanted.image) != place_of(image):
            return
        self._tries -= 1
        beyond = wanted.moved(1)
        if not wanted.same_series(self.position) and self._tries > 0 and beyond != wanted:
            self._go(beyond)
        elif self.position is None or wanted.same_series(self.position):
            self._wanted = None
            self.position, self.loaded, self.trouble = wanted, None, sentence
            self._use_session(wanted.study.header)
            self.image_shown.emit()
        else:
            self._wanted = None
            self.failed.emit(sentence)

    def _show(self, position: Position, loaded: Loaded, on_the_way: bool = False) -> None:
        if not on_the_way:
            self._wanted = None
        self._use_session(position.study.header)
        self.position, self.loaded, self.trouble = position, loaded, ""
        image = position.image
        key = ImageKey(image.uid, image.frame_number, loaded.frame.pixel_sha256)
        # Of one UID with several pixels, those on the screen are the ones that are kept last.
        self._seen = {
            other: seen
            for other, seen in self._seen.items()
            if (other.uid, other.frame_number) != (key.uid, key.frame_number)
        }
        if self._kept.get((key.uid, key.frame_number)) != key:
            self._seen[key] = image
            self._settling.start(_SETTLE_MS)  # a commit for each image would make scrolling stall
        self.image_shown.emit()

    def _keep_some(self) -> None:
        """Keep a few images that were seen, then let the window breathe."""
        try:
            self.keep(*list(self._seen)[:_LOT])
        except StoreError as error:
            self._seen.clear()
            self.failed.emit(str(error))
        if self._seen:
            self._settling.start(0)

    def keep(self, *keys: ImageKey) -> None:
        """Have the store know images that are seen, which a decision or a run may now refer to.

        Raises
        ------
        StoreError
            They cannot be written.
        """
        lots: dict[ReviewSession, list[tuple[Image, str]]] = {}
        for key in keys:
            if key in self._seen:
                image = self._seen[key]
                lots.setdefault(self.session_of(image.study), []).append((image, key.pixel_sha256))
        for session, lot in lots.items():
            session.remember_images(lot)
            for image, pixel_sha256 in lot:
                key = ImageKey(image.uid, image.frame_number, pixel_sha256)
                self._seen.pop(key, None)
                self._kept[image.uid, image.frame_number] = key

    def keep_all(self) -> None:
        """The same for every image seen so far: a signature covers them."""
        self.keep(*self._seen)

    # --- the review session ----------------------------------------------------------------------

    @property
    def image(self) -> Image | None:
        return None if self.position is None else self.position.image

    @property
    def key(self) -> ImageKey | None:
        """What a decision made now belongs to; None while no picture is on the screen."""
        if self.position is None or self.loaded is None:
            return None
        image = self.position.image
        return ImageKey(image.uid, image.frame_number, self.loaded.frame.pixel_sha256)

    def session_of(self, study: StudyHeader) -> ReviewSession:
        """The session of a study, the one on the screen or another one that was opened."""
        key = self._session_key(study)
        session = self._sessions.get(key)
        if session is None:
            session = ReviewSession(self._store, study.uid, self.reader, patient_key=key[1])
            session.subscribe(self._teller(session))
            self._sessions[key] = session
        return session

    def _session_key(self, study: StudyHeader) -> tuple[str, str]:
        return study.uid, self._store.patient_key(study)

    def set_reader(self, name: str) -> None:
        """Decisions from now on are this reader's."""
        self.reader = name
        self.reload()

    def reload(self) -> None:
        """Read the open studies from the store again."""
        self._sessions.clear()  # what they held is in the store, committed
        self.session = None
        if self.position is not None:
            self._use_session(self.position.study.header)
            self.changed.emit()

    def set_threshold(self, threshold: float) -> None:
        """For this study and those opened after it."""
        self.threshold = min(max(round(threshold, 4), 0.0), 1.0)
        self._put_in_force()

    def move_threshold(self, by: float) -> None:
        self.set_threshold(self.threshold + by)

    def toggle_marks(self) -> None:
        """Hide or show the detector's undecided boxes."""
        self.ai_visible = not self.ai_visible
        self._put_in_force()

    def toggle_rejected(self) -> None:
        self.show_rejected = not self.show_rejected
        self._put_in_force()

    def toggle_proposals(self) -> None:
        """Hide or show the regions that a two-stage detector looked at."""
        self.show_proposals = not self.show_proposals
        self.changed.emit()

    def _put_in_force(self) -> None:
        if self.session is None:
            self.changed.emit()
            return
        self.session.threshold = self.threshold
        self.session.ai_visible = self.ai_visible
        self.session.show_rejected = self.show_rejected

    def _use_session(self, study: StudyHeader) -> None:
        session = self.session_of(study)
        if session is self.session:
            return
        self.session = None  # silent while it takes over what is in force in the window
        session.threshold = self.threshold
        session.ai_visible = self.ai_visible
        session.show_rejected = self.show_rejected
        self.session = session

    def _teller(self, session: ReviewSession) -> Callable[[], None]:
        def tell() -> None:
            if session is self.session:
                self.changed.emit()

        return tell


def _found_again(position: Position, study: Study) -> Position:
    if study_key(position.study) != study_key(study):
        return position
    place = place_of(position.image)
    for series in study.series:
        for index, image in enumerate(series.images):
            if place_of(image) == place:
                return Position(study, series, index)
    return position
