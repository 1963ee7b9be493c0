"""Which objects of a study are no images, and what its list says of them."""

from __future__ import annotations

from pydicom.dataset import Dataset

from viewer.dicom.attributes import items, text
from viewer.dicom.geometry import FrameAttributes
from viewer.dicom.model import Acquisition, Kind, PlaneGeometry, Spacing

_STORAGE = "1.2.840.10008.5.1.4.1.1."
_KINDS = {
    _STORAGE + "11.1": Kind.PRESENTATION_STATE,  # grayscale
    _STORAGE + "11.2": Kind.PRESENTATION_STATE,  # colour
    _STORAGE + "66.4": Kind.SEGMENTATION,
    _STORAGE + "66.7": Kind.SEGMENTATION,  # label map
    _STORAGE + "104.1": Kind.PAGE,
}
_REPORTS = _STORAGE + "88."  # all structured reports and key object selections


def kind_of(dataset: Dataset) -> Kind:
    """What an object is, by its SOP Class."""
    sop_class = text(dataset, "SOPClassUID")
    if sop_class.startswith(_REPORTS):
        return Kind.REPORT
    return _KINDS.get(sop_class, Kind.IMAGE)


def title_of(dataset: Dataset, kind: Kind) -> str:
    """The object's own name for the list of its study; empty for an image."""
    if kind is Kind.IMAGE:
        return ""
    if kind is Kind.REPORT:
        names = items(dataset, "ConceptNameCodeSequence")
        return text(names[0], "CodeMeaning") if names else ""
    if kind is Kind.PAGE:
        return text(dataset, "DocumentTitle")
    # Content Label is a code string of the maker, the description is for people (PS3.3 10.9).
    return text(dataset, "ContentDescription") or text(dataset, "ContentLabel")


def references_of(dataset: Dataset, kind: Kind) -> tuple[str, ...]:
    """SOP Instance UIDs of the images that a presentation state or a segmentation is made for."""
    if kind not in (Kind.PRESENTATION_STATE, Kind.SEGMENTATION):
        return ()
    found: dict[str, None] = {}
    for series in items(dataset, "ReferencedSeriesSequence"):
        # Presentation states name images (PS3.3 C.11.11), segmentations instances (C.8.20.2).
        for keyword in ("ReferencedImageSequence", "ReferencedInstanceSequence"):
            for item in items(series, keyword):
                found[text(item, "ReferencedSOPInstanceUID")] = None
    found.pop("", None)
    return tuple(found)


class MaskAttributes:
    """What the list of a study needs of the masks of a segmentation, the same for all of them.

    Their planes are read with the masks: a segmentation of a whole body has tens of thousands,
    and the order of the file, segment by segment, is the one to leaf through.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._spacing = FrameAttributes(dataset).spacing(1)
        self._acquisition = Acquisition(frame_of_reference=text(dataset, "FrameOfReferenceUID"))

    def spacing(self, _frame_number: int) -> Spacing:
        return self._spacing

    def geometry(self, _frame_number: int) -> PlaneGeometry | None:
        return None

    def acquisition(self, _frame_number: int) -> Acquisition:
        return self._acquisition
