"""What a header says of the pixels of a frame, for those who decode it now or later."""

from __future__ import annotations

import os
from typing import BinaryIO

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from viewer.dicom import limits
from viewer.dicom.alike import Alike, is_single
from viewer.dicom.attributes import integer, text
from viewer.dicom.border import refusing
from viewer.dicom.dataset import OVERLAY_GROUPS, OpenedDicom
from viewer.dicom.grey import read_meaning
from viewer.dicom.layout import Layout
from viewer.dicom.meaning import FrameHeader, Native
from viewer.errors import InputError

_PLAIN = {ExplicitVRLittleEndian, ImplicitVRLittleEndian}


def read_frame_header(opened: OpenedDicom, frame_number: int) -> FrameHeader:
    """The layout of a frame, and what its values stand for.

    Raises
    ------
    InputError
        A value is missing, contradicts another one, or a lookup table is damaged.
    """
    return _single.of(opened) if is_single(opened.dataset) else _read(opened, frame_number)


def _read(opened: OpenedDicom, frame_number: int = 1) -> FrameHeader:
    layout = read_layout(opened)
    is_grey = layout.samples == 1 and layout.photometric != "PALETTE COLOR"
    return FrameHeader(layout, read_meaning(opened, layout, frame_number) if is_grey else None)


# The elements in which the images of a series differ, none of which is about the values.
_single = Alike(
    _read,
    *("SOPInstanceUID", "InstanceNumber", "ImagePositionPatient"),
    *("AcquisitionNumber", "TriggerTime"),
)


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


def find_native(opened: OpenedDicom) -> Native | None:
    """Where the values of an opened file lie; None where only its header can tell in full."""
    pixels, dataset, file = opened.pixels, opened.dataset, file_state(opened.stream)
    if (
        pixels is None
        or pixels.length is None
        or pixels.float_bits
        or file is None
        or opened.transfer_syntax not in _PLAIN
        or not is_single(dataset)
        or any(tag >> 16 in OVERLAY_GROUPS for tag in map(int, dataset.keys()))
    ):
        return None
    try:
        with refusing("The picture cannot be decoded"):
            header = read_frame_header(opened, 1)
    except InputError:
        return None  # whoever decodes it says so
    if header.meaning is None or not header.meaning.is_simple:
        return None
    syntax = opened.transfer_syntax
    return Native(pixels.offset, pixels.length, pixels.vr, syntax, header, file)


def file_state(stream: BinaryIO) -> tuple[int, int] | None:
    """Size and time of change of a file; None where the stream is none."""
    try:
        status = os.fstat(stream.fileno())
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
