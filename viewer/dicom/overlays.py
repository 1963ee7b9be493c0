"""DICOM overlay planes of a frame (PS3.3 C.9.2): own data, or unused bits of the pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from viewer.dicom import limits
from viewer.dicom.attributes import number, numbers, raw_value, text
from viewer.dicom.dataset import OVERLAY_GROUPS, OpenedDicom
from viewer.dicom.header import number_of_frames
from viewer.dicom.layout import Layout
from viewer.dicom.model import OverlayPlane
from viewer.errors import InputError

_ROWS, _COLUMNS, _FRAMES, _DESCRIPTION = 0x0010, 0x0011, 0x0015, 0x0022
_TYPE, _ORIGIN, _FRAME_ORIGIN = 0x0040, 0x0050, 0x0051
_BIT_POSITION, _LABEL, _DATA = 0x0102, 0x1500, 0x3000


def read_overlays(
    opened: OpenedDicom, layout: Layout, container: npt.NDArray[Any], frame_number: int
) -> tuple[tuple[OverlayPlane, ...], tuple[str, ...]]:
    """The overlay planes of a frame, and a sentence for each one that is damaged.

    Parameters
    ----------
    container : the frame's stored values with all their bits, used and unused.
    """
    planes: list[OverlayPlane] = []
    notes: list[str] = []
    tags = opened.dataset.keys()
    for group in sorted({tag >> 16 for tag in tags}.intersection(OVERLAY_GROUPS)):
        try:
            plane = _read(opened, group, layout, container, frame_number)
        except InputError as error:
            # The picture itself is none the worse for it.
            notes.append(f"An overlay plane of the file is not shown: {error}")
            continue
        if plane is not None:
            planes.append(plane)
    return tuple(planes), tuple(notes)


def _read(
    opened: OpenedDicom,
    group: int,
    layout: Layout,
    container: npt.NDArray[Any],
    frame_number: int,
) -> OverlayPlane | None:
    dataset = opened.dataset
    data = raw_value(dataset, Tag(group, _DATA))
    if isinstance(data, bytes) and data:
        plane = _from_data(opened, group, data, frame_number)
    else:
        plane = _from_unused_bits(dataset, group, layout, container)
    if plane is None:
        return None
    # Overlay Origin counts rows, then columns, from 1.
    origin = numbers(dataset, Tag(group, _ORIGIN))
    row, column = map(int, origin) if len(origin) == 2 else (1, 1)
    return OverlayPlane(
        plane=plane,
        row=row - 1,
        column=column - 1,
        kind="R" if text(dataset, Tag(group, _TYPE)).upper().startswith("R") else "G",
        label=text(dataset, Tag(group, _LABEL)),
        description=text(dataset, Tag(group, _DESCRIPTION)),
        group=group,
    )


def _from_data(
    opened: OpenedDicom, group: int, data: bytes, frame_number: int
) -> npt.NDArray[np.bool_] | None:
    """Overlay Data: one bit a pixel, the lowest first, frame after frame without padding."""
    dataset = opened.dataset
    rows, columns = _number(dataset, group, _ROWS, 0), _number(dataset, group, _COLUMNS, 0)
    if rows < 1 or columns < 1:
        raise InputError("it has no valid rows and columns.")
    limits.FRAME_PIXELS.check(rows * columns)
    index = _overlay_frame(dataset, group, frame_number)
    if index is None:
        return None
    if not opened.is_little_endian:  # sent as words
        data = np.frombuffer(data[: len(data) // 2 * 2], ">u2").astype("<u2").tobytes()
    start = rows * columns * index
    first, last = start // 8, (start + rows * columns + 7) // 8
    if len(data) < last:
        raise InputError("it is cut short.")
    bits = np.unpackbits(np.frombuffer(data[first:last], np.uint8), bitorder="little")
    bits = bits[start - 8 * first :][: rows * columns]
    return bits.reshape(rows, columns).astype(np.bool_)


def _overlay_frame(dataset: Dataset, group: int, frame_number: int) -> int | None:
    """Which frame of the overlay lies on a frame of the image, from 0 (PS3.3 C.9.2.1.4)."""
    frames = _number(dataset, group, _FRAMES, 1)
    origin = _number(dataset, group, _FRAME_ORIGIN, 0)
    if frames <= 1 and (origin == 0 or number_of_frames(dataset) == 1):
        return 0
    index = frame_number - max(1, origin)
    return index if 0 <= index < frames else None


def _from_unused_bits(
    dataset: Dataset, group: int, layout: Layout, container: npt.NDArray[Any]
) -> npt.NDArray[np.bool_] | None:
    """A bit of the pixels that is no part of their value (retired, but found in old files)."""
    if not _number(dataset, group, _ROWS, 0) or container.ndim != 2 or container.dtype.kind == "f":
        return None
    position = _number(dataset, group, _BIT_POSITION, 0)
    used = range(layout.high_bit + 1 - layout.bits_stored, layout.high_bit + 1)
    if position in used or not 0 <= position < 8 * container.dtype.itemsize:
        return None
    bit = container >> np.array(position, container.dtype) & 1
    return np.asarray(bit, np.bool_)


def _number(dataset: Dataset, group: int, element: int, default: int) -> int:
    found = number(dataset, Tag(group, element))
    return default if found is None else int(found)
