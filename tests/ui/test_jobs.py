"""Threads beside the window: delivered on its thread, the newest wins, nothing is left."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pytestqt.exceptions import capture_exceptions
from pytestqt.qtbot import QtBot

from viewer.errors import Cancelled, EngineError, InputError, ViewerError
from viewer.ui.jobs import Jobs, Report


class Log:
    """What was delivered, and on which thread."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.errors: list[ViewerError] = []
        self.updates: list[Any] = []
        self.threads: set[int] = set()

    def on_done(self, result: Any) -> None:
        self.done.append(result)
        self.threads.add(threading.get_ident())

    def on_error(self, error: ViewerError) -> None:
        self.errors.append(error)
        self.threads.add(threading.get_ident())

    def on_update(self, update: Any) -> None:
        self.updates.append(update)
        self.threads.add(threading.get_ident())


@pytest.fixture
def jobs(qtbot: QtBot) -> Iterator[Jobs]:
    jobs = Jobs()
    jobs.add_slot("a")
    jobs.add_slot("b")
    yield jobs
    jobs.close()


def names() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_result_and_updates_come_on_the_windows_thread(jobs: Jobs, qtbot: QtBot) -> None:
    log = Log()
    worked_in = []

    def work(report: Report) -> int:
        worked_in.append(threading.get_ident())
        for number in range(3):
            report(number)
        return 42

    jobs.submit("a", work, log.on_done, log.on_error, log.on_update)
    assert jobs.busy("a")
    qtbot.waitUntil(lambda: log.done == [42])
    assert log.updates == [0, 1, 2]
    assert log.threads == {threading.get_ident()}
    assert worked_in != [threading.get_ident()]
    assert not jobs.busy("a")
    assert log.errors == []


def test_only_the_newest_job_of_a_slot_is_delivered(jobs: Jobs, qtbot: QtBot) -> None:
    old, new, gate = Log(), Log(), threading.Event()

    def slow(report: Report) -> str:
        report("old update")
        gate.wait(5)
        report("late update")
        return "old"

    jobs.submit("a", slow, old.on_done, old.on_error, old.on_update)
    jobs.submit("a", lambda _: "new", new.on_done, new.on_error)
    gate.set()
    qtbot.waitUntil(lambda: new.done == ["new"])
    qtbot.wait(50)
    assert (old.done, old.errors, old.updates) == ([], [], [])


def test_slots_do_not_wait_for_each_other(jobs: Jobs, qtbot: QtBot) -> None:
    log, gate = Log(), threading.Event()
    jobs.submit("a", lambda _: gate.wait(5), lambda _: None, log.on_error)
    jobs.submit("b", lambda _: "quick", log.on_done, log.on_error)
    qtbot.waitUntil(lambda: log.done == ["quick"])
    assert jobs.busy("a")
    gate.set()


def test_a_failure_comes_as_its_sentence(jobs: Jobs, qtbot: QtBot) -> None:
    log = Log()

    def work(_report: Report) -> None:
        raise InputError("No picture in it.")

    jobs.submit("a", work, log.on_done, log.on_error)
    qtbot.waitUntil(lambda: bool(log.errors))
    assert str(log.errors[0]) == "No picture in it."
    assert isinstance(log.errors[0], InputError)


def test_an_unforeseen_failure_is_told_and_its_message_stays_out_of_the_log(
    jobs: Jobs, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    log = Log()

    def work(_report: Report) -> None:
        raise KeyError("DOE^JANE")

    with caplog.at_level(logging.ERROR):
        jobs.submit("a", work, log.on_done, log.on_error)
        qtbot.waitUntil(lambda: bool(log.errors))
    assert isinstance(log.errors[0], EngineError)
    assert "KeyError" in caplog.text
    assert "JANE" not in caplog.text + str(log.errors[0])


def test_cancel_interrupts_and_is_told(qtbot: QtBot) -> None:
    log, gate = Log(), threading.Event()
    jobs = Jobs()
    jobs.add_slot("a", gate.set)

    def work(_report: Report) -> str:
        gate.wait(10)
        return "finished all the same"

    jobs.submit("a", work, log.on_done, log.on_error)
    qtbot.wait(30)
    began = time.monotonic()
    jobs.cancel("a")
    qtbot.waitUntil(lambda: bool(log.errors))
    assert time.monotonic() - began < 0.5
    assert isinstance(log.errors[0], Cancelled)
    assert log.done == []
    jobs.close()


def test_a_callback_that_fails_costs_no_other_delivery(jobs: Jobs, qtbot: QtBot) -> None:
    log = Log()

    def fail(_result: object) -> None:
        raise RuntimeError("in the callback")

    with capture_exceptions() as caught:
        jobs.submit("a", lambda _: 1, fail, log.on_error)
        jobs.submit("b", lambda _: 2, log.on_done, log.on_error)
        qtbot.waitUntil(lambda: log.done == [2] and len(caught) == 1)
    assert not jobs.busy("a")


def test_close_leaves_no_thread_and_delivers_nothing(qtbot: QtBot) -> None:
    log, gate = Log(), threading.Event()
    jobs = Jobs()
    jobs.add_slot("closing", gate.set)
    jobs.submit("closing", lambda _: gate.wait(10), log.on_done, log.on_error)
    jobs.submit("closing", lambda _: "waiting behind", log.on_done, log.on_error)
    assert "jobs-closing" in names()
    jobs.close()
    assert "jobs-closing" not in names()
    qtbot.wait(30)
    assert (log.done, log.errors) == ([], [])
    with pytest.raises(EngineError):
        jobs.submit("closing", lambda _: 1, log.on_done, log.on_error)
