"""The life of a child process: wait for a request, handle it, answer, until the host is gone."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TypeVar

from detector.types import DetectorError
from viewer.engine.limits import KEPT_BLOCK_BYTES
from viewer.engine.messages import Answer, Failure, Request, Update
from viewer.engine.transport import Block, Call, Note, Ready, Stop, Stopped, discard, pack, unpack
from viewer.errors import Cancelled, ViewerError
from viewer.log import describe

T = TypeVar("T")


class Link:
    """The worker's side of the pipe, as a handler sees it: send updates, notice a stop."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._calls: queue.SimpleQueue[Call] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._answer_block = ""  # of the current call, as are the limits
        self._time_limit = self._computing_limit = 0.0
        self._note: Note | None = None
        threading.Thread(target=self._listen, name="link", daemon=True).start()

    def report(self, update: Update) -> None:
        """Send an update of the current request; raises Cancelled after a stop."""
        self.begin()
        self.send(update)

    def begin(self, part: str = "") -> None:
        """Begin the next part of a request, under the limits of the whole; as ``check``.

        Its name is what the host finds, should this process not survive it.
        """
        self.check()
        _set_alarm(self._time_limit, self._computing_limit)
        if part and self._note is not None:
            self._note.write(part)

    def check(self) -> None:
        """Raise Cancelled when the host has asked to stop the current request."""
        if self._stop.is_set():
            raise Cancelled("Stopped.")

    def send(self, message: object) -> None:
        self._connection.send(pack(message)[0])

    def next_call(self) -> Call:
        call = self._calls.get()
        self._answer_block = call.answer_block
        self._time_limit, self._computing_limit = call.time_limit, call.computing_limit
        if self._note is not None:
            self._note.close()
        self._note = Note(call.note) if call.note else None
        return call

    def _listen(self) -> None:
        """Read the pipe, also while a request is handled; leave when the host is gone."""
        try:
            while True:
                message = self._connection.recv()
                if isinstance(message, Stop):
                    self._stop.set()
                else:
                    self._stop.clear()  # a stop that came too late for the call before
                    self._calls.put(message)
        except (EOFError, OSError):
            if self._answer_block:
                discard(self._answer_block)
            os._exit(0)  # nobody is there to answer, whatever is being done


def serve(connection: Connection, handle: Callable[[Request, Link], Answer]) -> None:
    """Answer calls for ever. ``handle`` raises what it wants: the border is here."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the host's to deal with
    _silence()
    link = Link(connection)
    link.send(Ready())
    kept: Block | None = None  # the one that the host keeps as well
    while True:
        call = link.next_call()
        if kept is not None and kept.name != call.kept_block:
            # Only now: Windows frees a block with its last handle.
            kept.close()
            kept = None
        _set_alarm(call.time_limit, call.computing_limit)
        answer = _answer(call, handle, link)
        parcel, kept = pack(answer, call.answer_block, kept)
        # The answer as Python objects is dropped before waiting: a frame may be large.
        del answer
        connection.send(parcel)
        _set_alarm(0, 0)
        if kept is not None and kept.size > KEPT_BLOCK_BYTES and os.name != "nt":
            kept.close()
            kept = None


def _answer(
    call: Call, handle: Callable[[Request, Link], Answer], link: Link
) -> Answer | Failure | Stopped:
    try:
        return attempt(lambda: handle(unpack(call.request), link))
    except Cancelled:
        return Stopped()


def attempt(work: Callable[[], T]) -> T | Failure:
    """What the work gives, or why it gives nothing; Cancelled alone goes through."""
    try:
        return work()
    except Cancelled:
        raise
    except (ViewerError, DetectorError) as error:
        return Failure(str(error))
    except MemoryError as error:
        return Failure("There is not enough memory for this image.", describe(error))
    except Exception as error:  # the worker border: one bad file must not end the process
        return Failure(
            f"An unexpected error ({type(error).__name__}) came up with this image.",
            describe(error),
        )


def _silence() -> None:
    """Send what codecs and drivers print to nowhere; the host speaks for its children."""
    with suppress(OSError, ValueError, AttributeError):  # a windowed program has no stdout
        sys.stdout.flush()
        sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (1, 2):
        with suppress(OSError):
            os.dup2(nowhere, descriptor)
    if nowhere > 2:
        os.close(nowhere)


def _set_alarm(seconds: float, computing: float) -> None:
    """Let the system end this process well after the limit, or so much computing; 0 for never.

    For a decoder that hangs while it keeps the interpreter to itself after the host has died:
    then the thread that listens cannot run, and no one else would end it.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds * 2)
        signal.setitimer(signal.ITIMER_PROF, computing)
