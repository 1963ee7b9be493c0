"""What may be copied into a data set that goes out: attributes, and the values they may have.

An allow-list: whatever is not in these tables is left behind, private elements always. A text is
copied only where it is one of a few terms, since nothing keeps a sender from writing a name into
the body part.
"""

from __future__ import annotations

from itertools import permutations

NUMBERS = (
    # image pixel module (PS3.3 C.7.6.3); the stored values are written anew
    "PixelAspectRatio PixelPaddingValue PixelPaddingRangeLimit FloatPixelPaddingValue "
    "FloatPixelPaddingRangeLimit DoubleFloatPixelPaddingValue DoubleFloatPixelPaddingRangeLimit "
    # greys
    "RescaleIntercept RescaleSlope WindowCenter WindowWidth PixelIntensityRelationshipSign "
    "LossyImageCompressionRatio "
    # size and place
    "PixelSpacing ImagerPixelSpacing NominalScannedPixelSpacing SliceThickness "
    "SpacingBetweenSlices SliceLocation ImagePositionPatient ImageOrientationPatient "
    "DistanceSourceToDetector DistanceSourceToPatient "
    "EstimatedRadiographicMagnificationFactor GantryDetectorTilt "
    # what tells the images of a series apart
    "InstanceNumber AcquisitionNumber TemporalPositionIdentifier EchoNumbers EchoTime TriggerTime "
    "DiffusionBValue"
).split()

SEQUENCES: dict[str, tuple[str, ...]] = {
    "SequenceOfUltrasoundRegions": tuple(
        (
            "RegionSpatialFormat RegionDataType RegionFlags RegionLocationMinX0 "
            "RegionLocationMinY0 RegionLocationMaxX1 RegionLocationMaxY1 ReferencePixelX0 "
            "ReferencePixelY0 PhysicalUnitsXDirection PhysicalUnitsYDirection PhysicalDeltaX "
            "PhysicalDeltaY"
        ).split()
    ),
}
"""Numbers inside the items of a sequence."""

MACROS: dict[str, tuple[str, ...]] = {
    "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness", "SpacingBetweenSlices"),
    "PlanePositionSequence": ("ImagePositionPatient",),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PixelValueTransformationSequence": ("RescaleIntercept", "RescaleSlope", "RescaleType"),
    "FrameVOILUTSequence": ("WindowCenter", "WindowWidth", "VOILUTFunction"),
}
"""Functional groups (PS3.3 C.7.6.16), of which that of the one frame is copied."""


def _terms(words: str) -> frozenset[str]:
    return frozenset(words.split())


_UNITS = _terms("HU OD US HU_MOD ED EDW PCT MGML Z_EFF BQML CNTS GML NORMALIZED")

TERMS: dict[str, frozenset[str]] = {
    "Modality": _terms(
        "CR CT DX ES GM IO MG MR NM OP OT PT PX RF RG RTDOSE RTIMAGE SC SM US XA XC"
    ),
    "BodyPartExamined": _terms(
        "ABDOMEN ABDOMENPELVIS ANKLE ARM BREAST CHEST CHESTABDOMEN CHESTABDPELVIS CLAVICLE CSPINE "
        "ELBOW EXTREMITY FEMUR FINGER FOOT FOREARM HAND HEAD HEADNECK HEART HIP HUMERUS JAW KNEE "
        "LEG LSPINE LUNG NECK PELVIS RIB SHOULDER SKULL SPINE SSPINE STERNUM THORAX THUMB TIBIA "
        "TOE TSPINE WHOLEBODY WRIST BRAIN PROSTATE KIDNEY LIVER PANCREAS BLADDER UTERUS EYE EAR "
        "FACE ORBIT SINUS MANDIBLE ZYGOMA TMJ IAC PITUITARY ESOPHAGUS STOMACH COLON RECTUM "
        "AORTA CAROTID"
    ),
    "ViewPosition": _terms(
        "AP PA LL RL LLD RLD LLO RLO LAT LATERAL OBLIQUE MLO CC ML LM LMO XCCL XCCM FB SIO SUPINE "
        "PRONE"
    ),
    "Laterality": _terms("R L"),
    "ImageLaterality": _terms("R L U B"),
    "PatientPosition": _terms("HFP HFS HFDR HFDL FFDR FFDL FFP FFS"),
    "PixelSpacingCalibrationType": _terms("GEOMETRY FIDUCIAL"),
    "PresentationIntentType": frozenset(("FOR PRESENTATION", "FOR PROCESSING")),
    "PresentationLUTShape": _terms("IDENTITY INVERSE"),
    "PixelIntensityRelationship": _terms("LIN LOG DISP"),
    "VOILUTFunction": _terms("LINEAR LINEAR_EXACT SIGMOID"),
    "RescaleType": _UNITS,
    "ModalityLUTType": _UNITS,
    "BurnedInAnnotation": _terms("YES NO"),
    "RecognizableVisualFeatures": _terms("YES NO"),
    "LossyImageCompression": _terms("00 01"),
    "LossyImageCompressionMethod": _terms(
        "ISO_10918_1 ISO_14495_1 ISO_15444_1 ISO_13818_2 ISO_14496_10"
    ),
    "ConversionType": _terms("DV DI DF WSD SD SI DRW SYN"),
    "ImageType": _terms(
        "ORIGINAL DERIVED PRIMARY SECONDARY AXIAL LOCALIZER MPR REFORMATTED AVERAGE MIP MINIP M P "
        "R I PHASE MAGNITUDE ADC DIFFUSION VOLUME NONE MIXED PROJECTION POST_PROCESSED"
    ),
    # PS3.3 C.7.6.1.1.1
    "PatientOrientation": frozenset(
        "".join(letters) for count in (1, 2, 3) for letters in permutations("APRLHF", count)
    ),
}
"""Terms, by attribute; a value of several parts is copied where all of them are terms."""

IDENTITY = (
    "PatientName PatientID IssuerOfPatientID PatientBirthDate PatientSex StudyDate StudyTime "
    "StudyID AccessionNumber ReferringPhysicianName StudyDescription"
).split()
"""What is copied besides where the identity is asked for: patient and study."""


def term(keyword: str, value: str) -> str:
    """A value of an attribute where it is one of its terms; empty where it may be anything."""
    return value if value in TERMS[keyword] else ""
