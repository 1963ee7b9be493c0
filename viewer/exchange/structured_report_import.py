"""Measurement reports (TID 1500) as labels: our own as they were, others' as far as can be.

A region becomes the box around it. A finding is what the group says it is, by the codes of
``viewer.exchange.concepts``. Our own reports say whose decision it was, when, and of which kind; of
a foreign one a group is a finding that its person observer accepted, or a candidate with a score
where a device alone says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from detector.types import Box
from viewer.dicom.reported import Concept, MeasurementReport, ReportedGroup, ReportedRegion
from viewer.errors import ExchangeError
from viewer.exchange import concepts
from viewer.exchange.labels import LabelBox, LabelDocument, LabelImage, ModelName
from viewer.review.finding import Mode, Reason, Role, Status

_WEIGHTS, _THRESHOLD = (
    re.compile(r"weights SHA-256: (\S{1,128})"),
    re.compile(r"threshold: ([0-9.e+-]{1,24})"),
)
_WHOLES = {"%": 100.0, "1": 1.0, "{0:1}": 1.0}  # of a score, by its unit
_SCORES = {concepts.SCORE.value, "122157", "111047"}  # certainty of finding, probability
_PATIENT_KEY = re.compile(r"[0-9a-f]{32}")
_MOST_NAMED = 20  # groups that are told one by one


def document_of(report: MeasurementReport, path: Path) -> LabelDocument:
    """The boxes of a report.

    Raises
    ------
    ExchangeError
        It holds no measurement group, or none with a region on an image.
    """
    if not report.groups:
        raise ExchangeError(f"{path.name} is no measurement report: it has no measurement group.")
    reading = _Reading(report)
    boxes = [box for group in report.groups for box in reading.boxes(group)]
    if not boxes and not reading.pixels:
        why = f" {reading.left_out[0]}" if reading.left_out else ""
        raise ExchangeError(f"{path.name} has no finding with a region on an image.{why}")
    return LabelDocument(
        folder=path.absolute().parent,
        images=tuple(reading.image(uid, frame) for uid, frame in reading.numbers),
        boxes=tuple(boxes),
        model=_only_model(boxes),
        device="report",
        notes=tuple(reading.notes()),
    )


def _only_model(boxes: list[LabelBox]) -> ModelName | None:
    """The model of the candidates, where it is one."""
    models = {box.model for box in boxes if box.score is not None}
    return models.pop() if len(models) == 1 else None


@dataclass(eq=False)
class _Reading:
    """One report on its way: numbers its images, and collects what it cannot restore."""

    report: MeasurementReport
    numbers: dict[tuple[str, int], int] = field(default_factory=dict)  # (uid, frame) -> id
    pixels: dict[tuple[str, int], str] = field(default_factory=dict)  # -> SHA-256
    left_out: list[str] = field(default_factory=list)
    rounded: int = 0  # regions that were no boxes
    measurements: int = 0

    def __post_init__(self) -> None:
        for group in self.report.groups:
            digest = group.text(concepts.PIXELS)
            for uid, frames in group.images if digest else ():
                for frame in frames or (1,):
                    self.pixels[uid, frame] = digest
                    self._number(uid, frame)

    def image(self, uid: str, frame: int) -> LabelImage:
        key = self.report.patient_id
        return LabelImage(
            id=self.numbers[uid, frame],
            file_name="",
            width=0,
            height=0,
            frame_number=frame,
            uid=uid,
            pixel_sha256=self.pixels.get((uid, frame), ""),
            patient_key=key if _PATIENT_KEY.fullmatch(key) else "",
        )

    def notes(self) -> Iterator[str]:
        """What was not restored, or not as it was, in sentences."""
        if self.measurements:
            yield f"{self.measurements} measurements of the report were not taken over."
        if self.rounded:
            yield f"{self.rounded} regions were no boxes; the boxes around them were taken over."
        yield from self.left_out[:_MOST_NAMED]
        if len(self.left_out) > _MOST_NAMED:
            yield f"{len(self.left_out) - _MOST_NAMED} more groups were not taken over."

    def boxes(self, group: ReportedGroup) -> Iterator[LabelBox]:
        """What a group says, once for each of its regions and frames."""
        category = group.evaluation(concepts.CATEGORY) or group.finding
        if group.text(concepts.PIXELS) or (category is None and _is_measurement(group)):
            self.measurements += not group.text(concepts.PIXELS)
            return
        if group.other_places:
            self._leave_out(group, "its region is no shape on an image")
        elif not group.regions:
            self._leave_out(group, "it has no region on an image")
        if category is None:
            if group.regions:
                self._leave_out(group, "it does not say what was found")
            return
        for region in group.regions:
            box = _box_around(region)
            if box is None:
                self._leave_out(group, f"its {region.shape.lower()} encloses nothing")
                continue
            self.rounded += not _is_box(region, box)
            for frame in region.frames or (1,):
                number = self._number(region.uid, frame)
                yield self._label(group, number, box, concepts.category_of(category))

    def _number(self, uid: str, frame: int) -> int:
        return self.numbers.setdefault((uid, frame), len(self.numbers) + 1)

    def _leave_out(self, group: ReportedGroup, why: str) -> None:
        self.left_out.append(f"Group {group.place} was not taken over: {why}.")

    def _label(self, group: ReportedGroup, image: int, box: Box, category: str) -> LabelBox:
        score, model, threshold = _score(group), _model(group), _threshold(group)
        status = group.evaluation(concepts.STATUS)
        persons = self.report.persons
        observer = group.observer or (persons[0] if persons else "")
        if status is None:
            by_machine = group.algorithm is not None and not observer and score is not None
            return LabelBox(
                image, box, category,
                score=score if by_machine else None,
                reader=observer,
                decided_at=group.at or self.report.at,
                model=model,
                model_score=None if by_machine else score,
            )  # fmt: skip
        return LabelBox(
            image_id=image,
            box=box,
            category=category,
            status=_member(Status, status, Status.ACCEPTED),
            reader=observer,
            decided_at=group.at or self.report.at,
            threshold=threshold,
            ai_visible=group.evaluation(concepts.MARKS) == concepts.MARKS_VISIBLE,
            model=model,
            model_score=score,
            uncertain=group.evaluation(concepts.CERTAINTY) is not None,
            reason=_reason(group),
            mode=_member(Mode, group.evaluation(concepts.MODE), Mode.CONCURRENT),
            role=self._role,
        )

    @property
    def _role(self) -> Role:
        words = next((w for name, w in self.report.texts if name.value == concepts.LOG.value), "")
        return Role.ADJUDICATOR if words.startswith("consensus") else Role.READER


def _is_measurement(group: ReportedGroup) -> bool:
    return bool(group.numbers) and not any(n.name.value in _SCORES for n in group.numbers)


def _box_around(region: ReportedRegion) -> Box | None:
    """The box around a shape (PS3.3 C.18.6.1.2); None where it has no area."""
    points = np.array(region.points, np.float64)
    if region.shape == "CIRCLE" and len(points) >= 2:
        reach = float(np.linalg.norm(points[1] - points[0]))
        points = np.array([points[0] - reach, points[0] + reach])
    elif region.shape == "ELLIPSE" and len(points) >= 4:
        # Turned as it may be, its half width is the length of both half axes' shares in x.
        middle = points[:4].mean(axis=0)
        half = np.hypot((points[1] - points[0]) / 2, (points[3] - points[2]) / 2)
        points = np.array([middle - half, middle + half])
    (x_min, y_min), (x_max, y_max) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return Box(x_min, y_min, x_max, y_max) if x_min < x_max and y_min < y_max else None


def _is_box(region: ReportedRegion, box: Box) -> bool:
    corners = {(x, y) for x in (box.x_min, box.x_max) for y in (box.y_min, box.y_max)}
    return region.shape == "POLYLINE" and set(region.points) == corners


def _score(group: ReportedGroup) -> float | None:
    for number in group.numbers:
        if number.name.value in _SCORES and number.unit in _WHOLES:
            score = number.value / _WHOLES[number.unit]
            return score if 0 <= score <= 1 else None
    return None


def _model(group: ReportedGroup) -> ModelName | None:
    algorithm = group.algorithm
    if algorithm is None:
        return None
    return ModelName(algorithm.name, algorithm.version, _parameter(group, _WEIGHTS))


def _threshold(group: ReportedGroup) -> float | None:
    try:
        return float(_parameter(group, _THRESHOLD))
    except ValueError:
        return None


def _parameter(group: ReportedGroup, form: re.Pattern[str]) -> str:
    found = (
        form.fullmatch(words) for words in (group.algorithm.parameters if group.algorithm else ())
    )
    return next((match[1] for match in found if match), "")


def _reason(group: ReportedGroup) -> Reason | None:
    said = group.evaluation(concepts.REASON)
    return None if said is None else _member(Reason, said, Reason.OTHER)


_E = TypeVar("_E", Status, Mode, Reason)


def _member(kind: type[_E], said: Concept | None, otherwise: _E) -> _E:
    try:
        return kind(said.value) if said is not None else otherwise
    except ValueError:
        return otherwise
