"""A page with a picture at the left and rows about it at the right, which keys walk through."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence, QPainter, QPen
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from viewer.dicom.model import ImageKey
from viewer.ui import theme
from viewer.ui.viewport import Viewport

Index = QModelIndex | QPersistentModelIndex

_LIST_WIDTH = 340
_MARGIN = 12


@dataclass(frozen=True, slots=True)
class Line:
    """One row as it is listed.

    Attributes
    ----------
    id : empty for a heading, which cannot be chosen.
    title, value : the first line, at the left and at the right.
    detail, colour : the second line.
    """

    id: str
    title: str
    image: ImageKey | None = None
    value: str = ""
    detail: str = ""
    colour: QColor = field(default_factory=lambda: theme.MUTED)


class Lines(QAbstractListModel):
    """The rows in the order in which they are walked through."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.lines: tuple[Line, ...] = ()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's signature
        return 0 if parent.isValid() else len(self.lines)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        line = self.lines[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return ", ".join(part for part in (line.title, line.value, line.detail) if part)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        return super().flags(index) if self.lines[index.row()].id else Qt.ItemFlag.NoItemFlags

    def show(self, lines: Sequence[Line]) -> None:
        if tuple(lines) == self.lines:
            return
        same = [line.id for line in lines] == [line.id for line in self.lines]
        if same:
            self.lines = tuple(lines)
            self.dataChanged.emit(self.index(0), self.index(len(self.lines) - 1))
            return
        self.beginResetModel()
        self.lines = tuple(lines)
        self.endResetModel()


class LinePainter(QStyledItemDelegate):
    """Paints headings in one line, rows in two."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        lines = 2 if _line_at(index).id else 1
        return QSize(160, lines * (option.fontMetrics.height() + 2) + 14)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        line = _line_at(index)
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        if line.id and state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.RAISED)
            painter.fillRect(QRect(rect.left(), rect.top(), 3, rect.height()), theme.ACCENT)
        elif line.id and state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, theme.RAISED)
        metrics = painter.fontMetrics()
        upper = rect.top() + 7 + metrics.ascent()
        left, right = rect.left() + _MARGIN, rect.right() - _MARGIN
        value_width = metrics.horizontalAdvance(line.value)
        painter.setPen(theme.TEXT if line.id else theme.MUTED)
        painter.drawText(right - value_width, upper, line.value)
        room = right - left - (value_width + 8 if line.value else 0)
        elide = Qt.TextElideMode.ElideRight
        painter.drawText(left, upper, metrics.elidedText(line.title, elide, room))
        painter.setPen(line.colour)
        lower = upper + metrics.height() + 2
        painter.drawText(left, lower, metrics.elidedText(line.detail, elide, right - left))
        painter.setPen(QPen(theme.BORDER))
        painter.drawLine(left, rect.bottom(), right, rect.bottom())
        painter.restore()


class RowsPage(QWidget):
    """Head, picture, rows and buttons; what they mean is its owner's.

    Attributes
    ----------
    keys : what the page does by keys while it has the focus; they go before the window's.
    do : does what the reader asked; a failure becomes a sentence in the window.
    """

    left = Signal()  # the reader is done with it
    chosen = Signal(str)  # id of a row

    def __init__(self, guarded: Callable[[Callable[[], object]], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.keys: Mapping[str, Callable[[], object]] = {}
        self.do = guarded
        self.head = _words(self)
        self.head.setTextFormat(Qt.TextFormat.RichText)  # names in colours; the owner escapes them
        self.warning = _words(self)
        self.warning.setStyleSheet(f"color: {theme.WARNING.name()};")
        self.warning.hide()
        self.viewport = Viewport(self)
        self.model = Lines(self)
        self.list = QListView(self)
        self.list.setModel(self.model)
        self.list.setItemDelegate(LinePainter(self.list))
        self.list.setMouseTracking(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.clicked.connect(self._clicked)
        self.empty = _words(self)
        self.empty.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.empty.setStyleSheet(f"color: {theme.MUTED.name()};")
        self.note = _words(self)
        self.note.setContentsMargins(_MARGIN, 8, _MARGIN, 8)
        self.note.setStyleSheet(f"color: {theme.MUTED.name()};")
        self.controls = QHBoxLayout()
        self.buttons = QHBoxLayout()
        self._lay_out()
        self.setFocusProxy(self.viewport)

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.head)
        words.addWidget(self.warning)
        top = QHBoxLayout()
        top.setContentsMargins(_MARGIN, 6, 10, 6)
        top.setSpacing(8)
        top.addLayout(words, 1)
        top.addLayout(self.controls)
        top.addWidget(self.button("Close", "Back to the images (Esc)", self.left.emit))
        self.buttons.setContentsMargins(8, 6, 8, 6)
        self.buttons.setSpacing(2)
        side = QWidget(self)
        side.setFixedWidth(_LIST_WIDTH)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.list, 1)
        column.addWidget(self.empty, 1)
        column.addWidget(_rule(self))
        column.addWidget(self.note)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.viewport, 1)
        middle.addWidget(side)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(top)
        whole.addWidget(_rule(self))
        whole.addLayout(middle, 1)
        whole.addWidget(_rule(self))
        whole.addLayout(self.buttons)

    def button(self, text: str, tip: str, call: Callable[[], object]) -> QToolButton:
        """A button for what a key does; the focus stays on the picture."""
        made = QToolButton(self)
        made.setText(text)
        made.setToolTip(tip)
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        made.clicked.connect(lambda _checked: self.do(call))
        return made

    # --- the rows --------------------------------------------------------------------------------

    def show_lines(self, lines: Sequence[Line], selected: str | None, empty: str = "") -> None:
        """List these, one of them selected, or say ``empty`` where there is none."""
        self.model.show(lines)
        self.list.setVisible(bool(lines))
        self.empty.setVisible(not lines)
        self.empty.setText(empty)
        ids = [line.id for line in self.model.lines]
        row = ids.index(selected) if selected and selected in ids else -1
        self.list.setCurrentIndex(self.model.index(row) if row >= 0 else QModelIndex())

    def show_warning(self, sentence: str) -> None:
        self.warning.setText(sentence)
        self.warning.setVisible(bool(sentence))

    def neighbour(self, selected: str | None, by: int) -> str | None:
        """The id of the row after or before this one, round and round; None where there is none."""
        ids = [line.id for line in self.model.lines if line.id]
        if not ids:
            return None
        if selected not in ids:
            return ids[0 if by > 0 else -1]
        return ids[(ids.index(selected) + by) % len(ids)]

    def _clicked(self, index: QModelIndex) -> None:
        line = self.model.lines[index.row()]
        if line.id:
            self.chosen.emit(line.id)

    # --- keys ------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """The page's keys are for it, not for the window's table of actions."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and self._call_of(event) is not None
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        call = self._call_of(event)
        if call is None:
            super().keyPressEvent(event)
        else:
            self.do(call)

    def _call_of(self, event: QKeyEvent) -> Callable[[], object] | None:
        pressed = event.keyCombination()
        keypad = Qt.KeyboardModifier.KeypadModifier
        if pressed.keyboardModifiers() & keypad:
            pressed = type(pressed)(pressed.keyboardModifiers() & ~keypad, pressed.key())
        return self.keys.get(
            QKeySequence(pressed).toString(QKeySequence.SequenceFormat.PortableText)
        )


def _line_at(index: Index) -> Line:
    model = index.model()
    assert isinstance(model, Lines)
    return model.lines[index.row()]


def _words(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


def _rule(parent: QWidget) -> QFrame:
    line = QFrame(parent)
    line.setFixedHeight(1)
    line.setStyleSheet(f"background: {theme.BORDER.name()};")
    return line
