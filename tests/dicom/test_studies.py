from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from viewer.dicom.model import Image, Patient, PlaneGeometry, SeriesHeader, StudyHeader
from viewer.dicom.studies import build_studies


def image(name: str, z: float | None = None, number: int | None = None, **fields: Any) -> Image:
    geometry = None if z is None else PlaneGeometry((0, 0, z), (1, 0, 0), (0, 1, 0))
    made = Image(
        path=Path(name),
        member="",
        uid=name,
        frame_number=1,
        number_of_frames=1,
        rows=1,
        columns=1,
        samples_per_pixel=1,
        photometric_interpretation="MONOCHROME2",
        study=StudyHeader("S", Patient(id="1")),
        series=SeriesHeader("R", 1),
        instance_number=number,
        geometry=geometry,
    )
    return replace(made, **fields)


def order(images: list[Image]) -> list[str]:
    random.Random(0).shuffle(images)
    (study,) = build_studies(images)
    return [i.path.name for series in study.series for i in series.images]


def test_position_comes_before_number_and_name() -> None:
    images = [image("a", z=30, number=1), image("b", z=10, number=3), image("c", z=20, number=2)]
    assert order(images) == ["b", "c", "a"]


def test_the_position_is_taken_along_the_normal() -> None:
    # A coronal stack: its normal points to -y, so rising y is falling position.
    def plane(y: float) -> PlaneGeometry:
        return PlaneGeometry((5, y, 9), (1, 0, 0), (0, 0, 1))

    images = [
        image("a", geometry=plane(1)),
        image("b", geometry=plane(3)),
        image("c", geometry=plane(2)),
    ]
    assert order(images) == ["b", "c", "a"]


def test_without_numbers_the_path_counts_naturally() -> None:
    assert order([image("I10"), image("I9"), image("I2")]) == ["I2", "I9", "I10"]


def test_images_at_one_position_stay_by_number() -> None:
    images = [image("a", z=1, number=2), image("b", z=1.0001, number=1), image("c", z=0, number=9)]
    assert order(images) == ["c", "b", "a"]


def test_frames_stay_in_order() -> None:
    frames = [image("f", number=1, uid="f", frame_number=n) for n in range(1, 13)]
    random.Random(1).shuffle(frames)
    (study,) = build_studies(frames)
    assert [i.frame_number for i in study.series[0].images] == list(range(1, 13))


def test_series_come_by_number() -> None:
    images = [
        image("a", series=SeriesHeader("A", None)),
        image("b", series=SeriesHeader("B", 10)),
        image("c", series=SeriesHeader("C", 2)),
    ]
    assert order(images) == ["c", "b", "a"]


def test_one_study_uid_with_two_patients_is_two_studies() -> None:
    other = StudyHeader("S", Patient(id="2"))
    issuer = StudyHeader("S", Patient(id="1", issuer="X"))
    studies = build_studies([image("a"), image("b", study=other), image("c", study=issuer)])
    assert len(studies) == 3
    assert {study.header.uid for study in studies} == {"S"}


def test_newer_studies_of_a_patient_come_first() -> None:
    patient = Patient(id="1", name="Doe")
    images = [
        image(date, study=StudyHeader(date, patient, date=date), series=SeriesHeader(date))
        for date in ("20200101", "20240101", "20220101")
    ]
    assert [study.header.date for study in build_studies(images)] == [
        "20240101",
        "20220101",
        "20200101",
    ]


def test_no_images_no_studies() -> None:
    assert build_studies([]) == ()
