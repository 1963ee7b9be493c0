"""Reads a DICOM stream up to its pixel data: data set, transfer syntax, where the pixels lie."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, BinaryIO

from pydicom.charset import convert_encodings, default_encoding
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from viewer.dicom import limits
from viewer.dicom.explicit import read_elements
from viewer.errors import InputError

_PIXEL_TAGS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
_LONG_LENGTH_VRS = {b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN", b"UT", b"UC", b"UR", b"SQ"}
_UNDEFINED_LENGTH = 0xFFFFFFFF
_PIECE = 1 << 20

_KEYWORDS = (
    # identity and what the corners say
    "SpecificCharacterSet SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID "
    "PatientName PatientID IssuerOfPatientID PatientBirthDate PatientSex StudyDate StudyTime "
    "StudyDescription AccessionNumber InstitutionName SeriesNumber SeriesDescription Modality "
    "BodyPartExamined ViewPosition InstanceNumber "
    # geometry
    "PixelSpacing ImagerPixelSpacing NominalScannedPixelSpacing ImagePositionPatient "
    "ImageOrientationPatient NumberOfFrames SharedFunctionalGroupsSequence "
    "PerFrameFunctionalGroupsSequence FrameOfReferenceUID PatientOrientation GantryDetectorTilt "
    "GridFrameOffsetVector PixelSpacingCalibrationType EstimatedRadiographicMagnificationFactor "
    "DistanceSourceToDetector DistanceSourceToPatient SequenceOfUltrasoundRegions "
    "PixelAspectRatio "
    # what tells the stacks of a series apart
    "ImageType EchoNumbers EchoTime TemporalPositionIdentifier TriggerTime DiffusionBValue "
    "AcquisitionNumber "
    # how fast a cine runs
    "RecommendedDisplayFrameRate CineRate FrameTime FrameTimeVector "
    # image pixel module
    "SamplesPerPixel PhotometricInterpretation PlanarConfiguration Rows Columns BitsAllocated "
    "BitsStored HighBit PixelRepresentation PixelPaddingValue PixelPaddingRangeLimit "
    "FloatPixelPaddingValue FloatPixelPaddingRangeLimit DoubleFloatPixelPaddingValue "
    "DoubleFloatPixelPaddingRangeLimit "
    "ExtendedOffsetTable ExtendedOffsetTableLengths "
    # what maps stored values to grey or colour
    "RescaleIntercept RescaleSlope RescaleType ModalityLUTSequence VOILUTSequence WindowCenter "
    "WindowWidth WindowCenterWidthExplanation VOILUTFunction PixelPresentation "
    "RedPaletteColorLookupTableDescriptor GreenPaletteColorLookupTableDescriptor "
    "BluePaletteColorLookupTableDescriptor RedPaletteColorLookupTableData "
    "GreenPaletteColorLookupTableData BluePaletteColorLookupTableData "
    "SegmentedRedPaletteColorLookupTableData SegmentedGreenPaletteColorLookupTableData "
    "SegmentedBluePaletteColorLookupTableData "
    # what is no image: documents, reports, presentation states, segmentations
    "MIMETypeOfEncapsulatedDocument EncapsulatedDocument DocumentTitle ConceptNameCodeSequence "
    "ContentLabel ContentDescription ReferencedSeriesSequence "
    # media directory
    "DirectoryRecordSequence"
).split()
# DICOM overlay planes: up to 16 repeating groups (PS3.5 7.6).
OVERLAY_GROUPS = range(0x6000, 0x6020, 2)
# Rows, columns, frames, description, type, origin, frame origin, bit position, label, data.
_OVERLAY_ELEMENTS = (0x10, 0x11, 0x15, 0x22, 0x40, 0x50, 0x51, 0x102, 0x1500, 0x3000)
_TAGS: list[BaseTag | int] = [
    *(Tag(keyword) for keyword in _KEYWORDS),
    # Private creators and b-values of Siemens and General Electric.
    *(Tag(0x0019, 0x0010), Tag(0x0019, 0x100C), Tag(0x0043, 0x0010), Tag(0x0043, 0x1039)),
    *(Tag(group, element) for group in OVERLAY_GROUPS for element in _OVERLAY_ELEMENTS),
]
_TAG_SET = frozenset(map(int, _TAGS))
_TRANSFER_SYNTAX, _CHARACTER_SET = Tag("TransferSyntaxUID"), Tag("SpecificCharacterSet")
_META_TAGS = frozenset((int(_TRANSFER_SYNTAX),))
_NOT_PLAIN = {ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian}
_HEAD = 64 << 10  # bytes of a file in which its header is looked for first


@dataclass(frozen=True, slots=True)
class PixelElement:
    """Where the value of the pixel data element lies in the stream."""

    offset: int
    length: int | None  # None: undefined, as encapsulated data has it
    float_bits: int = 0  # 32 Float, 64 Double Float Pixel Data, else 0
    vr: str = "OW"


@dataclass(frozen=True, slots=True)
class OpenedDicom:
    """A data set without its pixels, and the stream in which they lie (inflated if need be)."""

    dataset: Dataset
    stream: BinaryIO
    transfer_syntax: UID
    pixels: PixelElement | None

    @property
    def is_little_endian(self) -> bool:
        return self.transfer_syntax != ExplicitVRBigEndian


def looks_like_dicom(head: bytes) -> bool:
    """Whether the first bytes can be DICOM: the prefix, or a first element without a preamble.

    A file without preamble starts with group 0002 or 0008 (PS3.10 7.1, PS3.5 7.1), in either byte
    order; anything else is not read at all, since pydicom makes a data set of any bytes.
    """
    if head[128:132] == b"DICM":
        return True
    if len(head) < 8:
        return False
    group, element = struct.unpack("<HH", head[:4])
    big_group, big_element = struct.unpack(">HH", head[:4])
    little = group in (0x0002, 0x0004, 0x0008) and element < 0x3000
    big = big_group in (0x0004, 0x0008) and big_element < 0x3000
    return little or big


def read_dicom(stream: BinaryIO, whole: bool = False) -> OpenedDicom:
    """Read the header; pixel data is found but not read.

    Only the elements that an image needs are kept, and the values of others passed over, unless
    the ``whole`` data set is asked for.

    Raises
    ------
    InputError
        A deflated data set above its limit. pydicom raises much more on damaged input: call
        this inside ``border.refusing``.
    """
    plain = None if whole else _read_plain(stream)
    if plain is not None:
        return plain
    syntax = _read_transfer_syntax(stream)
    if syntax == DeflatedExplicitVRLittleEndian:
        stream = inflate(stream)
    little = syntax != ExplicitVRBigEndian
    dataset = read_dataset(
        stream,
        syntax == ImplicitVRLittleEndian,
        little,
        stop_when=_is_pixel_data,
        specific_tags=None if whole else _TAGS,
    )
    implicit = bool(dataset.original_encoding[0])
    return OpenedDicom(dataset, stream, syntax, _find_pixels(stream, implicit, little))


def _read_plain(stream: BinaryIO) -> OpenedDicom | None:
    """Read an explicit little endian header that is whole in the first bytes, as most are.

    None, and the stream as it was, for every other one.
    """
    head = stream.read(_HEAD)
    if head[128:132] == b"DICM":
        meta = read_elements(head, 132, _AFTER_META, _META_TAGS)
        syntax = None if meta is None else _named_syntax(meta.kept.get(_TRANSFER_SYNTAX))
        if meta is not None and syntax is not None and syntax not in _NOT_PLAIN:
            elements = read_elements(head, meta.end, _PIXEL_TAGS, _TAG_SET)
            if elements is not None:
                dataset = Dataset(elements.kept, parent_encoding=default_encoding)
                encoding = _encoding_of(elements.kept.get(_CHARACTER_SET))
                dataset.set_original_encoding(False, True, encoding)
                stream.seek(elements.end)
                return OpenedDicom(dataset, stream, syntax, _find_pixels(stream, False, True))
    stream.seek(0)
    return None


class _AfterMeta:
    """All tags but those of the file meta information."""

    def __contains__(self, tag: object) -> bool:
        return isinstance(tag, int) and tag >> 16 != 0x0002


_AFTER_META = _AfterMeta()


def _named_syntax(element: DataElement | RawDataElement | None) -> UID | None:
    return None if element is None or not element.value else _syntax_of(element.VR, element.value)


def _encoding_of(element: DataElement | RawDataElement | None) -> str | list[str]:
    return default_encoding if element is None else _encodings(element.VR, element.value)


# The same few values, file after file.
@lru_cache(maxsize=32)
def _syntax_of(vr: str | None, value: bytes) -> UID | None:
    declared = str(_converted(_TRANSFER_SYNTAX, vr, value) or "").strip()
    return UID(declared) if declared else None


@lru_cache(maxsize=32)
def _encodings(vr: str | None, value: bytes | None) -> str | list[str]:
    return convert_encodings(_converted(_CHARACTER_SET, vr, value))


def _converted(tag: BaseTag, vr: str | None, value: bytes | None) -> Any:
    length = len(value or b"")
    return convert_raw_data_element(RawDataElement(tag, vr, length, value, 0, False, True)).value


def _is_pixel_data(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag in _PIXEL_TAGS


def _is_after_meta(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag >> 16 != 0x0002


def inflate(stream: BinaryIO) -> io.BytesIO:
    """Raw deflate (PS3.5 A.5), piece by piece under the limits of size and ratio.

    What is cut short gives what there is of it.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    result = io.BytesIO()
    packed = 0
    while not inflater.eof:
        piece = inflater.unconsumed_tail or stream.read(_PIECE)
        if not piece:
            break
        result.write(inflater.decompress(piece, _PIECE))
        packed += len(piece) - len(inflater.unconsumed_tail)
        limits.INFLATED_BYTES.check(result.tell())
        if result.tell() > limits.INFLATED_RATIO_FROM_BYTES:
            limits.INFLATED_RATIO.check(result.tell() // packed)
    result.seek(0)
    return result


def read_meta(stream: BinaryIO) -> Dataset:
    """Read the file meta information (PS3.10 7.1), if any, and leave the stream at the data set."""
    head = stream.read(132)
    stream.seek(132 if head[128:] == b"DICM" else 0)
    return read_dataset(stream, False, True, stop_when=_is_after_meta)


def _read_transfer_syntax(stream: BinaryIO) -> UID:
    """Read past the file meta information; the syntax that it names, or that is seen."""
    meta = read_meta(stream)
    declared = str(meta.get("TransferSyntaxUID") or "").strip()
    start = stream.tell()
    first = stream.read(8)
    stream.seek(start)
    if declared:
        return UID(declared)
    # No meta, or one without the UID: what the first element looks like decides (PS3.5 7.1).
    if len(first) < 8:
        raise InputError("A DICOM file without a data set.")
    if not first[4:6].isalpha() or not first[4:6].isupper():
        return ImplicitVRLittleEndian
    if struct.unpack("<H", first[:2])[0] > 0xFF:
        return ExplicitVRBigEndian
    return ExplicitVRLittleEndian


def _find_pixels(stream: BinaryIO, implicit: bool, little: bool) -> PixelElement | None:
    head = stream.read(8)
    if len(head) < 8:
        return None
    order = "<" if little else ">"
    group, element = struct.unpack(f"{order}HH", head[:4])
    tag = group << 16 | element
    if tag not in _PIXEL_TAGS:
        return None
    vr = "OW"
    if implicit or not head[4:6].isalpha():
        (length,) = struct.unpack(f"{order}L", head[4:])
    elif head[4:6] in _LONG_LENGTH_VRS:
        vr = head[4:6].decode("ascii")
        (length,) = struct.unpack(f"{order}L", stream.read(4))
    else:
        (length,) = struct.unpack(f"{order}H", head[6:])
    return PixelElement(
        offset=stream.tell(),
        length=None if length == _UNDEFINED_LENGTH else length,
        float_bits={0x7FE00008: 32, 0x7FE00009: 64}.get(tag, 0),
        vr=vr,
    )
