"""Decisions that carry over to the candidates of a newer run. Pure functions.

A decision speaks for a candidate of a newer run that marks the same finding: the same category, and
an intersection over union of at least ``matching.SAME_FINDING_IOU`` with the finding as it was
decided, or with the candidate that was judged. Each decision speaks for one candidate at most, the
one that fits best when all are taken together; but where a reader has moved a box away, for two:
that the finding is here, and that there is none where the detector had put it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from viewer.dicom.model import ImageKey
from viewer.review.finding import Candidate, Event, Finding, Run
from viewer.review.matching import (
    SAME_FINDING_IOU,
    FloatArray,
    Marked,
    assigned,
    overlaps,
    same_finding,
)


def carried_over(
    runs: Mapping[ImageKey, Run],
    candidates: Sequence[Candidate],
    judged: Mapping[str, Finding],
    decisions: Mapping[str, Event],
) -> dict[str, str]:
    """Candidate id -> id of the earlier finding that speaks for it.

    Parameters
    ----------
    runs : image -> its latest run.
    candidates : of all runs.
    judged : the findings as they were decided, by id.
    decisions : finding id -> the decision that gave it its present state.
    """
    by_id = {candidate.id: candidate for candidate in candidates}
    carried: dict[str, str] = {}
    for image, run in runs.items():
        earlier = [
            finding
            for finding in judged.values()
            if finding.image == image
            and _is_earlier(by_id.get(finding.id), decisions[finding.id], run)
        ]
        if earlier:
            newer = [candidate for candidate in candidates if candidate.run_id == run.id]
            places = [
                (finding.id, place)
                for finding in earlier
                for place in _places(finding, by_id.get(finding.id))
            ]
            fitting = _fitting([place for _, place in places], newer)
            carried |= {newer[column].id: places[row][0] for row, column in assigned(fitting)}
    # One that was judged itself takes its place in the matching, and needs nobody to speak for it.
    return {each: finding for each, finding in carried.items() if each not in judged}


def _is_earlier(judged: Candidate | None, decision: Event, run: Run) -> bool:
    """Whether a decision was made before a run's candidates were to be seen.

    Within one run candidates are told apart however much they overlap; so is a finding that the
    reader drew while the run was on the screen.
    """
    return decision.at < run.at if judged is None else judged.run_id != run.id


def _places(finding: Finding, judged: Candidate | None) -> list[tuple[Marked, ...]]:
    """What a decision speaks of: one place, which may have two boxes, or two places."""
    if judged is None:
        return [(finding,)]
    if same_finding(finding, judged):
        return [(finding, judged)]
    return [(finding,), (judged,)]


def _fitting(places: Sequence[tuple[Marked, ...]], newer: Sequence[Candidate]) -> FloatArray:
    """(places, candidates) how well each fits, 0 where it is another finding."""
    fitting = np.zeros((len(places), len(newer)))
    boxes = [candidate.box for candidate in newer]
    for row, place in enumerate(places):
        for one in place:
            shared = overlaps([one.box], boxes)[0]
            same = np.array([candidate.category == one.category for candidate in newer], dtype=bool)
            fits = np.where(same & (shared >= SAME_FINDING_IOU), shared, 0.0)
            fitting[row] = np.maximum(fitting[row], fits)
    return fitting
