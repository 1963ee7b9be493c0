"""What maps the stored values of a grey frame: modality LUT, padding, VOI LUTs and windows."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from viewer.dicom.attributes import items, number, numbers, raw_value, text
from viewer.dicom.dataset import OpenedDicom
from viewer.dicom.geometry import FrameAttributes
from viewer.dicom.layout import Layout
from viewer.dicom.luts import read_lut, read_supplemental_palette
from viewer.dicom.meaning import Meaning, Modality
from viewer.dicom.model import SupplementalPalette, Voi, VoiFunction, VoiTable, VoiWindow
from viewer.errors import InputError

_LARGEST = 1e12  # no modality value is larger; a window beyond it is damage


def read_meaning(opened: OpenedDicom, layout: Layout, frame_number: int) -> Meaning:
    """What the stored values of a frame stand for, and how the file wants them seen.

    Raises
    ------
    InputError
        A lookup table is damaged.
    """
    attributes = FrameAttributes(opened.dataset)
    source = attributes.macro("PixelValueTransformationSequence", frame_number)
    transform = read_modality(opened, source, layout)
    windows = attributes.macro("FrameVOILUTSequence", frame_number)
    little = opened.is_little_endian
    return Meaning(
        transform=transform,
        vois=read_vois(windows, little, layout.signed),
        signed_vois=read_vois(windows, little, True),
        padding=read_padding(opened.dataset, layout, transform),
        palette=read_colours(opened, layout, transform),
    )


def to_modality_values(transform: Modality, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Stored values as modality values: integers where they stay whole, else float32."""
    if transform.table is not None:
        return transform.table.apply(values)
    if transform.slope == 1 and transform.intercept == 0:
        return values.astype(np.float32) if values.dtype == np.float64 else values
    if values.dtype.kind == "f" or transform.slope % 1 or transform.intercept % 1:
        return _in_float(transform, values)
    ends = [int(values.min()) * transform.slope, int(values.max()) * transform.slope]
    low, high = min(ends) + transform.intercept, max(ends) + transform.intercept
    for name in ("int16", "uint16", "int32"):
        bounds = np.iinfo(name)
        if bounds.min <= low and high <= bounds.max:
            # The sum is right in the target type even where a part of it wraps round.
            target = np.dtype(name)
            is_wide = values.dtype.itemsize == target.itemsize
            result = values.view(target) if is_wide else values.astype(target)
            if transform.slope != 1:
                result = result * np.array(int(transform.slope)).astype(target)
            return np.asarray(result + np.array(int(transform.intercept)).astype(target))
    return _in_float(transform, values)


def shift_of(
    transform: Modality, values: npt.NDArray[Any], applied: npt.NDArray[Any]
) -> int | None:
    """What ``to_modality_values`` added to the stored values, where that was all that it did."""
    if transform.table is not None or transform.slope != 1 or transform.intercept % 1:
        return None
    is_exact = applied.dtype.kind in "iu" or applied is values
    return int(transform.intercept) if is_exact else None


