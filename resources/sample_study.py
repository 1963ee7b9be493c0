"""Write the sample study: one imagined patient, one chest radiograph, one chest CT.

    python -m resources.sample_study --out DIR

Nobody's images are shipped; this makes images of nobody.
"""

from __future__ import annotations

import argparse
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
)

from resources.chest_phantom import LARGEST_VALUE, chest_radiograph
from resources.ct_phantom import ct_series
from resources.projection import FIELD_MM

# Chosen, not drawn: of the seeds that benchmarks/phantom_check.py measures, one whose opacity
# the shipped detector marks well and alone. How often it does so is that table, not this sample.
SAMPLE_SEED = 5
RADIOGRAPH_SIZE = 2048
CT_INTERCEPT = -1024
STUDY_DATE, STUDY_TIME = "20260105", "090000"  # fixed, so that the same seed gives the same bytes


class _Series(NamedTuple):
    name: str
    modality: str
    number: int
    description: str


RADIOGRAPH = _Series("radiograph", "DX", 1, "Chest PA (phantom)")
CT = _Series("ct", "CT", 2, "Chest CT (phantom)")


def write_sample_study(folder: Path, seed: int = SAMPLE_SEED) -> tuple[Path, ...]:
    """Write the study as DICOM files below ``folder`` and return their paths.

    The same seed gives the same bytes. Raises OSError where the folder cannot be written.
    """
    series = folder / "ct"
    series.mkdir(parents=True, exist_ok=True)
    pixels, _ = chest_radiograph(seed, opacity=True, size=RADIOGRAPH_SIZE)
    files = [(folder / "chest-radiograph.dcm", radiograph_dataset(pixels, seed))]
    volume, spacing = ct_series(seed)
    for index in range(len(volume)):
        path = series / f"slice-{index + 1:03d}.dcm"
        files.append((path, ct_dataset(volume, spacing, index, seed)))
    for path, dataset in files:
        dataset.save_as(path, enforce_file_format=True, overwrite=True)
    return tuple(path for path, _ in files)


def radiograph_dataset(pixels: npt.NDArray[np.uint16], seed: int) -> Dataset:
    """A DX image for presentation (PS3.3 A.26) of (rows, columns) 12-bit values."""
    dataset = _image(DigitalXRayImageStorageForPresentation, seed, RADIOGRAPH, 1)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", ""]
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.ViewPosition = "PA"
    dataset.PatientOrientation = ["L", "F"]
    dataset.ImageLaterality = "U"
    dataset.AnatomicRegionSequence = [_code("51185008", "SCT", "Chest")]
    dataset.ViewCodeSequence = [_code("399348003", "SCT", "postero-anterior")]
    dataset.ViewCodeSequence[0].ViewModifierCodeSequence = []
    dataset.KVP = "120"
    dataset.DetectorType = "DIRECT"
    spacing = FIELD_MM / pixels.shape[0]
    dataset.ImagerPixelSpacing = [f"{spacing:.6g}"] * 2
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = -1  # bright is where little arrived
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "0", "1", "US"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.WindowCenter = str((LARGEST_VALUE + 1) // 2)
    dataset.WindowWidth = str(LARGEST_VALUE + 1)
    dataset.LossyImageCompression = "00"
    dataset.AcquisitionContextSequence = []
    _set_pixels(dataset, pixels)
    return dataset


def ct_dataset(
    volume: npt.NDArray[np.int16], spacing: tuple[float, float, float], index: int, seed: int
) -> Dataset:
    """One slice (PS3.3 A.3) of a volume in Hounsfield units that runs from head to foot."""
    between, row, column = spacing
    rows, columns = volume.shape[1:]
    height = ((len(volume) - 1) / 2 - index) * between
    dataset = _image(CTImageStorage, seed, CT, index + 1)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.PatientPosition = "HFS"
    dataset.FrameOfReferenceUID = _uid(seed, "ct frame of reference")
    dataset.PositionReferenceIndicator = ""
    dataset.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    left, front = -(columns - 1) / 2 * column, -(rows - 1) / 2 * row
    dataset.ImagePositionPatient = [f"{value:.6g}" for value in (left, front, height)]
    dataset.SliceLocation = f"{height:.6g}"
    dataset.PixelSpacing = [f"{row:.6g}", f"{column:.6g}"]
    dataset.SliceThickness = dataset.SpacingBetweenSlices = f"{between:.6g}"
    dataset.KVP = "120"
    dataset.RescaleIntercept, dataset.RescaleSlope = str(CT_INTERCEPT), "1"
    dataset.RescaleType = "HU"
    dataset.WindowCenter, dataset.WindowWidth = ["40", "-600"], ["400", "1500"]
    dataset.WindowCenterWidthExplanation = ["SOFT TISSUE", "LUNG"]
    _set_pixels(dataset, (volume[index] - CT_INTERCEPT).astype(np.uint16))
    return dataset


def _image(sop_class: UID, seed: int, series: _Series, at: int) -> Dataset:
    """Patient, study, series and equipment, the same for every image of the sample."""
    dataset = Dataset()
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = _uid(seed, f"{series.name} {at}")
    dataset.StudyInstanceUID = _uid(seed, "study")
    dataset.SeriesInstanceUID = _uid(seed, series.name)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta = meta
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName, dataset.PatientID = "Phantom^Chest", f"PHANTOM-{seed}"
    dataset.PatientBirthDate, dataset.PatientSex = "", "O"
    # PS3.3 C.7.1.1 and C.7.6.1: neither the subject nor the image is of a person
    dataset.QualityControlSubject = dataset.QualityControlImage = "YES"
    for event in ("Study", "Series", "Acquisition", "Content"):
        setattr(dataset, f"{event}Date", STUDY_DATE)
        setattr(dataset, f"{event}Time", STUDY_TIME)
    dataset.StudyID, dataset.AccessionNumber, dataset.ReferringPhysicianName = "1", "", ""
    dataset.StudyDescription = "Lightbox sample study"
    dataset.Modality, dataset.BodyPartExamined = series.modality, "CHEST"
    dataset.SeriesDescription = series.description
    dataset.SeriesNumber, dataset.InstanceNumber = series.number, at
    dataset.AcquisitionNumber = 1
    dataset.Laterality = ""
    dataset.Manufacturer, dataset.ManufacturerModelName = "Lightbox", "Phantom"
    dataset.DeviceSerialNumber, dataset.SoftwareVersions = str(seed), "1"
    dataset.InstitutionName = "Nowhere"
    dataset.BurnedInAnnotation = "NO"
    return dataset


def _set_pixels(dataset: Dataset, pixels: npt.NDArray[np.uint16]) -> None:
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.PixelData = np.ascontiguousarray(pixels, "<u2").tobytes()


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _uid(seed: int, what: str) -> UID:
    """A UID under the 2.25 root (PS3.5 B.2) that depends on nothing but seed and name."""
    return UID(f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, f'lightbox sample {seed} {what}').int}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="sample_study", description="Write the sample study.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    folder: Path = parser.parse_args(arguments).out
    try:
        files = write_sample_study(folder)
    except OSError as error:
        print(f"The sample study could not be written to {folder}: {error}", file=sys.stderr)
        return 1
    print(f"{len(files)} files in {folder}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
