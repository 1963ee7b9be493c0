"""The log of one open study: what is in force, what is committed, and what undo takes back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from detector.types import Detections
from viewer.dicom.model import Image, ImageKey
from viewer.errors import ConflictError, ViewerError
from viewer.review.agreement import signed_reads
from viewer.review.finding import Candidate, Event, Finding, Mode, Role, Run, Verb
from viewer.review.fold import fold, subject_of
from viewer.review.history import History, history
from viewer.review.measurement import Measurement
from viewer.review.reading_mode import mode_of
from viewer.review.record import StudyRecord, of_log, of_patient, readers
from viewer.review.sight import Sight

if TYPE_CHECKING:
    from viewer.review.store import Store

_UNDO_VERB = {Verb.SIGN: Verb.REOPEN, Verb.REOPEN: Verb.SIGN}


class StudyLog(Sight):
    """One study as one reader sees it, or the consensus on it, and the way to write to it.

    An event is on the disk before the state changes and the callbacks run; where the store fails,
    its StoreError is raised and nothing has changed.

    Parameters
    ----------
    patient_key : whose study it is, as the store names the patient; None: whoever's is in it.
    role : ADJUDICATOR: the log of the consensus, in which ``reader`` decides.
    mode : how the study is read where nothing was said of it yet.
    """

    def __init__(
        self,
        store: Store,
        study_uid: str,
        reader: str,
        patient_key: str | None = None,
        role: Role = Role.READER,
        *,
        mode: Mode = Mode.CONCURRENT,
    ) -> None:
        self._role = role
        self._readers: tuple[str, ...] = ()
        self._others_signed: set[str] = set()
        self._store = store
        self._study_uid = study_uid
        self._reader = reader
        self._patient_key = patient_key
        self._record = self._load()
        super().__init__(fold(self._record), mode_of(self._record, mode))

    @property
    def study_uid(self) -> str:
        return self._study_uid

    @property
    def reader(self) -> str:
        return self._reader

    @property
    def readers(self) -> tuple[str, ...]:
        """Everybody who has decided on this study; what, only their own logs tell."""
        return self._readers

    @property
    def signers(self) -> set[str]:
        """Those whose signature stands: this reader's now, the others' when it was last loaded."""
        own = {self._reader} if self._role is Role.READER and self._state.signed else set()
        return self._others_signed | own

    @property
    def record(self) -> StudyRecord:
        """All that is kept of the study, with the events of this log alone."""
        return self._record

    def read_concurrently(self) -> None:
        """Give a blind reading up before anything was said; one that has begun stays blind."""
        self._mode = mode_of(self._record, Mode.CONCURRENT)
        self._tell()

    def history(self, finding_id: str) -> History:
        """What the detector and this log say of one finding, in order."""
        return history(self._record, finding_id)

    # --- images ----------------------------------------------------------------------------------

    def remember_image(self, image: Image, pixel_sha256: str) -> None:
        """Keep where an image is; decisions on other pixels of the same UID stop to apply."""
        self.remember_images([(image, pixel_sha256)])

    def remember_images(self, seen: Iterable[tuple[Image, str]]) -> None:
        """The same for several images with their pixels, in one transaction."""
        kept = self._store.remember_images(seen)
        present = {
            (record.key.uid, record.key.frame_number): record for record in self._record.images
        }
        images = present | {(record.key.uid, record.key.frame_number): record for record in kept}
        if images == present:
            return
        # Not loaded anew: a series of hundreds of images comes through here bit by bit.
        self._record = replace(self._record, images=tuple(images.values()))
        self._refold()

    def foreign_pixels(self, uid: str, frame_number: int) -> bool:
        """True where decisions are kept on other pixels than this image has now."""
        return (uid, frame_number) in self._state.foreign

    def _image(self, image_key: ImageKey) -> Image:
        for record in self._record.images:
            if record.key == image_key:
                return record.image
        raise ViewerError("Only an image of the open study, as it is shown now, can be marked.")

    # --- undo ------------------------------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        return bool(self._state.line)

    @property
    def can_redo(self) -> bool:
        return bool(self._state.undone)

    def undo(self) -> None:
        """Take back the last standing step of the study, of this session or an earlier one.

        What was decided as one is taken back as one, the last of it first. Nothing goes back
        behind a first read: what was seen since cannot be unseen.
        """
        line = self._state.line
        if line:
            step = [event for event in line if _same_step(event, line[-1])]
            self._commit(*(self._undoing(decision) for decision in reversed(step)))

    def _undoing(self, decision: Event) -> Event:
        return replace(
            self._stamped(decision),
            verb=_UNDO_VERB.get(decision.verb, Verb.UNDO),
            before=decision.after,
            after=decision.before,
            undoes=decision.id,
            comment="",
        )

    def redo(self) -> None:
        """Bring back what undo took back last; a new decision leaves nothing to bring back."""
        undone = self._state.undone
        if undone:
            step = [pair for pair in undone if _same_step(pair[1], undone[-1][1])]
            self._commit(*(self._redoing(*pair) for pair in reversed(step)))

    def _redoing(self, undoing: Event, decision: Event) -> Event:
        whole_study = subject_of(decision) is None
        return replace(
            self._stamped(decision),
            verb=decision.verb if whole_study else Verb.REDO,
            undoes=undoing.id,
        )

    # --- events ----------------------------------------------------------------------------------

    def _event(
        self,
        verb: Verb,
        before: Finding | Measurement | None = None,
        after: Finding | Measurement | None = None,
        covers: tuple[ImageKey, ...] = (),
        comment: str = "",
    ) -> Event:
        weights, name, version = self._model(before or after)
        return Event(
            id=new_id(),
            study_uid=self._study_uid,
            verb=verb,
            before=before,
            after=after,
            reader=self._reader,
            at=datetime.now(UTC),
            threshold=self._thresholds.default,
            ai_visible=self.ai_visible,
            weights_sha256=weights,
            model_name=name,
            model_version=version,
            covers=covers,
            role=self._role,
            mode=self._mode,
            visible=self._visible(before or after),
            thresholds=self._thresholds.by_category,
            comment=comment,
        )

    def _visible(self, subject: Finding | Measurement | None) -> tuple[str, ...]:
        """The marks on the screen: of the image that is decided on, else of the whole study."""
        key = None if subject is None else subject.image
        shown = self.shown() if key is None else self.shown(key.uid, key.frame_number)
        return tuple(finding.id for finding in shown)

    def _model(self, finding: Finding | Measurement | None) -> tuple[str | None, str, str]:
        """Weights, name and version of the model that a finding comes from."""
        if isinstance(finding, Finding):
            candidate = self._candidate(finding)
            if candidate is not None:
                run = next(run for run in self._record.runs if run.id == candidate.run_id)
                return run.weights_sha256, run.model_name, run.model_version
            earlier = self._state.decisions.get(finding.id)
            if earlier is not None:  # an imported finding says its model in its own event
                return earlier.weights_sha256, earlier.model_name, earlier.model_version
        return None, "", ""

    def _stamped(self, event: Event) -> Event:
        """A new event like another: by this reader, now, with what is in force now."""
        return replace(
            event,
            id=new_id(),
            reader=self._reader,
            at=datetime.now(UTC),
            threshold=self._thresholds.default,
            ai_visible=self.ai_visible,
            visible=self._visible(subject_of(event)),
            thresholds=self._thresholds.by_category,
        )

    def _candidate(self, finding: Finding) -> Candidate | None:
        if finding.derived_from is None:
            return None
        for candidate in self._record.candidates:
            if candidate.id == finding.derived_from:
                return candidate
        return None

    def _commit_as_one(self, events: Sequence[Event]) -> None:
        """Keep decisions that undo takes back together; none is nothing to keep."""
        if events:
            step = new_id() if len(events) > 1 else ""
            self._commit(*(replace(event, step=step) for event in events))

    def _commit(self, *events: Event) -> None:
        """Keep events that were decided upon the present state.

        Raises
        ------
        ConflictError
            Another desk has changed the same thing since; its state is taken in, nothing is kept.
        StoreError
        """
        while True:
            known = self._revision
            try:
                kept = self._store.append(events, after=known)
            except ConflictError:
                self.reload()
                unchanged = known == self._revision  # then it would be refused for ever
                if unchanged or not all(self._stands_as_before(event) for event in events):
                    raise ConflictError(
                        "This was changed at another desk in the meantime; it is shown as it is "
                        "now. Your last decision was not kept."
                    ) from None
            else:
                self._record = replace(self._record, events=(*self._record.events, *kept))
                self._refold()
                return

    @property
    def _revision(self) -> int:
        """The last place of the log in force.

        An image whose file got another patient id since has decisions in the log of either.
        """
        for event in reversed(self._record.events):
            if self._patient_key is None or event.patient_key == self._patient_key:
                return event.revision
        return 0

    def _stands_as_before(self, event: Event) -> bool:
        """Whether an event may follow what another desk wrote, as if it had been there before."""
        if event.undoes is not None or subject_of(event) is None:
            return False  # what is undone or signed is the very state that was on the screen
        if isinstance(event.before, Finding):
            return event.before in self._state.findings
        return event.before is None or event.before in self._state.measurements

    def reload(self) -> None:
        """Take in what others wrote to the study, such as an import."""
        self._record = self._load()
        self._refold()

    def _load(self) -> StudyRecord:
        record = self._store.load(self._study_uid)
        if self._patient_key is not None:
            record = of_patient(record, self._patient_key)
        return self._select(record)

    def _select(self, record: StudyRecord) -> StudyRecord:
        """This log of all that is kept of the study; what is needed of the others is noted."""
        self._readers = readers(record)
        others = set(self._readers) - {self._reader}
        # A reader alone, as nearly always, costs no fold.
        self._others_signed = others.intersection(signed_reads(record)) if others else set()
        return of_log(record, self._reader, self._role)

    def _refold(self) -> None:
        self._state = fold(self._record)
        self._mode = mode_of(self._record, self._mode)
        self._tell()


def _same_step(event: Event, other: Event) -> bool:
    return event.id == other.id or (event.step == other.step and event.step != "")


def new_id() -> str:
    return uuid4().hex


def run_of(image: ImageKey, detections: Detections, threshold: float | None) -> Run:
    """A run that was made just now; ``threshold`` is its model's own."""
    return Run(
        id=new_id(),
        image=image,
        model_name=detections.model_name,
        model_version=detections.model_version,
        weights_sha256=detections.weights_sha256,
        device=detections.device,
        score_floor=detections.score_floor,
        at=datetime.now(UTC),
        precision=detections.precision,
        image_findings=detections.image_findings,
        threshold=threshold,
    )
