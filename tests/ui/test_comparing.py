"""The lines above pictures beside each other."""

from __future__ import annotations

from dataclasses import replace

from viewer.dicom.model import Patient, StudyHeader
from viewer.ui.comparing import Tone, captions

JANE = Patient(name="DOE, Jane", id="P-1")
NEW = StudyHeader("1.3", JANE, date="20230506")
OLD = StudyHeader("1.2", JANE, date="20190301")
OLDER = StudyHeader("1.1", JANE, date="20150101")
JIM = StudyHeader("1.4", Patient(name="ROE, Jim", id="P-2"), date="20190301")


def texts(*studies: StudyHeader | None, active: int = 0) -> list[str]:
    return [caption.text for caption in captions(studies, active)]


def test_one_study_needs_no_words() -> None:
    assert texts(NEW) == [""]
    assert texts(NEW, NEW, None, None) == ["", "", "", ""]


def test_the_latest_is_current_and_all_others_are_prior() -> None:
    said = ["current, 2023-05-06", "prior, 2019-03-01", "prior, 2015-01-01", ""]
    assert texts(NEW, OLD, OLDER, None) == said
    assert texts(NEW, OLD, OLDER, None, active=1) == said, "whichever is active"
    assert captions((NEW, OLD), 0)[1].tone is Tone.PRIOR


def test_another_patient_is_an_alarm() -> None:
    assert texts(NEW, JIM) == ["", "another patient"]
    assert captions((NEW, JIM), 0)[1].tone is Tone.ALARM
    assert texts(NEW, OLD, JIM) == ["current, 2023-05-06", "prior, 2019-03-01", "another patient"]


def test_the_same_name_under_another_id_is_another_patient() -> None:
    namesake = replace(OLD, patient=replace(JANE, id="P-7"))
    assert texts(NEW, namesake) == ["", "another patient"]


def test_studies_without_dates_are_still_told_apart() -> None:
    assert texts(NEW, replace(OLD, date="")) == [
        "another study, 2023-05-06",
        "another study, without a date",
    ]


def test_nothing_is_said_of_patients_that_are_not_known() -> None:
    assert texts(replace(NEW, patient=Patient()), replace(OLD, patient=Patient())) == ["", ""]
