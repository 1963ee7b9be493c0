"""The page on which several readers' findings become one consensus."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QMenu

from detector.types import Box
from viewer.dicom.model import ImageKey, Study
from viewer.errors import ViewerError
from viewer.review.adjudication import Adjudication, Resolution, categories_used
from viewer.review.consensus_rows import Row
from viewer.review.finding import Finding, Status
from viewer.ui import consensus_words, theme
from viewer.ui.consensus_words import LETTERS, colour_of, letter_of
from viewer.ui.deciding import Deciding
from viewer.ui.marks import Look, Mark
from viewer.ui.position import find_image
from viewer.ui.reading import Reading
from viewer.ui.rows_page import Line, RowsPage
from viewer.ui.rows_place import RowsPlace
from viewer.ui.tools import Tool

_CONSENSUS = Look("consensus", theme.MARK_ACCEPTED.name())
_DETECTOR = Look("AI", theme.MARK_REJECTED.name(), dashed=True)
_KEYS = (
    "1, 2 …: take that reader's · X or 0: nothing there · B: draw · E: category · N: next · "
    "A: accept all agreed · G: AI marks · Ctrl+Z: undo · Ctrl+Enter: sign"
)


class Adjudicating(QObject):
    """Fills the page, and does what the adjudicator decides there."""

    told = Signal(str)  # a sentence on what was done

    def __init__(
        self, reading: Reading, deciding: Deciding, place: RowsPlace, parent: QObject
    ) -> None:
        super().__init__(parent)
        self.log: Adjudication | None = None
        self._reading = reading
        self._deciding = deciding
        self._place = place
        self._page: RowsPage | None = None
        self._study: Study | None = None
        self._selected: str | None = None
        self._owners: dict[str, str] = {}  # mark -> row
        place.pictured.connect(self._show_marks)
        place.closed.connect(self._closed)

    def open(self) -> None:
        """Adjudicate the study on the screen, or go back to its images.

        Raises
        ------
        ViewerError
            Fewer than two readers have signed it.
        StoreError
        """
        if self._page is not None:
            self._place.leave()
            return
        position, session = self._reading.position, self._reading.session
        if position is None or session is None:
            return
        log = self._reading.sessions.adjudication(position.study.header)
        if len(log.reads) < 2:
            raise ViewerError("Two readers must have signed this study before it is adjudicated.")
        page = self._place.open(position)
        self.log, self._page, self._study = log, page, position.study
        log.thresholds = session.thresholds
        log.subscribe(self._show)
        page.note.setText(_KEYS)
        page.keys = self._keys()
        self._add_buttons(page)
        page.chosen.connect(self.select)
        page.viewport.mark_clicked.connect(lambda mark: self.select(self._owners.get(mark)))
        page.viewport.background_clicked.connect(lambda: self.select(None))
        page.viewport.box_drawn.connect(lambda box: page.do(lambda: self._drawn(box)))
        page.viewport.box_edited.connect(
            lambda mark, box: page.do(lambda: log.correct(mark, box=box))
        )
        self._selected = None
        self._show()
        self._go_on()

    def _closed(self) -> None:
        self.log = self._page = self._study = None
        self._selected = None
        self._owners = {}

    def _keys(self) -> dict[str, Callable[[], object]]:
        calls: tuple[tuple[tuple[str, ...], Callable[[], object]], ...] = (
            (("X", "0", "Del"), self.neither),
            (("N", "Right", "Down"), lambda: self._go(1)),
            (("Shift+N", "Left", "Up"), lambda: self._go(-1)),
            (("A",), self.accept_agreed),
            (("B",), self.draw),
            (("E",), self.ask_category),
            (("G",), self.toggle_detector),
            (("Ctrl+Z",), self.undo),
            (("Ctrl+Shift+Z", "Ctrl+Y"), self.redo),
            (("Ctrl+Return", "Ctrl+Enter"), self.sign),
            (("Esc",), self.escape),
        )
        keys = {key: call for names, call in calls for key in names}
        for number in range(1, len(LETTERS) + 1):
            keys[str(number)] = partial(self.take, number - 1)
        return keys

    def _add_buttons(self, page: RowsPage) -> None:
        for number, reader in enumerate(self.readers[: len(LETTERS)]):
            page.buttons.addWidget(
                page.button(
                    f"Take {LETTERS[number]}'s",
                    f"As {reader} has it ({number + 1})",
                    partial(self.take, number),
                )
            )
        for text, tip, call in (
            ("Nothing there", "X", self.neither),
            ("Draw own", "B, then a drag on the picture", self.draw),
            ("Accept all agreed", "A", self.accept_agreed),
            ("Undo", "Ctrl+Z", self.undo),
            ("Redo", "Ctrl+Shift+Z", self.redo),
        ):
            page.buttons.addWidget(page.button(text, tip, call))
        page.buttons.addStretch(1)
        page.buttons.addWidget(page.button("Sign the consensus", "Ctrl+Enter", self.sign))

    # --- what there is ---------------------------------------------------------------------------

    @property
    def readers(self) -> tuple[str, ...]:
        """Those who have signed; the first is A."""
        return () if self.log is None else tuple(self.log.reads)

    def _chosen(self) -> Resolution | None:
        if self.log is None:
            return None
        return next((each for each in self.log.resolutions() if each.id == self._selected), None)

    def _show(self) -> None:
        if self.log is None or self._page is None:
            return
        found = self.log.resolutions()
        if self._selected not in {each.id for each in found}:
            self._selected = None
        self._page.head.setText(consensus_words.head(self.log, found))
        self._page.show_warning(consensus_words.warning(self.log))
        self._page.show_lines(
            self._lines(found),
            self._selected,
            "No reader has marked anything on the images that all have signed. "
            "Ctrl+Enter signs that nothing is there.",
        )
        self._show_marks()

    def _lines(self, found: tuple[Resolution, ...]) -> list[Line]:
        lines: list[Line] = []
        several = len({each.image for each in found}) > 1
        for each in found:
            if several and (not lines or lines[-1].image != each.image):
                lines.append(Line("", self._image_words(each.image), each.image))
            lines.append(consensus_words.line(each, self.readers))
        return lines

    def _image_words(self, image: ImageKey) -> str:
        there = (
            None if self._study is None else find_image(self._study, image.uid, image.frame_number)
        )
        return "An image that is not open" if there is None else f"Image {there.index + 1}"

    def _show_marks(self) -> None:
        if self.log is None or self._page is None:
            return
        marks: list[Mark] = []
        self._owners = {}
        for each in self.log.resolutions():
            if each.image != self._place.key:
                continue
            for mark in self._marks_of(each):
                self._owners[mark.id] = each.id
                marks.append(mark)
        marks += [
            Mark(found.id, found.box, found.category, found.status, found.score, look=_DETECTOR)
            for found in self.log.shown()
            if found.status is Status.OPEN and found.image == self._place.key
        ]
        self._page.viewport.set_marks(tuple(marks))

    def _marks_of(self, each: Resolution) -> list[Mark]:
        """The consensus of a row, with what the readers have while it is open or chosen."""
        chosen = each.id == self._selected
        marks = []
        if each.row is not None and (chosen or each.finding is None):
            marks = [
                Mark(f"{source.reader}\0{source.finding_id}", source.box, source.category,
                     source.status, None, look=_look(source.reader, self.readers))
                for source in each.row.sources
            ]  # fmt: skip
        finding = each.finding
        if finding is not None and finding.status is not Status.REJECTED:
            marks.append(
                Mark(finding.id, finding.box, finding.category, finding.status, None,
                     selected=chosen, look=_CONSENSUS)
            )  # fmt: skip
        return marks

    # --- going through it ------------------------------------------------------------------------

    def select(self, row: str | None) -> None:
        """Choose a row, and bring its image onto the page."""
        self._selected = row
        chosen = self._chosen()
        self._show()
        if chosen is not None and self._page is not None:
            self._place.go_to(chosen.image)
            box = chosen.row.box if chosen.row is not None else _box_of(chosen.finding)
            if self._place.key == chosen.image:
                self._page.viewport.centre_on(box)

    def _go(self, by: int) -> None:
        if self._page is not None:
            self.select(self._page.neighbour(self._selected, by))

    def _go_on(self) -> None:
        """To the next row that is open, in the order of the list; where one is chosen, stay."""
        chosen = self._chosen()
        if self.log is None or (chosen is not None and chosen.finding is None):
            return
        found = self.log.resolutions()
        ids = [each.id for each in found]
        here = ids.index(self._selected) + 1 if self._selected in ids else 0
        waiting = [each.id for each in (*found[here:], *found[:here]) if each.finding is None]
        self.select(waiting[0] if waiting else self._selected or (ids[0] if ids else None))

    def escape(self) -> None:
        """One step back: the drag, the box tool, then the page."""
        page = self._page
        if page is None or page.viewport.cancel_drag():
            return
        if page.viewport.tool is Tool.BOX:
            page.viewport.set_tool(Tool.WINDOW)
        else:
            self._place.leave()

    # --- deciding --------------------------------------------------------------------------------

    def _row(self) -> Row | None:
        """The chosen row, if its picture is on the screen: a quick key must not decide unseen."""
        chosen = self._chosen()
        if chosen is None:
            self._go(1)  # the first press chooses, the second decides
            return None
        if chosen.image != self._place.key:
            self._place.go_to(chosen.image)
            return None
        return chosen.row

    def take(self, number: int) -> None:
        """The chosen row is as this reader has it."""
        row = self._row()
        if row is not None and self.log is not None and number < len(self.readers):
            self.log.take(row, self.readers[number])
            self._go_on()

    def neither(self) -> None:
        """There is nothing in the chosen row; what the adjudicator has added goes away."""
        chosen, row = self._chosen(), self._row()
        if self.log is None:
            return
        if row is not None:
            self.log.neither(row)
            self._go_on()
        elif chosen is not None and chosen.row is None and chosen.finding is not None:
            self.log.remove(chosen.finding.id)

    def accept_agreed(self) -> None:
        if self.log is None:
            return
        if self.log.accept_agreed():
            self._go_on()
        else:
            self.told.emit("No row is left on which all agree.")

    def draw(self) -> None:
        """The next drag draws the box of the chosen row, or one that no reader has."""
        if self._page is not None:
            self._page.viewport.set_tool(Tool.BOX)

    def _drawn(self, box: Box) -> None:
        if self.log is None or self._page is None or self._place.key is None:
            return
        self._page.viewport.set_tool(Tool.WINDOW)
        chosen = self._chosen()
        if chosen is not None and chosen.row is not None and chosen.image == self._place.key:
            self.log.draw(chosen.row, box)
        else:
            names = categories_used(self.log.rows)
            category = names[0] if names else self._deciding.new_category
            self.select(self.log.add(self._place.key, box, category).id)

    def ask_category(self) -> None:
        """The categories, for what the consensus has in the chosen row."""
        chosen, page, log = self._chosen(), self._page, self.log
        if chosen is None or page is None or log is None:
            return
        finding = chosen.finding
        if finding is None or finding.status is Status.REJECTED:
            raise ViewerError("Take a reader's finding first, or draw one; then E changes it.")
        menu = QMenu(page)
        for name in dict.fromkeys((*categories_used(log.rows), *self._deciding.categories())):
            action = menu.addAction(name.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(name == finding.category)
            action.triggered.connect(
                lambda _checked=False, name=name: page.do(
                    lambda: log.correct(finding.id, category=name)
                )
            )
        menu.exec(page.list.mapToGlobal(QPoint(0, 0)))
        menu.deleteLater()

    def toggle_detector(self) -> None:
        """Show or hide the detector's candidates, which are hidden at first."""
        if self.log is not None:
            self.log.ai_visible = not self.log.ai_visible

    def undo(self) -> None:
        if self.log is not None:
            self.log.undo()

    def redo(self) -> None:
        if self.log is not None:
            self.log.redo()

    def sign(self) -> None:
        """Sign the consensus; it is what exports take from then on."""
        if self.log is not None:
            self.log.sign()
            self.told.emit("The consensus is signed; exports take it from now on.")


def _look(reader: str, readers: tuple[str, ...]) -> Look:
    return Look(letter_of(reader, readers), colour_of(reader, readers).name(), dashed=True)


def _box_of(finding: Finding | None) -> Box:
    assert finding is not None, "a resolution without a row has a finding"
    return finding.box
