"""Labelled images for training and testing, in one form whatever they were read from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from detector.types import Box, DatasetError, ImageInput, ToneCurve


@dataclass(frozen=True, slots=True)
class LabelledBox:
    box: Box
    category: str


@dataclass(frozen=True)
class Sample:
    """One labelled image.

    Attributes
    ----------
    objects : what is there, by a reader's box.
    rejected : what a reader said is not there: hard negatives.
    complete : categories of which every object on the image is in `objects`. Of any other
        category, only the places inside `objects` and `rejected` are known.
    image_classes : class name to whether it is present; a name that is absent is unknown.
    view : View Position, for example PA; empty where unknown.
    slope, intercept : modality value = stored value * slope + intercept.
    tone_curve : over modality values; None where they are brightness already.
    """

    path: Path
    patient: str
    objects: tuple[LabelledBox, ...] = ()
    rejected: tuple[LabelledBox, ...] = ()
    complete: frozenset[str] = frozenset()
    image_classes: Mapping[str, bool] = field(default_factory=dict)
    view: str = ""
    slope: float = 1.0
    intercept: float = 0.0
    tone_curve: ToneCurve | None = None

    def boxes_of(self, category: str) -> tuple[Box, ...]:
        return tuple(o.box for o in self.objects if o.category == category)

    def load(self) -> ImageInput:
        """The picture from its file.

        Raises
        ------
        DatasetError
            Where the file cannot be read as a picture.
        """
        stored = cv2.imread(str(self.path), cv2.IMREAD_UNCHANGED)
        if stored is None:
            raise DatasetError(f"The image {self.path.name} cannot be read.")
        if stored.ndim == 3:
            return ImageInput(np.ascontiguousarray(stored[:, :, 2::-1]))
        if self.slope == 1.0 and self.intercept == 0.0:
            return ImageInput(stored, self.tone_curve)
        values = stored.astype(np.float32) * self.slope + self.intercept
        return ImageInput(values, self.tone_curve)


@dataclass(frozen=True)
class Dataset:
    """Samples, and a sentence for each thing that could not be used."""

    name: str
    samples: tuple[Sample, ...]
    categories: tuple[str, ...]
    problems: tuple[str, ...] = ()


def patient_hash(patient: str) -> str:
    """What a card keeps of a patient's name or key, enough to know it again in other data."""
    return hashlib.sha256(f"lightbox patient {patient}".encode()).hexdigest()[:16]


def patient_folds(samples: Iterable[Sample], folds: int) -> dict[str, int]:
    """Deal the patients into folds, those with boxes apart from those without, by hash order."""
    with_boxes: dict[str, bool] = {}
    for sample in samples:
        with_boxes[sample.patient] = with_boxes.get(sample.patient, False) or bool(sample.objects)
    result: dict[str, int] = {}
    for stratum in (True, False):
        members = sorted(
            (p for p, boxed in with_boxes.items() if boxed is stratum),
            key=lambda p: hashlib.sha256(p.encode()).hexdigest(),
        )
        result.update({patient: place % folds for place, patient in enumerate(members)})
    return result
