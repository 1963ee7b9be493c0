"""Which earlier study belongs beside the current one, and whose it must never be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from viewer.dicom.model import Image, Patient, Series, SeriesHeader, Study, StudyHeader
from viewer.dicom.priors import is_earlier, latest_prior, same_patient

PATIENT = Patient(name="DOE, Jane", id="P-1", issuer="HOSPITAL")
NOW = StudyHeader("1.9", PATIENT, date="20230506", time="101500")


def series(study: StudyHeader, header: SeriesHeader, *views: str) -> Series:
    images = tuple(
        Image(
            path=Path(f"{study.uid}-{header.uid}-{number}"),
            member="",
            uid=f"{header.uid}.{number}",
            frame_number=1,
            number_of_frames=1,
            rows=10,
            columns=10,
            samples_per_pixel=1,
            photometric_interpretation="MONOCHROME2",
            study=study,
            series=header,
            view=view,
        )
        for number, view in enumerate(views)
    )
    return Series(header, images)


def study(header: StudyHeader, *kinds: tuple[str, str, tuple[str, ...]]) -> Study:
    """A study with a series for each (modality, body part, views)."""
    made = [
        series(header, SeriesHeader(f"{header.uid}.{n}", n, "", modality, part), *views)
        for n, (modality, part, views) in enumerate(kinds)
    ]
    return Study(header, tuple(made))


CHEST = ("DX", "CHEST", ("PA",))
CURRENT = study(NOW, CHEST)


def earlier(uid: str, date: str, *kinds: tuple[str, str, tuple[str, ...]], **of: str) -> Study:
    return study(StudyHeader(uid, replace(PATIENT, **of), date=date), *(kinds or (CHEST,)))


def prior_of(*among: Study) -> str | None:
    found = latest_prior(CURRENT, CURRENT.series[0], 0, (CURRENT, *among))
    return None if found is None else found.study.header.uid


def test_the_latest_earlier_study_is_taken() -> None:
    studies = [earlier("1.1", "20190301"), earlier("1.2", "20210210"), earlier("1.3", "20200101")]
    assert prior_of(*studies) == "1.2"
    assert prior_of(earlier("1.4", "20240101")) is None, "a later one is no prior"


@pytest.mark.parametrize(
    "of",
    [
        {"id": "P-2"},
        {"issuer": "ANOTHER HOSPITAL"},
        {"issuer": ""},
        {"id": ""},
    ],
)
def test_an_equal_name_alone_never_makes_a_prior(of: dict[str, str]) -> None:
    assert prior_of(earlier("1.1", "20210101", **of)) is None


def test_a_changed_name_under_one_id_is_the_same_patient() -> None:
    assert prior_of(earlier("1.1", "20210101", name="MILLER, Jane")) == "1.1"


@pytest.mark.parametrize("date", ["", "2021", "unknown", "20230506"])
def test_a_study_that_is_not_surely_earlier_is_no_prior(date: str) -> None:
    assert prior_of(earlier("1.1", date)) is None


def test_the_same_part_in_the_same_way() -> None:
    assert prior_of(earlier("1.1", "20210101", ("CT", "CHEST", ("",)))) is None
    assert prior_of(earlier("1.1", "20210101", ("DX", "HAND", ("PA",)))) is None
    assert prior_of(earlier("1.1", "20210101", ("CR", "CHEST", ("PA",)))) == "1.1"
    assert prior_of(earlier("1.1", "20210101", ("DX", "", ("PA",)))) == "1.1"
    older_but_fitting = earlier("1.0", "20200101")
    assert prior_of(earlier("1.1", "20210101", ("DX", "HAND", ("PA",))), older_but_fitting) == "1.0"


def test_the_same_view_is_shown_first() -> None:
    before = earlier("1.1", "20210101", ("DX", "CHEST", ("LL",)), ("DX", "CHEST", ("LL", "PA")))
    found = latest_prior(CURRENT, CURRENT.series[0], 0, (before,))
    assert found is not None
    assert found.series.images[found.index].view == "PA"


def test_who_is_the_same_patient() -> None:
    assert same_patient(PATIENT, replace(PATIENT, name="X")) is True
    assert same_patient(PATIENT, replace(PATIENT, id="P-2")) is False
    assert same_patient(PATIENT, replace(PATIENT, id="", name="ROE, Jim")) is False
    assert same_patient(PATIENT, replace(PATIENT, id="")) is None
    assert same_patient(Patient(), Patient()) is None


def test_the_time_decides_within_a_day() -> None:
    morning = replace(NOW, time="080000")
    assert is_earlier(morning, NOW)
    assert not is_earlier(NOW, morning)
    assert not is_earlier(replace(NOW, time=""), NOW)
