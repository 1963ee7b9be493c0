"""The one mutable truth of an open study: what the reader decides and measures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from detector.types import Box, Detections
from viewer.dicom.model import ImageKey
from viewer.errors import ViewerError
from viewer.review.finding import Finding, Run, Status, Verb
from viewer.review.measurement import Measurement, Point, Shape
from viewer.review.study_log import StudyLog, new_id

SMALLEST_BOX = 2.0
"""Pixels: a smaller box is a slip of the hand."""


class ReviewSession(StudyLog):
    """The review of one study by one reader: the verbs, and what is shown of their outcome.

    Each verb commits its event before the state changes and the callbacks run; where the store
    fails, its StoreError is raised and nothing has changed. What would change nothing, such as
    accepting twice, writes no event.
    """

    # --- what is shown ---------------------------------------------------------------------------

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

    # --- runs ------------------------------------------------------------------------------------

    def add_run(self, image_key: ImageKey, detections: Detections) -> None:
        """Keep one run of a model with all its candidates; decisions stay as they are."""
        run = Run(
            id=new_id(),
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
            id=new_id(),
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
        image = self._image(image_key)
        try:
            fitted = box.clipped(image.columns, image.rows)
        except ValueError as error:
            raise ViewerError("The box lies outside the image.") from error
        if fitted.width < SMALLEST_BOX or fitted.height < SMALLEST_BOX:
            raise ViewerError(
                f"A box needs at least {SMALLEST_BOX:g} x {SMALLEST_BOX:g} pixels in the image."
            )
        return fitted

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
        if self._state.signature is not None:
            self._commit(self._event(Verb.REOPEN, covers=self._state.signature.covers))

    def _decide(self, verb: Verb, before: Finding | None, after: Finding | None) -> None:
        self._commit(self._event(verb, before, after))
