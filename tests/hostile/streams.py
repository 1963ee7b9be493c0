"""Pixel data that is cut, forged or far larger than it looks."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
from pydicom.uid import (
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from tests.hostile.cases import (
    UNDEFINED,
    Incomplete,
    Opens,
    Refused,
    Undecodable,
    element,
    encapsulated,
    fragment,
    header,
    hostile,
    image,
    us,
    write,
)

_DEFLATED = "1.2.840.10008.1.2.1.99"
_DEFLATED_FRAME = "1.2.840.10008.1.2.8.1"
_EIGHT_BITS = (us(0x00280100, 8), us(0x00280101, 8), us(0x00280102, 7))
_PIXELS = np.arange(64, dtype=np.uint8).reshape(8, 8)
_J2K = imagecodecs.jpeg2k_encode(_PIXELS, codecformat="j2k", reversible=True, level=0)
_JPEG = imagecodecs.jpeg8_encode(_PIXELS)
_JPEG_LOSSLESS = imagecodecs.ljpeg_encode(_PIXELS)
_JPEG_LS = imagecodecs.jpegls_encode(_PIXELS)
_START_OF_FRAME = b"\xff\xc0\x00\x0b\x08"


def compressed(frame: bytes, syntax: str, *changes: bytes) -> bytes:
    pixels = encapsulated(fragment(frame + b"\0" * (len(frame) % 2)))
    return image(*_EIGHT_BITS, *changes, pixels, syntax=syntax)


def raw_deflate(*blocks: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return b"".join(packer.compress(block) for block in blocks) + packer.flush()


@hostile(Refused("compression ratio is .* above the limit"))
def a_deflated_data_set_of_three_gigabytes(folder: Path) -> None:
    once = image()[len(header()) :]
    bomb = element(0x00091001, b"OB", length=0xFFFFFFF0) + bytes(1 << 20)
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(once + bomb) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    write(folder, header(_DEFLATED) + packed + again * 3_000)


@hostile(Refused("invalid block type"))
def a_deflated_data_set_of_rubbish(folder: Path) -> None:
    write(folder, header(_DEFLATED) + b"\xff" * 5_000)


@hostile(Incomplete())
def a_deflated_data_set_that_is_cut(folder: Path) -> None:
    data = image()
    start = len(header())
    packed = raw_deflate(data[start:-128] + bytes(np.random.default_rng(1).bytes(128)))
    write(folder, header(_DEFLATED) + packed[:-100])


@hostile(Undecodable("compression ratio is .* above the limit"))
def a_deflated_frame_of_three_gigabytes(folder: Path) -> None:
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    first = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    write(folder, compressed(first + again * 3_000, _DEFLATED_FRAME))


@hostile(Incomplete())
def a_frame_cut_short(folder: Path) -> None:
    write(folder, image()[:-70])


@hostile(Incomplete())
def pixel_data_that_claims_four_gigabytes(folder: Path) -> None:
    pixels = element(0x7FE00010, b"OW", bytes(100), 0xFFFFFFFE)
    write(folder, image(pixels))


@hostile(Undecodable("ends before this frame"))
def fragments_without_a_single_one(folder: Path) -> None:
    write(folder, image(*_EIGHT_BITS, encapsulated(), syntax=RLELossless))


@hostile(Undecodable("not the JPEG 2000"))
def a_fragment_longer_than_the_file(folder: Path) -> None:
    pixels = encapsulated(fragment(b"\0\0", 0xFFFFFFFE))
    write(folder, image(*_EIGHT_BITS, pixels, syntax=JPEG2000Lossless))


@hostile(Opens())
def a_fragment_of_undefined_length(folder: Path) -> None:
    pixels = encapsulated(fragment(_J2K, UNDEFINED))
    write(folder, image(*_EIGHT_BITS, pixels, syntax=JPEG2000Lossless))


@hostile(Opens())
def a_frame_in_fragments_of_odd_length(folder: Path) -> None:
    parts = [fragment(_J2K[start : start + 7]) for start in range(0, len(_J2K), 7)]
    write(folder, image(*_EIGHT_BITS, encapsulated(*parts), syntax=JPEG2000Lossless))


@hostile(Undecodable("ends before this frame"))
def two_hundred_thousand_empty_fragments(folder: Path) -> None:
    pixels = encapsulated(fragment(b"") * 200_000)
    write(folder, image(*_EIGHT_BITS, pixels, syntax=JPEG2000Lossless))


@hostile(Undecodable("ends before this frame"))
def an_offset_table_that_points_outside(folder: Path) -> None:
    table = struct.pack("<2L", 0, 0xFFFFFFF0)
    frames = element(0x00280008, b"IS", b"2")
    pixels = encapsulated(fragment(_J2K + b"\0" * (len(_J2K) % 2)), table=table)
    write(folder, image(*_EIGHT_BITS, frames, pixels, syntax=JPEG2000Lossless))


@hostile(Undecodable("cannot be decoded"))
def an_extended_offset_table_that_points_outside(folder: Path) -> None:
    tables = (
        element(0x7FE00001, b"OV", struct.pack("<2Q", 0, 1 << 62)),
        element(0x7FE00002, b"OV", struct.pack("<2Q", 1 << 40, 1 << 63)),
    )
    frames = element(0x00280008, b"IS", b"2")
    pixels = encapsulated(fragment(_J2K + b"\0" * (len(_J2K) % 2)))
    write(folder, image(*_EIGHT_BITS, frames, *tables, pixels, syntax=JPEG2000Lossless))


@hostile(Opens())
def fragments_without_an_end(folder: Path) -> None:
    pixels = encapsulated(fragment(_J2K + b"\0" * (len(_J2K) % 2)), end=b"")
    write(folder, image(*_EIGHT_BITS, pixels, syntax=JPEG2000Lossless))


@hostile(Undecodable("65535 x 65535"))
def a_jpeg_of_four_gigapixels(folder: Path) -> None:
    at = _JPEG.index(_START_OF_FRAME) + 5
    write(folder, compressed(_JPEG[:at] + b"\xff" * 4 + _JPEG[at + 4 :], JPEGBaseline8Bit))


@hostile(Undecodable("8 x 0"))
def a_jpeg_of_no_lines(folder: Path) -> None:
    at = _JPEG.index(_START_OF_FRAME) + 5
    write(folder, compressed(_JPEG[:at] + b"\0\0" + _JPEG[at + 2 :], JPEGBaseline8Bit))


@hostile(Undecodable("Bogus"))
def a_jpeg_of_255_components(folder: Path) -> None:
    at = _JPEG.index(_START_OF_FRAME) + 9
    write(folder, compressed(_JPEG[:at] + b"\xff" + _JPEG[at + 1 :], JPEGBaseline8Bit))


@hostile(Undecodable("table"))
def a_jpeg_without_tables(folder: Path) -> None:
    frame = b"\xff\xd8" + _JPEG[_JPEG.index(_START_OF_FRAME) :].replace(b"\xff\xc4", b"\xff\xfe")
    write(folder, compressed(frame, JPEGBaseline8Bit))


@hostile(Undecodable("65535 x 65535"))
def jpeg_lossless_of_four_gigapixels(folder: Path) -> None:
    at = _JPEG_LOSSLESS.index(b"\xff\xc3") + 5
    frame = _JPEG_LOSSLESS[:at] + b"\xff" * 4 + _JPEG_LOSSLESS[at + 4 :]
    write(folder, compressed(frame, JPEGLosslessSV1))


@hostile(Undecodable("8 x 0"))
def jpeg_ls_of_no_lines(folder: Path) -> None:
    at = _JPEG_LS.index(b"\xff\xf7") + 5
    write(folder, compressed(_JPEG_LS[:at] + b"\0\0" + _JPEG_LS[at + 2 :], JPEGLSLossless))


@hostile(Undecodable("above the limit|header says"))
def jpeg_2000_of_a_terapixel(folder: Path) -> None:
    frame = _J2K[:8] + struct.pack(">2L", 1 << 20, 1 << 20) + _J2K[16:]
    write(folder, compressed(frame, JPEG2000Lossless))


@hostile(Undecodable("failed to read the header"))
def jpeg_2000_of_a_hundred_million_tiles(folder: Path) -> None:
    size = struct.pack(">2L", 10_000, 10_000)
    frame = _J2K[:8] + size + _J2K[16:24] + struct.pack(">4L", 1, 1, 0, 0) + _J2K[40:]
    rows, columns = us(0x00280010, 10_000), us(0x00280011, 10_000)
    write(folder, compressed(frame, JPEG2000Lossless, rows, columns))


@hostile(Undecodable("ends early"))
def jpeg_2000_behind_a_box_without_end(folder: Path) -> None:
    boxes = b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0\0\0\0evil"
    write(folder, compressed(boxes + _J2K[:-40], JPEG2000Lossless))


@hostile(Undecodable("cut short"))
def rle_of_segments_outside(folder: Path) -> None:
    frame = struct.pack("<16L", 1, 0xFFFFFFF0, *[0] * 14) + b"\x81\0" * 40
    write(folder, compressed(frame, RLELossless))


@hostile(Undecodable("RLE"))
def rle_of_four_billion_segments(folder: Path) -> None:
    frame = struct.pack("<16L", 0xFFFFFFFF, 64, *[0] * 14) + b"\x81\0" * 40
    write(folder, compressed(frame, RLELossless))


@hostile(Undecodable("cannot be decoded"))
def rle_that_unpacks_to_a_gigabyte(folder: Path) -> None:
    frame = struct.pack("<16L", 1, 64, *[0] * 14) + b"\x81\0" * 8_000_000
    write(folder, compressed(frame, RLELossless))


@hostile(Opens())
def float_pixels_that_are_no_numbers(folder: Path) -> None:
    values = np.full((8, 8), np.nan, "<f4")
    values[0] = np.inf, -np.inf, 1e38, -1e38, 0, 1, 2, 3
    pixels = element(0x7FE00008, b"OF", values.tobytes())
    write(folder, image(us(0x00280100, 32), pixels, without=0x7FE00010))


@hostile(Opens())
def double_pixels_beyond_single_ones(folder: Path) -> None:
    values = np.full((8, 8), 1e308, "<f8")
    values[0] = -1e308
    pixels = element(0x7FE00009, b"OD", values.tobytes())
    write(folder, image(us(0x00280100, 64), pixels, without=0x7FE00010))
