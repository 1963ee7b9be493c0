"""Qt's binding survives the signals of a long day."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject, Signal


class Source(QObject):
    told = Signal(object)


def test_two_hundred_thousand_emissions_lose_no_reference() -> None:
    """PySide6 6.12.0 on Python 3.11 loses a reference at each and aborts after some hundreds."""
    source, heard = Source(), [0]

    def listen(_value: object) -> None:
        heard[0] += 1

    source.told.connect(listen)
    value = object()
    before = [sys.getrefcount(one) for one in (None, value, listen)]
    for _ in range(200_000):
        source.told.emit(value)
    after = [sys.getrefcount(one) for one in (None, value, listen)]
    assert heard == [200_000]
    assert all(abs(b - a) < 100 for a, b in zip(before, after, strict=True))
