"""Makes synthetic DICOM files for every room's tests."""

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


def make_dicom(path: Path, pixels: npt.NDArray[Any], **elements: Any) -> Path:
    """Write a DICOM file around stored values and return its path.

    Parameters
    ----------
    pixels : (rows, columns), (rows, columns, 3) uint8 or (frames, rows, columns); an integer
        dtype, whose width and sign become Bits Allocated and Pixel Representation.
    elements : by DICOM keyword, over the defaults of a chest DX; None leaves an element out.
        ``TransferSyntaxUID`` is the transfer syntax to write with: native ones only, use
        ``make_compressed`` for the others.
    """
    syntax = UID(elements.pop("TransferSyntaxUID", ExplicitVRLittleEndian))
    dataset = make_dataset(pixels, **elements)
    if not syntax.is_little_endian and pixels.dtype.itemsize > 1:
        dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder(">")).tobytes()
    return write_dataset(path, dataset, syntax)


def make_compressed(path: Path, pixels: npt.NDArray[Any], syntax: UID, **elements: Any) -> Path:
    """Write a file compressed by pydicom's encoders: RLE, JPEG-LS, JPEG 2000."""
    dataset = make_dataset(pixels, **elements)
    dataset.file_meta = _meta(dataset, ExplicitVRLittleEndian)
    dataset.compress(syntax, generate_instance_uid=False)
    return write_dataset(path, dataset, syntax)


def make_ct_series(
    folder: Path,
    slices: int = 5,
    rows: int = 32,
    columns: int = 32,
    spacing: float = 2.5,
    **elements: Any,
) -> list[Path]:
    """Write a CT series, head first, instance numbers from 1 and positions rising with them.

    Each slice holds water (0 HU), with air (-1000 HU) in its first row and ``10 * index`` HU in
    its last row.
    """
    folder.mkdir(parents=True, exist_ok=True)
    study, series = generate_uid(), generate_uid()
    paths = []
    for index in range(slices):
        pixels = np.full((rows, columns), 1024, np.uint16)
        pixels[0] = 24
        pixels[-1] = 1024 + 10 * index
        values: dict[str, Any] = {
            "SOPClassUID": CTImageStorage,
            "StudyInstanceUID": study,
            "SeriesInstanceUID": series,
            "Modality": "CT",
            "InstanceNumber": index + 1,
            "ImagePositionPatient": [0.0, 0.0, index * spacing],
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
            "PixelSpacing": [0.7, 0.7],
            "SliceThickness": spacing,
            "RescaleSlope": 1,
            "RescaleIntercept": -1024,
            "RescaleType": "HU",
            "BitsStored": 12,
            "HighBit": 11,
            "WindowCenter": 40,
            "WindowWidth": 400,
            "BodyPartExamined": "CHEST",
            "ViewPosition": None,
            "ImagerPixelSpacing": None,
        }
        values.update(elements)
        paths.append(make_dicom(folder / f"ct_{index + 1:03d}.dcm", pixels, **values))
    return paths


def make_dataset(pixels: npt.NDArray[Any], **elements: Any) -> Dataset:
    """A data set around stored values, not written yet."""
    colour = pixels.ndim >= 3 and pixels.shape[-1] == 3
    frames = pixels.shape[0] if pixels.ndim == (4 if colour else 3) else 1
    rows, columns = pixels.shape[-3:-1] if colour else pixels.shape[-2:]
    bits = pixels.dtype.itemsize * 8
    defaults: dict[str, Any] = {
        "SOPClassUID": DigitalXRayImageStorageForPresentation,
        "SOPInstanceUID": generate_uid(),
        "StudyInstanceUID": generate_uid(),
        "SeriesInstanceUID": generate_uid(),
        "PatientName": "Doe^Jane",
        "PatientID": "P-1",
        "PatientBirthDate": "19600101",
        "PatientSex": "F",
        "StudyDate": "20240131",
        "StudyTime": "101500",
        "StudyDescription": "Chest",
        "SeriesNumber": 1,
        "SeriesDescription": "PA",
        "InstanceNumber": 1,
        "Modality": "DX",
        "BodyPartExamined": "CHEST",
        "ViewPosition": "PA",
        "ImagerPixelSpacing": [0.14, 0.14],
        "SamplesPerPixel": 3 if colour else 1,
        "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2",
        "Rows": int(rows),
        "Columns": int(columns),
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": 1 if pixels.dtype.kind == "i" else 0,
        "PixelData": pixels.astype(pixels.dtype.newbyteorder("<")).tobytes(),
    }
    if colour:
        defaults["PlanarConfiguration"] = 0
    if frames > 1:
        defaults["NumberOfFrames"] = frames
    dataset = Dataset()
    for keyword, value in {**defaults, **elements}.items():
        if value is not None:
            setattr(dataset, keyword, value)
    if len(dataset.get("PixelData") or b"") % 2:
        dataset.PixelData += b"\0"
    if "PixelData" in dataset:
        dataset["PixelData"].VR = "OB" if bits <= 8 else "OW"
    return dataset


def write_dataset(path: Path, dataset: Dataset, syntax: UID = ExplicitVRLittleEndian) -> Path:
    """Write a data set as a DICOM file (PS3.10) and return the path."""
    dataset.file_meta = _meta(dataset, syntax)
    dcmwrite(
        path,
        dataset,
        enforce_file_format=True,
        implicit_vr=syntax.is_implicit_VR,
        little_endian=syntax.is_little_endian,
    )
    return path


def _meta(dataset: Dataset, syntax: UID) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", "1.2")
    meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", "1.2.3")
    meta.TransferSyntaxUID = syntax
    return meta