def _in_float(transform: Modality, values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Computed in float64, so that each value is the float32 nearest to the exact one."""
    if values.dtype.kind == "f" or values.dtype.itemsize > 2:
        return (values.astype(np.float64) * transform.slope + transform.intercept).astype(
            np.float32
        )
    # Of 16 bits there are fewer values than pixels, and a table is faster than arithmetic.
    unsigned = np.dtype(f"u{values.dtype.itemsize}")
    patterns = np.arange(2 ** (8 * unsigned.itemsize)).astype(unsigned).view(values.dtype)
    table = (patterns * transform.slope + transform.intercept).astype(np.float32)
    return np.asarray(cv2.LUT(values.view(unsigned), table), np.float32)


def read_modality(opened: OpenedDicom, source: Dataset, layout: Layout) -> Modality:
    modality = text(opened.dataset, "Modality")
    tables = items(opened.dataset, "ModalityLUTSequence")
    if tables:
        unit = text(tables[0], "ModalityLUTType")
        table = read_lut(tables[0], opened.is_little_endian, layout.signed)
        return Modality(1.0, 0.0, "" if unit == "US" else unit, table)
    slope, intercept = number(source, "RescaleSlope"), number(source, "RescaleIntercept")
    unit = text(source, "RescaleType")
    # A slope of zero would wipe the picture out; it is written by mistake for "none".
    if not slope:
        slope = 1.0
    if intercept is None:
        intercept = 0.0
    is_derived = text(opened.dataset, "ImageType").upper().startswith("DERIVED")
    if unit == "US" and is_derived:  # "unspecified" in earnest: a perfusion map is none of HU
        unit = ""
    elif modality == "CT" and unit in ("", "HU", "US"):
        unit = "HU" if raw_value(source, "RescaleIntercept") is not None else ""
    return Modality(slope, intercept, "" if unit == "US" else unit)


def read_padding(
    dataset: Dataset, layout: Layout, transform: Modality
) -> tuple[float, float] | None:
    """Pixel Padding Value and Range Limit (PS3.3 C.7.5.1.1.2) in modality values.

    Float and double float pixel data have attributes of their own for it.
    """
    if transform.table is not None:
        return None
    for kind in ("", "Float", "DoubleFloat"):
        names = f"{kind}PixelPaddingValue", f"{kind}PixelPaddingRangeLimit"
        ends = [end for end in (number(dataset, name) for name in names) if end is not None]
        if number(dataset, names[0]) is None:
            continue
        found = ends if kind else [_with_sign(int(end), layout) for end in ends]
        mapped = [value * transform.slope + transform.intercept for value in found]
        return min(mapped), max(mapped)
    return None


def _with_sign(value: int, layout: Layout) -> int:
    """US or SS by Pixel Representation; some files carry the other of the two."""
    value %= 2**layout.bits_allocated
    if layout.signed and value >= 2 ** (layout.bits_allocated - 1):
        value -= 2**layout.bits_allocated
    return value


def read_colours(
    opened: OpenedDicom, layout: Layout, transform: Modality
) -> SupplementalPalette | None:
    """The supplemental palette, where the frame is to be seen in colour (PS3.3 C.8.16.2.1.1.2)."""
    dataset = opened.dataset
    if (
        text(dataset, "PixelPresentation") not in ("COLOR", "MIXED")
        or "RedPaletteColorLookupTableDescriptor" not in dataset
        or layout.bits_stored > 16
        or transform.table is not None
    ):
        return None
    first, entries = read_supplemental_palette(
        dataset, opened.is_little_endian, layout.bits_stored, layout.signed
    )
    start = first * transform.slope + transform.intercept
    return SupplementalPalette(start, transform.slope, entries)


def read_vois(source: Dataset, little_endian: bool, signed: bool) -> tuple[Voi, ...]:
    """VOI LUTs, then windows, each in the order of the file; unusable ones are left out."""
    tables: list[Voi] = []
    for item in items(source, "VOILUTSequence"):
        try:
            table = read_lut(item, little_endian, signed)
        except InputError:
            # A damaged suggestion of how to show the values does not make them unreadable.
            continue
        entries = tuple(table.entries.tolist())
        tables.append(VoiTable(table.first, entries, table.bits, table.explanation))
    centers, widths = numbers(source, "WindowCenter"), numbers(source, "WindowWidth")
    names = text(source, "WindowCenterWidthExplanation").split("\\")
    try:
        function = VoiFunction(text(source, "VOILUTFunction").upper() or "LINEAR")
    except ValueError:
        function = VoiFunction.LINEAR
    windows: list[Voi] = [
        VoiWindow(center, width, function, names[index] if index < len(names) else "")
        for index, (center, width) in enumerate(zip(centers, widths, strict=False))
        if 0 < width < _LARGEST and abs(center) < _LARGEST  # PS3.3 C.11.2.1.2
    ]
    return tuple(tables + windows)
