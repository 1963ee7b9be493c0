"""All elements of a DICOM file as rows to read: tag, VR, keyword, value."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from viewer.dicom import limits
from viewer.dicom.attributes import raw_value, text
from viewer.dicom.border import refusing
from viewer.dicom.dataset import OpenedDicom, looks_like_dicom, read_dicom, read_meta
from viewer.dicom.source import open_source
from viewer.dicom.tag_row import TagRow
from viewer.errors import InputError

VALUE_CHARACTERS = 1000  # of a value; the rest is cut
_VALUES = 200  # of a numeric element; lookup tables hold 65,536
_BYTES = 16  # of a binary value

_BINARY = {"OB", "OD", "OF", "OL", "OV", "OW", "UN"}
_PARAGRAPHS = {"LT", "ST", "UT"}
_NUMERIC = {"AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"}


def read_tags(path: Path, member: str) -> tuple[TagRow, ...]:
    """Every element up to the pixel data, in the order of the file, sequences item by item.

    Raises
    ------
    InputError
        The file cannot be read, or is no DICOM.
    """
    with refusing("The tags cannot be read"), open_source(path, member) as stream:
        head = stream.read(132)
        stream.seek(0)
        if not looks_like_dicom(head):
            raise InputError("This file is not DICOM: it has no tags.")
        meta = read_meta(stream)
        stream.seek(0)
        opened = read_dicom(stream, whole=True)
        rows = chain(_rows(meta, 0), _rows(opened.dataset, 0), _pixel_row(opened))
        most = limits.TAG_ROWS.most
        found = tuple(islice(rows, most + 1))
    if len(found) > most:
        cut = TagRow(0, "", "", "", f"Only the first {most:,} elements are listed.")
        return (*found[:most], cut)
    return found


def _rows(dataset: Dataset, depth: int) -> Iterator[TagRow]:
    for tag in sorted(dataset.keys()):
        element = _element(dataset, tag)
        name = f"({tag.group:04X},{tag.element:04X})"
        if element is None:
            yield TagRow(depth, name, "", "", "This value cannot be read.")
        elif element.VR == "SQ":
            items = list(element.value or ())
            count = "1 item" if len(items) == 1 else f"{len(items)} items"
            yield TagRow(depth, name, "SQ", _keyword(element), count)
            for number, item in enumerate(items, start=1):
                yield TagRow(depth + 1, "", "", f"Item {number}", "")
                yield from _rows(item, depth + 2)
        else:
            yield TagRow(depth, name, element.VR, _keyword(element), _value(dataset, element))


def _element(dataset: Dataset, tag: BaseTag) -> DataElement | None:
    """The element, or None where its value is damaged."""
    if raw_value(dataset, tag) is None and dataset.get_item(tag).value:
        return None
    return dataset[tag]


def _keyword(element: DataElement) -> str:
    if element.tag.element == 0:
        return "GroupLength"
    if element.tag.is_private_creator:
        return "PrivateCreator"
    if element.tag.is_private:
        return element.name.replace("Private tag data", "Private")
    return element.keyword


def _value(dataset: Dataset, element: DataElement) -> str:
    value = element.value
    if element.VR in _BINARY and isinstance(value, bytes):
        return _bytes_text(value)
    if element.VR in _NUMERIC:
        return _numbers_text(value)
    if element.VR == "UI":
        whole = _uids_text(value)
    elif element.VR in _PARAGRAPHS:
        lines = " ⏎ ".join(str(value or "").splitlines())
        whole = "".join(c for c in lines if c.isprintable())
    else:
        whole = text(dataset, element.tag)
    if len(whole) > VALUE_CHARACTERS:
        return f"{whole[:VALUE_CHARACTERS]}… ({len(whole):,} characters)"
    return whole


def _uids_text(value: Any) -> str:
    """UIDs, and the names of those that the standard names."""
    uids = list(value) if isinstance(value, MultiValue | list) else [value] if value else []
    known = [uid.name for uid in uids if uid.name != uid]
    return "\\".join(uids) + (f"  {', '.join(known)}" if known else "")


def _numbers_text(value: Any) -> str:
    if value is None or value == "":
        return ""
    numbers = list(value) if isinstance(value, MultiValue | list | tuple) else [value]
    shown = "\\".join(str(number) for number in numbers[:_VALUES])
    return f"{shown}… ({len(numbers):,} values)" if len(numbers) > _VALUES else shown


def _bytes_text(value: bytes) -> str:
    shown = value[:_BYTES].hex(" ").upper()
    count = f"{len(value):,} bytes"
    return f"{shown}… ({count})" if len(value) > _BYTES else shown or count


def _pixel_row(opened: OpenedDicom) -> Iterator[TagRow]:
    """What is not read here, named all the same."""
    pixels = opened.pixels
    if pixels is None:
        return
    tag, keyword = {
        32: ("(7FE0,0008)", "FloatPixelData"),
        64: ("(7FE0,0009)", "DoubleFloatPixelData"),
    }.get(pixels.float_bits, ("(7FE0,0010)", "PixelData"))
    size = "compressed" if pixels.length is None else f"{pixels.length:,} bytes"
    yield TagRow(0, tag, pixels.vr, keyword, size)
