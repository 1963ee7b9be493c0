"""The elements of a DICOM file as a tree for Qt, and those of them that a search leaves."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QWidget

from viewer.dicom.tag_row import TagRow
from viewer.ui.wording import plain_tip

Index = QModelIndex | QPersistentModelIndex

HEADS = ("Tag", "VR", "Keyword", "Value")


def found(rows: Sequence[TagRow], wanted: str) -> tuple[TagRow, ...]:
    """The rows in which every word of ``wanted`` stands, with what they lie in and what is in them.

    Upper and lower case are one; a tag is found with and without its parentheses and comma.
    """
    words = wanted.casefold().split()
    if not words:
        return tuple(rows)
    keep = [False] * len(rows)
    above: list[int] = []  # the row itself and those that it lies in, from the outside
    inside: int | None = None  # depth of a row that was found, while its contents go by
    for number, row in enumerate(rows):
        above = [*above[: row.depth], number]
        if inside is not None and row.depth <= inside:
            inside = None
        if inside is not None:
            keep[number] = True
        elif all(word in _searched(row) for word in words):
            inside = row.depth
            for place in above:
                keep[place] = True
    return tuple(row for row, kept in zip(rows, keep, strict=True) if kept)


def _searched(row: TagRow) -> str:
    bare = row.tag.strip("()").replace(",", "")
    return f"{row.tag} {bare} {row.vr} {row.keyword} {row.value}".casefold()


class TagModel(QAbstractItemModel):
    """Rows by their depth: each is the child of the last one before it that is less deep."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._rows: tuple[TagRow, ...] = ()
        self._parents: list[int] = []  # number of the row above; -1 for the file itself
        self._children: dict[int, list[int]] = {-1: []}
        self._places: list[int] = []  # among its parent's children

    def set_rows(self, rows: Sequence[TagRow]) -> None:
        self.beginResetModel()
        self._rows = tuple(rows)
        self._parents, self._places, self._children = [], [], {-1: []}
        above: list[int] = []
        for number, row in enumerate(rows):
            above = above[: row.depth]
            parent = above[-1] if above else -1
            above.append(number)
            siblings = self._children.setdefault(parent, [])
            self._parents.append(parent)
            self._places.append(len(siblings))
            siblings.append(number)
        self.endResetModel()

    def row_of(self, index: Index) -> TagRow:
        return self._rows[index.internalId()]

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008  Qt's signature
        siblings = self._children.get(_number(parent), [])
        if 0 <= row < len(siblings) and 0 <= column < len(HEADS):
            return self.createIndex(row, column, siblings[row])
        return QModelIndex()

    def parent(self, index: Index) -> QModelIndex:  # type: ignore[override]  # one of two in Qt
        above = self._parents[_number(index)] if index.isValid() else -1
        return QModelIndex() if above < 0 else self.createIndex(self._places[above], 0, above)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's signature
        return 0 if parent.column() > 0 else len(self._children.get(_number(parent), []))

    def columnCount(self, _parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's signature
        return len(HEADS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.row_of(index)
        text = (row.tag, row.vr, row.keyword, row.value)[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(text)
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        shown = role == Qt.ItemDataRole.DisplayRole and orientation is Qt.Orientation.Horizontal
        return HEADS[section] if shown else None


def _number(index: Index) -> int:
    return int(index.internalId()) if index.isValid() else -1
