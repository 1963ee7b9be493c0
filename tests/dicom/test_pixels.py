from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels.processing import convert_color_space
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

from tests.dicom_factory import (
    make_compressed,
    make_ct_series,
    make_dataset,
    make_dicom,
    write_dataset,
)
from viewer.dicom.model import Frame, Image, VoiFunction, VoiTable, VoiWindow
from viewer.dicom.pixels import decode
from viewer.dicom.scan import scan
from viewer.errors import InputError

RAMP = np.arange(16 * 16, dtype=np.uint16).reshape(16, 16)


def open_images(path: Path) -> tuple[Image, ...]:
    updates = list(scan([path]))
    assert [s for update in updates for s in update.skipped] == []
    return tuple(image for update in updates for image in update.images)


def decode_first(path: Path) -> Frame:
    return decode(open_images(path)[0])


def test_ct_is_hounsfield_in_int16(tmp_path: Path) -> None:
    frame = decode_first(make_ct_series(tmp_path, slices=1)[0])
    assert frame.values.dtype == np.int16
    assert frame.values[0, 0] == -1000
    assert frame.values[5, 5] == 0
    assert frame.unit == "HU"
    assert frame.vois == (VoiWindow(40, 400),)


@pytest.mark.parametrize(
    ("dtype", "slope", "intercept", "expected"),
    [
        (np.uint8, 1, 0, np.uint8),
        (np.int16, 1, 0, np.int16),
        (np.uint16, 1, -1024, np.int16),
        (np.uint16, 200, 0, np.uint16),
        (np.uint16, 1000, -5, np.int32),
        (np.uint16, -1, 0, np.int16),
        (np.uint16, 0.5, 0, np.float32),
        (np.uint16, 1, 0.25, np.float32),
        (np.uint16, 0, 7, np.int16),  # a slope of zero counts as none
    ],
)
def test_rescale(
    tmp_path: Path, dtype: type, slope: float, intercept: float, expected: type
) -> None:
    stored = RAMP.astype(dtype)
    path = make_dicom(tmp_path / "a", stored, RescaleSlope=slope, RescaleIntercept=intercept)
    values = decode_first(path).values
    assert values.dtype == expected
    np.testing.assert_array_equal(values, stored.astype(float) * (slope or 1) + intercept)


def test_only_the_stored_bits_count(tmp_path: Path) -> None:
    # 10 bits stored under high bit 11, with rubbish above and below them (PS3.5 8.1.1).
    stored = (RAMP << 2) | 0xF003
    path = make_dicom(tmp_path / "a", stored, BitsStored=10, HighBit=11)
    np.testing.assert_array_equal(decode_first(path).values, RAMP)


def test_the_sign_bit_is_the_highest_stored_one(tmp_path: Path) -> None:
    signed = RAMP.astype(np.int16) - 100
    stored = signed.view(np.uint16) & 0x0FFF
    path = make_dicom(tmp_path / "a", stored, BitsStored=12, HighBit=11, PixelRepresentation=1)
    np.testing.assert_array_equal(decode_first(path).values, signed)


def test_modality_lut_sequence(tmp_path: Path) -> None:
    item = Dataset()
    item.LUTDescriptor = [4, 10, 16]
    item["LUTDescriptor"].VR = "US"
    item.LUTData = np.array([7, 500, 60000, 9], "<u2").tobytes()
    item["LUTData"].VR = "OW"
    item.ModalityLUTType = "OD"
    path = make_dicom(tmp_path / "a", RAMP, ModalityLUTSequence=Sequence([item]))
    frame = decode_first(path)
    expected = np.array([7, 500, 60000, 9])[np.clip(RAMP.astype(int) - 10, 0, 3)]
    np.testing.assert_array_equal(frame.values, expected)
    assert frame.unit == "OD"


def test_voi_tables_come_before_windows_and_all_are_kept(tmp_path: Path) -> None:
    item = Dataset()
    item.LUTDescriptor = [3, 0, 12]
    item["LUTDescriptor"].VR = "US"
    item.LUTData = np.array([0, 2000, 4095], "<u2").tobytes()
    item["LUTData"].VR = "OW"
    item.LUTExplanation = "BONE"
    path = make_dicom(
        tmp_path / "a",
        RAMP,
        VOILUTSequence=Sequence([item]),
        VOILUTFunction="SIGMOID",
        WindowCenter=[50, 60, 70],
        WindowWidth=[100, 0, 300],
        WindowCenterWidthExplanation=["NORMAL", "BROKEN", "WIDE"],
    )
    assert decode_first(path).vois == (
        VoiTable(0, (0, 2000, 4095), 12, "BONE"),
        VoiWindow(50, 100, VoiFunction.SIGMOID, "NORMAL"),
        VoiWindow(70, 300, VoiFunction.SIGMOID, "WIDE"),
    )


