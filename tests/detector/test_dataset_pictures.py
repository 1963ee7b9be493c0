"""What a picture file may be, and what it gives."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.dataset.pictures import MOST_PIXELS, picture_size, read_picture
from detector.dataset.sample import Sample
from detector.types import DatasetError


def claim(path: Path, columns: int, rows: int) -> Path:
    """A PNG of some bytes that says it is so large."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 999)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    return path


@pytest.mark.parametrize(("columns", "rows"), [(10_001, 10_000), (60_000, 60_000)])
def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path, columns: int, rows: int) -> None:
    assert columns * rows > MOST_PIXELS
    with pytest.raises(DatasetError, match=r"bomb.png is too large"):
        Sample(claim(tmp_path / "bomb.png", columns, rows), "p").load()


def test_the_size_comes_from_the_header(tmp_path: Path) -> None:
    assert picture_size(claim(tmp_path / "a.png", 9_999, 10_000)) == (9_999, 10_000)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", None])
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(DatasetError, match=r"a.png cannot be read"):
        read_picture(tmp_path / "a.png")


def test_colour_is_red_green_blue_of_8_bits(tmp_path: Path) -> None:
    blue_green_red = np.full((5, 7, 3), (10, 20, 30), np.uint8)
    cv2.imwrite(str(tmp_path / "8.png"), blue_green_red)
    cv2.imwrite(str(tmp_path / "16.png"), blue_green_red.astype(np.uint16) * 257)
    cv2.imwrite(str(tmp_path / "alpha.png"), np.dstack([blue_green_red, blue_green_red[:, :, :1]]))
    for name in ("8.png", "16.png", "alpha.png"):
        values = Sample(tmp_path / name, "p").load().values
        assert values.dtype == np.uint8
        assert values.shape == (5, 7, 3)
        assert values[0, 0].tolist() == [30, 20, 10]


def test_grey_of_16_bits_stays(tmp_path: Path) -> None:
    grey = np.arange(35, dtype=np.uint16).reshape(5, 7) * 1000
    cv2.imwrite(str(tmp_path / "a.png"), grey)
    assert np.array_equal(read_picture(tmp_path / "a.png"), grey)
