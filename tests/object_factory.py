"""Makes presentation states, reports, segmentations and documents for every room's tests."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pypdfium2
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from tests.dicom_factory import make_dataset, write_dataset

STORAGE = "1.2.840.10008.5.1.4.1.1."
GRAYSCALE_STATE = STORAGE + "11.1"
SEGMENTATION = STORAGE + "66.4"
LABEL_MAP = STORAGE + "66.7"
PDF = STORAGE + "104.1"
COMPREHENSIVE_SR = STORAGE + "88.33"


def item(**elements: Any) -> Dataset:
    """One item of a sequence."""
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def code(value: str, scheme: str, meaning: str) -> Dataset:
    return item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def reference(image: Dataset, *frames: int) -> Dataset:
    found = item(
        ReferencedSOPClassUID=image.SOPClassUID, ReferencedSOPInstanceUID=image.SOPInstanceUID
    )
    if frames:
        found.ReferencedFrameNumber = list(frames)
    return found


def beside(image: Dataset, sop_class: str, **elements: Any) -> Dataset:
    """A data set without pixels in the study of an image, in a series of its own."""
    plain = make_dataset(np.zeros((2, 2), np.uint8), PixelData=None)
    for keyword in ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "ViewPosition"):
        delattr(plain, keyword)
    for keyword in ("PixelRepresentation", "SamplesPerPixel", "PhotometricInterpretation"):
        delattr(plain, keyword)
    for keyword in ("StudyInstanceUID", "PatientName", "PatientID", "StudyDescription"):
        setattr(plain, keyword, image.get(keyword))
    plain.SOPClassUID = sop_class
    plain.SOPInstanceUID = generate_uid()
    plain.SeriesInstanceUID = generate_uid()
    plain.SeriesNumber = 90
    for keyword, value in elements.items():
        if value is not None:
            setattr(plain, keyword, value)
    return plain


def make_presentation_state(path: Path, images: Sequence[Path], **elements: Any) -> Path:
    """Write a grayscale presentation state for image files; ``elements`` over a plain one."""
    opened = [pydicom.dcmread(image, stop_before_pixels=True) for image in images]
    first = opened[0]
    defaults: dict[str, Any] = {
        "Modality": "PR",
        "InstanceNumber": 1,
        "ContentLabel": "READ",
        "ContentDescription": "as read",
        "ContentCreatorName": "Reader^Rita",
        "PresentationCreationDate": "20240201",
        "PresentationCreationTime": "101500",
        "PresentationLUTShape": "IDENTITY",
        "ReferencedSeriesSequence": [
            item(
                SeriesInstanceUID=first.SeriesInstanceUID,
                ReferencedImageSequence=[reference(image) for image in opened],
            )
        ],
        "DisplayedAreaSelectionSequence": [
            item(
                DisplayedAreaTopLeftHandCorner=[1, 1],
                DisplayedAreaBottomRightHandCorner=[first.Columns, first.Rows],
                PresentationSizeMode="SCALE TO FIT",
                PresentationPixelAspectRatio=[1, 1],
            )
        ],
    }
    return write_dataset(path, beside(first, GRAYSCALE_STATE, **{**defaults, **elements}))


def lut(entries: Sequence[int], bits: int, first: int = 0) -> Dataset:
    """A lookup table's item; 16-bit entries."""
    found = item(LUTData=list(entries))
    found.LUTDescriptor = [len(entries) % 65536, first % 65536, bits]
    found["LUTDescriptor"].VR = "US"
    found["LUTData"].VR = "US"
    return found


def window(center: float, width: float) -> list[Dataset]:
    """A Softcopy VOI LUT Sequence of one window for all images."""
    return [item(WindowCenter=center, WindowWidth=width)]


def make_report(path: Path, image: Path, content: Sequence[Dataset], **elements: Any) -> Path:
    """Write a comprehensive structured report in the study of an image."""
    opened = pydicom.dcmread(image, stop_before_pixels=True)
    defaults: dict[str, Any] = {
        "Modality": "SR",
        "InstanceNumber": 1,
        "SeriesDescription": "Report",
        "CompletionFlag": "COMPLETE",
        "VerificationFlag": "UNVERIFIED",
        "ContentDate": "20240201",
        "ContentTime": "101500",
        "ValueType": "CONTAINER",
        "ContinuityOfContent": "SEPARATE",
        "ConceptNameCodeSequence": [code("126000", "DCM", "Imaging Measurement Report")],
        "ContentSequence": list(content),
    }
    return write_dataset(path, beside(opened, COMPREHENSIVE_SR, **{**defaults, **elements}))


