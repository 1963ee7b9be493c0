from __future__ import annotations

import os
import shutil
import struct
import zipfile
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import MediaStorageDirectoryStorage, generate_uid

from tests.dicom_factory import make_ct_series, make_dataset, make_dicom, write_dataset
from viewer.dicom import limits
from viewer.dicom import scan as scan_module
from viewer.dicom.model import Image, ScanUpdate, Skipped
from viewer.dicom.pixels import decode
from viewer.dicom.scan import scan

PIXELS = np.arange(64, dtype=np.uint16).reshape(8, 8)


def read_all(*paths: Path) -> tuple[list[Image], list[Skipped], ScanUpdate]:
    images: list[Image] = []
    skipped: list[Skipped] = []
    update = None
    for update in scan(paths):
        images += update.images
        skipped += update.skipped
    assert update is not None
    assert update.files_done == update.files_total
    return images, skipped, update


def reason(*paths: Path) -> str:
    images, skipped, _ = read_all(*paths)
    assert images == []
    assert len(skipped) == 1
    return skipped[0].reason


def test_a_folder_is_read_in_natural_order_with_all_that_is_in_it(tmp_path: Path) -> None:
    for name in ("I10.dcm", "I2.dcm", "sub/I1"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        make_dicom(tmp_path / name, PIXELS)
    (tmp_path / "notes.txt").write_text("nothing to see")

    images, skipped, last = read_all(tmp_path)

    assert [image.path.name for image in images] == ["I2.dcm", "I10.dcm", "I1"]
    assert [(Path(s.path).name, s.reason) for s in skipped] == [
        ("notes.txt", "Not a DICOM or image file.")
    ]
    assert last.files_done == 4


def test_several_paths_and_the_same_one_twice(tmp_path: Path) -> None:
    first = make_dicom(tmp_path / "a.dcm", PIXELS)
    second = make_dicom(tmp_path / "b.dcm", PIXELS)

    images, skipped, _ = read_all(first, second, first, tmp_path)

    assert [image.path for image in images] == [first, second]
    assert skipped == []


def test_the_same_instance_in_two_files_is_a_duplicate(tmp_path: Path) -> None:
    first = make_dicom(tmp_path / "a.dcm", PIXELS)
    shutil.copy(first, tmp_path / "b.dcm")

    images, skipped, _ = read_all(tmp_path)

    assert [image.path for image in images] == [first]
    assert skipped[0].path == str(tmp_path / "b.dcm")
    assert skipped[0].reason == (
        f"A duplicate: the same SOP Instance UID and the same pixels as {first}."
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "Empty file."),
        (b"%PDF-1.7 ...", "A PDF document, not an image."),
        (b"\x1f\x8b\x08" + bytes(300), "A gzip file; of archives only zip is opened."),
        (b"plain words, long enough to be read as elements" * 9, "Not a DICOM or image file."),
        (b"BM" + bytes(300), "Not a DICOM or image file."),
        (b"\x89PNG\r\n\x1a\n" + bytes(300), "A damaged PNG file."),
        (bytes(128) + b"DICM", "A DICOM file without a data set."),
    ],
)
def test_what_is_no_image_has_a_true_reason(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "file.dcm"
    path.write_bytes(content)
    assert reason(path) == expected


def test_objects_without_pixels_are_named(tmp_path: Path) -> None:
    raw = make_dicom(
        tmp_path / "raw", PIXELS, SOPClassUID="1.2.840.10008.5.1.4.1.1.66", PixelData=None
    )
    assert reason(raw) == "No pixel data: Raw Data Storage."


def test_a_missing_path_and_an_unreadable_file(tmp_path: Path) -> None:
    assert reason(tmp_path / "none") == "It cannot be read: there is no such file or folder."
    if os.geteuid() == 0:
        return  # root may read everything
    path = make_dicom(tmp_path / "a.dcm", PIXELS)
    path.chmod(0)
    assert reason(path) == "It cannot be read: reading it is not permitted."


def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert reason(tmp_path / "pipe") == "Not a regular file."


def test_a_link_back_ends(tmp_path: Path) -> None:
    make_dicom(tmp_path / "a.dcm", PIXELS)
    (tmp_path / "back").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    images, skipped, _ = read_all(tmp_path)
    assert len(images) == 1
    assert {Path(s.path).name: s.reason for s in skipped} == {
        "back": "A link to a folder that is read already.",
        "self": "It cannot be read: Too many levels of symbolic links.",
    }


@pytest.mark.parametrize(
    "syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"]
)
@pytest.mark.parametrize("form", ["whole", "no preamble", "no meta"])
def test_dicom_with_and_without_preamble_and_meta(tmp_path: Path, syntax: str, form: str) -> None:
    path = make_dicom(tmp_path / "a.dcm", PIXELS, TransferSyntaxUID=syntax)
    data = path.read_bytes()
    if form != "whole":
        data = data[132:]
    if form == "no meta":
        (length,) = struct.unpack("<L", data[8:12])
        data = data[12 + length :]
    path = tmp_path / "image"
    path.write_bytes(data)

    images, skipped, _ = read_all(path)

    assert skipped == []
    np.testing.assert_array_equal(decode(images[0]).values, PIXELS)


