"""A DICOM header -> one Image for each frame."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from pydicom.dataset import Dataset
from pydicom.uid import UID

from viewer.dicom import limits
from viewer.dicom.alike import Alike, is_single
from viewer.dicom.attributes import integer, numbers, person_name, text
from viewer.dicom.dataset import OpenedDicom
from viewer.dicom.encapsulated import page_sizes
from viewer.dicom.frame_header import find_native
from viewer.dicom.geometry import FrameAttributes, plane
from viewer.dicom.kinds import MaskAttributes, kind_of, references_of, title_of
from viewer.dicom.model import Image, Kind, Patient, SeriesHeader, StudyHeader
from viewer.errors import InputError

_HASH_BLOCK = 1 << 20


def read_images(opened: OpenedDicom, path: Path, member: str) -> tuple[Image, ...]:
    """One Image for each frame of an opened DICOM file, or page of the document in it.

    A report or a presentation state is one Image without rows and columns.

    Raises
    ------
    InputError
        The file has no pixel data, or lacks what an image cannot do without.
    """
    dataset = opened.dataset
    if not is_single(dataset):
        uid = _Uids(dataset, opened.stream).get("SOPInstanceUID", "sop")
        return _read_images(opened, path, member, uid)
    # One frame that says where it lies by itself, as in a series of a CT.
    first, orientation = _single.of(opened)
    position = numbers(dataset, "ImagePositionPatient")
    return (
        replace(
            first,
            path=path,
            member=member,
            uid=_Uids(dataset, opened.stream).get("SOPInstanceUID", "sop"),
            instance_number=integer(dataset, "InstanceNumber"),
            geometry=None if first.kind is Kind.SEGMENTATION else plane(position, orientation),
            native=find_native(opened) if first.kind is Kind.IMAGE else None,
        ),
    )


def _read_single(opened: OpenedDicom) -> tuple[Image, tuple[float, ...]]:
    """The image of a file that has one, and Image Orientation (Patient)."""
    (image,) = _read_images(opened, Path(), "", "")
    return image, numbers(opened.dataset, "ImageOrientationPatient")


def _read_images(opened: OpenedDicom, path: Path, member: str, uid: str) -> tuple[Image, ...]:
    dataset = opened.dataset
    kind = kind_of(dataset)
    sizes = _frame_sizes(opened, kind)
    is_page = kind is Kind.PAGE
    uids = _Uids(dataset, opened.stream)
    study, series = _study_header(dataset, uids), _series_header(dataset, uids)
    is_mask = kind is Kind.SEGMENTATION
    attributes = MaskAttributes(dataset) if is_mask else FrameAttributes(dataset)
    samples = 3 if is_page else integer(dataset, "SamplesPerPixel") or 1
    photometric = "RGB" if is_page else text(dataset, "PhotometricInterpretation")
    number, view = integer(dataset, "InstanceNumber"), text(dataset, "ViewPosition").upper()
    title, references = title_of(dataset, kind), references_of(dataset, kind)
    return tuple(
        Image(
            path=path,
            member=member,
            uid=uid,
            frame_number=frame_number,
            number_of_frames=len(sizes),
            rows=rows,
            columns=columns,
            samples_per_pixel=samples,
            photometric_interpretation=photometric,
            study=study,
            series=series,
            instance_number=number,
            view=view,
            spacing=attributes.spacing(frame_number),
            geometry=attributes.geometry(frame_number),
            acquisition=attributes.acquisition(frame_number),
            kind=kind,
            title=title,
            references=references,
        )
        for frame_number, (rows, columns) in enumerate(sizes, start=1)
    )


# The elements of which an image has its own, and those of pixels, of which it has nothing.
_single = Alike(
    _read_single,
    *("SOPInstanceUID", "InstanceNumber", "ImagePositionPatient"),
    *("RescaleIntercept", "RescaleSlope", "WindowCenter", "WindowWidth"),
)


def _frame_sizes(opened: OpenedDicom, kind: Kind) -> tuple[tuple[int, int], ...]:
    """Rows and columns of each frame."""
    if kind is Kind.PAGE:
        return page_sizes(opened)
    if not kind.has_picture:
        return ((0, 0),)
    dataset = opened.dataset
    require_image(opened)
    rows, columns = _required(dataset, "Rows"), _required(dataset, "Columns")
    limits.FRAME_PIXELS.check(rows * columns)
    return ((rows, columns),) * number_of_frames(dataset)


def number_of_frames(dataset: Dataset) -> int:
    """Number of Frames (0028,0008); 1 where it is absent or empty.

    Raises
    ------
    InputError
        It is no positive whole number, or above the limit.
    """
    if "NumberOfFrames" not in dataset or not dataset.get_item("NumberOfFrames").value:
        return 1
    frames = integer(dataset, "NumberOfFrames")
    if frames is None or frames < 1:
        raise InputError("The number of frames in the header is not a positive whole number.")
    limits.FRAMES.check(frames)
    return frames


def sop_class_name(dataset: Dataset) -> str:
    return UID(text(dataset, "SOPClassUID")).name


def require_image(opened: OpenedDicom) -> None:
    """Raise InputError, which names the kind of object, where there is no pixel data."""
    dataset = opened.dataset
    if opened.pixels is None and "SOPClassUID" not in dataset and "Rows" not in dataset:
        raise InputError("Not a DICOM object: it has neither a SOP Class nor an image.")
    if opened.pixels is None or opened.pixels.length == 0:
        name = sop_class_name(dataset)
        raise InputError(f"No pixel data: {name}." if name else "No pixel data.")


def _required(dataset: Dataset, keyword: str) -> int:
    value = integer(dataset, keyword)
    if value is None or value < 1:
        raise InputError(f"The header has no valid {keyword}.")
    return value


class _Uids:
    """Instance UIDs of a file; one that is missing is made from the file's hash.

    So a file without a Study Instance UID is its own study, the same one each time it is opened,
    and never joins another patient's. "2.25." is the root for such UIDs (PS3.5 B.2).
    """

    def __init__(self, dataset: Dataset, stream: BinaryIO) -> None:
        self._dataset = dataset
        self._stream = stream
        self._hash = b""

    def get(self, keyword: str, purpose: str) -> str:
        found = text(self._dataset, keyword)
        if found:
            return found
        if not self._hash:
            self._hash = hash_stream(self._stream)
        number = hashlib.sha256(purpose.encode() + self._hash).digest()[:16]
        return f"2.25.{int.from_bytes(number, 'big')}"


def hash_stream(stream: BinaryIO) -> bytes:
    """SHA-256 of a whole stream."""
    digest = hashlib.sha256()
    stream.seek(0)
    while block := stream.read(_HASH_BLOCK):
        digest.update(block)
    return digest.digest()


def _study_header(dataset: Dataset, uids: _Uids) -> StudyHeader:
    patient = Patient(
        name=person_name(dataset, "PatientName"),
        id=text(dataset, "PatientID"),
        issuer=text(dataset, "IssuerOfPatientID"),
        birth_date=text(dataset, "PatientBirthDate"),
        sex=text(dataset, "PatientSex"),
    )
    return StudyHeader(
        uid=uids.get("StudyInstanceUID", "study"),
        patient=patient,
        date=text(dataset, "StudyDate"),
        time=text(dataset, "StudyTime"),
        description=text(dataset, "StudyDescription"),
        accession_number=text(dataset, "AccessionNumber"),
        institution=text(dataset, "InstitutionName"),
    )


def _series_header(dataset: Dataset, uids: _Uids) -> SeriesHeader:
    return SeriesHeader(
        uid=uids.get("SeriesInstanceUID", "series"),
        number=integer(dataset, "SeriesNumber"),
        description=text(dataset, "SeriesDescription"),
        modality=text(dataset, "Modality").upper(),
        body_part=text(dataset, "BodyPartExamined").upper(),
    )
