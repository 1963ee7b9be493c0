"""Real child processes on real files: they answer, and nothing is left when they do not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from viewer.dicom.model import Image, ScanUpdate
from viewer.engine import client, limits, transport
from viewer.engine.host import Worker
from viewer.engine.messages import FramesRequest
from viewer.errors import Cancelled, EngineError, InputError, ViewerError

ROOT = Path(__file__).parents[2]
SHARED = Path("/dev/shm")
needs_shared_folder = pytest.mark.skipif(not SHARED.is_dir(), reason="no /dev/shm to look into")
needs_posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@pytest.fixture(autouse=True)
def own_blocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[str]]]:
    """Block names of this test alone; none may be left when it ends."""
    prefix = f"lbtest{os.getpid()}_"
    monkeypatch.setattr(transport, "BLOCK_PREFIX", prefix)

    def left() -> list[str]:
        return [path.name for path in SHARED.glob(f"{prefix}*")]

    yield left
    assert left() == []


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    worker = Worker("decode")
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def picture_values() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 65535, (2000, 1500)).astype(np.uint16)


@pytest.fixture(scope="module")
def picture_file(picture_values: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 16-bit picture of 6 MB: large enough to come back through shared memory."""
    path = tmp_path_factory.mktemp("pictures") / "hand.png"
    PIL.Image.fromarray(picture_values).save(path)
    return path


def image_of(worker: Worker, path: Path) -> Image:
    found: list[Image] = []
    client.scan(worker, [path], lambda update: found.extend(update.images))
    return found[0]


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


