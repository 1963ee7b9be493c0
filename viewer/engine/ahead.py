"""A thread that works ahead: the next picture is decoded while this one is analysed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue
from typing import TypeVar

T = TypeVar("T")

_LOOK_S = 0.05  # how often a waiting side looks whether the other one still wants it


@contextmanager
def ahead(values: Iterator[T], room: int) -> Iterator[Iterator[T]]:
    """Take values from an iterator that runs in a thread of its own, up to ``room`` ahead.

    What it raises is raised to who takes the values. On leaving, the thread has ended; what it
    waits for must be interrupted before, or it is waited for.
    """
    queue: Queue[tuple[T] | BaseException | None] = Queue(room)
    left = threading.Event()

    def put(item: tuple[T] | BaseException | None) -> None:
        while not left.is_set():
            try:
                queue.put(item, timeout=_LOOK_S)
            except Full:
                continue
            return

    def work() -> None:
        try:
            for value in values:
                put((value,))
                if left.is_set():
                    return
        except BaseException as error:
            put(error)
        else:
            put(None)

    def taken() -> Iterator[T]:
        while True:
            try:
                item = queue.get(timeout=_LOOK_S)
            except Empty:
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item[0]

    thread = threading.Thread(target=work, name="ahead", daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        left.set()
        thread.join()
