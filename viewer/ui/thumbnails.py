"""Thumbnails of the series that are in sight: made one at a time, the newest wish first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPixmap

from viewer.dicom.model import Image, Picture
from viewer.errors import ViewerError
from viewer.ui.frames import Place, place_of
from viewer.ui.jobs import Jobs

SLOT = "thumbnails"

SIZE = 144  # pixels of the longest side: sharp at 72 logical pixels on a hi-DPI screen

_KEPT = 600  # some 50 MB at most
_WAITING = 48  # more than fit on a screen: what was scrolled past is not made


class Thumbnails(QObject):
    """A bounded store of thumbnails that fills as rows are painted."""

    ready = Signal()

    def __init__(self, jobs: Jobs, make: Callable[[Image, int], Picture], parent: QObject) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._make = make
        self._made: OrderedDict[Place, QPixmap] = OrderedDict()
        self._waiting: OrderedDict[Place, Image] = OrderedDict()

    def get(self, image: Image) -> QPixmap | None:
        """The thumbnail, or None while it is being made; an empty one where none can be made."""
        place = place_of(image)
        pixmap = self._made.get(place)
        if pixmap is not None:
            self._made.move_to_end(place)
            return pixmap
        self._waiting[place] = image
        self._waiting.move_to_end(place)
        while len(self._waiting) > _WAITING:
            self._waiting.popitem(last=False)
        self._next()
        return None

    def _next(self) -> None:
        if self._jobs.busy(SLOT) or not self._waiting:
            return
        _, image = self._waiting.popitem()
        self._jobs.submit(
            SLOT,
            lambda _report: self._make(image, SIZE),
            lambda picture: self._keep(image, to_pixmap(picture)),
            lambda error: self._failed(image, error),
        )

    def _failed(self, image: Image, _error: ViewerError) -> None:
        # Opening the image says why; here an empty thumbnail is enough.
        self._keep(image, QPixmap())

    def _keep(self, image: Image, pixmap: QPixmap) -> None:
        self._made[place_of(image)] = pixmap
        self._waiting.pop(place_of(image), None)
        while len(self._made) > _KEPT:
            self._made.popitem(last=False)
        self.ready.emit()
        self._next()


def to_pixmap(picture: Picture) -> QPixmap:
    """A picture of the detector's and the screen's kind as Qt's."""
    data = np.ascontiguousarray(picture)
    rows, columns = data.shape[:2]
    kind = QImage.Format.Format_Grayscale8 if data.ndim == 2 else QImage.Format.Format_RGB888
    return QPixmap.fromImage(QImage(data.data, columns, rows, data.strides[0], kind))
