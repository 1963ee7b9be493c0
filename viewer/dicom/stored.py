"""One frame's stored values, from wherever they lie: native, encapsulated or float."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.encaps import get_frame
from pydicom.pixels.utils import expand_ybr422, unpack_bits
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from viewer.dicom import limits
from viewer.dicom.attributes import integer, raw_value, text
from viewer.dicom.codecs import Layout, Stored, decode_frame, interleave
from viewer.dicom.dataset import OpenedDicom, PixelElement, inflate
from viewer.dicom.header import number_of_frames
from viewer.errors import InputError

_NATIVE = {
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,  # inflated by now
}
_ENCAPSULATED_UNCOMPRESSED = "1.2.840.10008.1.2.1.98"
_DEFLATED_FRAME = "1.2.840.10008.1.2.8.1"


def read_layout(opened: OpenedDicom) -> Layout:
    """The image pixel module (PS3.3 C.7.6.3) as checked values.

    Raises
    ------
    InputError
        A value is missing or contradicts another one.
    """
    dataset = opened.dataset
    rows, columns = integer(dataset, "Rows") or 0, integer(dataset, "Columns") or 0
    samples = integer(dataset, "SamplesPerPixel") or 1
    float_bits = opened.pixels.float_bits if opened.pixels else 0
    allocated = float_bits or integer(dataset, "BitsAllocated") or 0
    stored = integer(dataset, "BitsStored") or allocated
    if rows < 1 or columns < 1:
        raise InputError("The header has no valid Rows and Columns.")
    limits.FRAME_PIXELS.check(rows * columns)
    if allocated not in (1, 8, 16, 32, 64):
        raise InputError(f"Bits Allocated of {allocated or 'nothing'} is not supported.")
    if samples not in (1, 3):
        raise InputError(f"Samples per Pixel of {samples} is not supported.")
    if not 1 <= stored <= allocated:
        raise InputError(f"{stored} Bits Stored do not fit in {allocated} Bits Allocated.")
    return Layout(
        rows=rows,
        columns=columns,
        samples=samples,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=integer(dataset, "HighBit") or stored - 1,
        # Absent in some files: unsigned, as most tool kits take it.
        signed=integer(dataset, "PixelRepresentation") == 1,
        photometric=text(dataset, "PhotometricInterpretation") or "MONOCHROME2",
        planar=samples == 3 and integer(dataset, "PlanarConfiguration") == 1,
    )


def read_stored(opened: OpenedDicom, layout: Layout, frame_number: int) -> Stored:
    """Stored values of one frame; only this frame is read and decoded.

    Raises
    ------
    InputError
        The frame is missing, cut short or in an unsupported form. Libraries raise more on damage:
        call inside ``border.refusing``.
    """
    pixels = opened.pixels
    if pixels is None:
        raise InputError("The file has no pixel data.")
    if pixels.length is None:
        return _read_encapsulated(opened, layout, frame_number)
    if opened.transfer_syntax not in _NATIVE:
        name = opened.transfer_syntax.name
        raise InputError(f"The pixel data is not compressed, against the transfer syntax {name}.")
    return _read_native(opened, pixels, layout, frame_number)


def _read_encapsulated(opened: OpenedDicom, layout: Layout, frame_number: int) -> Stored:
    assert opened.pixels is not None
    dataset = opened.dataset
    opened.stream.seek(opened.pixels.offset)
    offsets = raw_value(dataset, "ExtendedOffsetTable")
    lengths = raw_value(dataset, "ExtendedOffsetTableLengths")
    data = get_frame(
        opened.stream,
        frame_number - 1,
        extended_offsets=(offsets, lengths) if offsets and lengths else None,
        number_of_frames=number_of_frames(dataset),
    )
    limits.ENCODED_FRAME_BYTES.check(len(data))
    syntax: UID = opened.transfer_syntax
    if syntax == _DEFLATED_FRAME:
        return _native(inflate(data), layout, 0, 0)
    if syntax == _ENCAPSULATED_UNCOMPRESSED:
        return _native(data, layout, 0, 0)
    if syntax in _NATIVE:
        name = syntax.name
        raise InputError(f"The pixel data is compressed, against the transfer syntax {name}.")
    return decode_frame(data, syntax, layout)


def _read_native(
    opened: OpenedDicom, pixels: PixelElement, layout: Layout, frame_number: int
) -> Stored:
    """PS3.5 A.2: frames follow each other without padding, for 1-bit ones even inside a byte."""
    assert pixels.length is not None
    bits = layout.pixels * (2 if _is_subsampled(layout) else layout.samples) * layout.bits_allocated
    first_bit = bits * (frame_number - 1)
    start, end = first_bit // 8, (first_bit + bits + 7) // 8
    swapped = opened.transfer_syntax == ExplicitVRBigEndian
    if swapped and layout.bits_allocated <= 8 and pixels.vr == "OW":
        start, end = start - start % 2, end + end % 2
    if end > pixels.length:
        raise InputError(
            f"The pixel data is cut short: {pixels.length:,} bytes, at least {end:,} are needed."
        )
    opened.stream.seek(pixels.offset + start)
    data = opened.stream.read(end - start)
    if len(data) < end - start:
        raise InputError("The file is cut short inside its pixel data.")
    if swapped:
        data = _to_little_endian(data, layout, pixels)
    return _native(data, layout, first_bit - 8 * start, pixels.float_bits)


def _to_little_endian(data: bytes, layout: Layout, pixels: PixelElement) -> bytes:
    # Values of up to 8 bits sent as OW are swapped in pairs (PS3.5 8.1.2); OB ones are not.
    width = 2 if layout.bits_allocated <= 8 else layout.bits_allocated // 8
    if layout.bits_allocated <= 8 and pixels.vr != "OW":
        return data
    return np.frombuffer(data, f">u{width}").astype(f"<u{width}").tobytes()


def _is_subsampled(layout: Layout) -> bool:
    return layout.photometric == "YBR_FULL_422" and layout.samples == 3


def _native(data: bytes, layout: Layout, skipped_bits: int, float_bits: int) -> Stored:
    """Little endian bytes of one frame, which starts ``skipped_bits`` into the first byte."""
    values: npt.NDArray[Any]
    if layout.bits_allocated == 1:
        bits = np.asarray(unpack_bits(data))[skipped_bits:]
        return Stored(interleave(bits, layout, False), 1, False, layout.photometric)
    data = data[skipped_bits // 8 :]
    if float_bits:
        values = interleave(np.frombuffer(data, f"<f{float_bits // 8}"), layout, layout.planar)
        return Stored(values, float_bits, True, layout.photometric)
    if _is_subsampled(layout):
        data = expand_ybr422(data, layout.bits_allocated)
    values = np.frombuffer(data, f"<u{layout.bits_allocated // 8}")
    values = interleave(values, layout, layout.planar and not _is_subsampled(layout))
    return Stored(values, layout.bits_allocated, False, layout.photometric)
