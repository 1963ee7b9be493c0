"""The active view as a picture: as it is on the screen, stamped, with or without identity."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QByteArray, QObject, QRect, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QImage, QImageWriter, QPainter
from PySide6.QtWidgets import QWidget

from detector.types import RESEARCH_USE_ONLY
from viewer.dicom.model import Image, Kind
from viewer.errors import InputError, ViewerError
from viewer.settings import Settings
from viewer.ui import dialogs, theme, wording
from viewer.ui.corner_text import CornerText
from viewer.ui.jobs import Jobs, Report
from viewer.ui.reading import Reading
from viewer.ui.viewport import Viewport

SLOT = "view"

_STAMP_HEIGHT = 26  # logical pixels below the picture: nothing of it is covered
_BURNED_IN = " Text in the pixels stays in it."


def stamped(viewport: Viewport, image: Image, *, identity: bool) -> QImage:
    """The viewport as it is painted, in the pixels of its screen, above the line of the stamp."""
    view = _painted(viewport, image, identity=identity)
    ratio = view.devicePixelRatio()
    below = round(_STAMP_HEIGHT * ratio)
    picture = QImage(view.width(), view.height() + below, QImage.Format.Format_RGB32)
    picture.fill(QColor(theme.SURROUND))
    painter = QPainter(picture)
    painter.drawImage(QRect(0, 0, view.width(), view.height()), view)
    font = theme.picture_font(viewport.font())
    font.setPixelSize(round(theme.TEXT_PIXELS * ratio))
    painter.setFont(font)
    painter.setPen(theme.PICTURE_TEXT)
    line = QRect(0, view.height(), view.width(), below)
    painter.drawText(line, Qt.AlignmentFlag.AlignCenter, RESEARCH_USE_ONLY)
    painter.end()
    return picture


def _painted(viewport: Viewport, image: Image, *, identity: bool) -> QImage:
    if identity:
        return viewport.grab().toImage()
    corners, layers = viewport.corners, viewport.layers
    viewport.set_corner_text(CornerText((), wording.kind_lines(image), ()))
    viewport.set_layers(tuple(layer for layer in layers if not layer.has_words))
    painted = viewport.grab().toImage()
    viewport.set_corner_text(corners)
    viewport.set_layers(layers)
    return painted


class ViewPicture(QObject):
    """Saves and copies it."""

    done = Signal(str)  # sentence
    failed = Signal(str)

    def __init__(
        self,
        jobs: Jobs,
        settings: Settings,
        reading: Reading,
        viewport: Callable[[], Viewport],
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._jobs = jobs
        self._settings = settings
        self._reading = reading
        self._viewport = viewport  # the active one, whatever page is up
        self._window = window

    def copy(self, *, identity: bool) -> None:
        """To the clipboard; raises InputError as `save` does."""
        QGuiApplication.clipboard().setImage(self._picture(identity=identity))
        self.done.emit(f"The view is in the clipboard, {_words(identity)}")

    def save(self, *, identity: bool) -> None:
        """Into a PNG file, for which the reader is asked.

        Raises
        ------
        InputError
            There is no picture, or none without identity.
        """
        picture = self._picture(identity=identity)
        # A name without a patient in it, also where the picture shows one.
        name = f"lightbox-{datetime.now():%Y%m%d-%H%M%S}.png"
        folder = Path(self._settings.text("last_folder"))
        path = dialogs.choose_picture(self._window, folder / name)
        if path is None:
            return
        self._settings.change(last_folder=str(path.parent))

        def work(_report: Report) -> None:
            if not QImageWriter(str(path), QByteArray(b"PNG")).write(picture):
                raise InputError(f"{path} cannot be written.")

        self._jobs.submit(
            SLOT,
            work,
            lambda _: self.done.emit(f"Saved as {path}, {_words(identity)}"),
            self._not_saved,
        )

    def _picture(self, *, identity: bool) -> QImage:
        image = self._reading.image
        if image is None:
            raise InputError("There is no picture on the screen.")
        if image.kind is Kind.PAGE and not identity:
            raise InputError("What a document page says of a patient cannot be left out.")
        return stamped(self._viewport(), image, identity=identity)

    def _not_saved(self, error: ViewerError) -> None:
        self.failed.emit(str(error))


def _words(identity: bool) -> str:
    return "with identity." if identity else f"without identity.{_BURNED_IN}"
