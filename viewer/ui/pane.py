"""One place of the grid: a viewport, what it shows, and the border that says it is active."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from viewer.dicom.objects import Report
from viewer.ui import theme, wording
from viewer.ui.appearance import Appearance
from viewer.ui.comparing import Caption, Tone
from viewer.ui.corner_text import CornerText
from viewer.ui.dressing import Dressing
from viewer.ui.frames import Loaded, place_of
from viewer.ui.position import Position
from viewer.ui.report_view import ReportView
from viewer.ui.showing import Showing
from viewer.ui.viewport import Viewport

BORDER = 2  # pixels; none where there is only one pane

_EMPTY = "Drag a series here, or click here and then on a series."
_TOUCHES = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick, QEvent.Type.Wheel)


class Pane(QWidget):
    """Brings what is shown here onto its viewport.

    Attributes
    ----------
    showing : what is shown here, and where the reader goes from here.
    report : stands in the viewport's place where an entry is a text.
    dressing : who says how pictures appear beyond what their own files say.
    """

    touched = Signal()  # before the viewport gets the press or the turn of the wheel

    def __init__(self, showing: Showing, parent: QWidget) -> None:
        super().__init__(parent)
        self.showing = showing
        self.viewport = Viewport(self)
        self.dressing: Dressing | None = None
        self._worn = Appearance()
        self._shown: Position | None = None
        self._own_voi: object = None  # the window that came with the image on the screen
        self._active = False
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._captioned = (Caption(), False)
        self._caption = QLabel(self)
        self._caption.setObjectName("caption")
        self._caption.setTextFormat(Qt.TextFormat.PlainText)  # what a file said is never HTML
        self._caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._caption.hide()
        column.addWidget(self._caption)
        column.addWidget(self.viewport, 1)
        self.report = ReportView(self)
        self.report.hide()
        column.addWidget(self.report, 1)
        self.viewport.installEventFilter(self)
        self.report.viewport().installEventFilter(self)
        self.viewport.scroll_requested.connect(showing.step)
        self.viewport.show_message("", _EMPTY)

    def show_picture(self) -> None:
        """Show what is to be seen here now."""
        position, loaded = self.showing.position, self.showing.loaded
        self._show_text()
        if position is None:
            self._shown, self._worn = None, Appearance()
            self.viewport.show_message("", _EMPTY)
        elif not position.image.kind.has_picture:
            self._shown, self._worn = None, Appearance()
            self.viewport.show_message("")
        elif loaded is None:
            self._worn = Appearance()
            self.viewport.show_message("This image cannot be shown", self.showing.trouble)
        else:
            same = position.same_series(self._shown)
            moved = same and self.viewport.voi != self._own_voi
            before = self._worn if same else Appearance()
            self._worn = self._appearance(position, loaded)
            own = self._worn.voi or loaded.voi
            voi = self.viewport.voi if moved else own
            self._own_voi = None if moved else own
            self.viewport.show_frame(position.image, loaded.frame, voi, same_series=same)
            self._worn.put_on(self.viewport, before)
            self._shown = position
        self.show_place()

    def switch_state(self) -> None:
        """The reader chose another presentation state, or none: its window counts."""
        if self._shown is not None:
            self._own_voi = self.viewport.voi
        self.refresh_appearance()

    def refresh_appearance(self) -> None:
        """Something has come, or was switched on or off; the reader's own window stays."""
        self._show_text()
        position, loaded, shown = self.showing.position, self.showing.loaded, self._shown
        if position is None or loaded is None or shown is None:
            return
        if place_of(position.image) != place_of(shown.image):
            return  # the picture is on its way
        before, self._worn = self._worn, self._appearance(position, loaded)
        own = self._worn.voi or loaded.voi
        if own is not None and self.viewport.voi == self._own_voi:
            self.viewport.offer_voi(own)
            self._own_voi = own
        self._worn.put_on(self.viewport, before)
        self.show_place()

    def reset(self) -> None:
        """The picture as it came up: fitted, under its own window or its presentation state."""
        loaded = self.showing.loaded
        if loaded is not None:
            self.viewport.reset(self._worn.voi or loaded.voi)
            self._own_voi = self._worn.voi or loaded.voi
            self._worn.put_on(self.viewport, Appearance())

    def _follow_size(self) -> None:
        """The displayed area of a state fills a resized viewport, if the reader left it there."""
        view = self.viewport.view
        if self.has_state and view is not None and self._worn.placed(view) == view:
            QTimer.singleShot(0, self._place)  # when the viewport has taken its new size in

    def _place(self) -> None:
        if self.viewport.view is not None:
            self.viewport.set_view(self._worn.placed(self.viewport.view))

    @property
    def has_state(self) -> bool:
        """Whether a presentation state is in force here."""
        return self._worn.softcopy is not None

    def _appearance(self, position: Position, loaded: Loaded) -> Appearance:
        if self.dressing is None:
            return Appearance()
        return self.dressing.appearance(position, loaded)

    def _show_text(self) -> None:
        """The text of an entry without a picture, in the viewport's place."""
        position = self.showing.position
        is_text = position is not None and not position.image.kind.has_picture
        if position is not None and is_text and self.dressing is not None:
            found = self.dressing.report(position.image)
            if isinstance(found, Report):
                self.report.show_report(found, position.image, position.study)
            else:
                self.report.show_sentence(found or "Reading…")
        gone, here = (self.viewport, self.report) if is_text else (self.report, self.viewport)
        # The focus would go to the next field of the window otherwise, and keys with it.
        had_focus = gone.hasFocus()
        here.show()
        if had_focus:
            here.setFocus()
        gone.hide()

    def show_place(self) -> None:
        """Whose image it is, and which of how many."""
        position = self.showing.position
        if position is not None:
            image = position.image
            self.viewport.set_corner_text(
                CornerText(
                    wording.patient_lines(image),
                    wording.series_lines(image) + self._worn.lines,
                    wording.image_lines(position),
                )
            )

    def set_active(self, active: bool, *, framed: bool) -> None:
        """Whether keys and decisions are for this pane; ``framed`` shows it, among several."""
        if not active:
            self.viewport.cancel_drag()
        margin = BORDER if framed else 0
        self._active = active
        self._column.setContentsMargins(margin, margin, margin, margin)
        self.update()

    def set_caption(self, caption: Caption, *, room: bool) -> None:
        """The line above the picture that tells it from the one beside it.

        With ``room`` the line is kept where it is empty, so that the pictures are level.
        """
        if (caption, room) == self._captioned:
            return  # with each image that is scrolled past
        self._captioned = caption, room
        self._caption.setVisible(room)
        self._caption.setText(caption.text)
        ink, ground = {
            Tone.PLAIN: (theme.TEXT, theme.RAISED),
            Tone.PRIOR: (theme.WARNING, theme.RAISED),
            Tone.ALARM: (theme.ON_ACCENT, theme.WARNING),
        }[caption.tone]
        self._caption.setStyleSheet(
            f"#caption {{ background: {ground.name()}; color: {ink.name()}; padding: 3px; "
            "font-weight: bold; }"
        )

    @property
    def caption(self) -> str:
        return self._caption.text()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.viewport and event.type() is QEvent.Type.Resize:
            self._follow_size()
        if watched in (self.viewport, self.report.viewport()) and event.type() in _TOUCHES:
            self.touched.emit()
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.ACCENT if self._active else theme.BORDER)
