"""Which decoder serves which transfer syntax, by name; nothing falls through to what is installed.

Every decoder here is given one whole compressed frame. Before it runs, width, height and precision
are read from the codestream and compared with the header, since a forged size makes decoders
allocate gigabytes; and the end-of-image marker is looked for, since several return half a picture
without an error.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import imagecodecs
import jpeg_ls
import numpy as np
import numpy.typing as npt
from openjpeg.utils import decode_pixel_data
from pydicom.uid import UID

from viewer.errors import InputError

_RLE_SLACK = 256  # bytes that the padding of a segment may decode to


@dataclass(frozen=True, slots=True)
class Layout:
    """What the header says of one frame's stored values."""

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    photometric: str
    planar: bool = False  # Planar Configuration 1: one plane after the other

    @property
    def pixels(self) -> int:
        return self.rows * self.columns


@dataclass(frozen=True, slots=True)
class Stored:
    """Stored values of one frame, (rows, columns) or (rows, columns, 3).

    ``bits`` is the precision that the values have, ``signed`` whether their dtype carries the
    sign already, ``photometric`` what the samples mean after decoding.
    """

    values: npt.NDArray[Any]
    bits: int
    signed: bool
    photometric: str


def decode_frame(data: bytes, syntax: UID, layout: Layout) -> Stored:
    """Decode one compressed frame.

    Raises
    ------
    InputError
        The transfer syntax has no decoder here, or the codestream is not what the header says.
        The libraries raise their own errors on damage: call inside ``border.refusing``.
    """
    decoder = _DECODERS.get(syntax)
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


# SOF0 to SOF15 without DHT, JPG and DAC, which share their range, and SOF55 of JPEG-LS.
_START_OF_FRAME = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}


def _read_jpeg_header(data: bytes, layout: Layout) -> _JpegHeader:
    """Read the markers up to the first scan (ISO/IEC 10918-1 B.2), compare with the header."""
    if data[:2] != b"\xff\xd8":
        raise InputError("The compressed frame is not the JPEG that its header declares.")
    frame: tuple[int, int, int, bytes] | None = None
    adobe_transform, jfif, position = None, False, 2
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
        elif marker == 0xEE and body[:5] == b"Adobe" and len(body) >= 12:
            adobe_transform = body[11]
        elif marker == 0xE0 and body[:4] == b"JFIF":
            jfif = True
        elif marker == 0xDA:
            break
        position += 2 + length
    if frame is None:
        raise InputError("The compressed frame has no JPEG frame header.")
    _check_size(layout, frame[1], frame[2], len(frame[3]), frame[0])
    _check_end(data)
    return _JpegHeader(*frame, adobe_transform, jfif)


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


def _check_end(data: bytes) -> None:
    """JPEG, JPEG-LS and JPEG 2000 all end with FFD9; padding may follow it."""
    if b"\xff\xd9" not in data[-1024:]:
        raise InputError("The compressed frame is cut short: its end marker is missing.")


# --- one function a codec --------------------------------------------------------------------


def _decode_jpeg(data: bytes, layout: Layout) -> Stored:
    """JPEG baseline, extended and progressive, 8 and 12 bits, by libjpeg-turbo."""
    header = _read_jpeg_header(data, layout)
    if layout.samples == 1:
        values = imagecodecs.jpeg8_decode(data)
        return _stored(values, layout, header.precision, False, layout.photometric)
    space = "YCBCR" if _is_ycbcr(header, layout) else "RGB"
    values = imagecodecs.jpeg8_decode(data, colorspace=space, outcolorspace="RGB")
    return _stored(values, layout, header.precision, False, "RGB")


def _is_ycbcr(header: _JpegHeader, layout: Layout) -> bool:
    """What the stream says of its colours wins over the header, as all viewers have it."""
    if header.adobe_transform is not None:
        return header.adobe_transform == 1
    if header.components == b"RGB":
        return False
    return header.jfif or layout.photometric != "RGB"


def _decode_lossless_jpeg(data: bytes, layout: Layout) -> Stored:
    """JPEG lossless, processes 14 and 14 SV1."""
    header = _read_jpeg_header(data, layout)
    values = np.ascontiguousarray(imagecodecs.jpegsof3_decode(data))
    return _stored(values, layout, header.precision, False, layout.photometric)


def _decode_jpeg_ls(data: bytes, layout: Layout) -> Stored:
    header = _read_jpeg_header(data, layout)
    decoded, info = jpeg_ls.decode_pixel_data(data)
    values = np.frombuffer(decoded, "u1" if header.precision <= 8 else "<u2")
    planar = layout.samples > 1 and info["interleave_mode"] == 0
    values = interleave(values, layout, planar)
    return _stored(values, layout, header.precision, False, layout.photometric)


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
    _check_end(data)
    decoded = decode_pixel_data(data, version=2)
    width = 1 if precision <= 8 else 2 if precision <= 16 else 4
    values = np.frombuffer(decoded, f"<{'i' if signed else 'u'}{width}")
    values = interleave(values, layout, False)
    photometric = "RGB" if layout.photometric in ("YBR_ICT", "YBR_RCT") else layout.photometric
    return _stored(values, layout, precision, signed, photometric)


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
    for index in range(segments):
        segment = data[starts[index] : starts[index + 1]]
        decoded = imagecodecs.packbits_decode(segment, out=count + _RLE_SLACK)
        if len(decoded) < count:
            raise InputError("The compressed frame is cut short inside an RLE segment.")
        # Little endian in memory, so the highest byte goes last.
        planes[index // width, :, width - 1 - index % width] = np.frombuffer(
            decoded, np.uint8, count
        )
    values: npt.NDArray[Any] = planes.reshape(-1).view(f"<u{width}")
    if packed:
        values = np.unpackbits(values, bitorder="little")
    values = interleave(values, layout, layout.samples > 1)
    return _stored(values, layout, layout.bits_allocated, False, layout.photometric)


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
    values: npt.NDArray[Any], layout: Layout, bits: int, signed: bool, photometric: str
) -> Stored:
    shape: tuple[int, ...] = (layout.rows, layout.columns)
    if layout.samples > 1:
        shape += (layout.samples,)
    if values.shape != shape:
        raise InputError("The decoded frame has not the size that the header says.")
    return Stored(values, bits, signed, photometric)


_DECODERS: dict[str, Callable[[bytes, Layout], Stored]] = {
    "1.2.840.10008.1.2.4.50": _decode_jpeg,  # baseline
    "1.2.840.10008.1.2.4.51": _decode_jpeg,  # extended, 8 and 12 bits
    "1.2.840.10008.1.2.4.53": _decode_jpeg,  # spectral selection (retired)
    "1.2.840.10008.1.2.4.55": _decode_jpeg,  # full progression (retired)
    "1.2.840.10008.1.2.4.57": _decode_lossless_jpeg,
    "1.2.840.10008.1.2.4.70": _decode_lossless_jpeg,
    "1.2.840.10008.1.2.4.80": _decode_jpeg_ls,
    "1.2.840.10008.1.2.4.81": _decode_jpeg_ls,
    "1.2.840.10008.1.2.4.90": _decode_jpeg_2000,
    "1.2.840.10008.1.2.4.91": _decode_jpeg_2000,
    "1.2.840.10008.1.2.4.201": _decode_jpeg_2000,  # HTJ2K
    "1.2.840.10008.1.2.4.202": _decode_jpeg_2000,
    "1.2.840.10008.1.2.4.203": _decode_jpeg_2000,
    "1.2.840.10008.1.2.5": _decode_rle,
}
