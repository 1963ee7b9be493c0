"""Opens and closes the MPR page: brings the frames of a stack together beside the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QStackedWidget

from viewer.dicom import voi
from viewer.dicom.cutting import is_interpolated
from viewer.dicom.model import Frame, Image, Series
from viewer.dicom.planes import centre_of
from viewer.dicom.volume import Volume, build_volume, volume_geometry
from viewer.errors import Cancelled, ViewerError
from viewer.ui.cine import Cine
from viewer.ui.facts import Facts
from viewer.ui.frames import CACHE_BYTES, Frames, Loaded
from viewer.ui.grid import Grid
from viewer.ui.jobs import Jobs, Report
from viewer.ui.mpr_view import MprView
from viewer.ui.position import Position
from viewer.ui.reading import Reading
from viewer.ui.status_line import StatusLine
from viewer.ui.viewport import Viewport

SLOT = "volume"

_WORDS = "Bringing the volume together"


class Room(Protocol):
    """What the page takes its place in: the main window."""

    reading: Reading
    frames: Frames
    grid: Grid
    centre: QStackedWidget
    status: StatusLine
    cine: Cine


@dataclass(frozen=True, eq=False)
class _Brought:
    """A frame that now lies in the volume, and how many do."""

    image: Image
    loaded: Loaded
    count: int


class Mpr(QObject):
    """The MPR of the series in the active viewport."""

    facts_changed = Signal(object)  # Facts: what can be done with what is in sight
    failed = Signal(str)

    def __init__(
        self, jobs: Jobs, decode: Callable[[Image], Frame], room: Room, parent: QObject
    ) -> None:
        super().__init__(parent)
        self.page: MprView | None = None
        self._jobs = jobs
        self._decode = decode
        self._reading, self._frames, self._grid = room.reading, room.frames, room.grid
        self._centre, self._status, self._cine = room.centre, room.status, room.cine
        self._status.cancelled.connect(self.cancel)
        self._centre.currentChanged.connect(self._page_changed)

    @property
    def viewport(self) -> Viewport | None:
        """The plane that the keys are for; None while images are shown."""
        return None if self.page is None else self.page.active

    def toggle(self) -> None:
        """Open the planes of the series on the screen, or go back to its images.

        Raises
        ------
        InputError
            The series is no regular stack; the sentence says why.
        """
        if self.page is not None:
            self.leave()
        elif self._jobs.busy(SLOT):
            self.cancel()
        elif self._reading.position is not None:
            self._load(self._reading.position)

    def leave(self) -> None:
        """Back to the images."""
        self._centre.setCurrentWidget(self._grid)
        self._grid.take_focus()

    def follow(self, facts: Facts) -> None:
        """Use the tool that is chosen in the window; a plane can be fitted, turned and inverted."""
        if self.page is not None:
            self.page.set_tool(facts.tool)
            facts = replace(facts, picture=True)
        self.facts_changed.emit(facts)

    def cancel(self) -> None:
        """Stop bringing frames together."""
        self._jobs.cancel(SLOT)

    def _load(self, position: Position) -> None:
        series = position.series
        volume_geometry(series)  # refused before anything is decoded
        # What is in memory already is copied from there, and each frame let go as it is copied.
        known = [self._frames.get(image) for image in series.images]
        decode = self._decode

        def work(report: Report) -> Volume:
            def bring(index: int) -> Frame:
                report.check()
                loaded, known[index] = known[index], None
                return decode(series.images[index]) if loaded is None else loaded.frame

            def told(index: int, frame: Frame) -> None:
                loaded = Loaded(frame, voi.default_voi(frame))  # takes percentiles: not over there
                report(_Brought(series.images[index], loaded, index + 1))

            return build_volume(series, bring, told)

        count = len(series.images)
        self._status.show_work(_WORDS, (0, count))
        self._jobs.submit(
            SLOT,
            work,
            lambda volume: self._open(position, volume),
            self._failed,
            lambda brought: self._brought(position, brought, count),
        )

    def _brought(self, position: Position, brought: _Brought, count: int) -> None:
        if not position.same_series(self._reading.showing.heading_for):
            self.cancel()  # the reader moves on
            return
        # The images are shown out of the volume from now on, so that nothing is held twice.
        if brought.loaded.frame.values.nbytes * count <= CACHE_BYTES:
            self._frames.keep(brought.image, brought.loaded)
        self._status.show_work(_WORDS, (brought.count, count))

    def _open(self, position: Position, volume: Volume) -> None:
        self._status.show_work("", None)
        loaded, here = self._reading.loaded, self._reading.showing.heading_for
        if loaded is None or here is None or not position.same_series(here):
            return
        self.page = MprView(
            self._jobs,
            volume,
            source=here.image,
            frame=loaded.frame,
            voi=self._grid.viewport.voi or voi.default_voi(loaded.frame),
            point=centre_of(here.image),
            note=_note(position.series, volume),
            parent=self._centre,
        )
        self.page.left.connect(self.leave)
        self.page.failed.connect(self.failed)
        self.page.set_tool(self._grid.viewport.tool)
        self._cine.stop()  # its next image would come up in place of the planes
        self._centre.addWidget(self.page)
        self._centre.setCurrentWidget(self.page)
        self.page.setFocus()

    def _failed(self, error: ViewerError) -> None:
        self._status.show_work("", None)
        if not isinstance(error, Cancelled):
            self.failed.emit(str(error))

    def _page_changed(self) -> None:
        """Another page is in the middle: the volume goes."""
        page = self.page
        if page is None or self._centre.currentWidget() is page:
            return
        self.page = None
        page.close_down()
        self._centre.removeWidget(page)
        page.deleteLater()


def _note(series: Series, volume: Volume) -> str:
    """What must be known of the planes: what was done to the images, and what they lack."""
    words = ", ".join(note.short for note in series.notes)
    if is_interpolated(volume):
        words = f"{words}: straightened by interpolation" if words else "Oblique: interpolated"
    if not volume.incomplete:
        return words
    lacking = "1 image" if volume.incomplete == 1 else f"{volume.incomplete} images"
    return ", ".join(filter(None, (f"{lacking} incomplete", words)))
