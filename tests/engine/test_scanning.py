"""A file that a scan does not survive costs that file, and nothing else."""

from __future__ import annotations

import os
import shutil
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.dicom_factory import make_dicom
from tests.engine import dying_child
from viewer.dicom.model import Image, ScanUpdate, Skipped
from viewer.engine import client, host, limits
from viewer.engine.host import Worker, WorkerError
from viewer.engine.messages import FramesRequest, ScanRequest, ThumbnailRequest
from viewer.errors import EngineError

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

PIXELS = np.arange(64, dtype=np.uint16).reshape(8, 8)


class Scanned:
    """Everything that one scan told."""

    def __init__(self, worker: Worker, *paths: Path) -> None:
        self.images: list[Image] = []
        self.skipped: list[Skipped] = []
        self.last: ScanUpdate | None = None
        self.files_done = client.scan(worker, paths, self._take)

    def _take(self, update: ScanUpdate) -> None:
        self.images += update.images
        self.skipped += update.skipped
        self.last = update

    @property
    def reasons(self) -> dict[str, str]:
        return {Path(item.path.split(" > ")[-1]).name: item.reason for item in self.skipped}


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setattr(host, "_enter", dying_child.enter)
    monkeypatch.setitem(limits.SILENCE_LIMIT_S, ScanRequest, 3.0)
    monkeypatch.setitem(limits.COMPUTING_LIMIT_S, ScanRequest, 1.0)
    worker = Worker("decode")
    yield worker
    worker.close()


def write(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    return [make_dicom(folder / name, PIXELS) for name in names]


def test_every_file_around_those_that_end_the_worker_is_opened_once(
    worker: Worker, tmp_path: Path
) -> None:
    good = write(tmp_path / "a", *(f"{number}.dcm" for number in range(40)))
    write(tmp_path / "a", "abort.dcm", "crash.dcm")
    (tmp_path / "a" / "notes.txt").write_text("no image")

    found = Scanned(worker, tmp_path)

    assert Counter(image.path for image in found.images) == Counter(good)
    assert found.reasons == {
        "abort.dcm": "It cannot be read: the decoding process stopped unexpectedly (SIGABRT).",
        "crash.dcm": "It cannot be read: the decoding process stopped unexpectedly (SIGSEGV).",
        "notes.txt": "Not a DICOM or image file.",
    }
    assert len(found.skipped) == 3
    assert found.files_done == 43
    assert found.last is not None
    assert found.last.files_done == found.last.files_total == 43


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("hang", "It was given up: the decoding process gave no sign of life for 3 s."),
        ("loop", "It cannot be read: it took more than 1 s of computing."),
    ],
)
def test_a_hang_costs_one_file_and_its_time(
    worker: Worker, tmp_path: Path, kind: str, reason: str
) -> None:
    before, bad, after = write(tmp_path, "a.dcm", f"{kind}.dcm", "z.dcm")
    Scanned(worker, before)  # the child is up
    began = time.monotonic()
    found = Scanned(worker, tmp_path)
    assert time.monotonic() - began < 10
    assert [image.path for image in found.images] == [before, after]
    assert found.reasons == {bad.name: reason}


def test_a_member_of_an_archive_costs_that_member(worker: Worker, tmp_path: Path) -> None:
    archive = tmp_path / "disc.zip"
    with zipfile.ZipFile(archive, "w") as out:
        for path in write(tmp_path / "in", "a.dcm", "abort.dcm", "b.dcm"):
            out.write(path, path.name)
    shutil.copy(tmp_path / "in" / "a.dcm", tmp_path / "in" / "copy.dcm")

    found = Scanned(worker, archive, tmp_path / "in" / "copy.dcm")

    assert [image.member for image in found.images] == ["a.dcm", "b.dcm"]
    assert found.reasons["abort.dcm"].endswith("(SIGABRT).")
    # What the first process had found still counts in the second one.
    assert "the same pixels" in found.reasons["copy.dcm"]
    assert len(found.skipped) == 2


def test_a_worker_that_dies_again_over_the_same_file_ends_the_scan(
    worker: Worker, tmp_path: Path
) -> None:
    (path,) = write(tmp_path, "a.dcm")

    class Dying(Worker):
        def run(self, request: object, on_update: object = None) -> object:  # type: ignore[override]
            raise WorkerError("It stopped.", str(path), "It stopped.")

    dying = Dying("decode")
    with pytest.raises(EngineError, match="It stopped"):
        Scanned(dying, path)


def test_the_limits_leave_less_than_ten_seconds_for_a_file() -> None:
    for request in (ScanRequest, FramesRequest, ThumbnailRequest):
        assert limits.COMPUTING_LIMIT_S[request] < 10


def test_many_frames_come_in_several_messages(worker: Worker, tmp_path: Path) -> None:
    make_dicom(tmp_path / "cine.dcm", np.zeros((2500, 2, 2), np.uint8))
    lots: list[int] = []
    client.scan(worker, [tmp_path], lambda update: lots.append(len(update.images)))
    assert [lot for lot in lots if lot] == [1000, 1000, 500]


def test_a_scan_may_take_longer_than_any_one_file(
    worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child's own alarm, for when nobody else ends it, counts from the last word as well."""
    monkeypatch.setitem(limits.SILENCE_LIMIT_S, ScanRequest, 0.7)
    good = write(tmp_path, *(f"slow-{number}.dcm" for number in range(5)))
    found = Scanned(worker, tmp_path)
    assert [image.path for image in found.images] == good
    assert found.skipped == []
