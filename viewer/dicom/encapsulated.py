"""PDF documents inside DICOM (PS3.3 A.45.1): their pages as pictures. Child processes only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from viewer.dicom import limits
from viewer.dicom.attributes import raw_value, text
from viewer.dicom.dataset import OpenedDicom
from viewer.errors import InputError

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

_POINTS_PER_INCH = 72
_DOTS_PER_INCH = 200  # small print stays readable when it is magnified
_LONGEST_SIDE = 6000  # pixels: a poster is drawn coarser


def page_sizes(opened: OpenedDicom) -> tuple[tuple[int, int], ...]:
    """Rows and columns of the picture of each page.

    Raises
    ------
    InputError
        There is no PDF, it is damaged, locked by a password, or above a limit.
    """
    with _document(opened) as document:
        return tuple(_size(document.get_page_size(page)) for page in range(len(document)))


def render_page(opened: OpenedDicom, number: int) -> npt.NDArray[np.uint8]:
    """The picture of a page, counted from 1: (rows, columns, 3) uint8 RGB.

    Raises
    ------
    InputError
    """
    import pypdfium2  # noqa: PLC0415 - as below

    with _document(opened) as document:
        if not 1 <= number <= len(document):
            raise InputError(f"The document has no page {number}.")
        try:
            page = document[number - 1]
            rows, columns = _size(page.get_size())
            scale = _scale(page.get_size())
            bitmap = page.render(scale=scale, rev_byteorder=True, prefer_bgrx=False)
            pixels = np.array(bitmap.to_numpy()[..., :3])  # a copy: PDFium frees its own
        except pypdfium2.PdfiumError as error:
            raise InputError(f"Page {number} of the document cannot be drawn.") from error
    if pixels.ndim != 3 or pixels.shape[:2] != (rows, columns):
        raise InputError(f"Page {number} of the document cannot be drawn.")
    return pixels


def _document(opened: OpenedDicom) -> PdfDocument:
    # Loading PDFium takes 70 ms, which every start of a worker would pay for few documents.
    import pypdfium2  # noqa: PLC0415

    data = raw_value(opened.dataset, "EncapsulatedDocument")
    kind = text(opened.dataset, "MIMETypeOfEncapsulatedDocument").lower()
    if kind and kind != "application/pdf":
        raise InputError(f"The document inside is of the type {kind}; only PDF is opened.")
    if not isinstance(data, bytes) or not data:
        raise InputError("There is no document inside.")
    limits.DOCUMENT_BYTES.check(len(data))
    try:
        document = pypdfium2.PdfDocument(data)
        pages = len(document)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise InputError("The PDF document inside is locked by a password.") from error
        raise InputError("The PDF document inside is damaged.") from error
    if pages < 1:
        raise InputError("The PDF document inside has no pages.")
    limits.DOCUMENT_PAGES.check(pages)
    return document


def _scale(size: tuple[float, float]) -> float:
    longest = max(size)
    if not 0 < longest < 1e6 or min(size) <= 0:
        raise InputError("A page of the document has no valid size.")
    return min(_DOTS_PER_INCH / _POINTS_PER_INCH, _LONGEST_SIDE / longest)


def _size(size: tuple[float, float]) -> tuple[int, int]:
    scale = _scale(size)
    # As pypdfium2 rounds, which makes the bitmap.
    width, height = (int(np.ceil(side * scale)) for side in size)
    return height, width
