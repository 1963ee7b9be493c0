"""The list of 20,000 studies with 100,000 findings: read, and used in a window without a hitch."""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from PySide6.QtCore import QEventLoop, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from benchmarks.reading_room.figures import Figure, Line, ms
from benchmarks.review.filled import MODEL, READERS, filled_store
from viewer.app import application
from viewer.review.finding import Mode
from viewer.review.store import Store
from viewer.review.study_list import rows_of
from viewer.review.worklist import Order
from viewer.ui.jobs import Jobs
from viewer.ui.worklist import SLOT, Worklist
from viewer.ui.worklist_panel import WorklistPanel

STUDIES, FINDINGS = 20_000, 100_000
_TIMES = 15
_STALL = 50  # ms

_OTHERS = "SELECT study_id, reader FROM logs WHERE role = 'reader' AND reader <> ? ORDER BY 1, 2"


def measure() -> Iterator[Line]:
    with TemporaryDirectory() as folder:
        path = Path(folder, "labels.sqlite")
        with filled_store(path, STUDIES, FINDINGS) as store:
            yield from _query(store, path)
        yield from _window(path)


def _query(store: Store, path: Path) -> Iterator[Line]:
    """All rows of one reader; and the one row that a decision changes."""
    query = rows_of(READERS[0], Mode.CONCURRENT, MODEL)
    sql = str(query.compile(store._engine, compile_kwargs={"literal_binds": True}))
    with closing(sqlite3.connect(path)) as bare:

        def ours() -> None:
            assert len(store.worklist.rows(READERS[0], Mode.CONCURRENT, MODEL)) == STUDIES

        def peer() -> None:
            assert len(bare.execute(sql).fetchall()) == STUDIES
            bare.execute(_OTHERS, (READERS[0],)).fetchall()

        def one() -> None:
            store.worklist.rows(READERS[0], Mode.CONCURRENT, MODEL, 77)

        mine, theirs, single = _computing((ours, peer, one))
    yield Figure(f"the worklist of {STUDIES:,} studies, read", mine * 1000, "ms", 50)
    yield Figure("the same", mine / theirs, "bare SQL", 2, f"{ms(mine)} to {ms(theirs)}")
    yield Figure("one row of it, read again", single * 1000, "ms", 5)


def _computing(runs: Sequence[Callable[[], object]]) -> list[float]:
    """Median seconds of computing of each, in turns: others at work here count for nothing."""
    found: list[list[float]] = [[] for _ in runs]
    for _ in range(_TIMES):
        for seconds, run in zip(found, runs, strict=True):
            began = time.thread_time()
            run()
            seconds.append(time.thread_time() - began)
    return [statistics.median(seconds) for seconds in found]


def _window(path: Path) -> Iterator[Line]:
    """How long the event loop is held by each thing that the reader does with the list."""
    app = application()
    jobs = Jobs()
    jobs.add_slot(SLOT)
    with Store.open(path) as store:
        holder = QWidget()
        who = (READERS[0], Mode.CONCURRENT, MODEL)
        rows = Worklist(jobs, path, store, lambda: who, holder)
        panel = WorklistPanel(holder)
        panel.resize(1400, 860)
        panel.setParent(None)
        panel.filtered.connect(
            lambda choice, order, backwards: rows.show(choice, order, backwards=backwards)
        )
        rows.changed.connect(
            lambda: panel.show_rows(rows.listed, len(rows.rows), rows.modalities, None)
        )
        panel.show()
        began = time.perf_counter()
        rows.load()
        yield Figure(
            "the list read while the window lives", _longest_until(app, rows), "ms", _STALL
        )
        yield Figure("from asking for it to its rows", time.perf_counter() - began, "s", 2)
        yield _worst("sorted, each of the orders", app, _orders(panel))
        yield _worst("filtered, letter by letter", app, _letters(panel))
        yield _worst("scrolled through by pages", app, _pages(panel))
        jobs.close()
        rows.close()
        panel.close()
    del app


def _longest_until(app: QApplication, rows: Worklist) -> float:
    longest = 0.0
    while not rows.loaded:
        longest = max(longest, _stall(app, lambda: None))
    return longest


def _stall(app: QApplication, deed: Callable[[], None]) -> float:
    """Milliseconds of computing until the loop comes round: the deed, and what comes of it."""
    began = time.thread_time()
    deed()
    app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents)
    return (time.thread_time() - began) * 1000


def _worst(name: str, app: QApplication, deeds: list[Callable[[], None]]) -> Line:
    stalls = [_stall(app, deed) for deed in deeds]
    detail = f"median {statistics.median(stalls):.1f} ms of {len(stalls)}"
    return Figure(f"{name}, longest stall", max(stalls), "ms", _STALL, detail)


def _orders(panel: WorklistPanel) -> list[Callable[[], None]]:
    def choose(order: Order) -> Callable[[], None]:
        def deed() -> None:
            panel.order.setCurrentIndex(panel.order.findData(order))
            panel.order.activated.emit(panel.order.currentIndex())

        return deed

    return [choose(order) for order in (*Order, Order.TRIAGE)]


def _letters(panel: WorklistPanel) -> list[Callable[[], None]]:
    def letter(key: str) -> Callable[[], None]:
        return lambda: QTest.keyClick(panel.text, key)

    def filtered() -> None:
        panel.text.returnPressed.emit()

    deeds: list[Callable[[], None]] = []
    for key in "jane 77":
        deeds += [letter(key), filtered]
    return [*deeds, panel.text.clear, filtered]


def _pages(panel: WorklistPanel) -> list[Callable[[], None]]:
    def page() -> None:
        QTest.keyClick(panel.table, Qt.Key.Key_PageDown)

    bar = panel.table.verticalScrollBar()
    jumps = [lambda at=at: bar.setValue(bar.maximum() * at // 20) for at in range(21)]
    return [lambda: bar.setValue(0), *[page] * 60, *jumps]
