"""The allow-list copy: the picture is the same, whatever names its patient is gone."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless, RLELossless

from tests.dicom_factory import make_compressed, make_ct_series, make_dicom
from tests.object_factory import item, lut
from viewer.dicom.deidentify import copy_of
from viewer.dicom.model import Frame, Image
from viewer.dicom.pixels import decode
from viewer.dicom.pseudonym import Pseudonym
from viewer.dicom.scan import scan
from viewer.errors import InputError

KEY = Pseudonym("k" * 32, b"secret")


def images_of(path: Path) -> list[Image]:
    return [image for update in scan([path]) for image in update.images]


def copied(
    image: Image, folder: Path, pseudonym: Pseudonym | None = KEY
) -> tuple[Image, pydicom.Dataset]:
    path = folder / "copy.dcm"
    path.write_bytes(copy_of(image, pseudonym))
    (copy,) = images_of(path)
    return copy, pydicom.dcmread(path)


def assert_same_picture(before: Frame, after: Frame) -> None:
    assert after.pixel_sha256 == before.pixel_sha256
    assert after.values.dtype == before.values.dtype
    assert np.array_equal(after.values, before.values)
    assert (after.inverted, after.padding, after.unit) == (
        before.inverted,
        before.padding,
        before.unit,
    )
    assert [replace(voi, explanation="") for voi in after.vois] == [
        replace(voi, explanation="") for voi in before.vois
    ]


def ramp(dtype: Any = np.uint16, top: int = 4095) -> Any:
    return np.linspace(0, top, 600).astype(dtype).reshape(20, 30)


FORMS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "12 bits": {"BitsStored": 12, "HighBit": 11},
    "MONOCHROME1": {"PhotometricInterpretation": "MONOCHROME1"},
    "rescaled": {"RescaleSlope": "0.5", "RescaleIntercept": "-7.25", "RescaleType": "US"},
    "window": {"WindowCenter": [100, 200], "WindowWidth": [50, 300], "VOILUTFunction": "SIGMOID"},
    "VOI table": {"VOILUTSequence": [lut(list(range(256)), 8)]},
    "modality table": {"ModalityLUTSequence": [lut([v // 16 for v in range(4096)], 8)]},
    "padding": {"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 5},
}


class TestPicture:
    @pytest.mark.parametrize("form", FORMS)
    def test_values_greys_and_padding(self, tmp_path: Path, form: str) -> None:
        (image,) = images_of(make_dicom(tmp_path / "a.dcm", ramp(), **FORMS[form]))
        copy, _ = copied(image, tmp_path)
        assert_same_picture(decode(image), decode(copy))
        assert copy.spacing == image.spacing

    @pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
    def test_compressed_pixels_are_written_plain(self, tmp_path: Path, syntax: Any) -> None:
        (image,) = images_of(make_compressed(tmp_path / "a.dcm", np.tile(ramp(), (4, 3)), syntax))
        copy, dataset = copied(image, tmp_path)
        assert_same_picture(decode(image), decode(copy))
        assert not dataset.file_meta.TransferSyntaxUID.is_compressed

    def test_signed_values(self, tmp_path: Path) -> None:
        (image,) = images_of(make_dicom(tmp_path / "a.dcm", ramp(np.int16) - 2000))
        copy, _ = copied(image, tmp_path)
        assert_same_picture(decode(image), decode(copy))

    def test_colour(self, tmp_path: Path) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, (21, 31, 3), np.uint8)
        (image,) = images_of(make_dicom(tmp_path / "a.dcm", pixels))
        copy, _ = copied(image, tmp_path)
        assert_same_picture(decode(image), decode(copy))

    def test_one_frame_of_several_is_an_image_of_its_own(self, tmp_path: Path) -> None:
        pixels = np.stack([ramp() + 100 * n for n in range(3)]).astype(np.uint16)
        frames = images_of(make_dicom(tmp_path / "a.dcm", pixels))
        copies = [copied(frame, tmp_path)[0] for frame in frames]
        assert len({copy.uid for copy in copies}) == 3
        copy, dataset = copied(frames[1], tmp_path)
        assert_same_picture(decode(frames[1]), decode(copy))
        assert "NumberOfFrames" not in dataset

    def test_functional_groups_of_the_frame_alone(self, tmp_path: Path) -> None:
        pixels = np.stack([ramp(), ramp()])
        groups = [
            item(
                PlanePositionSequence=[item(ImagePositionPatient=[0, 0, 5 * n])],
                PixelValueTransformationSequence=[
                    item(RescaleSlope=1 + n, RescaleIntercept=-10, RescaleType="HU")
                ],
            )
            for n in range(2)
        ]
        shared = item(
            PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
            PixelMeasuresSequence=[item(PixelSpacing=[0.5, 0.25])],
        )
        path = make_dicom(
            tmp_path / "a.dcm",
            pixels,
            ImagerPixelSpacing=None,
            PerFrameFunctionalGroupsSequence=groups,
            SharedFunctionalGroupsSequence=[shared],
        )
        _, second = images_of(path)
        copy, _ = copied(second, tmp_path)
        assert_same_picture(decode(second), decode(copy))
        assert (copy.geometry, copy.spacing) == (second.geometry, second.spacing)

    def test_a_series_stays_one_in_its_order(self, tmp_path: Path) -> None:
        paths = make_ct_series(tmp_path / "ct", 3)
        copies = [copied(images_of(path)[0], tmp_path)[0] for path in paths]
        assert len({copy.series.uid for copy in copies}) == 1
        assert [copy.geometry.position[2] for copy in copies if copy.geometry] == [0, 2.5, 5]
        assert [copy.instance_number for copy in copies] == [1, 2, 3]


class TestIdentity:
    def test_it_says_how_it_was_made_and_for_whom(self, tmp_path: Path) -> None:
        (image,) = images_of(make_dicom(tmp_path / "a.dcm", ramp()))
        _, dataset = copied(image, tmp_path)
        assert dataset.PatientIdentityRemoved == "YES"
        assert dataset.DeidentificationMethod
        assert dataset.PatientID == KEY.patient_key
        assert (dataset.PatientName, dataset.StudyDate, dataset.PatientBirthDate) == ("", "", "")

    def test_uids_are_new_and_the_same_each_time(self, tmp_path: Path) -> None:
        (image,) = images_of(make_dicom(tmp_path / "a.dcm", ramp()))
        first, again = copied(image, tmp_path)[1], copied(image, tmp_path)[1]
        other = copied(image, tmp_path, Pseudonym("k" * 32, b"other"))[1]
        for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
            old = pydicom.dcmread(image.path)[keyword].value
            values = [dataset[keyword].value for dataset in (first, again, other)]
            assert values[0] == values[1] != old
            assert values[2] not in (values[0], old)
            assert values[0].startswith("2.25.")
            assert pydicom.uid.UID(values[0]).is_valid

    def test_only_what_is_on_the_list_is_in_it(self, tmp_path: Path) -> None:
        path = make_dicom(
            tmp_path / "a.dcm",
            ramp(),
            ImageComments="PLANTED",
            BodyPartExamined="PLANTED",
            ViewPosition="PLANTED",
            ImageType=["ORIGINAL", "PRIMARY", "PLANTED"],
            RescaleSlope=1,
            RescaleIntercept=0,
            RescaleType="PLANTED",
            OperatorsName="PLANTED",
            RequestAttributesSequence=[item(RequestedProcedureID="PLANTED")],
            WindowCenter=1,
            WindowWidth=2,
            WindowCenterWidthExplanation="PLANTED",
        )
        dataset = pydicom.dcmread(path)
        block = dataset.private_block(0x0029, "PLANTED", create=True)
        block.add_new(0x10, "LO", "PLANTED")
        dataset.add_new((0x6000, 0x0022), "LO", "PLANTED")
        dataset.save_as(path)
        (image,) = images_of(path)
        content = copy_of(image, KEY)
        assert b"PLANTED" not in content
        copy = pydicom.dcmread(io.BytesIO(content))
        assert list(copy.ImageType) == ["ORIGINAL", "PRIMARY", "OTHER"]
        assert not any(element.tag.is_private for element in copy)

    def test_burned_in_text_is_still_said(self, tmp_path: Path) -> None:
        (image,) = images_of(make_dicom(tmp_path / "a.dcm", ramp(), BurnedInAnnotation="YES"))
        assert copied(image, tmp_path)[1].BurnedInAnnotation == "YES"

    def test_with_identity_it_is_the_file_s_own(self, tmp_path: Path) -> None:
        (image,) = images_of(make_dicom(tmp_path / "a.dcm", ramp(), AccessionNumber="A1"))
        dataset = pydicom.dcmread(io.BytesIO(copy_of(image, None, pixels=False)))
        assert dataset.SOPInstanceUID == image.uid
        assert (dataset.PatientName, dataset.AccessionNumber) == ("Doe^Jane", "A1")
        assert "PixelData" not in dataset


class TestRefusals:
    def test_a_plain_image(self, tmp_path: Path) -> None:
        import PIL.Image

        PIL.Image.fromarray(ramp(np.uint8, 255)).save(tmp_path / "a.png")
        with pytest.raises(InputError, match="no DICOM header"):
            copy_of(images_of(tmp_path / "a.png")[0], KEY)

    def test_an_incomplete_picture(self, tmp_path: Path) -> None:
        path = make_dicom(tmp_path / "a.dcm", ramp())
        (image,) = images_of(path)
        path.write_bytes(path.read_bytes()[:-300])
        with pytest.raises(InputError, match="incomplete"):
            copy_of(image, KEY)

    def test_a_file_that_is_gone(self, tmp_path: Path) -> None:
        (image,) = images_of(make_dicom(tmp_path / "a.dcm", ramp()))
        image.path.unlink()
        with pytest.raises(InputError, match="no such file"):
            copy_of(image, KEY)
