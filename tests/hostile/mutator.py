"""Damages files in ways that transmission, disks and attackers do; a seed gives the same damage."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence

_HEADER = 4096  # most of what decides lies in the first bytes
_LENGTHS = (0, 1, 2, 0x7FFF, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)

Damage = Callable[[bytearray, random.Random], None]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A copy with one to four kinds of damage."""
    result = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 4))):
        if result:
            chance.choice(_DAMAGES)(result, chance)
    return bytes(result)


def spliced(first: bytes, second: bytes, chance: random.Random) -> bytes:
    """The beginning of one file and the end of another."""
    return first[: _place(first, chance)] + second[_place(second, chance) :]


def _place(data: Sequence[int], chance: random.Random) -> int:
    end = len(data) if chance.random() < 0.5 else min(_HEADER, len(data))
    return chance.randrange(end) if end else 0


def _flip_bits(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 2, 8, 64))):
        data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _overwrite(data: bytearray, chance: random.Random) -> None:
    at, size = _place(data, chance), chance.choice((1, 2, 4, 16, 256))
    filling = chance.choice((b"\0", b"\xff", b"\x80", b"A", b"\\"))
    data[at : at + size] = chance.choice((filling * size, chance.randbytes(size)))


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[_place(data, chance) :]


def _remove(data: bytearray, chance: random.Random) -> None:
    at = _place(data, chance)
    del data[at : at + chance.choice((1, 2, 3, 8, 100, 5000))]


def _repeat(data: bytearray, chance: random.Random) -> None:
    at, size = _place(data, chance), chance.choice((1, 8, 100, 5000))
    data[at:at] = data[at : at + size] * chance.choice((1, 2, 50))


def _forge_number(data: bytearray, chance: random.Random) -> None:
    """A length, a size, an offset: whatever lies there is now an extreme of its kind."""
    at, value = _place(data, chance) & ~1, chance.choice(_LENGTHS)
    packed = chance.choice(
        (
            struct.pack("<L", value),
            struct.pack(">L", value),
            struct.pack("<H", value & 0xFFFF),
            struct.pack(">H", value & 0xFFFF),
        )
    )
    data[at : at + len(packed)] = packed


def _forge_element(data: bytearray, chance: random.Random) -> None:
    """The value of an element that says how large the picture is."""
    number = chance.choice((0x02, 0x08, 0x10, 0x11, 0x100, 0x101, 0x102, 0x103))
    at = data.find(struct.pack("<HH", 0x0028, number))
    if at >= 0:
        data[at + 8 : at + 10] = struct.pack("<H", chance.choice(_LENGTHS) & 0xFFFF)


_DAMAGES: tuple[Damage, ...] = (
    _flip_bits,
    _overwrite,
    _cut,
    _remove,
    _repeat,
    _forge_number,
    _forge_number,
    _forge_element,
)
