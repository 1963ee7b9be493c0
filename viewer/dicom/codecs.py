"""Which decoder serves which transfer syntax, by name; nothing falls through to what is installed.

Every decoder here is given one compressed frame. Before it runs, width, height and precision are
read from the codestream and compared with the header, since a forged size makes decoders allocate
gigabytes; and the end-of-image marker is looked for, since several return half a picture without
an error. Of a stream that ends early the rows that are there are decoded, and the rest is said to
be missing (``viewer.dicom.cut_short``).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import imagecodecs
import jpeg_ls
import numpy as np
import numpy.typing as npt
from openjpeg.utils import decode_pixel_data
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from viewer.dicom.cut_short import decode_until_cut, fill_until_cut, unpack_bits_until_cut
from viewer.dicom.layout import Layout
from viewer.errors import InputError

NATIVE = {
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,  # inflated by then
}


@dataclass(frozen=True, slots=True)
class Stored:
    """Stored values of one frame, (rows, columns) or (rows, columns, 3).

    ``bits`` is the precision that the values have, ``signed`` whether their dtype carries the
    sign already, ``photometric`` what the samples mean after decoding. ``cut_at`` is None for a
    whole frame; in one that ends early it counts the pixels, row by row, before the first that is
    missing (all of them where only detail is).
    """

    values: npt.NDArray[Any]
    bits: int
    signed: bool
    photometric: str
    cut_at: int | None = None


def decode_frame(data: bytes, syntax: UID, layout: Layout) -> Stored:
    """Decode one compressed frame.

    Raises
    ------
    InputError
        The transfer syntax has no decoder here, or the codestream is not what the header says.
        The libraries raise their own errors on damage: call inside ``border.refusing``.
    """
    decoder = _DECODERS.get(syntax)
    if syntax in NATIVE:  # some files carry compressed frames all the same
        decoder = next((d for start, d in _BY_SIGNATURE if data.startswith(start)), None)
        if decoder is None:
            raise InputError(
                f"The pixel data is compressed, against the transfer syntax {syntax.name}."
            )
    if decoder is None:
        raise InputError(f"The transfer syntax {syntax.name} is not supported.")
    return decoder(data, layout)


# --- JPEG and JPEG-LS headers ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _JpegHeader:
    precision: int
    rows: int
    columns: int
    components: bytes  # their identifiers
    adobe_transform: int | None
    jfif: bool
    process: int  # the marker of the frame header
    point_transform: int  # low bits that a lossless stream leaves out (ISO/IEC 10918-1 H.1.2.1)
    in_one_scan: bool  # each row is there as a whole before the next one begins
    ends_early: bool


_LOSSLESS, _JPEG_LS = 0xC3, 0xF7
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
# SOF0 to SOF15 without DHT, JPG and DAC, which share their range, and SOF55 of JPEG-LS.
_START_OF_FRAME = {*range(0xC0, 0xD0), _JPEG_LS} - {0xC4, 0xC8, 0xCC}


def _read_jpeg_header(data: bytes, layout: Layout) -> _JpegHeader:
    """Read the markers up to the first scan (ISO/IEC 10918-1 B.2), compare with the header."""
    if data[:2] != b"\xff\xd8":
        raise InputError("The compressed frame is not the JPEG that its header declares.")
    frame: tuple[int, int, int, bytes] | None = None
    adobe_transform, jfif, in_one_scan, position = None, False, True, 2
    process = point_transform = 0
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            raise InputError("The compressed frame has a damaged JPEG header.")
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        (length,) = struct.unpack(">H", data[position + 2 : position + 4])
        body = data[position + 4 : position + 2 + length]
        if marker in _START_OF_FRAME and len(body) >= 6:
            precision, rows, columns, count = struct.unpack(">BHHB", body[:6])
            frame = precision, rows, columns, body[6 : 6 + 3 * count : 3]
            in_one_scan, process = marker not in _PROGRESSIVE, marker
        elif marker == 0xEE and body[:5] == b"Adobe" and len(body) >= 12:
            adobe_transform = body[11]
        elif marker == 0xE0 and body[:4] == b"JFIF":
            jfif = True
        elif marker == 0xDA:
            in_one_scan &= frame is not None and body[:1] == bytes([len(frame[3])])
            point_transform = body[-1] & 0xF if body else 0
            break
        position += 2 + length
    if frame is None:
        raise InputError("The compressed frame has no JPEG frame header.")
    _check_size(layout, frame[1], frame[2], len(frame[3]), frame[0])
    return _JpegHeader(
        *frame, adobe_transform, jfif, process, point_transform, in_one_scan, not _has_end(data)
    )


def _check_size(layout: Layout, rows: int, columns: int, samples: int, precision: int) -> None:
    if (rows, columns) != (layout.rows, layout.columns):
        raise InputError(
            f"The compressed frame is {columns} x {rows} pixels, "
            f"the header says {layout.columns} x {layout.rows}."
        )
    if samples != layout.samples:
        raise InputError(
            f"The compressed frame has {samples} samples a pixel, the header says {layout.samples}."
        )
    if not 1 <= precision <= max(8, layout.bits_allocated):
        raise InputError(
            f"The compressed frame has {precision} bits a sample, "
            f"the header allocates {layout.bits_allocated}."
        )


def _has_end(data: bytes) -> bool:
    """JPEG, JPEG-LS and JPEG 2000 all end with FFD9, which is nowhere else; padding may follow."""
    return b"\xff\xd9" in data[-1024:]


# --- one function a codec --------------------------------------------------------------------


def _decode_jpeg(data: bytes, layout: Layout) -> Stored:
    """Every kind of JPEG, by what the stream says it is: the transfer syntax is wrong at times."""
    header = _read_jpeg_header(data, layout)
    if header.process == _LOSSLESS:
        stored = _from_jpeg(data, imagecodecs.jpegsof3_decode, header, layout)
        if header.point_transform:  # the decoder does not put the bits back
            stored = replace(stored, values=stored.values << header.point_transform)
        return stored
    if header.process == _JPEG_LS:
        return _decode_jpeg_ls(data, header, layout)
    # Baseline, extended and progressive, 8 and 12 bits, by libjpeg-turbo.
    if layout.samples == 1:
        return _from_jpeg(data, imagecodecs.jpeg8_decode, header, layout)
    space = "YCBCR" if _is_ycbcr(header, layout) else "RGB"
    to_rgb = partial(imagecodecs.jpeg8_decode, colorspace=space, outcolorspace="RGB")
    return replace(_from_jpeg(data, to_rgb, header, layout), photometric="RGB")


def _from_jpeg(
    data: bytes,
    decode: Callable[[bytes], npt.NDArray[Any]],
    header: _JpegHeader,
    layout: Layout,
) -> Stored:
    cut_at = None
    if not header.ends_early:
        values = decode(data)
    elif header.in_one_scan:
        values, rows = decode_until_cut(data, decode)
        cut_at = rows * layout.columns
    else:  # scan upon scan, each with more detail or another colour: all rows lack something
        values, cut_at = decode(data), layout.pixels
    return _stored(values, layout, header.precision, cut_at=cut_at)


def _is_ycbcr(header: _JpegHeader, layout: Layout) -> bool:
    """What the stream says of its colours wins over the header, as all viewers have it."""
    if header.adobe_transform is not None:
        return header.adobe_transform == 1
    if header.components == b"RGB":
        return False
    return header.jfif or layout.photometric != "RGB"


def _decode_jpeg_ls(data: bytes, header: _JpegHeader, layout: Layout) -> Stored:
    sample = np.dtype("u1" if header.precision <= 8 else "<u2")
    cut_at = None
    if header.ends_early:
        # The components of one scan alternate; those of several follow each other as planes.
        planar = layout.samples > 1 and not header.in_one_scan
        flat, cut_at = fill_until_cut(data, layout, sample, planar)
    else:
        decoded, info = jpeg_ls.decode_pixel_data(data)
        flat = np.frombuffer(decoded, sample)
        planar = layout.samples > 1 and info["interleave_mode"] == 0
    values = interleave(flat, layout, planar)
    return _stored(values, layout, header.precision, cut_at=cut_at)


def _decode_jpeg_2000(data: bytes, layout: Layout) -> Stored:
    """JPEG 2000 and HTJ2K. The colour transform of the codestream is undone by the decoder."""
    # Boxes of a JP2 file around the codestream do not belong here (PS3.5 A.4.4), and a damaged
    # one can hold a decoder for ever.
    start = data.find(b"\xff\x4f\xff\x51")
    if start < 0 or len(data) < start + 43:
        raise InputError("The compressed frame is not the JPEG 2000 that its header declares.")
    data = data[start:]
    right, bottom, left, top = struct.unpack(">4L", data[8:24])
    (components,) = struct.unpack(">H", data[40:42])
    precision, signed = (data[42] & 0x7F) + 1, bool(data[42] & 0x80)
    if right <= left or bottom <= top:
        raise InputError("The compressed frame has a damaged JPEG 2000 header.")
    _check_size(layout, bottom - top, right - left, components, precision)
    cut_at = None if _has_end(data) else layout.pixels
    try:
        decoded = decode_pixel_data(data if cut_at is None else data + b"\xff\xd9", version=2)
    except RuntimeError as error:
        if cut_at is None:
            raise
        # Each packet refines the whole picture: of half of them there is no row to be shown.
        raise InputError("The frame is incomplete: its JPEG 2000 data ends early.") from error
    width = 1 if precision <= 8 else 2 if precision <= 16 else 4
    values = np.frombuffer(decoded, f"<{'i' if signed else 'u'}{width}")
    values = interleave(values, layout, False)
    is_rgb = layout.photometric in ("YBR_ICT", "YBR_RCT") or _has_colour_transform(data)
    photometric = "RGB" if is_rgb and layout.samples == 3 else layout.photometric
    return replace(_stored(values, layout, precision, signed, cut_at), photometric=photometric)


def _has_colour_transform(codestream: bytes) -> bool:
    """Whether COD (ISO/IEC 15444-1 A.6.1) says that the components are transformed."""
    position = 2
    while position + 9 <= len(codestream):
        marker, length = struct.unpack(">HH", codestream[position : position + 4])
        if marker == 0xFF52:
            return codestream[position + 8] == 1
        if marker == 0xFF90:  # the first tile
            break
        position += 2 + length
    return False


def _decode_rle(data: bytes, layout: Layout) -> Stored:
    """RLE Lossless (PS3.5 G): one segment for each byte of each sample, the highest byte first.

    Segment by segment with a plain PackBits decoder, since the RLE plug-ins abort with a panic on
    a damaged segment.
    """
    # Frames of one bit a pixel are compressed in their packed form.
    packed = layout.bits_allocated == 1
    count = (layout.pixels + 7) // 8 if packed else layout.pixels
    width = max(8, layout.bits_allocated) // 8
    if len(data) < 64:
        raise InputError("The compressed frame has no RLE header.")
    segments, *offsets = struct.unpack("<16L", data[:64])
    if segments != width * layout.samples:
        raise InputError(
            f"The compressed frame has {segments} RLE segments, "
            f"the header asks for {width * layout.samples}."
        )
    starts = [*offsets[:segments], len(data)]
    planes = np.zeros((layout.samples, count, width), np.uint8)
    known = count
    for index in range(segments):
        decoded = unpack_bits_until_cut(data[starts[index] : starts[index + 1]], count)
        known = min(known, len(decoded))
        # Little endian in memory, so the highest byte goes last.
        planes[index // width, : len(decoded), width - 1 - index % width] = decoded
    values: npt.NDArray[Any] = planes.reshape(-1).view(f"<u{width}")
    if packed:
        values, known = np.unpackbits(values, bitorder="little"), 8 * known
    values = interleave(values, layout, layout.samples > 1)
    cut_at = known if known < layout.pixels else None
    return _stored(values, layout, layout.bits_allocated, cut_at=cut_at)


def interleave(values: npt.NDArray[Any], layout: Layout, planar: bool) -> npt.NDArray[Any]:
    """Flat samples -> (rows, columns) or (rows, columns, samples)."""
    if values.size < layout.pixels * layout.samples:
        raise InputError("The frame holds fewer pixels than the header says.")
    values = values[: layout.pixels * layout.samples]
    if layout.samples == 1:
        return values.reshape(layout.rows, layout.columns)
    if planar:
        planes = values.reshape(layout.samples, layout.rows, layout.columns)
        return np.ascontiguousarray(planes.transpose(1, 2, 0))
    return values.reshape(layout.rows, layout.columns, layout.samples)


def _stored(
    values: npt.NDArray[Any],
    layout: Layout,
    bits: int,
    signed: bool = False,
    cut_at: int | None = None,
) -> Stored:
    shape: tuple[int, ...] = (layout.rows, layout.columns)
    if layout.samples > 1:
        shape += (layout.samples,)
    if values.shape != shape:
        raise InputError("The decoded frame has not the size that the header says.")
    return Stored(np.ascontiguousarray(values), bits, signed, layout.photometric, cut_at)


_DECODERS: dict[str, Callable[[bytes, Layout], Stored]] = {
    "1.2.840.10008.1.2.4.50": _decode_jpeg,  # baseline
    "1.2.840.10008.1.2.4.51": _decode_jpeg,  # extended, 8 and 12 bits
    "1.2.840.10008.1.2.4.53": _decode_jpeg,  # spectral selection (retired)
    "1.2.840.10008.1.2.4.55": _decode_jpeg,  # full progression (retired)
    "1.2.840.10008.1.2.4.57": _decode_jpeg,  # lossless, process 14
    "1.2.840.10008.1.2.4.70": _decode_jpeg,  # lossless, process 14 SV1
    "1.2.840.10008.1.2.4.80": _decode_jpeg,  # JPEG-LS
    "1.2.840.10008.1.2.4.81": _decode_jpeg,  # JPEG-LS, near lossless
    "1.2.840.10008.1.2.4.90": _decode_jpeg_2000,
    "1.2.840.10008.1.2.4.91": _decode_jpeg_2000,
    "1.2.840.10008.1.2.4.201": _decode_jpeg_2000,  # HTJ2K
    "1.2.840.10008.1.2.4.202": _decode_jpeg_2000,
    "1.2.840.10008.1.2.4.203": _decode_jpeg_2000,
    "1.2.840.10008.1.2.5": _decode_rle,
}
_BY_SIGNATURE = (
    (b"\xff\xd8\xff", _decode_jpeg),
    (b"\xff\x4f\xff\x51", _decode_jpeg_2000),
    (b"\x00\x00\x00\x0cjP  ", _decode_jpeg_2000),
)
