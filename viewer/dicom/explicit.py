"""The elements of a plain explicit little endian header, as pydicom reads them, but sooner.

A series is hundreds of headers, and each is read before its picture can be. What is not plain
(implicit, big endian, of undefined length, cut short, with a VR that nobody knows) is left to
pydicom; what is read here is what pydicom would have read, element by element.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from struct import Struct
from typing import cast

from pydicom.dataelem import DataElement, RawDataElement, empty_value_for_VR
from pydicom.tag import BaseTag
from pydicom.valuerep import EXPLICIT_VR_LENGTH_16, EXPLICIT_VR_LENGTH_32

_ELEMENT, _LENGTH = Struct("<HH2sH"), Struct("<L")
_SHORT = {vr.encode(): str(vr) for vr in EXPLICIT_VR_LENGTH_16}
_LONG = {vr.encode(): str(vr) for vr in EXPLICIT_VR_LENGTH_32}
_EMPTY = {
    vr: cast("bytes | None", empty_value_for_VR(vr, raw=True))
    for vr in (*_SHORT.values(), *_LONG.values())
}
_UNDEFINED_LENGTH = 0xFFFFFFFF
_DELIMITERS = 0xFFFE  # group of the marks inside sequences


@dataclass(frozen=True, slots=True)
class Elements:
    """The elements that were kept, by tag, and where the one begins that ended the reading."""

    kept: dict[BaseTag, DataElement | RawDataElement]
    end: int


def read_elements(
    head: bytes, start: int, ends: Container[int], kept_tags: Container[int]
) -> Elements | None:
    """Read the elements from ``start`` on, up to the first whose tag is one of ``ends``.

    Parameters
    ----------
    head : the first bytes of a file.
    kept_tags : what is not in here is passed over.

    Returns
    -------
    None where the elements are not plain, or go on after the end of ``head``.
    """
    kept: dict[BaseTag, DataElement | RawDataElement] = {}
    last = len(head) - 12
    while start <= last:
        group, element, code, length = _ELEMENT.unpack_from(head, start)
        value_start = start + 8
        vr = _SHORT.get(code)
        if vr is None:
            vr = _LONG.get(code)
            if vr is None or group == _DELIMITERS:
                return None
            (length,) = _LENGTH.unpack_from(head, value_start)
            value_start += 4
        tag = group << 16 | element
        if tag in ends:
            return Elements(kept, start)
        if length == _UNDEFINED_LENGTH:
            return None
        start = value_start + length
        if tag in kept_tags:
            if start > len(head):
                return None
            value = head[value_start:start] if length else _EMPTY[vr]
            key = BaseTag(tag)
            kept[key] = RawDataElement(key, vr, length, value, value_start, False, True)
    return None
