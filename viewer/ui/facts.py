"""What of the reading decides which actions make sense."""

from __future__ import annotations

from dataclasses import dataclass

from viewer.ui.grid import GridLayout
from viewer.ui.tools import Tool


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides whether an action makes sense now, and which ones are switched on."""

    image: bool = False
    several_images: bool = False
    study: bool = False
    findings: bool = False
    selected: bool = False
    candidate_selected: bool = False  # not the reader's own
    undecided_here: bool = False  # candidates on the image are shown and not judged
    amended: bool = False  # something was decided since the signature
    blind: bool = False  # nothing of the detector may be seen of the study
    blind_first: bool = False  # studies opened from now on are read so
    threshold_moved: bool = False  # away from the model's own
    can_undo: bool = False
    can_redo: bool = False
    model: bool = False
    analysing: bool = False
    ai_visible: bool = True
    show_rejected: bool = False
    proposals: bool = False
    show_proposals: bool = False
    tool: Tool = Tool.WINDOW
    dicom: bool = False  # the image is of a DICOM file
    layout: GridLayout = GridLayout.ONE
    linked_scrolling: bool = False
    linked_window: bool = False
    measurement: bool = False  # one is selected
    presets: tuple[str, ...] = ()  # what the keys from 1 on stand for
    playing: bool = False
    picture: bool = False  # of an image, a document page or a segmentation
    states: bool = False  # presentation states name the image
    state_in_force: bool = False
    segments: bool = False  # segmentations name the image
    segments_shown: bool = True
    overlays: bool = False  # the frame has DICOM overlay planes
    overlays_shown: bool = True
    reanalysed: bool = False  # an image of the study was analysed more than once
    several_signed: bool = False  # two readers or more have signed the study
    worklist: bool = False  # the list is in sight
