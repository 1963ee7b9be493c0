"""Archives, folders and media directories that lead astray."""

from __future__ import annotations

import os
import socket
import struct
import warnings
import zipfile
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import MediaStorageDirectoryStorage

from tests.dicom_factory import write_dataset
from tests.hostile.cases import Opens, Refused, element, header, hostile, image, write


def archive(folder: Path, *members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    path = folder / "bad.zip"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as out:
        warnings.simplefilter("ignore")  # of names that come twice
        for name, data in members:
            out.writestr(name, data)
    return path


def patched(path: Path, signature: bytes, offset: int, value: bytes) -> None:
    """Change bytes after a signature: a central directory record or a local header."""
    data = bytearray(path.read_bytes())
    at = data.index(signature) + offset
    data[at : at + len(value)] = value
    path.write_bytes(data)


_LOCAL, _CENTRAL = b"PK\x03\x04", b"PK\x01\x02"


@hostile(Refused("above the limit of 200"))
def a_zip_bomb(folder: Path) -> None:
    archive(folder, ("bomb.dcm", bytes(300 << 20)))


@hostile(Refused("Bad CRC-32"))
def a_zip_member_larger_than_it_says(folder: Path) -> None:
    path = archive(folder, ("a.dcm", image() + bytes(100_000)))
    patched(path, _CENTRAL, 24, struct.pack("<L", 500))


@hostile(Refused("above the limit of 2 GiB"))
def a_zip_member_that_claims_four_gigabytes(folder: Path) -> None:
    path = archive(folder, ("a.dcm", image()))
    patched(path, _CENTRAL, 24, struct.pack("<L", 0xFFFFFFF0))


@hostile(Refused("only deflate"))
def a_zip_bomb_of_bzip2(folder: Path) -> None:
    archive(folder, ("a.dcm", bytes(50 << 20)), method=zipfile.ZIP_BZIP2)


@hostile(Refused("only deflate"))
def a_zip_bomb_of_lzma(folder: Path) -> None:
    archive(folder, ("a.dcm", bytes(50 << 20)), method=zipfile.ZIP_LZMA)


@hostile(Refused("archive inside an archive"))
def a_zip_in_a_zip(folder: Path) -> None:
    inner = archive(folder, ("a.dcm", image())).read_bytes()
    archive(folder, ("inner.zip", inner))


@hostile(Refused("overlap"))
def a_zip_whose_members_overlap(folder: Path) -> None:
    path = archive(folder, ("a.dcm", image()))
    data = path.read_bytes()
    start = data.index(_CENTRAL)
    end = data.index(b"PK\x05\x06")
    entries = [data[start:end].replace(b"a.dcm", b"%05d" % n) for n in range(500)]
    directory = b"".join(entries)
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 500, 500, len(directory), start, 0)
    path.write_bytes(data[:start] + directory + tail)


@hostile(Refused("above the limit of 50,000"))
def a_zip_of_fifty_thousand_and_one_files(folder: Path) -> None:
    archive(folder, *((f"{n}", b"") for n in range(50_001)), method=zipfile.ZIP_STORED)


@hostile(Opens())
def a_zip_that_climbs_out_of_the_folder(folder: Path) -> None:
    archive(folder, ("../../../../tmp/lightbox_evil.dcm", image()))


@hostile(Opens())
def a_zip_with_an_absolute_path(folder: Path) -> None:
    archive(folder, ("/tmp/lightbox_evil.dcm", image()))


@hostile(Refused("later file of the same name"))
def a_zip_with_one_name_twice(folder: Path) -> None:
    other = image(element(0x00080018, b"UI", b"1.2.3.4.6"))
    archive(folder, ("a.dcm", image()), ("a.dcm", other))


@hostile(Refused("Bad CRC-32"))
def a_zip_with_a_wrong_checksum(folder: Path) -> None:
    patched(archive(folder, ("a.dcm", image())), _CENTRAL, 16, b"\1\2\3\4")


@hostile(Refused("cannot be read"))
def a_zip_cut_in_half(folder: Path) -> None:
    path = archive(folder, ("a.dcm", image() * 100))
    path.write_bytes(path.read_bytes()[:300])


