"""Messages between processes: pickled into a pipe, their arrays beside it in shared memory.

The host owns every block: it makes up the name before a request is sent, also of the block that
the worker will answer in, so that nothing is left behind when a worker is killed at any moment. A
worker whose host is gone discards what it was making.

New shared memory costs more than all the copying. So a worker writes its answers into one block,
over and over, which both sides keep mapped and which has no name any more, and the host copies
them out of it.
"""

from __future__ import annotations

import mmap
import os
import pickle
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.engine.limits import SHARED_FROM_BYTES, SHARED_HEADROOM

if sys.platform != "win32":
    import _posixshmem  # type: ignore[import-not-found]  # the module behind shared_memory

BLOCK_PREFIX = "lightbox_"
_SHARED_FOLDER = Path("/dev/shm")
_ALIGNMENT = 64  # of each buffer, for numpy and OpenCV
_LARGE_BYTES = 4 << 20  # two pages of the larger kind

Bytes = npt.NDArray[np.uint8]
Filling = Sequence[tuple[int, memoryview]]
"""What is to be put into a block, and where."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message as it goes through the pipe."""

    content: bytes  # pickle, without the buffers where they travel in a block
    block: str = ""  # name of the shared block, empty where there is none
    sizes: tuple[int, ...] = ()  # bytes of each buffer in the block, in their order

    def starts(self) -> Iterator[int]:
        """Where each buffer begins in the block."""
        start = 0
        for size in self.sizes:
            yield start
            start += _padded(size)

    @property
    def total(self) -> int:
        """Bytes of the block that are used."""
        return sum(map(_padded, self.sizes))


@dataclass(frozen=True, slots=True)
class Call:
    request: Parcel
    answer_block: str  # the name for a new block, should the answer need one
    time_limit: float  # seconds of silence after which the host gives up
    computing_limit: float = 0.0  # seconds of computing in silence; 0 is without end
    kept_block: str = ""  # the one that the host has kept; empty for none
    note: str = ""  # the block of the note, where there is one


@dataclass(frozen=True, slots=True)
class Stop:
    """Host to worker: end the current request."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Worker to host: the request ended because of a Stop."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Worker to host: started, waiting for requests."""


class Block:
    """Shared memory, mapped: it lasts as long as somebody has it so, whatever became of its name.

    Not as SharedMemory, which ties the memory to its name and tells a third process of each.
    """

    def __init__(self, name: str, size: int, filling: Filling | None = None) -> None:
        """Open a block, or make one with a ``filling``."""
        self.name, self.size = name, size
        if sys.platform == "win32":
            self._memory = mmap.mmap(-1, size, tagname=name)
        else:
            is_new = filling is not None
            flags = os.O_RDWR | (os.O_CREAT | os.O_EXCL if is_new else 0)
            descriptor = _posixshmem.shm_open("/" + name, flags, mode=0o600)
            try:
                if is_new:
                    os.ftruncate(descriptor, size)
                if sys.platform == "linux":
                    _write(descriptor, filling or ())
                self._memory = mmap.mmap(descriptor, size)
            finally:
                os.close(descriptor)
        if sys.platform != "linux":
            self.fill(filling or ())

    def fill(self, filling: Filling) -> None:
        target = np.frombuffer(self._memory, np.uint8)
        for start, view in filling:
            # Not by slices of a memoryview, which would hold up all other threads.
            target[start : start + view.nbytes] = np.frombuffer(view, np.uint8)

    def copied(self, start: int, size: int) -> Bytes:
        """Some bytes of it, in memory of their own."""
        memory = _new_memory(size)
        memory[:] = np.frombuffer(self._memory, np.uint8, size, start)
        return memory

    def close(self) -> None:
        self._memory.close()


