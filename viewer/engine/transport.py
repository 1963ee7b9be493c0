"""Messages between processes: pickled into a pipe, their arrays beside it in shared memory.

The host owns every block: it makes up the name before a request is sent, also of the block that
the worker will answer in, so that nothing is left behind when a worker is killed at any moment. A
worker whose host is gone discards what it was making.
"""

from __future__ import annotations

import mmap
import os
import pickle
import secrets
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from viewer.engine.limits import SHARED_FROM_BYTES, SHARED_HEADROOM

if sys.platform != "win32":
    import _posixshmem  # type: ignore[import-not-found]  # the module behind shared_memory

BLOCK_PREFIX = "lightbox_"
_SHARED_FOLDER = Path("/dev/shm")
_ALIGNMENT = 64  # of each buffer, for numpy and OpenCV


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
            start += -(-size // _ALIGNMENT) * _ALIGNMENT


@dataclass(frozen=True, slots=True)
class Call:
    request: Parcel
    answer_block: str  # the name for the block of the answer, should it need one
    time_limit: float  # seconds of silence after which the host gives up
    computing_limit: float = 0.0  # seconds of computing in silence; 0 is without end


@dataclass(frozen=True, slots=True)
class Stop:
    """Host to worker: end the current request."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Worker to host: the request ended because of a Stop."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Worker to host: started, waiting for requests."""


def new_block_name() -> str:
    """A name that no other block has; macOS allows 30 characters."""
    return BLOCK_PREFIX + secrets.token_hex(8)


def pack(message: object, block: str = "") -> tuple[Parcel, mmap.mmap | None]:
    """Wrap a message; its large arrays go into a new shared block of the given name.

    Returns
    -------
    The parcel, and what to close once the other side has opened the block: on Windows, which
    frees a block with its last handle. Without a block travel small arrays, those for which there
    is no room in shared memory, and all where no name is given.
    """
    buffers: list[pickle.PickleBuffer] = []
    content = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
    if not buffers:
        return Parcel(content), None
    views = [buffer.raw() for buffer in buffers]
    total = sum(-(-view.nbytes // _ALIGNMENT) * _ALIGNMENT for view in views)
    if not block or total < SHARED_FROM_BYTES or not _room_for(total):
        return Parcel(pickle.dumps(message, protocol=5)), None
    parcel = Parcel(content, block, tuple(view.nbytes for view in views))
    if sys.platform == "linux":
        _write(parcel, views, total)
        return parcel, None
    memory = _mapped(block, total, new=True)
    target = np.frombuffer(memory, np.uint8)
    for view, start in zip(views, parcel.starts(), strict=True):
        # Not by slices of a memoryview, which would hold up all other threads.
        target[start : start + view.nbytes] = np.frombuffer(view, np.uint8)
    del target  # or the block could not be closed
    if sys.platform == "win32":
        return parcel, memory
    memory.close()
    return parcel, None


def unpack(parcel: Parcel) -> Any:
    """The message again. Its arrays lie in the block: it lasts as long as they do.

    On POSIX the name may be discarded at once. Windows has none to discard.
    """
    if not parcel.block:
        return pickle.loads(parcel.content)
    starts = tuple(parcel.starts())
    memory = _mapped(parcel.block, starts[-1] + parcel.sizes[-1])
    buffers = [
        np.frombuffer(memory, np.uint8, size, start)
        for size, start in zip(parcel.sizes, starts, strict=True)
    ]
    return pickle.loads(parcel.content, buffers=buffers)


def discard(block: str) -> None:
    """Remove a block by name whether or not it came to exist, when its maker is done or dead."""
    if sys.platform != "win32":  # Windows frees a block with its last handle
        with suppress(FileNotFoundError):
            _posixshmem.shm_unlink("/" + block)


def _write(parcel: Parcel, views: list[memoryview], total: int) -> None:
    """Make the block and fill it.

    Written like a file, as Linux allows: where pages are mapped before they exist, each costs a
    fault, and all of it twice the time.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
    descriptor = _posixshmem.shm_open("/" + parcel.block, flags, mode=0o600)
    try:
        os.ftruncate(descriptor, total)
        for view, start in zip(views, parcel.starts(), strict=True):
            done = 0
            while done < view.nbytes:
                done += os.pwrite(descriptor, view[done:], start + done)
    finally:
        os.close(descriptor)


def _mapped(block: str, size: int, new: bool = False) -> mmap.mmap:
    """Shared memory of that name.

    Not as SharedMemory, which ties the memory to its name and tells a third process of each.
    """
    if sys.platform == "win32":
        return mmap.mmap(-1, size, tagname=block)
    flags = os.O_RDWR | (os.O_CREAT | os.O_EXCL if new else 0)
    descriptor = _posixshmem.shm_open("/" + block, flags, mode=0o600)
    try:
        if new:
            os.ftruncate(descriptor, size)
        return mmap.mmap(descriptor, size)
    finally:
        os.close(descriptor)


def _room_for(size: int) -> bool:
    if not _SHARED_FOLDER.is_dir():
        return True
    room = os.statvfs(_SHARED_FOLDER)
    return room.f_bavail * room.f_frsize >= size + SHARED_HEADROOM
