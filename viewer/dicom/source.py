"""Opens a file or a member of a zip archive for reading, under the limits."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path
from typing import BinaryIO

from viewer.dicom import limits
from viewer.errors import InputError


class _LastMember:
    """The archive member that was unpacked last: the frames of one are asked for one by one."""

    def __init__(self) -> None:
        self._key: tuple[Path, str, int, int] | None = None
        self._data = b""

    def open(self, path: Path, member: str) -> BinaryIO:
        status = path.stat()
        key = path, member, status.st_size, status.st_mtime_ns
        if key != self._key:
            self._key, self._data = None, b""  # two of them would be twice the limit
            with zipfile.ZipFile(path) as archive:
                self._data = _unpacked(archive, archive.getinfo(member))
            self._key = key
        return io.BytesIO(self._data)  # shares the bytes until somebody writes


_last_member = _LastMember()


def open_source(path: Path, member: str) -> BinaryIO:
    """Open a file, or a member of the archive at ``path``, as a seekable binary stream.

    A member is inflated in memory and never written to disk.

    Raises
    ------
    InputError, OSError, zipfile.BadZipFile
    """
    return _last_member.open(path, member) if member else open_file(path)


def open_file(path: Path) -> BinaryIO:
    # A pipe or a device would block for ever, so the kind is looked at first.
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise InputError("Not a regular file.")
    limits.FILE_BYTES.check(status.st_size)
    return path.open("rb")


def open_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> BinaryIO:
    return io.BytesIO(_unpacked(archive, info))


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    check_member(info)
    with archive.open(info) as packed:
        data = packed.read(info.file_size + 1)  # the declared size may be a lie
    if len(data) > info.file_size:
        raise InputError("The archive member is larger than the archive says.")
    return data


def check_member(info: zipfile.ZipInfo) -> None:
    """Refuse what must not be inflated, from the archive's directory alone."""
    if info.flag_bits & 0x1:
        raise InputError("Encrypted archives are not opened.")
    # The others unpack without a bound: a few kilobytes of bzip2 become gigabytes in one step.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError("Of compression in archives only deflate is opened.")
    limits.INFLATED_BYTES.check(info.file_size)
    if info.file_size > limits.INFLATED_RATIO_FROM_BYTES:
        limits.INFLATED_RATIO.check(info.file_size // max(1, info.compress_size))