class Note:
    """A line that one side leaves for the other to find, should it come to an end."""

    _SIZE = 64 << 10
    _HEAD = 4  # bytes that hold the length of the text

    def __init__(self, name: str, new: bool = False) -> None:
        nothing = ((0, memoryview(bytes(self._SIZE))),)  # it must not lack room later
        self._block = Block(name, self._SIZE, nothing if new else None)

    @classmethod
    def has_room(cls) -> bool:
        return _room_for(cls._SIZE)

    def write(self, text: str) -> None:
        data = text.encode("utf-8", "surrogateescape")[: self._SIZE - self._HEAD]
        content = len(data).to_bytes(self._HEAD, "little") + data
        self._block.fill(((0, memoryview(content)),))

    def read(self) -> str:
        """Empty where nothing was written."""
        length = int.from_bytes(self._block.copied(0, self._HEAD).tobytes(), "little")
        data = self._block.copied(self._HEAD, length).tobytes() if length else b""
        return data.decode("utf-8", "surrogateescape")

    def close(self) -> None:
        self._block.close()


def new_block_name() -> str:
    """A name that no other block has; macOS allows 30 characters."""
    return BLOCK_PREFIX + secrets.token_hex(8)


def pack(message: object, name: str = "", kept: Block | None = None) -> tuple[Parcel, Block | None]:
    """Wrap a message; its large arrays go into ``kept``, or a new block of the given name.

    Returns
    -------
    The parcel, and the block that is there now. In the parcel travel small arrays, those for which
    there is no room in shared memory, and all where there is neither a block nor a name.
    """
    buffers: list[pickle.PickleBuffer] = []
    content = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
    if not buffers:
        return Parcel(content), kept
    views = [buffer.raw() for buffer in buffers]
    parcel = Parcel(content, name, tuple(view.nbytes for view in views))
    filling = tuple(zip(parcel.starts(), views, strict=True))
    if parcel.total >= SHARED_FROM_BYTES and kept is not None and parcel.total <= kept.size:
        kept.fill(filling)
        return replace(parcel, block=kept.name), kept
    if parcel.total >= SHARED_FROM_BYTES and name and _room_for(parcel.total):
        if kept is not None:
            kept.close()
        return parcel, Block(name, parcel.total, filling)
    return Parcel(pickle.dumps(message, protocol=5)), kept


def unpack(parcel: Parcel, kept: Block | None = None) -> Any:
    """The message again; ``kept`` is its block where it is open already. Its arrays are copies."""
    if not parcel.block:
        return pickle.loads(parcel.content)
    block = kept or Block(parcel.block, parcel.total)
    buffers = [
        block.copied(start, size) for start, size in zip(parcel.starts(), parcel.sizes, strict=True)
    ]
    if kept is None:
        block.close()
    return pickle.loads(parcel.content, buffers=buffers)


def discard(block: str) -> None:
    """Remove a block by name whether or not it came to exist, when its maker is done or dead."""
    if sys.platform != "win32":  # Windows frees a block with its last handle
        with suppress(FileNotFoundError):
            _posixshmem.shm_unlink("/" + block)


def _write(descriptor: int, filling: Filling) -> None:
    """Fill a new block like a file, as Linux allows.

    Where pages are mapped before they exist, each costs a fault, and all of it twice the time.
    """
    for start, view in filling:
        done = 0
        while done < view.nbytes:
            done += os.pwrite(descriptor, view[done:], start + done)


def _new_memory(size: int) -> Bytes:
    """Bytes that go back to the system as soon as nobody uses them.

    To be given its pages one by one, at a fault each, takes longer than to fill them.
    """
    if sys.platform == "win32" or size < SHARED_FROM_BYTES:
        memory = np.empty(size + _ALIGNMENT, np.uint8)
        start = -memory.ctypes.data % _ALIGNMENT
        return memory[start : start + size]
    is_large = size >= _LARGE_BYTES
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    if sys.platform == "linux" and not is_large:
        flags |= mmap.MAP_POPULATE  # all at once
    pages = mmap.mmap(-1, size, flags=flags)
    if sys.platform == "linux" and is_large:
        pages.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(pages, np.uint8)


def _padded(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _room_for(size: int) -> bool:
    if not _SHARED_FOLDER.is_dir():
        return True
    room = os.statvfs(_SHARED_FOLDER)
    return room.f_bavail * room.f_frsize >= size + SHARED_HEADROOM
