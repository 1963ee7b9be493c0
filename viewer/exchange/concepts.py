"""Coded concepts: categories of the detector in the words of SNOMED CT and DICOM, and our own.

The public codes are those of PS3.16 where it has one. What has none there is said in the private
coding scheme 99LIGHTBOX, with the category as its code.
"""

from __future__ import annotations

from viewer.dicom.reported import Concept

SCHEME = "99LIGHTBOX"
"""Coding Scheme Designator of what no public scheme says (PS3.16 8)."""

_LONGEST_MEANING = 64  # Code Meaning is LO


def _sct(value: str, meaning: str) -> Concept:
    return Concept(value, "SCT", meaning)


def _dcm(value: str, meaning: str) -> Concept:
    return Concept(value, "DCM", meaning)


def own(value: str, meaning: str = "") -> Concept:
    """A concept of the private scheme."""
    return Concept(value, SCHEME, (meaning or value)[:_LONGEST_MEANING])


_CATEGORIES = {
    "opacity": _dcm("112001", "Opacity"),
    "effusion": _sct("60046008", "Pleural effusion"),
    "consolidation": _sct("95436008", "Pulmonary consolidation"),
    "pneumothorax": _sct("36118008", "Pneumothorax"),
    "pneumonia": _sct("233604007", "Pneumonia"),
    "atelectasis": _sct("46621007", "Atelectasis"),
    "emphysema": _sct("87433001", "Pulmonary emphysema"),
    "fibrosis": _sct("51615001", "Fibrosis of lung"),
    "edema": _sct("19242006", "Pulmonary edema"),
    "cardiomegaly": _sct("8186001", "Cardiomegaly"),
    "nodule": _sct("27925004", "Nodule"),
    "mass": _sct("4147007", "Mass"),
    "fracture": _sct("125605004", "Fracture of bone"),
    "calcification": _sct("18115005", "Pathologic calcification"),
    "infiltrate": _dcm("112121", "Infiltrate"),
}
_BY_CODE = {(code.scheme, code.value): name for name, code in _CATEGORIES.items()}
# What others write for the same: retired SRT codes of PS3.16, and further SNOMED codes.
_BY_CODE |= {
    ("SCT", "287272002"): "cardiomegaly",
    ("SCT", "41699000"): "effusion",
    ("DCM", "112033"): "opacity",  # abnormal opacity
    ("SRT", "M-03010"): "nodule",
    ("SRT", "M-36300"): "effusion",
}

CHEST = _sct("816094009", "Chest")

# What is said of a finding.
STATUS = own("review-status", "Review status")
CERTAINTY = own("review-certainty", "Certainty of the reader")
UNCERTAIN = own("uncertain")
REASON = own("rejection", "Reason of the rejection")
CATEGORY = own("category", "Category")
MODE = own("reading-mode", "How the detector's marks came into the reading")
MARKS = own("marks", "Marks of the detector")
MARKS_VISIBLE, MARKS_HIDDEN = own("visible"), own("hidden")
SOURCE = own("consensus-source", "What a reader of the consensus had said")
# What is said of an image.
REVIEW = own("image-review", "Review of the image")
COMPLETE, PARTIAL = own("complete", "Reviewed completely"), own("partial", "Reviewed in part")
NEGATIVE = own("negative", "Reviewed completely, nothing found")
PIXELS = own("pixel-sha256", "SHA-256 of the stored pixel values")
# Whose decisions a document holds.
LOG = own("log", "Whose decisions these are")

SCORE = _dcm("111012", "Certainty of Finding")
COMMENT = _dcm("121106", "Comment")
PERSON_OBSERVER = _dcm("121008", "Person Observer Name")

LENGTH, ANGLE, AREA = (
    _sct("410668003", "Length"),
    _sct("1483009", "Angle"),
    _sct("42798000", "Area"),
)
ATTENUATION, VALUE = _dcm("112031", "Attenuation Coefficient"), own("value", "Pixel value")
MEAN, DEVIATION = _sct("373098007", "Mean"), _sct("386136009", "Standard Deviation")
LEAST, GREATEST = _sct("255605001", "Minimum"), _sct("56851009", "Maximum")


def ucum(value: str, meaning: str = "") -> Concept:
    return Concept(value, "UCUM", meaning or value)


PERCENT, ONE = ucum("%", "percent"), ucum("1", "no units")
UNITS = {
    "mm": ucum("mm", "millimeter"),
    "mm²": ucum("mm2", "square millimeter"),
    "px": ucum("{pixels}", "pixels"),
    "px²": ucum("{square_pixels}", "square pixels"),
    "°": ucum("deg", "degrees of plane angle"),
    "HU": ucum("[hnsf'U]", "Hounsfield unit"),
    "": ONE,
}
"""UCUM for the units of our figures."""


def unit(name: str) -> Concept:
    """The UCUM code of a unit; what UCUM does not know stands in braces."""
    return UNITS.get(name) or ucum("{" + name[:14] + "}", name)


def concept_of(category: str) -> Concept:
    """The public code of a category, else the private one."""
    return _CATEGORIES.get(category.lower()) or own(category)


def category_of(concept: Concept) -> str:
    """The category that a code of anybody means; of an unknown one, its meaning."""
    if concept.scheme == SCHEME:
        return concept.value
    return _BY_CODE.get((concept.scheme, concept.value)) or concept.meaning.strip().lower()
