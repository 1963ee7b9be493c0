"""Pictures that may show identity: the export asks first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from pydicom.uid import (
    CTImageStorage,
    SecondaryCaptureImageStorage,
    UltrasoundImageStorage,
)

from tests.dicom_factory import make_dicom
from tests.exchange.reviewed_study import Reviewed, export, review
from viewer.errors import ExchangeError
from viewer.exchange.burned_in import BurnedInTextError
from viewer.exchange.formats import FORMATS
from viewer.exchange.options import BurnedIn, Options
from viewer.review.store import Store

GREY = np.random.default_rng(1).integers(0, 256, (120, 90), np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (120, 90, 3), np.uint8)
INCLUDE, SKIP = Options(burned_in=BurnedIn.INCLUDE), Options(burned_in=BurnedIn.SKIP)

ASKED: dict[str, tuple[Any, dict[str, Any]]] = {
    "says so": (GREY, {"BurnedInAnnotation": "YES"}),
    "secondary capture": (GREY, {"SOPClassUID": SecondaryCaptureImageStorage, "Modality": "OT"}),
    "secondary capture that says no": (
        GREY,
        {"SOPClassUID": SecondaryCaptureImageStorage, "BurnedInAnnotation": "NO"},
    ),
    "conversion type": (GREY, {"ConversionType": "WSD"}),
    "ultrasound": (GREY, {"SOPClassUID": UltrasoundImageStorage, "Modality": "US"}),
    "colour": (COLOUR, {}),
}
NOT_ASKED: dict[str, tuple[Any, dict[str, Any]]] = {
    "radiograph": (GREY, {}),
    "says no": (GREY, {"BurnedInAnnotation": "NO"}),
    "ultrasound that says no": (GREY, {"Modality": "US", "BurnedInAnnotation": "NO"}),
    "derived CT": (
        GREY,
        {"SOPClassUID": CTImageStorage, "Modality": "CT", "ImageType": ["DERIVED", "SECONDARY"]},
    ),
}


def reviewed_file(store: Store, folder: Path, form: tuple[Any, dict[str, Any]]) -> Reviewed:
    pixels, elements = form
    return review(store, make_dicom(folder / "a.dcm", pixels, **elements), folder)


@pytest.mark.parametrize("form", ASKED)
@pytest.mark.parametrize("name", ["coco", "yolo", "report"])
def test_nothing_is_written_before_it_was_said(
    store: Store, tmp_path: Path, form: str, name: str
) -> None:
    reviewed = reviewed_file(store, tmp_path, ASKED[form])
    with pytest.raises(BurnedInTextError, match=r"1 image may show.*--burned-in") as caught:
        reviewed.export(name)
    assert caught.value.count == 1
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("form", NOT_ASKED)
def test_others_go_out_unasked(store: Store, tmp_path: Path, form: str) -> None:
    reviewed = reviewed_file(store, tmp_path, NOT_ASKED[form])
    assert reviewed.export("coco").is_dir()


def test_included_they_go_out(store: Store, tmp_path: Path) -> None:
    reviewed = reviewed_file(store, tmp_path, ASKED["says so"])
    reviewed.export("coco", INCLUDE)
    assert reviewed.summary is not None
    assert reviewed.summary.written.images == 1


def test_left_out_they_are_named(store: Store, tmp_path: Path) -> None:
    marked = reviewed_file(store, tmp_path, ASKED["says so"])
    (tmp_path / "b").mkdir()
    reviewed_file(store, tmp_path / "b", (GREY.T.copy().T + 1, {}))
    summary = export(store, "coco", tmp_path / "out", SKIP)
    assert summary.written.images == 1
    assert [item.path for item in summary.skipped] == [str(marked.image.path)]
    assert "left out" in summary.skipped[0].reason


def test_where_all_are_left_out_it_is_said(store: Store, tmp_path: Path) -> None:
    reviewed = reviewed_file(store, tmp_path, ASKED["ultrasound"])
    with pytest.raises(ExchangeError, match="left out"):
        reviewed.export("coco", SKIP)
    assert not (tmp_path / "coco").exists()


@pytest.mark.parametrize("name", ["sr", "gsps"])
def test_what_holds_no_pixels_asks_nothing(store: Store, tmp_path: Path, name: str) -> None:
    assert reviewed_file(store, tmp_path, ASKED["says so"]).export(name).is_dir()


@pytest.mark.parametrize("name", ["sr", "gsps"])
def test_the_capture_of_a_colour_picture_does(store: Store, tmp_path: Path, name: str) -> None:
    PIL.Image.fromarray(COLOUR).save(tmp_path / "screenshot.png")
    reviewed = review(store, tmp_path / "screenshot.png", tmp_path)
    with pytest.raises(BurnedInTextError):
        reviewed.export(name)


def test_with_identity_there_is_nothing_to_ask(store: Store, tmp_path: Path) -> None:
    reviewed = reviewed_file(store, tmp_path, ASKED["says so"])
    assert reviewed.export("report", Options(identity=True)).is_dir()


def test_every_format_that_shows_pixels_asks() -> None:
    assert {name for name, row in FORMATS.items() if row.only_plain} == {"sr", "gsps"}
