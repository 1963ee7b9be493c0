"""The reader's verbs on the selected finding, and which finding is selected."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from detector.types import Box
from viewer.review.finding import Event, Finding, Reason, Status
from viewer.review.fold import subject_of
from viewer.ui.reading import Reading

FALLBACK_CATEGORY = "finding"  # of a box added by hand where no model names any


class Deciding(QObject):
    """Accept, reject, correct, add, and the way from one finding to the next.

    Every verb raises StoreError where the decision could not be kept; nothing has changed then.

    Attributes
    ----------
    selected : id of the selected finding, or None.
    new_category : of the next box that the reader adds.
    """

    selection_changed = Signal()
    centre = Signal(object)  # Box, on the image that is on the screen

    def __init__(self, reading: Reading, categories: tuple[str, ...], parent: QObject) -> None:
        super().__init__(parent)
        self.selected: str | None = None
        self.set_known_categories(categories)
        self._reading = reading
        self._reveal: str | None = None
        reading.image_shown.connect(self._image_shown)
        reading.changed.connect(self._drop_vanished)

    # --- what there is ---------------------------------------------------------------------------

    def listed(self) -> tuple[Finding, ...]:
        """The visible findings in reading order: image by image, best score first.

        Only of images that are open: nobody shall decide on what cannot be looked at.
        """
        session, position = self._reading.session, self._reading.position
        if session is None or position is None:
            return ()
        order = {
            (image.uid, image.frame_number): place
            for place, image in enumerate(
                image for series in position.study.series for image in series.images
            )
        }
        return tuple(
            sorted(
                (found for found in session.shown() if _place(found) in order),
                key=lambda found: order[_place(found)],
            )
        )

    def finding(self) -> Finding | None:
        """The selected finding."""
        return next((found for found in self.listed() if found.id == self.selected), None)

    def undecided_here(self) -> tuple[Finding, ...]:
        """The candidates that are shown on the image on the screen and wait for a decision."""
        key = self._reading.key
        return tuple(found for found in self.listed() if found.image == key and _waits(found))

    def categories(self) -> tuple[str, ...]:
        """The model's categories, then the others in use in this study."""
        session = self._reading.session
        used = () if session is None else session.findings()
        names = dict.fromkeys([*self._known_categories, *sorted({f.category for f in used})])
        return tuple(names) or (FALLBACK_CATEGORY,)

    def set_known_categories(self, categories: tuple[str, ...]) -> None:
        """Those of the model; a new box gets the first one."""
        self.new_category = categories[0] if categories else FALLBACK_CATEGORY
        self._known_categories = categories

    # --- selecting -------------------------------------------------------------------------------

    def select(self, finding_id: str | None, reveal: bool = False) -> None:
        """Select a finding, and with ``reveal`` bring it to the middle of the picture."""
        if finding_id != self.selected:
            self.selected = finding_id
            self.selection_changed.emit()
        if reveal and finding_id is not None:
            self._bring_up(finding_id)

    def go(self, by: int) -> None:
        """To the next or the previous finding, round and round."""
        listed = self.listed()
        if not listed:
            return
        ids = [finding.id for finding in listed]
        if self.selected in ids:
            there = (ids.index(self.selected) + by) % len(ids)
        else:
            there = 0 if by > 0 else len(ids) - 1
        self.select(ids[there], reveal=True)

    def _bring_up(self, finding_id: str) -> None:
        finding = next((found for found in self.listed() if found.id == finding_id), None)
        if finding is None:
            return
        key = self._reading.key
        if key is not None and finding.image == key:
            self.centre.emit(finding.box)
        else:
            self._reveal = finding_id
            self._reading.go_to(finding.image.uid, finding.image.frame_number)

    def _image_shown(self) -> None:
        if self._reveal is not None and self._reveal == self.selected:
            finding, key = self.finding(), self._reading.key
            if finding is not None and key is not None and finding.image == key:
                self._reveal = None
                self.centre.emit(finding.box)
        self._drop_vanished()

    def _drop_vanished(self) -> None:
        if self.selected is not None and self.finding() is None:
            self.select(None)

    # --- deciding --------------------------------------------------------------------------------

    def accept(self) -> None:
        """Accept the selected finding and go to the next undecided one."""
        finding, session = self.finding(), self._reading.session
        if finding is None or session is None:
            self.go(1)  # the first press chooses, the second decides
            return
        if not self._in_sight(finding):
            return
        following = self._next_undecided(finding)
        session.accept(finding.id)
        self._move_on(following)

    def reject(self, reason: Reason | None = None) -> None:
        """Reject the selected candidate, or take the reader's own finding away; then the next."""
        finding, session = self.finding(), self._reading.session
        if finding is None or session is None or not self._in_sight(finding):
            return
        following = self._next_undecided(finding)
        session.reject(finding.id, reason=reason)
        self._move_on(following)

    def accept_all(self) -> None:
        """Accept every candidate that is shown on this image; one undo takes all of it back."""
        session = self._reading.session
        if session is not None:
            session.accept(*(finding.id for finding in self.undecided_here()))

    def reject_all(self) -> None:
        """The same the other way."""
        session = self._reading.session
        if session is not None:
            session.reject(*(finding.id for finding in self.undecided_here()))

    def doubt(self) -> None:
        """Mark the selected finding as uncertain, or as certain again."""
        finding, session = self.finding(), self._reading.session
        if finding is not None and session is not None and self._in_sight(finding):
            session.doubt(finding.id)

    def _in_sight(self, finding: Finding) -> bool:
        """False while its image is still on its way: a quick key must not decide unseen."""
        if finding.image == self._reading.key:
            return True
        self._bring_up(finding.id)
        return False

    def _next_undecided(self, finding: Finding) -> str | None:
        listed = self.listed()
        here = next(i for i, other in enumerate(listed) if other.id == finding.id)
        for other in listed[here + 1 :] + listed[:here]:
            if _waits(other):
                return other.id
        return None

    def _move_on(self, following: str | None) -> None:
        if following is not None:
            self.select(following, reveal=True)

    def undo(self) -> None:
        session = self._reading.session
        if session is not None and session.can_undo:
            decision = session.state.line[-1]
            session.undo()
            self._show_change(decision)

    def redo(self) -> None:
        session = self._reading.session
        if session is not None and session.can_redo:
            _, decision = session.state.undone[-1]
            session.redo()
            self._show_change(decision)

    def _show_change(self, decision: Event) -> None:
        """Go to the image on which undo or redo changed something, if it is another one."""
        finding, key = subject_of(decision), self._reading.key
        if finding is not None and finding.image != key:
            self._reading.go_to(finding.image.uid, finding.image.frame_number)

    def change_box(self, finding_id: str, box: Box) -> None:
        session = self._reading.session
        if session is not None:
            session.correct(finding_id, box=box)

    def change_category(self, category: str) -> None:
        """Of the selected finding; a box added next gets it as well if this one was added."""
        finding, session = self.finding(), self._reading.session
        if finding is None or session is None or finding.category == category:
            return
        session.correct(finding.id, category=category)
        if finding.status is Status.ADDED:
            self.new_category = category

    def add(self, box: Box) -> None:
        """Add what the detector missed, on the image that is on the screen."""
        session, key = self._reading.session, self._reading.key
        if session is not None and key is not None:
            self._reading.sessions.keep(key)
            self.select(session.add(key, box, self.new_category).id)


def _waits(finding: Finding) -> bool:
    """An open candidate that the reader has not marked as uncertain either."""
    return finding.status is Status.OPEN and not finding.uncertain


def _place(finding: Finding) -> tuple[str, int]:
    return finding.image.uid, finding.image.frame_number
