"""The picture with what is drawn over it: layers, marks, measurements, letters, corner text."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QPointF
from PySide6.QtGui import QEnterEvent, QFontMetrics, QPainter
from PySide6.QtWidgets import QWidget

from detector.types import Box
from viewer.dicom.model import Frame, Image, Voi
from viewer.dicom.spacing import scale_at
from viewer.review.measurement import Measurement, Point, Shape
from viewer.ui import corner_text, edge_letters, mark_painting, measurement_painting, theme
from viewer.ui.corner_text import CornerText
from viewer.ui.layer import Layer
from viewer.ui.magnifier import Magnifier
from viewer.ui.mark_painting import Tag
from viewer.ui.marks import Mark, mark_at
from viewer.ui.measurement_painting import Label
from viewer.ui.measurement_shapes import measurement_at
from viewer.ui.measurement_words import measurement_lines
from viewer.ui.picture_view import PictureView, Shown
from viewer.ui.tools import Draft
from viewer.ui.view_transform import ViewTransform

_FIGURES_KEPT = 64  # of measurements: a drag makes new ones with each step


class GraphicsView(PictureView):
    """Draws over a frame; what was set for one frame goes with it, but for marks and text."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._marks: tuple[Mark, ...] = ()
        self._proposals: tuple[Box, ...] = ()
        self._layers: tuple[Layer, ...] = ()
        self._measurements: tuple[Measurement, ...] = ()
        self._chosen: str | None = None  # the selected measurement
        self._corners = CornerText()
        self._note = ""
        self._cursor_at: tuple[float, float] | None = None
        self._magnifier = Magnifier()
        self._tags: tuple[Tag, ...] = ()
        self._labels: tuple[Label, ...] = ()
        self._laid_out_of: tuple[object, ...] = ()
        self._figures: dict[tuple[Shape, tuple[Point, ...]], tuple[str, ...]] = {}

    # What is drawn

    def show_frame(
        self, image: Image, frame: Frame, voi: Voi | None = None, *, same_series: bool = False
    ) -> None:
        """Show a frame as `PictureView` does; layers and measurements of the one before go."""
        self._forget_graphics()
        super().show_frame(image, frame, voi, same_series=same_series)

    def show_message(self, title: str, detail: str = "") -> None:
        self._forget_graphics()
        self._marks = ()
        self._proposals = ()
        super().show_message(title, detail)

    def _forget_graphics(self) -> None:
        self._layers = ()
        self._measurements = ()
        self._figures.clear()
        self._laid_out_of = ()

    def set_marks(self, marks: tuple[Mark, ...]) -> None:
        """Draw these marks from now on."""
        self._marks = marks
        self.update()

    def set_proposals(self, proposals: tuple[Box, ...]) -> None:
        """Draw these regions below the marks, in pixels of the frame; they cannot be clicked."""
        if proposals != self._proposals:
            self._proposals = proposals
            self.update()

    @property
    def layers(self) -> tuple[Layer, ...]:
        return self._layers

    def set_layers(self, layers: tuple[Layer, ...]) -> None:
        """Draw these over the frame on the screen, the last one on top, all below the marks."""
        self._layers = layers
        self.update()

    def set_measurements(
        self, measurements: tuple[Measurement, ...], selected: str | None = None
    ) -> None:
        """Draw these on the frame on the screen, the selected one with handles."""
        if (measurements, selected) != (self._measurements, self._chosen):
            self._measurements, self._chosen = measurements, selected
            self.update()

    def select(self, mark_id: str | None) -> None:
        """Select one mark, or none."""
        self.set_marks(tuple(replace(mark, selected=mark.id == mark_id) for mark in self._marks))

    @property
    def corners(self) -> CornerText:
        return self._corners

    def set_corner_text(self, text: CornerText) -> None:
        """Give the lines of the three corners that are not the viewport's own."""
        self._corners = text
        self.update()

    def set_note(self, note: str) -> None:
        """One line in the viewport's own corner, such as the speed of a cine; empty for none."""
        self._note = note
        self.update()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._cursor_at = (event.position().x(), event.position().y())
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._cursor_at = None
        self.update()

    def _mark_at(self, x: float, y: float) -> str | None:
        """The mark that a click chooses: by its tag, else the smallest box."""
        if self._shown is None:
            return None
        for tag in self._tags:
            if tag.place.x_min <= x <= tag.place.x_max and tag.place.y_min <= y <= tag.place.y_max:
                return tag.mark_id
        return mark_at(self._marks, self._shown.state.transform, x, y)

    def _under(self, at: QPointF) -> tuple[str | None, str | None]:
        """The measurement and the mark that a click chooses; a line goes before a box."""
        if self._shown is None:
            return None, None
        view = self._shown.state.transform
        return measurement_at(self._measurements, view, at.x(), at.y()), self._mark_at(
            at.x(), at.y()
        )

    # Painting

    def _paint_graphics(self, painter: QPainter, shown: Shown) -> None:
        state, view = shown.state, shown.state.transform
        for layer in self._layers:
            painter.save()
            layer.paint(painter, view)
            painter.restore()
        painter.setFont(theme.picture_font(self.font()))
        size = (self.width(), self.height())
        text = corner_text.lay_out_text(
            painter, self._corners, self._own_text(shown), size, shown.frame.notes
        )
        letters = edge_letters.lay_out(painter, shown.image, view, text)
        mark_painting.paint_proposals(painter, self._proposals, view)
        marks = self._marks_now(state.draft)
        kept = self._measurements_at_rest(shown)
        self._lay_out(shown, marks, kept, (*text, *letters))
        measurement, mark = self._hovered()
        mark_painting.paint_marks(painter, marks, view, self._tags, mark)
        measurement_painting.paint_measurements(
            painter,
            kept,
            self._labels,
            view,
            selected=self._chosen,
            hovered=measurement,
        )
        corner_text.paint(painter, (*text, *letters))
        if state.draft is not None:
            box = state.draft.box
            mark_painting.paint_draft(
                painter,
                view.box_to_screen(box),
                view.ratio,
                corner_text.size_text(
                    box.width, box.height, scale_at(shown.image, box.x_min, box.y_min)
                ),
                new=state.draft.mark_id is None,
            )
        if state.sketch is not None:
            sketch = state.sketch
            lines = self._lines_of(shown, sketch.shape, sketch.points) if sketch.complete else ()
            measurement_painting.paint_sketch(painter, sketch, lines, view)
        if state.lens is not None:
            self._magnifier.paint(
                painter, shown.frame, state.voi, shown.inverted, view, at=state.lens
            )

    def _hovered(self) -> tuple[str | None, str | None]:
        """The measurement and the mark under the cursor, drawn brighter; none by default."""
        return None, None

    def _marks_now(self, draft: Draft | None) -> tuple[Mark, ...]:
        if draft is None:
            return self._marks
        return tuple(
            replace(mark, box=draft.box) if mark.id == draft.mark_id else mark
            for mark in self._marks
        )

    def _measurements_at_rest(self, shown: Shown) -> tuple[Measurement, ...]:
        """All but the one that is being changed."""
        sketch = shown.state.sketch
        changed = None if sketch is None else sketch.measurement_id
        return tuple(each for each in self._measurements if each.id != changed)

    def _lines_of(self, shown: Shown, shape: Shape, points: tuple[Point, ...]) -> tuple[str, ...]:
        """The figures, which take milliseconds over a large region: once for each shape."""
        lines = self._figures.get((shape, points))
        if lines is None:
            if len(self._figures) >= _FIGURES_KEPT:
                self._figures.clear()
            lines = measurement_lines(shape, points, shown.image, shown.frame)
            self._figures[shape, points] = lines
        return lines

    def _own_text(self, shown: Shown) -> tuple[str, ...]:
        state = shown.state
        pixel = None if self._cursor_at is None else state.transform.pixel_at(*self._cursor_at)
        value = "" if pixel is None else corner_text.value_text(shown.frame, *pixel)
        return (
            *shown.frame.notes,
            value,
            *([self._note] if self._note else []),
            corner_text.place_text(state.transform),
            corner_text.window_text(shown.frame, state.voi, shown.inverted),
        )

    def _lay_out(
        self,
        shown: Shown,
        marks: tuple[Mark, ...],
        measurements: tuple[Measurement, ...],
        text: tuple[corner_text.Line, ...],
    ) -> None:
        """Tags and figures stay until something moves: not with a hover, nor while drawing."""
        view: ViewTransform = shown.state.transform
        made_of = (marks, measurements, view, self._corners, self._note)
        if made_of == self._laid_out_of:
            return
        metrics = QFontMetrics(theme.tag_font(self.font()), self)
        taken = [Box.from_xywh(line.x, line.y, line.width, line.height) for line in text]
        self._tags = mark_painting.lay_out_tags(marks, view, metrics, taken)
        self._labels = measurement_painting.lay_out_labels(
            measurements,
            lambda each: self._lines_of(shown, each.shape, each.points),
            view,
            metrics,
            [*taken, *(tag.place for tag in self._tags)],
        )
        self._laid_out_of = made_of
