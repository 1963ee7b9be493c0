"""Files, folders, zip archives and DICOMDIRs -> images, and a reason for all that is none."""

from __future__ import annotations

import stat
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from viewer.dicom import limits
from viewer.dicom.border import refusing
from viewer.dicom.dataset import looks_like_dicom, read_dicom
from viewer.dicom.duplicates import Instances, shown_file
from viewer.dicom.header import read_images
from viewer.dicom.media import find_referenced, is_directory
from viewer.dicom.model import Earlier, Image, ScanUpdate, Skipped
from viewer.dicom.plain import plain_format, read_plain_images
from viewer.dicom.source import check_member, open_file, open_member
from viewer.dicom.stacks import natural_key
from viewer.errors import InputError

_UPDATE_SECONDS = 0.2
_SECOND_UPDATE_SECONDS = 0.01
_HEAD_BYTES = 264

_KNOWN_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "A PDF document, not an image."),
    (b"\x1f\x8b", "A gzip file; of archives only zip is opened."),
    (b"7z\xbc\xaf\x27\x1c", "A 7-Zip archive; of archives only zip is opened."),
    (b"Rar!", "A RAR archive; of archives only zip is opened."),
    (b"GIF8", "A GIF picture; PNG, JPEG, TIFF and BMP are opened."),
    (b"\x00\x00\x00\x0cjP  ", "A JPEG 2000 picture; PNG, JPEG, TIFF and BMP are opened."),
)
_ZIP_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
_NOTHING = Earlier()


def scan(
    paths: Iterable[Path],
    earlier: Earlier = _NOTHING,
    starts: Callable[[str], None] = lambda _shown: None,
) -> Iterator[ScanUpdate]:
    """Find every image in files, folders, zip archives and what a DICOMDIR names.

    Folders are read with all that is in them, in natural order. Only headers are read. Nothing is
    passed over in silence: what gives no image comes as ``Skipped`` with its reason. A DICOMDIR
    inside a folder adds nothing, since the files it names are there and are read themselves, but
    says which of them are missing; one that is given by itself opens the files that it names.

    Parameters
    ----------
    earlier : what need not be read again, since it was told before.
    starts : called with each file, folder and archive member before its bytes are touched, so
        that somebody knows which one it was that this process did not survive.

    Yields
    ------
    ScanUpdate
        The first file, then what was found since the last one, soon and then more and more seldom,
        about every 0.2 s; the last one when all is done.
    """
    search = _Search(paths, earlier, starts)
    # The first file is told at once: somebody waits for a picture. Then the others, to be decoded.
    due, pause = 0.0, min(_SECOND_UPDATE_SECONDS, _UPDATE_SECONDS)
    for _ in search.run():
        if time.monotonic() >= due:
            yield search.take_update()
            due = time.monotonic() + pause
            pause = min(2 * pause, _UPDATE_SECONDS)
    yield search.take_update()


