"""Several child processes of one kind, for requests that need not wait for each other."""

from __future__ import annotations

from collections.abc import Callable
from queue import LifoQueue

from viewer.engine.host import Worker
from viewer.engine.limits import Kind
from viewer.engine.messages import Answer, Request, Update


class Pool:
    """Gives each request to a worker that is free; where there is none it waits for one.

    The worker that was used last comes first, so that one request at a time starts one child.
    """

    def __init__(self, kind: Kind, size: int) -> None:
        self.workers = tuple(Worker(kind) for _ in range(size))
        self._free: LifoQueue[Worker] = LifoQueue()
        for worker in reversed(self.workers):
            self._free.put(worker)

    def run(self, request: Request, on_update: Callable[[Update], None] | None = None) -> Answer:
        """As ``Worker.run``, by one of them."""
        worker = self._free.get()
        try:
            return worker.run(request, on_update)
        finally:
            self._free.put(worker)

    def start(self) -> None:
        """Start all of them; as ``Worker.start``."""
        for worker in self.workers:
            worker.start()

    def cancel(self) -> None:
        """End all that is running, each with Cancelled within 500 ms."""
        for worker in self.workers:
            worker.cancel()

    def close(self) -> None:
        for worker in self.workers:
            worker.close()
