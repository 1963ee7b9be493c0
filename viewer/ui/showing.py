"""What one viewport shows: an image, and the one that is on its way there."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from viewer.dicom.model import Image, ImageKey, Kind, Study
from viewer.ui.frames import Frames, Loaded, place_of
from viewer.ui.position import Position, study_key

_AHEAD = 4  # frames fetched first beyond the one on the screen, where the reader moves to
_BEHIND = 2  # and on the other side
_TRIES = 3  # unreadable images passed over when a series is opened


class Showing(QObject):
    """One open image. Another one takes its place only when its frame is decoded.

    Attributes
    ----------
    position : what is on the screen, or None.
    loaded : its frame; None where it could not be decoded, and then ``trouble`` says why.
    """

    shown = Signal()  # the screen shows another image, or why it does not
    identified = Signal()  # the hash of a large frame is there, a moment after its picture
    failed = Signal(str)  # a series could not be opened; the screen is as it was

    def __init__(self, frames: Frames, parent: QObject) -> None:
        super().__init__(parent)
        self.position: Position | None = None
        self.loaded: Loaded | None = None
        self.trouble = ""
        self._frames = frames
        self._wanted: Position | None = None
        self._tries = 0
        self._direction = 1
        frames.loaded.connect(self._arrived)
        frames.failed.connect(self._unreadable)

    @property
    def image(self) -> Image | None:
        return None if self.position is None else self.position.image

    @property
    def key(self) -> ImageKey | None:
        """What a decision made here belongs to; None while no picture is on the screen.

        And in the moment between a large picture and its hash.
        """
        if self.position is None or self.loaded is None or not self.loaded.frame.pixel_sha256:
            return None
        image = self.position.image
        if image.kind is not Kind.IMAGE:  # nobody decides on a document or a mask
            return None
        return ImageKey(image.uid, image.frame_number, self.loaded.frame.pixel_sha256)

    @property
    def heading_for(self) -> Position | None:
        """Where the reader is going, which may not be on the screen yet."""
        return self._wanted or self.position

    def open(self, position: Position) -> None:
        """Go to an image; the screen changes when its frame is there."""
        self._tries = _TRIES
        self._go(position)

    def step(self, by: int) -> None:
        """Images on or back within the series."""
        here = self.heading_for
        if here is not None:
            self._direction = 1 if by > 0 else -1
            there = here.moved(by)
            if there.index != here.index:
                self._go(there)

    def study_grew(self, study: Study) -> bool:
        """The same study with more images in it: the screen stays. True where it is shown here."""
        key = study_key(study)
        if self._wanted is not None:
            self._wanted = self._wanted.found_again(study)
        is_here = self.position is not None and study_key(self.position.study) == key
        if self.position is not None:
            self.position = self.position.found_again(study)
        there = self.heading_for
        if there is not None and study_key(there.study) == key and there.image.kind.has_picture:
            self._frames.want(self, there.image, self._likely_next(there))
        return is_here

    def back_to_start(self, opened: Position) -> None:
        """The series came in piece by piece: show its first image, unless the reader moved on."""
        here = self.heading_for
        untouched = here is not None and place_of(here.image) == place_of(opened.image)
        if here is not None and untouched and here.index > 0:
            self.open(replace(here, index=0))

    def let_go(self, study: Study) -> None:
        """Show nothing of this study any more."""
        key = study_key(study)
        if self._wanted is not None and study_key(self._wanted.study) == key:
            self._wanted = None
        if self.position is not None and study_key(self.position.study) == key:
            self.position = self.loaded = None
            self.trouble = ""
            self.shown.emit()

    def _go(self, position: Position) -> None:
        image = position.image
        if not image.kind.has_picture:
            self._wanted = None
            self.position, self.loaded, self.trouble = position, None, ""
            self.shown.emit()
            return
        self._wanted = position
        loaded = self._frames.get(image)
        if loaded is not None:
            self._show(position, loaded)
        self._frames.want(self, image, self._likely_next(position))

    def _likely_next(self, position: Position) -> tuple[Image, ...]:
        """The rest of the series in the order in which the reader may want it."""
        images, index = position.series.images, position.index
        ahead, behind = images[index + 1 :], images[:index][::-1]
        if self._direction < 0:
            ahead, behind = behind, ahead
        rest = ahead[_AHEAD:] + behind[_BEHIND:]
        likely = ahead[:_AHEAD] + behind[:_BEHIND] + rest
        return tuple(image for image in likely if image.kind.has_picture)

    def _arrived(self, image: Image, loaded: Loaded) -> None:
        if self._is_unidentified(image) and loaded.frame.pixel_sha256:
            self.loaded = loaded
            self.identified.emit()
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

    def _is_unidentified(self, image: Image) -> bool:
        """Whether this image is on the screen and its hash is still to come."""
        return (
            self.position is not None
            and self.loaded is not None
            and place_of(self.position.image) == place_of(image)
            and not self.loaded.frame.pixel_sha256
        )

    def _unreadable(self, image: Image, sentence: str) -> None:
        if self._is_unidentified(image):  # a picture on which nobody can decide
            self.loaded, self.trouble = None, sentence
            self.shown.emit()
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
            self.shown.emit()
        else:
            self._wanted = None
            self.failed.emit(sentence)

    def _show(self, position: Position, loaded: Loaded, on_the_way: bool = False) -> None:
        if not on_the_way:
            self._wanted = None
        self.position, self.trouble = position, ""
        self.loaded = self._frames.hashed(position.image, loaded)
        self.shown.emit()
