"""Real files, decoded by the real rooms, in a real store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from detector.types import Box, Detection, Detections
from tests.dicom_factory import make_dicom
from tests.exchange.journeys import COLUMNS, ODD, ROWS, chest
from viewer.dicom.model import Frame, Image, ImageKey
from viewer.dicom.pixels import decode
from viewer.dicom.scan import scan
from viewer.review.session import ReviewSession
from viewer.review.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "home" / "labels.sqlite") as opened:
        yield opened


@pytest.fixture
def other_store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "other" / "labels.sqlite") as opened:
        yield opened


def load_file(path: Path) -> list[tuple[Image, Frame]]:
    images = [image for update in scan([path]) for image in update.images]
    return [(image, decode(image)) for image in images]


@pytest.fixture
def load() -> Callable[[Path], list[tuple[Image, Frame]]]:
    return load_file


OpenFile = Callable[[Store, Path], tuple[ReviewSession, list[tuple[Image, Frame]]]]


@pytest.fixture
def open_file() -> OpenFile:
    """A session on a file's study, with all its images remembered."""

    def open_(store: Store, path: Path) -> tuple[ReviewSession, list[tuple[Image, Frame]]]:
        found = load_file(path)
        session = ReviewSession(store, found[0][0].study.uid, "Dr. Who")
        for image, frame in found:
            session.remember_image(image, frame.pixel_sha256)
        return session, found

    return open_


@pytest.fixture
def odd_labels(store: Store, open_file: OpenFile, tmp_path: Path) -> Path:
    """A signed image with odd boxes, a signed empty one, an unsigned and an uncertain one."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(1, 5):
        file = make_dicom(folder / f"{number}.dcm", **chest(number))
        session, [(image, frame)] = open_file(store, file)
        key = ImageKey(image.uid, image.frame_number, frame.pixel_sha256)
        if number == 1:
            for place, category in enumerate(ODD):
                x = 1 / 3 + 9 * place
                session.add(key, Box(x, 2 / 3, x + 7.3, 20.2), category)
            boxes = [
                Box(0, 0, COLUMNS, ROWS),
                Box(COLUMNS - 1, ROWS - 1, COLUMNS, ROWS),
                Box(10.2, 30.4, 10.6, 50),  # thinner than a pixel
                Box(0, 20, 1, 21),
                Box(30, 30, 40, 40),  # this one is rejected
            ]
            found = tuple(Detection(b, 0.9 - n / 9, "opacity") for n, b in enumerate(boxes))
            session.add_run(key, Detections(found, "m", "1", "w" * 64, "cpu", 0.01, 0.1))
            *accepted, rejected = session.findings()[: len(boxes)]
            for each in accepted:
                session.accept(each.id)
            session.reject(rejected.id)
        if number == 3:
            session.add(key, Box(5, 5, 15, 15), "nodule")
        if number == 4:
            session.add(key, Box(5, 5, 15, 15), "opacity")
            session.add(key, Box(25, 5, 35, 15), "nodule")
            session.doubt(session.findings()[-1].id)
        if number != 3:
            session.sign()
    return folder
