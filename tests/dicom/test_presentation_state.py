"""Presentation states against dcmtk's own rendering, where it is installed, and against PS3.3."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.uid import SecondaryCaptureImageStorage

from tests.dicom_factory import make_dicom
from tests.object_factory import item, lut, make_presentation_state, reference, window
from viewer.dicom import voi
from viewer.dicom.model import Image, Kind, Picture, VoiWindow
from viewer.dicom.objects import GraphicType, Softcopy, Units
from viewer.dicom.pixels import decode
from viewer.dicom.presentation_state import read_softcopy
from viewer.dicom.scan import scan
from viewer.dicom.state_summary import read_state_summary
from viewer.errors import InputError

RAMP = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
SIGNED = (np.arange(64 * 64).reshape(64, 64) - 2048).astype(np.int16)


def opened(*paths: Path) -> tuple[Image, Image]:
    """The image and the state of two files."""
    found = [image for update in scan(paths) for image in update.images]
    (image,) = (one for one in found if one.kind is Kind.IMAGE)
    (state,) = (one for one in found if one.kind is Kind.PRESENTATION_STATE)
    return image, state


def make(tmp_path: Path, pixels: npt.NDArray[Any], image: dict[str, Any], **state: Any) -> Path:
    bits = {"BitsStored": 12, "HighBit": 11} if pixels.dtype.itemsize == 2 else {}
    path = make_dicom(
        tmp_path / "image.dcm",
        pixels,
        SOPClassUID=SecondaryCaptureImageStorage,
        **{**bits, **image},
    )
    return make_presentation_state(tmp_path / "state.dcm", [path], **state)


def shown(image: Image, softcopy: Softcopy) -> Picture:
    """As the window makes the picture: the state's INVERSE in place of MONOCHROME1."""
    frame = decode(image)
    assert softcopy.voi is not None
    return voi.picture(frame, softcopy.voi, frame.inverted != softcopy.inverse)


