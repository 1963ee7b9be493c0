"""Every form of stored grey values: bits, signs, syntaxes, functional groups."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    HTJ2K,
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from tests.dicom.stored_forms import (
    COLUMNS,
    NATIVE,
    ROWS,
    decode_first,
    images_of,
    write_encapsulated,
)
from tests.dicom_factory import make_compressed, make_dataset, make_dicom, write_dataset
from viewer.dicom import voi
from viewer.dicom.model import Spacing, SpacingSource, VoiFunction, VoiWindow
from viewer.dicom.pixels import decode
from viewer.errors import InputError


def values_of(bits: int, signed: bool) -> npt.NDArray[Any]:
    """Random values that reach both ends of the range, in the container of their width."""
    width = 8 if bits <= 8 else 16
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    values = np.random.default_rng(bits).integers(low, high, (ROWS, COLUMNS), endpoint=True)
    values[0, :2] = low, high
    return values.astype(f"{'i' if signed else 'u'}{width // 8}")


def stored_form(values: npt.NDArray[Any], bits: int) -> npt.NDArray[Any]:
    """As a file holds them: the bits above the sign cleared."""
    unsigned = values.view(f"u{values.dtype.itemsize}")
    return (unsigned & (2**bits - 1)).astype(unsigned.dtype)


def elements_of(bits: int, signed: bool) -> dict[str, Any]:
    return {"BitsStored": bits, "HighBit": bits - 1, "PixelRepresentation": int(signed)}


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", range(2, 17))
@pytest.mark.parametrize("syntax", NATIVE)
def test_native_values_of_every_width(tmp_path: Path, syntax: UID, bits: int, signed: bool) -> None:
    values = values_of(bits, signed)
    path = make_dicom(
        tmp_path / "a",
        stored_form(values, bits),
        TransferSyntaxUID=syntax,
        **elements_of(bits, signed),
    )
    np.testing.assert_array_equal(decode_first(path).values, values)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [2, 7, 8, 9, 10, 12, 13, 15, 16])
@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_compressed_values_of_every_width(
    tmp_path: Path, syntax: UID, bits: int, signed: bool
) -> None:
    values = values_of(bits, signed)
    path = make_compressed(tmp_path / "a", values, syntax, **elements_of(bits, signed))
    np.testing.assert_array_equal(decode_first(path).values, values)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [8, 10, 12, 15, 16])
@pytest.mark.parametrize("syntax", [JPEGLossless, JPEGLosslessSV1])
def test_lossless_jpeg_of_every_width(tmp_path: Path, syntax: UID, bits: int, signed: bool) -> None:
    values = values_of(bits, signed)
    data = imagecodecs.ljpeg_encode(stored_form(values, bits), bitspersample=bits)
    path = write_encapsulated(tmp_path / "a", values, syntax, data, **elements_of(bits, signed))
    np.testing.assert_array_equal(decode_first(path).values, values)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("syntax", [HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K])
def test_high_throughput_jpeg_2000(tmp_path: Path, syntax: UID, bits: int, signed: bool) -> None:
    """Encoded by OpenJPH, which has no code in common with the decoder."""
    values = values_of(bits, signed)
    data = imagecodecs.htj2k_encode(values)
    path = write_encapsulated(tmp_path / "a", values, syntax, data, **elements_of(bits, signed))
    np.testing.assert_array_equal(decode_first(path).values, values)


def test_extended_jpeg_has_all_of_its_12_bits(tmp_path: Path) -> None:
    smooth = np.linspace(0, 4095, 64 * 64).reshape(64, 64).astype(np.uint16)
    data = imagecodecs.jpeg8_encode(smooth, level=100, bitspersample=12)
    path = write_encapsulated(
        tmp_path / "a", smooth, JPEGExtended12Bit, data, BitsStored=12, HighBit=11
    )
    values = decode_first(path).values
    assert np.abs(values.astype(int) - smooth).max() <= 2
    assert len(np.unique(values)) > 1000


def declare(path: Path, written: UID, declared: UID) -> None:
    """Write another transfer syntax over the one in the meta information."""
    data = path.read_bytes()
    path.write_bytes(data.replace(written.encode(), declared.encode().ljust(len(written), b"\0")))


@pytest.mark.parametrize(
    "declared", [ExplicitVRLittleEndian, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSLossless]
)
def test_the_stream_wins_over_a_wrong_transfer_syntax(tmp_path: Path, declared: UID) -> None:
    values = values_of(12, False)
    data = imagecodecs.ljpeg_encode(values, bitspersample=12)
    path = write_encapsulated(
        tmp_path / "a", values, JPEGLosslessSV1, data, **elements_of(12, False)
    )
    declare(path, JPEGLosslessSV1, declared)
    np.testing.assert_array_equal(decode_first(path).values, values)
    other = make_compressed(tmp_path / "b", values, JPEGLSLossless, **elements_of(12, False))
    declare(other, JPEGLSLossless, declared)
    np.testing.assert_array_equal(decode_first(other).values, values)


def test_fragments_of_no_known_stream_are_refused(tmp_path: Path) -> None:
    values = values_of(12, False)
    path = make_compressed(tmp_path / "a", values, RLELossless, **elements_of(12, False))
    declare(path, RLELossless, ExplicitVRLittleEndian)
    with pytest.raises(InputError, match="compressed, against the transfer syntax Explicit VR"):
        decode_first(path)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_integers_of_32_bits(tmp_path: Path, syntax: UID, signed: bool) -> None:
    values = np.array([[0, 1, 70000, 2**31 - 1]], np.int32 if signed else np.uint32)
    if signed:
        values[0, 0] = -(2**31)
    path = make_dicom(tmp_path / "a", values, TransferSyntaxUID=syntax)
    np.testing.assert_array_equal(decode_first(path).values, values)
    scaled = make_dicom(tmp_path / "b", values, RescaleSlope=0.5, RescaleIntercept=3)
    found = decode_first(scaled).values
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, values * 0.5 + 3, rtol=1e-6)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_double_float_pixel_data(tmp_path: Path, syntax: UID) -> None:
    values = np.linspace(-1e6, 1e6, 64).reshape(8, 8)
    values[0, 0] = np.nan
    dataset = make_dataset(np.zeros((8, 8), np.uint8))
    for keyword in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(dataset, keyword)
    dataset.BitsAllocated = 64
    dataset.DoubleFloatPixelData = values.tobytes()
    frame = decode_first(write_dataset(tmp_path / "a", dataset, syntax))
    np.testing.assert_array_equal(frame.values, values.astype(np.float32))
    picture = voi.picture(frame, voi.default_voi(frame))
    assert (picture[0, 0], picture[-1, -1]) == (0, 255)  # not a number is black


@pytest.mark.parametrize(
    ("image_type", "rescale_type", "unit"),
    [
        (["ORIGINAL", "PRIMARY", "AXIAL"], None, "HU"),
        (["ORIGINAL", "PRIMARY", "AXIAL"], "US", "HU"),
        (["DERIVED", "PRIMARY", "AXIAL"], None, "HU"),
        (["DERIVED", "SECONDARY", "MPR"], "HU", "HU"),
        (["DERIVED", "PRIMARY", "PERFUSION", "RCBF"], "US", ""),
    ],
)
def test_what_the_values_of_a_ct_are(
    tmp_path: Path, image_type: list[str], rescale_type: str | None, unit: str
) -> None:
    path = make_dicom(
        tmp_path / "a",
        values_of(12, False),
        Modality="CT",
        ImageType=image_type,
        RescaleSlope=1,
        RescaleIntercept=-1024,
        RescaleType=rescale_type,
    )
    assert decode_first(path).unit == unit


@pytest.mark.parametrize(("kind", "dtype"), [("Float", np.float32), ("DoubleFloat", np.float64)])
def test_padding_of_float_pixel_data(tmp_path: Path, kind: str, dtype: type) -> None:
    values = np.linspace(0, 1, 64).reshape(8, 8).astype(dtype)
    values[0] = -1000.5
    dataset = make_dataset(np.zeros((8, 8), np.uint8), RescaleSlope=2, RescaleIntercept=1)
    for keyword in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(dataset, keyword)
    dataset.BitsAllocated = 8 * values.itemsize
    setattr(dataset, f"{kind}PixelData", values.tobytes())
    setattr(dataset, f"{kind}PixelPaddingValue", -1000.5)
    frame = decode_first(write_dataset(tmp_path / "a", dataset))
    assert frame.padding == (-2000.0, -2000.0)
    assert voi.auto_window(frame).width < 3  # the padding is no part of it


# --- functional groups ---------------------------------------------------------------------------


def group_of(**macros: dict[str, Any]) -> Dataset:
    group = Dataset()
    for name, elements in macros.items():
        item = Dataset()
        for keyword, value in elements.items():
            setattr(item, keyword, value)
        setattr(group, name, Sequence([item]))
    return group


WINDOWS: tuple[tuple[dict[str, Any], tuple[VoiWindow, ...]], ...] = (
    (
        {"WindowCenter": [40, 300], "WindowWidth": [400, 1500]},
        (VoiWindow(40, 400), VoiWindow(300, 1500)),
    ),
    (
        {"WindowCenter": 10, "WindowWidth": 20, "VOILUTFunction": "SIGMOID"},
        (VoiWindow(10, 20, VoiFunction.SIGMOID),),
    ),
    (
        {"WindowCenter": 0.5, "WindowWidth": 1, "VOILUTFunction": "LINEAR_EXACT"},
        (VoiWindow(0.5, 1, VoiFunction.LINEAR_EXACT),),
    ),
)


@pytest.mark.parametrize(
    "write",
    [
        lambda path, pixels, more: make_dicom(path, pixels, **more),
        lambda path, pixels, more: make_compressed(path, pixels, RLELossless, **more),
    ],
)
def test_every_frame_has_its_own_rescale_window_place_and_spacing(
    tmp_path: Path, write: Callable[[Path, npt.NDArray[Any], dict[str, Any]], Path]
) -> None:
    pixels = np.arange(3 * ROWS * COLUMNS, dtype=np.uint16).reshape(3, ROWS, COLUMNS)
    turned = ([1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1], [1, 0, 0, 0, 0, -1])
    frames = [
        group_of(
            PlanePositionSequence={"ImagePositionPatient": [n, 2 * n, 3 * n]},
            PlaneOrientationSequence={"ImageOrientationPatient": turned[n]},
            PixelMeasuresSequence={"PixelSpacing": [0.5 + n, 0.25 + n]},
            PixelValueTransformationSequence={
                "RescaleSlope": 0.5 * (n + 1),
                "RescaleIntercept": -n,
                "RescaleType": "US",
            },
            FrameVOILUTSequence=WINDOWS[n][0],
        )
        for n in range(3)
    ]
    # What stands at the top level is not for frames that have their own.
    more = {
        "PerFrameFunctionalGroupsSequence": Sequence(frames),
        "WindowCenter": 999,
        "WindowWidth": 999,
        "RescaleSlope": 99,
        "RescaleIntercept": 99,
    }
    images = images_of(write(tmp_path / "a", pixels, more))
    for n, image in enumerate(images):
        frame = decode(image)
        np.testing.assert_allclose(frame.values, pixels[n] * 0.5 * (n + 1) - n)
        assert frame.vois == WINDOWS[n][1]
        assert image.spacing.row == 0.5 + n
        assert image.spacing.column == 0.25 + n
        assert image.spacing.source is SpacingSource.PIXEL_SPACING
        assert image.geometry is not None
        assert image.geometry.position == (n, 2 * n, 3 * n)
        assert image.geometry.row_direction == tuple(turned[n][:3])
        assert image.geometry.column_direction == tuple(turned[n][3:])
    assert len(images) == 3
    assert Spacing() not in {image.spacing for image in images}
