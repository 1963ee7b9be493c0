"""What was read from one header holds for the next that says the same, byte for byte.

The headers of a series differ in a few elements. The others are converted once, not three hundred
times.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Generic, NoReturn, TypeVar

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from viewer.dicom.dataset import OpenedDicom

T = TypeVar("T")


def _tags(*keywords: str) -> frozenset[int]:
    return frozenset(int(Tag(keyword)) for keyword in keywords)


_SEVERAL = _tags(
    "NumberOfFrames",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "GridFrameOffsetVector",
    "EncapsulatedDocument",
)

_KEPT = 32
_LONGEST = 64 << 10  # bytes of one value: a large lookup table is no longer cheap to compare


def is_single(dataset: Dataset) -> bool:
    """Whether a file holds one frame, which says by itself all that there is to say of it."""
    return _SEVERAL.isdisjoint(dataset.keys())


class Alike(Generic[T]):
    """What ``read`` makes of a header, remembered for the headers that are alike.

    Parameters
    ----------
    read : is given the header without its own elements, and no bytes of the file, so that the
        result cannot depend on them. It raises what it wants; that is not remembered.
    own : keywords of the elements in which alike headers may differ.
    """

    def __init__(self, read: Callable[[OpenedDicom], T], *own: str) -> None:
        self._read = read
        self._own = _tags(*own)
        self._known: OrderedDict[Hashable, T] = OrderedDict()

    def of(self, opened: OpenedDicom) -> T:
        key = self._key(opened)
        if key is None:
            return self._read(opened)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        try:
            found = self._read(self._without_own(opened))
        except _TouchedError:
            return self._read(opened)
        self._known[key] = found
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return found

    def _key(self, opened: OpenedDicom) -> Hashable | None:
        """All that ``read`` may look at; None where it is not as it came from the file."""
        dataset, own = opened.dataset, self._own
        said: list[Hashable] = []
        for element in dataset.values():
            tag = int(element.tag)  # a plain number compares sooner
            if tag in own:
                continue
            if not isinstance(element, RawDataElement) or element.length > _LONGEST:
                return None
            said.append((tag, element.VR, element.value))
        pixels = opened.pixels
        where = pixels and (pixels.length, pixels.float_bits, pixels.vr)
        return opened.transfer_syntax, dataset.original_encoding, where, tuple(said)

    def _without_own(self, opened: OpenedDicom) -> OpenedDicom:
        original = opened.dataset
        kept = {tag: element for tag, element in original.items() if tag not in self._own}
        dataset = Dataset(kept)
        implicit, little = original.original_encoding
        dataset.set_original_encoding(implicit, little, original.original_character_set)
        return replace(opened, dataset=dataset, stream=_NoBytes())


class _TouchedError(Exception):
    """The bytes of the file were asked for."""


class _NoBytes(io.BytesIO):
    def seek(self, *_: int) -> NoReturn:
        raise _TouchedError

    def read(self, *_: int | None) -> NoReturn:
        raise _TouchedError
