"""What of a study's findings the reader sees, and under which thresholds."""

from __future__ import annotations

from collections.abc import Callable

from viewer.errors import ViewerError
from viewer.review.finding import Finding, Mode, Status
from viewer.review.fold import ReviewState
from viewer.review.thresholds import Thresholds


class Sight:
    """The findings of a study as they are shown.

    Parameters
    ----------
    state : the fold of what is kept of the study.
    mode : how it is read; in a blind reading nothing of the detector is there for the reader
        until the first read is signed.
    """

    def __init__(self, state: ReviewState, mode: Mode) -> None:
        self._state = state
        self._mode = mode
        self._thresholds = Thresholds(0.5)
        self._ai_visible = True
        self._show_rejected = False
        self._callbacks: list[Callable[[], None]] = []

    @property
    def state(self) -> ReviewState:
        """The fold of everything kept of this study."""
        return self._state

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Have ``callback`` run after every change of state, threshold or visibility."""
        self._callbacks.append(callback)

    def _tell(self) -> None:
        for callback in tuple(self._callbacks):
            callback()

    # --- what is in force ------------------------------------------------------------------------

    @property
    def mode(self) -> Mode:
        """How this study is read: the first event of its log has settled it."""
        return self._mode

    @property
    def blind(self) -> bool:
        """True while nothing of the detector may be seen."""
        return self._mode is Mode.BLIND and self._state.first_read is None

    @property
    def thresholds(self) -> Thresholds:
        """Open candidates with a lower score are hidden."""
        return self._thresholds

    @thresholds.setter
    def thresholds(self, value: Thresholds) -> None:
        if value != self._thresholds:
            self._thresholds = value
            self._tell()

    @property
    def threshold(self) -> float:
        """That of the categories without their own."""
        return self._thresholds.default

    @threshold.setter
    def threshold(self, value: float) -> None:
        self.thresholds = self._thresholds.moved(value)

    @property
    def ai_visible(self) -> bool:
        """Whether open candidates are shown: as it was chosen, and never while blind."""
        return self._ai_visible and not self.blind

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

    # --- the findings ----------------------------------------------------------------------------

    def findings(
        self, uid: str | None = None, frame_number: int | None = None
    ) -> tuple[Finding, ...]:
        """The findings of the study, an image or a frame: best score first, own ones last.

        While blind no open candidate is among them.
        """
        return tuple(
            finding
            for finding in self._state.findings
            if (uid is None or finding.image.uid == uid)
            and (frame_number is None or finding.image.frame_number == frame_number)
            and not (finding.status is Status.OPEN and self.blind)
        )

    def shown(self, uid: str | None = None, frame_number: int | None = None) -> tuple[Finding, ...]:
        """The findings whose marks are drawn, in the order of ``findings``."""
        return tuple(
            finding for finding in self.findings(uid, frame_number) if self._is_shown(finding)
        )

    def _is_shown(self, finding: Finding) -> bool:
        if finding.status is Status.OPEN:
            return self.ai_visible and self._thresholds.passed_by(finding)
        return finding.status is not Status.REJECTED or self._show_rejected

    def undecided(
        self, uid: str | None = None, frame_number: int | None = None
    ) -> tuple[Finding, ...]:
        """Open candidates at or above the threshold, shown or hidden by ``ai_visible``.

        One that the reader marked as uncertain is not among them: that is a word about it, too.
        """
        return tuple(
            finding
            for finding in self.findings(uid, frame_number)
            if finding.status is Status.OPEN
            and not finding.uncertain
            and self._thresholds.passed_by(finding)
        )

    def finding(self, finding_id: str) -> Finding:
        for finding in self.findings():
            if finding.id == finding_id:
                return finding
        raise ViewerError("This finding is not there any more.")
