"""Brings what is read, decided and analysed onto the widgets. It holds no state of its own."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from detector.types import ModelCard
from viewer.review import operating_point
from viewer.review.finding import Finding, Verb
from viewer.review.operating_point import OperatingPoint
from viewer.ui import wording
from viewer.ui.analysis import Analysis, Outcome
from viewer.ui.corner_text import CornerText
from viewer.ui.deciding import Deciding
from viewer.ui.facts import Facts
from viewer.ui.findings_panel import Entry, FindingsPanel
from viewer.ui.marks import Mark
from viewer.ui.reading import Position, Reading, study_key
from viewer.ui.status_line import StatusLine
from viewer.ui.study_browser import ANALYSED, SIGNED, StudyBrowser
from viewer.ui.threshold_bar import ThresholdBar
from viewer.ui.tools import Tool
from viewer.ui.viewport import Viewport

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
        viewport: Viewport,
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
        self._viewport = viewport
        self._browser = browser
        self._panel = panel
        self._bar = bar
        self._status = status
        self._shown: Position | None = None
        self._own_voi: object = None  # the window that came with the image on the screen
        reading.image_shown.connect(self._show_image)
        reading.changed.connect(self.refresh)
        reading.grown.connect(self._show_place)
        deciding.selection_changed.connect(self.refresh)
        deciding.centre.connect(viewport.centre_on)
        analysis.changed.connect(self.refresh)
        panel.state.asked.connect(self._state_button)

    # --- the picture -----------------------------------------------------------------------------

    def _show_image(self) -> None:
        position, loaded = self._reading.position, self._reading.loaded
        if position is None:
            self._shown = None
            self._viewport.show_message("")
        elif loaded is None:
            self._viewport.show_message("This image cannot be shown", self._reading.trouble)
        else:
            same = position.same_series(self._shown)
            moved = same and self._viewport.voi != self._own_voi
            voi = self._viewport.voi if moved else loaded.voi
            self._own_voi = None if moved else loaded.voi
            self._viewport.show_frame(position.image, loaded.frame, voi, same_series=same)
            self._shown = position
        self._show_place()
        self.refresh()

    def _show_place(self) -> None:
        """Whose image it is, and which of how many."""
        position = self._reading.position
        if position is not None:
            image = position.image
            self._viewport.set_corner_text(
                CornerText(
                    wording.patient_lines(image),
                    wording.series_lines(image),
                    wording.image_lines(position),
                )
            )
        self.title_changed.emit(wording.window_title(position))

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
        self._viewport.set_marks(
            tuple(
                Mark(
                    found.id,
                    found.box,
                    found.category,
                    found.status,
                    found.score,
                    found.id == self._deciding.selected,
                )
                for found in listed
                if found.image == key
            )
        )

    def _show_proposals(self) -> None:
        shown = self._reading.show_proposals and self._reading.ai_visible
        proposals = self._analysis.proposals() if shown else ()
        self._viewport.set_proposals(tuple(proposal.box for proposal in proposals))

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
        signature = ""
        if session is not None and session.signed:
            last = session.state.line[-1]
            if last.verb in (Verb.SIGN, Verb.REOPEN):
                signature = wording.signed_words(last.reader, last.at)
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
            _BUTTONS.get(state.outcome, ""),
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
        return Facts(
            image=reading.key is not None,
            several_images=position is not None and len(position.series.images) > 1,
            study=position is not None,
            findings=bool(listed),
            selected=self._deciding.selected is not None,
            can_undo=session is not None and session.can_undo,
            can_redo=session is not None and session.can_redo,
            model=self._analysis.model is not None,
            analysing=self._analysis.state().outcome is Outcome.ANALYSING,
            ai_visible=reading.ai_visible,
            show_rejected=reading.show_rejected,
            proposals=bool(self._analysis.proposals()),
            show_proposals=reading.show_proposals,
            tool=self._viewport.tool,
        )

    def use_tool(self, tool: Tool) -> None:
        self._viewport.set_tool(tool)
        self.refresh()

    def escape(self) -> None:
        """One step back: the drag, the box tool, the selection, then the view."""
        if self._viewport.cancel_drag():
            return
        if self._viewport.tool is Tool.BOX:
            self.use_tool(Tool.WINDOW)
        elif self._deciding.selected is not None:
            self._deciding.select(None)
        elif self._reading.loaded is not None:
            self._viewport.fit()
            if self._reading.loaded.voi is not None:
                self._viewport.set_voi(self._reading.loaded.voi)

    def go_series(self, by: int) -> None:
        there = self._browser.studies.neighbour(by)
        if there is not None:
            self._reading.open(there)
