"""Brings what is read, decided and analysed onto the widgets. It holds no state of its own."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from viewer.review.finding import Finding, Mode, Status
from viewer.review.record import StudyRecord
from viewer.review.thresholds import Thresholds
from viewer.ui import wording
from viewer.ui.analysis import Analysis, Outcome
from viewer.ui.cine import Cine
from viewer.ui.deciding import Deciding
from viewer.ui.dressing import Dressing
from viewer.ui.facts import Facts
from viewer.ui.grid import Grid
from viewer.ui.linking import Linking
from viewer.ui.marks import Mark
from viewer.ui.measuring import Measuring
from viewer.ui.position import study_key
from viewer.ui.presets import Presets
from viewer.ui.reading import Reading
from viewer.ui.review_side import ReviewSide
from viewer.ui.study_browser import ANALYSED, SIGNED, StudyBrowser
from viewer.ui.tools import SHAPES, Tool

_UNTIL_ESCAPE = frozenset((Tool.BOX, Tool.MAGNIFIER, *SHAPES))


class Presentation(QObject):
    """Every change of the reading is shown here, and only here."""

    facts_changed = Signal(object)  # Facts
    title_changed = Signal(str)

    def __init__(
        self,
        *,
        reading: Reading,
        deciding: Deciding,
        analysis: Analysis,
        grid: Grid,
        dressing: Dressing,
        linking: Linking,
        measuring: Measuring,
        presets: Presets,
        cine: Cine,
        browser: StudyBrowser,
        side: ReviewSide,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._reading = reading
        self._deciding = deciding
        self._analysis = analysis
        self._grid = grid
        self._dressing = dressing
        self._linking = linking
        self._measuring = measuring
        self._presets = presets
        self._cine = cine
        self._browser = browser
        self._side = side
        reading.shown.connect(lambda _: self._show_other_marks())
        reading.image_shown.connect(self._show_image)
        reading.changed.connect(self.refresh)
        reading.grown.connect(self._show_image)  # there may be a next image now
        deciding.selection_changed.connect(self.refresh)
        deciding.centre.connect(grid.centre_on)
        analysis.changed.connect(self.refresh)
        grid.arranged.connect(self.refresh)
        dressing.changed.connect(self.refresh)
        dressing.state_switched.connect(self.refresh)
        linking.changed.connect(self.refresh)
        measuring.selection_changed.connect(self.refresh)
        cine.changed.connect(self.refresh)

    def _show_image(self) -> None:
        self._show_title()
        self.refresh()

    def _show_title(self) -> None:
        self.title_changed.emit(wording.window_title(self._reading.position))

    def refresh(self) -> None:
        """Show what is known now: marks, list, state, threshold, what can be done."""
        listed = self._deciding.listed()
        self._show_marks(listed)
        self._show_proposals()
        self._side.show(listed)
        self._browser.set_current(self._reading.position)
        self._show_note()
        self.facts_changed.emit(self.facts(listed))

    def _show_marks(self, listed: tuple[Finding, ...]) -> None:
        key = self._reading.key
        self._grid.viewport.set_marks(
            tuple(
                _mark(found, selected=found.id == self._deciding.selected)
                for found in listed
                if found.image == key
            )
        )
        self._show_other_marks()

    def _show_other_marks(self) -> None:
        """The findings of what the other viewports show; none of them is selected."""
        for pane in self._grid.in_sight:
            if pane is not self._grid.active:
                found = self._reading.findings_in(pane.showing)
                pane.viewport.set_marks(tuple(_mark(one, selected=False) for one in found))

    def _show_proposals(self) -> None:
        reading = self._reading
        shown = reading.show_proposals and reading.ai_visible and not reading.blind
        proposals = self._analysis.proposals() if shown else ()
        for pane in self._grid.in_sight:
            own = proposals if pane is self._grid.active else ()
            pane.viewport.set_proposals(tuple(proposal.box for proposal in own))

    def _show_note(self) -> None:
        """Signed or analysed, beside the study in the browser."""
        position, session = self._reading.position, self._reading.session
        if position is None or session is None:
            return
        study = study_key(position.study)
        analysed = self._analysis.state().outcome is Outcome.ANALYSED
        if session.signed or analysed or self._browser.studies.notes.get(study) == SIGNED:
            note = SIGNED if session.signed else ANALYSED if analysed else ""
            self._browser.studies.set_note(study, note)

    # --- what can be done ------------------------------------------------------------------------

    def facts(self, listed: tuple[Finding, ...]) -> Facts:
        reading, session = self._reading, self._reading.session
        position, model = reading.position, self._analysis.model
        selected = self._deciding.finding()
        seen = not self._grid.isHidden()  # no key decides on a picture behind another page
        return Facts(
            image=seen and reading.key is not None,
            several_images=seen and position is not None and len(position.series.images) > 1,
            study=position is not None,
            findings=seen and bool(listed),
            selected=seen and self._deciding.selected is not None,
            can_undo=session is not None and session.can_undo,
            can_redo=session is not None and session.can_redo,
            candidate_selected=seen
            and selected is not None
            and selected.status is not Status.ADDED,
            undecided_here=seen and bool(self._deciding.undecided_here()),
            amended=session is not None and not session.signed and session.state.amends is not None,
            blind=reading.blind,
            blind_first=reading.sessions.mode is Mode.BLIND,
            threshold_moved=model is not None
            and reading.thresholds != Thresholds(model.card.default_threshold),
            model=model is not None,
            analysing=self._analysis.state().outcome is Outcome.ANALYSING,
            ai_visible=reading.ai_visible and not reading.blind,
            show_rejected=reading.show_rejected,
            proposals=bool(self._analysis.proposals()) and not reading.blind,
            show_proposals=reading.show_proposals,
            tool=self._grid.viewport.tool,
            dicom=position is not None and not position.image.is_plain,
            layout=self._grid.grid_layout,
            linked_scrolling=self._linking.scrolling,
            linked_window=self._linking.window,
            measurement=seen and self._measuring.selected is not None,
            presets=self._presets.names() if seen else (),
            playing=self._cine.playing,
            picture=seen and reading.loaded is not None,
            states=seen and self._dressing.has_states(position),
            state_in_force=self._grid.active.has_state,
            segments=seen and self._dressing.has_segments(position),
            segments_shown=self._dressing.segments_shown,
            overlays=seen and reading.loaded is not None and bool(reading.loaded.frame.overlays),
            overlays_shown=self._dressing.overlays_shown,
            reanalysed=session is not None and not session.blind and _reanalysed(session.record),
            several_signed=session is not None and len(session.signers) > 1,
        )

    def use_tool(self, tool: Tool) -> None:
        self._grid.set_tool(tool)
        self.refresh()

    def escape(self) -> None:
        """One step back: the drag, the box or measuring tool, the selection, then the view."""
        viewport = self._grid.viewport
        if viewport.cancel_drag():
            return
        if viewport.tool in _UNTIL_ESCAPE:
            self.use_tool(Tool.WINDOW)
        elif self._deciding.selected is not None:
            self._deciding.select(None)
        elif self._measuring.selected is not None:
            self._measuring.select(None)
        elif self._reading.loaded is not None:
            self._grid.active.reset()

    def go_series(self, by: int) -> None:
        there = self._browser.studies.neighbour(by)
        if there is not None:
            self._reading.open(there)


def _reanalysed(record: StudyRecord) -> bool:
    return len({run.image for run in record.runs}) < len(record.runs)


def _mark(found: Finding, *, selected: bool) -> Mark:
    return Mark(
        found.id,
        found.box,
        found.category,
        found.status,
        found.score,
        selected,
        uncertain=found.uncertain,
    )