def test_a_preamble_may_look_like_another_format(tmp_path: Path) -> None:
    path = make_dicom(tmp_path / "a.dcm", PIXELS)
    data = bytearray(path.read_bytes())
    data[:4] = b"II*\0"
    path.write_bytes(data)
    images, _, _ = read_all(path)
    assert images[0].photometric_interpretation == "MONOCHROME2"


def test_a_zip_is_read_on_demand(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    make_ct_series(folder, slices=3)
    archive = tmp_path / "study.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(folder.iterdir()):
            out.write(path, f"disc/{path.name}")
        out.writestr("readme.txt", "words")
        inner = tmp_path / "inner.zip"
        with zipfile.ZipFile(inner, "w") as nested:
            nested.writestr("a", "b")
        out.write(inner, "inner.zip")
    before = sorted(tmp_path.rglob("*"))

    images, skipped, last = read_all(archive)

    assert [image.member for image in images] == [f"disc/ct_{n:03d}.dcm" for n in (1, 2, 3)]
    assert {image.path for image in images} == {archive}
    assert [(s.path, s.reason) for s in skipped] == [
        (f"{archive} > inner.zip", "An archive inside an archive is not opened."),
        (f"{archive} > readme.txt", "Not a DICOM or image file."),
    ]
    assert last.files_done == 6
    assert decode(images[2]).values[-1, 0] == 20
    assert sorted(tmp_path.rglob("*")) == before


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("secret.dcm", b"1234")
    data = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    archive.write_bytes(data)
    assert reason(archive) == "Encrypted archives are not opened."


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    archive.write_bytes(b"PK\x03\x04" + bytes(100))
    assert reason(archive) == "The archive cannot be read: File is not a zip file."


def test_limits_of_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("bomb", bytes(3_000_000))
    monkeypatch.setattr(limits, "INFLATED_RATIO_FROM_BYTES", 1_000_000)
    assert "above the limit of 200" in reason(archive)
    monkeypatch.setattr(limits, "INFLATED_BYTES", limits.Limit("The unpacked file", 1_000_000))
    assert reason(archive) == "The unpacked file is 3,000,000, above the limit of 1,000,000."
    monkeypatch.setattr(limits, "ARCHIVE_MEMBERS", limits.Limit("The number of files", 0))
    assert reason(archive) == "The number of files is 1, above the limit of 0."


def make_dicomdir(folder: Path, names: list[list[str]]) -> Path:
    directory = Dataset()
    directory.SOPClassUID = MediaStorageDirectoryStorage
    directory.SOPInstanceUID = generate_uid()
    records = []
    for name in names:
        record = Dataset()
        record.DirectoryRecordType = "IMAGE"
        record.RecordInUseFlag = 0xFFFF
        record.ReferencedFileID = name
        records.append(record)
    directory.DirectoryRecordSequence = Sequence(records)
    return write_dataset(folder / "DICOMDIR", directory)


def test_a_dicomdir_opens_what_it_names(tmp_path: Path) -> None:
    disc = tmp_path / "disc"
    (disc / "images").mkdir(parents=True)
    named = make_dicom(disc / "images" / "i1", PIXELS)
    make_dicom(disc / "images" / "other", PIXELS)
    make_dicom(tmp_path / "outside", PIXELS)
    path = make_dicomdir(disc, [["IMAGES", "I1"], ["IMAGES", "GONE"], ["__", "OUTSIDE"]])
    path.write_bytes(path.read_bytes().replace(b"__\\OUTSIDE", b"..\\OUTSIDE"))

    images, skipped, _ = read_all(path)

    assert [image.path for image in images] == [named]
    reason = "Named in the DICOMDIR, but not there."
    assert [(s.path, s.reason) for s in skipped] == [
        (f"{path} > IMAGES/GONE", reason),
        (f"{path} > ../OUTSIDE", reason),
    ]


def test_a_folder_with_a_dicomdir_gives_each_file_once(tmp_path: Path) -> None:
    for name in ("I1", "I2"):
        make_dicom(tmp_path / name, PIXELS)
    path = make_dicomdir(tmp_path, [["I1"]])
    for given in ([tmp_path], [path, tmp_path], [tmp_path, path]):
        images, skipped, _ = read_all(*given)
        assert sorted(image.path.name for image in images) == ["I1", "I2"]
        assert skipped == []


def test_a_dicomdir_that_adds_nothing_says_so(tmp_path: Path) -> None:
    for folder in ("itself", "empty", "incomplete"):
        (tmp_path / folder).mkdir()
    itself = make_dicomdir(tmp_path / "itself", [["DICOMDIR"]])
    assert reason(itself) == "The DICOMDIR names no files."
    empty = make_dicomdir(tmp_path / "empty", [])
    assert reason(empty.parent) == "The DICOMDIR names no files."
    incomplete = make_dicomdir(tmp_path / "incomplete", [["I1"]])
    assert reason(incomplete.parent) == "Named in the DICOMDIR, but not there."


def test_where_there_is_nothing_at_all_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "sub" / "sub").mkdir(parents=True)
    images, skipped, _ = read_all(tmp_path)
    assert images == []
    assert skipped == [Skipped(str(tmp_path), "There is no image in it.")]


