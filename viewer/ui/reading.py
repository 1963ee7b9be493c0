"""What is being read: the image in the active viewport, and the review session of its study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from viewer.dicom.model import Image, ImageKey, Study
from viewer.errors import ViewerError
from viewer.review.finding import Finding
from viewer.review.session import ReviewSession
from viewer.review.thresholds import Thresholds
from viewer.ui.frames import Frames, Loaded, place_of
from viewer.ui.position import Position, find_image
from viewer.ui.sessions import Sessions
from viewer.ui.showing import Showing

if TYPE_CHECKING:
    from viewer.review.store import Store


class Reading(QObject):
    """The image that decisions are for: that of the active viewport, never of another one.

    Attributes
    ----------
    showings : what each viewport shows.
    showing : that of the active one.
    in_sight : those of the viewports in the layout.
    session : the review session of its study.
    """

    shown = Signal(object)  # Showing: this viewport has another image, or says why it does not
    turned = Signal()  # another viewport is the active one
    image_shown = Signal()  # the active viewport has another image, or another one is active
    grown = Signal()  # a study on the screen has more images than before
    changed = Signal()  # a decision, the threshold or what is visible changed
    failed = Signal(str)  # a series could not be opened; the screen is as it was

    def __init__(self, store: Store, frames: Frames, parent: QObject) -> None:
        super().__init__(parent)
        self.session: ReviewSession | None = None
        self.thresholds = Thresholds(0.0)
        self.ai_visible = True
        self.show_rejected = False
        self.show_proposals = False
        self.sessions = Sessions(store, self)
        self.sessions.told.connect(self._told)
        self.sessions.failed.connect(self.failed)
        self._frames = frames
        self.showings: list[Showing] = []
        self.in_sight: tuple[Showing, ...] = ()
        self.showing = self.add_showing()

    def add_showing(self) -> Showing:
        """What one more viewport shows: nothing yet."""
        showing = Showing(self._frames, self)
        showing.shown.connect(lambda: self._shown(showing))
        showing.identified.connect(lambda: self._identified(showing))
        showing.failed.connect(self.failed)
        self.showings.append(showing)
        return showing

    def turn_to(self, showing: Showing) -> None:
        """Decide on what this viewport shows from now on."""
        if showing is not self.showing:
            self.showing = showing
            self._frames.put_first(showing)
            self._use_session()
            self.turned.emit()
            self.image_shown.emit()

    @property
    def position(self) -> Position | None:
        return self.showing.position

    @property
    def loaded(self) -> Loaded | None:
        return self.showing.loaded

    @property
    def trouble(self) -> str:
        return self.showing.trouble

    @property
    def image(self) -> Image | None:
        return self.showing.image

    @property
    def key(self) -> ImageKey | None:
        """What a decision made now belongs to; as ``Showing.key``."""
        return self.showing.key

    # --- going somewhere -------------------------------------------------------------------------

    def open(self, position: Position) -> None:
        """Go to an image; the screen changes when its frame is there."""
        self.showing.open(position)

    def step(self, by: int) -> None:
        """Images on or back within the series."""
        self.showing.step(by)

    def go_to(self, uid: str, frame_number: int) -> None:
        """To an image of the open study, wherever in it; to the viewport that has it already."""
        if self.position is None:
            return
        there = find_image(self.position.study, uid, frame_number)
        if there is None:
            return
        for showing in self.in_sight:
            if showing.image is not None and place_of(showing.image) == place_of(there.image):
                self.turn_to(showing)
                return
        self.open(there)

    def study_grew(self, study: Study) -> None:
        """A study with more images in it: the screen stays, the counts follow."""
        if [showing for showing in self.showings if showing.study_grew(study)]:
            self.grown.emit()

    def close(self, study: Study) -> None:
        """Let go of a study, in every viewport; everything decided on it is in the store.

        Raises
        ------
        StoreError
            An image that was seen cannot be kept; the study stays open.
        """
        self.sessions.keep_all()
        self.sessions.drop(study.header)
        for showing in self.showings:
            showing.let_go(study)

    def _note_seen(self, showing: Showing) -> None:
        key, image = showing.key, showing.image
        if key is not None and image is not None:
            self.sessions.note_seen(key, image)

    def _identified(self, showing: Showing) -> None:
        """A picture that is on the screen already can be decided on from now on."""
        self._note_seen(showing)
        if showing is self.showing:
            self.image_shown.emit()
        self.changed.emit()

    def _shown(self, showing: Showing) -> None:
        """A viewport has another image: note that it was seen, then tell."""
        self._note_seen(showing)
        if showing is self.showing:
            self._use_session()
        self.shown.emit(showing)
        if showing is self.showing:
            self.image_shown.emit()

    def set_reader(self, name: str) -> None:
        """Decisions from now on are this reader's."""
        self.sessions.reader = name
        self.reload()

    def reload(self) -> None:
        """Read the open studies from the store again."""
        self.sessions.drop_all()  # what they held is in the store, committed
        self.session = None
        if self.position is not None:
            self._use_session()
            self.changed.emit()

    @property
    def blind(self) -> bool:
        """Nothing of the detector may be seen of the study in the active viewport."""
        return self.session is not None and self.session.blind

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """For this study and those opened after it."""
        self.thresholds = thresholds
        self._put_in_force()

    def set_threshold(self, threshold: float, category: str | None = None) -> None:
        """Move that of all categories, or give one its own."""
        self.set_thresholds(self.thresholds.moved(threshold, category))

    def move_threshold(self, by: float) -> None:
        self.set_threshold(self.thresholds.default + by)

    def toggle_marks(self) -> None:
        """Hide or show the detector's undecided boxes.

        Raises
        ------
        ViewerError
            The study is read blind.
        """
        if self.blind:
            raise ViewerError(
                "This study is read blind: its AI marks are hidden until you sign your first read "
                "(Ctrl+Enter)."
            )
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
        self.session.thresholds = self.thresholds
        self.session.ai_visible = self.ai_visible
        self.session.show_rejected = self.show_rejected

    def findings_in(self, showing: Showing) -> tuple[Finding, ...]:
        """The visible findings of what a viewport shows, under the threshold of the window."""
        if showing.position is None or showing.key is None:
            return ()
        session = self.sessions.of(showing.position.study.header)
        if session is not self.session:
            self._take_over(session)
        return tuple(found for found in session.shown() if found.image == showing.key)

    def _use_session(self) -> None:
        """The session of the study in the active viewport."""
        session = None if self.position is None else self.sessions.of(self.position.study.header)
        if session is self.session:
            return
        self.session = None  # silent while it takes over what is in force in the window
        if session is not None:
            self._take_over(session)
        self.session = session

    def _take_over(self, session: ReviewSession) -> None:
        session.thresholds = self.thresholds
        session.ai_visible = self.ai_visible
        session.show_rejected = self.show_rejected

    def _told(self, session: ReviewSession) -> None:
        if session is self.session:
            self.changed.emit()
