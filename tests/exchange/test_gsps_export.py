"""GSPS out: read by our own viewer and by DCMTK."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pydicom
import pytest

from tests.dicom_factory import make_ct_series, make_dicom
from tests.exchange.reviewed_study import Reviewed, measure, review, run_peer
from viewer.dicom.model import Image, Kind, VoiFunction, VoiTable, VoiWindow
from viewer.dicom.objects import GraphicLayer, GraphicType, Softcopy, Units
from viewer.dicom.pixels import decode
from viewer.dicom.presentation_state import read_softcopy
from viewer.dicom.scan import scan
from viewer.dicom.voi import default_voi, picture
from viewer.exchange.options import Options
from viewer.review.store import Store

WITH_IDENTITY = Options(identity=True)


def radiograph(folder: Path, **elements: Any) -> Path:
    pixels = np.random.default_rng(5).integers(0, 4096, (120, 90)).astype(np.uint16)
    values = {"WindowCenter": 2000, "WindowWidth": 3000, "BitsStored": 12, "HighBit": 11}
    return make_dicom(folder / "radiograph.dcm", pixels, **{**values, **elements})


@pytest.fixture
def reviewed(store: Store, tmp_path: Path) -> Reviewed:
    return review(store, radiograph(tmp_path), tmp_path)


def state_of(reviewed: Reviewed, options: Options = WITH_IDENTITY) -> Image:
    (path,) = reviewed.export("gsps", options).glob("*state*.dcm")
    (state,) = (image for update in scan([path]) for image in update.images)
    assert state.kind is Kind.PRESENTATION_STATE
    return state


def seen(reviewed: Reviewed) -> Softcopy:
    """The state as our own viewer reads it."""
    softcopy = read_softcopy(state_of(reviewed), reviewed.image)
    assert softcopy.covers
    assert softcopy.notes == ()
    return softcopy


def layer(softcopy: Softcopy, name: str) -> GraphicLayer:
    return next(each for each in softcopy.layers if each.name == name)


class TestMarks:
    def test_findings_are_closed_polylines_with_texts(self, reviewed: Reviewed) -> None:
        findings = layer(seen(reviewed), "FINDINGS")
        assert len(findings.graphics) == 3  # neither the rejected nor the open one
        corrected = findings.graphics[1]
        assert (corrected.type, corrected.units) == (GraphicType.POLYLINE, Units.PIXEL)
        assert corrected.points == ((41.5, 2), (80, 2), (80, 41), (41.5, 41), (41.5, 2))
        assert [text.words for text in findings.texts] == [
            "opacity 0.90, accepted",
            "opacity 0.80, corrected",
            "hilar fullness, added",
        ]
        assert findings.colour == pytest.approx((62, 207, 157), abs=6)  # CIELab and back

    def test_texts_stand_inside_the_image_and_beside_their_box(self, reviewed: Reviewed) -> None:
        for words in layer(seen(reviewed), "FINDINGS").texts:
            assert words.box is not None
            (left, top), (right, bottom) = words.box
            assert 0 <= left < right <= 90
            assert 0 <= top < bottom <= 120

    def test_measurements_have_a_layer_of_their_own(self, reviewed: Reviewed) -> None:
        measure(reviewed)
        measured = layer(seen(reviewed), "MEASUREMENTS")
        assert [graphic.type for graphic in measured.graphics] == [
            GraphicType.POLYLINE,
            GraphicType.POLYLINE,
            GraphicType.POLYLINE,
            GraphicType.ELLIPSE,
            GraphicType.POINT,
        ]
        assert measured.texts[0].words == "Length 7.00 mm, at the detector"


class TestGreys:
    def test_the_window_is_the_one_that_the_image_first_has(self, reviewed: Reviewed) -> None:
        assert seen(reviewed).voi == VoiWindow(2000, 3000, VoiFunction.LINEAR)

    def test_without_a_window_it_is_the_automatic_one(self, store: Store, tmp_path: Path) -> None:
        path = radiograph(tmp_path, WindowCenter=None, WindowWidth=None)
        reviewed = review(store, path, tmp_path)
        voi, automatic = seen(reviewed).voi, default_voi(reviewed.frame)
        assert isinstance(voi, VoiWindow)
        assert isinstance(automatic, VoiWindow)
        assert (voi.center, voi.width) == pytest.approx((automatic.center, automatic.width))

    def test_a_table_goes_over(self, store: Store, tmp_path: Path) -> None:
        from tests.object_factory import lut

        table = lut([min(value // 8, 255) for value in range(4096)], 8)
        path = radiograph(tmp_path, VOILUTSequence=[table], WindowCenter=None, WindowWidth=None)
        voi = seen(review(store, path, tmp_path)).voi
        assert isinstance(voi, VoiTable)
        assert voi.entries[:32:8] == (0, 1, 2, 3)

    @pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
    def test_black_stays_black(self, store: Store, tmp_path: Path, photometric: str) -> None:
        path = radiograph(tmp_path, PhotometricInterpretation=photometric)
        reviewed = review(store, path, tmp_path)
        softcopy = seen(reviewed)
        assert softcopy.inverse == (photometric == "MONOCHROME1")

    def test_hounsfield_units(self, store: Store, tmp_path: Path) -> None:
        path = make_ct_series(tmp_path / "ct", 1, 120, 90)[0]
        softcopy = seen(review(store, path, tmp_path))
        assert softcopy.voi == VoiWindow(40, 400, VoiFunction.LINEAR)

    def test_pixels_that_are_not_square(self, store: Store, tmp_path: Path) -> None:
        path = radiograph(tmp_path, ImagerPixelSpacing=[0.2, 0.1])
        state = pydicom.dcmread(state_of(review(store, path, tmp_path)).path)
        area = state.DisplayedAreaSelectionSequence[0]
        assert list(area.PresentationPixelAspectRatio) == [2000, 1000]


class TestKinds:
    def test_colour_has_a_colour_state(self, store: Store, tmp_path: Path) -> None:
        pixels = np.random.default_rng(3).integers(0, 256, (120, 90, 3), np.uint8)
        reviewed = review(store, make_dicom(tmp_path / "colour.dcm", pixels), tmp_path)
        softcopy = seen(reviewed)
        assert softcopy.voi is None
        assert len(layer(softcopy, "FINDINGS").graphics) == 3
        state = pydicom.dcmread(state_of_again(reviewed))
        assert state.SOPClassUID.name == "Color Softcopy Presentation State Storage"

    def test_one_frame_of_several(self, store: Store, tmp_path: Path) -> None:
        pixels = np.random.default_rng(2).integers(0, 256, (3, 120, 90), np.uint8)
        reviewed = review(store, make_dicom(tmp_path / "loop.dcm", pixels), tmp_path, 2)
        state = state_of(reviewed)
        frames = [image for update in scan([reviewed.image.path]) for image in update.images]
        marks = [
            sum(len(each.graphics) for each in read_softcopy(state, frame).layers)
            for frame in frames
        ]
        assert marks == [0, 3, 0]

    def test_a_plain_image_with_its_capture(self, store: Store, tmp_path: Path) -> None:
        pixels = np.random.default_rng(1).integers(0, 256, (120, 90), np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / "plain.png")
        reviewed = review(store, tmp_path / "plain.png", tmp_path)
        state = state_of(reviewed)
        (capture,) = (reviewed.folder / "gsps").glob("*image*.dcm")
        (image,) = (image for update in scan([capture]) for image in update.images)
        softcopy = read_softcopy(state, image)
        assert softcopy.covers
        assert len(layer(softcopy, "FINDINGS").graphics) == 3

    def test_without_identity_it_names_nobody(self, reviewed: Reviewed) -> None:
        raw = state_of(reviewed, Options()).path.read_bytes()
        for identity in (reviewed.image.uid, "Doe", "P-1", "19600101"):
            assert identity.encode() not in raw


def state_of_again(reviewed: Reviewed) -> Path:
    return next((reviewed.folder / "gsps").glob("*state*.dcm"))


class TestDcmtk:
    def test_it_finds_no_fault(self, reviewed: Reviewed) -> None:
        measure(reviewed)
        words = run_peer("dcmpschk", str(state_of(reviewed).path))
        assert "Test passed" in words

    @pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
    def test_it_shows_the_same_greys(self, store: Store, tmp_path: Path, photometric: str) -> None:
        path = radiograph(tmp_path, PhotometricInterpretation=photometric)
        reviewed = review(store, path, tmp_path)
        state = state_of(reviewed).path
        out = tmp_path / "seen.pgm"
        run_peer("dcmp2pgm", "--pstate", str(state), str(path), str(out))
        theirs = np.asarray(PIL.Image.open(out), np.int16)
        frame = decode(reviewed.image)
        ours = picture(frame, default_voi(frame)).astype(np.int16)
        assert np.abs(ours - theirs).max() <= 1
