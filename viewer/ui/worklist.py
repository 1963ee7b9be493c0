"""The worklist of the window: its rows, which of them are listed, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from viewer.dicom.model import Image, StudyHeader
from viewer.errors import ViewerError
from viewer.review.finding import Mode
from viewer.review.late_store import LateStore
from viewer.review.place import Place
from viewer.review.worklist import Filter, Order, WorklistRow, modalities, next_unread, ordered
from viewer.ui.jobs import Jobs, Report

if TYPE_CHECKING:
    from viewer.review.store import Store
    from viewer.review.study_list import Source

SLOT = "worklist"

Who = tuple[str, Mode, str]
"""Reader, reading mode, weights of the present model."""


class Worklist(QObject):
    """All studies as the present reader sees them; read and added to beside the window.

    Attributes
    ----------
    loaded : the rows were read; they are when the list is first asked for.
    current : row of the study on the screen, or None.
    """

    changed = Signal()
    failed = Signal(str)

    def __init__(
        self, jobs: Jobs, place: Place, store: Store, who: Callable[[], Who], parent: QObject
    ) -> None:
        super().__init__(parent)
        self.loaded = False
        self.current: int | None = None
        self.filter = Filter()
        self.order = Order.TRIAGE
        self.backwards = False
        self._jobs = jobs
        self._beside = LateStore(place)  # of the job's thread
        self._store = store
        self._who = who
        self._rows: dict[int, WorklistRow] = {}
        self._in_order: list[WorklistRow] | None = None  # all of them: each letter filters anew
        self._listed: list[WorklistRow] | None = None
        self._modalities: list[str] | None = None
        self._waiting: list[Image] = []
        self._put_since: set[int] = set()  # rows that were read again since the job was sent off
        self._again = False
        self._read_for: Who | None = None
        self._then: list[Callable[[], None]] = []

    # --- what is listed --------------------------------------------------------------------------

    @property
    def rows(self) -> Sequence[WorklistRow]:
        """Everything, as it was added."""
        return tuple(self._rows.values())

    @property
    def listed(self) -> Sequence[WorklistRow]:
        """What passes the filter, in the order in force."""
        if self._in_order is None:
            self._in_order = ordered(self._rows.values(), self.order, backwards=self.backwards)
        if self._listed is None:
            self._listed = self.filter.passing(self._in_order)
        return self._listed

    def show(self, choice: Filter, order: Order, *, backwards: bool = False) -> None:
        """List what passes another filter, in another order."""
        if (order, backwards) != (self.order, self.backwards):
            self._in_order = None
        elif choice == self.filter:
            return
        self.filter, self.order, self.backwards = choice, order, backwards
        self._listed = None
        self.changed.emit()

    def next_unread(self) -> list[WorklistRow]:
        """The unread rows of the list, the next one first."""
        return next_unread(self.listed, self.current)

    def row(self, study_id: int) -> WorklistRow | None:
        return self._rows.get(study_id)

    @property
    def modalities(self) -> Sequence[str]:
        """Every modality of the whole list."""
        if self._modalities is None:
            self._modalities = modalities(self._rows.values())
        return self._modalities

    @property
    def up_to_date(self) -> bool:
        """The rows were read for the reader, the mode and the model that there are now."""
        return self.loaded and self._read_for == self._who()

    # --- reading ---------------------------------------------------------------------------------

    def load(self, then: Callable[[], None] = lambda: None) -> None:
        """Read the rows if they were not yet, and go on when they are there."""
        if self.loaded:
            then()
            return
        self._then.append(then)
        self._run()

    def load_then(self, call: Callable[[], None]) -> None:
        """Do something once the list is up to date, if it was ever asked for."""
        if self.loaded or self._then:
            self._then.append(call)
            self._run()

    def reload(self) -> None:
        """Read the rows again: other desks may have changed them, or they are for somebody else.

        Nothing is read before the list was asked for.
        """
        if self.loaded:
            if not self.up_to_date:
                self._rows.clear()  # a reader who reads blind now must not see what was listed
                self._tell()
            self._again = True
            self._run()

    def refresh(self, study_id: int) -> None:
        """Read one row again; it takes a millisecond.

        Raises
        ------
        StoreError
        """
        if not self.loaded:
            return
        if not self.up_to_date:
            self.reload()
            return
        self._put(study_id)
        self._tell()

    def _put(self, study_id: int) -> None:
        found = self._store.worklist.rows(*self._who(), study_id)
        if found:
            self._rows[study_id] = found[0]
        else:
            self._rows.pop(study_id, None)
        self._put_since.add(study_id)

    def follow(self, study: StudyHeader) -> None:
        """This study is on the screen, and something of it may have changed."""
        if self.loaded:
            self.current = self._store.worklist.id_of(study)
            if self.current is not None:
                self.refresh(self.current)

    def source(self, study_id: int) -> Source:
        return self._store.worklist.source(study_id)

    # --- changing --------------------------------------------------------------------------------

    def add(self, images: Iterable[Image]) -> None:
        """Put the studies of these images into the list, beside the window."""
        self._waiting += images
        if self._waiting:
            self._run()

    def hide(self, ids: Sequence[int]) -> None:
        """Take studies off the list; raises StoreError with nothing changed."""
        self._store.worklist.hide(ids)
        for study_id in ids:
            self._rows.pop(study_id, None)
        self._put_since.update(ids)
        self._tell()

    def note_failure(self, study_id: int, sentence: str) -> None:
        """Say why a study could not be opened; raises StoreError."""
        self._store.worklist.note_failure(study_id, sentence)
        self.refresh(study_id)

    def _run(self) -> None:
        if self._jobs.busy(SLOT):
            self._again = True
            return
        images, self._waiting, self._again = self._waiting, [], False
        self._put_since.clear()
        who, beside = self._who(), self._beside
        wanted = self.loaded or bool(self._then)

        def work(_report: Report) -> list[WorklistRow] | None:
            store = beside.open()
            if images:
                store.worklist.add(images)
            return store.worklist.rows(*who) if wanted else None

        self._jobs.submit(SLOT, work, lambda rows: self._read(rows, who), self._failed)

    def _read(self, rows: list[WorklistRow] | None, who: Who) -> None:
        if rows is not None and who == self._who():
            self._read_for = who
            self._rows = {row.id: row for row in rows}
            for study_id in tuple(
                self._put_since
            ):  # the job may have read them before they changed
                self._put(study_id)
            self.loaded = True
            self._modalities = None
            self._tell()
            waiting, self._then = self._then, []
            for then in waiting:
                then()
        self._go_on()

    def _failed(self, error: ViewerError) -> None:
        self._then.clear()
        self.failed.emit(str(error))
        self._go_on()

    def _go_on(self) -> None:
        self._again |= self.loaded and not self.up_to_date
        if self._waiting or self._again or self._then:
            self._run()

    def _tell(self) -> None:
        self._in_order = self._listed = None
        self.changed.emit()

    def close(self) -> None:
        """Let go of the database; no job runs any more."""
        self._beside.close()
