"""PNG, JPEG, TIFF and BMP files: pictures without a patient."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import PIL.ImageFile
import PIL.ImageOps

from viewer.dicom import limits
from viewer.dicom.header import hash_stream
from viewer.dicom.model import Image, Patient, SeriesHeader, StudyHeader
from viewer.errors import InputError

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"BM", "BMP"),
)
_EXIF_CHUNKS = {b"eXIf", b"tEXt", b"zTXt", b"iTXt"}  # text chunks can hold Exif or XMP
_BMP_HEADER_SIZES = (12, 40, 52, 56, 64, 108, 124)
_WHITE_IS_ZERO = 0
_TIFF_PHOTOMETRIC = 262


def plain_format(head: bytes) -> str:
    """PNG, JPEG, TIFF or BMP by the first bytes, else an empty text."""
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            # Two letters prove little: the size of the second header must fit too.
            if name == "BMP" and int.from_bytes(head[14:18], "little") not in _BMP_HEADER_SIZES:
                return ""
            return name
    return ""


def read_plain_images(stream: BinaryIO, path: Path, member: str) -> tuple[Image, ...]:
    """One Image for each page.

    A file is its own study, named after the file, and known by the hash of its bytes. Colour
    pages are decoded, since only their pixels say whether they are grey in truth.

    Raises
    ------
    InputError
        The file is above a limit. Pillow raises more: call inside ``border.refusing``.
    """
    limits.PLAIN_FILE_BYTES.check(stream.seek(0, 2))
    name = Path(member).name if member else path.name
    uid = f"sha256:{hash_stream(stream).hex()}"
    stream.seek(0)
    with _open(stream) as file:
        pages = int(getattr(file, "n_frames", 1)) if file.format == "TIFF" else 1
        limits.FRAMES.check(pages)
        found = []
        for page in range(pages):
            file.seek(page)
            rows, columns, colour = _describe(file, stream)
            found.append(
                Image(
                    path=path,
                    member=member,
                    uid=uid,
                    frame_number=page + 1,
                    number_of_frames=pages,
                    rows=rows,
                    columns=columns,
                    samples_per_pixel=3 if colour else 1,
                    photometric_interpretation="RGB" if colour else "MONOCHROME2",
                    study=StudyHeader(uid=uid, patient=Patient(), description=name),
                    series=SeriesHeader(uid=uid),
                )
            )
        return tuple(found)


def decode_plain(stream: BinaryIO, frame_number: int) -> tuple[npt.NDArray[Any], bool]:
    """One page, upright: (rows, columns) grey at its own depth or (rows, columns, 3) uint8.

    Returns
    -------
    The pixels, and whether the file ends early, so that a part of them is missing.

    Raises
    ------
    InputError
        The page is above a limit. Pillow raises more: call inside ``border.refusing``.
    """
    stream.seek(0)
    with _open(stream) as file:
        file.seek(frame_number - 1)
        limits.FRAME_PIXELS.check(file.width * file.height)
        return _to_array(file, stream)


def _ends_early(file: PIL.Image.Image) -> bool:
    """Decode the page; True where the file ends before it does."""
    try:
        file.load()
    except OSError as error:
        if "truncated" not in str(error):
            raise
        PIL.ImageFile.LOAD_TRUNCATED_IMAGES = True  # known to Pillow as a global alone
        try:
            file.load()
        finally:
            PIL.ImageFile.LOAD_TRUNCATED_IMAGES = False
        return True
    return False


def _open(stream: BinaryIO) -> PIL.Image.Image:
    head = stream.read(32)
    stream.seek(0)
    name = plain_format(head)
    try:
        # Naming the format keeps Pillow's many other parsers away from untrusted bytes.
        return PIL.Image.open(stream, formats=(name,))
    except PIL.UnidentifiedImageError as error:
        raise InputError(f"A damaged {name} file.") from error
    except PIL.Image.DecompressionBombError as error:
        raise InputError(f"The frame is above the limit {limits.FRAME_PIXELS.text}.") from error


def _describe(file: PIL.Image.Image, stream: BinaryIO) -> tuple[int, int, bool]:
    """Rows and columns once upright, and whether the page is in colour."""
    limits.FRAME_PIXELS.check(file.width * file.height)
    if _is_grey_mode(file):
        turned = _orientation(file, stream) in (5, 6, 7, 8)
        # Pillow swaps the size of a TIFF by itself.
        swapped = turned and file.format != "TIFF"
        size = (file.width, file.height) if swapped else (file.height, file.width)
        return size[0], size[1], False
    values, _ = _to_array(file, stream)
    return values.shape[0], values.shape[1], values.ndim == 3


def _orientation(file: PIL.Image.Image, stream: BinaryIO) -> int:
    """Exif Orientation (0112H); 1 is upright."""
    # Pillow decodes a whole PNG to find out that it has no Exif, so its chunks are asked first.
    if file.format == "PNG" and not _EXIF_CHUNKS & _png_chunks(stream):
        return 1
    return int(file.getexif().get(0x0112, 1))


def _png_chunks(stream: BinaryIO) -> set[bytes]:
    found: set[bytes] = set()
    stream.seek(8)
    while len(head := stream.read(8)) == 8:
        found.add(head[4:])
        stream.seek(int.from_bytes(head[:4], "big") + 4, io.SEEK_CUR)
    return found


def _is_grey_mode(file: PIL.Image.Image) -> bool:
    return file.mode in ("1", "L", "LA", "F") or file.mode.startswith("I")


def _to_array(file: PIL.Image.Image, stream: BinaryIO) -> tuple[npt.NDArray[Any], bool]:
    """Pixels of the current page, and whether the file ends before them."""
    if file.format == "PNG" and _is_deep_colour_png(stream):
        return _decode_deep_png(stream), False
    ends_early = _ends_early(file)
    upright = PIL.ImageOps.exif_transpose(file)
    if upright.mode == "1":
        return np.asarray(upright.convert("L")), ends_early
    if upright.mode == "L" or upright.mode.startswith("I") or upright.mode == "F":
        values = np.asarray(upright)
        values = values.astype(values.dtype.newbyteorder("="))  # I;16B is big endian
        # Pillow inverts 8-bit pages for which white is zero by itself, but not these.
        return np.invert(values) if _is_inverted(file) else values, ends_early
    return _to_grey_if_equal(_flatten(upright)), ends_early


def _is_inverted(file: PIL.Image.Image) -> bool:
    return (
        file.format == "TIFF"
        and file.mode.startswith("I;16")
        and _tiff_tag(file, _TIFF_PHOTOMETRIC) == _WHITE_IS_ZERO
    )


def _is_deep_colour_png(stream: BinaryIO) -> bool:
    """A PNG of 16 bits with colour or transparency, which Pillow would cut to 8 bits."""
    stream.seek(24)  # bit depth and colour type of the header chunk
    header = stream.read(2)
    return len(header) == 2 and header[0] == 16 and header[1] in (2, 4, 6)


def _decode_deep_png(stream: BinaryIO) -> npt.NDArray[Any]:
    stream.seek(0)
    decoded = cv2.imdecode(np.frombuffer(stream.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.ndim != 3 or decoded.dtype != np.uint16:
        raise InputError("A damaged PNG file.")
    rgb = decoded[..., 2::-1]
    if decoded.shape[2] == 4:
        opacity = decoded[..., 3:].astype(np.float64) / 65535
        rgb = (rgb * opacity).round().astype(np.uint16)
    grey = _to_grey_if_equal(rgb)
    return grey if grey.ndim == 2 else (grey >> 8).astype(np.uint8)


def _tiff_tag(file: PIL.Image.Image, tag: int) -> Any:
    tags = getattr(file, "tag_v2", {})
    return tags.get(tag)


def _flatten(picture: PIL.Image.Image) -> npt.NDArray[np.uint8]:
    """Palettes, CMYK and transparency -> RGB over black, as the surround of the picture is."""
    if picture.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        black = PIL.Image.new("RGBA", rgba.size, (0, 0, 0, 255))
        return np.asarray(PIL.Image.alpha_composite(black, rgba).convert("RGB"))
    return np.asarray(picture.convert("RGB"))


def _to_grey_if_equal(rgb: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A colour file whose three channels are equal is a grey picture."""
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return np.ascontiguousarray(red)
    return rgb
