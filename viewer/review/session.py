"""The one mutable truth of an open study: what the reader decides, and what undo takes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from detector.types import Box, Detections
from viewer.dicom.model import Image, ImageKey
from viewer.errors import ViewerError
from viewer.review.finding import Candidate, Event, Finding, Run, Status, Verb
from viewer.review.fold import ReviewState, fold, subject_of
from viewer.review.record import StudyRecord, of_patient
from viewer.review.store import Store

SMALLEST_BOX = 2.0
"""Pixels: a smaller box is a slip of the hand."""

_UNDO_VERB = {Verb.SIGN: Verb.REOPEN, Verb.REOPEN: Verb.SIGN}


class ReviewSession:
    """The review of one study by one reader.

    Each verb commits its event before the state changes and the callbacks run; where the store
    fails, its StoreError is raised and nothing has changed. What would change nothing, such as
    accepting twice, writes no event.

    Parameters
    ----------
    patient_key : whose study it is, as the store names the patient; None: whoever's is in it.
    """

    def __init__(
        self, store: Store, study_uid: str, reader: str, patient_key: str | None = None
    ) -> None:
        self._store = store
        self._study_uid = study_uid
        self._reader = reader
        self._patient_key = patient_key
        self._threshold = 0.5
        self._ai_visible = True
        self._show_rejected = False
        self._callbacks: list[Callable[[], None]] = []
        self._record = self._load()
        self._state = fold(self._record)

    @property
    def study_uid(self) -> str:
        return self._study_uid

    @property
    def reader(self) -> str:
        return self._reader

    @property
    def state(self) -> ReviewState:
        """The fold of everything kept of this study."""
        return self._state

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Have ``callback`` run after every change of state, threshold or visibility."""
        self._callbacks.append(callback)

    # --- what is shown ---------------------------------------------------------------------------

    @property
    def threshold(self) -> float:
        """Open candidates with a lower score are hidden."""
        return self._threshold

    @threshold.setter
    def threshold(self, value: float) -> None:
        if value != self._threshold:
            self._threshold = float(value)
            self._tell()

    @property
    def ai_visible(self) -> bool:
        """False hides the open candidates; judged findings stay."""
        return self._ai_visible

    @ai_visible.setter
    def ai_visible(self, value: bool) -> None:
        if value != self._ai_visible:
            self._ai_visible = value
            self._tell()

    @property
    def show_rejected(self) -> bool:
        return self._show_rejected

    @show_rejected.setter
    def show_rejected(self, value: bool) -> None:
        if value != self._show_rejected:
            self._show_rejected = value
            self._tell()

    def findings(
        self, uid: str | None = None, frame_number: int | None = None
    ) -> tuple[Finding, ...]:
        """All findings of the study, an image or a frame: best score first, own ones last."""
        return tuple(
            finding
            for finding in self._state.findings
            if (uid is None or finding.image.uid == uid)
            and (frame_number is None or finding.image.frame_number == frame_number)
        )

    def shown(self, uid: str | None = None, frame_number: int | None = None) -> tuple[Finding, ...]:
        """The findings whose marks are drawn, in the order of ``findings``."""
        return tuple(
            finding for finding in self.findings(uid, frame_number) if self._is_shown(finding)
        )

    def _is_shown(self, finding: Finding) -> bool:
        if finding.status is Status.OPEN:
            return self._ai_visible and self._above_threshold(finding)
        return finding.status is not Status.REJECTED or self._show_rejected

    def _above_threshold(self, finding: Finding) -> bool:
        return finding.score is not None and finding.score >= self._threshold

    def undecided(self) -> tuple[Finding, ...]:
        """Open candidates at or above the threshold, shown or hidden by ``ai_visible``."""
        return tuple(
            finding
            for finding in self._state.findings
            if finding.status is Status.OPEN and self._above_threshold(finding)
        )

    def finding(self, finding_id: str) -> Finding:
        for finding in self._state.findings:
            if finding.id == finding_id:
                return finding
        raise ViewerError("This finding is not there any more.")

    # --- images and runs -------------------------------------------------------------------------

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

    def add_run(self, image_key: ImageKey, detections: Detections) -> None:
        """Keep one run of a model with all its candidates; decisions stay as they are."""
        run = Run(
            id=_new_id(),
            image=image_key,
            model_name=detections.model_name,
            model_version=detections.model_version,
            weights_sha256=detections.weights_sha256,
            device=detections.device,
            score_floor=detections.score_floor,
            at=datetime.now(UTC),
            precision=detections.precision,
            image_findings=detections.image_findings,
        )
        candidates = self._store.record_run(run, detections.detections)
        self._record = replace(
            self._record,
            runs=(*self._record.runs, run),
            candidates=(*self._record.candidates, *candidates),
        )
        self._refold()

    def analysed(self, uid: str, frame_number: int) -> Run | None:
        """The latest run over an image's present pixels, or None where there was none."""
        present = {record.key for record in self._record.images}
        for run in reversed(self._record.runs):
            key = run.image
            if key.uid == uid and key.frame_number == frame_number and key in present:
                return run
        return None

    # --- decisions -------------------------------------------------------------------------------

    def accept(self, finding_id: str) -> None:
        """The box marks what it says. Nothing to do where the reader said so already."""
        before = self.finding(finding_id)
        if before.status in (Status.OPEN, Status.REJECTED):
            self._decide(Verb.ACCEPT, before, replace(before, status=self._accepted(before)))

    def _accepted(self, finding: Finding) -> Status:
        # A box that was corrected, rejected and is now accepted is still not the detector's.
        candidate = self._candidate(finding)
        if candidate is None or (candidate.box, candidate.category) == (
            finding.box,
            finding.category,
        ):
            return Status.ACCEPTED
        return Status.CORRECTED

    def reject(self, finding_id: str) -> None:
        """There is nothing of the kind. The reader's own finding is removed instead."""
        before = self.finding(finding_id)
        if before.status is Status.ADDED:
            self.remove(finding_id)
        elif before.status is not Status.REJECTED:
            self._decide(Verb.REJECT, before, replace(before, status=Status.REJECTED))

    def correct(self, finding_id: str, box: Box | None = None, category: str | None = None) -> None:
        """Accept with another box or category; the part of the box outside the frame is cut off.

        Raises
        ------
        ViewerError
            The box is too small.
        """
        before = self.finding(finding_id)
        after = replace(
            before,
            box=before.box if box is None else self._fitted(before.image, box),
            category=before.category if category is None else category,
        )
        if after == before:
            return
        own = before.status is Status.ADDED
        status = Status.ADDED if own else Status.CORRECTED
        self._decide(Verb.CORRECT, before, replace(after, status=status))

    def add(self, image_key: ImageKey, box: Box, category: str) -> Finding:
        """A finding that the detector missed.

        Raises
        ------
        ViewerError
            The box is too small.
        """
        finding = Finding(
            id=_new_id(),
            image=image_key,
            box=self._fitted(image_key, box),
            category=category,
            status=Status.ADDED,
        )
        self._decide(Verb.ADD, None, finding)
        return finding

    def remove(self, finding_id: str) -> None:
        """Take the reader's own finding away; a candidate is rejected, never removed."""
        before = self.finding(finding_id)
        if before.status is not Status.ADDED:
            raise ViewerError("Only a finding that the reader added can be removed; reject this.")
        self._decide(Verb.REMOVE, before, None)

    def _fitted(self, image_key: ImageKey, box: Box) -> Box:
        image = next(
            (record.image for record in self._record.images if record.key == image_key), None
        )
        if image is None:
            raise ViewerError("A finding needs an image of the open study, as it is shown now.")
        try:
            fitted = box.clipped(image.columns, image.rows)
        except ValueError as error:
            raise ViewerError("The box lies outside the image.") from error
        if fitted.width < SMALLEST_BOX or fitted.height < SMALLEST_BOX:
            raise ViewerError(
                f"A box needs at least {SMALLEST_BOX:g} x {SMALLEST_BOX:g} pixels in the image."
            )
        return fitted

    # --- signature -------------------------------------------------------------------------------

    @property
    def signed(self) -> bool:
        """True while the signature stands; a later decision reopens the study."""
        return self._state.signed

    def sign(self) -> None:
        """The images seen so far are read completely, with or without findings.

        Raises
        ------
        ViewerError
            No image of the study was seen.
        """
        covers = tuple(record.key for record in self._record.images)
        if not covers:
            raise ViewerError("There is nothing to sign: no image of this study was shown yet.")
        if not self.signed or not self._state.signed_images.issuperset(covers):
            self._commit(self._event(Verb.SIGN, covers=covers))

    def reopen(self) -> None:
        if self.signed:
            self._commit(self._event(Verb.REOPEN, covers=self._state.line[-1].covers))

    # --- undo ------------------------------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        return bool(self._state.line)

    @property
    def can_redo(self) -> bool:
        return bool(self._state.undone)

    def undo(self) -> None:
        """Take back the last standing decision of the study, of this session or an earlier one."""
        if not self.can_undo:
            return
        decision = self._state.line[-1]
        self._commit(
            replace(
                self._stamped(decision),
                verb=_UNDO_VERB.get(decision.verb, Verb.UNDO),
                before=decision.after,
                after=decision.before,
                undoes=decision.id,
            )
        )

    def redo(self) -> None:
        """Bring back what undo took back last; a new decision leaves nothing to bring back."""
        if not self.can_redo:
            return
        undoing, decision = self._state.undone[-1]
        whole_study = subject_of(decision) is None
        self._commit(
            replace(
                self._stamped(decision),
                verb=decision.verb if whole_study else Verb.REDO,
                undoes=undoing.id,
            )
        )

    # --- events ----------------------------------------------------------------------------------

    def _decide(self, verb: Verb, before: Finding | None, after: Finding | None) -> None:
        self._commit(self._event(verb, before, after))

    def _event(
        self,
        verb: Verb,
        before: Finding | None = None,
        after: Finding | None = None,
        covers: tuple[ImageKey, ...] = (),
    ) -> Event:
        weights, name, version = self._model(before or after)
        return Event(
            id=_new_id(),
            study_uid=self._study_uid,
            verb=verb,
            before=before,
            after=after,
            reader=self._reader,
            at=datetime.now(UTC),
            threshold=self._threshold,
            ai_visible=self._ai_visible,
            weights_sha256=weights,
            model_name=name,
            model_version=version,
            covers=covers,
        )

    def _model(self, finding: Finding | None) -> tuple[str | None, str, str]:
        """Weights, name and version of the model that a finding comes from."""
        if finding is not None:
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
            id=_new_id(),
            reader=self._reader,
            at=datetime.now(UTC),
            threshold=self._threshold,
            ai_visible=self._ai_visible,
        )

    def _candidate(self, finding: Finding) -> Candidate | None:
        if finding.derived_from is None:
            return None
        for candidate in self._record.candidates:
            if candidate.id == finding.derived_from:
                return candidate
        return None

    def _commit(self, event: Event) -> None:
        self._store.append([event])
        self._record = replace(self._record, events=(*self._record.events, event))
        self._refold()

    def reload(self) -> None:
        """Take in what others wrote to the study, such as an import."""
        self._record = self._load()
        self._refold()

    def _load(self) -> StudyRecord:
        record = self._store.load(self._study_uid)
        return record if self._patient_key is None else of_patient(record, self._patient_key)

    def _refold(self) -> None:
        self._state = fold(self._record)
        self._tell()

    def _tell(self) -> None:
        for callback in tuple(self._callbacks):
            callback()


def _new_id() -> str:
    return uuid4().hex
