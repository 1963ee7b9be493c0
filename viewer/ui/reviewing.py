"""What the reader does to a whole study, and what must be asked for it: notes, signatures."""

from __future__ import annotations

from datetime import UTC, datetime

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from viewer.review.finding import Mode
from viewer.review.session import ReviewSession
from viewer.settings import Settings
from viewer.ui import dialogs, review_words
from viewer.ui.analysis import Analysis, Outcome
from viewer.ui.deciding import Deciding
from viewer.ui.note_dialog import ask_note
from viewer.ui.reading import Reading
from viewer.ui.table_dialog import TableDialog


class Reviewing(QObject):
    """Notes, history, signatures, and whether studies are read blind first."""

    done = Signal(str)  # what was done, in a sentence

    def __init__(
        self,
        window: QWidget,
        *,
        settings: Settings,
        reading: Reading,
        deciding: Deciding,
        analysis: Analysis,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._settings = settings
        self._reading = reading
        self._deciding = deciding
        self._analysis = analysis
        self.follow_settings()

    # --- one finding -----------------------------------------------------------------------------

    def note(self) -> None:
        """Write a note on the selected finding."""
        finding, session = self._deciding.finding(), self._reading.session
        if finding is None or session is None:
            return
        score = "" if finding.score is None else f" {finding.score:.2f}"
        text = ask_note(self._window, f"{finding.category}{score}", finding.note)
        if text is not None:
            session.note(finding.id, text)

    def history(self) -> None:
        """Show how the selected finding came to be what it is."""
        finding, session = self._deciding.finding(), self._reading.session
        if finding is None or session is None:
            return
        rows = review_words.history_rows(session.history(finding.id))
        title = f"History: {finding.category}"
        dialog = TableDialog(self._window, title, review_words.HISTORY_HEADS, rows)
        dialog.resize(840, 360)
        for column, width in enumerate((175, 150, 350)):
            dialog.table.setColumnWidth(column, width)
        dialog.exec()

    # --- the whole study -------------------------------------------------------------------------

    def note_study(self) -> None:
        """Write a note on the study."""
        session = self._seen_session()
        if session is not None:
            text = ask_note(self._window, "The whole study", session.state.comment)
            if text is not None:
                session.note_study(text)

    def sign(self) -> None:
        """Sign the study, or the first read of a blind reading.

        Asked where candidates are undecided or still to come, where an earlier signature is
        amended, and before what cannot be undone.
        """
        session = self._seen_session()
        if session is None:
            return
        if session.blind:
            if dialogs.confirm_first_read(self._window):
                session.sign_first_read()
                if not self._reading.ai_visible:  # hidden by hand on a study before
                    self._reading.toggle_marks()
                self.done.emit("Your first read is signed. The AI marks are shown now.")
            return
        if not self._may_sign(session):
            return
        amends, comment = session.state.amends, ""
        if amends is not None and not session.signed:
            words = review_words.signed_words(amends.reader, amends.at, datetime.now(UTC))
            answer = dialogs.ask_amendment(self._window, words)
            if answer is None:
                return
            comment = answer
        session.sign(comment)

    def _may_sign(self, session: ReviewSession) -> bool:
        undecided = session.undecided()
        analysing = self._analysis.state().outcome is Outcome.ANALYSING
        if not undecided and not analysing:
            return True
        if dialogs.confirm_signature(self._window, len(undecided), analysing):
            return True
        if undecided:
            self._deciding.select(undecided[0].id, reveal=True)
        return False

    def sign_negative(self) -> None:
        """Reject every candidate above the threshold and sign, in one step."""
        session = self._seen_session()
        if session is None:
            return
        analysing = self._analysis.state().outcome is Outcome.ANALYSING
        if analysing and not dialogs.confirm_signature(self._window, 0, analysing):
            return
        count = len(session.undecided())
        session.negative()
        candidates = "1 candidate" if count == 1 else f"{count} candidates"
        rejected = f", {candidates} rejected" if count else ""
        self.done.emit(f"Signed as negative{rejected}. Ctrl+Z takes it back.")

    def _seen_session(self) -> ReviewSession | None:
        """The session of the study, which knows every image seen so far."""
        session = self._reading.session
        if session is not None:
            self._reading.sessions.keep_all()
        return session

    # --- how studies are read --------------------------------------------------------------------

    def follow_settings(self) -> None:
        """Read in the mode of the settings what is opened from now on."""
        self._reading.sessions.choose_mode(Mode(self._settings.text("reading_mode")))

    def toggle_blind_first(self) -> None:
        """Read blind first from the next study on, or with the marks from the start."""
        blind = self._reading.sessions.mode is not Mode.BLIND
        self._settings.change(reading_mode=(Mode.BLIND if blind else Mode.CONCURRENT).value)
        self.follow_settings()
        self._reading.changed.emit()
        if not blind:
            self.done.emit("AI marks are shown from the start.")
        elif self._reading.session is None or self._reading.blind:
            self.done.emit("Blind first: AI marks are hidden until a first read is signed.")
        else:
            self.done.emit(
                "Blind first, from the next study that is opened on. This one was open with its "
                "AI marks."
            )
