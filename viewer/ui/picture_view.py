"""The picture of one image: its window, its place and zoom. Nothing that is drawn over it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QRect, QRectF, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from detector.types import Box
from viewer.dicom.model import Frame, Image, Voi
from viewer.dicom.voi import auto_window, default_voi
from viewer.ui import theme
from viewer.ui.picture_layer import PictureLayer
from viewer.ui.tools import ViewState
from viewer.ui.view_transform import ViewTransform


@dataclass(frozen=True, eq=False, slots=True)
class Shown:
    """What is on the screen, changed as one."""

    image: Image
    frame: Frame
    state: ViewState
    inverted: bool = False  # by the reader, on top of MONOCHROME1


class PictureView(QWidget):
    """Shows one frame, or a message in its place."""

    voi_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(160, 120)
        self.setAccessibleName("Picture")
        self._shown: Shown | None = None
        self._message = ("", "")
        self._layer = PictureLayer()

    # What is shown

    def show_frame(
        self, image: Image, frame: Frame, voi: Voi | None = None, *, same_series: bool = False
    ) -> None:
        """Show a frame, fitted and under ``voi`` or its own first window.

        With ``same_series`` inversion, quarter turns and mirroring stay, and so do zoom and place
        if the frames are of one size, and the window if the reader has chosen it.
        """
        rows, columns = frame.values.shape[:2]
        aspect = image.spacing.aspect
        view = ViewTransform(columns, rows, *self._extent(), aspect).fit()
        inverted = chosen = False
        if same_series and self._shown is not None:
            before = self._shown.state
            inverted, chosen = self._shown.inverted, before.voi_chosen
            old = before.transform
            view = replace(view, mirrored=old.mirrored, turns=old.turns).fit()
            if (old.columns, old.rows, old.aspect) == (columns, rows, aspect):
                view = old
            if chosen and voi is None:
                voi = before.voi
        if voi is None:
            voi = default_voi(frame)
        self._shown = Shown(image, frame, ViewState(view, voi, chosen), inverted)
        self.update()
        self.voi_changed.emit(voi)

    def show_message(self, title: str, detail: str = "") -> None:
        """Show a message in the picture's place: nothing open yet, loading, or a failure."""
        self._shown = None
        self._layer = PictureLayer()  # a closed study's frame goes with it
        self._message = (title, detail)
        self.update()

    # How it is shown

    @property
    def voi(self) -> Voi | None:
        """The window in force; None while a message is shown."""
        return None if self._shown is None else self._shown.state.voi

    @property
    def inverted(self) -> bool:
        return self._shown is not None and self._shown.inverted

    @property
    def view(self) -> ViewTransform | None:
        """Where the picture lies; None while a message is shown."""
        return None if self._shown is None else self._shown.state.transform

    def offer_voi(self, voi: Voi) -> None:
        """Another window that belongs to the frame, not to the reader's choice."""
        if self._shown is not None:
            self._set_state(replace(self._shown.state, voi=voi, voi_chosen=False))

    def set_voi(self, voi: Voi) -> None:
        """The reader's choice of window: it stays for the next images of the series."""
        if self._shown is not None:
            self._set_state(replace(self._shown.state, voi=voi, voi_chosen=True))

    def auto_window(self) -> None:
        """A window by the values of this frame."""
        if self._shown is not None:
            self.set_voi(auto_window(self._shown.frame))

    def toggle_inverted(self) -> None:
        """Black becomes white, and back."""
        if self._shown is not None:
            self._shown = replace(self._shown, inverted=not self._shown.inverted)
            self.update()

    def turn(self, turns: int) -> None:
        """Turn the picture by quarters, clockwise."""
        if self._shown is not None:
            self.set_view(self._shown.state.transform.turned(turns))

    def flip(self, *, upside_down: bool = False) -> None:
        """Exchange left and right as they are on the screen, or top and bottom."""
        if self._shown is not None:
            view = self._shown.state.transform.flipped()
            self.set_view(view.turned(2) if upside_down else view)

    def reset(self, voi: Voi | None = None) -> None:
        """Fitted, upright, not inverted, under ``voi`` or the frame's own first window."""
        if self._shown is not None:
            self.set_view(self._shown.state.transform.upright().fit())
            self._shown = replace(self._shown, inverted=False)
            voi = voi or default_voi(self._shown.frame)
            self._set_state(replace(self._shown.state, voi=voi, voi_chosen=False))
            self.update()

    def fit(self) -> None:
        """The whole picture, as large as it goes."""
        if self._shown is not None:
            self.set_view(self._shown.state.transform.fit())

    def actual_size(self) -> None:
        """One image pixel for each pixel of the screen."""
        if self._shown is not None:
            self.set_view(self._shown.state.transform.actual_size())

    def zoom_by(self, factor: float) -> None:
        """Magnify around the middle of the viewport."""
        if self._shown is not None:
            self.set_view(self._shown.state.transform.zoomed(factor))

    def centre_on(self, box: Box) -> None:
        """Bring a box into view; nothing moves where it is comfortably in view already."""
        if self._shown is not None:
            self.set_view(self._shown.state.transform.showing(box))

    def set_view(self, view: ViewTransform) -> None:
        """Show the picture at another place or zoom."""
        if self._shown is not None:
            self._set_state(replace(self._shown.state, transform=view))

    def _set_state(self, state: ViewState) -> None:
        if self._shown is None or state == self._shown.state:
            return
        before, self._shown = self._shown.state, replace(self._shown, state=state)
        self.update()
        if state.voi != before.voi:
            self.voi_changed.emit(state.voi)

    # Painting

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._follow_size()

    def paintEvent(self, _event: QPaintEvent) -> None:
        self._follow_size()  # also to a screen of another density
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.SURROUND)
        if self._shown is None:
            _paint_message(painter, self.rect(), *self._message)
            return
        shown, state = self._shown, self._shown.state
        view = state.transform
        self._layer.paint(painter, shown.frame, state.voi, shown.inverted, view)
        self._paint_graphics(painter, shown)

    def _paint_graphics(self, painter: QPainter, shown: Shown) -> None:
        """Draw what belongs over the picture: nothing here."""

    def _extent(self) -> tuple[float, float, float]:
        return max(1, self.width()), max(1, self.height()), self.devicePixelRatioF()

    def _follow_size(self) -> None:
        if self._shown is not None:
            view = self._shown.state.transform
            if (view.width, view.height, view.ratio) != self._extent():
                self._set_state(replace(self._shown.state, transform=view.resized(*self._extent())))


def _paint_message(painter: QPainter, area: QRect, title: str, detail: str) -> None:
    """A title and a sentence in the middle, wrapped to a readable width."""
    width = max(1, min(460, area.width() - 48))
    wrap = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop
    title_font = QFont(painter.font())
    title_font.setPixelSize(18)
    detail_font = theme.picture_font(painter.font())
    heights = [
        QFontMetrics(font, painter.device()).boundingRect(0, 0, width, 4000, wrap, text).height()
        if text
        else 0
        for font, text in ((title_font, title), (detail_font, detail))
    ]
    gap = 10 if detail else 0
    top = (area.height() - heights[0] - gap - heights[1]) / 2
    left = (area.width() - width) / 2
    painter.setFont(title_font)
    painter.setPen(theme.TEXT)
    painter.drawText(QRectF(left, top, width, heights[0] + 2), wrap, title)
    painter.setFont(detail_font)
    painter.setPen(theme.MUTED)
    painter.drawText(QRectF(left, top + heights[0] + gap, width, heights[1] + 2), wrap, detail)
