"""Images -> studies and series in their order. Pure: no file is touched."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from viewer.dicom.model import Image, Series, Study
from viewer.dicom.stacks import natural_key, split_stacks


def build_studies(images: Iterable[Image]) -> tuple[Study, ...]:
    """Group images by study, series and stack, each in reading order.

    Studies come by patient name, then newest first; series by number, each with its stacks one
    after the other; how images are ordered, ``split_stacks`` says.

    Two files may carry one Study Instance UID and different patient ids, by a fault of the
    sender. They are shown as two studies, since a picture under the wrong name is the worst that
    a reader can be shown; both keep the UID of their files.
    """
    groups: dict[tuple[str, str, str], dict[str, list[Image]]] = {}
    for image in images:
        patient = image.study.patient
        series = groups.setdefault((image.study.uid, patient.id, patient.issuer), {})
        series.setdefault(image.series.uid, []).append(image)
    studies = [_build_study(series) for series in groups.values()]
    studies.sort(key=lambda study: (study.header.date, study.header.time), reverse=True)
    studies.sort(key=lambda study: (study.header.patient.name, study.header.patient.id))
    return tuple(studies)


def _build_study(series: dict[str, list[Image]]) -> Study:
    groups = [split_stacks(images) for images in series.values()]
    groups.sort(key=lambda stacks: _series_key(stacks[0]))
    built = tuple(stack for stacks in groups for stack in stacks)
    return Study(built[0].images[0].study, built)


def _series_key(series: Series) -> tuple[bool, int, tuple[Any, ...], str]:
    number = series.header.number
    first = series.images[0]
    return number is None, number or 0, natural_key(str(first.path)), series.header.uid
