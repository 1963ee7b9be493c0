"""The one table of what the reader can do: menus, tool bar and page of keys are made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from viewer.ui.desk import Desk
from viewer.ui.facts import Facts
from viewer.ui.grid import GridLayout
from viewer.ui.presets import MOST
from viewer.ui.tools import SHAPES, Tool


def _always(_facts: Facts) -> bool:
    return True


def _image(facts: Facts) -> bool:
    return facts.image


def _picture(facts: Facts) -> bool:
    return facts.picture


@dataclass(frozen=True, slots=True)
class Row:
    """One action.

    Attributes
    ----------
    keys : the first one is shown in menus, all of them on the page of keys.
    checked : for what is on or off.
    button : its word in the tool bar, empty where it has none there.
    gap : a line before it in the menu.
    label : its words where they depend on the picture; it goes from the menu where they are empty.
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
    label: Callable[[Facts], str] | None = None


def _take_away(desk: Desk) -> None:
    """One key for what is selected: a measurement or a finding, never both."""
    if not desk.measuring.erase():
        desk.deciding.reject()


def _signing(facts: Facts) -> str:
    if facts.blind:
        return "Sign your first read…"
    return "Sign the amendment…" if facts.amended else "Sign the study"


def _preset_row(number: int) -> Row:
    def label(facts: Facts) -> str:
        return facts.presets[number - 1] if number <= len(facts.presets) else ""

    return Row(
        f"preset_{number}",
        "&Presets",
        f"Window preset {number}",
        (str(number),),
        lambda w: w.presets.use(number),
        lambda f: bool(label(f)),
        label=label,
    )


