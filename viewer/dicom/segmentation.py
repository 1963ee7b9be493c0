"""Segmentations as masks, each cut to what is not empty (PS3.3 A.51, C.8.20)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.uid import UID

from viewer.dicom import limits
from viewer.dicom.attributes import integer, items, numbers, text
from viewer.dicom.border import refusing
from viewer.dicom.dataset import OpenedDicom, read_dicom
from viewer.dicom.frame_header import read_layout
from viewer.dicom.geometry import FrameAttributes
from viewer.dicom.header import number_of_frames
from viewer.dicom.model import Image
from viewer.dicom.objects import Reference, Segment, Segmentation, SegmentMask, rgb_of_cielab
from viewer.dicom.source import open_source
from viewer.dicom.stored import read_stored
from viewer.errors import InputError

_SURELY = 255  # of a mask's values


def read_segmentation(image: Image) -> Segmentation:
    """All segments of the segmentation that ``image`` stands for.

    Raises
    ------
    InputError
        The file is gone, damaged, above a limit, or of a type that is not known.
    """
    with (
        refusing("The segmentation cannot be read"),
        open_source(image.path, image.member) as stream,
    ):
        return segmentation_of(read_dicom(stream, whole=True))


def segmentation_of(opened: OpenedDicom) -> Segmentation:
    """The same for an opened file; raises as `read_segmentation` does, and more on damage."""
    dataset = opened.dataset
    layout = read_layout(opened)
    masks: list[SegmentMask] = []
    size = 0
    for mask in _Masks(opened).read():
        size += mask.values.nbytes
        limits.SEGMENTATION_BYTES.check(size)
        masks.append(mask)
    return Segmentation(
        rows=layout.rows,
        columns=layout.columns,
        frame_of_reference=text(dataset, "FrameOfReferenceUID"),
        segments=tuple(_segment(item) for item in items(dataset, "SegmentSequence")),
        masks=tuple(masks),
    )


def _segment(item: Dataset) -> Segment:
    return Segment(
        number=integer(item, "SegmentNumber") or 0,
        label=text(item, "SegmentLabel") or text(item, "SegmentDescription"),
        colour=rgb_of_cielab(numbers(item, "RecommendedDisplayCIELabValue")),
        algorithm=text(item, "SegmentAlgorithmType").lower(),
    )


class _Masks:
    """Decodes frame after frame and takes the segments out of each."""

    def __init__(self, opened: OpenedDicom) -> None:
        self._opened = opened
        self._layout = read_layout(opened)
        self._attributes = FrameAttributes(opened.dataset)
        dataset = opened.dataset
        self._type = text(dataset, "SegmentationType").upper() or "BINARY"
        if self._type not in ("BINARY", "FRACTIONAL", "LABELMAP"):
            raise InputError(f"A segmentation of the type {self._type} is not supported.")
        self._most = integer(dataset, "MaximumFractionalValue") or 255

    def read(self) -> Iterator[SegmentMask]:
        for frame_number in range(1, number_of_frames(self._opened.dataset) + 1):
            stored = read_stored(self._opened, self._layout, frame_number).values
            for segment, values in self._segments(stored, frame_number):
                rows, columns = np.flatnonzero(values.any(1)), np.flatnonzero(values.any(0))
                if not rows.size:
                    continue
                top, left = int(rows[0]), int(columns[0])
                kept = values[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1].copy()
                yield SegmentMask(
                    segment=segment,
                    values=kept,
                    row=top,
                    column=left,
                    sources=self._sources(frame_number),
                    geometry=self._attributes.geometry(frame_number),
                    spacing=self._attributes.spacing(frame_number),
                    frame_number=frame_number,
                )

    def _segments(
        self, stored: npt.NDArray[Any], frame_number: int
    ) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
        """The segments of a frame: one, or in a label map all that occur (PS3.3 C.8.20.2.3)."""
        if self._type == "LABELMAP":
            for number in np.unique(stored).tolist():
                if number:  # 0 is the background
                    yield number, (stored == number).astype(np.uint8) * _SURELY
            return
        identification = self._attributes.macro("SegmentIdentificationSequence", frame_number)
        number = integer(identification, "ReferencedSegmentNumber") or 0
        if self._type == "BINARY":
            yield number, (stored != 0).astype(np.uint8) * _SURELY
        else:
            share = np.clip(stored.astype(np.float32) / self._most, 0, 1)
            yield number, np.rint(share * _SURELY).astype(np.uint8)

    def _sources(self, frame_number: int) -> tuple[Reference, ...]:
        """The images that a frame was made from (PS3.3 C.7.6.16.2.6)."""
        derivation = self._attributes.macro("DerivationImageSequence", frame_number)
        found = []
        for source in items(derivation, "SourceImageSequence"):
            frames = tuple(int(frame) for frame in numbers(source, "ReferencedFrameNumber"))
            sop_class = UID(text(source, "ReferencedSOPClassUID")).name
            found.append(Reference(text(source, "ReferencedSOPInstanceUID"), sop_class, frames))
        return tuple(found)
