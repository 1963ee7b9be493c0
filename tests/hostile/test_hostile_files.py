"""Hand-made hostile files through the real open path: host, decode worker, picture.

Each costs at most its own file, with a true reason and in time; the files beside it are opened,
and the same child process is there afterwards.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests.dicom_factory import make_dicom
from tests.hostile import containers, headers, pictures, streams
from tests.hostile.cases import CASES, Case, Incomplete, Opens, Refused, Undecodable
from viewer.dicom import voi
from viewer.dicom.model import Frame, Image, ScanUpdate, Skipped
from viewer.engine import client
from viewer.engine.host import Worker
from viewer.errors import InputError

pytestmark = pytest.mark.skipif(os.name == "nt", reason="files that Windows does not have")

SECONDS = 10.0  # none of them comes near on a quiet computer
GOOD = np.arange(64, dtype=np.uint16).reshape(8, 8)
SOURCES = (headers, streams, containers, pictures)


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    worker = Worker("decode")
    yield worker
    worker.close()


@dataclass
class Found:
    images: list[Image] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def take(self, update: ScanUpdate) -> None:
        self.images += update.images
        self.skipped += update.skipped


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 60
    assert {case.make.__module__ for case in CASES} == {source.__name__ for source in SOURCES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_file_costs_one_file(case: Case, worker: Worker, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    before = make_dicom(tmp_path / "before.dcm", GOOD)
    after = make_dicom(tmp_path / "z.dcm", GOOD + 1)
    made = case.make(folder)
    given = made if isinstance(made, Path) and made.name == "DICOMDIR" else folder
    client.scan(worker, [before], lambda _: None)  # the child is up
    pid = worker.pid

    found = Found()
    began = time.monotonic()
    client.scan(worker, [before, given, after], found.take)
    assert time.monotonic() - began < SECONDS

    good = [image for image in found.images if image.path in (before, after)]
    bad = [image for image in found.images if image not in good]
    assert [image.path for image in good] == [before, after]
    assert np.array_equal(client.decode_frame(worker, good[1]).values, GOOD + 1)
    judge(case, worker, found, bad)
    assert worker.pid == pid, "the child process had to be replaced"
    assert not Path("/tmp/lightbox_evil.dcm").exists()
    assert all(image.study.patient.name.isprintable() for image in bad)
    assert all(item.reason.endswith(".") for item in found.skipped)


def judge(case: Case, worker: Worker, found: Found, bad: list[Image]) -> None:
    match case.outcome:
        case Opens(frames):
            assert len(bad) == frames
            assert found.skipped == []
            for image in bad:
                assert not shown(worker, image).incomplete
        case Incomplete():
            assert shown(worker, bad[-1]).incomplete
        case Refused(words):
            assert found.skipped
            for item in found.skipped:
                assert re.search(words, item.reason), item.reason
        case Undecodable(words):
            assert bad
            began = time.monotonic()
            with pytest.raises(InputError, match=words):
                client.decode_frame(worker, bad[-1])
            assert time.monotonic() - began < SECONDS


def shown(worker: Worker, image: Image) -> Frame:
    """A frame that made it to a picture, as the window makes it."""
    began = time.monotonic()
    frame = client.decode_frame(worker, image)
    picture = voi.picture(frame, voi.default_voi(frame))
    assert picture.dtype == np.uint8
    assert picture.shape[:2] == (image.rows, image.columns)
    voi.tone_curve(frame)
    client.make_thumbnail(worker, image, 4)
    assert time.monotonic() - began < SECONDS
    return frame