class _Search:
    """One run over the given paths; its generators yield after each file."""

    def __init__(
        self, paths: Iterable[Path], earlier: Earlier, starts: Callable[[str], None]
    ) -> None:
        self._given = list(paths)
        self._starts = starts
        self._images: list[Image] = []
        self._skipped: list[Skipped] = []
        self._done = 0
        self._total = len(self._given)
        self._seen_nodes: set[tuple[int, int]] = set()  # files and folders by device and inode
        self._instances = Instances(earlier.files)
        self._silent = not (earlier.files or earlier.skipped)  # nothing was said of any file
        self._told = {shown_file(image) for image in earlier.files} | earlier.skipped

    def take_update(self) -> ScanUpdate:
        update = ScanUpdate(
            tuple(self._images), tuple(self._skipped), self._done, max(self._done, self._total)
        )
        self._images, self._skipped = [], []
        return update

    def run(self) -> Iterator[None]:
        for path in self._given:
            yield from self._read_path(path, depth=0)
        if self._silent:
            for path in self._given:
                self._tell(str(path), "There is no image in it.")

    def _read_path(self, path: Path, depth: int) -> Iterator[None]:
        if str(path) in self._told:
            self._done += 1
            return
        self._starts(str(path))
        try:
            with refusing("It cannot be read"):
                status = path.stat()
                node = status.st_dev, status.st_ino
                is_folder = stat.S_ISDIR(status.st_mode)
                # Named twice is opened once; a folder met again is a link that leads back.
                if node in self._seen_nodes:
                    if is_folder and depth:
                        raise InputError("A link to a folder that is read already.")
                    self._done += 1
                    return
                self._seen_nodes.add(node)
                if is_folder:
                    limits.FOLDER_DEPTH.check(depth)
                    children = sorted(path.iterdir(), key=lambda child: natural_key(child.name))
        except InputError as error:
            self._skip(str(path), error)
            yield
            return
        if is_folder:
            self._total += len(children) - 1  # the folder itself is no file
            for child in children:
                yield from self._read_path(child, depth + 1)
        else:
            yield from self._read_file(path, given=depth == 0)

    def _read_file(self, path: Path, given: bool) -> Iterator[None]:
        referenced: tuple[Path, ...] = ()
        try:
            with refusing("It cannot be read"), open_file(path) as stream:
                head = stream.read(_HEAD_BYTES)
                is_archive = _is_archive(head)
                if not is_archive and self._read_stream(stream, head, path, ""):
                    found = self._find_referenced(stream, path)
                    referenced = found if given else ()
        except InputError as error:
            self._skip(str(path), error)
            yield
            return
        self._done += 1
        yield
        if is_archive:
            yield from self._read_archive(path)
        self._total += len(referenced)
        for file in referenced:
            yield from self._read_path(file, depth=1)

    def _find_referenced(self, stream: BinaryIO, path: Path) -> tuple[Path, ...]:
        stream.seek(0)
        found, missing = find_referenced(read_dicom(stream).dataset, path.parent)
        found = tuple(file for file in found if file != path)
        if not found and not missing:
            raise InputError("The DICOMDIR names no files.")
        for name in missing:
            self._tell(f"{path} > {name}", "Named in the DICOMDIR, but not there.")
        return found

    def _read_archive(self, path: Path) -> Iterator[None]:
        try:
            with refusing("The archive cannot be read"):
                archive = zipfile.ZipFile(path)
                infos = [info for info in archive.infolist() if not info.is_dir()]
                limits.ARCHIVE_MEMBERS.check(len(infos))
                limits.ARCHIVE_INFLATED_BYTES.check(sum(info.file_size for info in infos))
                if sum(info.compress_size for info in infos) > path.stat().st_size:
                    raise InputError("The files in the archive overlap.")
                members = {info.filename: info for info in infos}
        except InputError as error:
            self._tell(str(path), str(error))
            return
        for name, count in Counter(info.filename for info in infos).items():
            if count > 1:  # a zip is read by name, and the last one has it
                reason = "The archive has a later file of the same name, which is read instead."
                self._tell(f"{path} > {name} (earlier)", reason)
        self._total += len(members)
        with archive:
            for name in sorted(members, key=natural_key):
                self._read_member(archive, members[name], path)
                yield

    def _read_member(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> None:
        shown = f"{path} > {info.filename}"
        if shown in self._told:
            self._done += 1
            return
        self._starts(shown)
        try:
            with refusing("It cannot be read"):
                check_member(info)
                with open_member(archive, info) as stream:
                    head = stream.read(_HEAD_BYTES)
                    if _is_archive(head):
                        raise InputError("An archive inside an archive is not opened.")
                    self._read_stream(stream, head, path, info.filename)
        except InputError as error:
            self._skip(shown, error)
            return
        self._done += 1

    def _read_stream(self, stream: BinaryIO, head: bytes, path: Path, member: str) -> bool:
        """Add the images of one file; True where it is a DICOMDIR, which has none itself."""
        stream.seek(0)
        # DICOM first: the preamble is free to hold another format's signature, such as TIFF.
        if not looks_like_dicom(head):
            if not plain_format(head):
                raise InputError(_kind_of(head))
            self._add(read_plain_images(stream, path, member))
            return False
        opened = read_dicom(stream)
        if is_directory(opened.dataset):
            return True
        self._add(read_images(opened, path, member))
        return False

    def _add(self, images: tuple[Image, ...]) -> None:
        self._silent = False
        self._instances.add(images[0])
        self._images.extend(images)

    def _skip(self, shown: str, error: InputError) -> None:
        self._done += 1
        self._tell(shown, str(error))

    def _tell(self, shown: str, reason: str) -> None:
        self._silent = False
        if shown not in self._told:
            self._skipped.append(Skipped(shown, reason))


def _is_archive(head: bytes) -> bool:
    return head.startswith(_ZIP_SIGNATURES) and not looks_like_dicom(head)


def _kind_of(head: bytes) -> str:
    if not head:
        return "Empty file."
    for signature, sentence in _KNOWN_KINDS:
        if head.startswith(signature):
            return sentence
    return "Not a DICOM or image file."
