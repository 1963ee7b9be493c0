"""The report as PDF and HTML: what stands in it, and that nothing in it is taken for markup."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pypdfium2
import pytest

from detector.types import RESEARCH_USE_ONLY, ModelCard
from tests.dicom_factory import make_ct_series, make_dicom
from tests.exchange.reviewed_study import READER, WEIGHTS, Reviewed, export, measure, review
from viewer.exchange.options import Options
from viewer.review.store import Store

WITH_IDENTITY = Options(identity=True)


def radiograph(folder: Path, **elements: Any) -> Path:
    pixels = np.random.default_rng(5).integers(0, 4096, (120, 90)).astype(np.uint16)
    values = {"PatientName": "Muster^Änne", "PatientID": "ID-7", "WindowCenter": 2048}
    return make_dicom(folder / "a.dcm", pixels, **{**values, "WindowWidth": 4096, **elements})


@pytest.fixture
def reviewed(store: Store, tmp_path: Path) -> Reviewed:
    return review(store, radiograph(tmp_path), tmp_path)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self._silent = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._silent = tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self._silent = False

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.words.append(" ".join(data.split()))


def html(folder: Path) -> tuple[str, _Words]:
    (path,) = folder.glob("*.html")
    parser = _Words()
    parser.feed(path.read_text("utf-8"))
    return " ".join(parser.words), parser


def pdf_pages(folder: Path) -> list[str]:
    (path,) = folder.glob("*.pdf")
    document = pypdfium2.PdfDocument(path)
    pages = [page.get_textpage() for page in document]
    texts = [page.get_text_range() for page in pages]
    for page in pages:
        page.close()
    document.close()
    return texts


def pdf(folder: Path) -> str:
    return " ".join(" ".join(pdf_pages(folder)).split())


def both(folder: Path) -> tuple[str, str]:
    return html(folder)[0], pdf(folder)


class TestContent:
    def test_findings_with_status_score_and_size(self, reviewed: Reviewed) -> None:
        for text in both(reviewed.export("report")):
            assert re.search(r"opacity accepted 0\.90 4 × 5 mm at the detector", text)
            assert re.search(r"opacity corrected 0\.80 5 × 5 mm", text)
            assert re.search(r"hilar fullness added – 3 × 3 mm", text)
            assert re.search(r"rejected: no findings.*opacity rejected 0\.70", text)
            assert "2 × opacity, 1 × hilar fullness, on one image." in text

    def test_reader_and_signature(self, reviewed: Reviewed) -> None:
        for text in both(reviewed.export("report")):
            assert f"Reader {READER}" in text
            assert "Signed not signed" in text
            assert "The reading is not complete: there may be more." in text
        reviewed.session.sign()
        signature = reviewed.session.state.signature
        assert signature is not None
        out = reviewed.folder / "signed"
        export(reviewed.store, "report", out)
        for text in both(out):
            assert f"Signed {READER}, {signature.at:%Y-%m-%d %H:%M} UTC" in text
            assert "not signed" not in text

    def test_a_negative_study_says_so(self, store: Store, tmp_path: Path) -> None:
        reviewed = review(store, radiograph(tmp_path), tmp_path)
        for finding in reviewed.session.findings():
            reviewed.session.reject(finding.id)
        reviewed.session.sign()
        for text in both(reviewed.export("report")):
            assert "No finding, on one image." in text
            assert "No finding on this image." in text
            assert "chest-xray 1.2" in text

    def test_model_with_hash_and_operating_point(self, reviewed: Reviewed, tmp_path: Path) -> None:
        card = ModelCard(
            name="chest-xray", version="1.2", architecture="x", architecture_options={},
            categories=("opacity",), input_size=1, weights_sha256=WEIGHTS, modalities=("DX",),
            body_parts=(), views=(), default_threshold=0.37, description="",
            evaluation={
                "images": 300, "patients": 250,  # of all categories, read or not
                "categories": {"opacity": {"images": 100, "patients": 80}},
                "operating_points": [
                    {"threshold": 0.37, "sensitivity": 0.66, "false_marks_per_image": 0.31}
                ],
            },
        )  # fmt: skip
        from viewer.dicom.deidentify import copy_of
        from viewer.dicom.pixels import decode
        from viewer.exchange.formats import FORMATS

        FORMATS["report"].export(
            reviewed.store,
            tmp_path / "carded",
            decode,
            copy=lambda image, name, pixels: copy_of(image, name, pixels=pixels),
            card_of={WEIGHTS: card}.get,
        )
        for text in both(tmp_path / "carded"):
            assert "Detector chest-xray 1.2" in text
            assert WEIGHTS in text.replace(" ", "")
            assert (
                "Threshold 0.37: the detector finds 66 % of findings with 0.3 false marks an "
                "image, measured on 100 images of 80 patients" in text
            )
        for text in both(reviewed.export("report")):
            assert "0.37; the card of this model is not installed here" in text

    def test_measurements(self, reviewed: Reviewed) -> None:
        measure(reviewed)
        for text in both(reviewed.export("report")):
            assert "A Length 7.00 mm, at the detector" in text
            assert "B Angle 90.0°" in text
            assert "D Ellipse: Area" in text

    def test_the_picture_is_the_one_that_was_read(self, reviewed: Reviewed) -> None:
        out = reviewed.export("report")
        (path,) = out.glob("*.html")
        (encoded,) = re.findall(r"data:image/png;base64,([^\"]+)", path.read_text("utf-8"))
        picture = np.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(encoded))))
        from viewer.dicom.voi import default_voi
        from viewer.dicom.voi import picture as shown

        assert np.array_equal(picture, shown(reviewed.frame, default_voi(reviewed.frame)))
        assert path.read_text("utf-8").count("<rect") == 6  # three marks, each with its border

    def test_pixels_that_are_not_square_are_shown_so(self, store: Store, tmp_path: Path) -> None:
        reviewed = review(store, radiograph(tmp_path, ImagerPixelSpacing=[0.2, 0.1]), tmp_path)
        text = next(reviewed.export("report").glob("*.html")).read_text("utf-8")
        assert 'width="90" height="240"' in text


class TestPages:
    def test_the_notice_is_on_every_page(self, store: Store, tmp_path: Path) -> None:
        for path in make_ct_series(tmp_path / "ct", 3, 120, 90):
            reviewed = review(store, path, tmp_path)
        pages = pdf_pages(reviewed.export("report"))
        assert len(pages) >= 3
        assert all(RESEARCH_USE_ONLY in page for page in pages)

    def test_the_html_needs_nothing_else(self, reviewed: Reviewed) -> None:
        text = next(reviewed.export("report").glob("*.html")).read_text("utf-8")
        assert "http" not in text.replace("http-equiv", "")
        assert "<script" not in text
        assert RESEARCH_USE_ONLY in html(reviewed.folder / "report")[0]


class TestIdentity:
    def test_without_it_nobody_is_named(self, reviewed: Reviewed) -> None:
        record = reviewed.store.image(reviewed.image.uid, 1)
        assert record is not None
        for text in both(reviewed.export("report")):
            assert record.patient_key in text.replace(" ", "")
            for identity in ("Muster", "ID-7", "2024", "a.dcm", reviewed.image.uid):
                assert identity not in text

    def test_with_it_the_patient_is(self, reviewed: Reviewed) -> None:
        for text in both(reviewed.export("report", WITH_IDENTITY)):
            assert "Patient Muster, Änne" in text
            assert "Patient ID ID-7" in text
            assert "Study 2024-01-31" in text

    def test_words_of_a_file_are_no_markup(self, store: Store, tmp_path: Path) -> None:
        path = radiograph(tmp_path, PatientName="<b>&Evil</b>^<img>", StudyDescription="<i>")
        reviewed = review(store, path, tmp_path)
        text, parser = html(reviewed.export("report", WITH_IDENTITY))
        assert "<b>&Evil</b>, <img>" in text
        assert parser.tags.count("img") == 1
        assert "<b>&Evil</b>" in pdf(reviewed.folder / "report")

    # A PDF reader of few letters need not find each of them: what follows is found by all.
    @pytest.mark.parametrize("name", ["Иванов^Пётр", "山田^太郎", "홍^길동", "Ångström^Søren"])
    def test_letters_of_the_world(self, store: Store, tmp_path: Path, name: str) -> None:
        path = radiograph(tmp_path, PatientName=name, SpecificCharacterSet="ISO_IR 192")
        reviewed = review(store, path, tmp_path)
        for text in both(reviewed.export("report", WITH_IDENTITY)):
            assert name.partition("^")[2] in text


def test_the_sources_of_a_consensus_are_named(reviewed: Reviewed) -> None:
    from datetime import UTC, datetime

    from detector.types import Box
    from viewer.review.finding import Event, Finding, Role, Source, Status, Verb

    box = Box(3, 4, 30, 40)
    sources = (
        Source("Ann", "1", box, "opacity", Status.ACCEPTED),
        Source("Bob", "2", box, "nodule", Status.ADDED, uncertain=True),
    )
    agreed = Finding("f", reviewed.key, box, "opacity", Status.ADDED, sources=sources)
    at = datetime(2024, 5, 6, 7, 8, tzinfo=UTC)
    study = reviewed.image.study.uid
    role = Role.ADJUDICATOR
    reviewed.store.append(
        [
            Event("e", study, Verb.ADD, None, agreed, "Judge", at, 0.2, True, role=role),
            Event(
                "s", study, Verb.SIGN, None, None, "Judge", at, 0.2, True,
                covers=(reviewed.key,), role=role,
            ),
        ]
    )  # fmt: skip
    for text in both(reviewed.export("report")):
        assert "Consensus Judge" in text
        assert "Ann: opacity, accepted; Bob: nodule, added, uncertain" in text
    (path,) = reviewed.export("sr").iterdir()
    words = path.read_bytes()
    assert b"Ann: opacity, accepted" in words
    assert b"consensus: Judge" in words
