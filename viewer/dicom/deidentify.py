"""Builds a frame's data set anew from an allow-list: de-identified, or with who and when it is.

The pixels are decoded and written as they are stored, without compression, since comments and
profiles of a codestream can hold identity, too; colour as 8-bit RGB. Overlay planes and curves stay
behind, as do palettes: what they colour is RGB then. The copy has one frame and says of itself how
it was made (PS3.3 C.7.1.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, SecondaryCaptureImageStorage
from pydicom.valuerep import DSfloat

from viewer.dicom import allowed
from viewer.dicom.attributes import items, numbers, raw_value, text
from viewer.dicom.border import refusing
from viewer.dicom.dataset import OpenedDicom, read_dicom
from viewer.dicom.frame_header import read_layout
from viewer.dicom.geometry import FrameAttributes
from viewer.dicom.header import require_image
from viewer.dicom.layout import Layout
from viewer.dicom.luts import read_lut
from viewer.dicom.model import Image
from viewer.dicom.pixels import decode, read_stored_values
from viewer.dicom.pseudonym import Pseudonym
from viewer.dicom.source import open_source
from viewer.dicom.written import file_of, put_pixels
from viewer.errors import InputError

METHOD = "Rebuilt from an allow-list; pixels as they were"
"""De-identification Method (0012,0063)."""

_ANY_TYPE = "OTHER"
_FORMS = {
    "DA": re.compile(r"\d{8}"),
    "TM": re.compile(r"\d{2,6}(\.\d{1,6})?"),
    "CS": re.compile(r"[MFO]"),
}
_LONGEST = {"SH": 16, "LO": 64, "PN": 64}


def copy_of(image: Image, pseudonym: Pseudonym | None, *, pixels: bool = True) -> bytes:
    """A DICOM file of one frame, made anew.

    Parameters
    ----------
    pseudonym : who the patient is in the copy; None: as in the file, with the file's own UIDs.
    pixels : without them it is what refers to the frame, such as a report, needs of it.

    Raises
    ------
    InputError
        The file is gone, damaged, incomplete or no DICOM image.
    """
    if image.is_plain:
        raise InputError("A plain image has no DICOM header to copy.")
    with refusing("The image cannot be copied"), open_source(image.path, image.member) as stream:
        opened = read_dicom(stream, whole=True)
        require_image(opened)
        layout = read_layout(opened)
        copy = _header(opened, image, layout)
        _name(copy, opened.dataset, image, pseudonym)
        if pixels:
            _put_pixels(copy, image, layout)
        return file_of(copy)


# --- the header ----------------------------------------------------------------------------------


def _header(opened: OpenedDicom, image: Image, layout: Layout) -> Dataset:
    source, number = opened.dataset, image.frame_number
    copy = Dataset()
    copy.SpecificCharacterSet = "ISO_IR 192"
    sop_class = UID(text(source, "SOPClassUID"))
    # A class that the standard does not name says whose it is.
    copy.SOPClassUID = sop_class if sop_class.name != sop_class else SecondaryCaptureImageStorage
    for keyword in allowed.NUMBERS:
        _copy_numbers(copy, source, keyword)
    for keyword in allowed.TERMS:
        _copy_terms(copy, source, keyword)
    for name, keywords in allowed.SEQUENCES.items():
        found = [_rebuilt(item, keywords) for item in items(source, name)]
        if found:
            setattr(copy, name, Sequence(found))
    attributes = FrameAttributes(source)
    if "SharedFunctionalGroupsSequence" in source or "PerFrameFunctionalGroupsSequence" in source:
        _copy_groups(copy, attributes, source, number)
    elif "GridFrameOffsetVector" in source and image.geometry is not None:
        copy.ImagePositionPatient = [_decimal(part) for part in image.geometry.position]
    voi = attributes.macro("FrameVOILUTSequence", number)
    _copy_luts(copy, source, "ModalityLUTSequence", opened.is_little_endian, layout.signed)
    _copy_luts(copy, voi, "VOILUTSequence", opened.is_little_endian, layout.signed)
    copy.Rows, copy.Columns = layout.rows, layout.columns
    copy.SamplesPerPixel = 3 if image.is_colour else 1
    copy.PhotometricInterpretation = "RGB" if image.is_colour else layout.photometric
    return copy


def _copy_groups(copy: Dataset, attributes: FrameAttributes, source: Dataset, number: int) -> None:
    """The functional groups of one frame, as those that all frames share."""
    group = Dataset()
    for name, keywords in allowed.MACROS.items():
        found = attributes.macro(name, number)
        if found is not source:
            setattr(group, name, Sequence([_rebuilt(found, keywords)]))
    copy.SharedFunctionalGroupsSequence = Sequence([group])
    copy.PerFrameFunctionalGroupsSequence = Sequence([Dataset()])


def _rebuilt(item: Dataset, keywords: Iterable[str]) -> Dataset:
    copy = Dataset()
    for keyword in keywords:
        if keyword in allowed.TERMS:
            _copy_terms(copy, item, keyword)
        else:
            _copy_numbers(copy, item, keyword)
    return copy


def _copy_terms(copy: Dataset, source: Dataset, keyword: str) -> None:
    parts = [part.strip().upper() for part in text(source, keyword).split("\\")]
    if keyword == "ImageType":  # its first two values matter whatever a vendor adds to them
        parts = [part if part in allowed.TERMS[keyword] else _ANY_TYPE for part in parts]
    if all(part in {*allowed.TERMS[keyword], _ANY_TYPE} for part in parts):
        setattr(copy, keyword, parts if len(parts) > 1 else parts[0])


def _copy_numbers(copy: Dataset, source: Dataset, keyword: str) -> None:
    found = numbers(source, keyword)
    tag, vr = tag_for_keyword(keyword), dictionary_VR(tag_for_keyword(keyword) or 0)
    if not found or tag is None:
        return
    values: list[Any]
    if vr == "DS":
        values = [_decimal(value) for value in found]
    elif vr in ("FD", "FL"):
        values = list(found)
    else:
        if any(value % 1 for value in found):
            return
        values = [int(value) for value in found]
        if vr == "US or SS":
            vr = "SS" if min(values) < 0 else "US"
    copy.add(DataElement(tag, vr, values if len(values) > 1 else values[0]))


def _decimal(value: float) -> DSfloat:
    return DSfloat(value, auto_format=True)


def _copy_luts(copy: Dataset, source: Dataset, name: str, little: bool, signed: bool) -> None:
    """Lookup tables by their entries: bytes behind the last one are none of it."""
    found = []
    for item in items(source, name):
        try:
            table = read_lut(item, little, signed)
        except InputError:
            continue  # as where it is shown: a damaged suggestion
        made = Dataset()
        first = table.first % 65536
        made.add(
            DataElement("LUTDescriptor", "US", [len(table.entries) % 65536, first, table.bits])
        )
        made.add(DataElement("LUTData", "OW", table.entries.astype("<u2").tobytes()))
        _copy_terms(made, item, "ModalityLUTType")
        found.append(made)
    if found:
        setattr(copy, name, Sequence(found))


# --- who it is -----------------------------------------------------------------------------------


def _name(copy: Dataset, source: Dataset, image: Image, pseudonym: Pseudonym | None) -> None:
    reference = text(source, "FrameOfReferenceUID")
    if pseudonym is None:
        copy.SOPInstanceUID, copy.StudyInstanceUID = image.uid, image.study.uid
        copy.SeriesInstanceUID = image.series.uid
        if image.number_of_frames > 1:
            copy.NumberOfFrames = image.number_of_frames
        for keyword in allowed.IDENTITY:
            setattr(copy, keyword, _identity(source, keyword))
    else:
        copy.SOPInstanceUID = pseudonym.image_uid(
            image.uid, image.frame_number, image.number_of_frames
        )
        copy.StudyInstanceUID = pseudonym.uid(image.study.uid)
        copy.SeriesInstanceUID = pseudonym.uid(image.series.uid)
        reference = pseudonym.uid(reference) if reference else ""
        for keyword in allowed.IDENTITY:
            setattr(copy, keyword, "")
        del copy.IssuerOfPatientID, copy.StudyDescription
        copy.PatientID = pseudonym.patient_key
        copy.PatientIdentityRemoved = "YES"
        copy.DeidentificationMethod = METHOD
        copy.LongitudinalTemporalInformationModified = "REMOVED"
    if reference:
        copy.FrameOfReferenceUID = reference


def _identity(source: Dataset, keyword: str) -> str:
    """The file's own words, within what their type allows; empty where they are not."""
    vr = dictionary_VR(keyword)
    value = text(source, keyword)
    if vr == "PN":
        value = "".join(c for c in str(raw_value(source, keyword) or "") if c.isprintable())
    form = _FORMS.get(vr)
    if form is not None and not form.fullmatch(value):
        return ""
    return value.replace("\\", " ")[: _LONGEST.get(vr)]


# --- the pixels ----------------------------------------------------------------------------------


def _put_pixels(copy: Dataset, image: Image, layout: Layout) -> None:
    frame = decode(image)
    if frame.incomplete:
        raise InputError("The picture is incomplete; it is not copied.")
    if frame.is_colour:
        put_pixels(copy, frame.values)
    else:
        put_pixels(copy, read_stored_values(image), layout.bits_stored)
