"""Every element of a file as a row: nothing left out, nothing made up, nothing endless."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.dicom_factory import make_dataset, make_dicom, write_dataset
from viewer.dicom import limits
from viewer.dicom.tag_row import TagRow
from viewer.dicom.tags import VALUE_CHARACTERS, read_tags
from viewer.errors import InputError

PIXELS = np.zeros((4, 6), np.uint16)


def row(rows: tuple[TagRow, ...], keyword: str) -> TagRow:
    (found,) = [row for row in rows if row.keyword == keyword]
    return found


def test_rows_say_tag_vr_keyword_and_value(tmp_path: Path) -> None:
    rows = read_tags(make_dicom(tmp_path / "a.dcm", PIXELS), "")
    assert row(rows, "PatientName") == TagRow(0, "(0010,0010)", "PN", "PatientName", "Doe^Jane")
    assert row(rows, "Rows") == TagRow(0, "(0028,0010)", "US", "Rows", "4")
    assert row(rows, "ImagerPixelSpacing").value == "0.14\\0.14"
    assert row(rows, "PixelData") == TagRow(0, "(7FE0,0010)", "OW", "PixelData", "48 bytes")
    syntax = row(rows, "TransferSyntaxUID")
    assert syntax.value == "1.2.840.10008.1.2.1  Explicit VR Little Endian"
    assert [one.tag for one in rows] == sorted(one.tag for one in rows)


def test_sequences_are_trees_item_by_item(tmp_path: Path) -> None:
    inner = Dataset()
    inner.CodeValue = "T-1"
    item = Dataset()
    item.ReferencedSOPInstanceUID = "1.2.3"
    item.PurposeOfReferenceCodeSequence = Sequence([inner])
    dataset = make_dataset(PIXELS, SourceImageSequence=Sequence([item, Dataset()]))
    rows = read_tags(write_dataset(tmp_path / "a.dcm", dataset), "")
    start = rows.index(row(rows, "SourceImageSequence"))
    got = [(one.depth, one.keyword, one.value) for one in rows[start : start + 7]]
    assert got[:6] == [
        (0, "SourceImageSequence", "2 items"),
        (1, "Item 1", ""),
        (2, "ReferencedSOPInstanceUID", "1.2.3"),
        (2, "PurposeOfReferenceCodeSequence", "1 item"),
        (3, "Item 1", ""),
        (4, "CodeValue", "T-1"),
    ]
    assert got[6][:2] == (1, "Item 2")


def test_private_elements_keep_their_names_and_bytes(tmp_path: Path) -> None:
    dataset = make_dataset(PIXELS)
    known = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    known.add_new(0x10, "OB", bytes(range(40)))
    dataset.private_block(0x0031, "NOBODY KNOWS", create=True).add_new(0x01, "LO", "a word")
    rows = read_tags(write_dataset(tmp_path / "a.dcm", dataset), "")
    names = {one.tag: one for one in rows}
    assert names["(0029,0010)"].keyword == "PrivateCreator"
    assert names["(0029,1010)"].keyword == "[CSA Image Header Info]"
    assert names["(0029,1010)"].value == f"{bytes(range(16)).hex(' ').upper()}… (40 bytes)"
    assert (names["(0031,1001)"].keyword, names["(0031,1001)"].value) == ("Private", "a word")


def test_long_values_are_cut_and_say_so(tmp_path: Path) -> None:
    words = make_dataset(PIXELS, ImageComments="x" * 5000, AcquisitionComments="one\r\ntwo")
    words.add_new(0x00281201, "OW", bytes(4096))
    words.add_new(0x00283006, "US", list(range(1000)))
    rows = read_tags(write_dataset(tmp_path / "a.dcm", words), "")
    assert row(rows, "ImageComments").value == f"{'x' * VALUE_CHARACTERS}… (5,000 characters)"
    assert row(rows, "AcquisitionComments").value == "one ⏎ two"
    assert row(rows, "RedPaletteColorLookupTableData").value.endswith("… (4,096 bytes)")
    assert row(rows, "LUTData").value.endswith("… (1,000 values)")


def test_a_damaged_value_is_said_and_the_rest_is_there(tmp_path: Path) -> None:
    path = make_dicom(tmp_path / "a.dcm", PIXELS, SeriesNumber=1234)
    element = b"\x20\x00\x11\x00"
    path.write_bytes(path.read_bytes().replace(element + b"IS", element + b"FD"))  # of 4 bytes
    rows = read_tags(path, "")
    damaged = next(one for one in rows if one.tag == "(0020,0011)")
    assert damaged.value == "This value cannot be read."
    assert row(rows, "Columns").value == "6"


def test_what_is_not_dicom_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("neither here nor there" * 20)
    with pytest.raises(InputError, match="not DICOM"):
        read_tags(tmp_path / "a.txt", "")
    with pytest.raises(InputError, match="no such file"):
        read_tags(tmp_path / "gone.dcm", "")


def test_the_list_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TAG_ROWS", limits.Limit("The number of elements", 10))
    rows = read_tags(make_dicom(tmp_path / "a.dcm", PIXELS), "")
    assert len(rows) == 11
    assert rows[-1].value == "Only the first 10 elements are listed."


def test_every_element_of_the_corpus_is_listed(data_folder: Path) -> None:
    """As many elements as pydicom finds, in every file that pydicom reads."""
    folder = data_folder / "dicom"
    with (folder / "index.csv").open(encoding="utf-8") as table:
        names = [next(iter(line.values())) for line in csv.DictReader(table)]
    compared = 0
    for name in names[::3]:
        path = folder / name
        try:
            whole = pydicom.dcmread(path, stop_before_pixels=True)
            expected = len(whole.file_meta) + sum(1 for _ in whole.iterall())
            kinds = ["PixelData", "FloatPixelData", "DoubleFloatPixelData"]
            pixels = pydicom.dcmread(path, specific_tags=kinds)
            has_pixels = any(kind in pixels for kind in kinds)
            rows = read_tags(path, "")
        except Exception:  # the damaged files have tests of their own
            continue
        if len(rows) <= limits.TAG_ROWS.most:
            assert sum(1 for one in rows if one.tag) == expected + has_pixels, name
            compared += 1
    assert compared > 100
