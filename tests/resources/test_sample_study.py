"""The sample study: honest DICOM of an imagined patient, the same for the same seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from detector.types import Box
from resources import sample_study
from resources.chest_phantom import LARGEST_VALUE, chest_radiograph
from resources.ct_phantom import RODS, SLICES, ct_series, rod_centre

SIZE = 512


@pytest.fixture(scope="module")
def volume() -> tuple[np.ndarray, tuple[float, float, float]]:
    return ct_series(3)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Path, ...]]:
    folder = tmp_path_factory.mktemp("sample")
    return folder, sample_study.write_sample_study(folder)


@pytest.fixture(scope="module")
def radiograph(written: tuple[Path, tuple[Path, ...]]) -> pydicom.Dataset:
    return pydicom.dcmread(written[0] / "chest-radiograph.dcm")


@pytest.fixture(scope="module")
def slices(written: tuple[Path, tuple[Path, ...]]) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(path) for path in sorted((written[0] / "ct").iterdir())]


def _inner(pixels: np.ndarray, box: Box) -> np.ndarray:
    return pixels[int(box.y_min) : int(box.y_max), int(box.x_min) : int(box.x_max)]


def test_the_same_seed_gives_the_same_radiograph_and_another_seed_another() -> None:
    first, box = chest_radiograph(5, True, SIZE)
    again, same_box = chest_radiograph(5, True, SIZE)
    other, _ = chest_radiograph(6, True, SIZE)
    assert np.array_equal(first, again)
    assert box == same_box
    assert np.abs(first.astype(int) - other).mean() > 50


def test_a_radiograph_fills_twelve_bits_without_leaving_them() -> None:
    pixels, box = chest_radiograph(2, False, SIZE)
    assert pixels.dtype == np.uint16
    assert pixels.shape == (SIZE, SIZE)
    assert box is None
    assert pixels.max() <= LARGEST_VALUE
    assert np.percentile(pixels, 95) - np.percentile(pixels, 5) > 0.6 * LARGEST_VALUE


def test_a_picture_too_small_to_show_a_chest_is_refused() -> None:
    with pytest.raises(ValueError, match="256"):
        chest_radiograph(1, True, 100)


@pytest.mark.parametrize("seed", range(1, 5))
def test_the_opacity_brightens_a_lung_inside_its_box_and_nothing_else(seed: int) -> None:
    with_it, box = chest_radiograph(seed, True, SIZE)
    without, _ = chest_radiograph(seed, False, SIZE)
    assert box is not None
    brightened = with_it.astype(float) - without
    inside = np.zeros((SIZE, SIZE), bool)
    _inner(inside, box)[:] = True
    gain = np.clip(brightened - np.median(brightened), 0, None)
    assert gain[inside].sum() > 0.8 * gain.sum()
    assert np.median(brightened[inside]) > 80
    # what lies under it is lung: darker than the picture as a whole
    assert np.median(without[inside]) < np.median(without)
    assert 0.10 * SIZE <= box.width <= 0.38 * SIZE
    assert 0.12 * SIZE <= box.height <= 0.45 * SIZE


def test_the_box_grows_with_the_picture() -> None:
    _, small = chest_radiograph(4, True, 512)
    _, large = chest_radiograph(4, True, 1024)
    assert small is not None
    assert large is not None
    doubled = Box(2 * small.x_min, 2 * small.y_min, 2 * small.x_max, 2 * small.y_max)
    assert doubled.iou(large) > 0.85


def test_a_chest_has_dark_lungs_a_bright_middle_and_a_heart_to_the_right_of_the_picture() -> None:
    pixels = np.mean([chest_radiograph(seed, False, SIZE)[0] for seed in range(3)], axis=0)
    rows = slice(int(0.30 * SIZE), int(0.42 * SIZE))
    right, middle, left = (
        pixels[rows, int(a * SIZE) : int(b * SIZE)].mean()
        for a, b in ((0.22, 0.36), (0.47, 0.53), (0.66, 0.80))
    )
    assert middle > 1.6 * max(left, right)
    heart = slice(int(0.55 * SIZE), int(0.68 * SIZE))
    beside = pixels[heart, int(0.60 * SIZE) : int(0.68 * SIZE)].mean()
    mirrored = pixels[heart, int(0.32 * SIZE) : int(0.40 * SIZE)].mean()
    assert beside > 1.2 * mirrored
    assert pixels[int(0.9 * SIZE) :, int(0.4 * SIZE) : int(0.6 * SIZE)].mean() > middle * 0.95


def test_the_radiograph_is_a_digital_xray_for_presentation(radiograph: pydicom.Dataset) -> None:
    assert radiograph.SOPClassUID == pydicom.uid.DigitalXRayImageStorageForPresentation
    expected = {
        "Modality": "DX",
        "PresentationIntentType": "FOR PRESENTATION",
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        "ViewPosition": "PA",
        "BodyPartExamined": "CHEST",
        "PatientName": "Phantom^Chest",
        "StudyDescription": "Lightbox sample study",
        "QualityControlSubject": "YES",
        "WindowCenter": 2048,
        "WindowWidth": 4096,
    }
    assert {name: radiograph[name].value for name in expected} == expected
    assert list(radiograph.PatientOrientation) == ["L", "F"]
    assert [float(value) for value in radiograph.ImagerPixelSpacing] == [0.21, 0.21]
    assert radiograph.pixel_array.shape == (2048, 2048)
    assert radiograph.pixel_array.max() <= LARGEST_VALUE


def test_the_file_holds_the_very_pixels_and_their_spacing(tmp_path: Path) -> None:
    pixels, _ = chest_radiograph(7, True, SIZE)
    sample_study.radiograph_dataset(pixels, 7).save_as(tmp_path / "x", enforce_file_format=True)
    read = pydicom.dcmread(tmp_path / "x")
    assert np.array_equal(read.pixel_array, pixels)
    assert [float(value) for value in read.ImagerPixelSpacing] == [0.84, 0.84]


def test_one_patient_one_study_two_series_and_no_uid_twice(
    radiograph: pydicom.Dataset, slices: list[pydicom.Dataset]
) -> None:
    files = [radiograph, *slices]
    assert len({(f.PatientID, str(f.PatientName), f.StudyInstanceUID) for f in files}) == 1
    assert len({f.SeriesInstanceUID for f in slices}) == 1
    assert radiograph.SeriesInstanceUID != slices[0].SeriesInstanceUID
    assert len({f.SOPInstanceUID for f in files}) == len(files) == SLICES + 1
    for file in files:
        assert file.SOPInstanceUID == file.file_meta.MediaStorageSOPInstanceUID
        assert file.SOPInstanceUID.is_valid
        assert file.SOPInstanceUID.startswith("2.25.")
        assert int(file.SOPInstanceUID.removeprefix("2.25.")) < 2**128


def test_the_same_seed_writes_the_same_bytes(
    written: tuple[Path, tuple[Path, ...]], tmp_path: Path
) -> None:
    folder, files = written
    again = sample_study.write_sample_study(tmp_path)
    assert [path.relative_to(folder) for path in files] == [
        path.relative_to(tmp_path) for path in again
    ]
    for one, other in zip(files, again, strict=True):
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(("rod", "value"), [("air", -1000), ("water", 0)])
def test_every_voxel_of_air_and_water_reads_its_hounsfield_value(
    slices: list[pydicom.Dataset], rod: str, value: int
) -> None:
    row, column = rod_centre(rod)
    for file in slices:
        values = file.pixel_array * file.RescaleSlope + file.RescaleIntercept
        patch = values[row - 6 : row + 7, column - 6 : column + 7]
        assert np.abs(patch - value).max() <= 5
        assert np.abs(values[:20] + 1000).max() <= 5  # the air of the room


def test_the_rods_are_told_apart_and_the_body_is_soft_tissue_around_lungs(
    volume: tuple[np.ndarray, tuple[float, float, float]],
) -> None:
    values, _ = volume
    assert values.dtype == np.int16
    middle = values[SLICES // 2]
    assert [int(middle[rod_centre(name)]) for name in RODS] == [hu for _, hu in RODS.values()]
    lung = values[10:20, 240:280, 120:170]
    assert -870 < np.median(lung) < -830
    heart = values[20, 215:235, 275:295]
    assert 30 < heart.mean() < 55
    assert values.max() > 700


def test_the_series_is_a_stack_with_one_geometry(slices: list[pydicom.Dataset]) -> None:
    positions = np.array([[float(v) for v in f.ImagePositionPatient] for f in slices])
    first = slices[0]
    steps = np.diff(positions, axis=0)
    assert np.allclose(steps, [0, 0, -float(first.SliceThickness)])
    assert [f.InstanceNumber for f in slices] == list(range(1, SLICES + 1))
    for file in slices:
        assert [float(v) for v in file.ImageOrientationPatient] == [1, 0, 0, 0, 1, 0]
        assert file.FrameOfReferenceUID == first.FrameOfReferenceUID
        assert file.PatientPosition == "HFS"
        assert float(file.SliceLocation) == float(file.ImagePositionPatient[2])
        assert list(file.WindowCenter) == [40, -600]
        assert list(file.WindowWidth) == [400, 1500]
    # the middle of the picture is the middle of the scanner
    row_mm, column_mm = (float(v) for v in first.PixelSpacing)
    assert positions[0][0] + (first.Columns - 1) / 2 * column_mm == pytest.approx(0, abs=1e-3)
    assert positions[0][1] + (first.Rows - 1) / 2 * row_mm == pytest.approx(0, abs=1e-3)


def test_the_heart_of_the_ct_lies_to_the_patients_left_and_the_spine_behind(
    volume: tuple[np.ndarray, tuple[float, float, float]],
) -> None:
    values, (_, row_mm, column_mm) = volume
    at_heart = values[20]
    x = (np.arange(at_heart.shape[1]) - (at_heart.shape[1] - 1) / 2) * column_mm
    y = (np.arange(at_heart.shape[0]) - (at_heart.shape[0] - 1) / 2) * row_mm
    front = (np.abs(at_heart - 42) < 25) & (y[:, None] > -60) & (y[:, None] < 0)
    front &= np.abs(x)[None, :] < 90
    assert np.median(np.nonzero(front)[1]) * column_mm - x[-1] > 8
    bone = (at_heart > 130) & (np.abs(x)[None, :] < 18)
    assert np.median(y[np.nonzero(bone)[0]]) > 30


def test_the_command_says_what_it_wrote_and_fails_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert sample_study.main(["--out", str(blocked)]) == 1
    assert "could not be written" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        sample_study.main([])
    assert stop.value.code == 2