def test_a_voi_table_has_the_bits_that_its_entries_need(tmp_path: Path) -> None:
    item = Dataset()
    item.LUTDescriptor = [2, 0, 8]
    item["LUTDescriptor"].VR = "US"
    item.LUTData = np.array([0, 4095], "<u2").tobytes()
    item["LUTData"].VR = "OW"
    path = make_dicom(tmp_path / "a", RAMP, VOILUTSequence=Sequence([item]))
    assert decode_first(path).vois == (VoiTable(0, (0, 4095), 12),)


def test_a_damaged_voi_table_does_not_hide_the_picture(tmp_path: Path) -> None:
    item = Dataset()
    item.LUTDescriptor = [300, 0, 12]
    item["LUTDescriptor"].VR = "US"
    item.LUTData = b"\0\0"
    item["LUTData"].VR = "OW"
    path = make_dicom(tmp_path / "a", RAMP, VOILUTSequence=Sequence([item]))
    assert decode_first(path).vois == ()


def test_padding_is_in_modality_values(tmp_path: Path) -> None:
    path = make_dicom(
        tmp_path / "a",
        RAMP.astype(np.int16),
        PixelPaddingValue=-2000,
        PixelPaddingRangeLimit=-1990,
        RescaleSlope=2,
        RescaleIntercept=-1024,
    )
    assert decode_first(path).padding == (-5024.0, -5004.0)


def test_monochrome1_is_flagged_and_not_inverted(tmp_path: Path) -> None:
    frame = decode_first(make_dicom(tmp_path / "a", RAMP, PhotometricInterpretation="MONOCHROME1"))
    assert frame.inverted
    np.testing.assert_array_equal(frame.values, RAMP)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_lossless_syntaxes_give_every_value(tmp_path: Path, syntax: Any, dtype: type) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (3, 70, 66)).astype(dtype)
    if dtype is np.int16:
        pixels -= 100
    path = make_compressed(tmp_path / "a", pixels, syntax)
    images = open_images(path)
    assert [image.frame_number for image in images] == [1, 2, 3]
    for image, expected in zip(images, pixels, strict=True):
        np.testing.assert_array_equal(decode(image).values, expected)


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
def test_colour(tmp_path: Path, planar: int, photometric: str) -> None:
    rgb = np.random.default_rng(2).integers(0, 256, (12, 10, 3)).astype(np.uint8)
    stored = rgb if photometric == "RGB" else convert_color_space(rgb, "RGB", "YBR_FULL")
    data = stored.transpose(2, 0, 1) if planar else stored
    path = make_dicom(
        tmp_path / "a",
        rgb,
        PlanarConfiguration=planar,
        PhotometricInterpretation=photometric,
        PixelData=np.ascontiguousarray(data).tobytes(),
    )
    image, frame = open_images(path)[0], decode_first(path)
    assert image.is_colour
    assert frame.values.dtype == np.uint8
    limit = 0 if photometric == "RGB" else 2  # rounding there and back
    assert np.abs(frame.values.astype(int) - rgb).max() <= limit


def test_palette(tmp_path: Path) -> None:
    elements: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    tables = np.random.default_rng(3).integers(0, 65536, (3, 200)).astype("<u2")
    for colour, table in zip(("Red", "Green", "Blue"), tables, strict=True):
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [200, 10, 16]
        elements[f"{colour}PaletteColorLookupTableData"] = table.tobytes()
    stored = RAMP.astype(np.uint8)
    dataset = make_dataset(stored, **elements)
    for colour in ("Red", "Green", "Blue"):
        dataset[f"{colour}PaletteColorLookupTableDescriptor"].VR = "US"
    path = write_dataset(tmp_path / "a", dataset)
    index = np.clip(stored.astype(int) - 10, 0, 199)
    expected = (tables[:, index] >> 8).transpose(1, 2, 0)
    np.testing.assert_array_equal(decode_first(path).values, expected)
    assert open_images(path)[0].is_colour


def test_one_bit_frames_start_inside_a_byte(tmp_path: Path) -> None:
    bits = np.random.default_rng(4).integers(0, 2, (3, 5, 7)).astype(np.uint8)
    data = np.packbits(bits.ravel(), bitorder="little").tobytes()
    path = make_dicom(
        tmp_path / "a", bits, PixelData=data, BitsAllocated=1, BitsStored=1, HighBit=0
    )
    for image, expected in zip(open_images(path), bits, strict=True):
        np.testing.assert_array_equal(decode(image).values, expected)


