"""Decoded frames: asked for one at a time, the neighbours after them, kept within a bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from viewer.dicom import voi
from viewer.dicom.model import Frame, Image, Voi
from viewer.errors import Cancelled, ViewerError
from viewer.ui.jobs import Jobs, Report

CACHE_BYTES = 512 * 2**20

SLOT = "frames"


@dataclass(frozen=True, eq=False)
class Loaded:
    """A frame with the window to show it in at first (None: colour, shown as it is)."""

    frame: Frame
    voi: Voi | None


Place = tuple[Path, str, int]


def place_of(image: Image) -> Place:
    """Where the pixels lie: two files may claim one UID and hold different pixels."""
    return image.path, image.member, image.frame_number


class FrameCache:
    """The frames used last, as many as fit into ``limit`` bytes."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._frames: OrderedDict[Place, Loaded] = OrderedDict()
        self.bytes = 0

    def get(self, image: Image) -> Loaded | None:
        loaded = self._frames.get(place_of(image))
        if loaded is not None:
            self._frames.move_to_end(place_of(image))
        return loaded

    def put(self, image: Image, loaded: Loaded) -> None:
        old = self._frames.pop(place_of(image), None)
        if old is not None:
            self.bytes -= old.frame.values.nbytes
        self._frames[place_of(image)] = loaded
        self.bytes += loaded.frame.values.nbytes
        while self.bytes > self._limit and len(self._frames) > 1:
            _, dropped = self._frames.popitem(last=False)
            self.bytes -= dropped.frame.values.nbytes

    def __contains__(self, image: Image) -> bool:
        return place_of(image) in self._frames


class Frames(QObject):
    """Brings frames: the one wanted first, then its neighbours while nothing else is wanted.

    One frame is decoded at a time and none is thrown away once decoded, so that fast scrolling
    shows every frame the machine manages instead of none.
    """

    loaded = Signal(object, object)  # Image, Loaded
    failed = Signal(object, str)  # Image, sentence; only for the image that is wanted

    def __init__(self, jobs: Jobs, decode: Callable[[Image], Frame], parent: QObject) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._decode = decode
        self._cache = FrameCache()
        self._wanted: Image | None = None
        self._neighbours: tuple[Image, ...] = ()
        self._broken: set[Place] = set()  # not fetched ahead again

    def get(self, image: Image) -> Loaded | None:
        """The frame, if it is here already."""
        return self._cache.get(image)

    def want(self, image: Image, neighbours: Sequence[Image] = ()) -> None:
        """Bring this frame next, then its neighbours."""
        self._wanted = None if image in self._cache else image
        self._neighbours = tuple(neighbours)
        self._next()

    def _next(self) -> None:
        if self._jobs.busy(SLOT):
            return
        image = self._wanted or next(
            (
                near
                for near in self._neighbours
                if near not in self._cache and place_of(near) not in self._broken
            ),
            None,
        )
        if image is None:
            return
        asked = image

        def work(_report: Report) -> Loaded:
            frame = self._decode(asked)
            # The first window of a large frame takes percentiles: not on the window's thread.
            return Loaded(frame, None if frame.is_colour else voi.default_voi(frame))

        self._jobs.submit(
            SLOT,
            work,
            lambda loaded: self._arrived(asked, loaded),
            lambda error: self._failed(asked, error),
        )

    def _arrived(self, image: Image, loaded: Loaded) -> None:
        self._cache.put(image, loaded)
        self._broken.discard(place_of(image))
        if self._wanted is not None and place_of(self._wanted) == place_of(image):
            self._wanted = None
        self.loaded.emit(image, loaded)
        self._next()

    def _failed(self, image: Image, error: ViewerError) -> None:
        self._broken.add(place_of(image))
        wanted = self._wanted is not None and place_of(self._wanted) == place_of(image)
        if wanted:
            self._wanted = None
        if wanted and not isinstance(error, Cancelled):
            self.failed.emit(image, str(error))
        self._next()
