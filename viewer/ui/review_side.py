"""Brings the review onto the right side of the window: findings, signature, threshold."""

from __future__ import annotations

from datetime import UTC, datetime

from PySide6.QtCore import QObject

from detector.types import ModelCard
from viewer.review import operating_point
from viewer.review.finding import Finding
from viewer.review.thresholds import Thresholds
from viewer.ui import review_words, wording
from viewer.ui.analysis import Analysis, AnalysisState, Outcome
from viewer.ui.category_thresholds import CategoryThreshold
from viewer.ui.deciding import Deciding
from viewer.ui.finding_list import Entry
from viewer.ui.findings_panel import FindingsPanel, Standing
from viewer.ui.reading import Reading
from viewer.ui.status_line import StatusLine
from viewer.ui.threshold_bar import ThresholdBar

_BUTTONS = {
    Outcome.NOT_ANALYSED: "Analyse",
    Outcome.ANALYSING: "Cancel",
    Outcome.FAILED: "Retry",
    Outcome.REFUSED: "Run all the same",
}


class ReviewSide(QObject):
    """Panel, threshold bar and the detector's line in the status bar. It holds no state."""

    def __init__(
        self,
        reading: Reading,
        deciding: Deciding,
        analysis: Analysis,
        *,
        panel: FindingsPanel,
        bar: ThresholdBar,
        status: StatusLine,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._reading = reading
        self._deciding = deciding
        self._analysis = analysis
        self._panel = panel
        self._bar = bar
        self._status = status
        panel.state.asked.connect(self._state_button)
        bar.moved.connect(reading.set_threshold)
        bar.category_moved.connect(lambda name, value: reading.set_threshold(value, name))
        bar.category_followed.connect(
            lambda name: reading.set_thresholds(reading.thresholds.without(name))
        )
        bar.reset_asked.connect(self.reset_thresholds)

    def show(self, listed: tuple[Finding, ...]) -> None:
        """Show what is known and decided now; ``listed`` are the visible findings."""
        self._show_list(listed)
        self._show_words_on_the_study()
        self._show_analysis()

    # --- what was decided ------------------------------------------------------------------------

    def _show_list(self, listed: tuple[Finding, ...]) -> None:
        position = self._reading.position
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

    def _show_words_on_the_study(self) -> None:
        position, session = self._reading.position, self._reading.session
        words, standing, note, foreign = "", Standing.NONE, "", False
        if position is not None and session is not None:
            state = session.state
            words = review_words.signature_words(state, session.blind, datetime.now(UTC))
            if state.signed:
                standing = Standing.SIGNED
            elif state.amends is not None:
                standing = Standing.AMENDED
            note = state.comment
            foreign = session.foreign_pixels(position.image.uid, position.image.frame_number)
        self._panel.show_signature(words, standing)
        self._panel.show_study_note(note)
        self._panel.show_note(
            "Decisions are kept for this image with other pixels; they are not shown on these."
            if foreign
            else ""
        )

    def _empty_words(self) -> str:
        """What to do where no finding is listed."""
        if self._reading.key is None:
            return ""
        if self._reading.blind:
            return "B adds a box. Ctrl+Enter signs your first read, with or without findings."
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
        shown, hidden = review_words.counts(found, reading.thresholds, reading.ai_visible)
        nothing = shown + hidden == 0
        self._panel.state.show_state(
            state.outcome,
            wording.analysis_title(state, shown, hidden, reading.blind),
            wording.analysis_detail(state, card, nothing, reading.blind),
            "" if state.final else _BUTTONS.get(state.outcome, ""),
        )
        self._status.machine.setText(
            wording.status_line(state, card, shown, hidden, reading.ai_visible, blind=reading.blind)
        )
        seen = reading.ai_visible and not reading.blind
        self._panel.show_image_findings(
            wording.image_findings_words(state) if seen else "",
            wording.image_findings_tip(state) if seen else "",
        )
        if state.outcome is Outcome.ANALYSED:
            self._bar.show_counts(shown, hidden)
        else:
            self._bar.show_no_counts()
        self._show_bar(state, card)

    def _show_bar(self, state: AnalysisState, card: ModelCard | None) -> None:
        bar, thresholds = self._bar, self._reading.thresholds
        bar.setEnabled(state.outcome is not Outcome.NO_MODEL)
        bar.show_blind(wording.BLIND_WORDS if self._reading.blind else "")
        moved = card is not None and thresholds != Thresholds(card.default_threshold)
        default = card.default_threshold if card is not None and moved else None
        bar.show_threshold(thresholds.default, default)
        bar.show_words("" if card is None else self._operating_point(card))
        bar.show_categories(() if card is None else self._categories(card))

    def _operating_point(self, card: ModelCard) -> str:
        """What was measured of the model and precision that made the marks on the screen."""
        thresholds, precision = self._reading.thresholds, self._measured_precision(card)
        point = None
        if precision is not None:
            point = operating_point.together(card, thresholds, precision)
        return review_words.operating_point_words(
            point, thresholds, operating_point.measured_on(card)
        )

    def _categories(self, card: ModelCard) -> list[CategoryThreshold]:
        thresholds, precision = self._reading.thresholds, self._measured_precision(card)
        rows = []
        for category in card.categories:
            value, point = thresholds.of(category), None
            if precision is not None:
                point = operating_point.at(card, value, precision, category)
            words = review_words.category_words(point)
            own = category in thresholds.by_category
            rows.append(CategoryThreshold(category, value, own, words))
        return rows

    def _measured_precision(self, card: ModelCard) -> str | None:
        """That of the run on the screen; None: it is not of the model that the card measured."""
        run = self._analysis.shown_run()
        if run is None:
            return ""
        model = run.model_name, run.model_version, run.weights_sha256
        same = model == (card.name, card.version, card.weights_sha256)
        return run.precision if same else None

    def reset_thresholds(self) -> None:
        """Back to the model's own threshold, for all categories."""
        model = self._analysis.model
        if model is not None:
            self._reading.set_thresholds(Thresholds(model.card.default_threshold))

    def _state_button(self) -> None:
        if self._analysis.state().outcome is Outcome.ANALYSING:
            self._analysis.cancel()
        else:
            self._analysis.run()
