from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from tests.dicom_factory import make_dicom
from viewer.dicom import voi
from viewer.dicom.model import Frame, Image
from viewer.dicom.pixels import decode
from viewer.dicom.scan import scan
from viewer.errors import InputError

GREY = np.arange(6 * 10, dtype=np.uint8).reshape(6, 10) * 4
DEEP = (np.arange(6 * 10, dtype=np.uint16).reshape(6, 10) * 1000).astype(np.uint16)
COLOUR = np.stack([GREY, GREY[::-1], 255 - GREY], axis=-1)


def open_one(path: Path) -> tuple[Image, Frame]:
    images = [image for update in scan([path]) for image in update.images]
    assert len(images) == 1
    image, frame = images[0], decode(images[0])
    assert frame.values.shape[:2] == (image.rows, image.columns)
    assert frame.is_colour == image.is_colour
    return image, frame


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp", "no_extension.PNG"])
@pytest.mark.parametrize("values", [GREY, COLOUR])
def test_lossless_formats_keep_every_value(
    tmp_path: Path, name: str, values: npt.NDArray[Any]
) -> None:
    PIL.Image.fromarray(values).save(tmp_path / name)
    image, frame = open_one(tmp_path / name)
    np.testing.assert_array_equal(frame.values, values)
    assert image.is_plain
    assert image.study.description == name
    assert image.study.uid == image.uid


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_stay(tmp_path: Path, name: str) -> None:
    cv2.imwrite(str(tmp_path / name), DEEP)
    _, frame = open_one(tmp_path / name)
    assert frame.values.dtype == np.uint16
    np.testing.assert_array_equal(frame.values, DEEP)


def test_sixteen_bit_colour_png(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.stack([DEEP] * 3, axis=-1))
    _, frame = open_one(tmp_path / "grey.png")
    np.testing.assert_array_equal(frame.values, DEEP)
    blue_green_red = np.stack([DEEP, DEEP[::-1], DEEP[:, ::-1]], axis=-1)
    cv2.imwrite(str(tmp_path / "colour.png"), blue_green_red)
    _, frame = open_one(tmp_path / "colour.png")
    np.testing.assert_array_equal(frame.values, (blue_green_red[..., ::-1] >> 8).astype(np.uint8))


