"""The only owner of threads: runs work beside the window and delivers the outcome on its thread."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal

from viewer import log
from viewer.errors import Cancelled, EngineError, ViewerError

T = TypeVar("T")

_log = logging.getLogger(__name__)

_CLOSE_SECONDS = 10.0  # a worker answers a cancel within half a second; this is far above it


class Report:
    """What a piece of work is given: it tells progress through it and learns that it must stop."""

    def __init__(self, send: Callable[[Any], None]) -> None:
        self._send = send
        self._stop = threading.Event()

    def __call__(self, update: Any) -> None:
        """Tell progress. Never raises, since a worker's conversation must not be cut in two."""
        if not self._stop.is_set():
            self._send(update)

    def check(self) -> None:
        """Raise Cancelled once the work is no longer wanted."""
        if self._stop.is_set():
            raise Cancelled("Cancelled.")

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        self._stop.set()


Work = Callable[[Report], T]


@dataclass(frozen=True, eq=False)
class _Job:
    id: int
    work: Work[Any]
    report: Report
    on_done: Callable[[Any], None]
    on_error: Callable[[ViewerError], None]
    on_update: Callable[[Any], None] | None


class _Slot:
    """One thread, which does the jobs of one slot one after the other."""

    def __init__(
        self,
        name: str,
        interrupt: Callable[[], None] | None,
        deliver: Callable[[_Slot, _Job, Callable[[], None]], None],
    ) -> None:
        self.name = name
        self.interrupt = interrupt
        self.newest: _Job | None = None  # written on the window's thread only
        self._deliver = deliver
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._running: _Job | None = None
        self._thread: threading.Thread | None = None

    def put(self, job: _Job) -> None:
        if self.newest is not None:
            self.newest.report.stop()
        self.newest = job
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name=f"jobs-{self.name}")
            self._thread.daemon = True  # a crash of the window must not leave the process hanging
            self._thread.start()
        self._queue.put(job)

    def cancel(self) -> None:
        if self.newest is None:
            return
        self.newest.report.stop()
        if self._running is self.newest and self.interrupt is not None:
            self.interrupt()

    def end(self) -> None:
        if self.newest is not None:
            self.newest.report.stop()
        self._queue.put(None)

    def join(self, seconds: float) -> bool:
        """True once the thread has ended; interrupts what it is waiting for."""
        if self._thread is None:
            return True
        if self._running is not None and self.interrupt is not None:
            self.interrupt()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _serve(self) -> None:
        while (job := self._queue.get()) is not None:
            self._running = job
            outcome = self._outcome(job)
            self._running = None
            self._deliver(self, job, outcome)
            del job, outcome  # else a result lives on until the next job of the slot

    def _outcome(self, job: _Job) -> Callable[[], None]:
        """Do the work; the answer is the callback to run on the window's thread."""
        error: ViewerError
        try:
            job.report.check()
            result = job.work(job.report)
            job.report.check()
            return lambda: job.on_done(result)
        except ViewerError as known:
            error = known
        except Exception as unknown:  # the border of the thread: told in a sentence, never lost
            _log.error("A %s job failed: %s", self.name, log.describe(unknown))
            error = EngineError(
                f"Something unexpected went wrong ({type(unknown).__name__}); it is in the log."
            )
        return lambda: job.on_error(error)


class Jobs(QObject):
    """Runs blocking work in named slots, one thread each.

    A newer job in a slot makes the older one stale: nothing of a stale job is delivered. Callbacks
    run on the thread that made this object, through its event loop.
    """

    _arrived = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._slots: dict[str, _Slot] = {}
        self._ids = itertools.count(1)
        self._inbox: SimpleQueue[tuple[_Slot, _Job, bool, Callable[[], None]]] = SimpleQueue()
        self._closed = False
        # Python values cross in the queue and the signal carries none: one signal, one delivery,
        # so that a callback that fails costs its own delivery and no other.
        self._arrived.connect(self._deliver_one, Qt.ConnectionType.QueuedConnection)

    def add_slot(self, name: str, interrupt: Callable[[], None] | None = None) -> None:
        """Make a slot; ``interrupt`` ends what its work waits for, from any thread."""
        self._slots[name] = _Slot(name, interrupt, self._finished)

    def submit(
        self,
        slot: str,
        work: Work[T],
        on_done: Callable[[T], None],
        on_error: Callable[[ViewerError], None],
        on_update: Callable[[Any], None] | None = None,
    ) -> int:
        """Run ``work(report)`` in the slot's thread; returns the job's id.

        Exactly one of ``on_done`` and ``on_error`` is called, unless a newer job of the slot or
        ``close`` comes first. A cancelled job ends in ``on_error`` with Cancelled.
        """
        if self._closed:
            raise EngineError("The window is closing.")
        place = self._slots[slot]

        def send(update: Any) -> None:
            if job.on_update is not None:
                callback = job.on_update
                self._inbox.put((place, job, False, lambda: callback(update)))
                self._arrived.emit()

        job = _Job(next(self._ids), work, Report(send), on_done, on_error, on_update)
        place.put(job)
        return job.id

    def busy(self, slot: str) -> bool:
        """True from submitting until the outcome was delivered."""
        return self._slots[slot].newest is not None

    def cancel(self, slot: str) -> None:
        """Stop the slot's job; its ``on_error`` gets Cancelled."""
        self._slots[slot].cancel()

    def close(self) -> None:
        """Cancel everything, wait, and make sure that no thread is left. Delivers nothing more."""
        self._closed = True
        for slot in self._slots.values():
            slot.end()
        deadline = time.monotonic() + _CLOSE_SECONDS
        waiting = list(self._slots.values())
        while waiting and time.monotonic() < deadline:
            waiting = [slot for slot in waiting if not slot.join(0.05)]
        assert not waiting, f"threads left alive: {[slot.name for slot in waiting]}"

    def _finished(self, slot: _Slot, job: _Job, outcome: Callable[[], None]) -> None:
        """Called in the slot's thread."""
        if self._closed:
            return
        self._inbox.put((slot, job, True, outcome))
        self._arrived.emit()

    def _deliver_one(self) -> None:
        slot, job, last, callback = self._inbox.get()
        if self._closed or slot.newest is not job:
            return  # late: a newer job has taken the slot
        if last:
            slot.newest = None  # before the callback, which may submit the next
        elif job.report.stopped:
            return
        callback()
