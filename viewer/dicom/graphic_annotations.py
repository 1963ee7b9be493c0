"""The graphics, texts and overlay planes of a presentation state, layer by layer (PS3.3 C.10.5)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from viewer.dicom import limits
from viewer.dicom.attributes import integer, items, number, numbers, raw_value, text
from viewer.dicom.dataset import OVERLAY_GROUPS, OpenedDicom
from viewer.dicom.layout import Layout
from viewer.dicom.objects import (
    Colour,
    Graphic,
    GraphicLayer,
    GraphicType,
    Point,
    Text,
    Units,
    rgb_of_cielab,
)
from viewer.dicom.overlays import read_overlays

_ACTIVATION_LAYER = 0x1001
_NO_LAYOUT = Layout(1, 1, 1, 8, 8, 7, False, "MONOCHROME2")  # a state has no pixels of its own
_FARTHEST = 1e6  # pixels; or fractions, of which 1 is the whole picture
_FIRST_POINTS = {GraphicType.CIRCLE: 2, GraphicType.ELLIPSE: 4}


class GraphicReader:
    """Reads the layers of one state for one frame; ``notes`` says what is not shown."""

    def __init__(self, opened: OpenedDicom, uid: str, frame_number: int) -> None:
        self.notes: list[str] = []
        self._opened = opened
        self._uid = uid
        self._frame_number = frame_number
        self._points = 0

    def layers(self) -> tuple[GraphicLayer, ...]:
        """All layers that hold something for the frame, the lowest first."""
        dataset = self._opened.dataset
        graphics: dict[str, list[Graphic]] = {}
        texts: dict[str, list[Text]] = {}
        for annotation in items(dataset, "GraphicAnnotationSequence"):
            if applies(annotation, self._uid, self._frame_number):
                name = text(annotation, "GraphicLayer")
                graphics.setdefault(name, []).extend(self._graphics(annotation))
                texts.setdefault(name, []).extend(self._texts(annotation))
        planes, notes = read_overlays(self._opened, _NO_LAYOUT, np.zeros(0), self._frame_number)
        self.notes.extend(notes)
        own = {plane.group: plane for plane in planes}
        activated: dict[str, list[int]] = {}
        for group in OVERLAY_GROUPS:
            name = text(dataset, Tag(group, _ACTIVATION_LAYER))
            if name:
                activated.setdefault(name, []).append(group)
        declared = _declared(dataset)
        used = [*declared, *(n for n in (*graphics, *texts, *activated) if n not in declared)]
        layers = []
        for name in dict.fromkeys(used):
            groups = activated.get(name, [])
            layer = GraphicLayer(
                name=name,
                colour=declared.get(name),
                graphics=tuple(graphics.get(name, ())),
                texts=tuple(texts.get(name, ())),
                overlays=tuple(own[group] for group in groups if group in own),
                overlay_groups=tuple(group for group in groups if group not in own),
            )
            if layer.graphics or layer.texts or groups:
                layers.append(layer)
        return tuple(layers)

    def _graphics(self, annotation: Dataset) -> Iterable[Graphic]:
        for item in items(annotation, "GraphicObjectSequence"):
            points = _points(numbers(item, "GraphicData"))
            self._points += len(points)
            limits.GRAPHIC_POINTS.check(self._points)
            units = _units(item, "GraphicAnnotationUnits")
            try:
                kind = GraphicType(text(item, "GraphicType").upper())
            except ValueError:
                kind = None
            few = kind is None or len(points) < _FIRST_POINTS.get(kind, 1)
            if kind is None or units is None or few or not is_near(points):
                self.notes.append("A graphic of the presentation state is damaged and not shown.")
                continue
            filled = text(item, "GraphicFilled").upper() == "Y"
            yield Graphic(kind, points, units, filled, _line_colour(item))

    def _texts(self, annotation: Dataset) -> Iterable[Text]:
        for item in items(annotation, "TextObjectSequence"):
            words = str(raw_value(item, "UnformattedTextValue") or "").replace("\r\n", "\n").strip()
            corners = (
                *_points(numbers(item, "BoundingBoxTopLeftHandCorner")),
                *_points(numbers(item, "BoundingBoxBottomRightHandCorner")),
            )
            anchors = _points(numbers(item, "AnchorPoint"))
            box_units = _units(item, "BoundingBoxAnnotationUnits")
            anchor_units = _units(item, "AnchorPointAnnotationUnits")
            box = (corners[0], corners[1]) if len(corners) == 2 and box_units else None
            anchor = anchors[0] if anchors and anchor_units else None
            if not words or (box is None and anchor is None) or not is_near((*corners, *anchors)):
                self.notes.append("A text of the presentation state has no place and is not shown.")
                continue
            yield Text(
                words=words,
                box=box,
                box_units=box_units or Units.PIXEL,
                anchor=anchor,
                anchor_units=anchor_units or Units.PIXEL,
                anchor_visible=text(item, "AnchorPointVisibility").upper() == "Y",
                justification=text(item, "BoundingBoxTextHorizontalJustification").upper()
                or "LEFT",
                colour=_text_colour(item),
            )


def applies(item: Dataset, uid: str, frame_number: int) -> bool:
    """Whether an item is meant for a frame: all of them where it names none (PS3.3 C.10.5)."""
    references = items(item, "ReferencedImageSequence")
    if not references:
        return True
    for reference in references:
        frames = numbers(reference, "ReferencedFrameNumber")
        if text(reference, "ReferencedSOPInstanceUID") == uid and (
            not frames or frame_number in frames
        ):
            return True
    return False


def is_near(points: Iterable[Point]) -> bool:
    """Whether points can belong to a picture; no painter is to walk to those of a damaged file."""
    return all(abs(part) <= _FARTHEST for point in points for part in point)


def grey_of(p_value: float | None) -> int:
    """A P-Value of 16 bits as a grey of 8 (PS3.3 C.11.6)."""
    return 0 if p_value is None else round(min(max(p_value, 0), 65535) / 65535 * 255)


def _declared(dataset: Dataset) -> dict[str, Colour | None]:
    """The layers by name, in their order (PS3.3 C.10.7), each with its colour."""
    found = items(dataset, "GraphicLayerSequence")
    found.sort(key=lambda item: integer(item, "GraphicLayerOrder") or 0)
    return {text(item, "GraphicLayer"): _layer_colour(item) for item in found}


def _layer_colour(item: Dataset) -> Colour | None:
    lab = rgb_of_cielab(numbers(item, "GraphicLayerRecommendedDisplayCIELabValue"))
    if lab is not None:
        return lab
    rgb = numbers(item, "GraphicLayerRecommendedDisplayRGBValue")  # retired
    if len(rgb) == 3:
        return grey_of(rgb[0]), grey_of(rgb[1]), grey_of(rgb[2])
    grey = number(item, "GraphicLayerRecommendedDisplayGrayscaleValue")
    return None if grey is None else (grey_of(grey),) * 3


def _line_colour(item: Dataset) -> Colour | None:
    styles = items(item, "LineStyleSequence")
    return rgb_of_cielab(numbers(styles[0], "PatternOnColorCIELabValue")) if styles else None


def _text_colour(item: Dataset) -> Colour | None:
    styles = items(item, "TextStyleSequence")
    return rgb_of_cielab(numbers(styles[0], "TextColorCIELabValue")) if styles else None


def _units(item: Dataset, keyword: str) -> Units | None:
    try:
        return Units(text(item, keyword).upper())
    except ValueError:
        return None


def _points(values: tuple[float, ...]) -> tuple[Point, ...]:
    return tuple(zip(values[::2], values[1::2], strict=False))
