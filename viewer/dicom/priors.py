"""Which earlier study of a patient belongs beside the one that is read. Pure: headers alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from viewer.dicom.model import Patient, Series, Study, StudyHeader

# One kind of picture under three names (PS3.3 C.7.3.1.1.1): they are read side by side.
_RADIOGRAPHS = frozenset({"CR", "DX", "RG"})


@dataclass(frozen=True, slots=True)
class Prior:
    """An earlier study of the same patient, and what of it to show first."""

    study: Study
    series: Series
    index: int


def same_patient(one: Patient, other: Patient) -> bool | None:
    """Whether two headers are of one patient; None where that cannot be said.

    One Patient ID of one issuer is one patient (PS3.3 C.7.1.1), whatever was typed as the name; an
    equal name alone says nothing.
    """
    if one.id and other.id:
        return (one.id, one.issuer) == (other.id, other.issuer)
    if one.name and other.name and one.name != other.name:
        return False
    return None


def is_earlier(one: StudyHeader, other: StudyHeader) -> bool:
    """Whether one study was made before another; False where a date is missing."""
    dates = one.date, other.date
    if not all(len(date) == 8 and date.isdigit() for date in dates):
        return False
    if one.date == other.date:
        return bool(one.time and other.time) and one.time < other.time
    return one.date < other.date


def latest_prior(study: Study, series: Series, index: int, among: Iterable[Study]) -> Prior | None:
    """The latest earlier study of the same patient that shows the same part in the same way.

    Parameters
    ----------
    study, series, index : what is read: an image of a series.
    among : the studies that are open.
    """
    view = series.images[index].view
    earlier = sorted(
        (
            other
            for other in among
            if same_patient(other.header.patient, study.header.patient)
            and is_earlier(other.header, study.header)
        ),
        key=lambda other: (other.header.date, other.header.time),
        reverse=True,
    )
    for other in earlier:
        like = [one for one in other.series if _comparable(one, series)]
        if like:
            return _best(other, like, series, view)
    return None


def _best(study: Study, like: list[Series], series: Series, view: str) -> Prior:
    """Of the series to choose from, the same view, else the same description, else the first."""
    for one in like:
        for index, image in enumerate(one.images):
            if view and image.view == view:
                return Prior(study, one, index)
    described = [one for one in like if one.header.description == series.header.description]
    return Prior(study, (described or like)[0], 0)


def _comparable(one: Series, other: Series) -> bool:
    """The same modality and, where both say it, the same part of the body."""
    a, b = one.header, other.header
    radiographs = {a.modality, b.modality} <= _RADIOGRAPHS
    part = not a.body_part or not b.body_part or a.body_part == b.body_part
    return part and bool(a.modality) and (radiographs or a.modality == b.modality)
