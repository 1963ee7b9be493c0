"""Presentation states, segmentations and reports of the open studies, read as they are needed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from viewer.dicom.model import Image, Kind, Study
from viewer.dicom.objects import Report, Segmentation, Softcopy
from viewer.dicom.segment_places import PlacedMasks
from viewer.errors import Cancelled, ViewerError
from viewer.ui.frames import Place, place_of
from viewer.ui.jobs import Jobs
from viewer.ui.jobs import Report as Progress
from viewer.ui.position import StudyKey, study_key

SLOT = "objects"

_KEPT = 64  # of each kind; a lookup table may hold a megabyte
_WAITING = 16  # what was scrolled past is not read


@dataclass(frozen=True, slots=True)
class ObjectReaders:
    """What the decode worker reads for it; each waits, and raises ViewerError."""

    report: Callable[[Image], Report]
    softcopy: Callable[[Image, Image], Softcopy]
    segmentation: Callable[[Image], Segmentation]


Key = tuple[Place, ...]
Content = Report | Softcopy | PlacedMasks


class Objects(QObject):
    """A bounded store that reads one object at a time, the newest wish first.

    ``report``, ``softcopy`` and ``segmentation`` answer at once: with what was read, with the
    sentence why it cannot be, or with None while it is on its way; ``arrived`` says when to ask
    again.
    """

    arrived = Signal()

    def __init__(self, jobs: Jobs, readers: ObjectReaders, parent: QObject) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._readers = readers
        self._contents: OrderedDict[Key, Content | str] = OrderedDict()
        self._waiting: OrderedDict[Key, Callable[[], Content]] = OrderedDict()
        self._awaited: set[Key] = set()  # somebody shows what is there without it
        self._read_now: Key | None = None
        self._indexes: dict[StudyKey, _Index] = {}

    # --- what there is ---------------------------------------------------------------------------

    def states_of(self, study: Study, image: Image) -> tuple[Image, ...]:
        """The presentation states that name an image, in the order of their series."""
        return self._index(study).states.get(image.uid, ())

    def segmentations_of(self, study: Study, image: Image) -> tuple[Image, ...]:
        """The segmentations that name an image, or say nothing and share its frame of reference."""
        return tuple(
            each
            for each in self._index(study).segmentations
            if image.uid in each.references
            or (
                not each.references
                and image.acquisition.frame_of_reference
                and each.acquisition.frame_of_reference == image.acquisition.frame_of_reference
            )
        )

    def forget(self, study: Study) -> None:
        """A study was closed: nothing of it is kept."""
        self._indexes.pop(study_key(study), None)
        gone = {place_of(image) for series in study.series for image in series.images}
        for store in (self._contents, self._waiting):
            for key in [key for key in store if gone.intersection(key)]:
                del store[key]

    # --- what is in it ---------------------------------------------------------------------------

    def report(self, image: Image) -> Report | str | None:
        """The text of a report, or of what a presentation state holds."""
        found = self._get((place_of(image),), lambda: self._readers.report(image))
        assert not isinstance(found, Softcopy | PlacedMasks)
        return found

    def softcopy(self, state: Image, image: Image, *, ahead: bool = False) -> Softcopy | str | None:
        """How a presentation state wants an image to be seen; ``ahead`` of its being shown."""
        key = place_of(state), place_of(image)
        found = self._get(key, lambda: self._readers.softcopy(state, image), ahead=ahead)
        assert not isinstance(found, Report | PlacedMasks)
        return found

    def segmentation(self, image: Image) -> PlacedMasks | str | None:
        """All segments of a segmentation, by whichever of its frames."""
        image = replace(image, frame_number=1)
        key = (place_of(image),)
        found = self._get(key, lambda: PlacedMasks(self._readers.segmentation(image)))
        assert not isinstance(found, Softcopy | Report)
        return found

    def _get(
        self, key: Key, read: Callable[[], Content], *, ahead: bool = False
    ) -> Content | str | None:
        found = self._contents.get(key)
        if found is not None:
            self._contents.move_to_end(key)
            return found
        if not ahead:
            self._awaited.add(key)
        if key == self._read_now:
            return None
        self._waiting[key] = read
        self._waiting.move_to_end(key)
        while len(self._waiting) > _WAITING:
            dropped, _ = self._waiting.popitem(last=False)
            self._awaited.discard(dropped)
        self._next()
        return None

    def _next(self) -> None:
        if self._jobs.busy(SLOT) or not self._waiting:
            return
        key, read = self._waiting.popitem()
        self._read_now = key

        def work(_progress: Progress) -> Content:
            return read()

        self._jobs.submit(
            SLOT,
            work,
            lambda content: self._keep(key, content),
            lambda error: self._failed(key, error),
        )

    def _failed(self, key: Key, error: ViewerError) -> None:
        if isinstance(error, Cancelled):
            self._read_now = None
        else:
            self._keep(key, str(error))

    def _keep(self, key: Key, content: Content | str) -> None:
        self._read_now = None
        self._contents[key] = content
        while len(self._contents) > _KEPT:
            self._contents.popitem(last=False)
        if key in self._awaited:
            self._awaited.discard(key)
            self.arrived.emit()
        self._next()

    def _index(self, study: Study) -> _Index:
        index = self._indexes.get(study_key(study))
        if index is None or index.study is not study:
            index = self._indexes[study_key(study)] = _Index(study)
        return index


class _Index:
    """Which objects a study has, and which images they name."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.states: dict[str, tuple[Image, ...]] = {}
        self.segmentations: tuple[Image, ...] = ()
        for series in study.series:
            for image in series.images:
                if image.kind is Kind.PRESENTATION_STATE:
                    for uid in image.references:
                        self.states[uid] = (*self.states.get(uid, ()), image)
                elif image.kind is Kind.SEGMENTATION and image.frame_number == 1:
                    self.segmentations += (image,)
