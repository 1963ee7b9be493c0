"""Two files of one SOP Instance UID: a copy is opened once, other pixels are never lost."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from pydicom.uid import RLELossless

from tests.dicom_factory import make_compressed, make_dicom
from viewer.dicom import codecs, duplicates, source
from viewer.dicom.model import Earlier, Image, Skipped
from viewer.dicom.pixels import decode
from viewer.dicom.scan import scan

PIXELS = np.arange(64, dtype=np.uint16).reshape(8, 8)
SAME = {"SOPInstanceUID": "1.2.3", "StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.1"}


def read(*paths: Path) -> tuple[list[Image], list[Skipped]]:
    updates = list(scan(paths))
    images = [image for update in updates for image in update.images]
    return images, [skipped for update in updates for skipped in update.skipped]


def test_other_pixels_under_the_same_uid_are_both_shown(tmp_path: Path) -> None:
    make_dicom(tmp_path / "a", PIXELS, **SAME)
    make_dicom(tmp_path / "b", PIXELS[::-1], **SAME)
    images, skipped = read(tmp_path)
    assert skipped == []
    assert [image.uid for image in images] == ["1.2.3", "1.2.3"]
    np.testing.assert_array_equal(decode(images[0]).values, PIXELS)
    np.testing.assert_array_equal(decode(images[1]).values, PIXELS[::-1])


def test_a_compressed_copy_is_shown_too_since_a_scan_decodes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_dicom(tmp_path / "a", PIXELS, **SAME)
    make_compressed(tmp_path / "b", PIXELS, RLELossless, **SAME)
    monkeypatch.setattr(codecs, "decode_frame", lambda *_: pytest.fail("decoded in a scan"))
    images, skipped = read(tmp_path)
    assert len(images) == 2
    assert skipped == []


def test_many_files_of_one_uid_are_each_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        make_dicom(tmp_path / f"{number}", PIXELS + number, **SAME)
    opened: list[Path] = []
    open_source = duplicates.open_source

    def counting(path: Path, member: str) -> BinaryIO:
        opened.append(path)
        return open_source(path, member)

    monkeypatch.setattr(duplicates, "open_source", counting)
    images, _ = read(tmp_path)
    assert len(images) == 40
    assert len(opened) == len(set(opened)) == 40


def test_the_same_bytes_in_another_shape_are_other_pixels(tmp_path: Path) -> None:
    make_dicom(tmp_path / "a", PIXELS, **SAME)
    make_dicom(tmp_path / "b", PIXELS.reshape(4, 16), **SAME)
    assert len(read(tmp_path)[0]) == 2


def test_a_copy_that_is_cut_short_does_not_hide_behind_the_whole_one(tmp_path: Path) -> None:
    path = make_dicom(tmp_path / "b", PIXELS, **SAME)
    (tmp_path / "a").write_bytes(path.read_bytes()[:-40])
    images, skipped = read(tmp_path)
    assert [image.path.name for image in images] == ["a", "b"]
    assert skipped == []


def test_the_third_copy_is_compared_with_each_that_is_shown(tmp_path: Path) -> None:
    make_dicom(tmp_path / "a", PIXELS, **SAME)
    make_dicom(tmp_path / "b", PIXELS[::-1], **SAME)
    make_dicom(tmp_path / "c", PIXELS[::-1], **SAME)
    images, skipped = read(tmp_path)
    assert [image.path.name for image in images] == ["a", "b"]
    assert skipped[0].reason.endswith(f"as {tmp_path / 'b'}.")


def test_a_report_that_comes_twice_is_a_duplicate(tmp_path: Path) -> None:
    report = make_dicom(
        tmp_path / "a", PIXELS, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", PixelData=None
    )
    shutil.copy(report, tmp_path / "b")
    images, skipped = read(tmp_path)
    assert len(images) == 1
    assert "the same content as" in skipped[0].reason


def test_what_was_told_earlier_is_passed_over_and_counts_as_a_first_copy(tmp_path: Path) -> None:
    make_dicom(tmp_path / "a", PIXELS, **SAME)
    (tmp_path / "notes.txt").write_text("no image")
    images, skipped = read(tmp_path)
    shutil.copy(tmp_path / "a", tmp_path / "z")
    earlier = Earlier(tuple(images), frozenset(item.path for item in skipped))

    updates = list(scan([tmp_path], earlier))

    assert [image for update in updates for image in update.images] == []
    assert [Path(s.path).name for update in updates for s in update.skipped] == ["z"]
    assert updates[-1].files_done == updates[-1].files_total == 3


def test_an_archive_member_is_unpacked_once_for_all_its_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = np.arange(3 * 64, dtype=np.uint16).reshape(3, 8, 8)
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.write(make_dicom(tmp_path / "cine.dcm", frames), "cine.dcm")
        out.write(make_dicom(tmp_path / "other.dcm", PIXELS), "other.dcm")
    images, _ = read(archive)
    unpacked: list[str] = []
    unpack = source._unpacked

    def counting(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
        unpacked.append(info.filename)
        return unpack(packed, info)

    monkeypatch.setattr(source, "_unpacked", counting)
    for image, expected in zip(images[:3], frames, strict=True):
        np.testing.assert_array_equal(decode(image).values, expected)
    assert unpacked == ["cine.dcm"]
    np.testing.assert_array_equal(decode(images[3]).values, PIXELS)
    assert unpacked == ["cine.dcm", "other.dcm"]

    archive.unlink()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        path = make_dicom(tmp_path / "o", PIXELS[::-1], SOPInstanceUID=images[3].uid)
        out.write(path, "other.dcm")
        out.writestr("another size", "of the archive")
    np.testing.assert_array_equal(decode(images[3]).values, PIXELS[::-1])
