"""Headers that are read sooner give what pydicom and a reading of each by itself give."""

from __future__ import annotations

import io
import os
import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)

from tests.dicom.corpus_oracle import corpus_files, scan_one
from tests.dicom_factory import make_ct_series, make_dicom
from tests.hostile.mutator import mutated
from viewer.dicom import attributes, pixels
from viewer.dicom import dataset as dataset_module
from viewer.dicom.alike import Alike
from viewer.dicom.dataset import read_dicom
from viewer.dicom.model import Frame, Image, Kind
from viewer.dicom.pixel_hash import hash_pixels, with_hash
from viewer.dicom.scan import scan
from viewer.errors import InputError


def said_by(read: Callable[[], Any]) -> object:
    """What a header was read as, or how that ended."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            opened = read()
        except Exception as error:
            return type(error), str(error)
    header = opened.dataset
    return (
        list(header.values()),
        header.original_encoding,
        header.original_character_set,
        opened.transfer_syntax,
        opened.pixels,
    )


def read_both_ways(data: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[object, object, bool]:
    """The header as it is read, as pydicom reads it, and whether the two were different ways."""
    taken: list[bool] = []
    plain = dataset_module._read_plain

    def watched(stream: Any) -> Any:
        opened = plain(stream)
        taken.append(opened is not None)
        return opened

    monkeypatch.setattr(dataset_module, "_read_plain", watched)
    soon = said_by(lambda: read_dicom(io.BytesIO(data)))
    monkeypatch.setattr(dataset_module, "_read_plain", lambda _stream: None)
    whole = said_by(lambda: read_dicom(io.BytesIO(data)))
    monkeypatch.setattr(dataset_module, "_read_plain", plain)
    return soon, whole, any(taken)


def test_every_header_of_the_corpus_is_read_as_pydicom_reads_it(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = data_folder / "dicom"
    sooner = 0
    for name in corpus_files(folder):
        soon, whole, taken = read_both_ways((folder / name).read_bytes(), monkeypatch)
        assert soon == whole, name
        sooner += taken
    assert sooner > 100


def test_every_damaged_header_is_read_as_pydicom_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_dicom(
        tmp_path / "a", np.zeros((4, 6), np.uint16), SpecificCharacterSet="ISO_IR 192", EchoTime="7"
    )
    chance, sooner = random.Random(7), 0
    for _ in range(1500):
        data = mutated(path.read_bytes(), chance)
        soon, whole, taken = read_both_ways(data, monkeypatch)
        assert soon == whole
        sooner += taken
    assert 100 < sooner < 1500


def test_a_header_that_is_not_plain_is_left_to_pydicom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.zeros((4, 6), np.uint16)
    implicit = make_dicom(tmp_path / "a", values, TransferSyntaxUID=ImplicitVRLittleEndian)
    long = make_dicom(tmp_path / "b", values, ICCProfile=bytes(70_000))
    for path in (implicit, long):
        soon, whole, taken = read_both_ways(path.read_bytes(), monkeypatch)
        assert soon == whole
        assert not taken


# --- what is remembered --------------------------------------------------------------------------


def each_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered of a header, and pydicom converts every element of it."""
    monkeypatch.setattr(Alike, "_key", lambda _self, _opened: None)
    monkeypatch.setattr(attributes, "_plain_numbers", lambda _dataset, _key: None)


def decoded(images: Sequence[Image]) -> Iterator[tuple[Image, Frame | str]]:
    for image in images:
        if image.kind is Kind.IMAGE and image.frame_number == 1:
            try:
                yield image, pixels.decode(image)
            except InputError as error:
                yield image, str(error)


def same(one: Frame | str, other: Frame | str) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return (
        np.array_equal(one.values, other.values, equal_nan=one.values.dtype.kind == "f")
        and one.values.dtype == other.values.dtype
        and (one.pixel_sha256, one.unit, one.vois, one.inverted, one.padding, one.notes)
        == (other.pixel_sha256, other.unit, other.vois, other.inverted, other.padding, other.notes)
        and (one.incomplete, one.shift, len(one.overlays), one.palette is None)
        == (other.incomplete, other.shift, len(other.overlays), other.palette is None)
    )


