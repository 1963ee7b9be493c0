"""DICOM overlay planes (PS3.3 C.9.2), against pydicom's own reading of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from tests.dicom_factory import make_compressed, make_dataset, write_dataset
from viewer.dicom.model import Frame
from viewer.dicom.pixels import decode
from viewer.dicom.scan import scan

PIXELS = np.arange(12 * 10, dtype=np.uint16).reshape(12, 10) + 100
MARKED = np.random.default_rng(4).random((5, 7)) < 0.5


def decode_all(path: Path) -> list[Frame]:
    updates = list(scan([path]))
    return [decode(image) for update in updates for image in update.images]


def packed(marked: npt.NDArray[np.bool_]) -> bytes:
    data = np.packbits(marked.ravel(), bitorder="little").tobytes()
    return data + b"\0" * (len(data) % 2)


def add_plane(
    dataset: Dataset, marked: npt.NDArray[np.bool_], group: int = 0x6000, **more: Any
) -> None:
    """``more`` by hexadecimal element: e0050=[3, 4]."""
    rows, columns = marked.shape[-2:]
    elements: dict[int, tuple[str, Any]] = {
        0x0010: ("US", rows),
        0x0011: ("US", columns),
        0x0040: ("CS", "G"),
        0x0050: ("SS", [1, 1]),
        0x0100: ("US", 1),
        0x0102: ("US", 0),
        0x3000: ("OW", packed(marked)),
    }
    vrs = {0x0015: "IS", 0x0022: "LO", 0x0051: "US", 0x1500: "LO"}
    for name, value in more.items():
        element = int(name[1:], 16)
        elements[element] = (vrs[element] if element in vrs else elements[element][0], value)
    for element, (vr, value) in elements.items():
        if value is not None:
            dataset.add_new((group, element), vr, value)


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_planes_come_with_origin_kind_and_words(tmp_path: Path, syntax: UID) -> None:
    dataset = make_dataset(PIXELS)
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = PIXELS.astype(">u2").tobytes()
    data = packed(MARKED)
    if syntax == ExplicitVRBigEndian:
        data = np.frombuffer(data, "<u2").astype(">u2").tobytes()
    add_plane(dataset, MARKED, e0050=[3, -1], e0022="Tumour outline", e1500="T1", e3000=data)
    add_plane(
        dataset,
        ~MARKED,
        0x6002,
        e0040="R",
        e3000=packed(~MARKED)
        if data == packed(MARKED)
        else np.frombuffer(packed(~MARKED), "<u2").astype(">u2").tobytes(),
    )
    (frame,) = decode_all(write_dataset(tmp_path / "a", dataset, syntax))
    first, second = frame.overlays
    np.testing.assert_array_equal(first.plane, MARKED)
    assert first.plane.dtype == np.bool_
    assert (first.row, first.column) == (2, -2)
    assert (first.kind, first.label, first.description) == ("G", "T1", "Tumour outline")
    np.testing.assert_array_equal(second.plane, ~MARKED)
    assert (second.row, second.column, second.kind) == (0, 0, "R")
    np.testing.assert_array_equal(frame.values, PIXELS)
    assert frame.notes == ()


def test_a_plane_of_the_whole_picture_is_pydicoms(tmp_path: Path) -> None:
    dataset = make_dataset(PIXELS)
    add_plane(dataset, PIXELS % 3 == 0)
    path = write_dataset(tmp_path / "a", dataset)
    expected = pydicom.dcmread(path).overlay_array(0x6000)
    np.testing.assert_array_equal(decode_all(path)[0].overlays[0].plane, expected)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("position", [12, 15])
def test_unused_high_bits_of_the_pixels(tmp_path: Path, position: int, compressed: bool) -> None:
    marked = PIXELS % 5 == 0
    pixels = PIXELS | (marked.astype(np.uint16) << position)
    dataset = make_dataset(pixels, BitsStored=12, HighBit=11)
    add_plane(dataset, marked, e0100=16, e0102=position, e3000=None)
    if compressed:
        path = make_compressed(tmp_path / "a", pixels, RLELossless, BitsStored=12, HighBit=11)
        copied = pydicom.dcmread(path)
        add_plane(copied, marked, e0100=16, e0102=position, e3000=None)
        copied.save_as(path)
    else:
        path = write_dataset(tmp_path / "a", dataset)
    (frame,) = decode_all(path)
    (plane,) = frame.overlays
    np.testing.assert_array_equal(plane.plane, marked)
    np.testing.assert_array_equal(frame.values, PIXELS)  # the bit is no part of the value


def test_a_bit_of_the_value_is_no_overlay(tmp_path: Path) -> None:
    dataset = make_dataset(PIXELS, BitsStored=12, HighBit=11)
    add_plane(dataset, MARKED, e0100=1, e0102=0, e3000=None)
    (frame,) = decode_all(write_dataset(tmp_path / "a", dataset))
    assert frame.overlays == ()
    assert frame.notes == ()


def test_each_frame_of_a_multi_frame_overlay_lies_on_its_own_image_frame(tmp_path: Path) -> None:
    frames = np.stack([PIXELS, PIXELS + 1, PIXELS + 2, PIXELS + 3])
    marked = np.random.default_rng(6).random((2, 5, 7)) < 0.5  # 70 bits: the second starts at 35
    dataset = make_dataset(frames)
    add_plane(dataset, marked, e0015="2", e0051=2)
    found = [frame.overlays for frame in decode_all(write_dataset(tmp_path / "a", dataset))]
    assert [len(planes) for planes in found] == [0, 1, 1, 0]
    np.testing.assert_array_equal(found[1][0].plane, marked[0])
    np.testing.assert_array_equal(found[2][0].plane, marked[1])


def test_a_single_overlay_lies_on_every_frame(tmp_path: Path) -> None:
    dataset = make_dataset(np.stack([PIXELS, PIXELS]))
    add_plane(dataset, MARKED)
    found = decode_all(write_dataset(tmp_path / "a", dataset))
    assert [len(frame.overlays) for frame in found] == [1, 1]


def test_colour_pictures_have_overlays_too(tmp_path: Path) -> None:
    dataset = make_dataset(np.zeros((12, 10, 3), np.uint8))
    add_plane(dataset, MARKED)
    (frame,) = decode_all(write_dataset(tmp_path / "a", dataset))
    np.testing.assert_array_equal(frame.overlays[0].plane, MARKED)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"e3000": b"\1\2"}, "cut short"),
        ({"e0010": 0}, "no valid rows and columns"),
        ({"e0010": 60000, "e0011": 60000}, "above the limit"),
    ],
)
def test_a_damaged_plane_is_said_and_the_picture_shown(
    tmp_path: Path, more: dict[str, Any], words: str
) -> None:
    dataset = make_dataset(PIXELS)
    add_plane(dataset, MARKED, **more)
    add_plane(dataset, MARKED, 0x6004)
    (frame,) = decode_all(write_dataset(tmp_path / "a", dataset))
    np.testing.assert_array_equal(frame.values, PIXELS)
    assert len(frame.overlays) == 1
    (note,) = frame.notes
    assert note.startswith("An overlay plane of the file is not shown: ")
    assert words in note


def test_the_overlay_of_a_real_file(data_folder: Path) -> None:
    path = data_folder / "dicom/lut_overlay_gsps/MR-SIEMENS-DICOM-WithOverlays.dcm"
    (frame,) = decode_all(path)
    (plane,) = frame.overlays
    np.testing.assert_array_equal(plane.plane, pydicom.dcmread(path).overlay_array(0x6000))
    assert plane.plane.sum() == 323
    assert plane.description == "Siemens MedCom Object Graphics"
