"""Softcopy presentation states: how they want an image to be seen (PS3.3 A.33, PS3.4 N.2)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from viewer.dicom.attributes import integer, items, number, numbers, person_name, text
from viewer.dicom.border import refusing
from viewer.dicom.dataset import OpenedDicom, read_dicom
from viewer.dicom.frame_header import read_layout
from viewer.dicom.geometry import FrameAttributes
from viewer.dicom.graphic_annotations import GraphicReader, applies, grey_of, is_near
from viewer.dicom.grey import read_modality, read_vois, to_modality_values
from viewer.dicom.layout import Layout
from viewer.dicom.luts import read_lut
from viewer.dicom.meaning import LookupTable, Modality
from viewer.dicom.model import Image, OverlayPlane, Voi, VoiFunction, VoiTable, VoiWindow
from viewer.dicom.objects import DisplayedArea, Shutter, SizeMode, Softcopy, rgb_of_cielab
from viewer.dicom.overlays import read_overlays
from viewer.dicom.source import open_source
from viewer.dicom.voi import brightness
from viewer.errors import InputError

_TABLE_ENTRIES = 1 << 17  # of a table over modality values: all of 16 bits, and a slope of two
_P_VALUES = 65535  # the range of what a table gives


def read_softcopy(state: Image, image: Image) -> Softcopy:
    """How the presentation state that ``state`` stands for wants a frame to be seen.

    Raises
    ------
    InputError
        One of the files is gone or damaged, or the state is above a limit.
    """
    with (
        refusing("The presentation state cannot be read"),
        open_source(state.path, state.member) as stream,
        open_source(image.path, image.member) as image_stream,
    ):
        opened, target = read_dicom(stream, whole=True), read_dicom(image_stream)
        return softcopy_of(opened, target, image.uid, image.frame_number)


def softcopy_of(opened: OpenedDicom, target: OpenedDicom, uid: str, frame_number: int) -> Softcopy:
    """The same for opened files: the state's, and the header of the image."""
    dataset = opened.dataset
    reader = GraphicReader(opened, uid, frame_number)
    layers = reader.layers()
    notes = list(reader.notes)
    voi: Voi | None = None
    inverse = False
    try:
        layout = read_layout(target)
        if layout.samples == 1 and layout.photometric != "PALETTE COLOR":
            voi, inverse = _Grey(opened, target, layout, uid, frame_number).read()
    except InputError as error:
        notes.append(f"The greys are the image's own, not the presentation state's: {error}")
    area = _area(dataset, uid, frame_number)
    if area is not None and area.mode is SizeMode.TRUE_SIZE:
        notes.append("The presentation state asks for true size, which this screen cannot promise.")
    created = text(dataset, "PresentationCreationDate") + text(dataset, "PresentationCreationTime")
    return Softcopy(
        label=text(dataset, "ContentLabel"),
        description=text(dataset, "ContentDescription"),
        creator=person_name(dataset, "ContentCreatorName"),
        created=created[:12],
        voi=voi,
        inverse=inverse,
        shutter=_shutter(opened, frame_number),
        area=area,
        quarter_turns=(integer(dataset, "ImageRotation") or 0) // 90 % 4,
        mirrored=text(dataset, "ImageHorizontalFlip").upper() == "Y",
        layers=layers,
        notes=tuple(dict.fromkeys(notes)),
        covers=any(
            applies(series, uid, frame_number)
            for series in items(dataset, "ReferencedSeriesSequence")
        ),
    )


