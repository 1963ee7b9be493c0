"""Decides how each picture appears: which presentation state, segments and overlay planes."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor

from viewer.dicom.model import Image, Kind, Study
from viewer.dicom.objects import Report, Segment, Softcopy
from viewer.dicom.segment_places import PlacedMask, PlacedMasks
from viewer.ui.appearance import Appearance, inverted_by
from viewer.ui.frames import Loaded, Place, place_of
from viewer.ui.layer import Layer
from viewer.ui.objects import Objects
from viewer.ui.position import Position, StudyKey, study_key
from viewer.ui.segment_layer import NamedColour, SegmentLayer
from viewer.ui.softcopy_layers import AnnotationLayer, OverlayLayer, ShutterLayer

# Of segments that bring no colour: Okabe and Ito, but the ones of the marks come last.
_PALETTE = ("#cc79a7", "#0072b2", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#d55e00")
_OFF = "off"
_AHEAD = (-2, 3, -1, 2, 1)  # the newest wish is read first


class Dressing(QObject):
    """What the reader has switched on, and what that makes of a picture.

    A presentation state is in force from the start, since it says how its maker wants the image to
    be read; its name stands in the corner, and the reader goes on to the next one or to none.
    """

    changed = Signal()  # what is shown beside the picture's own grey values
    state_switched = Signal()  # by the reader: another presentation state, or none

    def __init__(self, objects: Objects, parent: QObject) -> None:
        super().__init__(parent)
        self.overlays_shown = True
        self.segments_shown = True
        self._objects = objects
        self._chosen: dict[StudyKey, Place | str] = {}  # a presentation state, or off
        self._masks: dict[tuple[Place, Place], tuple[PlacedMask, ...]] = {}
        objects.arrived.connect(self.changed)

    # --- what the reader switches ----------------------------------------------------------------

    def toggle_overlays(self) -> None:
        self.overlays_shown = not self.overlays_shown
        self.changed.emit()

    def toggle_segments(self) -> None:
        self.segments_shown = not self.segments_shown
        self.changed.emit()

    def next_state(self, position: Position | None) -> None:
        """Another presentation state of the image, after the last one none, then again."""
        if position is None:
            return
        states = self._objects.states_of(position.study, position.image)
        now = self._state_of(position)
        if states:
            there = states.index(now) - 1 if now is not None else len(states) - 1
            chosen = place_of(states[there]) if there >= 0 else _OFF
            self._chosen[study_key(position.study)] = chosen
            self.state_switched.emit()

    def has_states(self, position: Position | None) -> bool:
        return position is not None and bool(
            self._objects.states_of(position.study, position.image)
        )

    def has_segments(self, position: Position | None) -> bool:
        return position is not None and bool(
            self._objects.segmentations_of(position.study, position.image)
        )

    def _state_of(self, position: Position) -> Image | None:
        """The state in force: the chosen one if it names the image, else the last one."""
        states = self._objects.states_of(position.study, position.image)
        chosen = self._chosen.get(study_key(position.study))
        if not states or chosen == _OFF:
            return None
        return next((state for state in states if place_of(state) == chosen), states[-1])

    # --- what becomes of a picture ---------------------------------------------------------------

    def appearance(self, position: Position, loaded: Loaded) -> Appearance:
        """How a picture is to appear, as far as is known by now."""
        softcopy, lines = self._softcopy(position)
        layers: list[Layer] = []
        if softcopy is not None and softcopy.shutter is not None:
            layers.append(ShutterLayer(softcopy.shutter))
        if position.image.kind is Kind.IMAGE:
            layers += self._segments(position, lines)
        elif position.image.kind is Kind.SEGMENTATION:
            lines += self._names_in(position.image)
        layers += self._overlays(loaded, softcopy, lines)
        if softcopy is not None:
            for graphics in softcopy.layers:
                if graphics.overlays and self.overlays_shown:
                    layers.append(OverlayLayer(graphics.overlays))
                layers.append(AnnotationLayer(graphics, softcopy.area))
        inverted = inverted_by(softcopy, loaded.frame)
        return Appearance(softcopy, inverted, tuple(layers), tuple(lines))

    def _softcopy(self, position: Position) -> tuple[Softcopy | None, list[str]]:
        states = self._objects.states_of(position.study, position.image)
        if not states:
            return None, []
        state = self._state_of(position)
        if state is None:
            count = "1 presentation state" if len(states) == 1 else f"{len(states)} states"
            return None, [f"{count} off (Y)"]
        self._look_ahead(position)
        found = self._objects.softcopy(state, position.image)
        if not isinstance(found, Softcopy):
            return None, [found or "Reading the presentation state…"]
        if not found.covers:
            return None, []
        name = found.description or found.label or "unnamed"
        number = f" {states.index(state) + 1}/{len(states)}" if len(states) > 1 else ""
        by = f", {found.creator}" if found.creator else ""
        return found, [f"Presentation state{number}: {name}{by} (Y)", *found.notes]

    def _look_ahead(self, position: Position) -> None:
        """Ask for what the neighbours need, so that they come up as they are to be seen."""
        for by in _AHEAD:
            near = position.moved(by)
            state = self._state_of(near)
            if state is not None:
                self._objects.softcopy(state, near.image, ahead=True)

    def _overlays(self, loaded: Loaded, softcopy: Softcopy | None, lines: list[str]) -> list[Layer]:
        """The frame's own planes; under a state those that it activates (PS3.3 C.11.7)."""
        planes = loaded.frame.overlays
        if softcopy is not None:
            active = {group for layer in softcopy.layers for group in layer.overlay_groups}
            planes = tuple(plane for plane in planes if plane.group in active)
        if not planes:
            return []
        if not self.overlays_shown:
            lines.append("Overlay planes off (Shift+O)")
            return []
        return [OverlayLayer(planes)]

    def _segments(self, position: Position, lines: list[str]) -> list[Layer]:
        masks: list[tuple[PlacedMask, QColor]] = []
        legend: list[NamedColour] = []
        for each in self._objects.segmentations_of(position.study, position.image):
            if not self.segments_shown:
                lines.append("Segments off (Shift+S)")
                return []
            found = self._objects.segmentation(each)
            if not isinstance(found, PlacedMasks):
                lines.append(found or "Reading the segments…")
            else:
                key = place_of(each), place_of(position.image)
                placed = self._masks.get(key)
                if placed is None:
                    placed = self._masks[key] = found.on(position.image)
                colours = _colours(found.segmentation.segments)
                masks += [(one, colours[one.mask.segment][1]) for one in placed]
                present = dict.fromkeys(one.mask.segment for one in placed)
                legend += [NamedColour(*colours[number]) for number in sorted(present)]
        return [SegmentLayer(tuple(masks), tuple(legend))] if masks else []

    def report(self, image: Image) -> Report | str | None:
        """The text of an entry that has no picture, as `Objects.report` gives it."""
        return self._objects.report(image)

    def _names_in(self, image: Image) -> tuple[str, ...]:
        """What the segments are called that a frame of a segmentation is the mask of."""
        found = self._objects.segmentation(image)
        if isinstance(found, PlacedMasks):
            return tuple(f"Segment: {name}" for name in found.names_in(image.frame_number))
        return () if found is None else (found,)

    def forget(self, study: Study) -> None:
        """A study was closed: nothing of its objects is kept."""
        self._objects.forget(study)
        self._chosen.pop(study_key(study), None)
        self._masks.clear()


class _Colours(dict[int, tuple[str, QColor]]):
    """Name and colour by segment number; one that no segment declares has its number for a name."""

    def __missing__(self, number: int) -> tuple[str, QColor]:
        return f"Segment {number}", QColor(_PALETTE[number % len(_PALETTE)])


def _colours(segments: tuple[Segment, ...]) -> _Colours:
    found = _Colours()
    for index, segment in enumerate(segments):
        colour = (
            QColor(*segment.colour) if segment.colour else QColor(_PALETTE[index % len(_PALETTE)])
        )
        found[segment.number] = segment.label or f"Segment {segment.number}", colour
    return found
