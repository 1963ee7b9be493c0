"""Decodes the rows that are there of a compressed frame that ends early.

Decoders fill the rest with what they like, without a word. So a frame is decoded twice with two
different fillings, and the rows in which both agree are those that the stream holds.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt

from viewer.dicom.layout import Layout

# Zeros stand where a file was made at its full size and not written to the end, and a half marker
# would swallow the first byte of the filling.
_NO_DATA = b"\0\xff"
_TAIL_BYTES = 4096
_END_MARKER = b"\xff\xd9"
_RLE_SLACK = 256  # bytes that the padding of a segment may decode to


def decode_until_cut(
    data: bytes, decode: Callable[[bytes], npt.NDArray[Any]]
) -> tuple[npt.NDArray[Any], int]:
    """JPEG that lies row after row in one scan: the picture and how many of its rows are real.

    Parameters
    ----------
    decode : a whole stream to (rows, columns) or (rows, columns, samples).
    """
    data = data.rstrip(_NO_DATA)
    one, other = (decode(data + _tail(seed) + _END_MARKER) for seed in (1, 2))
    return one, _equal_rows(one, other)


def _tail(seed: int) -> bytes:
    """Entropy-coded bytes of no meaning, without a marker."""
    return random.Random(seed).randbytes(_TAIL_BYTES).replace(b"\xff", b"\x7f")


def fill_until_cut(
    data: bytes, layout: Layout, sample: np.dtype[Any], planar: bool
) -> tuple[npt.NDArray[Any], int]:
    """JPEG-LS: flat samples and how many pixels, row by row, are real.

    The decoder stops at the cut and leaves the rows behind it as they were.
    """
    shape: tuple[int, ...] = (layout.rows, layout.columns)
    if layout.samples > 1:
        shape = (layout.samples, *shape) if planar else (*shape, layout.samples)
    # Without an end marker the decoder counts the zeros behind the end for seconds.
    data = data.rstrip(_NO_DATA) + _END_MARKER
    filled = [np.full(shape, value, sample) for value in (0, 1)]
    for values in filled:
        with suppress(imagecodecs.JpeglsError):
            imagecodecs.jpegls_decode(data, out=values)
    one, other = (np.moveaxis(values, 0, -1) if planar else values for values in filled)
    return filled[0].reshape(-1), _equal_rows(one, other) * layout.columns


def _equal_rows(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> int:
    """How many rows, from the first, are the same in both."""
    differ = np.flatnonzero((one != other).reshape(one.shape[0], -1).any(axis=1))
    return int(differ[0]) if differ.size else one.shape[0]


def unpack_bits_until_cut(segment: bytes, count: int) -> npt.NDArray[np.uint8]:
    """One RLE segment (PS3.5 G.3): ``count`` bytes, or fewer where it ends early."""
    try:
        decoded = imagecodecs.packbits_decode(segment, out=count + _RLE_SLACK)
    except RuntimeError:  # of a kind that imagecodecs does not name in public
        decoded = imagecodecs.packbits_decode(_whole_runs(segment), out=count + _RLE_SLACK)
    return np.frombuffer(decoded, np.uint8)[:count]


def _whole_runs(segment: bytes) -> bytes:
    """The segment without a last run that is cut."""
    position = end = 0
    while position < len(segment):
        end = position
        head = segment[position]
        position += 2 + head if head < 128 else 1 if head == 128 else 2
    return segment if position == len(segment) else segment[:end]
