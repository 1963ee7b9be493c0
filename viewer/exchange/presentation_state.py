"""Findings as softcopy presentation states (PS3.3 A.33): how the reader saw an image, with marks.

One state an image: the boxes of its findings, with category, score and status as texts, and the
reader's measurements, each kind in a layer of its own. Rejected candidates are not in it. The grey
scale is the one in which the image first appears.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import highdicom
import numpy as np
from highdicom import VOILUT, ModalityLUTTransformation, PresentationLUTTransformation
from highdicom.color import CIELabColor
from highdicom.pr import (
    ColorSoftcopyPresentationState,
    GraphicAnnotation,
    GraphicLayer,
    GraphicObject,
    GrayscaleSoftcopyPresentationState,
    SoftcopyVOILUTTransformation,
    TextObject,
)
from PIL.ImageCms import ImageCmsProfile, createProfile
from pydicom.dataset import Dataset

from detector.types import RESEARCH_USE_ONLY
from viewer.dicom.model import Frame, Voi, VoiTable
from viewer.dicom.voi import default_voi
from viewer.dicom.written import file_of
from viewer.exchange.export import Export, Written
from viewer.exchange.measured import Figure, figures_of
from viewer.exchange.pages import Page
from viewer.exchange.pictures import write_durably
from viewer.exchange.referring import Referred, person_name, studies, write_captures
from viewer.exchange.shapes import Points, corners, outline
from viewer.review.finding import Finding, Status
from viewer.version import VERSION

_MAKER = "Lightbox"
_SERIES_NUMBER = 9002
_LINE_SHARE, _LEAST_LINE = 0.025, 12.0  # the height of a text, of the rows of the image
_LETTER = 0.6  # its width, of its height

_FINDINGS = GraphicLayer("FINDINGS", 1, "Findings", CIELabColor.from_rgb(62, 207, 157))
_UNCERTAIN = GraphicLayer("UNCERTAIN", 2, "Uncertain findings", CIELabColor.from_rgb(245, 176, 46))
_MEASURED = GraphicLayer("MEASUREMENTS", 3, "Measurements", CIELabColor.from_rgb(86, 180, 233))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a state needs of a frame; the pixels are let go."""

    voi: Voi | None  # None for colour
    inverted: bool
    figures: tuple[tuple[Figure, ...], ...]  # of each measurement


def write(work: Export) -> Written:
    """Write a presentation state for each image, and a DICOM image for each plain one."""
    gone_out: list[Page] = []
    for number, pages in enumerate(studies(work, _seen), start=1):
        name = f"study-{number:04d}"
        series = str(highdicom.UID())
        for place, each in enumerate(pages, start=1):
            suffix = f"-{place}" if len(pages) > 1 else ""
            state = presentation_state(each, series, place)
            write_durably(work.folder / f"{name}-state{suffix}.dcm", file_of(state))
        write_captures(work, pages, name)
        gone_out += [each.page for each in pages]
    return Written.of(gone_out)


def _seen(page: Page, frame: Frame) -> _Seen:
    image = page.record.image
    return _Seen(
        voi=None if frame.is_colour else default_voi(frame),
        inverted=frame.inverted,
        figures=tuple(figures_of(each, image, frame) for each in page.measurements),
    )


def presentation_state(each: Referred[_Seen], series_uid: str, number: int) -> Dataset:
    """The presentation state of one image."""
    page, seen = each.page, each.content
    annotations = _annotations(each)
    reader = page.signature.reader if page.signature else ""
    reader = reader or next((decision.reader for _, decision in page.decided), "")
    common: dict[str, Any] = {
        "referenced_images": [each.dataset],
        "series_instance_uid": series_uid,
        "series_number": _SERIES_NUMBER,
        "sop_instance_uid": highdicom.UID(),
        "instance_number": number,
        "manufacturer": _MAKER,
        "manufacturer_model_name": _MAKER,
        "software_versions": VERSION,
        "device_serial_number": VERSION,
        "content_label": "FINDINGS",
        "content_description": f"Findings. {RESEARCH_USE_ONLY}",
        "content_creator_name": person_name(reader),
        "graphic_annotations": annotations or None,
        "graphic_layers": _layers(annotations) or None,
        "series_description": "Lightbox findings, research use only",
        "specific_character_set": "ISO_IR 192",
    }
    state: Dataset
    if seen.voi is None:
        state = ColorSoftcopyPresentationState(**common, icc_profile=_srgb())
    else:
        state = GrayscaleSoftcopyPresentationState(
            **common,
            modality_lut_transformation=_rescaling(each.dataset),
            voi_lut_transformations=[_transformation(seen.voi)],
            presentation_lut_transformation=PresentationLUTTransformation(
                presentation_lut_shape="INVERSE" if seen.inverted else "IDENTITY"
            ),
        )
        # A table instead of slope and intercept goes over as it is (PS3.3 C.11.1).
        if "ModalityLUTSequence" in each.dataset:
            state.ModalityLUTSequence = each.dataset.ModalityLUTSequence
            for keyword in ("RescaleSlope", "RescaleIntercept", "RescaleType"):
                if keyword in state:
                    delattr(state, keyword)
    aspect = round(page.record.image.spacing.aspect * 1000)
    state.DisplayedAreaSelectionSequence[0].PresentationPixelAspectRatio = [aspect, 1000]
    return state


