"""Images -> studies, series and reading order. Pure: no file is touched."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from viewer.dicom.model import Image, Series, Study

_SAME_DIRECTION = 1e-3  # of unit vectors: about 0.06 degrees
_SAME_POSITION = 1e-3  # mm


def build_studies(images: Iterable[Image]) -> tuple[Study, ...]:
    """Group images by study and series, each in reading order.

    Studies come by patient name, then newest first; series by number; images by position along
    the normal where all of a series share one orientation, else by instance number, then path.

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


def natural_key(text: str) -> tuple[Any, ...]:
    """Sorts "I2" before "I10"."""
    parts = re.split(r"(\d+)", text.casefold())
    return tuple((int(p), "") if p.isdecimal() else (-1, p) for p in parts if p), text


def _build_study(series: dict[str, list[Image]]) -> Study:
    built = [Series(images[0].series, _in_reading_order(images)) for images in series.values()]
    built.sort(key=_series_key)
    return Study(built[0].images[0].study, tuple(built))


def _series_key(series: Series) -> tuple[bool, int, tuple[Any, ...], str]:
    number = series.header.number
    first = series.images[0]
    return number is None, number or 0, natural_key(str(first.path)), series.header.uid


def _in_reading_order(images: list[Image]) -> tuple[Image, ...]:
    by_number = sorted(images, key=_number_key)
    positions = _positions(by_number)
    if positions is None:
        return tuple(by_number)
    # Images at one position (phases, echoes) stay in the order of their numbers.
    order = sorted(range(len(by_number)), key=lambda i: (positions[i], i))
    return tuple(by_number[i] for i in order)


def _number_key(image: Image) -> tuple[Any, ...]:
    number = image.instance_number
    return (
        number is None,
        number or 0,
        natural_key(str(image.path)),
        natural_key(image.member),
        image.frame_number,
    )


def _positions(images: list[Image]) -> list[float] | None:
    """Millimetres along the common normal, or None where there is no stack to sort."""
    planes = [image.geometry for image in images]
    first = planes[0]
    if first is None or len(planes) < 2:
        return None
    normal = np.cross(first.row_direction, first.column_direction)
    positions = []
    for plane in planes:
        if plane is None:
            return None
        if not np.allclose(plane.row_direction, first.row_direction, atol=_SAME_DIRECTION):
            return None
        if not np.allclose(plane.column_direction, first.column_direction, atol=_SAME_DIRECTION):
            return None
        positions.append(round(float(normal @ np.array(plane.position)) / _SAME_POSITION))
    return [position * _SAME_POSITION for position in positions]
