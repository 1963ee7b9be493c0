"""One frame's stored values, from wherever they lie: native, encapsulated or float."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.pixels.utils import expand_ybr422, unpack_bits
from pydicom.uid import UID, ExplicitVRBigEndian

from viewer.dicom.codecs import NATIVE, Stored, decode_frame, interleave
from viewer.dicom.dataset import OpenedDicom, PixelElement, inflate
from viewer.dicom.fragments import read_fragments
from viewer.dicom.layout import Layout
from viewer.errors import InputError

_ENCAPSULATED_UNCOMPRESSED = "1.2.840.10008.1.2.1.98"
_DEFLATED_FRAME = "1.2.840.10008.1.2.8.1"


def read_stored(opened: OpenedDicom, layout: Layout, frame_number: int) -> Stored:
    """Stored values of one frame; only this frame is read and decoded.

    Raises
    ------
    InputError
        The frame is not there, not even one row of it, or is in an unsupported form. Libraries
        raise more on damage: call inside ``border.refusing``.
    """
    stored = _read(opened, layout, frame_number)
    if stored.cut_at is not None and stored.cut_at < layout.columns:
        raise InputError("The frame is cut short: not one row of it is there.")
    return stored


def _read(opened: OpenedDicom, layout: Layout, frame_number: int) -> Stored:
    pixels = opened.pixels
    if pixels is None:
        raise InputError("The file has no pixel data.")
    if pixels.length is None:
        return _read_encapsulated(opened, layout, frame_number)
    if opened.transfer_syntax not in NATIVE:
        name = opened.transfer_syntax.name
        raise InputError(f"The pixel data is not compressed, against the transfer syntax {name}.")
    return _read_native(opened, pixels, layout, frame_number)


def _read_encapsulated(opened: OpenedDicom, layout: Layout, frame_number: int) -> Stored:
    data = read_fragments(opened, frame_number)
    syntax: UID = opened.transfer_syntax
    if syntax == _DEFLATED_FRAME:
        return _native(inflate(io.BytesIO(data)).read(), layout)
    if syntax == _ENCAPSULATED_UNCOMPRESSED:
        return _native(data, layout)
    return decode_frame(data, syntax, layout)


def _read_native(
    opened: OpenedDicom, pixels: PixelElement, layout: Layout, frame_number: int
) -> Stored:
    """PS3.5 A.2: frames follow each other without padding, for 1-bit ones even inside a byte."""
    assert pixels.length is not None
    bits = _frame_bits(layout)
    first_bit = bits * (frame_number - 1)
    start, end = first_bit // 8, (first_bit + bits + 7) // 8
    swapped = opened.transfer_syntax == ExplicitVRBigEndian
    if swapped and layout.bits_allocated <= 8 and pixels.vr == "OW":
        start, end = start - start % 2, end + end % 2
    opened.stream.seek(pixels.offset + start)
    data = opened.stream.read(max(0, min(end, pixels.length) - start))
    if swapped:
        data = _to_little_endian(data, layout, pixels)
    return _native(data, layout, first_bit - 8 * start, pixels.float_bits)


def _to_little_endian(data: bytes, layout: Layout, pixels: PixelElement) -> bytes:
    # Values of up to 8 bits sent as OW are swapped in pairs (PS3.5 8.1.2); OB ones are not.
    width = 2 if layout.bits_allocated <= 8 else layout.bits_allocated // 8
    if layout.bits_allocated <= 8 and pixels.vr != "OW":
        return data
    whole = data[: len(data) // width * width]
    return np.frombuffer(whole, f">u{width}").astype(f"<u{width}").tobytes()


def _is_subsampled(layout: Layout) -> bool:
    return layout.photometric == "YBR_FULL_422" and layout.samples == 3


def _frame_bits(layout: Layout) -> int:
    samples = 2 if _is_subsampled(layout) else layout.samples
    return layout.pixels * samples * layout.bits_allocated


def _native(data: bytes, layout: Layout, skipped_bits: int = 0, float_bits: int = 0) -> Stored:
    """Little endian bytes of one frame, which starts ``skipped_bits`` into the first byte."""
    values: npt.NDArray[Any]
    data = data[skipped_bits // 8 :]
    skipped_bits %= 8
    cut_at = _cut_at(8 * len(data) - skipped_bits, layout)
    data = data.ljust((skipped_bits + _frame_bits(layout) + 7) // 8, b"\0")
    if layout.bits_allocated == 1:
        bits = np.asarray(unpack_bits(data))[skipped_bits:]
        return Stored(interleave(bits, layout, False), 1, False, layout.photometric, cut_at)
    if float_bits:
        values = interleave(np.frombuffer(data, f"<f{float_bits // 8}"), layout, layout.planar)
        return Stored(values, float_bits, True, layout.photometric, cut_at)
    if _is_subsampled(layout):
        data = expand_ybr422(data, layout.bits_allocated)
    values = np.frombuffer(data, f"<u{layout.bits_allocated // 8}")
    values = interleave(values, layout, layout.planar and not _is_subsampled(layout))
    return Stored(values, layout.bits_allocated, False, layout.photometric, cut_at)


def _cut_at(bits: int, layout: Layout) -> int | None:
    """How many pixels are in so many bits; None for all of them."""
    missing = _frame_bits(layout) - bits
    if missing <= 0:
        return None
    if layout.planar and not _is_subsampled(layout):
        bits -= (layout.samples - 1) * layout.pixels * layout.bits_allocated
        return max(0, bits) // layout.bits_allocated
    return bits * layout.pixels // _frame_bits(layout)
