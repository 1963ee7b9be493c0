from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.dicom_factory import make_dicom
from viewer.dicom.model import Image, PlaneGeometry, SpacingSource
from viewer.dicom.scan import scan

PIXELS = np.zeros((4, 6), np.uint16)


def open_one(path: Path) -> Image:
    updates = list(scan([path]))
    assert [s for update in updates for s in update.skipped] == []
    (image,) = (image for update in updates for image in update.images)
    return image


def test_what_the_corners_say(tmp_path: Path) -> None:
    image = open_one(
        make_dicom(
            tmp_path / "a",
            PIXELS,
            IssuerOfPatientID="HOSP",
            AccessionNumber="A1",
            InstitutionName="General",
            BodyPartExamined="CHEST",
            SeriesNumber=3,
        )
    )
    patient = image.study.patient
    assert (patient.name, patient.id, patient.issuer) == ("Doe, Jane", "P-1", "HOSP")
    assert (patient.birth_date, patient.sex) == ("19600101", "F")
    assert (image.study.date, image.study.time) == ("20240131", "101500")
    assert (image.study.accession_number, image.study.institution) == ("A1", "General")
    assert (image.series.number, image.series.body_part, image.view) == (3, "CHEST", "PA")
    assert (image.rows, image.columns) == (4, 6)


@pytest.mark.parametrize(
    ("charset", "name", "shown"),
    [
        ("ISO_IR 192", "Müller^Jörg^M^Dr.^MSc", "Müller, Dr. Jörg M MSc"),
        ("ISO_IR 100", "Buc^Jérôme", "Buc, Jérôme"),
        ("ISO_IR 192", "Wang^XiaoDong=王^小東", "Wang, XiaoDong (王, 小東)"),
        ("ISO_IR 192", "Only", "Only"),
        ("ISO_IR 192", "^Given", "Given"),
        ("ISO_IR 192", "", ""),
        (
            ["", "ISO 2022 IR 87"],
            "Yamada^Tarou=山田^太郎=やまだ^たろう",
            "Yamada, Tarou (山田, 太郎 / やまだ, たろう)",
        ),
    ],
)
def test_person_names(tmp_path: Path, charset: Any, name: str, shown: str) -> None:
    path = make_dicom(tmp_path / "a", PIXELS, SpecificCharacterSet=charset, PatientName=name)
    assert open_one(path).study.patient.name == shown


@pytest.mark.parametrize(
    ("elements", "row", "column", "source"),
    [
        ({"PixelSpacing": [0.1, 0.2]}, 0.1, 0.2, SpacingSource.PIXEL_SPACING),
        ({}, 0.14, 0.14, SpacingSource.IMAGER_PIXEL_SPACING),
        ({"PixelSpacing": [0, 0]}, 0.14, 0.14, SpacingSource.IMAGER_PIXEL_SPACING),
        (
            {"ImagerPixelSpacing": None, "NominalScannedPixelSpacing": [0.3, 0.3]},
            0.3,
            0.3,
            SpacingSource.NOMINAL_SCANNED,
        ),
        ({"ImagerPixelSpacing": None}, 0, 0, SpacingSource.UNCALIBRATED),
    ],
)
def test_spacing_says_where_it_is_from(
    tmp_path: Path, elements: dict[str, Any], row: float, column: float, source: SpacingSource
) -> None:
    spacing = open_one(make_dicom(tmp_path / "a", PIXELS, **elements)).spacing
    assert (spacing.row, spacing.column, spacing.source) == (row, column, source)


def test_geometry(tmp_path: Path) -> None:
    path = make_dicom(
        tmp_path / "a",
        PIXELS,
        ImagePositionPatient=[1, 2, 3],
        ImageOrientationPatient=[0, 1, 0, 0, 0, -1],
    )
    assert open_one(path).geometry == PlaneGeometry((1, 2, 3), (0, 1, 0), (0, 0, -1))


@pytest.mark.parametrize("orientation", [[0, 0, 0, 0, 0, 0], [1, 0, 0, 1, 0, 0], [1, 0, 0]])
def test_a_damaged_orientation_is_none(tmp_path: Path, orientation: list[int]) -> None:
    path = make_dicom(
        tmp_path / "a",
        PIXELS,
        ImagePositionPatient=[1, 2, 3],
        ImageOrientationPatient=orientation,
    )
    assert open_one(path).geometry is None


def test_control_characters_do_not_reach_the_screen(tmp_path: Path) -> None:
    path = make_dicom(tmp_path / "a", PIXELS, StudyDescription="XXXXXXXX")
    path.write_bytes(path.read_bytes().replace(b"XXXXXXXX", b"a\x07b\x1b[31m"))
    assert open_one(path).study.description == "ab[31m"