# --- greys ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Grey:
    """The state's modality LUT, VOI LUT and Presentation LUT as one map of modality values.

    The state's grey scale replaces that of the image as a whole, MONOCHROME1 included: where its
    black is to be white, the state says INVERSE (PS3.4 N.2.1).
    """

    opened: OpenedDicom
    target: OpenedDicom
    layout: Layout
    uid: str
    frame_number: int

    def read(self) -> tuple[Voi, bool]:
        dataset, little = self.opened.dataset, self.opened.is_little_endian
        source = FrameAttributes(self.target.dataset).macro(
            "PixelValueTransformationSequence", self.frame_number
        )
        own = read_modality(self.target, source, self.layout)
        theirs = read_modality(self.opened, dataset, self.layout)
        voi = self._voi(theirs)
        inverse = text(dataset, "PresentationLUTShape").upper() == "INVERSE"
        tables = items(dataset, "PresentationLUTSequence")
        table = read_lut(tables[0], little, False) if tables else None
        same = _same(own, theirs)
        if same and table is None:
            return voi, inverse
        if same:
            low, high = self._range(own)
            values = np.arange(np.floor(low), np.ceil(high) + 1)
            outputs = _presented(brightness(values, voi), table)
        else:
            stored = self._stored_values()
            values = np.asarray(to_modality_values(own, stored), np.float64)
            outputs = _presented(brightness(to_modality_values(theirs, stored), voi), table)
            if own.table is not None or (values % 1).any():
                raise InputError("its modality LUT cannot be applied after the image's own.")
        return _as_table(values, outputs, text(dataset, "ContentLabel")), inverse

    def _voi(self, modality: Modality) -> Voi:
        """The first VOI for the frame, else all of the modality LUT's range (PS3.4 N.2.1.2)."""
        dataset = self.opened.dataset
        for item in items(dataset, "SoftcopyVOILUTSequence"):
            if applies(item, self.uid, self.frame_number):
                signed = self._range(modality)[0] < 0
                found = read_vois(item, self.opened.is_little_endian, signed)
                if found:
                    return found[0]
        low, high = self._range(modality)
        return VoiWindow((low + high) / 2, max(high - low, 1.0), VoiFunction.LINEAR_EXACT)

    def _range(self, modality: Modality) -> tuple[float, float]:
        """The lowest and highest value that the modality LUT can give (PS3.3 C.11.1.1.2)."""
        if modality.table is not None:
            return 0.0, float(2**modality.table.bits - 1)
        bits = self.layout.bits_stored
        low, high = (
            (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if self.layout.signed else (0, 2**bits - 1)
        )
        ends = [end * modality.slope + modality.intercept for end in (low, high)]
        return min(ends), max(ends)

    def _stored_values(self) -> npt.NDArray[Any]:
        bits = self.layout.bits_stored
        if bits > 16:
            raise InputError(f"its lookup tables do not fit {bits} bits.")
        first = -(2 ** (bits - 1)) if self.layout.signed else 0
        return np.arange(first, first + 2**bits, dtype=np.int32)


def _same(own: Modality, theirs: Modality) -> bool:
    if own.table is None or theirs.table is None:
        return (
            own.table is theirs.table
            and math.isclose(own.slope, theirs.slope)
            and math.isclose(own.intercept, theirs.intercept, abs_tol=1e-9)
        )
    return own.table.first == theirs.table.first and np.array_equal(
        own.table.entries, theirs.table.entries
    )


def _presented(
    brightness_values: npt.NDArray[np.float64], table: LookupTable | None
) -> npt.NDArray[np.float64]:
    """The Presentation LUT, whose inputs are the whole range of VOI outputs (PS3.3 C.11.6.1)."""
    if table is None:
        return brightness_values
    index = np.rint(brightness_values * (len(table.entries) - 1)).astype(np.int64)
    outputs: npt.NDArray[np.float64] = table.entries[index] / (2.0**table.bits - 1)
    return np.clip(outputs, 0.0, 1.0)


def _as_table(
    values: npt.NDArray[np.float64], outputs: npt.NDArray[np.float64], label: str
) -> VoiTable:
    """Outputs by modality value; values between two take that of the lower one."""
    order = np.argsort(values, kind="stable")
    first, last = int(values[order[0]]), int(values[order[-1]])
    if last - first >= _TABLE_ENTRIES:
        raise InputError("its lookup tables span too many values.")
    places = np.searchsorted(values[order], np.arange(first, last + 1), side="right") - 1
    entries = np.rint(outputs[order][places] * _P_VALUES).astype(int)
    return VoiTable(first, tuple(entries.tolist()), 16, label)


# --- what is covered, and which part is shown ----------------------------------------------------


def _shutter(opened: OpenedDicom, frame_number: int) -> Shutter | None:
    """PS3.3 C.7.6.11 and C.7.6.15; rows and columns count from 1."""
    dataset = opened.dataset
    shapes = text(dataset, "ShutterShape").upper().split("\\")
    edges = [
        number(dataset, f"Shutter{edge}Edge")
        for edge in ("LeftVertical", "UpperHorizontal", "RightVertical", "LowerHorizontal")
    ]
    rectangle = circle = None
    polygon: tuple[tuple[float, float], ...] = ()
    if "RECTANGULAR" in shapes and None not in edges:
        left, top, right, bottom = (edge or 0.0 for edge in edges)
        rectangle = left - 1, top - 1, right, bottom
    centre, radius = (
        numbers(dataset, "CenterOfCircularShutter"),
        number(dataset, "RadiusOfCircularShutter"),
    )
    if "CIRCULAR" in shapes and len(centre) == 2 and radius is not None:
        circle = centre[1] - 0.5, centre[0] - 0.5, radius
    corners = numbers(dataset, "VerticesOfThePolygonalShutter")
    if "POLYGONAL" in shapes and len(corners) >= 6:
        rows, columns = corners[::2], corners[1::2]
        polygon = tuple((x - 0.5, y - 0.5) for y, x in zip(rows, columns, strict=False))
    bitmap = _bitmap(opened, frame_number) if "BITMAP" in shapes else None
    ends = (*(rectangle or ()), *(circle or ()))
    shut = rectangle is not None or circle is not None or polygon or bitmap is not None
    if not shut or not is_near((*polygon, *((end, 0.0) for end in ends))):
        return None
    return Shutter(rectangle, circle, polygon, bitmap, _shutter_grey(dataset))


def _shutter_grey(dataset: Dataset) -> int:
    grey = number(dataset, "ShutterPresentationValue")
    colour = rgb_of_cielab(numbers(dataset, "ShutterPresentationColorCIELabValue"))
    return grey_of(grey) if grey is not None or colour is None else round(sum(colour) / 3)


def _bitmap(opened: OpenedDicom, frame_number: int) -> OverlayPlane | None:
    group = integer(opened.dataset, "ShutterOverlayGroup")
    layout = Layout(1, 1, 1, 8, 8, 7, False, "MONOCHROME2")
    planes, _ = read_overlays(opened, layout, np.zeros(0), frame_number)
    return next((plane for plane in planes if plane.group == group), None)


def _area(dataset: Dataset, uid: str, frame_number: int) -> DisplayedArea | None:
    """PS3.3 C.10.4: two corner pixels, counted from 1, column first, whichever way it is turned."""
    for item in items(dataset, "DisplayedAreaSelectionSequence"):
        first = numbers(item, "DisplayedAreaTopLeftHandCorner")
        last = numbers(item, "DisplayedAreaBottomRightHandCorner")
        if not applies(item, uid, frame_number) or len(first) != 2 or len(last) != 2:
            continue
        if not is_near(((first[0], first[1]), (last[0], last[1]))):
            continue
        (left, right), (top, bottom) = (sorted(pair) for pair in zip(first, last, strict=True))
        try:
            mode = SizeMode(text(item, "PresentationSizeMode").upper())
        except ValueError:
            mode = SizeMode.SCALE_TO_FIT
        magnification = number(item, "PresentationPixelMagnificationRatio") or 1.0
        return DisplayedArea(left - 1, top - 1, right, bottom, mode, magnification)
    return None
