"""Reads single attributes of a data set that may break every rule of PS3.5."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable
from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag
from pydicom.valuerep import PersonName

# What converting one damaged value raises in pydicom. A damaged value of an optional attribute
# counts as absent; what an image cannot do without is checked by its reader.
_DAMAGED = (
    ValueError,
    TypeError,
    AttributeError,
    KeyError,
    OverflowError,
    NotImplementedError,
    LookupError,
    struct.error,
    BytesLengthException,
)


# What pydicom leaves of code extensions in some Chinese names (PS3.5 6.1.2.5.3).
_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\$[()*+,\-./]?|[()*+,\-./])[@-~]")

# Numbers that nobody reads in two ways; at most 16 and 12 characters.
_PLAIN_FORMS = {
    "DS": re.compile(rb"-?\d{1,8}(?:\.\d{1,6})? ?(?:\\-?\d{1,8}(?:\.\d{1,6})? ?)*"),
    "IS": re.compile(rb"\d{1,9} ?"),
}

Key = str | BaseTag
"""A DICOM keyword, or a tag for elements of repeating groups, which have no keyword."""


def raw_value(dataset: Dataset, key: Key) -> Any:
    """The value of an element, or None where it is absent, empty or damaged."""
    try:
        found = dataset.get(key)
        return found.value if isinstance(found, DataElement) else found
    except _DAMAGED:
        return None


def text(dataset: Dataset, key: Key) -> str:
    value = raw_value(dataset, key)
    if value is None:
        return ""
    if isinstance(value, MultiValue | list | tuple):
        value = "\\".join(str(part) for part in value)
    return _printable(str(value)).strip()


def numbers(dataset: Dataset, key: Key) -> tuple[float, ...]:
    """All finite values; empty where one of them is not a number."""
    plain = _plain_numbers(dataset, key)
    if plain is not None:
        return plain
    value = raw_value(dataset, key)
    if value is None or value == "":
        return ()
    parts = value if isinstance(value, MultiValue | list | tuple) else [value]
    try:
        found = tuple(float(part) for part in parts)
    except _DAMAGED:
        return ()
    return found if all(math.isfinite(number) for number in found) else ()


def _plain_numbers(dataset: Dataset, key: Key) -> tuple[float, ...] | None:
    """What stands there in plain digits (PS3.5 6.2, DS and IS); None for pydicom to look.

    The same numbers, without an object for each: every image of a series has its own position.
    """
    tag = tag_for_keyword(key) if isinstance(key, str) else key
    if tag is None or tag not in dataset.keys():  # noqa: SIM118 - pydicom's own looks for more
        return None
    element = dataset.get_item(tag)
    if not isinstance(element, RawDataElement) or not element.value:
        return None
    form = _PLAIN_FORMS.get(element.VR or "")
    if form is None or form.fullmatch(element.value) is None:
        return None
    return tuple(map(float, element.value.split(b"\\")))


def number(dataset: Dataset, key: Key) -> float | None:
    found = numbers(dataset, key)
    return found[0] if found else None


def integer(dataset: Dataset, key: Key) -> int | None:
    found = number(dataset, key)
    return int(found) if found is not None and found == int(found) else None


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence; empty where it is absent or no sequence."""
    value = raw_value(dataset, keyword)
    if value is None or isinstance(value, str | bytes) or not isinstance(value, Iterable):
        return []
    return [item for item in value if isinstance(item, Dataset)]


def person_name(dataset: Dataset, keyword: str) -> str:
    """A person name as "FAMILY, Given"; ideographic and phonetic groups follow in parentheses."""
    value = raw_value(dataset, keyword)
    if isinstance(value, MultiValue):
        value = value[0] if len(value) else None
    if value is None:
        return ""
    groups = str(PersonName(value) if isinstance(value, str) else value).split("=")
    readable = [name for name in map(_readable_group, groups) if name]
    if not readable:
        return ""
    others = f" ({' / '.join(readable[1:])})" if len(readable) > 1 else ""
    return readable[0] + others


def _readable_group(group: str) -> str:
    """One component group (PS3.5 6.2.1.2): family ^ given ^ middle ^ prefix ^ suffix."""
    parts = [part.strip() for part in _printable(group).split("^")] + [""] * 5
    family, given, middle, prefix, suffix = parts[:5]
    rest = " ".join(part for part in (prefix, given, middle, suffix) if part)
    return ", ".join(part for part in (family, rest) if part)


def _printable(value: str) -> str:
    return "".join(c for c in _ESCAPE_SEQUENCE.sub("", value) if c.isprintable())
