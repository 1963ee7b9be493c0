"""Labelled images for training and testing, in one form whatever they were read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from detector.dataset.pictures import LoadDicom, read_picture
from detector.types import Box, ImageInput, ToneCurve


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
    weak : categories that nobody looked for but a report says are absent, and how much that
        counts, between 0 and 1.
    load_dicom : decodes `path` where it is a DICOM file; None for picture files.
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
    weak: Mapping[str, float] = field(default_factory=dict)
    load_dicom: LoadDicom | None = None

    def boxes_of(self, category: str) -> tuple[Box, ...]:
        return tuple(o.box for o in self.objects if o.category == category)

    def weight_of(self, category: str) -> float:
        """How sure it is that a place outside every box is free of the category.

        1 where the image was read for it in full, the weight of a report that says so, 0 where
        nobody looked.
        """
        return 1.0 if category in self.complete else self.weak.get(category, 0.0)

    def load(self) -> ImageInput:
        """The picture from its file.

        Raises
        ------
        DatasetError
            Where the file cannot be read as a picture, or is too large.
        """
        if self.load_dicom is not None:
            return self.load_dicom(self.path)
        stored = read_picture(self.path)
        if stored.ndim == 3:
            return ImageInput(stored)
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
