"""The window's side of a child process: start, ask, cancel, kill, start again."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import NoReturn

from viewer.dicom.model import Image, ScanUpdate
from viewer.engine import limits
from viewer.engine.limits import Kind
from viewer.engine.messages import (
    AddModelRequest,
    Answer,
    DetectRequest,
    DetectUpdate,
    Failure,
    FramesRequest,
    InspectModelRequest,
    MeasurementsRequest,
    Request,
    ScanRequest,
    Update,
)
from viewer.engine.transport import (
    Block,
    Call,
    Note,
    Ready,
    Stop,
    Stopped,
    discard,
    new_block_name,
    pack,
    unpack,
)
from viewer.errors import Cancelled, EngineError, InputError

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())  # without a log, nothing goes to the console instead

_PROCESS_WORDS: dict[Kind, str] = {"decode": "decoding", "model": "detector"}


class WorkerError(EngineError):
    """The child died or hung over a request.

    Attributes
    ----------
    part : the file that a scan was at, or the number of the frame among several, from 0; empty for
        other requests, and before the first.
    why : what it did, after the name of the file.
    """

    def __init__(self, sentence: str, part: str, why: str) -> None:
        super().__init__(sentence)
        self.part = part
        self.why = why


class Worker:
    """One child process that answers one request at a time.

    It is started by the first request. One that died, hung or did not stop when cancelled is
    killed, and the next request starts a fresh one. Every method may be called from any thread.
    """

    def __init__(self, kind: Kind) -> None:
        self._kind: Kind = kind
        self._lock = threading.Lock()  # held by the thread whose request is running
        self._child: _Child | None = None
        self._dying: list[_Child] = []  # killed, but the system had not let go of them yet
        self._running: _Task | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Process id of the child, None while there is none."""
        child = self._child
        return None if child is None else child.process.pid

    def run(self, request: Request, on_update: Callable[[Update], None] | None = None) -> Answer:
        """Ask the child and wait for its answer; ``on_update`` is called in this thread.

        Raises
        ------
        InputError
            The request failed; the sentence says why.
        WorkerError
            The child died or hung over it.
        EngineError
            It could not be started.
        Cancelled
            ``cancel`` or ``close`` was called.
        """
        with self._lock:
            if self._closed:
                raise Cancelled("Lightbox is closing.")
            task = self._running = _Task(request)
            try:
                self._reap()
                return self._ask(task, on_update)
            finally:
                self._running = None

    def start(self) -> None:
        """Start the child, if there is none, without waiting: what it imports takes a second.

        Raises
        ------
        EngineError
            It could not be started.
        """
        with self._lock:
            if not self._closed:
                self._living_child()

    def cancel(self) -> None:
        """End the running request, if there is one, with Cancelled within 500 ms."""
        task = self._running
        if task is not None:
            task.cancelled.set()

    def close(self) -> None:
        """End the running request and the child. Nothing is left alive; idempotent."""
        self._closed = True
        self.cancel()
        with self._lock:
            if self._child is not None:
                self._child.end()
                self._child = None
            self._reap()

    def _ask(self, task: _Task, on_update: Callable[[Update], None] | None) -> Answer:
        child = self._living_child()
        call_block, answer_block, note = (new_block_name() for _ in range(3))
        child.blocks = (call_block, answer_block, note)
        answered = False
        parcel, memory = pack(task.request, call_block)
        if _is_in_parts(task.request) and Note.has_room():
            task.note = Note(note, new=True)
        try:
            if not child.ready:
                self._receive(child, task, limits.START_LIMIT_S[self._kind])
                child.ready = True
                _log.info("%s worker ready in %.2f s", self._kind, child.age())
            limit = limits.SILENCE_LIMIT_S[type(task.request)]
            call = Call(
                parcel,
                answer_block,
                limit,
                computing_limit=limits.COMPUTING_LIMIT_S.get(type(task.request), 0.0),
                kept_block="" if child.kept is None else child.kept.name,
                note="" if task.note is None else note,
            )
            self._send(child, task, call)
            while True:
                message = self._receive(child, task, limit)
                if not isinstance(message, ScanUpdate | DetectUpdate):
                    answered = True
                    return _judged(message, task)
                if on_update is not None and not task.cancelled.is_set():
                    on_update(message)
        finally:
            if memory is not None:
                memory.close()
            if task.note is not None:
                task.note.close()
            if answered:
                child.discard_blocks()
            else:  # dead, hung, cancelled, or the caller's on_update raised
                self._child = None
                child.kill()
                self._dying.append(child)

    def _living_child(self) -> _Child:
        if self._child is not None and self._child.process.is_alive():
            return self._child
        if self._child is not None:
            _log.error("%s worker died while it had nothing to do", self._kind)
            self._child.end()
        try:
            self._child = _Child(self._kind)
        except OSError as error:
            raise EngineError(
                f"The {_PROCESS_WORDS[self._kind]} process could not be started: {error.strerror}."
            ) from error
        return self._child

    def _send(self, child: _Child, task: _Task, message: object) -> None:
        try:
            child.connection.send(message)
        except OSError as error:
            self._died(child, task, error)

    def _receive(self, child: _Child, task: _Task, limit: float) -> object:
        """The next message; Cancelled or EngineError where none comes in time."""
        silent_until = time.monotonic() + limit
        while True:
            if task.cancelled.is_set():
                if task.kill_at is None:
                    task.kill_at = time.monotonic() + limits.CANCEL_GRACE_S
                    self._send(child, task, Stop())
                elif time.monotonic() > task.kill_at:
                    raise Cancelled("Stopped.")
            if time.monotonic() > silent_until:
                self._hung(child, task, limit)
            try:
                if child.connection.poll(limits.POLL_S):
                    return child.received()
            except (EOFError, OSError) as error:
                self._died(child, task, error)

    def _hung(self, child: _Child, task: _Task, limit: float) -> NoReturn:
        _log.error("%s worker hung over a %s", self._kind, type(task.request).__name__)
        if not child.ready:
            raise EngineError(
                f"The {_PROCESS_WORDS[self._kind]} process did not start within {limit:.0f} s."
            )
        why = f"the {_PROCESS_WORDS[self._kind]} process gave no sign of life for {limit:.0f} s"
        part = task.part
        raise WorkerError(
            f"{_subject(task.request, part)} was given up: {why}.",
            part,
            f"It was given up: {why}.",
        )

    def _died(self, child: _Child, task: _Task, error: Exception) -> NoReturn:
        child.process.join(limits.KILL_WAIT_S)  # its exit code may be a moment late
        cause = _cause(child.process.exitcode)
        _log.error("%s worker died over a %s (%s)", self._kind, type(task.request).__name__, cause)
        if task.cancelled.is_set():
            raise Cancelled("Stopped.") from error
        if not child.ready:
            raise EngineError(
                f"The {_PROCESS_WORDS[self._kind]} process stopped while starting ({cause})."
            ) from error
        why = f"the {_PROCESS_WORDS[self._kind]} process stopped unexpectedly ({cause})"
        if cause == "SIGPROF":
            computed = limits.COMPUTING_LIMIT_S[type(task.request)]
            why = f"it took more than {computed:.0f} s of computing"
        part = task.part
        raise WorkerError(
            f"{_subject(task.request, part)} could not be finished: {why}.",
            part,
            f"It cannot be read: {why}.",
        ) from error

    def _reap(self) -> None:
        self._dying = [child for child in self._dying if not child.reaped(wait=self._closed)]