def test_images_and_frames_of_the_corpus_are_as_each_read_by_itself(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = data_folder / "dicom"
    names = [name for name in corpus_files(folder) if (folder / name).stat().st_size < 4 << 20]
    scanned = [scan_one(folder / name)[0] for name in names for _ in range(2)][1::2]
    frames = [list(decoded(images)) for images in scanned]
    each_by_itself(monkeypatch)
    for name, images, found in zip(names, scanned, frames, strict=True):
        assert scan_one(folder / name)[0] == images, name
        unknown = [replace(image, native=None) for image in images]
        for (image, frame), (_, alone) in zip(found, decoded(unknown), strict=True):
            assert same(frame, alone), (name, image.frame_number)
    assert sum(image.native is not None for images in scanned for image in images) > 30


def test_headers_that_differ_in_one_element_are_never_taken_for_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.arange(24, dtype=np.uint16).reshape(4, 6)
    changes: tuple[dict[str, Any], ...] = (
        {},
        {"PatientName": "Roe^Richard"},
        {"RescaleSlope": "2", "RescaleIntercept": "-10"},
        {"RescaleSlope": "1", "RescaleIntercept": "-1024"},
        {"WindowCenter": "7", "WindowWidth": "3"},
        {"PixelPaddingValue": 3},
        {"PhotometricInterpretation": "MONOCHROME1"},
        {"ImagePositionPatient": [1, 2, 3], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]},
        {"ImagePositionPatient": [1, 2, 4], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]},
        {"ImagePositionPatient": [1, 2, 4], "ImageOrientationPatient": [0, 1, 0, 0, 0, -1]},
        {"SOPInstanceUID": None},
        {"StudyInstanceUID": None},
        {"InstanceNumber": 17},
        {"TriggerTime": 20.5},
        {"PixelSpacing": [0.5, 0.25]},
        {"BitsStored": 12, "HighBit": 11},
    )
    for number, change in enumerate(changes):
        make_dicom(tmp_path / f"{number:02}", values + number, **change)
    images = [image for update in scan([tmp_path]) for image in update.images]
    frames = [frame for _, frame in decoded(images)]
    each_by_itself(monkeypatch)
    assert [image for update in scan([tmp_path]) for image in update.images] == images
    assert len(images) == len(changes)
    unknown = [replace(image, native=None) for image in images]
    for frame, (_, alone) in zip(frames, decoded(unknown), strict=True):
        assert same(frame, alone)


def test_the_headers_of_a_series_are_converted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = make_ct_series(tmp_path / "ct", slices=20)
    counted: list[object] = []
    read = Alike._without_own

    def counting(self: Alike[Any], opened: Any) -> Any:
        counted.append(opened)
        return read(self, opened)

    monkeypatch.setattr(Alike, "_without_own", counting)
    images = [image for update in scan(paths) for image in update.images]
    assert len({image.geometry for image in images}) == 20
    assert len({image.uid for image in images}) == 20
    assert len(counted) <= 2, "once for the list, once for the values"
    assert len({id(image.study) for image in images}) == 1, "and crosses to the window once"
    frames = [frame for _, frame in decoded(images)]
    assert len({frame.pixel_sha256 for frame in frames if isinstance(frame, Frame)}) == 20
    assert len(counted) <= 2


# --- where the values lie ------------------------------------------------------------------------


def only(path: Path) -> Image:
    (image,) = (image for update in scan([path]) for image in update.images)
    return image


