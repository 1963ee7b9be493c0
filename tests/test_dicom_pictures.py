"""The detector gets DICOM pixels of a data set as the window shows them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detector.dataset.sources import read_dataset
from detector.types import DatasetError, ToneCurve
from tests.dicom_factory import make_dicom
from tests.object_factory import make_encapsulated_pdf, pdf_bytes
from viewer.commands.dicom_pictures import dicom_pictures


def test_a_published_set_of_dicom_files_can_be_looked_at(tmp_path: Path) -> None:
    """MONOCHROME1 with a window comes out as its MONOCHROME2 twin; bad files say so."""
    images = tmp_path / "stage_2_train_images"
    images.mkdir()
    values = np.tile(np.arange(64, dtype=np.uint16) * 60, (64, 1))
    window = {"WindowCenter": 2000, "WindowWidth": 4000, "BitsStored": 12, "HighBit": 11}
    make_dicom(images / "light.dcm", values, **window)
    make_dicom(images / "dark.dcm", values, PhotometricInterpretation="MONOCHROME1", **window)
    make_dicom(images / "frames.dcm", np.stack([values, values]))
    (images / "broken.dcm").write_bytes(b"no DICOM")
    make_encapsulated_pdf(images / "letter.dcm", pdf_bytes(1))
    names = ("light", "dark", "frames", "broken", "letter")
    rows = "".join(f"{n},,,,,0\n" for n in names)
    (tmp_path / "stage_2_train_labels.csv").write_text("patientId,x,y,width,height,Target\n" + rows)
    with dicom_pictures() as load_dicom:
        light, dark, frames, broken, letter = read_dataset(tmp_path, load_dicom).samples
        for sample, outputs in ((light, (0, 1)), (dark, (1, 0))):
            image = sample.load()
            assert np.array_equal(image.values, values)
            assert image.tone_curve == ToneCurve((0, 3999), outputs)
        with pytest.raises(DatasetError, match="holds 2 frames"):
            frames.load()
        with pytest.raises(DatasetError, match=r"broken.dcm"):
            broken.load()
        with pytest.raises(DatasetError, match="is a document page, not an image"):
            letter.load()