@hostile(Refused("Encrypted"))
def a_zip_with_a_password(folder: Path) -> None:
    path = archive(folder, ("a.dcm", image()))
    patched(path, _LOCAL, 6, b"\1")
    patched(path, _CENTRAL, 8, b"\1")


@hostile(Refused("Not a DICOM or image file"))
def a_zip_with_a_link(folder: Path) -> None:
    link = zipfile.ZipInfo("link.dcm")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(folder / "bad.zip", "w") as out:
        out.writestr(link, "/etc/passwd")


def media_directory(folder: Path, *names: list[str], offset: int = 0) -> Path:
    directory = Dataset()
    directory.SOPClassUID = MediaStorageDirectoryStorage
    directory.SOPInstanceUID = "1.2.3.9"
    directory.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = offset
    records = []
    for name in names:
        record = Dataset()
        record.OffsetOfTheNextDirectoryRecord = offset
        record.OffsetOfReferencedLowerLevelDirectoryEntity = offset
        record.DirectoryRecordType = "IMAGE"
        record.RecordInUseFlag = 0xFFFF
        record.ReferencedFileID = name
        records.append(record)
    directory.DirectoryRecordSequence = Sequence(records)
    return write_dataset(folder / "DICOMDIR", directory)


@hostile(Opens())
def a_dicomdir_whose_records_go_in_circles(folder: Path) -> Path:
    write(folder, image(), "I1")
    return media_directory(folder, ["I1"], ["I1"], ["I1"], offset=400)


@hostile(Refused("not there"))
def a_dicomdir_that_climbs_out_of_the_folder(folder: Path) -> Path:
    path = media_directory(folder, ["__", "__", "ETC", "PASSWD"])
    path.write_bytes(path.read_bytes().replace(b"__", b".."))
    return path


@hostile(Refused("names no files"))
def a_dicomdir_that_names_itself(folder: Path) -> Path:
    return media_directory(folder, ["DICOMDIR"])


@hostile(Refused("not there"))
def a_dicomdir_of_ten_thousand_missing_files(folder: Path) -> Path:
    return media_directory(folder, *([f"A{n}", f"B{n}"] for n in range(10_000)))


@hostile(Refused("read already|levels of symbolic links"))
def links_in_circles(folder: Path) -> None:
    (folder / "self").symlink_to(folder / "self")
    (folder / "up").symlink_to(folder)
    (folder / "a").mkdir()
    (folder / "a" / "b").symlink_to(folder / "a")


@hostile(Refused("Not a regular file"))
def links_to_devices(folder: Path) -> None:
    for name in ("zero", "random", "tty"):
        (folder / f"{name}.dcm").symlink_to(f"/dev/{name}")


@hostile(Refused("Not a regular file"))
def pipes_and_sockets(folder: Path) -> None:
    os.mkfifo(folder / "pipe.dcm")
    with socket.socket(socket.AF_UNIX) as held:
        before = Path.cwd()
        os.chdir(folder)  # the name of a socket may have 100 letters
        try:
            held.bind("socket.dcm")
        finally:
            os.chdir(before)


@hostile(Refused("depth of nested folders"))
def three_hundred_folders_deep(folder: Path) -> None:
    deep = folder.joinpath(*["d"] * 300)
    deep.mkdir(parents=True)
    write(deep, image())


@hostile(Refused("above the limit of 4 GiB"))
def a_sparse_terabyte(folder: Path) -> None:
    path = write(folder, image())
    os.truncate(path, 1 << 40)


@hostile(Refused("invalid stored block"))
def a_sparse_deflated_file_of_four_gigabytes(folder: Path) -> None:
    path = write(folder, header("1.2.840.10008.1.2.1.99"))
    os.truncate(path, (4 << 30) - 1)


@hostile(Refused("above the limit of 512 MiB"))
def a_sparse_picture_of_three_gigabytes(folder: Path) -> None:
    path = write(folder, b"II*\0" + bytes(300), "bad.tif")
    os.truncate(path, 3 << 30)


@hostile(Opens())
def a_name_that_is_no_text(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe\n\x1b[31m.dcm")).write_bytes(image())