class InThread:
    """A call in its own thread, with what it raised and how long it took."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.error: ViewerError | None = None
        self.result: object = None
        self.ended_at = 0.0
        self._call = call
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.result = self._call()
        except ViewerError as error:
            self.error = error
        self.ended_at = time.monotonic()

    def wait(self) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive()


def stopped_child_with_request(worker: Worker, image: Image) -> InThread:
    """A request that the child cannot answer, since the child is frozen as in a hung decoder."""
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGSTOP)
    running = InThread(lambda: client.decode_frame(worker, image))
    time.sleep(0.2)
    return running


def test_frame_comes_back_as_it_is_in_the_file(
    worker: Worker, picture_file: Path, picture_values: np.ndarray
) -> None:
    frame = client.decode_frame(worker, image_of(worker, picture_file))
    assert frame.values.dtype == picture_values.dtype
    assert np.array_equal(frame.values, picture_values)
    assert len(frame.pixel_sha256) == 64


def test_frame_is_the_same_without_room_in_shared_memory(
    worker: Worker,
    picture_file: Path,
    picture_values: np.ndarray,
    own_blocks: Callable[[], list[str]],
) -> None:
    image = image_of(worker, picture_file)
    parcel, block = transport.pack(picture_values, "")
    assert block is None
    assert np.array_equal(transport.unpack(parcel), picture_values)
    assert np.array_equal(client.decode_frame(worker, image).values, picture_values)


def test_a_full_shared_memory_is_not_written_into(
    monkeypatch: pytest.MonkeyPatch, picture_values: np.ndarray
) -> None:
    monkeypatch.setattr(transport, "SHARED_HEADROOM", 1 << 60)
    if not SHARED.is_dir():
        pytest.skip("no /dev/shm to look into")
    parcel, block = transport.pack(picture_values, transport.new_block_name())
    assert block is None
    assert not parcel.block
    assert np.array_equal(transport.unpack(parcel), picture_values)


def test_thumbnail_keeps_the_proportions(worker: Worker, picture_file: Path) -> None:
    picture = client.make_thumbnail(worker, image_of(worker, picture_file), 100)
    assert picture.shape == (100, 75)
    assert picture.dtype == np.uint8


def test_scan_streams_and_says_what_is_no_image(worker: Worker, tmp_path: Path) -> None:
    for number in range(5):
        PIL.Image.new("L", (8, 8), number * 20).save(tmp_path / f"{number}.png")
    (tmp_path / "notes.txt").write_text("no image")
    updates: list[ScanUpdate] = []
    assert client.scan(worker, [tmp_path], updates.append) == 6
    assert len({image.uid for update in updates for image in update.images}) == 5
    assert [Path(item.path).name for update in updates for item in update.skipped] == ["notes.txt"]


def test_unreadable_file_is_a_sentence_and_the_child_lives_on(
    worker: Worker, picture_file: Path, tmp_path: Path
) -> None:
    image = image_of(worker, picture_file)
    broken = tmp_path / "hand.png"
    broken.write_bytes(picture_file.read_bytes()[:20])
    pid = worker.pid
    with pytest.raises(InputError, match=r"\.$"):
        client.decode_frame(worker, Image(**{**fields_of(image), "path": broken}))
    assert client.decode_frame(worker, image).values.shape == (2000, 1500)
    assert worker.pid == pid


def fields_of(image: Image) -> dict[str, object]:
    return {name: getattr(image, name) for name in Image.__dataclass_fields__}


@needs_posix
def test_killed_child_names_the_file_and_the_next_request_works(
    worker: Worker, picture_file: Path
) -> None:
    image = image_of(worker, picture_file)
    pid = worker.pid
    running = stopped_child_with_request(worker, image)
    os.kill(pid, signal.SIGKILL)
    running.wait()
    assert isinstance(running.error, EngineError)
    assert "hand.png" in str(running.error)
    assert "SIGKILL" in str(running.error)
    assert client.decode_frame(worker, image).values.shape == (2000, 1500)
    assert worker.pid != pid


@needs_posix
def test_child_that_died_while_idle_is_replaced_without_a_word(
    worker: Worker, picture_file: Path
) -> None:
    image = image_of(worker, picture_file)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    time.sleep(0.2)
    assert client.decode_frame(worker, image).values.shape == (2000, 1500)


@needs_posix
def test_hung_child_is_given_up_in_time_and_replaced(
    worker: Worker, picture_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = image_of(worker, picture_file)
    monkeypatch.setitem(limits.SILENCE_LIMIT_S, FramesRequest, 1.0)
    pid = worker.pid
    began = time.monotonic()
    running = stopped_child_with_request(worker, image)
    running.wait()
    assert isinstance(running.error, EngineError)
    assert "hand.png" in str(running.error)
    assert running.ended_at - began < 2.5
    assert pid is not None
    assert not is_alive(pid)
    monkeypatch.setitem(limits.SILENCE_LIMIT_S, FramesRequest, 30.0)
    assert client.decode_frame(worker, image).values.shape == (2000, 1500)


@needs_posix
def test_cancel_ends_a_hung_request_within_half_a_second(
    worker: Worker, picture_file: Path
) -> None:
    image = image_of(worker, picture_file)
    running = stopped_child_with_request(worker, image)
    asked_at = time.monotonic()
    worker.cancel()
    running.wait()
    assert isinstance(running.error, Cancelled)
    assert running.ended_at - asked_at < 0.5
    assert client.decode_frame(worker, image).values.shape == (2000, 1500)


def test_cancelled_scan_leaves_the_child_alive(worker: Worker, tmp_path: Path) -> None:
    for number in range(1500):
        (tmp_path / f"{number:04}.png").write_bytes(tiny_png(number))
    pid = worker.pid
    first_update = threading.Event()
    running = InThread(lambda: client.scan(worker, [tmp_path], lambda _: first_update.set()))
    assert first_update.wait(20)
    pid = worker.pid
    asked_at = time.monotonic()
    worker.cancel()
    running.wait()
    assert isinstance(running.error, Cancelled)
    assert running.ended_at - asked_at < 0.5
    client.scan(worker, [tmp_path / "0000.png"], lambda _: None)
    assert worker.pid == pid


def tiny_png(number: int) -> bytes:
    """A small picture, each another one."""
    import io

    buffer = io.BytesIO()
    PIL.Image.new("RGB", (2, 2), (number % 256, number // 256, 7)).save(buffer, "PNG")
    return buffer.getvalue()


def test_cancel_without_a_request_does_nothing(worker: Worker, picture_file: Path) -> None:
    worker.cancel()
    image = image_of(worker, picture_file)
    worker.cancel()
    assert client.decode_frame(worker, image).values.shape == (2000, 1500)


def test_failing_callback_does_not_poison_the_next_request(
    worker: Worker, picture_file: Path
) -> None:
    def fail(_: ScanUpdate) -> None:
        raise KeyError("a fault of the caller")

    with pytest.raises(KeyError):
        client.scan(worker, [picture_file], fail)
    assert image_of(worker, picture_file).path.name == "hand.png"


def test_close_leaves_nothing_alive_even_while_busy(picture_file: Path) -> None:
    worker = Worker("decode")
    image = image_of(worker, picture_file)
    pid = worker.pid
    assert pid is not None
    if os.name != "nt":
        running = stopped_child_with_request(worker, image)
        worker.close()
        running.wait()
        assert isinstance(running.error, Cancelled)
    worker.close()
    worker.close()
    assert not is_alive(pid)
    with pytest.raises(Cancelled):
        client.decode_frame(worker, image)


def test_requests_of_many_threads_are_answered_one_by_one(
    worker: Worker, picture_file: Path, picture_values: np.ndarray
) -> None:
    image = image_of(worker, picture_file)
    calls = [InThread(lambda: client.decode_frame(worker, image)) for _ in range(6)]
    for call in calls:
        call.wait()
        assert call.error is None
        assert np.array_equal(call.result.values, picture_values)  # type: ignore[attr-defined]


# --- a program of its own: what it prints, and what outlives it ----------------------------------

KILLED_AT_ANY_MOMENT = """
import os, signal, sys, threading, time
from pathlib import Path
from viewer.engine import client, transport
from viewer.engine.host import Worker
from viewer.errors import EngineError