def test_big_endian_and_white_is_zero_tiff(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    big_endian = PIL.Image.frombytes("I;16B", (10, 6), DEEP.astype(">u2").tobytes())
    big_endian.save(path)
    np.testing.assert_array_equal(open_one(path)[1].values, DEEP)
    PIL.Image.fromarray(DEEP).save(path, tiffinfo={262: 0})
    np.testing.assert_array_equal(open_one(path)[1].values, 65535 - DEEP)


def test_an_equal_channel_file_is_grey(tmp_path: Path) -> None:
    PIL.Image.fromarray(GREY).convert("RGB").save(tmp_path / "a.png")
    image, frame = open_one(tmp_path / "a.png")
    assert image.samples_per_pixel == 1
    np.testing.assert_array_equal(frame.values, GREY)


def test_palette_and_transparency(tmp_path: Path) -> None:
    PIL.Image.fromarray(GREY).convert("P").save(tmp_path / "grey.png")
    np.testing.assert_array_equal(open_one(tmp_path / "grey.png")[1].values, GREY)
    alpha = np.full(GREY.shape, 255, np.uint8)
    alpha[0] = 0
    rgba = np.dstack([COLOUR, alpha])
    PIL.Image.fromarray(rgba).save(tmp_path / "rgba.png")
    values = open_one(tmp_path / "rgba.png")[1].values
    assert (values[0] == 0).all()
    np.testing.assert_array_equal(values[1:], COLOUR[1:])


def test_one_bit(tmp_path: Path) -> None:
    PIL.Image.fromarray(GREY > 100).save(tmp_path / "a.png")
    np.testing.assert_array_equal(
        open_one(tmp_path / "a.png")[1].values, np.where(GREY > 100, 255, 0)
    )


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
def test_orientation_is_honoured(tmp_path: Path, orientation: int, name: str) -> None:
    turned = {1: 0, 3: 2, 6: 3, 8: 1}[orientation]  # quarter turns, counter-clockwise
    picture = PIL.Image.fromarray(GREY)
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    picture.save(tmp_path / name, exif=exif, **({"quality": 100} if name == "a.jpg" else {}))
    image, frame = open_one(tmp_path / name)
    expected = np.rot90(GREY, turned)
    assert (image.rows, image.columns) == expected.shape
    assert np.abs(frame.values.astype(int) - expected).max() <= 3


def test_pages_of_a_tiff_are_frames(tmp_path: Path) -> None:
    pages = [PIL.Image.fromarray(GREY), PIL.Image.fromarray(DEEP), PIL.Image.fromarray(COLOUR)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    images = [image for update in scan([tmp_path / "a.tif"]) for image in update.images]
    assert [(i.frame_number, i.number_of_frames, i.is_colour) for i in images] == [
        (1, 3, False),
        (2, 3, False),
        (3, 3, True),
    ]
    np.testing.assert_array_equal(decode(images[1]).values, DEEP)


def test_an_eight_bit_picture_is_shown_as_it_is(tmp_path: Path) -> None:
    PIL.Image.fromarray(GREY).save(tmp_path / "a.png")
    frame = open_one(tmp_path / "a.png")[1]
    np.testing.assert_array_equal(voi.picture(frame, voi.default_voi(frame)), GREY)
    assert voi.tone_curve(frame) is None


def test_equal_pixels_have_one_hash(tmp_path: Path) -> None:
    PIL.Image.fromarray(GREY).save(tmp_path / "a.png")
    make_dicom(tmp_path / "b.dcm", GREY)
    make_dicom(tmp_path / "c.dcm", GREY.astype(np.uint16), RescaleIntercept=5, RescaleSlope=2)
    make_dicom(tmp_path / "d.dcm", GREY + np.uint8(1))
    make_dicom(tmp_path / "e.dcm", GREY.reshape(10, 6))
    hashes = {
        name: open_one(tmp_path / name)[1].pixel_sha256
        for name in ("a.png", "b.dcm", "c.dcm", "d.dcm", "e.dcm")
    }
    assert hashes["a.png"] == hashes["b.dcm"] == hashes["c.dcm"]
    assert len(set(hashes.values())) == 3


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jpg"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_file_that_ends_early_is_incomplete(tmp_path: Path, name: str, channels: int) -> None:
    shape = (200, 200) if channels == 1 else (200, 200, 3)
    noise = np.random.default_rng(0).integers(1, 255, shape, dtype=np.uint8)
    path = tmp_path / name
    PIL.Image.fromarray(noise).save(path)
    _, whole = open_one(path)
    assert not whole.incomplete
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    _, frame = open_one(path)
    assert frame.incomplete
    assert frame.notes[0].startswith("Incomplete: ")
    np.testing.assert_array_equal(frame.values[:80], whole.values[:80])
    assert not np.array_equal(frame.values[120:], whole.values[120:])


def test_a_damaged_file_is_refused_at_decoding(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    PIL.Image.fromarray(GREY).save(path)
    data = path.read_bytes()
    content = data.index(b"IDAT") + 4
    path.write_bytes(data[:content] + b"\xff" * 12 + data[content + 12 :])
    image = next(iter(scan([path]))).images[0]
    with pytest.raises(InputError, match="The picture cannot be decoded: "):
        decode(image)


def test_real_radiographs(data_folder: Path) -> None:
    folder = data_folder / "cxr"
    paths = sorted((folder / "images").iterdir())[:5] + sorted((folder / "original").iterdir())[:5]
    for path in paths:
        image, frame = open_one(path)
        assert not image.is_colour
        np.testing.assert_array_equal(frame.values, np.asarray(PIL.Image.open(path).convert("L")))
