"""The one mutable truth of an open study: what the reader decides and measures."""

from __future__ import annotations

from dataclasses import replace

from detector.types import Box, Detections
from viewer.dicom.model import ImageKey
from viewer.errors import ViewerError
from viewer.review.finding import POSITIVE, Event, Finding, Mode, Reason, Run, Status, Verb
from viewer.review.fitting import fitted
from viewer.review.measurement import Measurement, Point, Shape
from viewer.review.study_log import StudyLog, new_id, run_of


class ReviewSession(StudyLog):
    """The review of one study by one reader: the verbs, and what is shown of their outcome.

    Each verb commits its event before the state changes and the callbacks run; where the store
    fails, its StoreError is raised and nothing has changed. What would change nothing, such as
    accepting twice, writes no event. What is decided at once is undone at once.
    """

    # --- runs ------------------------------------------------------------------------------------

    def add_run(
        self, image_key: ImageKey, detections: Detections, threshold: float | None = None
    ) -> None:
        """Keep one run of a model with all its candidates; decisions stay as they are.

        Parameters
        ----------
        threshold : the model's own, from its card; None: not known.
        """
        run = run_of(image_key, detections, threshold)
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

    def accept(self, *finding_ids: str) -> None:
        """The boxes mark what they say. Nothing to do where the reader said so already."""
        self._commit_as_one(
            [
                self._event(Verb.ACCEPT, before, self._accepted(before))
                for before in map(self.finding, dict.fromkeys(finding_ids))
                if before.status in (Status.OPEN, Status.REJECTED)
            ]
        )

    def _accepted(self, finding: Finding) -> Finding:
        # A box that was corrected, rejected and is now accepted is still not the detector's.
        candidate = self._candidate(finding)
        untouched = candidate is None or (
            (candidate.box, candidate.category) == (finding.box, finding.category)
        )
        status = Status.ACCEPTED if untouched else Status.CORRECTED
        return replace(finding, status=status, reason=None)

    def reject(self, *finding_ids: str, reason: Reason | None = None) -> None:
        """There is nothing of the kind. The reader's own findings are removed instead.

        Parameters
        ----------
        reason : why the detector is wrong; where a finding is rejected already, it is given it.
        """
        self._commit_as_one(
            [
                self._event(Verb.REMOVE, before)
                if before.status is Status.ADDED
                else self._event(Verb.REJECT, before, _rejected(before, reason))
                for before in map(self.finding, dict.fromkeys(finding_ids))
                if before.status is not Status.REJECTED or reason not in (None, before.reason)
            ]
        )

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
            box=before.box if box is None else fitted(self._image(before.image), box),
            category=before.category if category is None else category,
        )
        if after == before:
            return
        own = before.status is Status.ADDED
        status = Status.ADDED if own else Status.CORRECTED
        after = replace(after, status=status, reason=None)
        self._commit(self._event(Verb.CORRECT, before, after))

    def add(self, image_key: ImageKey, box: Box, category: str) -> Finding:
        """A finding that the detector missed.

        Raises
        ------
        ViewerError
            The box is too small.
        """
        finding = Finding(
            id=new_id(),
            image=image_key,
            box=fitted(self._image(image_key), box),
            category=category,
            status=Status.ADDED,
        )
        self._commit(self._event(Verb.ADD, None, finding))
        return finding

    def remove(self, finding_id: str) -> None:
        """Take the reader's own finding away; a candidate is rejected, never removed."""
        before = self.finding(finding_id)
        if before.status is not Status.ADDED:
            raise ViewerError("Only a finding that the reader added can be removed; reject this.")
        self._commit(self._event(Verb.REMOVE, before))

    def doubt(self, finding_id: str) -> None:
        """Mark a finding as uncertain, or as certain again; its status stands all the same.

        An open candidate stays open and is not asked about any more.
        """
        before = self.finding(finding_id)
        after = replace(before, uncertain=not before.uncertain)
        self._commit(self._event(Verb.DOUBT, before, after))

    def note(self, finding_id: str, text: str) -> None:
        """Write the reader's words on a finding; empty takes them away."""
        before = self.finding(finding_id)
        after = replace(before, note=text.strip())
        if after != before:
            self._commit(self._event(Verb.NOTE, before, after))

    def note_study(self, text: str) -> None:
        """The same on the whole study."""
        if text.strip() != self._state.comment:
            self._commit(self._event(Verb.NOTE, covers=self._seen(), comment=text.strip()))

    # --- measurements ----------------------------------------------------------------------------

    def measurement(self, measurement_id: str) -> Measurement:
        for measurement in self._state.measurements:
            if measurement.id == measurement_id:
                return measurement
        raise ViewerError("This measurement is not there any more.")

    def measure(self, image_key: ImageKey, shape: Shape, points: tuple[Point, ...]) -> Measurement:
        """Keep a shape on an image of the study; its points are moved into the frame."""
        made = Measurement(new_id(), image_key, shape, self._inside(image_key, points))
        self._commit(self._event(Verb.MEASURE, None, made))
        return made

    def adjust(self, measurement_id: str, points: tuple[Point, ...]) -> None:
        """Give a measurement other points."""
        before = self.measurement(measurement_id)
        after = replace(before, points=self._inside(before.image, points))
        if after != before:
            self._commit(self._event(Verb.ADJUST, before, after))

    def erase(self, measurement_id: str) -> None:
        self._commit(self._event(Verb.ERASE, self.measurement(measurement_id), None))

    def _inside(self, image_key: ImageKey, points: tuple[Point, ...]) -> tuple[Point, ...]:
        image = self._image(image_key)
        return tuple(
            (min(max(x, 0.0), float(image.columns)), min(max(y, 0.0), float(image.rows)))
            for x, y in points
        )

    # --- signature -------------------------------------------------------------------------------

    @property
    def signed(self) -> bool:
        """True while the signature stands; a later decision reopens the study."""
        return self._state.signed

    def sign(self, comment: str = "") -> None:
        """The images seen so far are read completely, with or without findings.

        Signing again after a decision amends the earlier signature, which stays in the log.

        Parameters
        ----------
        comment : why it is amended.

        Raises
        ------
        ViewerError
            No image of the study was seen; the first read of a blind reading is not signed.
        """
        self._refuse_while_blind()
        self._commit_as_one(self._signing(comment))

    def _signing(self, comment: str = "") -> list[Event]:
        covers = self._seen()
        if self.signed and self._state.signed_images.issuperset(covers):
            return []
        return [self._event(Verb.SIGN, covers=covers, comment=comment.strip())]

    def negative(self) -> None:
        """Reject every open candidate at or above the threshold and sign, as one step.

        Raises
        ------
        ViewerError
            A finding stands or is uncertain, a candidate is on an image that was only analysed; or
            as ``sign`` raises.
        """
        self._refuse_while_blind()
        findings = self.findings()
        if any(finding.status in POSITIVE for finding in findings):
            raise ViewerError(
                "A finding stands on this study: it is not negative. Reject it, or sign the study "
                "with it."
            )
        if any(finding.status is Status.OPEN and finding.uncertain for finding in findings):
            raise ViewerError(
                "A candidate is marked as uncertain: accept or reject it before the study is "
                "signed as negative."
            )
        covers, undecided = self._seen(), self.undecided()
        if not {before.image for before in undecided} <= set(covers):
            raise ViewerError(
                "There are candidates on images that were not shown yet: look at them before the "
                "study is signed as negative."
            )
        rejecting = [self._event(Verb.REJECT, before, _rejected(before)) for before in undecided]
        signing = self._signing()
        if rejecting and not signing:  # the signature there is was given without them
            signing = [self._event(Verb.SIGN, covers=covers)]
        self._commit_as_one([*rejecting, *signing])

    def sign_first_read(self) -> None:
        """What was read without the detector stands as it is; its marks are shown from now on.

        It cannot be undone, and nothing before it can be undone any more.

        Raises
        ------
        ViewerError
            The study is not read blind, or no image of it was seen.
        """
        if self._mode is not Mode.BLIND:
            raise ViewerError("This study is read with AI marks; it has no first read of its own.")
        if self.blind:
            self._commit(self._event(Verb.FIRST_READ, covers=self._seen()))

    def _refuse_while_blind(self) -> None:
        if self.blind:
            raise ViewerError(
                "Sign your first read first: this study is read blind, and its AI marks are hidden "
                "until then."
            )

    def _seen(self) -> tuple[ImageKey, ...]:
        """The images that a word about the whole study covers."""
        covers = tuple(record.key for record in self._record.images if record.shown)
        if not covers:
            raise ViewerError("There is nothing to sign: no image of this study was shown yet.")
        return covers

    def reopen(self) -> None:
        if self._state.signature is not None:
            self._commit(self._event(Verb.REOPEN, covers=self._state.signature.covers))


def _rejected(finding: Finding, reason: Reason | None = None) -> Finding:
    return replace(finding, status=Status.REJECTED, reason=reason)
