"""PDF documents inside DICOM: pages as pictures, and a sentence for what is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
import pytest

from tests.object_factory import make_encapsulated_pdf, pdf_bytes
from viewer.dicom import limits
from viewer.dicom.model import Image, Kind
from viewer.dicom.pixels import decode
from viewer.dicom.scan import scan
from viewer.errors import InputError


def opened(path: Path) -> tuple[list[Image], list[str]]:
    updates = list(scan([path]))
    images = [image for update in updates for image in update.images]
    return images, [skipped.reason for update in updates for skipped in update.skipped]


def painted_pdf() -> bytes:
    """Two pages: a blank one, and one with a red square in its upper left quarter."""
    document = pypdfium2.PdfDocument.new()
    document.new_page(200, 300)
    page = document.new_page(200, 300)
    square = pdfium.FPDFPageObj_CreateNewRect(0, 150, 100, 150)  # from the lower left corner
    pdfium.FPDFPageObj_SetFillColor(square, 255, 0, 0, 255)
    pdfium.FPDFPath_SetDrawMode(square, pdfium.FPDF_FILLMODE_ALTERNATE, False)
    pdfium.FPDFPage_InsertObject(page.raw, square)
    page.gen_content()
    path = Path("painted.pdf")
    document.save(path)
    document.close()
    return path.read_bytes()


def test_each_page_is_an_entry_with_its_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    images, reasons = opened(make_encapsulated_pdf(tmp_path / "letter.dcm", painted_pdf()))
    assert reasons == []
    assert [image.frame_number for image in images] == [1, 2]
    assert {image.number_of_frames for image in images} == {2}
    assert {image.kind for image in images} == {Kind.PAGE}
    assert {image.title for image in images} == {"Discharge letter"}
    assert {image.is_colour for image in images} == {True}

    blank, painted = (decode(image) for image in images)

    rows, columns = images[0].rows, images[0].columns
    assert (rows, columns) == (834, 556)  # 300 x 200 points at 200 dots an inch, rounded up
    assert blank.values.shape == (rows, columns, 3)
    assert (blank.values == 255).all()
    assert painted.values[rows // 4, columns // 4].tolist() == [255, 0, 0]
    assert painted.values[3 * rows // 4, columns // 4].tolist() == [255, 255, 255]
    assert painted.values[rows // 4, 3 * columns // 4].tolist() == [255, 255, 255]


def test_a_poster_is_drawn_within_bounds(tmp_path: Path) -> None:
    content = pdf_bytes(1, 14_000, 7_000)
    (image,), _ = opened(make_encapsulated_pdf(tmp_path / "poster.dcm", content))
    assert max(image.rows, image.columns) == 6000
    assert decode(image).values.shape == (image.rows, image.columns, 3)


@pytest.mark.parametrize(
    ("content", "elements", "sentence"),
    [
        (b"%PDF-1.4 and then nothing", {}, "The PDF document inside is damaged."),
        (pdf_bytes(1)[:200], {}, "The PDF document inside is damaged."),
        (b"", {}, "There is no document inside."),
        (
            b"<ClinicalDocument/>",
            {"MIMETypeOfEncapsulatedDocument": "text/XML"},
            "The document inside is of the type text/xml; only PDF is opened.",
        ),
    ],
)
def test_what_cannot_be_opened_has_a_sentence(
    tmp_path: Path, content: bytes, elements: dict[str, Any], sentence: str
) -> None:
    path = make_encapsulated_pdf(tmp_path / "bad.dcm", content, **elements)
    assert opened(path) == ([], [sentence])


def test_too_many_pages_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DOCUMENT_PAGES", limits.Limit("The number of pages", 2))
    path = make_encapsulated_pdf(tmp_path / "long.dcm", pdf_bytes(3))
    assert opened(path) == ([], ["The number of pages is 3, above the limit of 2."])


def test_a_document_that_changed_meanwhile(tmp_path: Path) -> None:
    path = make_encapsulated_pdf(tmp_path / "letter.dcm", pdf_bytes(2))
    images, _ = opened(path)
    make_encapsulated_pdf(path, pdf_bytes(1), SOPInstanceUID=images[0].uid)
    with pytest.raises(InputError, match="no page 2"):
        decode(images[1])


def test_the_real_one(data_folder: Path) -> None:
    (image,), _ = opened(data_folder / "dicom" / "objects" / "sample-pdf.dcm")
    picture = decode(image).values
    assert (image.kind, image.number_of_frames) == (Kind.PAGE, 1)
    ink = float((picture < 128).any(axis=2).mean())
    assert 0.002 < ink < 0.2  # a letter: words on white
    assert np.median(picture) == 255
