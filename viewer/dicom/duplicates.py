"""One instance in several files: the same pixels are opened once, other pixels are never lost."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cached_property

from viewer.dicom import limits
from viewer.dicom.border import refusing
from viewer.dicom.dataset import read_dicom
from viewer.dicom.model import Image
from viewer.dicom.source import open_source
from viewer.errors import InputError

_BLOCK = 1 << 20


def shown_file(image: Image) -> str:
    """The file of an image as the reader knows it."""
    return f"{image.path} > {image.member}" if image.member else str(image.path)


class Instances:
    """The files of each SOP Instance UID so far."""

    def __init__(self, files: Iterable[Image]) -> None:
        self._files: dict[str, list[_File]] = {}
        for first in files:
            self._files.setdefault(first.uid, []).append(_File(first))

    def add(self, first: Image) -> None:
        """Take in the first image of a file.

        A UID names one instance (PS3.5 9), so two files of one are copies, as a rule. Where their
        pixels differ none of them is the right one, and the reader gets to see both. So does a
        copy that is compressed: nothing is decoded here, lest a scan should hang on it.

        Raises
        ------
        InputError
            A duplicate: an earlier file has the same UID and the same pixels.
        """
        files = self._files.setdefault(first.uid, [])
        new = _File(first)
        for other in files:
            if first.is_plain:
                raise InputError(f"A duplicate: the same picture as {shown_file(other.image)}.")
            if new.content == other.content:
                what = "pixels" if first.rows else "content"
                raise InputError(
                    f"A duplicate: the same SOP Instance UID and the same {what} as "
                    f"{shown_file(other.image)}."
                )
        files.append(new)


class _File:
    def __init__(self, image: Image) -> None:
        self.image = image

    @cached_property
    def content(self) -> tuple[object, ...]:
        """What two copies have in common: read only where a UID comes twice, and once then."""
        image = self.image
        shape = image.rows, image.columns, image.number_of_frames, image.photometric_interpretation
        try:
            with (
                refusing("It cannot be read"),
                open_source(image.path, image.member) as stream,
            ):
                opened = read_dicom(stream)
                # All there is where there are no pixels, as in a report.
                rest = limits.FILE_BYTES.most
                opened.stream.seek(opened.pixels.offset if opened.pixels else 0)
                if opened.pixels is not None and opened.pixels.length is not None:
                    rest = opened.pixels.length
                digest = hashlib.sha256()
                while rest > 0 and (block := opened.stream.read(min(rest, _BLOCK))):
                    digest.update(block)
                    rest -= len(block)
                return *shape, opened.transfer_syntax, digest.digest()
        except InputError:
            return shown_file(image), id(self)  # like no other: it says itself what is wrong
