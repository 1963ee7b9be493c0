"""Pictures that may show who the patient is: no header of an export can take that out again."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from viewer.dicom.model import Image
from viewer.errors import EngineError, ExchangeError, InputError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from viewer.exchange.pages import Page

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"  # and its multi-frame kinds, .7.1 to .7.4
REASON = "It may show the patient's identity in the picture, and such images were to be left out."


class BurnedInTextError(ExchangeError):
    """The reader has not said yet whether images with writing in the picture go out.

    Attributes
    ----------
    count : how many images it is about.
    """

    def __init__(self, count: int) -> None:
        images = "1 image" if count == 1 else f"{count} images"
        super().__init__(
            f"{images} may show the patient's name or other identity in the picture (the file says "
            "so, or it is a secondary capture, an ultrasound or another picture in colour): look "
            "at them, and say --burned-in include or --burned-in skip."
        )
        self.count = count


def suspects(pages: Iterable[Page], header: Callable[[Image], bytes]) -> list[Page]:
    """The pages whose pictures may have writing in them.

    Parameters
    ----------
    header : the header of an image made anew, as a DICOM file without pixels.
    """
    return [page for page in pages if _is_suspect(page.record.image, header)]


def _is_suspect(image: Image, header: Callable[[Image], bytes]) -> bool:
    if image.is_plain:
        return image.is_colour  # a photograph of a screen, or a screenshot
    import pydicom  # noqa: PLC0415  the start must not take it

    try:
        return may_show_text(pydicom.dcmread(io.BytesIO(header(image))), image.is_colour)
    except (InputError, EngineError):
        return False  # then its picture cannot be read either, and does not go out


def may_show_text(dataset: Dataset, is_colour: bool) -> bool:
    """By Burned In Annotation (0028,0301), SOP Class and Conversion Type, and by what it shows."""
    said = dataset.get("BurnedInAnnotation", "")
    sop_class = str(dataset.get("SOPClassUID", ""))
    captured = f"{sop_class}.".startswith(f"{_SECONDARY_CAPTURE}.") or dataset.get("ConversionType")
    # Devices that make secondary captures say NO by habit; others are believed.
    if said == "YES" or captured:
        return True
    return said != "NO" and (is_colour or dataset.get("Modality") == "US")
