"""What exports and imports ask of a decode worker: copies of frames, the groups of reports."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from tests.dicom_factory import make_dicom
from tests.object_factory import code, item, make_report
from viewer.dicom.pseudonym import Pseudonym
from viewer.dicom.scan import scan
from viewer.engine import client
from viewer.engine.host import Worker
from viewer.errors import InputError

KEY = Pseudonym("k" * 32, b"secret")


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    started = Worker("decode")
    yield started
    started.close()


@pytest.fixture
def radiograph(tmp_path: Path) -> Path:
    return make_dicom(tmp_path / "a.dcm", np.arange(600 * 600, dtype=np.uint16).reshape(600, 600))


def group(*children: Dataset) -> Dataset:
    return item(
        ValueType="CONTAINER",
        RelationshipType="CONTAINS",
        ContinuityOfContent="SEPARATE",
        ConceptNameCodeSequence=[code("125007", "DCM", "Measurement Group")],
        ContentSequence=list(children),
    )


def test_a_copy_comes_back_through_shared_memory(worker: Worker, radiograph: Path) -> None:
    (image,) = (image for update in scan([radiograph]) for image in update.images)
    dataset = pydicom.dcmread(io.BytesIO(client.copy_image(worker, image, KEY, True)))
    assert dataset.PatientID == KEY.patient_key
    assert np.array_equal(dataset.pixel_array, pydicom.dcmread(radiograph).pixel_array)
    header = pydicom.dcmread(io.BytesIO(client.copy_image(worker, image, None, False)))
    assert header.SOPInstanceUID == image.uid
    assert "PixelData" not in header


def test_a_copy_of_a_file_that_is_gone_is_refused(worker: Worker, radiograph: Path) -> None:
    (image,) = (image for update in scan([radiograph]) for image in update.images)
    radiograph.unlink()
    with pytest.raises(InputError, match="no such file"):
        client.copy_image(worker, image, KEY, True)


def test_the_groups_of_a_report(worker: Worker, radiograph: Path, tmp_path: Path) -> None:
    path = make_report(tmp_path / "sr.dcm", radiograph, [group(), group()])
    report = client.read_measurements(worker, path)
    assert [each.place for each in report.groups] == ["1.1", "1.2"]
    assert not report.verified


class TestHostile:
    def test_what_is_no_dicom(self, worker: Worker, tmp_path: Path) -> None:
        (tmp_path / "a.dcm").write_bytes(b"%PDF-1.7" * 100)
        with pytest.raises(InputError, match=r"a\.dcm is not DICOM"):
            client.read_measurements(worker, tmp_path / "a.dcm")

    def test_nested_too_deep(self, worker: Worker, radiograph: Path, tmp_path: Path) -> None:
        nested = group()
        for _ in range(70):
            nested = group(nested)
        path = make_report(tmp_path / "deep.dcm", radiograph, [nested])
        with pytest.raises(InputError, match="depth of nested items"):
            client.read_measurements(worker, path)

    def test_groups_in_groups_are_counted_once_too_often(
        self, worker: Worker, radiograph: Path, tmp_path: Path
    ) -> None:
        """Each group looks through all below it: what would take hours ends at the limit."""
        nested = group(*(group() for _ in range(2000)))
        for _ in range(40):
            nested = group(nested)
        path = make_report(tmp_path / "many.dcm", radiograph, [nested])
        with pytest.raises(InputError, match="number of items of the report"):
            client.read_measurements(worker, path)

    def test_cut_and_changed_bytes_are_read_or_refused(
        self, worker: Worker, radiograph: Path, tmp_path: Path
    ) -> None:
        path = make_report(tmp_path / "sr.dcm", radiograph, [group(group()), group()])
        whole = path.read_bytes()
        dice = np.random.default_rng(3)
        for _ in range(60):
            damaged = bytearray(whole[: int(dice.integers(200, len(whole)))])
            for place in dice.integers(132, len(damaged), 5):
                damaged[place] = int(dice.integers(0, 256))
            path.write_bytes(bytes(damaged))
            with suppress(InputError):  # anything else fails
                client.read_measurements(worker, path)
