"""Brings what is read, decided and analysed onto the widgets. It holds no state of its own."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from detector.types import ModelCard
from viewer.review import operating_point
from viewer.review.finding import Finding
from viewer.review.operating_point import OperatingPoint
from viewer.ui import wording
from viewer.ui.analysis import Analysis, Outcome
from viewer.ui.cine import Cine
from viewer.ui.deciding import Deciding
from viewer.ui.dressing import Dressing
from viewer.ui.facts import Facts
from viewer.ui.findings_panel import Entry, FindingsPanel
from viewer.ui.grid import Grid
from viewer.ui.linking import Linking
from viewer.ui.marks import Mark
from viewer.ui.measuring import Measuring
from viewer.ui.position import study_key
from viewer.ui.presets import Presets
from viewer.ui.reading import Reading
from viewer.ui.status_line import StatusLine
from viewer.ui.study_browser import ANALYSED, SIGNED, StudyBrowser
from viewer.ui.threshold_bar import ThresholdBar
from viewer.ui.tools import SHAPES, Tool

_UNTIL_ESCAPE = frozenset((Tool.BOX, Tool.MAGNIFIER, *SHAPES))
_BUTTONS = {
    Outcome.NOT_ANALYSED: "Analyse",
    Outcome.ANALYSING: "Cancel",
    Outcome.FAILED: "Retry",
    Outcome.REFUSED: "Run all the same",
}


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
        panel: FindingsPanel,
        bar: ThresholdBar,
        status: StatusLine,
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
        self._panel = panel
        self._bar = bar
        self._status = status
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
        panel.state.asked.connect(self._state_button)

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
        self._show_list(listed)
        self._show_analysis()
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
        shown = self._reading.show_proposals and self._reading.ai_visible
        proposals = self._analysis.proposals() if shown else ()
        for pane in self._grid.in_sight:
            own = proposals if pane is self._grid.active else ()
            pane.viewport.set_proposals(tuple(proposal.box for proposal in own))

    def _show_list(self, listed: tuple[Finding, ...]) -> None:
        position, session = self._reading.position, self._reading.session
        entries: list[Entry] = []
        if position is not None:
            images = [image for series in position.study.series for image in series.images]
            numbers = {
                (image.uid, image.frame_number): index + 1
                for series in position.study.series
                for index, image in enumerate(series.images)
            }
            for found in listed:
                number = numbers.get((found.image.uid, found.image.frame_number))
                several = len(images) > 1 and number is not None
                entries.append(Entry(found, f"image {number}" if several else ""))
        self._panel.show_entries(entries, self._empty_words())
        self._panel.show_selected(self._deciding.selected)
        self._panel.show_rejected(self._reading.show_rejected)
        sign = None if session is None else session.state.signature
        signature = "" if sign is None else wording.signed_words(sign.reader, sign.at)
        self._panel.show_signature(signature, position is not None)
        foreign = (
            position is not None
            and session is not None
            and session.foreign_pixels(position.image.uid, position.image.frame_number)
        )
        self._panel.show_note(
            "Decisions are kept for this image with other pixels; they are not shown on these."
            if foreign
            else ""
        )

    def _empty_words(self) -> str:
        """What to do where no finding is listed."""
        if self._reading.key is None:
            return ""
        if not self._reading.ai_visible:
            return "AI marks are hidden. G shows them, B adds a box."
        outcome = self._analysis.state().outcome
        if outcome is Outcome.ANALYSING:
            return ""
        if outcome is Outcome.ANALYSED:
            return "No finding at this threshold. [ lowers it, B adds a box, Ctrl+Enter signs."
        return "No findings yet. B, then a drag on the picture, adds one."

    # --- the detector ----------------------------------------------------------------------------

    def _show_analysis(self) -> None:
        reading, model = self._reading, self._analysis.model
        card = None if model is None else model.card
        state = self._analysis.state()
        image, session = reading.image, reading.session
        found = (
            ()
            if image is None or session is None
            else session.findings(image.uid, image.frame_number)
        )
        shown, hidden = wording.counts(found, reading.threshold, reading.ai_visible)
        nothing = shown + hidden == 0
        self._panel.state.show_state(
            state.outcome,
            wording.analysis_title(state, shown, hidden),
            wording.analysis_detail(state, card, nothing),
            "" if state.final else _BUTTONS.get(state.outcome, ""),
        )
        line = wording.status_line(state, card, shown, hidden, reading.ai_visible)
        self._status.machine.setText(line)
        self._bar.setEnabled(state.outcome is not Outcome.NO_MODEL)
        self._bar.show_threshold(reading.threshold)
        if state.outcome is Outcome.ANALYSED:
            self._bar.show_counts(shown, hidden)
        else:
            self._bar.show_no_counts()
        self._panel.show_image_findings(
            wording.image_findings_words(state) if reading.ai_visible else "",
            wording.image_findings_tip(state),
        )
        words = ""
        if card is not None:
            point = self._operating_point(card)
            words = wording.operating_point_words(point, reading.threshold)
        self._bar.show_words(words)

    def _operating_point(self, card: ModelCard) -> OperatingPoint | None:
        """What was measured of the model and precision that made the marks on the screen."""
        run = self._analysis.shown_run()
        if run is not None and (run.model_name, run.model_version, run.weights_sha256) != (
            card.name,
            card.version,
            card.weights_sha256,
        ):
            return None
        precision = "" if run is None else run.precision
        return operating_point.at(card, self._reading.threshold, precision)

    def _state_button(self) -> None:
        if self._analysis.state().outcome is Outcome.ANALYSING:
            self._analysis.cancel()
        else:
            self._analysis.run()

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
        position = reading.position
        seen = not self._grid.isHidden()  # no key decides on a picture behind another page
        return Facts(
            image=seen and reading.key is not None,
            several_images=seen and position is not None and len(position.series.images) > 1,
            study=position is not None,
            findings=seen and bool(listed),
            selected=seen and self._deciding.selected is not None,
            can_undo=session is not None and session.can_undo,
            can_redo=session is not None and session.can_redo,
            model=self._analysis.model is not None,
            analysing=self._analysis.state().outcome is Outcome.ANALYSING,
            ai_visible=reading.ai_visible,
            show_rejected=reading.show_rejected,
            proposals=bool(self._analysis.proposals()),
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


def _mark(found: Finding, *, selected: bool) -> Mark:
    return Mark(found.id, found.box, found.category, found.status, found.score, selected)