def test_float_pixel_data(tmp_path: Path) -> None:
    values = np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8)
    dataset = make_dataset(values, FloatPixelData=values.tobytes())
    del dataset.PixelData, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation
    frame = decode_first(write_dataset(tmp_path / "a", dataset))
    assert frame.values.dtype == np.float32
    np.testing.assert_array_equal(frame.values, values)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("vr", ["OB", "OW"])
def test_big_endian(tmp_path: Path, dtype: type, vr: str) -> None:
    pixels = RAMP[:5, :5].astype(dtype)
    dataset = make_dataset(pixels)
    data = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    swap = dtype is np.uint16 or vr == "OW"
    dataset.PixelData = np.frombuffer(data, "u2").byteswap().tobytes() if swap else data
    dataset["PixelData"].VR = vr
    path = write_dataset(tmp_path / "a", dataset, ExplicitVRBigEndian)
    np.testing.assert_array_equal(decode_first(path).values, pixels)


def functional_group(**macros: dict[str, Any]) -> Dataset:
    group = Dataset()
    for name, elements in macros.items():
        item = Dataset()
        for keyword, value in elements.items():
            setattr(item, keyword, value)
        setattr(group, name, Sequence([item]))
    return group


def test_enhanced_frames_have_their_own_attributes(tmp_path: Path) -> None:
    pixels = np.stack([RAMP, RAMP])
    shared = functional_group(
        PixelMeasuresSequence={"PixelSpacing": [0.5, 0.6]},
        PlaneOrientationSequence={"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]},
        FrameVOILUTSequence={"WindowCenter": 5, "WindowWidth": 50},
    )
    frames = [
        functional_group(
            PlanePositionSequence={"ImagePositionPatient": [0, 0, 3 * n]},
            PixelValueTransformationSequence={
                "RescaleSlope": n + 1,
                "RescaleIntercept": -10,
                "RescaleType": "US",
            },
        )
        for n in range(2)
    ]
    path = make_dicom(
        tmp_path / "a",
        pixels,
        ImagerPixelSpacing=None,
        SharedFunctionalGroupsSequence=Sequence([shared]),
        PerFrameFunctionalGroupsSequence=Sequence(frames),
    )
    images = open_images(path)
    assert [i.geometry.position for i in images if i.geometry] == [(0, 0, 0), (0, 0, 3)]
    assert {(i.spacing.row, i.spacing.column) for i in images} == {(0.5, 0.6)}
    second = decode(images[1])
    np.testing.assert_array_equal(second.values, RAMP.astype(int) * 2 - 10)
    assert second.vois == (VoiWindow(5, 50),)


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        decode_first(path)
    return str(caught.value)


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless])
def test_a_forged_codestream_is_refused(tmp_path: Path, syntax: Any) -> None:
    pixels = np.random.default_rng(5).integers(0, 4096, (64, 64)).astype(np.uint16)
    whole = make_compressed(tmp_path / "a", pixels, syntax, BitsStored=12, HighBit=11)
    data = whole.read_bytes()
    if syntax == JPEGLSLossless:
        forged = data.replace(b"\x00\x40\x00\x40", b"\x00\x40\xff\x40", 1)
    else:
        size = data.index(b"\xff\x4f\xff\x51") + 8
        forged = data[:size] + b"\x00\x00\xff\x40" + data[size + 4 :]
    assert forged != data
    whole.write_bytes(forged)
    assert refusal(whole) == ("The compressed frame is 65344 x 64 pixels, the header says 64 x 64.")


def test_an_unknown_transfer_syntax_is_named(tmp_path: Path) -> None:
    path = make_compressed(tmp_path / "a", RAMP, RLELossless)
    data = path.read_bytes().replace(b"1.2.840.10008.1.2.5\0", b"1.2.840.10008.1.2.9\0")
    path.write_bytes(data)
    assert "transfer syntax" in refusal(path)


def test_a_vanished_file(tmp_path: Path) -> None:
    path = make_dicom(tmp_path / "a", RAMP)
    image = open_images(path)[0]
    path.unlink()
    with pytest.raises(InputError, match="no such file or folder"):
        decode(image)


def test_a_file_that_changed_meanwhile(tmp_path: Path) -> None:
    path = make_dicom(tmp_path / "a", RAMP)
    image = open_images(path)[0]
    make_dicom(path, RAMP[:8])
    with pytest.raises(InputError, match="has changed since"):
        decode(image)
