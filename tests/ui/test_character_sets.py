"""Names in the character sets of DICOM (PS3.3 C.12.1.1.2) as the corner text has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian

from tests.dicom_factory import make_dicom
from viewer.dicom.model import Image
from viewer.dicom.scan import scan
from viewer.ui import wording

PIXELS = np.zeros((4, 4), np.uint8)


def images_of(path: Path) -> list[Image]:
    return [image for update in scan([path]) for image in update.images]


@pytest.mark.parametrize(
    ("charset", "name", "corner"),
    [
        ("ISO_IR 100", "Äneas^Rüdiger", "Äneas, Rüdiger"),
        ("ISO_IR 101", "Wałęsa^Łucja", "Wałęsa, Łucja"),
        ("ISO_IR 109", "Ĉiam^Ĝoja", "Ĉiam, Ĝoja"),
        ("ISO_IR 110", "Āboliņš^Ģirts", "Āboliņš, Ģirts"),
        ("ISO_IR 144", "Люкceмбypг", "Люкceмбypг"),
        ("ISO_IR 127", "قباني^لنزار", "قباني, لنزار"),
        ("ISO_IR 126", "Διονυσιος", "Διονυσιος"),
        ("ISO_IR 138", "שרון^דבורה", "שרון, דבורה"),
        ("ISO_IR 148", "Çavuşoğlu^Şule", "Çavuşoğlu, Şule"),
        ("ISO_IR 166", "นามสกุล", "นามสกุล"),
        ("ISO_IR 13", "ﾔﾏﾀﾞ^ﾀﾛｳ", "ﾔﾏﾀﾞ, ﾀﾛｳ"),
        (["", "ISO 2022 IR 87"], "やまだ^たろう", "やまだ, たろう"),
        (
            ["", "ISO 2022 IR 149"],
            "Hong^Gildong=洪^吉洞=홍^길동",
            "Hong, Gildong (洪, 吉洞 / 홍, 길동)",
        ),
        ("GB18030", "Wang^XiaoDong=王^小东", "Wang, XiaoDong (王, 小东)"),
        ("GBK", "Wang^XiaoDong=王^小东", "Wang, XiaoDong (王, 小东)"),
        ("ISO_IR 192", "Wang^XiaoDong=王^小東", "Wang, XiaoDong (王, 小東)"),
    ],
)
def test_every_character_set(tmp_path: Path, charset: Any, name: str, corner: str) -> None:
    described = name.partition("^")[0]
    path = make_dicom(
        tmp_path / "a",
        PIXELS,
        SpecificCharacterSet=charset,
        PatientName=name,
        StudyDescription=described,
        InstitutionName=described,
    )
    (image,) = images_of(path)
    lines = wording.patient_lines(image)
    assert lines[0] == corner
    assert lines[-1] == described
    assert wording.series_lines(image)[0] == described


# The names that the makers of these files say they hold.
REAL_NAMES = {
    "chrArab.dcm": "قباني, لنزار",
    "chrFren.dcm": "Buc, Jérôme",
    "chrGB2312.dcm": "Zhang, XiaoDong (张, 小东)",
    "chrH31.dcm": "Yamada, Tarou (山田, 太郎 / やまだ, たろう)",
    "chrI2.dcm": "Hong, Gildong (洪, 吉洞 / 홍, 길동)",
    "chrRuss.dcm": "Люкceмбypг",
    "chrX1.dcm": "Wang, XiaoDong (王, 小東)",
}


def test_the_corner_of_real_files(data_folder: Path) -> None:
    found = {
        image.path.name: wording.patient_lines(image)[0]
        for image in images_of(data_folder / "dicom" / "charset")
    }
    assert found == REAL_NAMES


def test_a_real_name_in_a_file_that_lost_its_pixels(data_folder: Path, tmp_path: Path) -> None:
    dataset = pydicom.dcmread(data_folder / "dicom/charset/chrJapMulti.dcm")
    dataset.Rows = dataset.Columns = 4
    dataset.PixelData = bytes(32)
    dataset["PixelData"].VR = "OW"
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(tmp_path / "a")
    (image,) = images_of(tmp_path / "a")
    assert wording.patient_lines(image)[0] == "やまだ, たろう"