def _srgb() -> bytes:
    """The profile of our colours, as that of an input device (PS3.3 C.11.15.1.1)."""
    profile = ImageCmsProfile(createProfile("sRGB")).tobytes()
    return profile[:12] + b"scnr" + profile[16:]  # the class of the device


# --- greys ---------------------------------------------------------------------------------------


def _rescaling(dataset: Dataset) -> ModalityLUTTransformation:
    """Slope and intercept of the frame, of its functional group where it has one."""
    source = dataset
    for group in dataset.get("SharedFunctionalGroupsSequence", ()):
        source = next(iter(group.get("PixelValueTransformationSequence", ())), source)
    slope = float(source.get("RescaleSlope") or 1)
    intercept = float(source.get("RescaleIntercept") or 0)
    return ModalityLUTTransformation(
        rescale_intercept=intercept,
        rescale_slope=slope,
        rescale_type=source.get("RescaleType") or "US",  # unspecified
    )


def _transformation(voi: Voi) -> SoftcopyVOILUTTransformation:
    if isinstance(voi, VoiTable):
        entries = np.array(voi.entries, np.uint8 if voi.bits <= 8 else np.uint16)
        return SoftcopyVOILUTTransformation(voi_luts=[VOILUT(voi.first, entries)])
    return SoftcopyVOILUTTransformation(
        window_center=voi.center, window_width=voi.width, voi_lut_function=voi.function.value
    )


# --- graphics ------------------------------------------------------------------------------------


def _annotations(each: Referred[_Seen]) -> list[GraphicAnnotation]:
    page = each.page
    drawn: dict[str, tuple[GraphicLayer, list[GraphicObject], list[TextObject]]] = {}

    def draw(layer: GraphicLayer, graphic: str, points: Points, words: str) -> None:
        _, graphics, texts = drawn.setdefault(layer.GraphicLayer, (layer, [], []))
        points = np.clip(points, 0, (each.dataset.Columns, each.dataset.Rows))
        graphics.append(GraphicObject(graphic, points, "PIXEL"))
        if words:
            texts.append(_text(words, points, each.dataset))

    for finding, _ in page.shown:
        layer = _UNCERTAIN if finding.uncertain else _FINDINGS
        draw(layer, "POLYLINE", corners(finding.box), _words(finding))
    for measurement, figures in zip(page.measurements, each.content.figures, strict=True):
        draw(_MEASURED, *outline(measurement), figures[0].words if figures else "")
    found = [
        GraphicAnnotation(
            referenced_images=[each.dataset],
            graphic_layer=layer,
            graphic_objects=graphics,
            text_objects=texts or None,
        )
        for layer, graphics, texts in drawn.values()
    ]
    if each.frames:  # by hand: highdicom goes by the SOP Class, whatever the file has
        for annotation in found:
            annotation.ReferencedImageSequence[0].ReferencedFrameNumber = each.frames
    return found


def _layers(annotations: list[GraphicAnnotation]) -> list[GraphicLayer]:
    used = {annotation.GraphicLayer for annotation in annotations}
    return [layer for layer in (_FINDINGS, _UNCERTAIN, _MEASURED) if layer.GraphicLayer in used]


def _words(finding: Finding) -> str:
    score = "" if finding.score is None else f" {finding.score:.2f}"
    uncertain = ", uncertain" if finding.uncertain else ""
    status = "undecided" if finding.status is Status.OPEN else finding.status.value
    return f"{finding.category}{score}, {status}{uncertain}"


def _text(words: str, points: Points, dataset: Dataset) -> TextObject:
    """Above the graphic, or below it where there is no room."""
    height = max(_LEAST_LINE, _LINE_SHARE * dataset.Rows)
    left, top = points.min(axis=0).tolist()
    above = top - height
    start = above if above >= 0 else min(float(points[:, 1].max()), dataset.Rows - height)
    right = min(left + _LETTER * height * (len(words) + 1), float(dataset.Columns))
    left = max(0.0, min(left, right - _LETTER * height))
    return TextObject(
        words,
        "PIXEL",
        bounding_box=(left, max(0.0, start), right, max(0.0, start) + height),
        text_justification="LEFT",
    )
