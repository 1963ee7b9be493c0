"""The one table of what the reader can do: menus, tool bar and page of keys are made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QToolBar, QWidget

from viewer.ui.analysis import Analysis
from viewer.ui.deciding import Deciding
from viewer.ui.facts import Facts
from viewer.ui.presentation import Presentation
from viewer.ui.reading import Reading
from viewer.ui.tools import Tool
from viewer.ui.viewport import Viewport


class Desk(Protocol):
    """What the actions work on: the main window."""

    viewport: Viewport
    reading: Reading
    deciding: Deciding
    analysis: Analysis
    presentation: Presentation

    def ask_files(self) -> None: ...
    def ask_folder(self) -> None: ...
    def close_study(self) -> None: ...
    def ask_export(self, *, everything: bool) -> None: ...
    def ask_import(self) -> None: ...
    def ask_settings(self) -> None: ...
    def show_models(self) -> None: ...
    def ask_category(self) -> None: ...
    def ask_signature(self) -> None: ...
    def show_keys(self) -> None: ...
    def show_about(self) -> None: ...
    def close(self) -> bool: ...


def _always(_facts: Facts) -> bool:
    return True


def _image(facts: Facts) -> bool:
    return facts.image


@dataclass(frozen=True, slots=True)
class Row:
    """One action.

    Attributes
    ----------
    keys : the first one is shown in menus, all of them on the page of keys.
    checked : for what is on or off.
    button : its word in the tool bar, empty where it has none there.
    gap : a line before it in the menu.
    """

    id: str
    menu: str
    text: str
    keys: tuple[str, ...]
    call: Callable[[Desk], object]
    when: Callable[[Facts], bool] = field(default=_always)
    checked: Callable[[Facts], bool] | None = None
    button: str = ""
    gap: bool = False


TABLE: tuple[Row, ...] = (
    Row("open", "&File", "Open files…", ("Ctrl+O",), lambda w: w.ask_files(), button="Open"),
    Row("open_folder", "&File", "Open folder…", ("Ctrl+Shift+O",), lambda w: w.ask_folder()),
    Row("close_study", "&File", "Close this study", ("Ctrl+W",), lambda w: w.close_study(),
        lambda f: f.study),
    Row("export_study", "&File", "Export this study, or those picked by Ctrl+click…",
        ("Ctrl+E",), lambda w: w.ask_export(everything=False), lambda f: f.study, gap=True),
    Row("export_all", "&File", "Export everything reviewed…", ("Ctrl+Shift+E",),
        lambda w: w.ask_export(everything=True)),
    Row("import", "&File", "Import COCO…", ("Ctrl+I",), lambda w: w.ask_import()),
    Row("models", "&File", "Models…", ("Ctrl+M",), lambda w: w.show_models(), gap=True),
    Row("settings", "&File", "Settings…", ("Ctrl+,",), lambda w: w.ask_settings()),
    Row("quit", "&File", "Quit", ("Ctrl+Q",), lambda w: w.close(), gap=True),
    Row("undo", "&Edit", "Undo", ("Ctrl+Z",), lambda w: w.deciding.undo(), lambda f: f.can_undo,
        button="Undo"),
    Row("redo", "&Edit", "Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), lambda w: w.deciding.redo(),
        lambda f: f.can_redo, button="Redo"),
    Row("window", "&Tools", "Window/level", ("W",), lambda w: w.presentation.use_tool(Tool.WINDOW),
        checked=lambda f: f.tool is Tool.WINDOW, button="W/L"),
    Row("pan", "&Tools", "Pan", ("T",), lambda w: w.presentation.use_tool(Tool.PAN),
        checked=lambda f: f.tool is Tool.PAN, button="Pan"),
    Row("zoom", "&Tools", "Zoom", ("Z",), lambda w: w.presentation.use_tool(Tool.ZOOM),
        checked=lambda f: f.tool is Tool.ZOOM, button="Zoom"),
    Row("box", "&Tools", "Add a box: drag on the picture", ("B",),
        lambda w: w.presentation.use_tool(Tool.BOX),
        _image, lambda f: f.tool is Tool.BOX, button="Box"),
    Row("escape", "&Tools", "Cancel the drag, deselect, reset the view", ("Esc",),
        lambda w: w.presentation.escape(), gap=True),
    Row("fit", "&View", "Fit to the window", ("F",), lambda w: w.viewport.fit(), _image,
        button="Fit"),
    Row("actual", "&View", "Actual pixels", ("Shift+F",), lambda w: w.viewport.actual_size(),
        _image),
    Row("zoom_in", "&View", "Zoom in", ("+", "="), lambda w: w.viewport.zoom_by(1.25), _image),
    Row("zoom_out", "&View", "Zoom out", ("-",), lambda w: w.viewport.zoom_by(0.8), _image),
    Row("auto", "&View", "Auto window", ("0",), lambda w: w.viewport.auto_window(), _image,
        button="Auto", gap=True),
    Row("invert", "&View", "Invert", ("I",), lambda w: w.viewport.toggle_inverted(), _image,
        button="Invert"),
    Row("next_image", "&View", "Next image", ("Down",), lambda w: w.reading.step(1),
        lambda f: f.several_images, gap=True),
    Row("previous_image", "&View", "Previous image", ("Up",), lambda w: w.reading.step(-1),
        lambda f: f.several_images),
    Row("first_image", "&View", "First image", ("Home",), lambda w: w.reading.step(-(10**6)),
        lambda f: f.several_images),
    Row("last_image", "&View", "Last image", ("End",), lambda w: w.reading.step(10**6),
        lambda f: f.several_images),
    Row("next_series", "&View", "Next series", ("Right", "PgDown"),
        lambda w: w.presentation.go_series(1)),
    Row("previous_series", "&View", "Previous series", ("Left", "PgUp"),
        lambda w: w.presentation.go_series(-1)),
    Row("analyse", "Fi&ndings", "Analyse this image", ("F5",), lambda w: w.analysis.run(),
        lambda f: f.image and f.model and not f.analysing, button="Analyse"),
    Row("stop", "Fi&ndings", "Stop the analysis", ("Shift+F5",), lambda w: w.analysis.cancel(),
        lambda f: f.analysing),
    Row("marks", "Fi&ndings", "AI marks", ("G",), lambda w: w.reading.toggle_marks(),
        checked=lambda f: f.ai_visible, button="AI marks"),
    Row("rejected", "Fi&ndings", "Show rejected", ("Shift+G",),
        lambda w: w.reading.toggle_rejected(),
        checked=lambda f: f.show_rejected),
    Row("proposals", "Fi&ndings", "Show proposals", ("P",), lambda w: w.reading.toggle_proposals(),
        lambda f: f.proposals, lambda f: f.show_proposals),
    Row("lower", "Fi&ndings", "Threshold down", ("[",), lambda w: w.reading.move_threshold(-0.05),
        _image, gap=True),
    Row("higher", "Fi&ndings", "Threshold up", ("]",),
        lambda w: w.reading.move_threshold(0.05), _image),
    # Shift and a bracket arrive as a brace on most keyboards.
    Row("bit_lower", "Fi&ndings", "Threshold down a little", ("Shift+[", "{", "Shift+{"),
        lambda w: w.reading.move_threshold(-0.01), _image),
    Row("bit_higher", "Fi&ndings", "Threshold up a little", ("Shift+]", "}", "Shift+}"),
        lambda w: w.reading.move_threshold(0.01), _image),
    Row("next", "Fi&ndings", "Next finding", ("N",), lambda w: w.deciding.go(1),
        lambda f: f.findings, gap=True),
    Row("previous", "Fi&ndings", "Previous finding", ("Shift+N",), lambda w: w.deciding.go(-1),
        lambda f: f.findings),
    Row("accept", "Fi&ndings", "Accept and go on", ("Return", "Enter"),
        lambda w: w.deciding.accept(), lambda f: f.findings),
    Row("reject", "Fi&ndings", "Reject and go on", ("X", "Del"), lambda w: w.deciding.reject(),
        lambda f: f.selected),
    Row("category", "Fi&ndings", "Change the category…", ("E",), lambda w: w.ask_category(),
        lambda f: f.selected),
    Row("sign", "Fi&ndings", "Sign the study", ("Ctrl+Return", "Ctrl+Enter"),
        lambda w: w.ask_signature(), lambda f: f.study, button="Sign", gap=True),
    Row("keys", "&Help", "Keys and mouse", ("F1",), lambda w: w.show_keys()),
    Row("about", "&Help", "About Lightbox", (), lambda w: w.show_about()),
)  # fmt: skip

# The tool bar, left to right; None is a line, "" takes the room that is left.
_TOOL_BAR = (
    "open", None, "window", "pan", "zoom", "box", None, "fit", "auto", "invert", None,
    "undo", "redo", None, "marks", "analyse", "", "sign",
)  # fmt: skip

MOUSE: tuple[tuple[str, str], ...] = (
    ("Left drag", "The tool in use; a selected box is moved and resized"),
    ("Middle drag", "Pan"),
    ("Right drag", "Zoom"),
    ("Right click on a box", "Change its category, accept or reject it"),
    ("Wheel", "Images of the series"),
    ("Ctrl + wheel", "Zoom"),
    ("Double click", "Fit to the window"),
)


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
        for tool in ("window", "pan", "zoom", "box"):
            tools.addAction(self._actions[tool])

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

    def fill_tool_bar(self, bar: QToolBar, stretch: QWidget) -> None:
        rows = {row.id: row for row in TABLE}
        for name in _TOOL_BAR:
            if name is None:
                bar.addSeparator()
            elif name == "":
                bar.addWidget(stretch)
            else:
                row, action = rows[name], self._actions[name]
                action.setIconText(row.button)
                keys = ", ".join(readable(key) for key in row.keys)
                action.setToolTip(f"{row.text} ({keys})")
                bar.addAction(action)

    def update(self, facts: Facts) -> None:
        """Enable and check what the facts say."""
        for row in TABLE:
            action = self._actions[row.id]
            action.setEnabled(row.when(facts))
            if row.checked is not None:
                action.setChecked(row.checked(facts))


def readable(key: str) -> str:
    """A key as it stands on the keyboard."""
    names = {"Return": "Enter", "Del": "Delete"}
    return "+".join(names.get(part, part) for part in key.split("+")) if key != "+" else "+"
