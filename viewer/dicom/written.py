"""Writes data sets: pixels without compression, and the file around them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import ExplicitVRLittleEndian


def put_pixels(dataset: Dataset, values: npt.NDArray[Any], bits_stored: int | None = None) -> None:
    """The image pixel module (PS3.3 C.7.6.3) but for the photometric interpretation.

    Parameters
    ----------
    values : stored values, (rows, columns) of an integer or float dtype, or (rows, columns, 3)
        uint8 RGB.
    bits_stored : of integers; None: all bits of their dtype.
    """
    width, colour = values.dtype.itemsize, values.ndim == 3
    dataset.Rows, dataset.Columns = values.shape[:2]
    dataset.SamplesPerPixel = 3 if colour else 1
    dataset.BitsAllocated = 8 * width
    data = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
    if values.dtype.kind == "f":
        setattr(dataset, "FloatPixelData" if width == 4 else "DoubleFloatPixelData", data)
        return
    dataset.BitsStored = min(bits_stored or 8 * width, 8 * width)
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    if colour:
        dataset.PlanarConfiguration = 0
    vr = "OB" if width == 1 else "OW"
    dataset.add(DataElement("PixelData", vr, data + b"\0" * (len(data) % 2)))


def file_of(dataset: Dataset) -> bytes:
    """The data set as a DICOM file (PS3.10) in explicit VR little endian."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta = meta
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()
