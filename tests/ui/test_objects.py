"""Presentation states, segmentations and overlay planes in a whole window."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QImage

from tests.dicom_factory import make_ct_series
from tests.object_factory import (
    item,
    make_presentation_state,
    make_segmentation,
    segment,
    window,
)
from tests.ui.objects_on_screen import colour_at, lines, pane, show, shown_kind, wait_for_state
from tests.ui.window_fixtures import Desk, radiograph
from viewer.dicom.model import Kind, VoiWindow
from viewer.ui.view_picture import stamped

SHIFT = Qt.KeyboardModifier.ShiftModifier
RED = [34881, 53485, 50171]  # sRGB (255, 0, 0) in CIELab under D50


# --- presentation states -------------------------------------------------------------------------


def test_a_state_is_in_force_from_the_start_and_named(desk: Desk, tmp_path: Path) -> None:
    image = radiograph(tmp_path / "image.dcm")
    state = make_presentation_state(
        tmp_path / "state.dcm",
        [image],
        SoftcopyVOILUTSequence=window(3000, 400),
        ShutterShape="RECTANGULAR",
        ShutterLeftVerticalEdge=51,
        ShutterRightVerticalEdge=200,
        ShutterUpperHorizontalEdge=1,
        ShutterLowerHorizontalEdge=160,
        ShutterPresentationValue=0,
    )
    desk.open(image, state)
    wait_for_state(desk, "Presentation state: as read, Reader, Rita (Y)")
    viewport = desk.window.viewport
    assert viewport.voi == VoiWindow(3000, 400)
    assert colour_at(desk, 25, 80) == (0, 0, 0)  # behind the shutter
    assert colour_at(desk, 198, 80) == (255, 255, 255)  # 3,780, above the window

    desk.key(Qt.Key.Key_Y)
    assert lines(desk)[-1] == "1 presentation state off (Y)"
    assert viewport.voi == desk.window.reading.loaded.voi  # type: ignore[union-attr]
    assert colour_at(desk, 40, 80) != (0, 0, 0)

    desk.key(Qt.Key.Key_Y)
    wait_for_state(desk, "as read")
    assert viewport.voi == VoiWindow(3000, 400)


def test_esc_goes_back_to_the_state_and_not_past_it(desk: Desk, tmp_path: Path) -> None:
    image = radiograph(tmp_path / "image.dcm")
    state = make_presentation_state(
        tmp_path / "state.dcm",
        [image],
        SoftcopyVOILUTSequence=window(3000, 400),
        PresentationLUTShape="INVERSE",
        ImageRotation=90,
    )
    desk.open(image, state)
    wait_for_state(desk, "as read")
    viewport = desk.window.viewport
    assert viewport.inverted
    assert viewport.view is not None
    assert viewport.view.turns == 1
    viewport.set_voi(VoiWindow(10, 20))
    viewport.toggle_inverted()
    viewport.turn(1)
    desk.key(Qt.Key.Key_Escape)
    assert viewport.voi == VoiWindow(3000, 400)
    assert viewport.inverted
    assert viewport.view.turns == 1


def test_monochrome1_counts_for_nothing_under_a_state(desk: Desk, tmp_path: Path) -> None:
    image = radiograph(tmp_path / "image.dcm", PhotometricInterpretation="MONOCHROME1")
    state = make_presentation_state(
        tmp_path / "state.dcm", [image], SoftcopyVOILUTSequence=window(2000, 3600)
    )
    desk.open(image, state)
    wait_for_state(desk, "as read")
    assert colour_at(desk, 10, 80)[0] < colour_at(desk, 190, 80)[0]  # values rise to the right
    desk.key(Qt.Key.Key_Y)
    assert colour_at(desk, 10, 80)[0] > colour_at(desk, 190, 80)[0]


def test_the_displayed_area_turned_and_mirrored(desk: Desk, tmp_path: Path) -> None:
    image = radiograph(tmp_path / "image.dcm")
    state = make_presentation_state(
        tmp_path / "state.dcm",
        [image],
        ImageRotation=90,
        ImageHorizontalFlip="Y",
        DisplayedAreaSelectionSequence=[
            item(
                DisplayedAreaTopLeftHandCorner=[101, 41],
                DisplayedAreaBottomRightHandCorner=[140, 80],
                PresentationSizeMode="SCALE TO FIT",
            )
        ],
    )
    desk.open(image, state)
    wait_for_state(desk, "as read")
    view = desk.window.viewport.view
    assert view is not None
    corners = [view.to_screen(x, y) for x, y in ((100, 40), (140, 80))]
    # Turned clockwise and mirrored, the top left corner stays at the top left.
    (left, top), (right, bottom) = corners
    assert left < right
    assert top < bottom
    assert min(left, top) > -1.5
    assert right < view.width + 1.5
    assert bottom < view.height + 1.5
    assert min(right - left - view.width, bottom - top - view.height, key=abs) == pytest.approx(
        0, abs=3
    )
    desk.window.resize(1000, 700)
    desk.until(lambda: desk.window.viewport.view.zoom < view.zoom)  # type: ignore[union-attr]
    smaller = desk.window.viewport.view
    assert smaller is not None
    (left, top), (right, bottom) = (smaller.to_screen(x, y) for x, y in ((100, 40), (140, 80)))
    room = smaller.width - (right - left), smaller.height - (bottom - top)
    assert min(room) == pytest.approx(0, abs=3)
    across = np.subtract(view.to_screen(101, 40), view.to_screen(100, 40))
    assert abs(across[0]) < 1e-6  # along a row of the image is now down the screen
    assert across[1] > 0


def test_several_states_go_round(desk: Desk, tmp_path: Path) -> None:
    image = radiograph(tmp_path / "image.dcm")
    states = [
        make_presentation_state(
            tmp_path / f"state{number}.dcm",
            [image],
            SeriesNumber=90 + number,
            ContentDescription=f"look {number}",
            SoftcopyVOILUTSequence=window(1000 * number, 100),
        )
        for number in (1, 2)
    ]
    desk.open(image, *states)
    wait_for_state(desk, "Presentation state 2/2: look 2")
    desk.key(Qt.Key.Key_Y)
    wait_for_state(desk, "Presentation state 1/2: look 1")
    assert desk.window.viewport.voi == VoiWindow(1000, 100)
    desk.key(Qt.Key.Key_Y)
    wait_for_state(desk, "2 states off")
    desk.key(Qt.Key.Key_Y)
    wait_for_state(desk, "look 2")


def test_the_readers_own_window_stays_while_scrolling(desk: Desk, tmp_path: Path) -> None:
    slices = make_ct_series(tmp_path / "ct", slices=3)
    state = make_presentation_state(
        tmp_path / "state.dcm",
        slices,
        SoftcopyVOILUTSequence=window(10, 300),
        RescaleSlope=1,
        RescaleIntercept=-1024,
        RescaleType="HU",
    )
    desk.open(*slices, state)
    wait_for_state(desk, "as read")
    assert desk.window.viewport.voi == VoiWindow(10, 300)
    desk.window.viewport.set_voi(VoiWindow(-500, 1500))
    desk.key(Qt.Key.Key_Down)
    desk.until(lambda: desk.window.reading.position.index == 1)  # type: ignore[union-attr]
    wait_for_state(desk, "as read")
    assert desk.window.viewport.voi == VoiWindow(-500, 1500)
    desk.key(Qt.Key.Key_S, SHIFT)  # segments have nothing to do with it
    assert desk.window.viewport.voi == VoiWindow(-500, 1500)
    desk.key(Qt.Key.Key_Y)  # the state goes, and with it every window but the file's own
    assert desk.window.viewport.voi == VoiWindow(40, 400)
    desk.key(Qt.Key.Key_Y)
    wait_for_state(desk, "as read")
    assert desk.window.viewport.voi == VoiWindow(10, 300)


def test_a_state_has_its_own_entry_and_leads_to_its_image(desk: Desk, tmp_path: Path) -> None:
    image = radiograph(tmp_path / "image.dcm")
    state = make_presentation_state(tmp_path / "state.dcm", [image])
    desk.open(image, state)
    show(desk, Kind.PRESENTATION_STATE)
    report = pane(desk).report
    desk.until(lambda: "as read" in report.toPlainText())
    assert "image 1 of series 1" in report.toPlainText()
    assert desk.window.viewport.isHidden()
    uid = pydicom.dcmread(image).SOPInstanceUID
    report.anchorClicked.emit(QUrl(f"{uid} 1"))
    desk.until(lambda: shown_kind(desk) is Kind.IMAGE)
    assert report.isHidden()
    assert not desk.window.viewport.isHidden()


def test_the_screen_shows_what_dcmtk_renders(desk: Desk, data_folder: Path, tmp_path: Path) -> None:
    """A real state with three scrambled tables, at one screen pixel for each of the image."""
    if shutil.which("dcmp2pgm") is None:
        pytest.skip("dcmtk's dcmp2pgm is not installed")
    folder = data_folder / "dicom" / "lut_overlay_gsps"
    image, state = folder / "imageForPrLUTs.dcm", folder / "prLUTs.dcm"
    out = tmp_path / "peer.pgm"
    subprocess.run(
        ["dcmp2pgm", "-q", "-p", str(state), str(image), str(out)], check=True, capture_output=True
    )
    peer = cv2.imread(str(out), cv2.IMREAD_UNCHANGED)
    desk.open(image, state)
    wait_for_state(desk, "Presentation state: scrambled")
    viewport = desk.window.viewport
    viewport.actual_size()
    view = viewport.view
    assert view is not None
    grabbed = viewport.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    left, top = view.device_origin
    seen = np.frombuffer(grabbed.constBits(), np.uint8)
    seen = seen.reshape(grabbed.height(), grabbed.bytesPerLine())
    # The middle: what no corner text covers.
    ours = seen[top + 150 : top + 350, left + 100 : left + 400]
    assert np.array_equal(ours, peer[150:350, 100:400])


def test_a_picture_without_identity_has_no_words_of_a_file(desk: Desk, tmp_path: Path) -> None:
    image = radiograph(tmp_path / "image.dcm")
    name = item(
        UnformattedTextValue="Doe Jane",
        BoundingBoxAnnotationUnits="PIXEL",
        BoundingBoxTopLeftHandCorner=[80.0, 60.0],
        BoundingBoxBottomRightHandCorner=[160.0, 90.0],
    )
    state = make_presentation_state(
        tmp_path / "state.dcm",
        [image],
        SoftcopyVOILUTSequence=window(100_000, 10),  # all black
        GraphicAnnotationSequence=[item(GraphicLayer="A", TextObjectSequence=[name])],
    )
    desk.open(image, state)
    wait_for_state(desk, "as read")

    def brightest(*, identity: bool) -> int:
        picture = stamped(desk.window.viewport, opened, identity=identity)
        view = desk.window.viewport.view
        assert view is not None
        x0, y0 = map(round, view.to_screen(80, 60))
        x1, y1 = map(round, view.to_screen(160, 90))
        return max(picture.pixelColor(x, y).red() for x in range(x0, x1, 2) for y in range(y0, y1))

    opened = desk.window.reading.image
    assert opened is not None
    assert brightest(identity=True) > 150
    assert brightest(identity=False) < 30
    assert brightest(identity=True) > 150  # and back on the screen


# --- segmentations -------------------------------------------------------------------------------


def test_segments_lie_over_their_series_and_can_be_hidden(desk: Desk, tmp_path: Path) -> None:
    slices = make_ct_series(tmp_path / "ct", slices=3)
    masks = np.zeros((3, 32, 32), np.bool_)
    masks[0, 10:20, 8:24] = True
    path = make_segmentation(
        tmp_path / "seg.dcm", slices, masks, [1, 1, 1], [segment(1, "Liver", RED)]
    )
    desk.open(*slices, path)
    plain = colour_at(desk, 28, 5)
    desk.until(lambda: colour_at(desk, 16, 15)[0] > colour_at(desk, 16, 15)[1] + 40)
    assert colour_at(desk, 28, 5) == plain

    desk.key(Qt.Key.Key_S, SHIFT)
    assert lines(desk)[-1] == "Segments off (Shift+S)"
    red, green, _ = colour_at(desk, 16, 15)
    assert red == green
    desk.key(Qt.Key.Key_S, SHIFT)
    desk.key(Qt.Key.Key_Down)
    desk.until(lambda: desk.window.reading.position.index == 1)  # type: ignore[union-attr]
    red, green, _ = colour_at(desk, 16, 15)
    assert red == green  # this slice has none


def test_a_segmentation_alone_is_leafed_through_with_its_names(desk: Desk, tmp_path: Path) -> None:
    slices = make_ct_series(tmp_path / "ct", slices=2)
    masks = np.zeros((2, 32, 32), np.bool_)
    masks[:, 10:20, 8:24] = True
    segments = [segment(1, "Liver"), segment(2, "Spleen")]
    path = make_segmentation(tmp_path / "seg.dcm", slices, masks, [1, 2], segments)
    desk.drop([path])
    desk.until(lambda: "Segment: Liver" in lines(desk))
    assert desk.window.reading.key is None
    desk.key(Qt.Key.Key_Down)
    desk.until(lambda: "Segment: Spleen" in lines(desk))
    assert "Segment: Liver" not in lines(desk)


def test_a_damaged_segmentation_is_said_in_the_corner(desk: Desk, tmp_path: Path) -> None:
    slices = make_ct_series(tmp_path / "ct", slices=1)
    path = make_segmentation(
        tmp_path / "seg.dcm",
        slices,
        np.ones((1, 32, 32), np.bool_),
        [1],
        [segment(1, "Liver")],
        SegmentationType="SURFACE",
    )
    desk.open(*slices, path)
    desk.until(lambda: any("type SURFACE is not supported" in line for line in lines(desk)))


# --- overlay planes ------------------------------------------------------------------------------


def overlaid(path: Path) -> Path:
    radiograph(path)
    dataset = pydicom.dcmread(path)
    bits = np.zeros((160, 200), np.uint8)
    bits[60:100, 80:120] = 1
    for element, vr, value in (
        (0x10, "US", 160),
        (0x11, "US", 200),
        (0x40, "CS", "G"),
        (0x50, "SS", [1, 1]),
        (0x100, "US", 1),
        (0x102, "US", 0),
        (0x3000, "OW", np.packbits(bits.ravel(), bitorder="little").tobytes()),
    ):
        dataset.add_new(0x60000000 + element, vr, value)
    dataset.save_as(path)
    return path


def test_overlay_planes_are_shown_and_can_be_hidden(desk: Desk, tmp_path: Path) -> None:
    desk.open(overlaid(tmp_path / "image.dcm"))
    red, _, blue = colour_at(desk, 100, 80)
    assert red > blue + 50
    desk.key(Qt.Key.Key_O, SHIFT)
    assert lines(desk)[-1] == "Overlay planes off (Shift+O)"
    red, green, blue = colour_at(desk, 100, 80)
    assert red == green == blue
    desk.key(Qt.Key.Key_O, SHIFT)
    assert colour_at(desk, 100, 80)[0] > colour_at(desk, 100, 80)[2] + 50


def test_a_state_shows_only_the_planes_that_it_activates(desk: Desk, tmp_path: Path) -> None:
    image = overlaid(tmp_path / "image.dcm")
    quiet = make_presentation_state(tmp_path / "quiet.dcm", [image], ContentDescription="quiet")
    loud = make_presentation_state(
        tmp_path / "loud.dcm", [image], SeriesNumber=91, ContentDescription="loud"
    )
    dataset = pydicom.dcmread(loud)
    dataset.add_new(0x60001001, "CS", "MARKS")
    dataset.GraphicLayerSequence = [item(GraphicLayer="MARKS", GraphicLayerOrder=1)]
    dataset.save_as(loud)
    desk.open(image, quiet, loud)
    wait_for_state(desk, "loud")
    red, _, blue = colour_at(desk, 100, 80)
    assert red > blue + 50
    desk.key(Qt.Key.Key_Y)
    wait_for_state(desk, "quiet")
    red, green, blue = colour_at(desk, 100, 80)
    assert red == green == blue