TABLE: tuple[Row, ...] = (
    Row("open", "&File", "Open files…", ("Ctrl+O",), lambda w: w.asking.files(), button="Open"),
    Row("open_folder", "&File", "Open folder…", ("Ctrl+Shift+O",), lambda w: w.asking.folder()),
    Row("close_study", "&File", "Close this study", ("Ctrl+W",), lambda w: w.close_study(),
        lambda f: f.study),
    Row("export_study", "&File", "Export this study, or those picked by Ctrl+click…",
        ("Ctrl+E",), lambda w: w.asking.export(everything=False), lambda f: f.study, gap=True),
    Row("export_all", "&File", "Export everything reviewed…", ("Ctrl+Shift+E",),
        lambda w: w.asking.export(everything=True)),
    Row("import", "&File", "Import labels…", ("Ctrl+I",), lambda w: w.asking.labels()),
    Row("save_view", "&File", "Save the view without identity…", ("Ctrl+S",),
        lambda w: w.view_picture.save(identity=False), _picture, gap=True),
    Row("save_view_identity", "&File", "Save the view with identity…", ("Ctrl+Shift+S",),
        lambda w: w.view_picture.save(identity=True), _picture),
    Row("models", "&File", "Models…", ("Ctrl+M",), lambda w: w.asking.models(), gap=True),
    Row("settings", "&File", "Settings…", ("Ctrl+,",), lambda w: w.asking.settings()),
    Row("quit", "&File", "Quit", ("Ctrl+Q",), lambda w: w.close(), gap=True),
    Row("undo", "&Edit", "Undo", ("Ctrl+Z",), lambda w: w.deciding.undo(), lambda f: f.can_undo,
        button="Undo"),
    Row("redo", "&Edit", "Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), lambda w: w.deciding.redo(),
        lambda f: f.can_redo, button="Redo"),
    Row("copy_view", "&Edit", "Copy the view without identity", ("Ctrl+C",),
        lambda w: w.view_picture.copy(identity=False), _picture, gap=True),
    Row("copy_view_identity", "&Edit", "Copy the view with identity", ("Ctrl+Shift+C",),
        lambda w: w.view_picture.copy(identity=True), _picture),
    Row("window", "&Tools", "Window/level", ("W",), lambda w: w.presentation.use_tool(Tool.WINDOW),
        checked=lambda f: f.tool is Tool.WINDOW, button="W/L"),
    Row("pan", "&Tools", "Pan", ("T",), lambda w: w.presentation.use_tool(Tool.PAN),
        checked=lambda f: f.tool is Tool.PAN, button="Pan"),
    Row("zoom", "&Tools", "Zoom", ("Z",), lambda w: w.presentation.use_tool(Tool.ZOOM),
        checked=lambda f: f.tool is Tool.ZOOM, button="Zoom"),
    Row("scroll", "&Tools", "Scroll through the images", ("S",),
        lambda w: w.presentation.use_tool(Tool.SCROLL),
        checked=lambda f: f.tool is Tool.SCROLL),
    Row("box", "&Tools", "Add a box: drag on the picture", ("B",),
        lambda w: w.presentation.use_tool(Tool.BOX),
        _image, lambda f: f.tool is Tool.BOX, button="Box"),
    Row("length", "&Tools", "Length: drag, or click twice", ("D",),
        lambda w: w.presentation.use_tool(Tool.LENGTH),
        _image, lambda f: f.tool is Tool.LENGTH, gap=True),
    Row("angle", "&Tools", "Angle: drag one arm, then click", ("A",),
        lambda w: w.presentation.use_tool(Tool.ANGLE),
        _image, lambda f: f.tool is Tool.ANGLE),
    Row("rectangle", "&Tools", "Rectangle: mean and deviation", ("R",),
        lambda w: w.presentation.use_tool(Tool.RECTANGLE),
        _image, lambda f: f.tool is Tool.RECTANGLE),
    Row("ellipse", "&Tools", "Ellipse: mean and deviation", ("O",),
        lambda w: w.presentation.use_tool(Tool.ELLIPSE),
        _image, lambda f: f.tool is Tool.ELLIPSE),
    Row("probe", "&Tools", "Probe: the value at a pixel", ("V",),
        lambda w: w.presentation.use_tool(Tool.PROBE),
        _image, lambda f: f.tool is Tool.PROBE),
    Row("magnifier", "&Tools", "Magnifier: hold the button", ("M",),
        lambda w: w.presentation.use_tool(Tool.MAGNIFIER),
        _image, lambda f: f.tool is Tool.MAGNIFIER),
    Row("erase", "&Tools", "Delete the measurement", (), lambda w: w.measuring.erase(),
        lambda f: f.measurement),
    Row("cine", "&Tools", "Cine", ("C", "Space"), lambda w: w.cine.toggle(),
        lambda f: f.several_images, lambda f: f.playing, gap=True),
    Row("faster", "&Tools", "Cine faster", (".",), lambda w: w.cine.change_speed(1),
        lambda f: f.playing),
    Row("slower", "&Tools", "Cine slower", (",",), lambda w: w.cine.change_speed(-1),
        lambda f: f.playing),
    Row("escape", "&Tools", "Cancel the drag, deselect, reset the view", ("Esc",),
        lambda w: w.presentation.escape(), gap=True),
    Row("fit", "&View", "Fit to the window", ("F",), lambda w: w.viewport.fit(), _picture,
        button="Fit"),
    Row("actual", "&View", "Actual pixels", ("Shift+F",), lambda w: w.viewport.actual_size(),
        _picture),
    Row("zoom_in", "&View", "Zoom in", ("+", "="), lambda w: w.viewport.zoom_by(1.25), _picture),
    Row("zoom_out", "&View", "Zoom out", ("-",), lambda w: w.viewport.zoom_by(0.8), _picture),
    Row("auto", "&View", "Auto window", ("0",), lambda w: w.viewport.auto_window(), _picture,
        button="Auto", gap=True),
    Row("invert", "&View", "Invert", ("I",), lambda w: w.viewport.toggle_inverted(), _picture,
        button="Invert"),
    Row("turn_right", "&View", "Turn to the right", ("Alt+Right",), lambda w: w.viewport.turn(1),
        _picture, gap=True),
    Row("turn_left", "&View", "Turn to the left", ("Alt+Left",), lambda w: w.viewport.turn(-1),
        _picture),
    Row("mirror", "&View", "Exchange left and right", ("H",), lambda w: w.viewport.flip(),
        _picture),
    Row("upside_down", "&View", "Exchange top and bottom", ("Shift+H",),
        lambda w: w.viewport.flip(upside_down=True), _picture),
    Row("full_screen", "&View", "Full screen", ("F11",), lambda w: w.full_screen.toggle()),
    Row("presentation_state", "&View", "Next presentation state, or none", ("Y",),
        lambda w: w.dressing.next_state(w.reading.position), lambda f: f.states,
        lambda f: f.state_in_force, gap=True),
    Row("segments", "&View", "Segments", ("Shift+S",), lambda w: w.dressing.toggle_segments(),
        lambda f: f.segments, lambda f: f.segments_shown),
    Row("overlays", "&View", "DICOM overlay planes", ("Shift+O",),
        lambda w: w.dressing.toggle_overlays(), lambda f: f.overlays, lambda f: f.overlays_shown),
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
    Row("tags", "&View", "DICOM tags…", ("Ctrl+T",), lambda w: w.tags.open(),
        lambda f: f.dicom, gap=True),
    Row("one", "&Layout", "One viewport", ("Ctrl+1",),
        lambda w: w.hanging.choose(GridLayout.ONE),
        checked=lambda f: f.layout is GridLayout.ONE, button="1×1"),
    Row("two", "&Layout", "Two viewports beside each other", ("Ctrl+2",),
        lambda w: w.hanging.choose(GridLayout.TWO),
        checked=lambda f: f.layout is GridLayout.TWO, button="1×2"),
    Row("four", "&Layout", "Four viewports", ("Ctrl+4",),
        lambda w: w.hanging.choose(GridLayout.FOUR),
        checked=lambda f: f.layout is GridLayout.FOUR, button="2×2"),
    Row("next_viewport", "&Layout", "Next viewport", ("Ctrl+Tab",),
        lambda w: w.hanging.next_viewport(), lambda f: f.layout is not GridLayout.ONE),
    Row("mpr", "&Layout", "MPR: axial, coronal and sagittal planes", ("Shift+M",),
        lambda w: w.mpr.toggle(), lambda f: f.dicom, button="MPR", gap=True),
    Row("prior", "&Layout", "Compare with the prior study", ("Shift+P",),
        lambda w: w.hanging.compare_with_prior(), _image, gap=True),
    Row("link_scrolling", "&Layout", "Link scrolling by place in the patient", ("L",),
        lambda w: w.linking.toggle_scrolling(), checked=lambda f: f.linked_scrolling, gap=True),
    Row("link_window", "&Layout", "Link the window", ("Shift+L",),
        lambda w: w.linking.toggle_window(), checked=lambda f: f.linked_window),
    *(_preset_row(number) for number in range(1, MOST + 1)),
    Row("worklist", "Wor&klist", "Worklist", ("F2", "Ctrl+L"), lambda w: w.reading_list.toggle(),
        checked=lambda f: f.worklist, button="Worklist"),
    Row("next_study", "Wor&klist", "Next unread study", ("U",),
        lambda w: w.reading_list.next_unread()),
    Row("add_to_list", "Wor&klist", "Add folder to the worklist…", ("Ctrl+Shift+L",),
        lambda w: w.reading_list.add_folder(), gap=True),
    Row("remove_from_list", "Wor&klist", "Remove from the worklist", (),
        lambda w: w.reading_list.remove(), lambda f: f.worklist or f.study),
    Row("analyse_list", "Wor&klist", "Analyse the list", (), lambda w: w.reading_list.analyse(),
        lambda f: f.model, gap=True),
    Row("stop_list", "Wor&klist", "Stop analysing the list", (), lambda w: w.batching.cancel()),
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
    Row("own_threshold", "Fi&ndings", "Threshold back to the model's own", ("Shift+T",),
        lambda w: w.side.reset_thresholds(), lambda f: f.threshold_moved),
    Row("next", "Fi&ndings", "Next finding", ("N",), lambda w: w.deciding.go(1),
        lambda f: f.findings, gap=True),
    Row("previous", "Fi&ndings", "Previous finding", ("Shift+N",), lambda w: w.deciding.go(-1),
        lambda f: f.findings),
    Row("accept", "Fi&ndings", "Accept and go on", ("Return", "Enter"),
        lambda w: w.deciding.accept(), lambda f: f.findings),
    Row("reject", "Fi&ndings", "Reject and go on; delete a measurement", ("X", "Del"),
        _take_away,
        lambda f: f.selected or f.measurement),
    Row("reject_because", "Fi&ndings", "Reject because…", ("Alt+X",),
        lambda w: w.finding_menus.ask_reason(), lambda f: f.candidate_selected),
    Row("doubt", "Fi&ndings", "Uncertain, or certain again", ("Q",),
        lambda w: w.deciding.doubt(), lambda f: f.selected),
    Row("category", "Fi&ndings", "Change the category…", ("E",),
        lambda w: w.finding_menus.ask_category(), lambda f: f.selected),
    Row("note", "Fi&ndings", "Note on the finding…", ("K",), lambda w: w.reviewing.note(),
        lambda f: f.selected),
    Row("history", "Fi&ndings", "History of the finding…", ("J",),
        lambda w: w.reviewing.history(), lambda f: f.selected),
    Row("accept_all", "Fi&ndings", "Accept all shown on this image",
        ("Shift+Return", "Shift+Enter"), lambda w: w.deciding.accept_all(),
        lambda f: f.undecided_here, gap=True),
    Row("reject_all", "Fi&ndings", "Reject all shown on this image", ("Shift+X",),
        lambda w: w.deciding.reject_all(), lambda f: f.undecided_here),
    Row("study_note", "Fi&ndings", "Note on the study…", ("Shift+K",),
        lambda w: w.reviewing.note_study(), lambda f: f.study, gap=True),
    Row("sign", "Fi&ndings", "Sign the study", ("Ctrl+Return", "Ctrl+Enter"),
        lambda w: w.reviewing.sign(), lambda f: f.study, button="Sign", label=_signing),
    Row("negative", "Fi&ndings", "Sign as reviewed negative: reject what is left",
        ("Ctrl+Shift+Return", "Ctrl+Shift+Enter"), lambda w: w.reviewing.sign_negative(),
        lambda f: f.study and not f.blind),
    Row("blind_first", "Fi&ndings", "Blind first: AI marks after a signed first read",
        ("Ctrl+G",), lambda w: w.reviewing.toggle_blind_first(),
        checked=lambda f: f.blind_first, gap=True),
    Row("differences", "&Review", "Compare with an earlier run…", ("Shift+D",),
        lambda w: w.differing.open(), lambda f: f.reanalysed),
    Row("adjudicate", "&Review", "Adjudicate this study…", ("Shift+A",),
        lambda w: w.adjudicating.open(), lambda f: f.several_signed),
    Row("keys", "&Help", "Keys and mouse", ("F1",), lambda w: w.show_keys()),
    Row("about", "&Help", "About Lightbox", (), lambda w: w.asking.about()),
)  # fmt: skip

# What one button of the tool bar opens.
_MEASURE = ("Measure", tuple(tool.value for tool in SHAPES))

# The tool bar, left to right; None is a line, "" takes the room that is left.
TOOL_BAR = (
    "open", None, "window", "pan", "zoom", _MEASURE, "box", None, "fit", "auto", "invert", None,
    "one", "two", "four", "mpr", None, "undo", "redo", None, "marks", "analyse", "",
    "worklist", "sign",
)  # fmt: skip

MOUSE: tuple[tuple[str, str], ...] = (
    ("Left drag", "The tool in use; a selected box or measurement is moved and resized"),
    ("Click on a measurement", "Choose it; Delete takes it away"),
    ("Middle drag", "Pan"),
    ("Right drag", "Zoom"),
    ("Right click on a box", "Change its category, accept or reject it"),
    ("Wheel", "Images of the series"),
    ("Click in MPR, or drag of the crosshair", "The other planes go there"),
    ("Ctrl + wheel", "Zoom"),
    ("Double click", "Fit to the window"),
)
