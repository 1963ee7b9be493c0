"""Finds the bytes of one compressed frame among the fragments of the pixel data (PS3.5 A.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from pydicom.encaps import parse_basic_offsets

from viewer.dicom import limits
from viewer.dicom.attributes import raw_value
from viewer.dicom.dataset import OpenedDicom
from viewer.dicom.header import number_of_frames
from viewer.errors import InputError

_RLE = "1.2.840.10008.1.2.5"
_ITEM = b"\xfe\xff\x00\xe0"
_END_MARKER = b"\xff\xd9"  # of JPEG, JPEG-LS and JPEG 2000
_PADDING = 10  # bytes in which the end marker of a fragment is looked for


def read_fragments(opened: OpenedDicom, frame_number: int) -> bytes:
    """The compressed bytes of a frame; fewer than there should be where the file ends early.

    Raises
    ------
    InputError
        The file ends before the frame, or its compressed bytes are above the limit. pydicom raises
        more on damage: call inside ``border.refusing``.
    """
    assert opened.pixels is not None
    stream, frames = opened.stream, number_of_frames(opened.dataset)
    stream.seek(opened.pixels.offset)
    table = parse_basic_offsets(stream)
    first = stream.tell()
    extended = raw_value(opened.dataset, "ExtendedOffsetTable")
    if isinstance(extended, bytes) and extended:
        table = np.frombuffer(extended[: len(extended) // 8 * 8], "<u8").tolist()
    data = b""
    if frames == 1:
        data = _join(stream, list(_fragments(stream, first)))
    elif len(table) >= frame_number:
        end = first + table[frame_number] if frame_number < len(table) else None
        data = _join(stream, list(_fragments(stream, first + table[frame_number - 1], end)))
    if not data:  # no table, or one that leads nowhere
        data = _search(opened, list(_fragments(stream, first)), frames, frame_number)
    if not data:
        raise InputError("The file ends before this frame.")
    return data


_Place = tuple[int, int]  # where the bytes of a fragment begin, and how many there should be


def _fragments(stream: BinaryIO, start: int, end: int | None = None) -> Iterator[_Place]:
    """The fragments from ``start`` on, up to ``end`` or whatever is no fragment."""
    while end is None or start < end:
        stream.seek(start)
        head = stream.read(8)
        if len(head) < 8 or head[:4] != _ITEM:
            return
        length = int.from_bytes(head[4:], "little")
        yield start + 8, length
        start += 8 + length


def _join(stream: BinaryIO, places: list[_Place]) -> bytes:
    limits.ENCODED_FRAME_BYTES.check(sum(length for _, length in places[:-1]))
    parts = []
    for start, length in places:
        stream.seek(start)
        # A forged length must not fetch more than the limit allows.
        parts.append(stream.read(min(length, limits.ENCODED_FRAME_BYTES.most + 1)))
    limits.ENCODED_FRAME_BYTES.check(sum(map(len, parts)))
    return b"".join(parts)


def _search(opened: OpenedDicom, places: list[_Place], frames: int, frame_number: int) -> bytes:
    """A frame that no table points to."""
    stream = opened.stream
    # A frame has one fragment or more, in RLE exactly one (PS3.5 A.4.2).
    if opened.transfer_syntax == _RLE or len(places) <= frames:
        return _join(stream, places[frame_number - 1 : frame_number])
    found: list[_Place] = []
    before = frame_number - 1  # frames that come first
    for start, length in places:
        if before == 0:
            found.append((start, length))
        stream.seek(start + max(0, length - _PADDING))
        if _END_MARKER in stream.read(min(length, _PADDING)):
            if before == 0:
                break
            before -= 1
    return _join(stream, found)
