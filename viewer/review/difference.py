"""What a newer run of a detector says otherwise than an earlier one. Pure functions.

Only marks count: candidates at or above the threshold. Marks of one category are matched one to one
as in ``matching``, by an intersection over union of at least SAME_FINDING_IOU; what is left is new
or gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from viewer.dicom.model import ImageKey
from viewer.review.finding import Candidate, Finding, Run
from viewer.review.fold import ReviewState
from viewer.review.matching import matched
from viewer.review.record import ImageRecord, StudyRecord

STILL_IOU = 0.9
"""A mark that overlaps its earlier one by less than this has moved."""

STILL_SCORE = 0.05
"""So has one whose score differs by more than this."""


class Change(StrEnum):
    NEW = "new"
    GONE = "gone"
    MOVED = "moved"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Difference:
    """One mark of the later run, of the earlier one, or of both.

    Attributes
    ----------
    earlier, later : its candidates. A new mark may have an earlier candidate and one that is gone a
        later one: those were, or are, below the threshold.
    iou : of the two boxes, where there are two.
    """

    change: Change
    earlier: Candidate | None
    later: Candidate | None
    iou: float | None = None

    @property
    def present(self) -> Candidate:
        """The candidate by which it is found on the image: the later one where it is a mark."""
        first, second = self.later, self.earlier
        if self.change is Change.GONE:
            first, second = second, first
        found = first or second
        assert found is not None
        return found


@dataclass(frozen=True, slots=True)
class ImageDifference:
    """Two runs over the same pixels; ``earlier`` is None where there was none to compare with."""

    image: ImageKey
    later: Run
    earlier: Run | None
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """Which model a run is of."""

    name: str
    version: str
    weights_sha256: str


ThresholdOf = Callable[[str], float]
"""Category -> the score from which a candidate is a mark."""


def model_of(run: Run) -> ModelVersion:
    return ModelVersion(run.model_name, run.model_version, run.weights_sha256)


def models_before(record: StudyRecord) -> tuple[ModelVersion, ...]:
    """The models of all runs that another run over the same pixels came after, latest first."""
    last = {run.image: run.id for run in record.runs}
    earlier = (run for run in reversed(record.runs) if run.id != last[run.image])
    return tuple(dict.fromkeys(model_of(run) for run in earlier))


def between_runs(
    record: StudyRecord, threshold: ThresholdOf, model: ModelVersion | None = None
) -> tuple[ImageDifference, ...]:
    """The latest run over each image beside an earlier one, for the images that have been analysed.

    Parameters
    ----------
    threshold : of the latest run, and of an earlier one of the same model; one of another model
        keeps its own threshold where that is known.
    model : beside the last run of this model; None: beside the run before, whichever model it was.
    """
    return tuple(_of_image(record, image.key, threshold, model) for image in _analysed(record))


def differences(earlier: Sequence[Candidate], later: Sequence[Candidate]) -> list[Difference]:
    """Marks of one image, matched: new, gone, moved and the same, each best score first."""
    pairs = matched(earlier, later)
    found = [_of_pair(earlier[i], later[j]) for i, j in pairs]
    left, kept = {i for i, _ in pairs}, {j for _, j in pairs}
    found += [
        Difference(Change.GONE, each, None) for i, each in enumerate(earlier) if i not in left
    ]
    found += [Difference(Change.NEW, None, each) for j, each in enumerate(later) if j not in kept]
    order = list(Change)
    found.sort(key=lambda each: (order.index(each.change), -each.present.score))
    return found


def decided_on(difference: Difference, state: ReviewState) -> tuple[Finding, bool] | None:
    """What the reader has said of it, and whether that is carried over from an earlier run.

    None where nothing is decided.
    """
    judged = {finding.id: finding for finding in state.findings if finding.id in state.decisions}
    if difference.later is not None:
        later = difference.later.id
        if later in judged:
            return judged[later], False
        if later in state.carried:
            return judged[state.carried[later]], True
    if difference.change is Change.GONE and difference.earlier is not None:
        finding = judged.get(difference.earlier.id)
        return None if finding is None else (finding, False)
    return None


def _analysed(record: StudyRecord) -> Iterator[ImageRecord]:
    analysed = {run.image for run in record.runs}
    return (image for image in record.images if image.key in analysed)


def _of_image(
    record: StudyRecord, image: ImageKey, threshold: ThresholdOf, model: ModelVersion | None
) -> ImageDifference:
    *before, later = (run for run in record.runs if run.image == image)
    wanted = [run for run in before if model is None or model_of(run) == model]
    if not wanted:
        return ImageDifference(image, later, None)
    earlier = wanted[-1]
    other_model = earlier.weights_sha256 != later.weights_sha256
    own = earlier.threshold if other_model else None
    then, hidden_then = _split(record, earlier, (lambda _: own) if own is not None else threshold)
    now, hidden_now = _split(record, later, threshold)
    found = differences(then, now)
    found = _with_hidden(found, Change.NEW, hidden_then)
    found = _with_hidden(found, Change.GONE, hidden_now)
    return ImageDifference(image, later, earlier, tuple(found))


def _split(
    record: StudyRecord, run: Run, threshold: ThresholdOf
) -> tuple[list[Candidate], list[Candidate]]:
    """The marks of a run, and its candidates below the threshold."""
    marks: list[Candidate] = []
    hidden: list[Candidate] = []
    for candidate in record.candidates:
        if candidate.run_id == run.id:
            is_mark = candidate.score >= threshold(candidate.category)
            (marks if is_mark else hidden).append(candidate)
    return marks, hidden


def _of_pair(earlier: Candidate, later: Candidate) -> Difference:
    iou = earlier.box.iou(later.box)
    apart = round(abs(earlier.score - later.score), 6)  # 0.55 - 0.5 is more than 0.05 in floats
    still = iou >= STILL_IOU and apart <= STILL_SCORE
    return Difference(Change.SAME if still else Change.MOVED, earlier, later, iou)


def _with_hidden(
    found: Sequence[Difference], change: Change, hidden: Sequence[Candidate]
) -> list[Difference]:
    """New or gone marks with the candidates below the threshold that they were, or are."""
    some = [each for each in found if each.change is change]
    partner = {
        some[i].present.id: hidden[j] for i, j in matched([each.present for each in some], hidden)
    }
    return [
        _beside(each, partner[each.present.id])
        if each.change is change and each.present.id in partner
        else each
        for each in found
    ]


def _beside(difference: Difference, hidden: Candidate) -> Difference:
    iou = difference.present.box.iou(hidden.box)
    if difference.change is Change.NEW:
        return Difference(difference.change, hidden, difference.later, iou)
    return Difference(difference.change, difference.earlier, hidden, iou)
