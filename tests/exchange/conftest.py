"""Real files, decoded by the real rooms, in a real store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from viewer.dicom.model import Frame, Image
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
