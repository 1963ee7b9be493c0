"""What the actions work on."""

from __future__ import annotations

from typing import Protocol

from viewer.ui.adjudicating import Adjudicating
from viewer.ui.analysis import Analysis
from viewer.ui.asking import Asking
from viewer.ui.batching import Batching
from viewer.ui.cine import Cine
from viewer.ui.deciding import Deciding
from viewer.ui.differing import Differing
from viewer.ui.dressing import Dressing
from viewer.ui.finding_menus import FindingMenus
from viewer.ui.full_screen import FullScreen
from viewer.ui.grid import Grid
from viewer.ui.hanging import Hanging
from viewer.ui.linking import Linking
from viewer.ui.measuring import Measuring
from viewer.ui.mpr import Mpr
from viewer.ui.presentation import Presentation
from viewer.ui.presets import Presets
from viewer.ui.reading import Reading
from viewer.ui.reading_list import ReadingList
from viewer.ui.review_side import ReviewSide
from viewer.ui.reviewing import Reviewing
from viewer.ui.tag_browser import TagBrowser
from viewer.ui.view_picture import ViewPicture
from viewer.ui.viewport import Viewport


class Desk(Protocol):
    """The main window, as its actions know it."""

    grid: Grid
    reading: Reading
    reading_list: ReadingList
    deciding: Deciding
    analysis: Analysis
    presentation: Presentation
    dressing: Dressing
    asking: Asking
    batching: Batching
    finding_menus: FindingMenus
    reviewing: Reviewing
    side: ReviewSide
    hanging: Hanging
    linking: Linking
    measuring: Measuring
    mpr: Mpr
    presets: Presets
    cine: Cine
    full_screen: FullScreen
    tags: TagBrowser
    view_picture: ViewPicture
    differing: Differing
    adjudicating: Adjudicating

    @property
    def viewport(self) -> Viewport:
        """The active one."""

    def close_study(self) -> None: ...
    def show_keys(self) -> None: ...
    def close(self) -> bool: ...
