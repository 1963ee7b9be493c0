"""The list of studies and series on the left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QGuiApplication, QMouseEvent, QPainter, QPen, QPixmap
from PySide6.QtWidgets import (
    QApplication,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from viewer.dicom.model import Series, Study
from viewer.ui import theme, wording
from viewer.ui.position import Position, StudyKey, first_of, study_key
from viewer.ui.series_drag import drag_series
from viewer.ui.thumbnails import Thumbnails

Index = QModelIndex | QPersistentModelIndex

_THUMBNAIL = 64
_MARGIN = 8

SIGNED, ANALYSED = "✓ signed", "• analysed"


@dataclass(frozen=True, slots=True)
class Row:
    """A study's heading (``series`` None), or a series; a plain image is one row for both."""

    study: Study
    series: Series | None


def rows_of(study: Study) -> tuple[Row, ...]:
    """The rows of one study."""
    if len(study.series) == 1 and all(image.is_plain for image in study.series[0].images):
        return (Row(study, study.series[0]),)
    return (Row(study, None), *(Row(study, series) for series in study.series))


class StudyModel(QAbstractListModel):
    """Studies in the order in which they were found, each followed by its series."""

    def __init__(self, thumbnails: Thumbnails, parent: QWidget) -> None:
        super().__init__(parent)
        self.current: Position | None = None
        self._thumbnails = thumbnails
        self._rows: list[Row] = []
        self._starts: dict[StudyKey, int] = {}  # first row of each study
        self.notes: dict[StudyKey, str] = {}
        self._picked: set[StudyKey] = set()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's signature
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self._rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            if row.series is None or row.series.images[0].is_plain:
                return wording.study_title(row.study)
            return wording.series_title(row.series)
        if role == Qt.ItemDataRole.ToolTipRole:
            parts = [wording.study_title(row.study), wording.study_line(row.study)]
            if row.series is not None and not row.series.images[0].is_plain:
                parts.append(wording.series_tip(row.series))
            return wording.plain_tip("\n".join(part for part in parts if part))
        return None

    def row(self, number: int) -> Row:
        return self._rows[number]

    def studies(self) -> tuple[Study, ...]:
        return tuple(self._rows[start].study for start in self._starts.values())

    def picked(self) -> tuple[Study, ...]:
        """The studies that the reader picked, to do something with all of them."""
        return tuple(study for study in self.studies() if study_key(study) in self._picked)

    def is_picked(self, row: Row) -> bool:
        return study_key(row.study) in self._picked

    def pick(self, study: Study | None) -> None:
        """Pick a study or let it go again; None lets all go."""
        self._picked = set() if study is None else self._picked ^ {study_key(study)}

    def thumbnail(self, row: Row) -> QPixmap | None:
        assert row.series is not None
        images = row.series.images
        image = images[len(images) // 2]
        return self._thumbnails.get(image) if image.kind.has_picture else None

    def note(self, row: Row) -> str:
        """Signed, analysed, or nothing."""
        return self.notes.get(study_key(row.study), "")

    def set_note(self, study: StudyKey, note: str) -> None:
        if self.notes.get(study, "") != note:
            self.notes[study] = note
            if study in self._starts:
                start = self.index(self._starts[study])
                self.dataChanged.emit(start, start)

    def set_notes(self, notes: Mapping[StudyKey, str]) -> None:
        for study, note in notes.items():
            self.set_note(study, note)

    def is_current(self, row: Row) -> bool:
        here = self.current
        return (
            here is not None
            and row.series is not None
            and here.same_series(Position(row.study, row.series, 0))
        )

    def add(self, studies: Sequence[Study]) -> None:
        """Take in studies that are new or have grown."""
        new: list[Row] = []
        for study in studies:
            rows = rows_of(study)
            start = self._starts.get(study_key(study))
            if start is None:
                self._starts[study_key(study)] = len(self._rows) + len(new)
                new += rows
            elif start < len(self._rows):
                self._replace(start, rows)
        if new:
            first = len(self._rows)
            self.beginInsertRows(QModelIndex(), first, first + len(new) - 1)
            self._rows += new
            self.endInsertRows()

    def remove(self, study: Study) -> Position | None:
        """Take a study off the list; the study that is now in its place, or the one before."""
        start = self._starts.pop(study_key(study))
        self._picked.discard(study_key(study))
        end = start
        while end < len(self._rows) and study_key(self._rows[end].study) == study_key(study):
            end += 1
        self.beginRemoveRows(QModelIndex(), start, end - 1)
        del self._rows[start:end]
        for other, first in self._starts.items():
            if first > start:
                self._starts[other] = first - (end - start)
        self.endRemoveRows()
        if not self._rows:
            return None
        there = self._rows[min(start, len(self._rows) - 1)].study
        return first_of(there)

    def _replace(self, start: int, rows: tuple[Row, ...]) -> None:
        key = study_key(rows[0].study)
        end = start
        while end < len(self._rows) and study_key(self._rows[end].study) == key:
            end += 1
        more = len(rows) - (end - start)
        if more > 0:
            self.beginInsertRows(QModelIndex(), end, end + more - 1)
        elif more < 0:
            self.beginRemoveRows(QModelIndex(), end + more, end - 1)
        self._rows[start:end] = rows
        if more:
            for other, first in self._starts.items():
                if first > start:
                    self._starts[other] = first + more
        if more > 0:
            self.endInsertRows()
        elif more < 0:
            self.endRemoveRows()
        self.dataChanged.emit(self.index(start), self.index(start + len(rows) - 1))

    def neighbour(self, by: int) -> Position | None:
        """The series before or after the current one, over the borders of studies."""
        places = [number for number, row in enumerate(self._rows) if row.series is not None]
        here = next((p for p, number in enumerate(places) if self.is_current(self.row(number))), -1)
        there = here + by
        if not places or not 0 <= there < len(places):
            return None
        row = self._rows[places[there]]
        assert row.series is not None
        return Position(row.study, row.series, 0)


class RowPainter(QStyledItemDelegate):
    """Paints headings and series."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        model = index.model()
        assert isinstance(model, StudyModel)
        heading = model.row(index.row()).series is None
        line = option.fontMetrics.height()
        return QSize(120, 2 * line + 16 if heading else _THUMBNAIL + 2 * _MARGIN)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        assert isinstance(model, StudyModel)
        row = model.row(index.row())
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        current = model.is_current(row)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        if row.series is not None and (current or hovered):
            painter.fillRect(rect, theme.RAISED)
        if current:
            painter.fillRect(QRect(rect.left(), rect.top(), 3, rect.height()), theme.ACCENT)
        if row.series is None:
            painter.setPen(QPen(theme.BORDER))
            if index.row() > 0:
                painter.drawLine(rect.topLeft(), rect.topRight())
            text = rect.adjusted(_MARGIN + 3, 8, -_MARGIN, -8)
            title, line = wording.study_title(row.study), wording.study_line(row.study)
        else:
            self._paint_thumbnail(painter, rect, model.thumbnail(row), _badge(row.series))
            text = rect.adjusted(_THUMBNAIL + 2 * _MARGIN + 3, _MARGIN + 4, -_MARGIN, -_MARGIN)
            plain = row.series.images[0].is_plain
            title = wording.study_title(row.study) if plain else wording.series_title(row.series)
            line = wording.series_line(row.series)
        note = model.note(row)
        if model.is_picked(row) and (row.series is None or plain):
            title = f"☑ {title}"
        if row.series is None:
            self._paint_text(painter, text, (title, line), note)
        else:
            middle = Qt.TextElideMode.ElideMiddle if plain else Qt.TextElideMode.ElideRight
            lines = (title, line, note if plain else wording.series_notes(row.series))
            self._paint_text(painter, text, lines, elide=middle)
        painter.restore()

    def _paint_thumbnail(
        self, painter: QPainter, rect: QRect, pixmap: QPixmap | None, badge: str
    ) -> None:
        frame = QRect(rect.left() + _MARGIN + 3, rect.top() + _MARGIN, _THUMBNAIL, _THUMBNAIL)
        painter.fillRect(frame, theme.SURROUND)
        if pixmap is not None and not pixmap.isNull():
            size = pixmap.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
            target = QRect(frame.topLeft(), size)
            target.moveCenter(frame.center())
            painter.drawPixmap(target, pixmap)
        elif badge:
            painter.setPen(theme.MUTED)
            painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, badge)

    def _paint_text(
        self,
        painter: QPainter,
        rect: QRect,
        lines: tuple[str, ...],
        note: str = "",
        elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        """Lines below each other; ``note`` stands at the right of the first."""
        metrics = painter.fontMetrics()
        top, width = rect.top(), rect.width()
        if note:
            painter.setPen(_note_colour(note))
            width -= metrics.horizontalAdvance(note) + _MARGIN
            painter.drawText(rect.left() + width + _MARGIN, top + metrics.ascent(), note)
        for number, text in enumerate(lines):
            if text:
                colour = theme.TEXT if number == 0 else theme.MUTED
                painter.setPen(_note_colour(text) if number == 2 else colour)
                room = width if number == 0 else rect.width()
                # File names differ at both ends, everything else is known by its beginning.
                elided = metrics.elidedText(text, elide, room)
                painter.drawText(rect.left(), top + metrics.ascent(), elided)
                top += metrics.height() + 2


def _badge(series: Series) -> str:
    """What stands in the place of a thumbnail where there is no picture to make one of."""
    first = series.images[0]
    return "" if first.kind.has_picture else series.header.modality or first.kind.value


def _note_colour(note: str) -> QColor:
    return {SIGNED: theme.MARK_ACCEPTED, ANALYSED: theme.ACCENT}.get(note, theme.WARNING)


class StudyBrowser(QListView):
    """All that is open; a click shows a series, Ctrl+click picks a study."""

    chosen = Signal(object)  # Position

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.studies = StudyModel(thumbnails, self)
        self.setModel(self.studies)
        self.setItemDelegate(RowPainter(self))
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QListView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumWidth(180)
        self.setAccessibleName("Studies")
        self._pressed_at: QPoint | None = None  # of the left button, until it is a drag
        self.clicked.connect(self._clicked)
        thumbnails.ready.connect(self.viewport().update)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._pressed_at = event.position().toPoint()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        start, held = self._pressed_at, event.buttons() & Qt.MouseButton.LeftButton
        if start is None or not held:
            super().mouseMoveEvent(event)
            return
        moved = (event.position().toPoint() - start).manhattanLength()
        if moved >= QApplication.startDragDistance():
            self._pressed_at = None
            self._drag(self.indexAt(start))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed_at = None
        super().mouseReleaseEvent(event)

    def _drag(self, index: QModelIndex) -> None:
        if index.isValid():
            row = self.studies.row(index.row())
            series = row.series or first_of(row.study).series
            thumbnail = self.studies.thumbnail(Row(row.study, series))
            drag_series(self, Position(row.study, series, 0), thumbnail)

    def _clicked(self, index: QModelIndex) -> None:
        row = self.studies.row(index.row())
        picking = bool(QGuiApplication.keyboardModifiers() & Qt.KeyboardModifier.ControlModifier)
        self.studies.pick(row.study if picking else None)
        self.viewport().update()
        if not picking:
            there = Position(row.study, row.series, 0) if row.series else first_of(row.study)
            self.chosen.emit(there)

    def set_current(self, position: Position | None) -> None:
        """Mark the series that is on the screen, and bring it into view when it is another one."""
        old = self.studies.current
        self.studies.current = position
        if position is not None and not position.same_series(old):
            for number in range(self.studies.rowCount()):
                if self.studies.is_current(self.studies.row(number)):
                    self.scrollTo(self.studies.index(number))
                    break
        self.viewport().update()
