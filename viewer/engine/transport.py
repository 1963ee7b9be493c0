"""Messages between processes: pickled into a pipe, their arrays beside it in shared memory.

The host owns every block: it makes up the name before a request is sent, also of the block that
the worker will answer in, so that nothing is left behind when a worker is killed at any moment.
"""

from __future__ import annotations

import os
import pickle
import secrets
import sys
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np

from viewer.engine.limits import SHARED_FROM_BYTES, SHARED_HEADROOM

if sys.platform != "win32":
    import _posixshmem  # type: ignore[import-not-found]  # the module behind SharedMemory

BLOCK_PREFIX = "lightbox_"
_SHARED_FOLDER = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message as it goes through the pipe."""

    content: bytes  # pickle, without the buffers where they travel in a block
    block: str = ""  # name of the shared block, empty where there is none
    sizes: tuple[int, ...] = ()  # bytes of each buffer in the block, one after another


@dataclass(frozen=True, slots=True)
class Call:
    request: Parcel
    answer_block: str  # the name for the block of the answer, should it need one
    time_limit: float  # seconds of silence after which the host gives up


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


def pack(message: object, block: str = "") -> tuple[Parcel, SharedMemory | None]:
    """Wrap a message; its large arrays go into a new shared block of the given name.

    Returns
    -------
    The parcel, and the block to close once the other side has opened it (None where there is
    none: no name given, arrays too small to be worth it, or no room in shared memory).
    """
    buffers: list[pickle.PickleBuffer] = []
    content = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
    views = [buffer.raw() for buffer in buffers]
    total = sum(view.nbytes for view in views)
    if not block or total < SHARED_FROM_BYTES or not _room_for(total):
        return Parcel(pickle.dumps(message, protocol=5)), None
    memory = SharedMemory(block, create=True, size=total)
    start = 0
    target = _content(memory)
    for view in views:
        target[start : start + view.nbytes] = view
        start += view.nbytes
    return Parcel(content, block, tuple(view.nbytes for view in views)), memory


def unpack(parcel: Parcel) -> Any:
    """The message again, its arrays copied out of the block; the block itself stays."""
    if not parcel.block:
        return pickle.loads(parcel.content)
    memory = SharedMemory(parcel.block)
    try:
        buffers = []
        start = 0
        for size in parcel.sizes:
            buffers.append(np.frombuffer(_content(memory), np.uint8, size, start).copy())
            start += size
    finally:
        memory.close()
    return pickle.loads(parcel.content, buffers=buffers)


def discard(block: str) -> None:
    """Remove a block by name whether or not it came to exist, when its maker is done or dead."""
    if sys.platform == "win32":
        return  # Windows frees a block with its last handle
    try:
        # SharedMemory(block).unlink() cannot open one whose maker died before giving it a size.
        _posixshmem.shm_unlink("/" + block)
    except FileNotFoundError:
        return  # never made; then it was never registered either
    # The maker registered it, unless it died just before; registering again does no harm.
    resource_tracker.register("/" + block, "shared_memory")
    resource_tracker.unregister("/" + block, "shared_memory")


def _content(memory: SharedMemory) -> memoryview:
    assert memory.buf is not None  # only after close()
    return memory.buf


def _room_for(size: int) -> bool:
    if not _SHARED_FOLDER.is_dir():
        return True
    room = os.statvfs(_SHARED_FOLDER)
    return room.f_bavail * room.f_frsize >= size + SHARED_HEADROOM
