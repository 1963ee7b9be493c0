"""Decoded frames: the one that is wanted first, the neighbours after it, kept within a bound."""

from __future__ import annotations

import os
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from viewer.dicom import voi
from viewer.dicom.model import Frame, Image, Voi
from viewer.dicom.pixel_hash import with_hash
from viewer.errors import Cancelled, ViewerError
from viewer.ui.jobs import Jobs, Report

CACHE_BYTES = 512 * 2**20

# One lot at a time each: as many as there are processors, and children to feed.
LANES = tuple(f"frames {number}" for number in range(1, 1 + min(4, os.cpu_count() or 1)))

_LARGE_PIXELS = 4_000_000  # decoding takes so long that fetching ahead must leave a lane free
_LOT_SECONDS = 0.02  # for what is fetched ahead together: as long as what is wanted may wait
_HASHED_WHEN_SHOWN = 1_000_000  # pixels at most: 2 ms


@dataclass(frozen=True, eq=False)
class Loaded:
    """A frame with the window to show it in at first (None: colour, shown as it is).

    Its hash may be still to come; ``Frames.hashed`` makes it.
    """

    frame: Frame
    voi: Voi | None


Decode = Callable[[Sequence[Image]], Sequence[Frame | ViewerError]]
"""Brings several frames; for each the frame, or why there is none. May leave hashes for later."""

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
            self.bytes -= old.frame.nbytes
        self._frames[place_of(image)] = loaded
        self.bytes += loaded.frame.nbytes
        while self.bytes > self._limit and len(self._frames) > 1:
            _, dropped = self._frames.popitem(last=False)
            self.bytes -= dropped.frame.nbytes

    def drop(self, places: Iterable[Place]) -> None:
        for place in places:
            loaded = self._frames.pop(place, None)
            if loaded is not None:
                self.bytes -= loaded.frame.nbytes

    def __contains__(self, image: Image) -> bool:
        return place_of(image) in self._frames


@dataclass(slots=True)
class _Wish:
    """What one viewport waits for, and what it is likely to want next."""

    image: Image | None = None
    neighbours: deque[Image] = field(default_factory=deque)  # those that are here are taken off


