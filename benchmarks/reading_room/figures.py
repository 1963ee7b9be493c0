"""What is measured, what it is compared with, and what is wanted of it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes
    ----------
    value : what is compared with ``wanted``, mostly a ratio to ``peer``.
    peer : what it is a ratio to, or the unit.
    wanted : the most that ``value`` may be; the least where ``at_least``.
    detail : the measured things themselves.
    """

    name: str
    value: float
    peer: str
    wanted: float
    detail: str = ""
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.value >= self.wanted if self.at_least else self.value <= self.wanted

    def line(self) -> str:
        sign = ">=" if self.at_least else "<="
        verdict = "yes" if self.met else "NO"
        return (
            f"{self.name:44}{self.value:>9.2f}  {sign} {self.wanted:<7g}{verdict:4} "
            f"{self.peer:34} {self.detail}"
        )


HEADER = f"{'':44}{'measured':>9}  {'wanted':10}{'met':4} {'ratio to, or unit':34} measured"


@dataclass(frozen=True)
class Absent:
    """A line that cannot be measured here, and why."""

    name: str
    why: str

    def line(self) -> str:
        return f"{self.name:44}{'-':>9}  {'':10}{'':4} {self.why}"


Line = Figure | Absent


def medians(runs: Sequence[Callable[[], object]], times: int) -> list[float]:
    """Median seconds of each, run in turns so that a busy moment hits all of them alike."""
    found: list[list[float]] = [[] for _ in runs]
    for _ in range(times):
        for seconds, run in zip(found, runs, strict=True):
            began = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - began)
    return [statistics.median(seconds) for seconds in found]


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
