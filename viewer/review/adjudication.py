"""The consensus of several readers on one study: each row of their findings is resolved by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from detector.types import Box
from viewer.dicom.model import ImageKey
from viewer.errors import ViewerError
from viewer.review.agreement import signed_reads
from viewer.review.consensus_rows import Kind, Row, rows_of, signed_by_all
from viewer.review.finding import Event, Finding, Role, Source, Status, Verb
from viewer.review.fitting import fitted
from viewer.review.fold import ReviewState
from viewer.review.record import StudyRecord
from viewer.review.study_log import StudyLog, new_id

if TYPE_CHECKING:
    from viewer.review.store import Store


@dataclass(frozen=True, slots=True)
class Resolution:
    """A row and what was made of it.

    Attributes
    ----------
    row : None for a finding of the consensus alone, which no reader has (any more).
    finding : of the consensus; None while the row is open. A rejected one says that nothing is
        there.
    changed : the row was resolved, but its readers say something else now.
    """

    row: Row | None
    finding: Finding | None
    changed: bool = False

    @property
    def image(self) -> ImageKey:
        subject = self.row or self.finding
        assert subject is not None
        return subject.image

    @property
    def id(self) -> str:
        if self.row is not None:
            return self.row.id
        assert self.finding is not None
        return self.finding.id


class Adjudication(StudyLog):
    """The log of the consensus beside what the readers have signed.

    Only images that all of them have signed count. Whoever works on it, it is one log.

    Parameters
    ----------
    reader : the adjudicator, who may be one of the readers.
    """

    def __init__(
        self, store: Store, study_uid: str, reader: str, patient_key: str | None = None
    ) -> None:
        self.reads: dict[str, ReviewState] = {}
        self.rows: tuple[Row, ...] = ()
        super().__init__(store, study_uid, reader, patient_key, Role.ADJUDICATOR)
        self._ai_visible = False  # the readers' own decisions count, until the adjudicator asks

    @property
    def adjudicator_has_read(self) -> bool:
        """True where the adjudicator is one of the readers: no independent word."""
        return self._reader in self.reads

    # --- what there is ---------------------------------------------------------------------------

    def resolutions(self) -> tuple[Resolution, ...]:
        """Every row in reading order, then what the consensus has beside them."""
        left = {finding.id: finding for finding in self._decided()}
        found: list[Resolution] = []
        for row in self.rows:
            finding = self._made_of(row)
            if finding is not None:
                left.pop(finding.id, None)
            if finding is None or finding.sources == row.sources:
                found.append(Resolution(row, finding))
            else:
                found.append(Resolution(row, None, changed=True))
        return (*found, *(Resolution(None, finding) for finding in left.values()))

    def open_rows(self) -> tuple[Row, ...]:
        """What has still to be resolved."""
        return tuple(
            each.row for each in self.resolutions() if each.row is not None and each.finding is None
        )

    def _decided(self) -> Iterable[Finding]:
        return (each for each in self._state.findings if each.status is not Status.OPEN)

    def _made_of(self, row: Row) -> Finding | None:
        """The finding of the consensus that rests on one of a row's, as it is or as it was."""
        names = {(source.reader, source.finding_id) for source in row.sources}
        for finding in self._decided():
            if any((source.reader, source.finding_id) in names for source in finding.sources):
                return finding
        return None

    # --- resolving -------------------------------------------------------------------------------

    def take(self, row: Row, reader: str) -> None:
        """The finding is as this reader has it.

        Raises
        ------
        ViewerError
            The reader has marked nothing here.
        """
        source = row.by(reader)
        if source is None:
            raise ViewerError(f"{reader} has marked nothing here; X says that nothing is there.")
        self._resolve(row, Verb.ACCEPT, self._as(row, source))

    def neither(self, row: Row) -> None:
        """There is nothing here, whoever has marked it."""
        self._resolve(row, Verb.REJECT, self._as(row, row.sources[0], Status.REJECTED))

    def draw(self, row: Row, box: Box, category: str | None = None) -> None:
        """The finding is here, as no reader has it."""
        finding = self._as(row, (row.marks or row.sources)[0], Status.CORRECTED)
        after = replace(
            finding, box=fitted(self._image(row.image), box), category=category or row.category
        )
        self._resolve(row, Verb.CORRECT, after)

    def accept_agreed(self) -> int:
        """Resolve all open rows on which the readers agree, as one step; how many there were."""
        rows = [row for row in self.open_rows() if row.kind is Kind.AGREED]
        self._commit_as_one([self._resolving(row, Verb.ACCEPT, self._agreed(row)) for row in rows])
        return len(rows)

    def add(self, image_key: ImageKey, box: Box, category: str) -> Finding:
        """A finding that all readers have missed."""
        finding = Finding(
            new_id(), image_key, fitted(self._image(image_key), box), category, Status.ADDED
        )
        self._commit(self._event(Verb.ADD, None, finding))
        return finding

    def correct(self, finding_id: str, box: Box | None = None, category: str | None = None) -> None:
        """Give a finding of the consensus another box or category."""
        before = self.finding(finding_id)
        after = replace(
            before,
            box=before.box if box is None else fitted(self._image(before.image), box),
            category=before.category if category is None else category,
        )
        if after != before:
            own = before.status is Status.ADDED and not before.sources
            after = replace(after, status=Status.ADDED if own else Status.CORRECTED)
            self._commit(self._event(Verb.CORRECT, before, after))

    def remove(self, finding_id: str) -> None:
        """Take a finding away that no reader has."""
        self._commit(self._event(Verb.REMOVE, self.finding(finding_id)))

    def sign(self, comment: str = "") -> None:
        """The consensus stands.

        Raises
        ------
        ViewerError
            A row is open, or fewer than two readers have signed.
        """
        if len(self.reads) < 2:
            raise ViewerError("A consensus needs two readers who have signed the study.")
        count = len(self.open_rows())
        if count:
            rows = "1 row is" if count == 1 else f"{count} rows are"
            raise ViewerError(f"{rows} not resolved yet; the consensus is signed when all are.")
        covers = self._covers()
        if self._state.signed_images != frozenset(covers):
            self._commit(self._event(Verb.SIGN, covers=covers, comment=comment.strip()))

    @property
    def signed(self) -> bool:
        """True while the signature stands and no reader has said anything else since."""
        return self._state.signed and not self.open_rows()

    def _resolve(self, row: Row, verb: Verb, after: Finding) -> None:
        before = self._made_of(row)
        if before is None or replace(after, id=before.id) != before:
            self._commit(self._resolving(row, verb, after))

    def _resolving(self, row: Row, verb: Verb, after: Finding) -> Event:
        before = self._made_of(row)
        return self._event(verb, before, after if before is None else replace(after, id=before.id))

    def _as(self, row: Row, source: Source, status: Status | None = None) -> Finding:
        """A finding of the consensus as a reader has it, resting on the whole row."""
        finding = next(
            each for each in self.reads[source.reader].findings if each.id == source.finding_id
        )
        return replace(
            finding,
            id=new_id(),
            status=status or finding.status,
            note="",
            uncertain=False,
            reason=None,
            sources=row.sources,
        )

    def _agreed(self, row: Row) -> Finding:
        """The finding as all have it: the mean of boxes that differ a little."""
        finding = self._as(row, row.sources[0])
        if row.marks and finding.box != row.box:
            return replace(finding, box=row.box, status=Status.CORRECTED)
        return finding

    def _stands_as_before(self, event: Event) -> bool:
        """Not where another desk has resolved the same row in the meantime."""
        after = event.after
        if isinstance(after, Finding) and event.before is None:
            names = {(source.reader, source.finding_id) for source in after.sources}
            return not any(
                (source.reader, source.finding_id) in names
                for finding in self._decided()
                for source in finding.sources
            )
        return super()._stands_as_before(event)

    # --- what it stands on -----------------------------------------------------------------------

    def _covers(self) -> tuple[ImageKey, ...]:
        signed = signed_by_all(self.reads)
        return tuple(record.key for record in self._record.images if record.key in signed)

    def _select(self, record: StudyRecord) -> StudyRecord:
        self.reads = signed_reads(record)
        self.rows = rows_of(self.reads, [image.key for image in record.images])
        return super()._select(record)


def categories_used(rows: Sequence[Row]) -> tuple[str, ...]:
    """The categories that the readers have given, in order."""
    return tuple(sorted({source.category for row in rows for source in row.sources}))
