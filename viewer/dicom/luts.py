"""Lookup tables of a data set: modality LUT, VOI LUT and palette (PS3.3 C.11.1, C.11.2, C.7.9)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut

from viewer.dicom.attributes import raw_value, text
from viewer.dicom.meaning import LookupTable
from viewer.errors import InputError


def read_lut(item: Dataset, little_endian: bool, signed_input: bool) -> LookupTable:
    """The table of a Modality LUT or VOI LUT Sequence item.

    Raises
    ------
    InputError
        Descriptor and data contradict each other.
    """
    table = _read(item, "LUTDescriptor", "LUTData", little_endian, signed_input)
    return LookupTable(table.first, table.entries, table.bits, text(item, "LUTExplanation"))


def read_palette(
    dataset: Dataset, little_endian: bool, bits_stored: int, signed: bool
) -> npt.NDArray[np.uint8]:
    """The palette as RGB for every stored value, (2**bits_stored, 3) uint8, from value 0 up.

    Signed stored values are looked up by their bit pattern.

    Raises
    ------
    InputError
        There is no palette, or it is damaged.
    """
    inputs = np.arange(2**bits_stored, dtype=np.int64)
    if signed:
        inputs = np.where(inputs >= 2 ** (bits_stored - 1), inputs - 2**bits_stored, inputs)
    if "SegmentedRedPaletteColorLookupTableData" in dataset:
        return _to_8_bits(apply_color_lut(inputs, dataset)[:, :3])
    colours = []
    for colour in ("Red", "Green", "Blue"):
        name = f"{colour}PaletteColorLookupTable"
        table = _read(dataset, f"{name}Descriptor", f"{name}Data", little_endian, signed)
        colours.append(table.apply(inputs))
    return _to_8_bits(np.stack(colours, axis=1))


def read_supplemental_palette(
    dataset: Dataset, little_endian: bool, bits_stored: int, signed: bool
) -> tuple[int, npt.NDArray[np.uint8]]:
    """The first stored value that has a colour, and the colours from there on, (n, 3) uint8.

    Raises
    ------
    InputError
        The palette is damaged.
    """
    order = "<" if little_endian else ">"
    descriptor = _words(raw_value(dataset, "RedPaletteColorLookupTableDescriptor"), order)
    if len(descriptor) != 3:
        raise InputError("The supplemental palette has no valid descriptor.")
    count, first = int(descriptor[0]) or 65536, int(descriptor[1])
    if signed and first >= 32768:
        first -= 65536
    inputs = np.arange(first, first + count)
    by_pattern = read_palette(dataset, little_endian, bits_stored, signed)
    return first, by_pattern[inputs & (2**bits_stored - 1)]


def _to_8_bits(table: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    # Entries of 16 bits hold the colour in their high byte (PS3.3 C.7.6.3.1.6), but writers exist
    # that put 8-bit colours into 16-bit entries.
    if table.dtype.itemsize > 1 and table.max() > 255:
        table = table >> 8
    return table.astype(np.uint8)


def _read(
    dataset: Dataset, descriptor_keyword: str, data_keyword: str, little: bool, signed: bool
) -> LookupTable:
    order = "<" if little else ">"
    descriptor = _words(raw_value(dataset, descriptor_keyword), order)
    data = raw_value(dataset, data_keyword)
    if len(descriptor) != 3 or data is None:
        raise InputError(f"The lookup table has no valid {descriptor_keyword}.")
    # Zero stands for 2**16 entries; the first input is signed where the values it maps are.
    count = int(descriptor[0]) % 65536 or 65536
    first, bits = int(descriptor[1]) % 65536, int(descriptor[2])
    if signed and first >= 32768:
        first -= 65536
    if not 1 <= bits <= 16:
        raise InputError(f"A lookup table of {bits} bits is not supported.")
    entries: npt.NDArray[Any]
    if isinstance(data, bytes) and len(data) < 2 * count:
        entries = np.frombuffer(data, np.uint8)  # two 8-bit entries packed in each word
        if not little and len(data) > 1:
            entries = entries[: len(data) // 2 * 2].reshape(-1, 2)[:, ::-1].ravel()
    else:
        entries = _words(data, order)
    if len(entries) < count:
        raise InputError("The lookup table is shorter than its descriptor says.")
    entries = entries[:count]
    # A descriptor that says fewer bits than the entries have would turn most of them white.
    needed = int(entries.max()).bit_length()
    return LookupTable(first, entries, max(needed, min(bits, 8 * entries.dtype.itemsize)))


def _words(value: Any, order: str) -> npt.NDArray[Any]:
    """Unsigned 16-bit values, however pydicom hands them out: bytes, one number, a list."""
    if value is None:
        return np.zeros(0, np.uint16)
    if isinstance(value, bytes):
        return np.frombuffer(value[: len(value) // 2 * 2], f"{order}u2").astype(np.uint16)
    parts = [value] if isinstance(value, int) else list(value)
    return np.array([int(part) % 65536 for part in parts], np.uint16)
