"""Several children side by side, and what crosses to them."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.dicom_factory import make_ct_series, make_dicom
from tests.engine import dying_child
from viewer.dicom.model import Frame, Image
from viewer.engine import client, host, limits, transport
from viewer.engine.host import Worker, WorkerError
from viewer.engine.pool import Pool
from viewer.errors import Cancelled

needs_posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@pytest.fixture
def pool() -> Iterator[Pool]:
    with closing(Pool("decode", 2)) as pool:
        yield pool


def images_of(folder: Path) -> list[Image]:
    found: list[Image] = []
    with closing(Worker("decode")) as worker:
        client.scan(worker, [folder], lambda update: found.extend(update.images))
    return found


def test_one_request_at_a_time_starts_one_child(pool: Pool, tmp_path: Path) -> None:
    make_ct_series(tmp_path / "ct", slices=4)
    for image in images_of(tmp_path / "ct"):
        client.decode_frame(pool, image)
    assert [worker.pid is None for worker in pool.workers] == [False, True]


def test_frames_come_from_two_children_each_the_one_that_was_asked_for(
    pool: Pool, tmp_path: Path
) -> None:
    make_ct_series(tmp_path / "ct", slices=24)
    images = images_of(tmp_path / "ct")
    with ThreadPoolExecutor(2) as threads:
        frames = list(threads.map(lambda image: client.decode_frame(pool, image), images))
    assert [int(frame.values[-1, 0]) for frame in frames] == [10 * n for n in range(24)]
    pids = {worker.pid for worker in pool.workers}
    assert len(pids) == 2
    assert None not in pids


def test_all_children_may_be_started_before_they_are_needed(pool: Pool, tmp_path: Path) -> None:
    began = time.monotonic()
    pool.start()
    assert time.monotonic() - began < 1
    pids = [worker.pid for worker in pool.workers]
    assert None not in pids
    make_dicom(tmp_path / "a.dcm", np.zeros((8, 8), np.uint8))
    for worker in pool.workers:
        assert client.scan(worker, [tmp_path], lambda _: None) == 1
    assert [worker.pid for worker in pool.workers] == pids
    pool.close()
    pool.start()
    assert [worker.pid for worker in pool.workers] == [None, None]


@needs_posix
def test_a_hung_child_leaves_the_other_one_to_the_rest(pool: Pool, tmp_path: Path) -> None:
    make_ct_series(tmp_path / "ct", slices=2)
    first, second = images_of(tmp_path / "ct")
    client.decode_frame(pool, first)
    hung = pool.workers[0].pid
    assert hung is not None
    os.kill(hung, signal.SIGSTOP)
    outcome: list[BaseException] = []

    def ask() -> None:
        try:
            client.decode_frame(pool, first)
        except Cancelled as error:
            outcome.append(error)

    waiting = threading.Thread(target=ask)
    waiting.start()
    time.sleep(0.2)
    assert client.decode_frame(pool, second).values[-1, 0] == 10
    pool.cancel()
    waiting.join(5)
    assert len(outcome) == 1


def test_a_frame_outlives_the_child_and_the_name_that_it_came_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "BLOCK_PREFIX", f"lbpool{os.getpid()}_")
    pixels = np.arange(500 * 400, dtype=np.uint32).astype(np.uint16).reshape(500, 400)
    (image,) = images_of(make_dicom(tmp_path / "a.dcm", pixels))
    worker = Worker("decode")
    frame = client.decode_frame(worker, image)
    worker.close()
    shared = Path("/dev/shm")
    if shared.is_dir():
        assert not list(shared.glob(f"{transport.BLOCK_PREFIX}*"))
    np.testing.assert_array_equal(frame.values, pixels)


def test_arrays_of_odd_sizes_lie_at_even_places() -> None:
    arrays = [np.arange(70_001, dtype=np.uint8), np.arange(9.0), np.arange(30_003, dtype=np.uint16)]
    name = transport.new_block_name()
    parcel, block = transport.pack(arrays, name)
    assert parcel.block == name
    received = transport.unpack(parcel)
    transport.discard(name)
    assert block is not None
    block.close()
    for array, expected in zip(received, arrays, strict=True):
        np.testing.assert_array_equal(array, expected)
        assert array.ctypes.data % 64 == 0


@needs_posix
def test_a_block_is_the_same_where_it_has_to_be_mapped_to_be_filled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on macOS, where shared memory cannot be written like a file."""
    monkeypatch.setattr(transport.sys, "platform", "darwin")
    array = np.arange(40_000, dtype=np.uint16)
    name = transport.new_block_name()
    parcel, block = transport.pack(array, name)
    assert parcel.block == name
    np.testing.assert_array_equal(transport.unpack(parcel), array)
    transport.discard(name)
    assert block is not None
    block.close()


def test_a_block_is_written_over_and_what_came_by_it_stays(tmp_path: Path) -> None:
    """Frames of several sizes: the block grows, is kept, and no frame lies in it any more."""
    sizes = (300, 200, 400, 400, 250)
    for number, size in enumerate(sizes):
        make_dicom(tmp_path / f"{number}", np.full((size, size), number, np.uint16))
    images = images_of(tmp_path)
    with closing(Worker("decode")) as worker:
        frames = [client.decode_frame(worker, image) for image in images]
        child = worker._child
        assert child is not None
        assert child.kept is not None
        assert child.kept.size == 400 * 400 * 2
    for number, frame in enumerate(frames):
        np.testing.assert_array_equal(frame.values, number)


def test_a_block_above_the_limit_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "KEPT_BLOCK_BYTES", 100_000)
    (image,) = images_of(make_dicom(tmp_path / "a.dcm", np.ones((300, 300), np.uint16)))
    with closing(Worker("decode")) as worker:
        for _ in range(3):
            np.testing.assert_array_equal(client.decode_frame(worker, image).values, 1)
            assert worker._child is not None
            assert worker._child.kept is None


@needs_posix
def test_a_frame_that_ends_the_child_costs_that_frame_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several that are asked for together, and no second time."""
    names = ("a", "b", "abort", "c", "crash", "d")
    for number, name in enumerate(names):
        make_dicom(tmp_path / f"{name}.dcm", np.full((8, 8), number, np.uint16))
    images = sorted(images_of(tmp_path), key=lambda image: names.index(image.path.stem))
    monkeypatch.setattr(host, "_enter", dying_child.enter)
    children: list[int | None] = []
    with closing(Worker("decode")) as worker:
        run = worker.run

        def counted(request: Any, on_update: Any = None) -> Any:
            try:
                return run(request, on_update)
            finally:
                children.append(len(request.images))

        monkeypatch.setattr(worker, "run", counted)
        frames = client.decode_frames(worker, images)
    assert children == [6, 5, 4]
    for name, number, frame in zip(names, range(6), frames, strict=True):
        if isinstance(frame, WorkerError):
            assert f"Reading {name}.dcm could not be finished" in str(frame)
        else:
            assert isinstance(frame, Frame)
            assert frame.values[0, 0] == number
    assert [isinstance(frame, WorkerError) for frame in frames] == [
        name in ("abort", "crash") for name in names
    ]
