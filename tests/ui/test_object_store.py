"""The store of objects: one is read at a time, the newest wish first, and none is waited for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from viewer.dicom.model import Image, Kind, Patient, Series, SeriesHeader, Study, StudyHeader
from viewer.dicom.objects import Report, Segmentation, Softcopy
from viewer.errors import EngineError
from viewer.ui.jobs import Jobs
from viewer.ui.objects import SLOT, ObjectReaders, Objects


def entry(name: str, kind: Kind = Kind.REPORT, *references: str) -> Image:
    return Image(
        path=Path(name),
        member="",
        uid=name,
        frame_number=1,
        number_of_frames=1,
        rows=0,
        columns=0,
        samples_per_pixel=1,
        photometric_interpretation="",
        study=StudyHeader("1.2", Patient()),
        series=SeriesHeader(f"1.2.{name}"),
        kind=kind,
        references=references,
    )


def study_of(*images: Image) -> Study:
    return Study(StudyHeader("1.2", Patient()), tuple(Series(i.series, (i,)) for i in images))


class Reader:
    """Reads names in the order in which it is asked, each when the gate is open."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.asked: list[str] = []

    def report(self, image: Image) -> Report:
        self.asked.append(image.uid)
        assert self.gate.wait(10)
        if image.uid == "bad":
            raise EngineError("Reading bad was given up.")
        return Report(image.uid, (), ())

    def softcopy(self, state: Image, image: Image) -> Softcopy:
        self.asked.append(f"{state.uid} on {image.uid}")
        return Softcopy("", "", "", "", None, False, None, None, 0, False, ())

    def segmentation(self, image: Image) -> Segmentation:
        return Segmentation(1, 1, "", (), ())


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def objects(reader: Reader, qtbot: QtBot) -> Iterator[Objects]:
    jobs = Jobs()
    jobs.add_slot(SLOT, reader.gate.set)
    readers = ObjectReaders(reader.report, reader.softcopy, reader.segmentation)
    yield Objects(jobs, readers, jobs)
    jobs.close()


def test_the_newest_wish_is_read_first(objects: Objects, reader: Reader, qtbot: QtBot) -> None:
    reader.gate.clear()
    for name in "abc":
        assert objects.report(entry(name)) is None
    reader.gate.set()
    qtbot.waitUntil(lambda: len(reader.asked) == 3)
    assert reader.asked == ["a", "c", "b"]
    qtbot.waitUntil(lambda: isinstance(objects.report(entry("b")), Report))
    found = objects.report(entry("a"))
    assert isinstance(found, Report)
    assert found.title == "a"
    assert reader.asked == ["a", "c", "b"]  # nothing is read twice


def test_a_failure_is_a_sentence_and_the_rest_goes_on(
    objects: Objects, reader: Reader, qtbot: QtBot
) -> None:
    reader.gate.clear()
    objects.report(entry("bad"))
    objects.report(entry("good"))
    reader.gate.set()
    qtbot.waitUntil(lambda: isinstance(objects.report(entry("good")), Report))
    assert objects.report(entry("bad")) == "Reading bad was given up."


def test_what_was_read_ahead_is_told_to_nobody(
    objects: Objects, reader: Reader, qtbot: QtBot
) -> None:
    told: list[None] = []
    objects.arrived.connect(lambda: told.append(None))
    state, image = entry("s", Kind.PRESENTATION_STATE), entry("i", Kind.IMAGE)
    objects.softcopy(state, image, ahead=True)
    qtbot.waitUntil(lambda: reader.asked == ["s on i"])
    objects.report(entry("a"))
    qtbot.waitUntil(lambda: bool(told))
    assert len(told) == 1
    assert isinstance(objects.softcopy(state, image), Softcopy)


def test_which_objects_belong_to_an_image(objects: Objects) -> None:
    image, other = entry("i", Kind.IMAGE), entry("o", Kind.IMAGE)
    first = entry("s1", Kind.PRESENTATION_STATE, "i")
    second = entry("s2", Kind.PRESENTATION_STATE, "i", "o")
    mask = entry("m", Kind.SEGMENTATION, "o")
    study = study_of(image, other, first, second, mask)
    assert objects.states_of(study, image) == (first, second)
    assert objects.states_of(study, other) == (second,)
    assert objects.segmentations_of(study, image) == ()
    assert objects.segmentations_of(study, other) == (mask,)
    grown = study_of(image, other, first)
    assert objects.states_of(grown, other) == ()


def test_a_closed_study_is_forgotten(objects: Objects, reader: Reader, qtbot: QtBot) -> None:
    report = entry("a")
    objects.report(report)
    qtbot.waitUntil(lambda: isinstance(objects.report(report), Report))
    objects.forget(study_of(report))
    assert objects.report(report) is None
    qtbot.waitUntil(lambda: reader.asked == ["a", "a"])