def dcmtk_picture(image: Image, state: Image, folder: Path) -> Picture:
    if shutil.which("dcmp2pgm") is None:
        pytest.skip("dcmtk's dcmp2pgm is not installed")
    out = folder / "dcmtk.pgm"
    subprocess.run(
        ["dcmp2pgm", "-q", "-p", str(state.path), str(image.path), str(out)],
        check=True,
        capture_output=True,
    )
    picture = cv2.imread(str(out), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return np.asarray(picture, np.uint8)


SCRAMBLED = np.random.default_rng(4).permutation(4096)
CASES: dict[str, tuple[npt.NDArray[Any], dict[str, Any], dict[str, Any]]] = {
    "window": (RAMP, {}, {"SoftcopyVOILUTSequence": window(1000, 700)}),
    "no VOI": (RAMP, {}, {}),
    "signed, rescaled": (
        SIGNED,
        {"RescaleSlope": 1, "RescaleIntercept": -24, "RescaleType": "HU"},
        {
            "SoftcopyVOILUTSequence": window(40, 400),
            "RescaleSlope": 1,
            "RescaleIntercept": -24,
            "RescaleType": "HU",
        },
    ),
    "another rescale than the image's": (
        RAMP,
        {"RescaleSlope": 1, "RescaleIntercept": -1024, "RescaleType": "HU"},
        {
            "SoftcopyVOILUTSequence": window(3000, 4000),
            "RescaleSlope": 2,
            "RescaleIntercept": -100,
            "RescaleType": "US",
        },
    ),
    "inverse": (
        RAMP,
        {},
        {"SoftcopyVOILUTSequence": window(2000, 2000), "PresentationLUTShape": "INVERSE"},
    ),
    "MONOCHROME1 that the state does not invert": (
        RAMP,
        {"PhotometricInterpretation": "MONOCHROME1"},
        {"SoftcopyVOILUTSequence": window(2000, 2000)},
    ),
    "MONOCHROME1 that it does": (
        RAMP,
        {"PhotometricInterpretation": "MONOCHROME1"},
        {"SoftcopyVOILUTSequence": window(2000, 2000), "PresentationLUTShape": "INVERSE"},
    ),
    "VOI LUT": (
        RAMP,
        {},
        {"SoftcopyVOILUTSequence": [item(VOILUTSequence=[lut(SCRAMBLED.tolist(), 12)])]},
    ),
    "Presentation LUT": (
        RAMP,
        {},
        {
            "SoftcopyVOILUTSequence": window(2000, 3000),
            "PresentationLUTShape": None,
            "PresentationLUTSequence": [lut((np.arange(4096) ** 2 // 4096).tolist(), 12)],
        },
    ),
    "modality LUT": (
        RAMP,
        {},
        {
            "ModalityLUTSequence": [lut(SCRAMBLED.tolist(), 12)],
            "SoftcopyVOILUTSequence": window(2000, 3000),
        },
    ),
}


@pytest.mark.parametrize("name", list(CASES))
def test_greys_are_those_of_dcmtk(tmp_path: Path, name: str) -> None:
    pixels, image_elements, state_elements = CASES[name]
    for tables in (state_elements.get("ModalityLUTSequence", ()),):
        for table in tables:
            table.ModalityLUTType = "US"
    state_path = make(tmp_path, pixels, image_elements, **state_elements)
    image, state = opened(tmp_path / "image.dcm", state_path)

    softcopy = read_softcopy(state, image)

    assert softcopy.notes == ()
    difference = shown(image, softcopy).astype(int) - dcmtk_picture(image, state, tmp_path)
    assert np.abs(difference).max() <= 1
    assert (difference == 0).mean() > 0.4  # what is left is rounding


def test_the_scrambled_tables_of_a_real_state(data_folder: Path, tmp_path: Path) -> None:
    """A modality LUT, a VOI LUT and a Presentation LUT in turn, none of them smooth."""
    folder = data_folder / "dicom" / "lut_overlay_gsps"
    image, state = opened(folder / "imageForPrLUTs.dcm", folder / "prLUTs.dcm")
    softcopy = read_softcopy(state, image)
    assert softcopy.description == "scrambled modality lut / voi lut / presentation lut"
    assert np.array_equal(shown(image, softcopy), dcmtk_picture(image, state, tmp_path))


@pytest.mark.parametrize("flip", ["N", "Y"])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_rotation_and_flip_are_those_of_dcmtk(tmp_path: Path, rotation: int, flip: str) -> None:
    pixels = (np.arange(24) * 160).astype(np.uint16).reshape(4, 6)
    state_path = make(
        tmp_path,
        pixels,
        {},
        SoftcopyVOILUTSequence=window(2048, 4096),
        ImageRotation=rotation,
        ImageHorizontalFlip=flip,
    )
    image, state = opened(tmp_path / "image.dcm", state_path)
    softcopy = read_softcopy(state, image)
    turned = np.rot90(shown(image, softcopy), -softcopy.quarter_turns)
    expected = turned[:, ::-1] if softcopy.mirrored else turned
    peer = dcmtk_picture(image, state, tmp_path)
    assert peer.shape == expected.shape
    assert np.abs(expected.astype(int) - peer).max() <= 1


def test_shutter_and_displayed_area(tmp_path: Path) -> None:
    """PS3.3 C.7.6.11 and C.10.4 count pixels from 1; edges and centres lie half a pixel apart."""
    state_path = make(
        tmp_path,
        RAMP,
        {},
        ShutterShape=["RECTANGULAR", "CIRCULAR", "POLYGONAL"],
        ShutterLeftVerticalEdge=4,
        ShutterRightVerticalEdge=20,
        ShutterUpperHorizontalEdge=3,
        ShutterLowerHorizontalEdge=15,
        CenterOfCircularShutter=[10, 12],
        RadiusOfCircularShutter=6,
        VerticesOfThePolygonalShutter=[3, 4, 3, 20, 15, 12],
        ShutterPresentationValue=65535,
        DisplayedAreaSelectionSequence=[
            item(
                DisplayedAreaTopLeftHandCorner=[11, 21],
                DisplayedAreaBottomRightHandCorner=[30, 60],
                PresentationSizeMode="MAGNIFY",
                PresentationPixelMagnificationRatio=3,
            )
        ],
    )
    softcopy = read_softcopy(*reversed(opened(tmp_path / "image.dcm", state_path)))
    shutter, area = softcopy.shutter, softcopy.area
    assert shutter is not None
    assert shutter.rectangle == (3, 2, 20, 15)
    assert shutter.circle == (11.5, 9.5, 6)
    assert shutter.polygon == ((3.5, 2.5), (19.5, 2.5), (11.5, 14.5))
    assert shutter.grey == 255
    assert area is not None
    assert (area.left, area.top, area.right, area.bottom) == (10, 20, 30, 60)
    assert (area.mode, area.magnification) == ("MAGNIFY", 3)


def graphic(kind: str, *data: float, units: str = "PIXEL", **more: Any) -> Any:
    return item(GraphicType=kind, GraphicData=list(data), GraphicAnnotationUnits=units, **more)


def test_graphics_and_texts_come_by_layer_in_order(tmp_path: Path) -> None:
    green = item(PatternOnColorCIELabValue=[43803, 26565, 37722])
    text = item(
        UnformattedTextValue="nodule\r\n12 mm",
        BoundingBoxAnnotationUnits="DISPLAY",
        BoundingBoxTopLeftHandCorner=[0.1, 0.2],
        BoundingBoxBottomRightHandCorner=[0.3, 0.4],
        BoundingBoxTextHorizontalJustification="RIGHT",
        AnchorPointAnnotationUnits="PIXEL",
        AnchorPoint=[5.0, 6.0],
        AnchorPointVisibility="Y",
    )
    annotations = [
        item(
            GraphicLayer="TOP",
            GraphicObjectSequence=[
                graphic("POLYLINE", 1.5, 2, 3, 4, LineStyleSequence=[green], GraphicFilled="Y")
            ],
        ),
        item(
            GraphicLayer="BOTTOM",
            GraphicObjectSequence=[graphic("CIRCLE", 0.5, 0.5, 0.5, 0.75, units="DISPLAY")],
            TextObjectSequence=[text],
        ),
    ]
    layers = [
        item(
            GraphicLayer="TOP", GraphicLayerOrder=2, GraphicLayerRecommendedDisplayGrayscaleValue=0
        ),
        item(
            GraphicLayer="BOTTOM",
            GraphicLayerOrder=1,
            GraphicLayerRecommendedDisplayGrayscaleValue=65535,
        ),
    ]
    state_path = make(
        tmp_path, RAMP, {}, GraphicAnnotationSequence=annotations, GraphicLayerSequence=layers
    )
    softcopy = read_softcopy(*reversed(opened(tmp_path / "image.dcm", state_path)))

    bottom, top = softcopy.layers
    assert (bottom.name, bottom.colour, top.name, top.colour) == (
        "BOTTOM",
        (255, 255, 255),
        "TOP",
        (0, 0, 0),
    )
    assert bottom.graphics[0].type is GraphicType.CIRCLE
    assert bottom.graphics[0].units is Units.DISPLAY
    assert bottom.graphics[0].points == ((0.5, 0.5), (0.5, 0.75))
    assert top.graphics[0].points == ((1.5, 2), (3, 4))
    assert top.graphics[0].filled
    assert top.graphics[0].colour is not None
    red, green_part, blue = top.graphics[0].colour
    assert green_part > red
    assert green_part > blue
    (found,) = bottom.texts
    assert found.words == "nodule\n12 mm"
    assert found.box is not None
    assert np.allclose(found.box, ((0.1, 0.2), (0.3, 0.4)))
    assert (found.box_units, found.anchor_units) == (Units.DISPLAY, Units.PIXEL)
    assert (found.anchor, found.anchor_visible, found.justification) == ((5, 6), True, "RIGHT")


def test_what_is_for_another_image_or_frame_is_left_out(tmp_path: Path) -> None:
    frames = np.stack([RAMP, RAMP])
    path = make_dicom(tmp_path / "image.dcm", frames, BitsStored=12, HighBit=11)
    second = reference(pydicom.dcmread(path), 2)
    state_path = make_presentation_state(
        tmp_path / "state.dcm",
        [path],
        SoftcopyVOILUTSequence=[
            item(ReferencedImageSequence=[second], WindowCenter=10, WindowWidth=20),
            item(WindowCenter=30, WindowWidth=40),
        ],
        GraphicAnnotationSequence=[
            item(
                GraphicLayer="A",
                ReferencedImageSequence=[second],
                GraphicObjectSequence=[graphic("POINT", 1, 1)],
            )
        ],
    )
    found = [image for update in scan([path, state_path]) for image in update.images]
    first_frame, second_frame, state = found
    one, two = (read_softcopy(state, image) for image in (first_frame, second_frame))
    assert (one.voi, two.voi) == (VoiWindow(30, 40), VoiWindow(10, 20))
    assert one.layers == ()
    assert len(two.layers) == 1
    assert one.covers
    assert two.covers

    only_second = make_presentation_state(
        tmp_path / "only.dcm",
        [path],
        ReferencedSeriesSequence=[item(ReferencedImageSequence=[second])],
    )
    (other,) = (image for update in scan([only_second]) for image in update.images)
    assert not read_softcopy(other, first_frame).covers
    assert read_softcopy(other, second_frame).covers


def test_overlay_planes_are_activated_and_a_bitmap_shuts(tmp_path: Path) -> None:
    path = make_dicom(tmp_path / "image.dcm", RAMP, BitsStored=12, HighBit=11)
    state_path = make_presentation_state(tmp_path / "state.dcm", [path])
    dataset = pydicom.dcmread(state_path)
    bits = np.zeros((64, 64), np.uint8)
    bits[2:5, 3:9] = 1
    dataset.add_new(0x60020010, "US", 64)
    dataset.add_new(0x60020011, "US", 64)
    dataset.add_new(0x60020040, "CS", "G")
    dataset.add_new(0x60020050, "SS", [1, 1])
    dataset.add_new(0x60020100, "US", 1)
    dataset.add_new(0x60020102, "US", 0)
    dataset.add_new(0x60023000, "OW", np.packbits(bits.ravel(), bitorder="little").tobytes())
    dataset.add_new(0x60021001, "CS", "OWN")
    dataset.add_new(0x60001001, "CS", "THEIRS")
    dataset.ShutterShape = "BITMAP"
    dataset.ShutterOverlayGroup = 0x6002
    dataset.save_as(state_path)
    image, state = opened(path, state_path)
    softcopy = read_softcopy(state, image)
    layers = {layer.name: layer for layer in softcopy.layers}
    assert layers["THEIRS"].overlay_groups == (0x6000,)
    assert layers["THEIRS"].overlays == ()
    assert np.array_equal(layers["OWN"].overlays[0].plane, bits.astype(bool))
    assert softcopy.shutter is not None
    assert softcopy.shutter.bitmap is not None
    assert np.array_equal(softcopy.shutter.bitmap.plane, bits.astype(bool))


def test_what_cannot_be_shown_is_said(tmp_path: Path) -> None:
    annotation = item(
        GraphicLayer="A",
        GraphicObjectSequence=[
            graphic("SPIRAL", 1, 1),
            graphic("ELLIPSE", 1, 1, 2, 2),
            graphic("POLYLINE", 1, 1, 1e30, -1e30),  # a painter would walk there for a minute
        ],
        TextObjectSequence=[item(UnformattedTextValue="nowhere")],
    )
    table = lut(SCRAMBLED.tolist(), 12)
    table.ModalityLUTType = "US"
    state_path = make(
        tmp_path,
        RAMP,
        {"RescaleSlope": 0.5, "RescaleIntercept": 0, "RescaleType": "US"},
        GraphicAnnotationSequence=[annotation],
        ModalityLUTSequence=[table],
        SoftcopyVOILUTSequence=window(100, 100),
    )
    image, state = opened(tmp_path / "image.dcm", state_path)
    softcopy = read_softcopy(state, image)
    assert softcopy.voi is None  # never the state's window over other values than it was made for
    assert softcopy.layers == ()
    assert len(softcopy.notes) == 3
    assert any("modality LUT" in note for note in softcopy.notes)
    assert any("graphic" in note for note in softcopy.notes)
    assert any("no place" in note for note in softcopy.notes)


def test_colour_keeps_its_colours(tmp_path: Path) -> None:
    path = make_dicom(tmp_path / "image.dcm", np.zeros((8, 8, 3), np.uint8))
    state_path = make_presentation_state(
        tmp_path / "state.dcm", [path], SOPClassUID="1.2.840.10008.5.1.4.1.1.11.2"
    )
    image, state = opened(path, state_path)
    softcopy = read_softcopy(state, image)
    assert softcopy.voi is None
    assert softcopy.notes == ()


def test_a_real_state_with_contours_and_scores(data_folder: Path) -> None:
    """Its image is not here: it is listed, named and summed up all the same."""
    path = data_folder / "dicom" / "lut_overlay_gsps" / "Issue168.dcm"
    (state,) = (image for update in scan([path]) for image in update.images)
    assert state.title == "Lunit Presentation State"
    assert state.references == ("1.2.840.113564.192168200113.20170404142225485590.1203801020003",)
    summary = read_state_summary(state)
    assert ("Graphics", "2") in summary.facts
    assert [child.value for child in summary.items if child.name == "Text"] == [
        "98%",
        "87%",
        "some caution!!",
        "Abnormality Score : 98%",
    ]
    image = replace(state, uid=state.references[0])
    with pytest.raises(InputError):
        decode(state)  # it has no picture of its own
    softcopy = read_softcopy(state, image)
    (layer,) = softcopy.layers
    assert [len(graphic.points) for graphic in layer.graphics] == [1903, 829]
    assert layer.graphics[0].colour == (255, 255, 255)
    assert [text.words for text in layer.texts][:2] == ["98%", "87%"]


def test_a_damaged_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    state_path = make(tmp_path, RAMP, {})
    image, state = opened(tmp_path / "image.dcm", state_path)
    state_path.write_bytes(state_path.read_bytes()[:600])
    with pytest.raises(InputError, match="presentation state cannot be read"):
        read_softcopy(state, replace(image, path=tmp_path / "gone.dcm"))