class Frames(QObject):
    """Brings frames: those that are wanted first, then their neighbours.

    Each viewport has one wish; of several, the one put first is served first. No frame is thrown
    away once decoded, so that fast scrolling shows every frame the machine manages instead of
    none. What is fetched ahead fits into the memory that frames may take, or it would never end.
    """

    loaded = Signal(object, object)  # Image, Loaded; again with its hash where that came later
    failed = Signal(object, str)  # Image, sentence; only for an image that is wanted

    def __init__(self, jobs: Jobs, decode: Decode, parent: QObject) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._decode = decode
        self._cache = FrameCache()
        self._wishes: OrderedDict[object, _Wish] = OrderedDict()  # in the order of their serving
        self._broken: set[Place] = set()  # not fetched ahead again
        self._under_way: set[Place] = set()
        self._pace = 1.0  # seconds that a pixel took last

    def get(self, image: Image) -> Loaded | None:
        """The frame, if it is here already."""
        return self._cache.get(image)

    def hashed(self, image: Image, loaded: Loaded) -> Loaded:
        """A frame that is shown, with its hash; that of a large one comes by itself."""
        if loaded.frame.pixel_sha256 or _is_hashed_ahead(image):
            return loaded
        known = _with_hash(loaded)
        if image in self._cache:
            self._cache.put(image, known)
        return known

    def keep(self, image: Image, loaded: Loaded) -> None:
        """Take in a frame that somebody else has brought, in place of one here or under way."""
        self._cache.put(image, loaded)
        self._under_way.discard(place_of(image))
        if self._granted(image):
            self.loaded.emit(image, loaded)

    def want(self, who: object, image: Image, neighbours: Sequence[Image] = ()) -> None:
        """Bring this frame for ``who`` in place of the wish before, then its neighbours."""
        wish = self._wishes.setdefault(who, _Wish())
        wish.image = None if image in self._cache else image
        room = CACHE_BYTES // len(self._wishes) // max(1, _most_bytes(image))
        wish.neighbours = deque(neighbours[:room])
        self._next()

    def forget(self, images: Iterable[Image]) -> None:
        """Keep nothing of these, and bring none of them."""
        places = {place_of(image) for image in images}
        self._cache.drop(places)
        self._under_way -= places
        for wish in self._wishes.values():
            if wish.image is not None and place_of(wish.image) in places:
                wish.image = None
            wish.neighbours = deque(
                near for near in wish.neighbours if place_of(near) not in places
            )

    def put_first(self, who: object) -> None:
        """Serve ``who`` before all others from now on."""
        self._wishes.setdefault(who, _Wish())
        self._wishes.move_to_end(who, last=False)

    def _following(self) -> list[Image]:
        """What to decode next: what somebody waits for, else what somebody may want soon."""
        for wish in self._wishes.values():
            if wish.image is not None and place_of(wish.image) not in self._under_way:
                return [wish.image]
        lot: list[Image] = []
        pixels, room = 0, min(_LOT_SECONDS / self._pace, _LARGE_PIXELS)
        for wish in self._wishes.values():
            while wish.neighbours and pixels < room:
                near = wish.neighbours[0]
                place, size = place_of(near), near.rows * near.columns
                if place in self._broken or place in self._under_way or near in self._cache:
                    wish.neighbours.popleft()
                elif size > _LARGE_PIXELS and self._under_way:
                    return lot
                else:
                    lot.append(wish.neighbours.popleft())
                    pixels += size
        return lot

    def _next(self) -> None:
        for lane in LANES:
            if not self._jobs.busy(lane):
                lot = self._following()
                if not lot:
                    return
                self._bring(lane, lot)

    def _bring(self, lane: str, lot: list[Image]) -> None:
        def work(report: Report) -> list[Loaded | ViewerError]:
            began = time.monotonic()
            found = list(map(_loaded, self._decode(lot)))
            pixels = sum(image.rows * image.columns for image in lot)
            self._pace = max(1e-9, (time.monotonic() - began) / max(1, pixels))
            for index, (image, loaded) in enumerate(zip(lot, found, strict=True)):
                if isinstance(loaded, Loaded) and _is_hashed_ahead(image):
                    report((image, loaded))  # the picture need not wait for its hash
                    found[index] = _with_hash(loaded)
            return found

        self._under_way.update(map(place_of, lot))
        self._jobs.submit(
            lane,
            work,
            lambda found: self._arrived(lot, found),
            lambda error: self._arrived(lot, [error] * len(lot)),
            lambda came: self._came_first(*came),
        )

    def _came_first(self, image: Image, loaded: Loaded) -> None:
        """A picture that somebody waits for is there, its hash is not."""
        if not loaded.frame.pixel_sha256 and self._waiting_for(image):
            self.loaded.emit(image, loaded)

    def _arrived(self, lot: Sequence[Image], found: Sequence[Loaded | ViewerError]) -> None:
        for image, loaded in zip(lot, found, strict=True):
            if isinstance(loaded, ViewerError):
                self._failed(image, loaded)
            elif place_of(image) in self._under_way:  # else it was forgotten meanwhile
                self._under_way.discard(place_of(image))
                self._cache.put(image, loaded)
                self._broken.discard(place_of(image))
                self._granted(image)
                self.loaded.emit(image, loaded)
        self._next()

    def _failed(self, image: Image, error: ViewerError) -> None:
        self._under_way.discard(place_of(image))
        self._broken.add(place_of(image))
        if self._granted(image) and not isinstance(error, Cancelled):
            self.failed.emit(image, str(error))

    def _granted(self, image: Image) -> bool:
        """Strike an image off all wishes; False where nobody waited for it."""
        waiting = self._waiting_for(image)
        for wish in waiting:
            wish.image = None
        return bool(waiting)

    def _waiting_for(self, image: Image) -> list[_Wish]:
        place = place_of(image)
        return [
            wish
            for wish in self._wishes.values()
            if wish.image is not None and place_of(wish.image) == place
        ]


def _loaded(frame: Frame | ViewerError) -> Loaded | ViewerError:
    if isinstance(frame, ViewerError):
        return frame
    # The first window of a large frame takes percentiles: not on the window's thread.
    return Loaded(frame, None if frame.is_colour else voi.default_voi(frame))


def _with_hash(loaded: Loaded) -> Loaded:
    return Loaded(with_hash(loaded.frame), loaded.voi)


def _is_hashed_ahead(image: Image) -> bool:
    """Whether hashing the frame takes too long for the window's thread."""
    return image.rows * image.columns > _HASHED_WHEN_SHOWN


def _most_bytes(image: Image) -> int:
    """What its frame takes in memory: 4 bytes where grey values came out as fractions."""
    return image.rows * image.columns * (3 if image.is_colour else 4)
