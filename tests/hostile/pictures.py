"""PNG, JPEG, TIFF and BMP files that are broken or bombs."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import PIL.Image

from tests.hostile.cases import Incomplete, Opens, Refused, Undecodable, hostile, write


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 0) -> bytes:
    head = chunk(b"IHDR", struct.pack(">2L5B", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IEND")


def zeros(size: int) -> bytes:
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    packed = [
        packer.compress(block[: min(len(block), size - at)]) for at in range(0, size, 1 << 20)
    ]
    return b"".join(packed) + packer.flush()


def tiff(*tags: tuple[int, int, int, int], after: bytes = b"", next_at: int = 0) -> bytes:
    """One directory of (tag, type, count, value) right behind the header."""
    entries = b"".join(struct.pack("<HHLL", *tag) for tag in sorted(tags))
    head = b"II*\0" + struct.pack("<LH", 8, len(tags))
    return head + entries + struct.pack("<L", next_at) + after


_GREY = ((256, 4, 1, 8), (257, 4, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1))


@hostile(Refused("above the limit"))
def a_png_of_nine_hundred_megapixels(folder: Path) -> None:
    write(folder, png(30_000, 30_000, chunk(b"IDAT", zeros(100_000))), "bad.png")


@hostile(Refused("above the limit"))
def a_png_that_claims_all_there_is(folder: Path) -> None:
    write(folder, png(2**31 - 1, 2**31 - 1, chunk(b"IDAT", b"")), "bad.png")


@hostile(Incomplete())
def a_png_of_the_largest_size_without_pixels(folder: Path) -> None:
    write(folder, png(9_999, 9_999, chunk(b"IDAT", zeros(1_000))), "bad.png")


@hostile(Incomplete())
def a_large_coloured_png_without_pixels(folder: Path) -> None:
    write(folder, png(5_000, 5_000, chunk(b"IDAT", zeros(1_000)), colour=2), "bad.png")


@hostile(Refused("too large"))
def a_png_with_a_text_of_300_megabytes(folder: Path) -> None:
    text = chunk(b"zTXt", b"Comment\0\0" + zeros(300 << 20))
    pixels = chunk(b"IDAT", zlib.compress(bytes(72)))
    write(folder, png(8, 8, text, pixels), "bad.png")


@hostile(Refused("too large"))
def a_png_with_a_profile_of_300_megabytes(folder: Path) -> None:
    profile = chunk(b"iCCP", b"evil\0\0" + zeros(300 << 20))
    pixels = chunk(b"IDAT", zlib.compress(bytes(72)))
    write(folder, png(8, 8, profile, pixels), "bad.png")


@hostile(Undecodable("cannot be decoded"))
def a_png_cut_short(folder: Path) -> None:
    noise = np.random.default_rng(3).bytes(101 * 100)
    write(folder, png(100, 100, chunk(b"IDAT", zlib.compress(noise)))[:5_000], "bad.png")


@hostile(Undecodable("cannot load"))
def a_png_without_pixels(folder: Path) -> None:
    write(folder, png(8, 8), "bad.png")


@hostile(Undecodable("broken"))
def a_chunk_of_two_gigabytes(folder: Path) -> None:
    write(folder, png(8, 8)[:33] + b"\x7f\xff\xff\xffIDAT" + bytes(50), "bad.png")


@hostile(Incomplete())
def a_jpeg_cut_short(folder: Path) -> None:
    path = folder / "bad.jpg"
    noise = np.random.default_rng(4).integers(0, 255, (200, 200, 3)).astype(np.uint8)
    PIL.Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:4_000])


@hostile(Refused("above the limit"))
def a_jpeg_picture_of_four_gigapixels(folder: Path) -> None:
    path = folder / "bad.jpg"
    PIL.Image.new("L", (8, 8)).save(path)
    data = path.read_bytes()
    at = data.index(b"\xff\xc0\x00\x0b\x08") + 5
    path.write_bytes(data[:at] + b"\xff" * 4 + data[at + 4 :])


@hostile(Refused("damaged JPEG"))
def a_jpeg_of_nothing_but_markers(folder: Path) -> None:
    write(folder, b"\xff\xd8\xff" + b"\xe1\x00\x02\xff" * 100_000, "bad.jpg")


@hostile(Opens())
def a_tiff_whose_pages_go_in_circles(folder: Path) -> None:
    strip = ((273, 4, 1, 200), (278, 4, 1, 8), (279, 4, 1, 64))
    data = tiff(*_GREY, *strip, next_at=8)
    write(folder, data + bytes(200 - len(data)) + bytes(range(64)), "bad.tif")


@hostile(Incomplete())
def a_tiff_whose_pixels_lie_outside(folder: Path) -> None:
    strip = ((273, 4, 1, 0xFFFFFFF0), (278, 4, 1, 8), (279, 4, 1, 0xFFFFFFF0))
    write(folder, tiff(*_GREY, *strip), "bad.tif")


@hostile(Refused("above the limit"))
def a_tiff_of_a_terapixel(folder: Path) -> None:
    size = ((256, 4, 1, 1 << 20), (257, 4, 1, 1 << 20))
    write(folder, tiff(*size, *_GREY[2:], (273, 4, 1, 8), (279, 4, 1, 64)), "bad.tif")


@hostile(Refused("damaged TIFF"))
def a_tiff_with_four_billion_strips(folder: Path) -> None:
    strips = ((273, 4, 0xFFFFFFFF, 8), (278, 4, 1, 8), (279, 4, 0xFFFFFFFF, 8))
    write(folder, tiff(*_GREY, *strips), "bad.tif")


@hostile(Opens())
def a_tiff_strip_that_unpacks_to_300_megabytes(folder: Path) -> None:
    packed = zeros(300 << 20)
    strip = ((273, 4, 1, 200), (278, 4, 1, 8), (279, 4, 1, len(packed)))
    data = tiff(*_GREY[:3], (259, 3, 1, 8), _GREY[4], *strip)
    write(folder, data + bytes(200 - len(data)) + packed, "bad.tif")


@hostile(Refused("damaged TIFF"))
def a_tiff_that_points_to_nowhere(folder: Path) -> None:
    write(folder, b"II*\0\xf0\xff\xff\xff" + bytes(300), "bad.tif")


def bmp(width: int, height: int, compression: int, data: bytes) -> bytes:
    info = struct.pack("<LllHHLLllLL", 40, width, height, 1, 8, compression, 0, 0, 0, 256, 0)
    return b"BM" + struct.pack("<LHHL", 0, 0, 0, 54 + 1024) + info + bytes(1024) + data


@hostile(Refused("above the limit"))
def a_bmp_of_four_gigapixels(folder: Path) -> None:
    write(folder, bmp(65_535, 65_535, 0, b""), "bad.bmp")


@hostile(Refused("not enough image data"))
def a_bmp_of_run_lengths_that_never_end(folder: Path) -> None:
    write(folder, bmp(9_000, 9_000, 1, b"\0\2\1\0" * 100), "bad.bmp")