def main():
    transport.BLOCK_PREFIX = sys.argv[2]
    worker = Worker("decode")
    images = []
    client.scan(worker, [Path(sys.argv[1])], lambda update: images.extend(update.images))
    began = time.monotonic()
    client.decode_frame(worker, images[0])
    usual = time.monotonic() - began
    died = 0
    for step in range(5):
        client.decode_frame(worker, images[0])
        killer = threading.Timer(usual * step / 5, os.kill, (worker.pid, signal.SIGKILL))
        killer.start()
        try:
            client.decode_frame(worker, images[0])
        except EngineError:
            died += 1
        killer.join()
        time.sleep(0.05)
    worker.close()
    print(died)

if __name__ == "__main__":
    main()
"""


@needs_posix
@needs_shared_folder
def test_killed_at_any_moment_leaves_no_block_and_no_warning(
    picture_file: Path, tmp_path: Path, own_blocks: Callable[[], list[str]]
) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED_AT_ANY_MOMENT)
    result = subprocess.run(
        [sys.executable, str(script), str(picture_file), transport.BLOCK_PREFIX],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""  # the resource tracker would warn here
    assert int(result.stdout) >= 2
    assert own_blocks() == []


ORPHAN_MAKER = """
import sys
from pathlib import Path
from viewer.engine import client
from viewer.engine.host import Worker

def main():
    worker = Worker("decode")
    client.scan(worker, [Path(sys.argv[1])], lambda update: print(worker.pid, flush=True))
    sys.stdin.read()

if __name__ == "__main__":
    main()
"""


@needs_posix
@pytest.mark.parametrize("busy", [False, True])
def test_child_leaves_when_its_host_is_killed(busy: bool, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(3000 if busy else 1):
        (folder / f"{number}.png").write_bytes(tiny_png(number))
    script = tmp_path / "host.py"
    script.write_text(ORPHAN_MAKER)
    host = subprocess.Popen(
        [sys.executable, str(script), str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert host.stdout is not None
        pid = int(host.stdout.readline())
        assert is_alive(pid)
        host.kill()
        deadline = time.monotonic() + 2
        while is_alive(pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not is_alive(pid)
    finally:
        host.kill()
        host.communicate()


def test_the_decode_child_never_loads_torch_or_qt() -> None:
    code = (
        "import sys, viewer.engine.decode_worker, viewer.engine.host;"
        "print([m for m in sys.modules if m in ('torch', 'PySide6')])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
