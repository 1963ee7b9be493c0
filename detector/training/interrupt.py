"""Ctrl+C ends a training after the step that is under way, not in the middle of it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from detector.training.distributed import Team


class Interrupt:
    """Whether the reader asked to stop."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def watched(team: Team) -> Iterator[Interrupt]:
    """Notes the first Ctrl+C instead of raising KeyboardInterrupt; the second one raises.

    In a team every further one is only noted: torchrun passes on the one that the terminal has
    sent already. Outside the main thread, where Python gives no signals, nothing changes.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return

    def note(_number: int, _frame: FrameType | None) -> None:
        if interrupt.asked and team.size == 1:
            raise KeyboardInterrupt
        interrupt.asked = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)
