"""What a hostile file is in these tests: how it is made, and what must become of it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydicom.uid import ExplicitVRLittleEndian


@dataclass(frozen=True)
class Opens:
    """Its images are listed, and every frame that is asked for has a picture."""

    frames: int = 1


@dataclass(frozen=True)
class Incomplete:
    """It is listed and has a picture that is marked as incomplete."""


@dataclass(frozen=True)
class Refused:
    """The scan names it, with a reason that has these words."""

    words: str


@dataclass(frozen=True)
class Undecodable:
    """It is listed, and its last frame is refused with a reason that has these words."""

    words: str


Outcome = Opens | Incomplete | Refused | Undecodable


@dataclass(frozen=True)
class Case:
    name: str
    make: Callable[[Path], object]  # writes into an empty folder
    outcome: Outcome


CASES: list[Case] = []


def hostile(outcome: Outcome) -> Callable[[Callable[[Path], object]], Callable[[Path], object]]:
    """Take a generator in, under the name of its function."""

    def take(make: Callable[[Path], object]) -> Callable[[Path], object]:
        CASES.append(Case(make.__name__, make, outcome))
        return make

    return take


# --- DICOM byte by byte --------------------------------------------------------------------------

_LONG = (b"OB", b"OW", b"OF", b"OD", b"UN", b"UT", b"SQ", b"OV")


def element(tag: int, vr: bytes, value: bytes = b"", length: int | None = None) -> bytes:
    """An element in Explicit VR Little Endian; ``length`` is what it claims, if that is a lie."""
    if length is None:
        value += b"\0" * (len(value) % 2)
        length = len(value)
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr
    if vr in _LONG:
        return head + struct.pack("<HL", 0, length) + value
    return head + struct.pack("<H", length) + value


def us(tag: int, *values: int) -> bytes:
    return element(tag, b"US", struct.pack(f"<{len(values)}H", *values))


UNDEFINED = 0xFFFFFFFF
ITEM = b"\xfe\xff\x00\xe0"
ITEM_END = b"\xfe\xff\x0d\xe0" + bytes(4)
SEQUENCE_END = b"\xfe\xff\xdd\xe0" + bytes(4)


def fragment(data: bytes, length: int | None = None) -> bytes:
    return ITEM + struct.pack("<L", len(data) if length is None else length) + data


def encapsulated(*fragments: bytes, table: bytes = b"", end: bytes = SEQUENCE_END) -> bytes:
    """Pixel data of compressed frames, after its (basic) offset table."""
    return element(0x7FE00010, b"OB", fragment(table) + b"".join(fragments) + end, UNDEFINED)


def header(syntax: str = ExplicitVRLittleEndian) -> bytes:
    """Preamble, prefix and file meta information."""
    meta = element(0x00020001, b"OB", b"\0\1")
    meta += element(0x00020002, b"UI", b"1.2.840.10008.5.1.4.1.1.7")
    meta += element(0x00020003, b"UI", b"1.2.3.4.5")
    meta += element(0x00020010, b"UI", syntax.encode())
    return bytes(128) + b"DICM" + element(0x00020000, b"UL", struct.pack("<L", len(meta))) + meta


PLAIN = {
    0x00080016: element(0x00080016, b"UI", b"1.2.840.10008.5.1.4.1.1.7"),
    0x00080018: element(0x00080018, b"UI", b"1.2.3.4.5"),
    0x00080060: element(0x00080060, b"CS", b"OT"),
    0x00100010: element(0x00100010, b"PN", b"Hostile^Henry"),
    0x00100020: element(0x00100020, b"LO", b"H-1"),
    0x0020000D: element(0x0020000D, b"UI", b"1.2.3.4"),
    0x0020000E: element(0x0020000E, b"UI", b"1.2.3.4.1"),
    0x00280002: us(0x00280002, 1),
    0x00280004: element(0x00280004, b"CS", b"MONOCHROME2"),
    0x00280010: us(0x00280010, 8),
    0x00280011: us(0x00280011, 8),
    0x00280100: us(0x00280100, 16),
    0x00280101: us(0x00280101, 16),
    0x00280102: us(0x00280102, 15),
    0x00280103: us(0x00280103, 0),
    0x7FE00010: element(0x7FE00010, b"OW", bytes(range(128))),
}
"""An image of 8 x 8 pixels of 16 bits, element by element."""


def image(*changes: bytes, syntax: str = ExplicitVRLittleEndian, without: int = 0) -> bytes:
    """The file of the plain image with some elements put in, or in the place of its own."""
    elements = dict(PLAIN)
    elements.pop(without, None)
    for change in changes:
        group, number = struct.unpack("<HH", change[:4])
        elements[group << 16 | number] = change
    return header(syntax) + b"".join(elements[tag] for tag in sorted(elements))


def write(folder: Path, data: bytes, name: str = "bad.dcm") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path