class _Task:
    """A running request and whether someone wants it stopped."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.cancelled = threading.Event()
        self.kill_at: float | None = None
        self.note: Note | None = None  # which part of it the child is at

    @property
    def part(self) -> str:
        """Of a scan the file, of several frames the number of one from 0; empty for none."""
        return "" if self.note is None else self.note.read()


class _Child:
    """A process, our end of its pipe, and the shared blocks of the request it works on."""

    def __init__(self, kind: Kind) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.ready = False
        self.blocks: tuple[str, ...] = ()
        self.kept: Block | None = None  # into which it writes its answers
        self._started_at = time.monotonic()
        # daemon: should the program end without close(), multiprocessing ends the child.
        self.process: SpawnProcess = context.Process(
            target=_enter, args=(kind, theirs), name=f"lightbox-{kind}", daemon=True
        )
        try:
            self.process.start()
        except BaseException:
            self.connection.close()
            raise
        finally:
            theirs.close()  # held by the child alone, so that its death closes the pipe

    def age(self) -> float:
        return time.monotonic() - self._started_at

    def received(self) -> object:
        """The next message, its arrays copied out of the shared block."""
        message = self.connection.recv()
        if isinstance(message, Ready):
            return message
        if message.block and (self.kept is None or self.kept.name != message.block):
            self._keep(Block(message.block, message.total))
            discard(message.block)  # both have it; by its name it could be left behind
        content = unpack(message, self.kept)
        if self.kept is not None and self.kept.size > limits.KEPT_BLOCK_BYTES:
            self._keep(None)
        return content

    def _keep(self, block: Block | None) -> None:
        if self.kept is not None:
            self.kept.close()
        self.kept = block

    def end(self) -> None:
        """Close the pipe, at which a child leaves by itself; kill it where it does not."""
        self.connection.close()
        self.process.join(1.0)
        self.kill()
        self.reaped(wait=True)

    def kill(self) -> None:
        self.connection.close()
        self.process.kill()
        self.process.join(limits.KILL_WAIT_S)

    def reaped(self, wait: bool) -> bool:
        """Whether the process is gone; its shared blocks are removed when it is."""
        self.process.join(5.0 if wait else 0.0)
        if self.process.is_alive():  # stuck in the kernel, as on a lost network disk
            return False
        self.discard_blocks()
        self._keep(None)
        self.process.close()
        return True

    def discard_blocks(self) -> None:
        for block in self.blocks:
            discard(block)
        self.blocks = ()


def _enter(kind: Kind, connection: Connection) -> None:
    """First function of the child: only what its kind needs is imported there."""
    if kind == "decode":
        from viewer.engine import decode_worker  # noqa: PLC0415

        decode_worker.main(connection)
    else:
        from viewer.engine import model_worker  # noqa: PLC0415

        model_worker.main(connection)


def _judged(message: object, task: _Task) -> Answer:
    """The answer itself, or what it amounts to as an exception."""
    if task.cancelled.is_set() or isinstance(message, Stopped):
        raise Cancelled("Stopped.")
    if isinstance(message, Failure):
        raise failed(message, task.request)
    return message  # type: ignore[return-value]  # the pipe carries nothing else


def failed(failure: Failure, request: Request) -> InputError:
    """A failure as the error that it is for the one who asked; what it was goes to the log."""
    if failure.detail:
        _log.warning("%s failed: %s", type(request).__name__, failure.detail)
    return InputError(failure.sentence)


def _is_in_parts(request: Request) -> bool:
    """Whether a request goes on with the others where one part of it ends the child."""
    return isinstance(request, ScanRequest) or (
        isinstance(request, FramesRequest) and len(request.images) > 1
    )


def _subject(request: Request, part: str) -> str:
    """What a request is about, to begin a sentence with."""
    match request:
        case ScanRequest(paths):
            more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
            return f"Opening {paths[0].name}{more}" if paths else "Opening nothing"
        case DetectRequest():
            return f"The analysis with {request.model_folder.name}"
        case InspectModelRequest() | AddModelRequest():
            return f"Adding {request.file.name}"
        case MeasurementsRequest(path):
            return f"Reading {path.name}"
        case FramesRequest(images):
            return f"Reading {_image_name(images[int(part or 0)])}"
        case _:
            return f"Reading {_image_name(request.image)}"


def _image_name(image: Image) -> str:
    name = f"{image.path.name} > {image.member}" if image.member else image.path.name
    return f"frame {image.frame_number} of {name}" if image.number_of_frames > 1 else name


def _cause(exitcode: int | None) -> str:
    if exitcode is None:
        return "no exit code"
    if exitcode >= 0:
        return f"exit code {exitcode}"
    try:
        return signal.Signals(-exitcode).name
    except ValueError:
        return f"signal {-exitcode}"