def test_the_earlier_of_two_members_of_one_name_is_named(tmp_path: Path) -> None:
    first, second = (make_dicom(tmp_path / name, PIXELS) for name in "ab")
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as out:
        out.write(first, "a.dcm")
        with pytest.warns(UserWarning, match="Duplicate name"):
            out.write(second, "a.dcm")
    images, skipped, _ = read_all(archive)
    assert len(images) == 1
    assert [(s.path, s.reason) for s in skipped] == [
        (
            f"{archive} > a.dcm (earlier)",
            "The archive has a later file of the same name, which is read instead.",
        )
    ]


def test_updates_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_ct_series(tmp_path, slices=6)
    monkeypatch.setattr(scan_module, "_UPDATE_SECONDS", 0.0)
    updates = list(scan([tmp_path]))
    assert [len(update.images) for update in updates] == [1, 1, 1, 1, 1, 1, 0]
    assert [update.files_done for update in updates] == [1, 2, 3, 4, 5, 6, 6]
    assert {update.files_total for update in updates} == {6}


def test_scanning_does_not_read_pixel_data(tmp_path: Path) -> None:
    path = make_dicom(tmp_path / "a.dcm", np.zeros((2000, 2000), np.uint16))
    data = path.read_bytes()
    path.write_bytes(data[:-7_000_000])  # the header stays; most of the pixels are gone
    images, skipped, _ = read_all(path)
    assert len(images) == 1
    assert skipped == []


def test_deep_nesting_costs_one_file(tmp_path: Path) -> None:
    deep = b"".join(
        b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
        for _ in range(20_000)
    )
    good = make_dicom(tmp_path / "b.dcm", PIXELS)
    bad = tmp_path / "a.dcm"
    bad.write_bytes(good.read_bytes()[:400].split(b"\x08\x00\x16\x00UI")[0] + deep)
    images, skipped, _ = read_all(tmp_path)
    assert [image.path for image in images] == [good]
    assert "nested above the limit" in skipped[0].reason


def test_a_large_frame_is_refused_by_its_header(tmp_path: Path) -> None:
    path = make_dicom(tmp_path / "a.dcm", PIXELS, Rows=65535, Columns=65535)
    assert reason(path) == "The frame is 4,295 megapixels, above the limit of 100 megapixels."
    path = make_dicom(tmp_path / "a.dcm", PIXELS, NumberOfFrames=2_000_000_000)
    assert "above the limit of 50,000" in reason(path)


def test_plain_and_dicom_together(tmp_path: Path) -> None:
    PIL.Image.fromarray(PIXELS.astype(np.uint8)).save(tmp_path / "a.png")
    make_dicom(tmp_path / "b.dcm", PIXELS)
    images, _, _ = read_all(tmp_path)
    assert [image.is_plain for image in images] == [True, False]


def test_a_file_without_uids_is_its_own_study(tmp_path: Path) -> None:
    for name, value in (("a", 1), ("b", 2)):
        dataset = make_dataset(PIXELS + value)
        del dataset.StudyInstanceUID, dataset.SeriesInstanceUID
        write_dataset(tmp_path / name, dataset)
    first, _, _ = read_all(tmp_path)
    again, _, _ = read_all(tmp_path)
    assert first == again
    assert len({image.study.uid for image in first}) == 2
    assert len({image.series.uid for image in first}) == 2
