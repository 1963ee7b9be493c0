"""From values to the screen: the lookup table and the repaint."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
from PySide6.QtWidgets import QApplication

from benchmarks.reading_room.figures import Figure, Line, medians, ms
from viewer.app import application
from viewer.dicom import voi
from viewer.dicom.model import Frame, Image, Patient, SeriesHeader, StudyHeader, VoiWindow
from viewer.ui.viewport import Viewport

_TIMES = 25
_SIZE = 3000


def measure() -> Iterator[Line]:
    chance = np.random.default_rng(1)
    values = chance.normal(2000, 400, (_SIZE, _SIZE)).clip(0, 4095).astype(np.uint16)
    frame = Frame(values, "", "", (), False)
    dataset = pydicom.Dataset()
    dataset.PhotometricInterpretation, dataset.BitsStored = "MONOCHROME2", 16
    dataset.PixelRepresentation = 0
    dataset.WindowWidth = 3000
    windows = (VoiWindow(1500.0 + number / 7, 3000.0) for number in itertools.count())

    def ours() -> None:
        voi.picture(frame, next(windows))  # each another one, or its table would be known

    def theirs() -> None:
        dataset.WindowCenter = round(next(windows).center, 3)
        np.copy(pydicom.pixels.apply_voi_lut(values, dataset))

    mine, peer = medians((ours, theirs), _TIMES)
    yield Figure(
        "picture of 3000 x 3000, 16 bits, other window",
        mine / peer,
        "pydicom apply_voi_lut + copy",
        0.1,
        f"{ms(mine)} to {ms(peer)}",
    )
    yield _repaint(frame, windows)


def _image() -> Image:
    return Image(
        path=Path("synthetic"),
        member="",
        uid="1.2.3",
        frame_number=1,
        number_of_frames=1,
        rows=_SIZE,
        columns=_SIZE,
        samples_per_pixel=1,
        photometric_interpretation="MONOCHROME2",
        study=StudyHeader("1.2", Patient()),
        series=SeriesHeader("1.2.1"),
    )


def _repaint(frame: Frame, windows: Iterator[VoiWindow]) -> Line:
    app = application()
    viewport = Viewport()
    viewport.resize(1100, 850)
    viewport.show()
    viewport.show_frame(_image(), frame, next(windows))
    QApplication.processEvents()

    def other_window() -> None:
        viewport.set_voi(next(windows))
        viewport.repaint()

    (seconds,) = medians((other_window,), _TIMES)
    viewport.deleteLater()
    app.processEvents()
    return Figure("the same with the whole repaint", seconds * 1000, "ms, one frame of 60 Hz", 16.7)
