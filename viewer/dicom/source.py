"""Opens a file or a member of a zip archive for reading, under the limits."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path
from typing import BinaryIO

from viewer.dicom import limits
from viewer.errors import InputError


def open_source(path: Path, member: str) -> BinaryIO:
    """Open a file, or a member of the archive at ``path``, as a seekable binary stream.

    A member is inflated in memory and never written to disk.

    Raises
    ------
    InputError, OSError, zipfile.BadZipFile
    """
    if not member:
        return open_file(path)
    with zipfile.ZipFile(path) as archive:
        return open_member(archive, archive.getinfo(member))


def open_file(path: Path) -> BinaryIO:
    # A pipe or a device would block for ever, so the kind is looked at first.
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise InputError("Not a regular file.")
    limits.FILE_BYTES.check(status.st_size)
    return path.open("rb")


def open_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> BinaryIO:
    check_member(info)
    with archive.open(info) as packed:
        data = packed.read(info.file_size + 1)  # the declared size may be a lie
    if len(data) > info.file_size:
        raise InputError("The archive member is larger than the archive says.")
    return io.BytesIO(data)


def check_member(info: zipfile.ZipInfo) -> None:
    """Refuse what must not be inflated, from the archive's directory alone."""
    if info.flag_bits & 0x1:
        raise InputError("Encrypted archives are not opened.")
    limits.INFLATED_BYTES.check(info.file_size)
    if info.file_size > limits.ARCHIVE_RATIO_FROM_BYTES:
        limits.ARCHIVE_RATIO.check(info.file_size // max(1, info.compress_size))
