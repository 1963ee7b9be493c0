"""The review sessions of the studies that are open, and which of their images were seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from detector.types import Detections
from viewer.dicom.model import Image, ImageKey, StudyHeader
from viewer.errors import StoreError
from viewer.review.adjudication import Adjudication
from viewer.review.finding import Mode
from viewer.review.session import ReviewSession
from viewer.review.study_log import run_of

if TYPE_CHECKING:
    from viewer.review.store import Store

_SETTLE_MS = 150  # after the last image of a scroll, before what was seen is kept
_LOT = 8  # images kept at a time: some 20 ms


class Sessions(QObject):
    """One session for each study and patient, made when it is first asked for.

    Attributes
    ----------
    reader : whose decisions those of a session made from now on are.
    mode : how studies are read that are opened from now on.
    """

    told = Signal(object)  # ReviewSession: something of it has changed
    failed = Signal(str)  # what was seen could not be kept

    def __init__(self, store: Store, parent: QObject) -> None:
        super().__init__(parent)
        self.reader = ""
        self.mode = Mode.CONCURRENT
        self._store = store
        # Reader, study and patient of what was open with marks: that cannot be read blind any more.
        self._open_with_marks: set[tuple[str, str, str]] = set()
        self._sessions: dict[tuple[str, str], ReviewSession] = {}  # by study uid and patient key
        self._seen: dict[ImageKey, Image] = {}  # on the screen since, but not kept yet
        self._kept: dict[tuple[str, int], ImageKey] = {}  # what the store takes an image to be
        self._settling = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settling.timeout.connect(self._keep_some)

    def of(self, study: StudyHeader) -> ReviewSession:
        """The session of a study, on the screen or not."""
        key = self._key(study)
        session = self._sessions.get(key)
        if session is None:
            had_marks = (self.reader, *key) in self._open_with_marks
            mode = Mode.CONCURRENT if had_marks else self.mode
            session = ReviewSession(
                self._store, study.uid, self.reader, patient_key=key[1], mode=mode
            )
            self._note_mode(key, session)
            session.subscribe(self._teller(session))
            self._sessions[key] = session
        return session

    def choose_mode(self, mode: Mode) -> None:
        """Read blind first, or with the marks from the start, what is opened from now on.

        A study that is open with its marks stays so; a blind reading that nobody began yet is
        given up where ``mode`` says so.
        """
        self.mode = mode
        if mode is Mode.CONCURRENT:
            for key, session in self._sessions.items():
                session.read_concurrently()
                self._note_mode(key, session)

    def _note_mode(self, key: tuple[str, str], session: ReviewSession) -> None:
        if not session.blind:
            self._open_with_marks.add((session.reader, *key))

    def adjudication(self, study: StudyHeader) -> Adjudication:
        """The consensus on a study, read from the store as it is now."""
        uid, patient_key = self._key(study)
        return Adjudication(self._store, uid, self.reader, patient_key)

    def drop(self, study: StudyHeader) -> None:
        """A study was closed; what was decided on it is in the store."""
        self._sessions.pop(self._key(study), None)

    def drop_all(self) -> None:
        """Read all of them from the store again, when they are asked for."""
        self._sessions.clear()

    def reload(self, study_uid: str, patient_key: str) -> None:
        """A study was written to beside the window; if it is open, read it again."""
        session = self._sessions.get((study_uid, patient_key))
        if session is not None:
            session.reload()

    def analysed_by(self, key: ImageKey, weights_sha256: str) -> bool:
        """Whether the latest run over these pixels is of this model."""
        return self._store.analysed_by(key, weights_sha256)

    def add_ahead(
        self, image: Image, key: ImageKey, detections: Detections, threshold: float | None
    ) -> None:
        """Keep a run over an image that is not on the screen yet.

        Raises
        ------
        StoreError
        """
        self._store.remember_images([(image, key.pixel_sha256)], shown=False)
        self._store.record_run(run_of(key, detections, threshold), detections.detections)
        self.reload(*self._key(image.study))

    def _key(self, study: StudyHeader) -> tuple[str, str]:
        return study.uid, self._store.patient_key(study)

    def _teller(self, session: ReviewSession) -> Callable[[], None]:
        return lambda: self.told.emit(session)

    # --- what was seen ---------------------------------------------------------------------------

    def note_seen(self, key: ImageKey, image: Image) -> None:
        """An image is on the screen with these pixels; it is kept a moment later."""
        # Of one UID with several pixels, those on the screen are the ones that are kept last.
        self._seen = {
            other: seen
            for other, seen in self._seen.items()
            if (other.uid, other.frame_number) != (key.uid, key.frame_number)
        }
        if self._kept.get((key.uid, key.frame_number)) != key:
            self._seen[key] = image
            self._settling.start(_SETTLE_MS)  # a commit for each image would make scrolling stall

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
                lots.setdefault(self.of(image.study), []).append((image, key.pixel_sha256))
        for session, lot in lots.items():
            session.remember_images(lot)
            for image, pixel_sha256 in lot:
                key = ImageKey(image.uid, image.frame_number, pixel_sha256)
                self._seen.pop(key, None)
                self._kept[image.uid, image.frame_number] = key

    def keep_all(self) -> None:
        """The same for every image seen so far: a signature covers them."""
        self.keep(*self._seen)