def make_segmentation(  # noqa: PLR0917
    path: Path,
    images: Sequence[Path],
    masks: npt.NDArray[Any],
    segment_of: Sequence[int],
    segments: Sequence[Dataset],
    image_of: Sequence[int] | None = None,
    **elements: Any,
) -> Path:
    """Write a segmentation: binary from bool masks, fractional from uint8 ones.

    Parameters
    ----------
    masks : (frames, rows, columns); the frames follow each other in packed bits.
    segment_of, image_of : for each frame the number of its segment and the index of its image,
        the one of the same index where nothing is said.
    """
    opened = [pydicom.dcmread(image, stop_before_pixels=True) for image in images]
    first = opened[0]
    binary = masks.dtype == np.bool_
    groups = []
    for index, number in enumerate(segment_of):
        image = opened[index if image_of is None else image_of[index]]
        groups.append(
            item(
                SegmentIdentificationSequence=[item(ReferencedSegmentNumber=number)],
                DerivationImageSequence=[item(SourceImageSequence=[reference(image)])],
                PlanePositionSequence=[
                    item(ImagePositionPatient=image.get("ImagePositionPatient", [0, 0, 0]))
                ],
            )
        )
    shared = item(
        PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
        PixelMeasuresSequence=[item(PixelSpacing=first.get("PixelSpacing", [1, 1]))],
    )
    stored = make_dataset(masks.astype(np.uint8))
    defaults: dict[str, Any] = {
        "Modality": "SEG",
        "InstanceNumber": 1,
        "SeriesDescription": "Segmentation",
        "ContentLabel": "SEG",
        "SegmentationType": "BINARY" if binary else "FRACTIONAL",
        "MaximumFractionalValue": None if binary else 255,
        "SegmentSequence": list(segments),
        "SharedFunctionalGroupsSequence": [shared],
        "PerFrameFunctionalGroupsSequence": groups,
        "FrameOfReferenceUID": first.get("FrameOfReferenceUID"),
        "ReferencedSeriesSequence": [
            item(
                SeriesInstanceUID=first.SeriesInstanceUID,
                ReferencedInstanceSequence=[reference(image) for image in opened],
            )
        ],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": masks.shape[1],
        "Columns": masks.shape[2],
        "NumberOfFrames": masks.shape[0],
        "BitsAllocated": 1 if binary else 8,
        "BitsStored": 1 if binary else 8,
        "HighBit": 0 if binary else 7,
        "PixelRepresentation": 0,
        "PixelData": stored.PixelData,
    }
    if binary:
        packed = np.packbits(masks.ravel(), bitorder="little").tobytes()
        defaults["PixelData"] = packed + b"\0" * (len(packed) % 2)
    dataset = beside(first, SEGMENTATION, **{**defaults, **elements})
    dataset["PixelData"].VR = "OB"
    return write_dataset(path, dataset)


def segment(number: int, label: str, lab: Sequence[int] | None = None) -> Dataset:
    found = item(SegmentNumber=number, SegmentLabel=label, SegmentAlgorithmType="MANUAL")
    if lab is not None:
        found.RecommendedDisplayCIELabValue = list(lab)
    return found


def pdf_bytes(pages: int, width: float = 200, height: float = 300) -> bytes:
    """A PDF of blank pages."""
    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(width, height)
    buffer = io.BytesIO()
    document.save(buffer)
    document.close()
    return buffer.getvalue()


def make_encapsulated_pdf(path: Path, content: bytes, **elements: Any) -> Path:
    """Write a PDF document as a DICOM file, in a study of its own."""
    own = make_dataset(np.zeros((2, 2), np.uint8))
    defaults: dict[str, Any] = {
        "Modality": "DOC",
        "DocumentTitle": "Discharge letter",
        "MIMETypeOfEncapsulatedDocument": "application/pdf",
        "EncapsulatedDocument": content + b"\0" * (len(content) % 2),
    }
    return write_dataset(path, beside(own, PDF, **{**defaults, **elements}))
