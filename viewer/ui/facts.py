"""What of the reading decides which actions make sense."""

from __future__ import annotations

from dataclasses import dataclass

from viewer.ui.tools import Tool


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides whether an action makes sense now, and which ones are switched on."""

    image: bool = False
    several_images: bool = False
    study: bool = False
    findings: bool = False
    selected: bool = False
    can_undo: bool = False
    can_redo: bool = False
    model: bool = False
    analysing: bool = False
    ai_visible: bool = True
    show_rejected: bool = False
    proposals: bool = False
    show_proposals: bool = False
    tool: Tool = Tool.WINDOW
