"""One frame -> modality values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import UID

from viewer.dicom.attributes import text
from viewer.dicom.border import refusing
from viewer.dicom.codecs import Stored
from viewer.dicom.dataset import OpenedDicom, PixelElement, read_dicom
from viewer.dicom.encapsulated import render_page
from viewer.dicom.frame_header import file_state, read_frame_header, read_layout
from viewer.dicom.grey import shift_of, to_modality_values
from viewer.dicom.header import require_image
from viewer.dicom.layout import Layout
from viewer.dicom.luts import read_palette
from viewer.dicom.meaning import FrameHeader, Meaning
from viewer.dicom.model import Frame, Image, Kind, Voi, VoiWindow
from viewer.dicom.overlays import read_overlays
from viewer.dicom.pixel_hash import hash_pixels, with_hash
from viewer.dicom.plain import decode_plain
from viewer.dicom.source import open_source
from viewer.dicom.stored import read_stored
from viewer.errors import InputError

_PART_MISSING = "Incomplete: the data ends early, and parts of the picture may be missing."


def decode(image: Image, hashed: bool = True) -> Frame:
    """Decode one frame to modality values at full bit depth, or to RGB.

    Integers stay integers where Rescale Slope and Intercept are whole numbers: int16 where the
    values fit, else uint16 or int32. Everything else is float32. MONOCHROME1 is flagged, not
    inverted. Only this frame is read and decoded.

    Parameters
    ----------
    hashed : False leaves the hash for later where the values still tell it (``Frame.shift``): it
        takes longer than all the rest.

    Raises
    ------
    InputError
        The file is gone, damaged or in a form that is not supported; one sentence says why.
    """
    with (
        refusing("The picture cannot be decoded"),
        open_source(image.path, image.member) as stream,
    ):
        frame = _decode(stream, image)
        return with_hash(frame) if hashed else frame


def _decode(stream: BinaryIO, image: Image) -> Frame:
    if image.is_plain:
        return _plain_frame(*decode_plain(stream, image.frame_number))
    native = image.native
    if native is not None and native.file == file_state(stream):
        pixels = PixelElement(native.offset, native.length, vr=native.vr)
        opened = OpenedDicom(Dataset(), stream, UID(native.transfer_syntax), pixels)
        return _decode_dicom(opened, native.header, image)
    opened = read_dicom(stream)
    if text(opened.dataset, "SOPInstanceUID") not in (image.uid, ""):
        raise InputError("The file has changed since it was opened.")
    if image.kind is Kind.PAGE:
        page = render_page(opened, image.frame_number)
        return Frame(page, "", "", (), False)
    require_image(opened)
    return _decode_dicom(opened, read_frame_header(opened, image.frame_number), image)


def read_stored_values(image: Image) -> npt.NDArray[Any]:
    """The stored values of a DICOM frame, before any lookup table, for checks by other tools.

    Returns
    -------
    (rows, columns) or (rows, columns, 3), of the signedness that Pixel Representation says;
    colour as decoded, before conversion to 8-bit RGB.

    Raises
    ------
    InputError
    """
    with (
        refusing("The picture cannot be decoded"),
        open_source(image.path, image.member) as stream,
    ):
        opened = read_dicom(stream)
        layout = read_layout(opened)
        stored = read_stored(opened, layout, image.frame_number)
        return _settle_bits(stored, layout, bool(opened.pixels and opened.pixels.float_bits))


def _plain_frame(values: npt.NDArray[Any], ends_early: bool) -> Frame:
    # The values of an 8-bit grey picture are brightness already.
    is_brightness = values.ndim == 2 and values.dtype == np.uint8
    vois: tuple[Voi, ...] = (VoiWindow(128.0, 256.0),) if is_brightness else ()
    notes = (_PART_MISSING,) if ends_early else ()
    return Frame(values, "", "", vois, False, incomplete=ends_early, notes=notes)


def _decode_dicom(opened: OpenedDicom, header: FrameHeader, image: Image) -> Frame:
    """The frame; of the data set no more is used than its colours and its overlay planes."""
    frame_number, layout = image.frame_number, header.layout
    if (layout.rows, layout.columns) != (image.rows, image.columns):
        raise InputError("The file has changed since it was opened.")
    stored = read_stored(opened, layout, frame_number)
    is_float = bool(opened.pixels and opened.pixels.float_bits)
    values = _settle_bits(stored, layout, is_float)
    if header.meaning is None:
        frame = _colour_frame(opened, layout, stored, values)
    else:
        frame = _grey_frame(layout, stored, values, header.meaning)
    overlays, notes = read_overlays(opened, layout, stored.values, frame_number)
    if stored.cut_at is not None:
        notes = (_say_what_is_missing(stored.cut_at, layout), *notes)
    return replace(frame, incomplete=stored.cut_at is not None, notes=notes, overlays=overlays)


def _colour_frame(
    opened: OpenedDicom, layout: Layout, stored: Stored, values: npt.NDArray[Any]
) -> Frame:
    picture = _to_rgb(values, stored, layout, opened)
    picture.reshape(-1, 3)[stored.cut_at or layout.pixels :] = 0
    return Frame(picture, "", "", (), False)


def _grey_frame(
    layout: Layout, stored: Stored, values: npt.NDArray[Any], meaning: Meaning
) -> Frame:
    inverted = layout.photometric == "MONOCHROME1"
    if stored.cut_at is not None:
        values = _blacken(values, stored.cut_at, inverted)
    modality_values = to_modality_values(meaning.transform, values)
    shift = shift_of(meaning.transform, values, modality_values)
    return Frame(
        values=modality_values,
        pixel_sha256=hash_pixels(values) if shift is None else "",
        unit=meaning.transform.unit,
        vois=meaning.vois_for(modality_values),
        inverted=inverted,
        padding=meaning.padding,
        palette=meaning.palette,
        shift=shift or 0,
    )


def _blacken(values: npt.NDArray[Any], cut_at: int, white_is_low: bool) -> npt.NDArray[Any]:
    """Stored values whose missing pixels have the darkest value of the others."""
    flat = values.reshape(-1).copy()
    flat[cut_at:] = (np.nanmax if white_is_low else np.nanmin)(flat[:cut_at])
    return flat.reshape(values.shape)


def _say_what_is_missing(cut_at: int, layout: Layout) -> str:
    if cut_at >= layout.pixels:
        return _PART_MISSING
    row = cut_at // layout.columns
    return f"Incomplete: the data ends early, in row {row + 1} of {layout.rows}."


# --- stored values -----------------------------------------------------------------------------


def _settle_bits(stored: Stored, layout: Layout, is_float: bool) -> npt.NDArray[Any]:
    """Cut the bits that are in use out of their container and give them their sign.

    PS3.5 8.1.1: bits above High Bit are undefined, so they are never part of a value. For
    compressed frames it is the codestream's precision that counts.
    """
    values = stored.values
    if is_float:
        return values.astype(values.dtype.newbyteorder("="))
    width = values.dtype.itemsize * 8
    target = np.dtype(f"{'i' if layout.signed else 'u'}{width // 8}")
    # A precision below the container's is the codestream's own and wins over the header.
    is_precise = stored.bits < layout.bits_allocated
    bits = min(stored.bits, width) if is_precise else layout.bits_stored
    if bits == width or (is_precise and stored.signed == layout.signed):
        return values.view(target)
    shift, unused = layout.high_bit + 1 - bits, width - bits
    if not is_precise and 0 < shift <= unused:
        values = values >> shift
    if values.dtype.kind == "u" and values.max() < 2 ** (bits - layout.signed):
        return values.view(target)  # nothing above the bits in use, and no sign to spread
    # Up and down again: the shift down spreads the sign bit, or clears what is unused.
    return (values << unused).view(target) >> unused


def _to_rgb(
    values: npt.NDArray[Any], stored: Stored, layout: Layout, opened: OpenedDicom
) -> npt.NDArray[np.uint8]:
    if stored.photometric == "PALETTE COLOR":
        bits = min(16, layout.bits_stored, values.dtype.itemsize * 8)
        palette = read_palette(opened.dataset, opened.is_little_endian, bits, layout.signed)
        picture: npt.NDArray[np.uint8] = palette[values.astype(np.int64) & (2**bits - 1)]
        return picture
    if stored.photometric not in ("RGB", "YBR_FULL", "YBR_FULL_422"):
        raise InputError(f"The colour space {stored.photometric or 'nothing'} is not supported.")
    if values.dtype != np.uint8:
        values = values >> max(0, min(stored.bits, layout.bits_stored) - 8)
    values = values.astype(np.uint8)
    if stored.photometric != "RGB":
        values = convert_color_space(values, "YBR_FULL", "RGB")
    return np.ascontiguousarray(values)
