"""The page that shows what the latest run says otherwise than an earlier one."""

from __future__ import annotations

from collections import Counter
from html import escape

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox

from viewer.dicom.model import Study
from viewer.errors import ViewerError
from viewer.review.difference import (
    STILL_IOU,
    STILL_SCORE,
    Change,
    Difference,
    ImageDifference,
    ModelVersion,
    between_runs,
    decided_on,
    models_before,
)
from viewer.review.finding import Candidate, Run, Status
from viewer.review.session import ReviewSession
from viewer.ui import theme
from viewer.ui.deciding import Deciding
from viewer.ui.marks import Look, Mark
from viewer.ui.position import find_image
from viewer.ui.reading import Reading
from viewer.ui.review_words import CARRYING, finding_words
from viewer.ui.rows_page import Line, RowsPage
from viewer.ui.rows_place import RowsPlace

_COLOURS = {
    Change.NEW: theme.MARK_OPEN,
    Change.GONE: theme.MARK_REJECTED,
    Change.MOVED: theme.MARK_ADDED,
    Change.SAME: theme.MUTED,
}
_WORDS = {
    Change.NEW: "new",
    Change.GONE: "gone",
    Change.MOVED: "moved or scored otherwise",
    Change.SAME: "the same",
}


class Differing(QObject):
    """Fills the page, and goes from it to a finding."""

    def __init__(
        self, reading: Reading, deciding: Deciding, place: RowsPlace, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._reading = reading
        self._deciding = deciding
        self._place = place
        self._page: RowsPage | None = None
        self._session: ReviewSession | None = None
        self._study: Study | None = None
        self._found: tuple[ImageDifference, ...] = ()
        self._rows: dict[str, tuple[ImageDifference, Difference]] = {}
        self._selected: str | None = None
        self._models: tuple[ModelVersion | None, ...] = ()
        place.pictured.connect(self._show_marks)
        place.closed.connect(self._closed)
        reading.changed.connect(self._follow)

    def open(self) -> None:
        """Show the differences in the study on the screen, or go back to its images.

        Raises
        ------
        ViewerError
            No image of it was analysed twice, or it is still read blind.
        """
        if self._page is not None:
            self._place.leave()
            return
        session, position = self._reading.session, self._reading.position
        if session is None or position is None:
            return
        if session.blind:
            raise ViewerError("The first read is not signed yet: nothing of the detector is shown.")
        models = models_before(session.record)
        if not models:
            raise ViewerError(
                "No image of this study was analysed more than once; F5 analyses the one on the "
                "screen again."
            )
        self._session, self._study = session, position.study
        self._models = (None, *models)
        self._page = page = self._place.open(position)
        page.note.setText(_note())
        page.keys = {
            key: call
            for keys, call in (
                (("N", "Down", "Right"), lambda: self._go(1)),
                (("Shift+N", "Up", "Left"), lambda: self._go(-1)),
                (("Return", "Enter"), self.read),
                (("R",), self._next_run),
                (("Esc",), self._place.leave),
            )
            for key in keys
        }
        self._add_controls(page)
        page.chosen.connect(self.select)
        self._compare()

    def _add_controls(self, page: RowsPage) -> None:
        self.runs = QComboBox(page)
        self.runs.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.runs.setAccessibleName("Earlier run")
        self.runs.setToolTip("The earlier run to compare with (R)")
        for model in self._models:
            words = "the run before" if model is None else f"{model.name} {model.version}"
            self.runs.addItem(f"Beside {words}")
        self.runs.currentIndexChanged.connect(lambda _: self._compare())
        page.controls.addWidget(self.runs)
        page.buttons.addWidget(page.button("Previous", "Shift+N", lambda: self._go(-1)))
        page.buttons.addWidget(page.button("Next", "N", lambda: self._go(1)))
        page.buttons.addWidget(page.button("Decide on it", "Go to the image (Enter)", self.read))
        page.buttons.addStretch(1)

    def _closed(self) -> None:
        self._page = self._session = self._study = None
        self._found, self._rows, self._selected = (), {}, None

    def _follow(self) -> None:
        """Something was decided elsewhere, or the study was read anew."""
        if self._session is None:
            return
        if self._reading.session is self._session:
            self._compare()
        else:
            self._place.leave()

    # --- what there is ---------------------------------------------------------------------------

    def _compare(self) -> None:
        if self._session is None:
            return
        model = self._models[self.runs.currentIndex()]
        self._found = between_runs(self._session.record, self._session.thresholds.of, model)
        self._rows = {
            difference.present.id: (image, difference)
            for image in self._found
            for difference in image.differences
        }
        self._show()
        if self._selected not in self._rows:
            self.select(next(iter(self._rows), None))
        elif self._selected is not None:
            self.select(self._selected)

    def _next_run(self) -> None:
        self.runs.setCurrentIndex((self.runs.currentIndex() + 1) % self.runs.count())

    def _show(self) -> None:
        if self._page is None:
            return
        self._page.head.setText(_head(self._found))
        self._page.show_lines(self._lines(), self._selected, "Neither run has a mark.")

    def _lines(self) -> list[Line]:
        lines: list[Line] = []
        for image in self._found:
            if len(self._found) > 1:
                lines.append(Line("", self._image_words(image), image.image))
            elif image.earlier is None:
                lines.append(Line("", "not analysed by that run", image.image))
            lines += [self._line(image, each) for each in image.differences]
        return lines

    def _image_words(self, image: ImageDifference) -> str:
        place = (
            None
            if self._study is None
            else find_image(self._study, image.image.uid, image.image.frame_number)
        )
        words = "An image that is not open" if place is None else f"Image {place.index + 1}"
        if image.earlier is None:
            return f"{words}: not analysed by that run"
        return words if image.differences else f"{words}: no mark in either run"

    def _line(self, image: ImageDifference, each: Difference) -> Line:
        detail = _WORDS[each.change]
        if each.change is Change.MOVED and each.iou is not None:
            moved = each.iou < STILL_IOU
            detail = f"moved, overlap {each.iou:.2f}" if moved else "another score"
        elif each.iou is not None and each.change is Change.NEW:
            detail += ", was below the threshold"
        elif each.iou is not None and each.change is Change.GONE:
            detail += ", now below the threshold"
        return Line(
            each.present.id,
            each.present.category,
            image.image,
            _scores(each),
            f"{detail} · {self._decision_words(each)}",
            _COLOURS[each.change],
        )

    def _decision_words(self, each: Difference) -> str:
        said = None if self._session is None else decided_on(each, self._session.state)
        if said is None:
            return "never decided" if each.change is Change.GONE else "to decide"
        finding, carried = said
        words = finding_words(finding)
        return f"{words}, carried over" if carried else words

    # --- going through it ------------------------------------------------------------------------

    def select(self, row: str | None) -> None:
        """Choose a row; its image and both its boxes come on the page."""
        if self._page is None or row is None or row not in self._rows:
            return
        self._selected = row
        self._page.show_lines(self._lines(), row)
        self._place.go_to(self._rows[row][0].image)
        self._show_marks()
        if self._place.key == self._rows[row][0].image:
            self._page.viewport.centre_on(self._rows[row][1].present.box)

    def read(self) -> None:
        """Go to the image of the chosen row, where it is decided."""
        if self._selected is None:
            return
        image, difference = self._rows[self._selected]
        said = None if self._session is None else decided_on(difference, self._session.state)
        finding = difference.present.id if said is None else said[0].id
        self._place.leave()
        self._reading.go_to(image.image.uid, image.image.frame_number)
        self._deciding.select(finding, reveal=True)

    def _go(self, by: int) -> None:
        if self._page is not None:
            self.select(self._page.neighbour(self._selected, by))

    def _show_marks(self) -> None:
        if self._page is None:
            return
        here = {
            row: each for row, (image, each) in self._rows.items() if image.image == self._place.key
        }
        chosen = here.pop(self._selected or "", None)
        self._page.viewport.set_marks(() if chosen is None else _marks(chosen))
        self._page.viewport.set_proposals(tuple(each.present.box for each in here.values()))


def _marks(each: Difference) -> tuple[Mark, ...]:
    """Both boxes of a row: the earlier one dashed, the one of now solid."""
    both = (  # the broken line on top, so that both show where they are one
        (each.later, Look("now", theme.MARK_ADDED.name())),
        (each.earlier, Look("before", theme.MARK_OPEN.name(), dashed=True)),
    )
    return tuple(
        _mark(f"{each.present.id} {look.owner}", candidate, look)
        for candidate, look in both
        if candidate is not None
    )


def _mark(mark_id: str, candidate: Candidate, look: Look) -> Mark:
    return Mark(mark_id, candidate.box, candidate.category, Status.OPEN, candidate.score, look=look)


def _scores(each: Difference) -> str:
    if each.earlier is None or each.later is None:
        return f"{each.present.score:.2f}"
    return f"{each.earlier.score:.2f} → {each.later.score:.2f}"


def _head(found: tuple[ImageDifference, ...]) -> str:
    """Which runs are beside each other, and what came of it."""
    compared = [image for image in found if image.earlier is not None]
    if not compared:
        return "<b>Differences</b><br>That run has analysed none of these images."
    later, earlier = compared[0].later, compared[0].earlier
    assert earlier is not None
    counts = Counter(each.change for image in compared for each in image.differences)
    words = ", ".join(f"{counts[change]} {_WORDS[change]}" for change in Change)
    return (
        f"<b>Differences</b> · {_coloured(f'now {_run_words(later)}', theme.MARK_ADDED)} · "
        f"{_coloured(f'before {_run_words(earlier)}', theme.MARK_OPEN)}<br>{words}"
    )


def _coloured(text: str, colour: QColor) -> str:
    return f'<span style="color: {colour.name()}">{escape(text)}</span>'


def _run_words(run: Run) -> str:
    return f"{run.model_name} {run.model_version}, {run.at.astimezone():%Y-%m-%d %H:%M}"


def _note() -> str:
    return (
        f"Moved: overlap below {STILL_IOU:g}; another score: more than {STILL_SCORE:g} apart. "
        f"{CARRYING}"
    )
