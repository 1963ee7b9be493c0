from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from tests.dicom.test_header import open_one
from tests.dicom_factory import make_dicom
from viewer.dicom.scan import scan
from viewer.dicom.spacing import Scale, scale_at

PIXELS = np.zeros((40, 60), np.uint16)


@pytest.mark.parametrize(
    ("elements", "scale"),
    [
        ({}, Scale(0.2, 0.1, "mm", "at the detector")),
        (
            {"EstimatedRadiographicMagnificationFactor": 1.25},
            Scale(0.16, 0.08, "mm", "magnification 1.25 taken out"),
        ),
        (
            {"DistanceSourceToDetector": 1800, "DistanceSourceToPatient": 1500},
            Scale(0.2 / 1.2, 0.1 / 1.2, "mm", "magnification 1.20 taken out"),
        ),
        # Distances that cannot be are not believed.
        (
            {"DistanceSourceToDetector": 1500, "DistanceSourceToPatient": 1800},
            Scale(0.2, 0.1, "mm", "at the detector"),
        ),
        # A repetition of the detector's spacing is no calibration (PS3.3 10.7.1.3).
        ({"PixelSpacing": [0.1, 0.2]}, Scale(0.2, 0.1, "mm", "at the detector")),
        ({"PixelSpacing": [0.05, 0.06]}, Scale(0.06, 0.05, "mm", "calibration not stated")),
        (
            {"PixelSpacing": [0.1, 0.2], "PixelSpacingCalibrationType": "GEOMETRY"},
            Scale(0.2, 0.1, "mm", "corrected for magnification"),
        ),
        (
            {"PixelSpacing": [0.05, 0.06], "PixelSpacingCalibrationType": "FIDUCIAL"},
            Scale(0.06, 0.05, "mm", "calibrated by an object of known size"),
        ),
        (
            {"ImagerPixelSpacing": None, "NominalScannedPixelSpacing": [0.3, 0.4]},
            Scale(0.4, 0.3, "mm", "on the film"),
        ),
        ({"ImagerPixelSpacing": None}, Scale(1, 1, "px", "uncalibrated")),
        (
            {"Modality": "CT", "ImagerPixelSpacing": None, "PixelSpacing": [0.7, 0.8]},
            Scale(0.8, 0.7, "mm", ""),
        ),
    ],
)
def test_the_scale_and_what_is_said_beside_it(
    tmp_path: Path, elements: dict[str, Any], scale: Scale
) -> None:
    elements = {"ImagerPixelSpacing": [0.1, 0.2], **elements}
    found = scale_at(open_one(make_dicom(tmp_path / "a", PIXELS, **elements)), 5, 5)
    assert (found.unit, found.words) == (scale.unit, scale.words)
    assert (found.x, found.y) == pytest.approx((scale.x, scale.y))


@pytest.mark.parametrize(
    ("elements", "aspect"),
    [
        ({"PixelAspectRatio": ["4", "3"]}, 4 / 3),  # height to width (PS3.3 C.7.6.3.1.7)
        ({"PixelAspectRatio": ["4", "3"], "ImagerPixelSpacing": [0.1, 0.2]}, 0.5),
        ({"PixelAspectRatio": ["0", "3"]}, 1.0),
        ({"PixelAspectRatio": ["9000", "1"]}, 1.0),
        ({}, 1.0),
    ],
)
def test_the_shape_of_a_pixel(tmp_path: Path, elements: dict[str, Any], aspect: float) -> None:
    elements = {"ImagerPixelSpacing": None, **elements}
    image = open_one(make_dicom(tmp_path / "a", PIXELS, **elements))
    assert image.spacing.aspect == pytest.approx(aspect)


def region(*corners: int, x_units: int = 3, flags: int = 0, delta: float = 0.01) -> Dataset:
    made = Dataset()
    for name, value in zip(("MinX0", "MinY0", "MaxX1", "MaxY1"), corners, strict=True):
        setattr(made, f"RegionLocation{name}", value)
    made.PhysicalUnitsXDirection, made.PhysicalUnitsYDirection = x_units, 3
    made.PhysicalDeltaX, made.PhysicalDeltaY = delta, -delta
    made.RegionFlags = flags
    return made


def test_ultrasound_regions_have_their_own_scales(tmp_path: Path) -> None:
    path = make_dicom(
        tmp_path / "us",
        PIXELS,
        Modality="US",
        ImagerPixelSpacing=None,
        SequenceOfUltrasoundRegions=[
            region(0, 0, 29, 19, flags=1, delta=0.02),
            region(10, 0, 19, 19, delta=0.04),
            region(30, 0, 59, 19, x_units=4),
        ],
    )
    image = open_one(path)
    assert scale_at(image, 5, 5) == Scale(0.2, 0.2, "mm", "")
    assert scale_at(image, 19.9, 5) == Scale(0.4, 0.4, "mm", "")  # the first gives way to it
    assert scale_at(image, 20.0, 5) == Scale(0.2, 0.2, "mm", "")
    assert scale_at(image, 40, 5).words == "no lengths in this region"
    assert scale_at(image, 40, 5).unit == "px"
    assert scale_at(image, 5, 20).words == "outside the calibrated region"


def test_regions_of_a_picture_that_was_made_smaller_are_not_believed(tmp_path: Path) -> None:
    regions = [region(0, 0, 20, 20), region(30, 0, 80, 20)]  # the picture has 60 columns
    path = make_dicom(
        tmp_path / "us",
        PIXELS,
        Modality="US",
        ImagerPixelSpacing=None,
        SequenceOfUltrasoundRegions=regions,
    )
    assert scale_at(open_one(path), 5, 5) == Scale(1, 1, "px", "uncalibrated")


def test_real_ultrasound(data_folder: Path) -> None:
    folder = data_folder / "dicom"
    files = [folder / "multiframe" / "examples_ybr_color.dcm", folder / "wg04_us1_vl2"]
    images = [image for update in scan(files) for image in update.images]
    assert len(images) > 30
    # Halved from 640 x 480 with the regions of the larger picture: lengths would be wrong.
    assert {scale_at(image, 200, 100) for image in images} == {Scale(1, 1, "px", "uncalibrated")}
