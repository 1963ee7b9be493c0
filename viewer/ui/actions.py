"""The table of what the reader can do, as menus, tool bar and page of keys."""

from __future__ import annotations

import html
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QSizePolicy, QToolBar, QToolButton, QWidget

from viewer.ui.action_table import MOUSE, TABLE, TOOL_BAR, Row
from viewer.ui.desk import Desk
from viewer.ui.facts import Facts
from viewer.ui.tools import Tool


class Actions:
    """The table as Qt's actions."""

    def __init__(
        self, window: QWidget, desk: Desk, guarded: Callable[[Callable[[], object]], None]
    ) -> None:
        self._actions: dict[str, QAction] = {}
        for row in TABLE:
            action = QAction(row.text, window)
            action.setShortcuts([QKeySequence(key) for key in row.keys])
            action.setCheckable(row.checked is not None)
            # Checked is what the facts say, never what the click did.
            action.triggered.connect(
                lambda _checked=False, call=row.call: guarded(lambda: call(desk))
            )
            self._actions[row.id] = action
            window.addAction(action)
        tools = QActionGroup(window)
        for tool in Tool:
            tools.addAction(self._actions[tool.value])

    def __getitem__(self, row_id: str) -> QAction:
        return self._actions[row_id]

    def fill_menus(self, bar: QMenuBar) -> None:
        menus: dict[str, QMenu] = {}
        for row in TABLE:
            menu = menus.get(row.menu) or bar.addMenu(row.menu)
            menus[row.menu] = menu
            if row.gap:
                menu.addSeparator()
            menu.addAction(self._actions[row.id])

    def tool_bar(self, window: QWidget) -> QToolBar:
        """The tool bar; the focus stays where the keys belong."""
        bar = QToolBar("Tools", window)
        bar.setObjectName("tools")
        bar.setMovable(False)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self._fill(bar)
        for button in bar.findChildren(QWidget):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return bar

    def _fill(self, bar: QToolBar) -> None:
        rows = {row.id: row for row in TABLE}
        for name in TOOL_BAR:
            if name is None:
                bar.addSeparator()
            elif name == "":
                stretch = QWidget(bar)
                stretch.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
                bar.addWidget(stretch)
            elif isinstance(name, tuple):
                bar.addWidget(self._menu_button(bar, *name))
            else:
                row, action = rows[name], self._actions[name]
                action.setIconText(row.button)
                action.setToolTip(_tip(row))
                bar.addAction(action)

    def _menu_button(self, bar: QToolBar, text: str, names: tuple[str, ...]) -> QToolButton:
        button = QToolButton(bar)
        button.setText(text)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        menu.addActions([self._actions[name] for name in names])
        button.setMenu(menu)
        return button

    def update(self, facts: Facts) -> None:
        """Enable and check what the facts say."""
        for row in TABLE:
            action = self._actions[row.id]
            action.setEnabled(row.when(facts))
            if row.checked is not None:
                action.setChecked(row.checked(facts))
            if row.id == "window":
                # What a file calls its windows is never taken for HTML.
                lines = (_tip(row), *_preset_lines(facts))
                action.setToolTip("<br>".join(html.escape(line) for line in lines))
            if row.label is not None:
                action.setText(row.label(facts).replace("&", "&&") or row.text)
                action.setVisible(bool(row.label(facts)))


def _tip(row: Row) -> str:
    return f"{row.text} ({', '.join(readable(key) for key in row.keys)})"


def _preset_lines(facts: Facts) -> tuple[str, ...]:
    return tuple(f"{number}  {name}" for number, name in enumerate(facts.presets, 1))


def readable(key: str) -> str:
    """A key as it stands on the keyboard."""
    names = {"Return": "Enter", "Del": "Delete"}
    return "+".join(names.get(part, part) for part in key.split("+")) if key != "+" else "+"


def page_of_keys() -> tuple[tuple[str, str], ...]:
    """Every key and what the mouse does, each with its words."""
    keys = tuple(
        ("  or  ".join(readable(key) for key in row.keys if key[-1] not in "{}"), row.text)
        for row in TABLE
        if row.keys
    )
    return (*keys, *MOUSE)