def test_a_frame_is_decoded_from_where_the_scan_found_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = np.arange(24, dtype=np.uint16).reshape(4, 6)
    image = only(make_dicom(tmp_path / "a", stored, RescaleSlope=1, RescaleIntercept=-7))
    monkeypatch.setattr(pixels, "read_dicom", lambda _: pytest.fail("the header was read again"))
    frame = pixels.decode(image)
    np.testing.assert_array_equal(frame.values, stored.astype(np.int16) - 7)
    assert frame.pixel_sha256 == hash_pixels(stored)


def test_a_file_that_has_changed_since_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a"
    stored = np.arange(24, dtype=np.uint16).reshape(4, 6)
    image = only(make_dicom(path, stored, SOPInstanceUID="1.2.3", ImageComments="long"))
    make_dicom(path, stored + 100, SOPInstanceUID="1.2.3", ImageComments="longer by a bit")
    os.utime(path, ns=(1, 1))
    np.testing.assert_array_equal(pixels.decode(image).values, stored + 100)
    make_dicom(path, stored, SOPInstanceUID="1.2.4")
    os.utime(path, ns=(2, 2))
    with pytest.raises(InputError, match="has changed since"):
        pixels.decode(image)


@pytest.mark.parametrize(
    "elements",
    [
        {"NumberOfFrames": "1"},
        {"TransferSyntaxUID": ExplicitVRBigEndian},
        {"TransferSyntaxUID": DeflatedExplicitVRLittleEndian},
        {"BitsAllocated": 12},
    ],
)
def test_what_needs_its_header_is_not_decoded_without(
    tmp_path: Path, elements: dict[str, Any]
) -> None:
    image = only(make_dicom(tmp_path / "a", np.zeros((4, 6), np.uint16), **elements))
    assert image.native is None


@pytest.mark.parametrize(
    "text",
    "1 -1.5 1.5_ 0012.250000 1e3 _7 +4 1\\2\\-3.25 1\\ x - 1_0 1,5 .5 5. 123456789 -0".split(),
)
def test_numbers_are_pydicoms(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_dicom(tmp_path / "a", np.zeros((4, 6), np.uint16), SliceThickness="0")
    text = text.replace("_", " ")
    padded = (text + " " * (len(text) % 2)).encode()
    element = b"\x18\x00\x50\x00DS" + len(padded).to_bytes(2, "little") + padded
    data = path.read_bytes().replace(b"\x18\x00\x50\x00DS\x02\x000 ", element)
    read: list[object] = []
    for look in (attributes._plain_numbers, lambda _dataset, _key: None):
        monkeypatch.setattr(attributes, "_plain_numbers", look)
        dataset = pydicom.dcmread(io.BytesIO(data))
        assert element in data
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read.append(attributes.numbers(dataset, "SliceThickness"))
    assert read[0] == read[1]


# --- the hash that is left for later -------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "slope", "intercept"),
    [
        ("uint16", 1, 0),
        ("uint16", 1, -1024),
        ("uint16", 1, 40_000),
        ("int16", 1, -1024),
        ("int16", 1, 30_000),
        ("uint8", 1, -3),
        ("uint16", 2, -1024),
        ("uint16", 0.5, 0),
        ("uint16", -1, 7),
        ("uint16", 1, 2.5),
    ],
)
def test_the_hash_is_that_of_the_stored_values_whenever_it_is_computed(
    tmp_path: Path, dtype: str, slope: float, intercept: float
) -> None:
    chance = np.random.default_rng(3)
    bounds = np.iinfo(dtype)
    stored = chance.integers(bounds.min, bounds.max, (6, 8), dtype=dtype, endpoint=True)
    path = make_dicom(tmp_path / "a", stored, RescaleSlope=slope, RescaleIntercept=intercept)
    (image,) = (image for update in scan([path]) for image in update.images)
    later = pixels.decode(image, hashed=False)
    assert (later.pixel_sha256 == "") == (slope == 1 and intercept % 1 == 0)
    assert with_hash(later).pixel_sha256 == hash_pixels(stored)
    assert pixels.decode(image).pixel_sha256 == hash_pixels(stored)
