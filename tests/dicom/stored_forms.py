"""Small pictures in every form of storage, for the tests of decoding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy.typing as npt
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from tests.dicom_factory import make_dataset, write_dataset
from viewer.dicom.model import Frame, Image
from viewer.dicom.pixels import decode
from viewer.dicom.scan import scan

ROWS, COLUMNS = 70, 66
NATIVE = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)


def images_of(path: Path) -> tuple[Image, ...]:
    updates = list(scan([path]))
    assert [s.reason for update in updates for s in update.skipped] == []
    return tuple(image for update in updates for image in update.images)


def decode_first(path: Path) -> Frame:
    return decode(images_of(path)[0])


def write_encapsulated(
    path: Path, pixels: npt.NDArray[Any], syntax: UID, data: bytes, **elements: Any
) -> Path:
    dataset = make_dataset(pixels, **elements)
    dataset.PixelData = encapsulate([data])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return write_dataset(path, dataset, syntax)
