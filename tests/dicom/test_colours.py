"""Every colour space, planar configuration and palette."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.pixels.processing import apply_color_lut, convert_color_space
from pydicom.uid import UID, JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from tests.dicom.stored_forms import (
    COLUMNS,
    NATIVE,
    ROWS,
    decode_first,
    write_encapsulated,
)
from tests.dicom_factory import make_compressed, make_dataset, make_dicom, write_dataset

RGB = np.random.default_rng(8).integers(0, 256, (ROWS, COLUMNS, 3)).astype(np.uint8)


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("syntax", NATIVE)
def test_rgb_in_both_planar_configurations(tmp_path: Path, syntax: UID, planar: int) -> None:
    data = RGB.transpose(2, 0, 1) if planar else RGB
    elements = {"PlanarConfiguration": planar, "PixelData": np.ascontiguousarray(data).tobytes()}
    path = make_dicom(tmp_path / "a", RGB, TransferSyntaxUID=syntax, **elements)
    np.testing.assert_array_equal(decode_first(path).values, RGB)


@pytest.mark.parametrize("planar", [0, 1])
def test_rle_is_planar_whatever_the_header_says(tmp_path: Path, planar: int) -> None:
    path = make_compressed(tmp_path / "a", RGB, RLELossless)
    dataset = pydicom.dcmread(path)
    dataset.PlanarConfiguration = planar
    dataset.save_as(path)
    np.testing.assert_array_equal(decode_first(path).values, RGB)


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
@pytest.mark.parametrize("bits", [12, 16])
def test_colours_above_8_bits_keep_their_highest_ones(
    tmp_path: Path, bits: int, photometric: str
) -> None:
    deep = (RGB.astype(np.uint16) << (bits - 8)) + 3
    dataset = make_dataset(
        deep, BitsStored=bits, HighBit=bits - 1, PhotometricInterpretation=photometric
    )
    frame = decode_first(write_dataset(tmp_path / "a", dataset))
    expected = RGB if photometric == "RGB" else convert_color_space(RGB, "YBR_FULL", "RGB")
    np.testing.assert_array_equal(frame.values, expected)


def test_subsampled_colour_is_pydicoms(tmp_path: Path) -> None:
    luma = RGB[..., 0].reshape(-1, 2)
    chroma = RGB[..., 1:].reshape(-1, 2, 2)[:, 0]
    data = np.concatenate([luma, chroma], axis=1).tobytes()
    path = make_dicom(tmp_path / "a", RGB, PhotometricInterpretation="YBR_FULL_422", PixelData=data)
    expected = pydicom.pixels.pixel_array(path)
    np.testing.assert_array_equal(decode_first(path).values, expected)


@pytest.mark.parametrize("photometric", ["RGB", "YBR_RCT", "YBR_FULL"])
def test_the_colour_transform_of_jpeg_2000_is_undone_once(tmp_path: Path, photometric: str) -> None:
    """The codestream says that its components are transformed; a wrong header changes nothing."""
    data = imagecodecs.jpeg2k_encode(RGB, level=0, codecformat="j2k", mct=True)
    path = write_encapsulated(
        tmp_path / "a", RGB, JPEG2000Lossless, data, PhotometricInterpretation=photometric
    )
    np.testing.assert_array_equal(decode_first(path).values, RGB)


def test_jpeg_2000_without_a_colour_transform_holds_what_the_header_says(tmp_path: Path) -> None:
    data = imagecodecs.jpeg2k_encode(RGB, level=0, codecformat="j2k", mct=False)
    path = write_encapsulated(
        tmp_path / "a", RGB, JPEG2000Lossless, data, PhotometricInterpretation="YBR_FULL"
    )
    expected = convert_color_space(RGB, "YBR_FULL", "RGB")
    np.testing.assert_array_equal(decode_first(path).values, expected)


@pytest.mark.parametrize("subsampling", ["444", "422", "420"])
def test_baseline_jpeg_in_colour(tmp_path: Path, subsampling: str) -> None:
    smooth = np.zeros((64, 64, 3), np.uint8)
    smooth[..., 0] = np.linspace(0, 255, 64)
    smooth[..., 1] = np.linspace(255, 0, 64)[:, None]
    smooth[..., 2] = 90
    data = imagecodecs.jpeg8_encode(smooth, level=98, subsampling=subsampling)
    path = write_encapsulated(
        tmp_path / "a", smooth, JPEGBaseline8Bit, data, PhotometricInterpretation="YBR_FULL_422"
    )
    assert np.abs(decode_first(path).values.astype(int) - smooth).max() <= 6


@pytest.mark.parametrize("entries", ["16 bits", "8 bits", "8 bits in 16"])
@pytest.mark.parametrize("first", [-20, 0, 30])
def test_palettes(tmp_path: Path, first: int, entries: str) -> None:
    index = np.random.default_rng(9).integers(-64, 64, (ROWS, COLUMNS)).astype(np.int8)
    colours = np.random.default_rng(10).integers(0, 256, (3, 40))
    colours[:, 0] = 255
    dataset = make_dataset(index, PhotometricInterpretation="PALETTE COLOR")
    bits = 8 if entries == "8 bits" else 16
    for name, table in zip(("Red", "Green", "Blue"), colours, strict=True):
        keyword = f"{name}PaletteColorLookupTable"
        dataset.add_new(pydicom.tag.Tag(f"{keyword}Descriptor"), "SS", [40, first, bits])
        wide = table << 8 if entries == "16 bits" else table
        data = wide.astype("u1" if bits == 8 else "<u2").tobytes()
        dataset.add_new(pydicom.tag.Tag(f"{keyword}Data"), "OW", data)
    frame = decode_first(write_dataset(tmp_path / "a", dataset))
    expected = colours[:, np.clip(index.astype(int) - first, 0, 39)].transpose(1, 2, 0)
    np.testing.assert_array_equal(frame.values, expected)


def test_a_segmented_palette_is_pydicoms(tmp_path: Path) -> None:
    index = (np.arange(ROWS * COLUMNS) % 256).astype(np.uint8).reshape(ROWS, COLUMNS)
    dataset = make_dataset(index, PhotometricInterpretation="PALETTE COLOR")
    for number, name in enumerate(("Red", "Green", "Blue")):
        keyword = "PaletteColorLookupTable"
        dataset.add_new(pydicom.tag.Tag(f"{name}{keyword}Descriptor"), "US", [256, 0, 16])
        # Discrete, then two linear segments (PS3.3 C.7.9.2).
        words = [0, 2, 0, 500 * number, 1, 100, 65535, 1, 154, 1000]
        data = np.array(words, "<u2").tobytes()
        dataset.add_new(pydicom.tag.Tag(f"Segmented{name}{keyword}Data"), "OW", data)
    path = write_dataset(tmp_path / "a", dataset)
    expected = apply_color_lut(index, pydicom.dcmread(path)) >> 8
    np.testing.assert_array_equal(decode_first(path).values, expected)
