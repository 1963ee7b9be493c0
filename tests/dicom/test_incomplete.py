"""Pixel data that ends early: the rows that are there are right, and nobody takes it for whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from tests.dicom_factory import make_compressed, make_dataset, make_dicom, write_dataset
from viewer.dicom.model import Frame, Image
from viewer.dicom.pixels import decode
from viewer.dicom.scan import scan
from viewer.errors import InputError

ROWS, COLUMNS = 96, 80
NOISE = np.random.default_rng(11).integers(1, 4096, (ROWS, COLUMNS)).astype(np.uint16)
NOISE[0, :2] = 1, 4095
COLOURS = np.random.default_rng(12).integers(1, 256, (ROWS, COLUMNS, 3)).astype(np.uint8)
BLOCK_ROWS = 8  # of JPEG


def images_of(path: Path) -> tuple[Image, ...]:
    return tuple(image for update in scan([path]) for image in update.images)


def decode_cut(path: Path, share: float) -> Frame:
    """Decode the file after all but a share of its pixel data was cut off."""
    data = path.read_bytes()
    tag = b"\x7f\xe0\x00\x10" if b"\x7f\xe0\x00\x10OW" in data else b"\xe0\x7f\x10\x00"
    start = data.index(tag)
    path.write_bytes(data[: start + int((len(data) - start) * share)])
    return decode(images_of(path)[0])


def write_jpeg(path: Path, pixels: npt.NDArray[Any], syntax: UID, data: bytes) -> Path:
    dataset = make_dataset(pixels, BitsStored=12 if pixels.dtype == np.uint16 else 8)
    dataset.PixelData = encapsulate([data])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return write_dataset(path, dataset, syntax)


def known_rows(frame: Frame, whole: npt.NDArray[Any]) -> int:
    """How many rows equal the whole picture before the first that does not."""
    equal = (frame.values == whole).reshape(ROWS, -1).all(axis=1)
    return ROWS if equal.all() else int(np.argmin(equal))


def make_jpeg(path: Path) -> Path:
    return write_jpeg(
        path, NOISE >> 4, JPEGBaseline8Bit, imagecodecs.jpeg8_encode((NOISE >> 4).astype(np.uint8))
    )


def make_extended(path: Path) -> Path:
    data = imagecodecs.jpeg8_encode(NOISE, bitspersample=12)
    return write_jpeg(path, NOISE, JPEGExtended12Bit, data)


def make_lossless(path: Path) -> Path:
    return write_jpeg(
        path, NOISE, JPEGLosslessSV1, imagecodecs.ljpeg_encode(NOISE, bitspersample=12)
    )


def make_colour_jpeg(path: Path) -> Path:
    return write_jpeg(path, COLOURS, JPEGBaseline8Bit, imagecodecs.jpeg8_encode(COLOURS))


def make_jpeg_ls(path: Path) -> Path:
    return make_compressed(path, NOISE, JPEGLSLossless, BitsStored=12, HighBit=11)


def make_colour_jpeg_ls(path: Path) -> Path:
    return make_compressed(path, COLOURS, JPEGLSLossless)


def make_native(path: Path) -> Path:
    return make_dicom(path, NOISE)


def make_big_endian(path: Path) -> Path:
    return make_dicom(path, NOISE, TransferSyntaxUID=ExplicitVRBigEndian)


def make_colour(path: Path) -> Path:
    return make_dicom(path, COLOURS)


@pytest.mark.parametrize(
    "make",
    [
        make_jpeg,
        make_extended,
        make_lossless,
        make_colour_jpeg,
        make_jpeg_ls,
        make_colour_jpeg_ls,
        make_native,
        make_big_endian,
        make_colour,
    ],
)
def test_the_rows_before_the_cut_are_right_and_the_rest_is_black(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    whole = decode(images_of(make(tmp_path / "whole"))[0])
    assert not whole.incomplete
    assert whole.notes == ()
    frame = decode_cut(make(tmp_path / "cut"), 0.6)
    assert frame.incomplete
    rows = known_rows(frame, whole.values)
    # Chroma of the last row before the cut comes from the block below it.
    assert 0.4 * ROWS < rows < 0.7 * ROWS
    darkest = 0 if frame.is_colour else frame.values[:rows].min()
    assert (frame.values[rows + 2 * BLOCK_ROWS :] == darkest).all()
    (note,) = frame.notes
    said = int(note.rpartition("in row ")[2].split(" of ")[0])
    assert 0 <= said - 1 - rows <= 2 * BLOCK_ROWS
    assert note.endswith(f" of {ROWS}.")


@pytest.mark.parametrize("share", [0.2, 0.3, 0.55, 0.97])
@pytest.mark.parametrize("make", [make_jpeg, make_lossless, make_jpeg_ls])
def test_no_row_behind_the_cut_is_taken_for_real(
    tmp_path: Path, make: Callable[[Path], Path], share: float
) -> None:
    whole = decode(images_of(make(tmp_path / "whole"))[0])
    frame = decode_cut(make(tmp_path / "cut"), share)
    real = (frame.values == whole.values).all(axis=1)
    black = (frame.values == frame.values[-1, 0]).all(axis=1)
    assert (real | black).all()


def test_the_missing_part_of_monochrome1_is_black_on_the_screen(tmp_path: Path) -> None:
    path = make_dicom(tmp_path / "a", NOISE, PhotometricInterpretation="MONOCHROME1")
    frame = decode_cut(path, 0.5)
    assert frame.inverted
    assert (frame.values[-1] == NOISE[:40].max()).all()
    assert (frame.values[:40] == NOISE[:40]).all()


def test_zeros_in_place_of_the_end_are_no_data(tmp_path: Path) -> None:
    path = make_lossless(tmp_path / "a")
    whole = decode(images_of(path)[0]).values
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))
    frame = decode(images_of(path)[0])
    assert frame.incomplete
    assert 0.3 * ROWS < known_rows(frame, whole) < 0.6 * ROWS


def test_rle_keeps_the_pixels_whose_bytes_are_all_there(tmp_path: Path) -> None:
    path = make_compressed(tmp_path / "a", NOISE, RLELossless)
    # The high bytes come first: three quarters of the data are those and half of the low ones.
    frame = decode_cut(path, 0.75)
    assert frame.incomplete
    rows = known_rows(frame, NOISE)
    assert 0.4 * ROWS < rows < 0.6 * ROWS
    assert (frame.values[rows + 1 :] == frame.values[:rows].min()).all()


def test_rle_without_a_single_low_byte_is_refused(tmp_path: Path) -> None:
    path = make_compressed(tmp_path / "a", NOISE, RLELossless)
    with pytest.raises(InputError, match="not one row of it is there"):
        decode_cut(path, 0.4)


def test_planes_that_follow_each_other_count_as_far_as_the_last_reaches(tmp_path: Path) -> None:
    planes = np.ascontiguousarray(COLOURS.transpose(2, 0, 1))
    path = make_dicom(tmp_path / "a", COLOURS, PlanarConfiguration=1, PixelData=planes.tobytes())
    frame = decode_cut(path, 0.9)
    assert 0.6 * ROWS < known_rows(frame, COLOURS) < 0.75 * ROWS
    assert (frame.values[-1] == 0).all()


def test_jpeg_2000_that_lacks_its_end_marker_alone_is_decoded(tmp_path: Path) -> None:
    path = make_compressed(tmp_path / "a", NOISE, JPEG2000Lossless, BitsStored=12, HighBit=11)
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"\xff\xd9")])
    frame = decode(images_of(path)[0])
    np.testing.assert_array_equal(frame.values, NOISE)
    assert frame.incomplete
    assert frame.notes[0].endswith("parts of the picture may be missing.")


def test_jpeg_2000_that_lacks_packets_is_refused(tmp_path: Path) -> None:
    path = make_compressed(tmp_path / "a", NOISE, JPEG2000Lossless, BitsStored=12, HighBit=11)
    with pytest.raises(InputError, match="incomplete: its JPEG 2000 data ends early"):
        decode_cut(path, 0.6)


def test_a_deflated_file_that_ends_early(tmp_path: Path) -> None:
    path = make_dicom(tmp_path / "a", NOISE, TransferSyntaxUID=DeflatedExplicitVRLittleEndian)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    frame = decode(images_of(path)[0])
    assert frame.incomplete
    assert 0.4 * ROWS < known_rows(frame, NOISE) < 0.8 * ROWS


@pytest.mark.parametrize("offset_table", [True, False])
@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
def test_a_multi_frame_file_that_ends_early(
    tmp_path: Path, syntax: UID, offset_table: bool
) -> None:
    frames = np.stack([NOISE, NOISE[::-1], NOISE[:, ::-1], NOISE // 2])
    path = make_compressed(tmp_path / "a", frames, syntax, BitsStored=12, HighBit=11)
    if not offset_table:
        data = path.read_bytes()
        table = data.index(b"\xfe\xff\x00\xe0\x10\x00\x00\x00")
        path.write_bytes(data[: table + 4] + bytes(4) + data[table + 8 + 16 :])
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.68)])  # in the third frame
    images = images_of(path)
    assert len(images) == 4
    for image, expected in zip(images[:2], frames, strict=False):
        frame = decode(image)
        assert not frame.incomplete
        np.testing.assert_array_equal(frame.values, expected)
    third = decode(images[2])
    assert third.incomplete
    assert known_rows(third, frames[2]) > 0.3 * ROWS
    with pytest.raises(InputError, match=r"ends before this frame|not one row"):
        decode(images[3])


def test_frames_of_one_bit_that_end_early(tmp_path: Path) -> None:
    bits = (NOISE & 1).astype(np.uint8)
    dataset = make_dataset(bits, BitsAllocated=1, BitsStored=1, HighBit=0)
    dataset.PixelData = np.packbits(bits, bitorder="little").tobytes()[: ROWS * COLUMNS // 16]
    frame = decode(images_of(write_dataset(tmp_path / "a", dataset))[0])
    assert frame.incomplete
    assert (frame.values[: ROWS // 2] == bits[: ROWS // 2]).all()
    assert not frame.values[ROWS // 2 :].any()


def test_less_than_a_row_is_refused(tmp_path: Path) -> None:
    path = make_dicom(tmp_path / "a", NOISE)
    with pytest.raises(InputError, match="cut short: not one row of it is there"):
        decode_cut(path, 0.01)
