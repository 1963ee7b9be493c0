"""The text view that stands in the picture's place where an entry is a text."""

from __future__ import annotations

from PySide6.QtCore import QUrl, Signal
from PySide6.QtWidgets import QFrame, QTextBrowser, QWidget

from viewer.dicom.model import Image, Study
from viewer.dicom.objects import Report
from viewer.ui import theme
from viewer.ui.report_text import report_html

_MARGIN = 28


class ReportView(QTextBrowser):
    """Read-only text that can be scrolled, selected and copied.

    Signals
    -------
    image_chosen : SOP Instance UID and frame number of a link that was clicked.
    """

    image_chosen = Signal(str, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setOpenLinks(False)  # a report must not make anything load
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Report")
        self.document().setDocumentMargin(_MARGIN)
        self.setStyleSheet(f"QTextBrowser {{ background: {theme.SURROUND.name()}; border: none; }}")
        self.anchorClicked.connect(self._clicked)
        self._shown: object = None

    def show_report(self, report: Report, image: Image, study: Study) -> None:
        """Show a report; the place in it stays where it is shown already."""
        if self._shown != (report, study):
            self._shown = (report, study)
            self.setHtml(report_html(report, image, study))

    def show_sentence(self, sentence: str) -> None:
        """Say why there is none, or that it is on its way."""
        self._shown = None
        self.setPlainText(sentence)

    def _clicked(self, url: QUrl) -> None:
        uid, _, frame = url.toString().partition(" ")
        self.image_chosen.emit(uid, int(frame) if frame.isdigit() else 1)
