"""The files that are read: made here, of noise and shapes, no one's images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import (
    UID,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    generate_uid,
)

_SEED = 20_260
_PRIVATE_ELEMENTS = 60  # a scanner writes as many; pydicom and we read past them


def radiograph(path: Path, rows: int = 3264, columns: int = 2448) -> Path:
    """An uncompressed radiograph of 12 bits in 16, as it comes from a detector."""
    chance = np.random.default_rng(_SEED)
    shade = np.linspace(600, 3400, columns)[None, :] * np.linspace(0.7, 1.0, rows)[:, None]
    pixels = (shade + chance.normal(0, 25, (rows, columns))).clip(0, 4095).astype(np.uint16)
    dataset = _dataset(pixels, DigitalXRayImageStorageForPresentation, "DX")
    dataset.ViewPosition, dataset.BodyPartExamined = "PA", "CHEST"
    dataset.BitsStored, dataset.HighBit = 12, 11
    dataset.ImagerPixelSpacing = [0.14, 0.14]
    dataset.WindowCenter, dataset.WindowWidth = 2048, 3000
    return _write(path, dataset)


def ct_series(
    folder: Path, slices: int = 300, size: int = 512, syntax: UID = ExplicitVRLittleEndian
) -> list[Path]:
    """A CT of 12 bits in 16: a body, a spine and noise in air."""
    folder.mkdir(parents=True)
    chance = np.random.default_rng(_SEED)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    noise = chance.normal(0, 12, (size, size))
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    paths = []
    for number in range(1, slices + 1):
        wide = 0.8 + 0.05 * np.sin(number / 20)
        body = (x / wide) ** 2 + (y / 0.6) ** 2 < 1
        spine = x**2 + (y - 0.35) ** 2 < 0.01
        values = np.where(spine, 1724, np.where(body, 1064, 24)) + np.roll(noise, number)
        dataset = _ct_slice(values.clip(0, 4095).astype(np.uint16), number)
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series
        dataset.FrameOfReferenceUID = frame
        paths.append(_write(folder / f"{number:04}.dcm", dataset, syntax))
    return paths


def _ct_slice(pixels: npt.NDArray[Any], number: int) -> Dataset:
    dataset = _dataset(pixels, CTImageStorage, "CT")
    dataset.InstanceNumber = number
    dataset.ImagePositionPatient = [-180.0, -180.0, 1.25 * number]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing = [0.7, 0.7]
    dataset.SliceThickness = 1.25
    dataset.BitsStored, dataset.HighBit = 12, 11
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = -1024, 1, "HU"
    dataset.WindowCenter, dataset.WindowWidth = 40, 400
    return dataset


def _dataset(pixels: npt.NDArray[Any], sop_class: UID, modality: str) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.PatientName, dataset.PatientID = "Bench^Mark", "BENCH"
    dataset.StudyDate, dataset.StudyTime = "20240131", "101500"
    dataset.Modality, dataset.SeriesNumber, dataset.InstanceNumber = modality, 1, 1
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = 0
    block = dataset.private_block(0x0009, "BENCH", create=True)
    for number in range(_PRIVATE_ELEMENTS):
        block.add_new(number, "LO", f"value {number}")
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW"
    return dataset


def _write(path: Path, dataset: Dataset, syntax: UID = ExplicitVRLittleEndian) -> Path:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta = meta
    if syntax.is_compressed:
        dataset.compress(syntax, generate_instance_uid=False)
    dcmwrite(path, dataset, enforce_file_format=True)
    return path
