"""Frames for several viewports: the active one is served first, and nobody's wish is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QObject

from viewer.dicom.model import Frame, Image, Patient, SeriesHeader, StudyHeader
from viewer.ui.frames import LANES, Frames

STUDY, SERIES = StudyHeader("1.2", Patient()), SeriesHeader("1.2.3", modality="CT")


class Lanes:
    """Stands where the jobs stand: one lane, and work that is done when the test says so."""

    def __init__(self) -> None:
        self.running: list[Callable[[], None]] = []

    def busy(self, lane: str) -> bool:
        return lane != LANES[0] or bool(self.running)

    def submit(
        self, _lane: str, work: Callable[[Any], Any], done: Any, _failed: Any, _came: Any
    ) -> None:
        self.running.append(lambda: done(work(None)))

    def finish(self) -> None:
        self.running.pop()()


def image(name: str) -> Image:
    return Image(Path(name), "", name, 1, 1, 4, 4, 1, "MONOCHROME2", study=STUDY, series=SERIES)


def frame_of(wanted: Image) -> Frame:
    return Frame(np.zeros((4, 4), np.int16), wanted.uid, "HU", (), inverted=False)


@pytest.fixture
def lanes() -> Lanes:
    return Lanes()


def test_the_active_viewport_is_served_first_then_the_others_then_what_may_come(
    lanes: Lanes, qapp: object
) -> None:
    served: list[str] = []

    def decode(lot: Sequence[Image]) -> list[Frame]:
        served.extend(wanted.uid for wanted in lot)
        return [frame_of(wanted) for wanted in lot]

    holder = QObject()
    frames = Frames(lanes, decode, holder)  # type: ignore[arg-type]
    active, other = object(), object()
    frames.want(other, image("a"), [image("a+1")])  # its frame is on the way already
    frames.want(active, image("b"), [image("b+1")])
    frames.want(other, image("c"), [image("c+1")])
    frames.put_first(active)
    while lanes.running:
        lanes.finish()
    assert served == ["a", "b", "c", "b+1", "c+1"]


def test_two_viewports_that_want_one_image_both_get_it(lanes: Lanes, qapp: object) -> None:
    came: list[str] = []

    def decode(lot: Sequence[Image]) -> list[Frame]:
        return [frame_of(wanted) for wanted in lot]

    holder = QObject()
    frames = Frames(lanes, decode, holder)  # type: ignore[arg-type]
    frames.loaded.connect(lambda shown, _loaded: came.append(shown.uid))
    frames.want(1, image("a"))
    frames.want(2, image("a"))
    while lanes.running:
        lanes.finish()
    assert came == ["a"], "decoded once, told to all"
    assert frames.get(image("a")) is not None
