"""A thread that works ahead."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from viewer.engine.ahead import ahead
from viewer.errors import InputError


def test_all_values_come_in_their_order() -> None:
    with ahead(iter(range(50)), 2) as values:
        assert list(values) == list(range(50))


def test_it_is_no_further_ahead_than_there_is_room() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(10):
            made.append(number)
            yield number

    with ahead(numbers(), 2) as values:
        assert next(values) == 0
        threading.Event().wait(0.3)
        assert len(made) <= 4  # taken, two in the room, one in the hand


def test_what_it_raises_is_raised_where_the_values_are_taken() -> None:
    def numbers() -> Iterator[int]:
        yield 1
        raise InputError("no more")

    with ahead(numbers(), 2) as values, pytest.raises(InputError, match="no more"):
        list(values)


def test_leaving_early_ends_the_thread() -> None:
    before = threading.active_count()
    with ahead(iter(range(10**6)), 2) as values:
        next(values)
    assert threading.active_count() == before
