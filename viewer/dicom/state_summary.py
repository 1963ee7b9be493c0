"""What a presentation state holds, as text: for its own entry in the list of the study."""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.uid import UID

from viewer.dicom.attributes import items, numbers, person_name, raw_value, text
from viewer.dicom.border import refusing
from viewer.dicom.dataset import read_dicom
from viewer.dicom.model import Image
from viewer.dicom.objects import Reference, Report, ReportItem
from viewer.dicom.source import open_source


def read_state_summary(image: Image) -> Report:
    """The text for the presentation state that ``image`` stands for.

    Raises
    ------
    InputError
        The file is gone or damaged.
    """
    with (
        refusing("The presentation state cannot be read"),
        open_source(image.path, image.member) as stream,
    ):
        return summary_of(read_dicom(stream, whole=True).dataset)


def summary_of(dataset: Dataset) -> Report:
    """The same for its data set (PS3.3 A.33)."""
    date, time = (
        text(dataset, "PresentationCreationDate"),
        text(dataset, "PresentationCreationTime"),
    )
    made = f"{date[:4]}-{date[4:6]}-{date[6:8]} {time[:2]}:{time[2:4]}" if len(date) == 8 else date
    texts = [
        one
        for annotation in items(dataset, "GraphicAnnotationSequence")
        for one in items(annotation, "TextObjectSequence")
    ]
    graphics = sum(
        len(items(annotation, "GraphicObjectSequence"))
        for annotation in items(dataset, "GraphicAnnotationSequence")
    )
    facts = [
        ("Document", UID(text(dataset, "SOPClassUID")).name),
        ("Label", text(dataset, "ContentLabel")),
        ("Made by", person_name(dataset, "ContentCreatorName")),
        ("Made", made.strip(": ")),
        ("Shutter", text(dataset, "ShutterShape").lower().replace("\\", ", ")),
        ("Graphics", str(graphics) if graphics else ""),
    ]
    children = [
        ReportItem("Shown on", references=tuple(_references(dataset))),
        *(
            ReportItem("Text", " ".join(str(raw_value(one, "UnformattedTextValue") or "").split()))
            for one in texts
        ),
    ]
    title = text(dataset, "ContentDescription") or text(dataset, "ContentLabel")
    return Report(
        title or "Presentation state",
        tuple((name, value) for name, value in facts if value),
        tuple(children),
    )


def _references(dataset: Dataset) -> list[Reference]:
    return [
        Reference(
            text(item, "ReferencedSOPInstanceUID"),
            UID(text(item, "ReferencedSOPClassUID")).name,
            tuple(int(frame) for frame in numbers(item, "ReferencedFrameNumber")),
        )
        for series in items(dataset, "ReferencedSeriesSequence")
        for item in items(series, "ReferencedImageSequence")
    ]
