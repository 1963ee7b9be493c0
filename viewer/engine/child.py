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

from detector.types import DetectorError
from viewer.engine.messages import Answer, Failure, Request, ScanStep, Update
from viewer.engine.transport import Call, Ready, Stop, Stopped, discard, pack, unpack
from viewer.errors import Cancelled, ViewerError
from viewer.log import describe


class Link:
    """The worker's side of the pipe, as a handler sees it: send updates, notice a stop."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._calls: queue.SimpleQueue[Call] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._answer_block = ""  # of the current call, as are the limits
        self._time_limit = self._computing_limit = 0.0
        threading.Thread(target=self._listen, name="link", daemon=True).start()

    def report(self, update: Update | ScanStep) -> None:
        """Send an update of the current request; raises Cancelled after a stop."""
        self.check()
        _set_alarm(self._time_limit, self._computing_limit)
        self.send(update)

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
    kept = None
    while True:
        call = link.next_call()
        if kept is not None:
            kept.close()
        _set_alarm(call.time_limit, call.computing_limit)
        answer = _answer(call, handle, link)
        parcel, block = pack(answer, call.answer_block)
        # The answer as Python objects is dropped before waiting: a frame may be large.
        del answer
        connection.send(parcel)
        _set_alarm(0, 0)
        # Windows frees a block with its last handle, so there it stays open until the next call.
        kept = block if os.name == "nt" else None
        if block is not None and kept is None:
            block.close()


def _answer(
    call: Call, handle: Callable[[Request, Link], Answer], link: Link
) -> Answer | Failure | Stopped:
    try:
        return handle(unpack(call.request), link)
    except Cancelled:
        return Stopped()
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
